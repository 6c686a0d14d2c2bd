//! Settings of the store.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    Inner, PostgresStore,
    connection::Connector,
    pool::{Limits, Pool},
    schema, statement,
    url::Target,
};
use crate::{secret::Secret, store::StoreError};

/// What stands between this program and the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pooler {
    /// Nothing, or a pooler that gives each of its clients a server connection
    /// of its own.
    #[default]
    None,
    /// A pooler that hands out server connections by the transaction and knows
    /// prepared statements: PgBouncer from 1.21 on with `pool_mode =
    /// transaction` and `max_prepared_statements` of 32 or more.
    Prepared,
    /// A pooler by the transaction, or by the statement, that does not:
    /// PgBouncer before 1.21. Statements are sent with every call and planned
    /// anew, still in one round trip, which costs the server more.
    Unprepared,
}

/// Settings of a [`PostgresStore`]; made by [`PostgresStore::builder`].
#[derive(Clone)]
pub struct PostgresStoreBuilder {
    url: Secret,
    pooler: Pooler,
    limits: Limits,
    connect: Duration,
    migration: Duration,
    /// How much of the schema this program knows.
    schema: usize,
}

/// The longest that anything may be told to take.
const HOUR: Duration = Duration::from_secs(3600);

impl PostgresStoreBuilder {
    pub(super) fn new(url: &str) -> Self {
        let limits = Limits {
            connections: 16,
            wait: Duration::from_secs(2),
            statement: Duration::from_secs(5),
            max_age: Duration::from_secs(1800),
        };
        let (connect, migration) = (Duration::from_secs(3), Duration::from_secs(300));
        Self { url: Secret::new(url), pooler: Pooler::None, limits, connect, migration, schema: usize::MAX }
    }

    /// Sets how many connections this node has at most; at least one. The
    /// default is 16. [How many are enough](super#how-many-connections).
    #[must_use]
    pub fn connections(mut self, most: usize) -> Self {
        self.limits.connections = most.clamp(1, 1024);
        self
    }

    /// Says which pooler stands in between. The default is [`Pooler::None`].
    /// Behind one, the server cannot be told a `statement_timeout` here:
    /// [what to set there](super#behind-a-pooler).
    #[must_use]
    pub const fn pooler(mut self, pooler: Pooler) -> Self {
        self.pooler = pooler;
        self
    }

    /// Sets for how long a call waits for one of the connections while others
    /// use them all, at most one hour. The default is 2 seconds.
    #[must_use]
    pub fn wait_timeout(mut self, patience: Duration) -> Self {
        self.limits.wait = patience.min(HOUR);
        self
    }

    /// Sets for how long opening a connection may take, TLS and password
    /// included, at most one hour. The default is 3 seconds.
    #[must_use]
    pub fn connect_timeout(mut self, patience: Duration) -> Self {
        self.connect = patience.min(HOUR);
        self
    }

    /// Sets for how long a statement may take, from 1 millisecond to one hour.
    /// The default is 5 seconds. The server hears of it as its
    /// `statement_timeout`, and is given up half a second later.
    #[must_use]
    pub fn statement_timeout(mut self, patience: Duration) -> Self {
        self.limits.statement = patience.clamp(Duration::from_millis(1), HOUR);
        self
    }

    /// Sets the age at which a connection is closed and replaced, at most one
    /// day, so that a change of servers behind one name is followed. The
    /// default is 30 minutes.
    #[must_use]
    pub fn max_connection_age(mut self, age: Duration) -> Self {
        self.limits.max_age = age.min(HOUR * 24);
        self
    }

    /// Sets for how long bringing the schema up to date may take, the wait for
    /// other nodes that do so included, at most one day. The default is 5
    /// minutes.
    #[must_use]
    pub fn migration_timeout(mut self, patience: Duration) -> Self {
        self.migration = patience.min(HOUR * 24);
        self
    }

    /// As the program of an earlier version would: one that knows the schema
    /// up to `version`. For tests of upgrades.
    #[cfg(feature = "testing")]
    #[doc(hidden)]
    #[must_use]
    pub const fn insecure_schema(mut self, version: usize) -> Self {
        self.schema = version;
        self
    }

    /// Connects, and brings the schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Schema`] if a later version has changed the database
    /// beyond what this one understands; [`StoreError::Unavailable`] if the
    /// URL is wrong, the server cannot be reached, lets us not in or is set
    /// not to keep what it acknowledges (`synchronous_commit = off`), or the
    /// schema cannot be changed.
    pub async fn build(self) -> Result<PostgresStore, StoreError> {
        let mut target = Target::parse(self.url.expose()).map_err(StoreError::unavailable)?;
        if self.pooler == Pooler::None {
            target.set(&format!("statement_timeout={}", self.limits.statement.as_millis()));
        }
        let connector = Connector {
            config: target.config,
            tls: target.tls,
            prepared: if self.pooler == Pooler::Unprepared { &[] } else { statement::prepared(self.schema) },
            timeout: self.connect,
        };
        schema::migrate(&connector, schema::known(self.schema), self.migration).await?;
        let inner = Inner { pool: Pool::new(connector, self.limits), shown: target.shown };
        Ok(PostgresStore(Arc::new(inner)))
    }
}

impl fmt::Debug for PostgresStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = Target::parse(self.url.expose()).map_or_else(|_| "..".to_owned(), |target| target.shown);
        f.debug_struct("PostgresStoreBuilder")
            .field("server", &server)
            .field("pooler", &self.pooler)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
