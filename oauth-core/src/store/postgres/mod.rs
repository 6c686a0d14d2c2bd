//! The store for many nodes: PostgreSQL 15 and later.
//!
//! * **One round trip.** Each verb is one statement, prepared when its
//!   connection was opened, in a transaction of its own: it begins and ends
//!   with the statement, and no lock is held while anything travels. Opening a
//!   connection costs one round trip more than the server's own start-up.
//! * **One row.** All that a step compares is in the row of its grant. The
//!   statement locks that row and judges it as it then is, which READ
//!   COMMITTED promises; steps on different grants never meet.
//! * **Durable.** A call returns when the server has committed:
//!   `synchronous_commit` must not be `off`, and start-up fails if it is. With
//!   a standby, `synchronous_standby_names` makes `on` mean both machines;
//!   without, a failover can lose the last moments, revocations among them.
//! * **Bounded.** Waiting for a connection, opening one and each statement
//!   have their time. A server that is down or hangs is
//!   [`StoreError::Unavailable`], never a yes or a no.
//!
//! | Verbs | Round trips |
//! |---|---|
//! | all of [`Grants`](super::Grants) but `sweep`, all of [`Interactions`](super::Interactions), [`Uses`](super::Uses), [`Consents`](super::Consents), [`Reciprocals`](super::Reciprocals) and [`Clients`](super::Clients), `check` | 1 |
//! | [`signing_keys`](super::SigningKeys::signing_keys), `delete_signing_key` | 1 |
//! | [`insert_signing_key`](super::SigningKeys::insert_signing_key) | 1, and 1 more for each other node that inserts one of that algorithm at the same moment |
//! | [`sweep`](super::Grants::sweep) | at most 8 |
//!
//! A connection that is lost between the statement and its answer leaves open
//! whether it took effect; the caller hears [`StoreError::Unavailable`], as
//! that says. It is not tried again, except where it changes nothing, or where
//! the server itself says that it has undone it (serialization failure,
//! deadlock) or has not begun it. A call that is given up halfway leaves no
//! transaction behind: what was sent runs to its own end.
//!
//! The futures need a tokio runtime with I/O and time, on which each
//! connection is a task.
//!
//! # How many connections
//!
//! A call has its connection for as long as one statement takes: for a write
//! about the time that the server's disk takes to sync. Commits of different
//! connections share syncs, so more connections are more writes a second, up
//! to some 3 for each core of the server; more than that only queue there
//! instead of here. The default of 16 serves some thousand writes a second.
//! The sum over all nodes must stay below the server's `max_connections`
//! (100 by default, of which 3 are reserved); beyond that, put a pooler in
//! between.
//!
//! # Behind a pooler
//!
//! Nothing of the store depends on a session: no temporary state, no session
//! lock, no `LISTEN`; only the [bus] does, which has its own URL. Say [`PostgresStoreBuilder::pooler`], so that nothing is sent
//! that a pooler by the transaction does not know. Since a statement's time
//! cannot be sent either, set it at the server:
//! `ALTER ROLE oauth SET statement_timeout = '5s'`. The migrations take their
//! turn by a lock that ends with their transaction.
//!
//! # Backup and restore
//!
//! By the means of PostgreSQL. A restored backup has forgotten what happened
//! since: what was revoked lives again. What to do is the same as for
//! [any store](crate::server::Selection::IssuedBefore).
//!
//! # The URL
//!
//! `postgres://user:password@host:port/database`, and what libpq knows more:
//! several hosts, `target_session_attrs=read-write` to find the primary among
//! them, `options` such as `-c search_path=auth`. Between machines the default
//! is TLS with a certificate that is verified, name included: `sslmode` may be
//! `require`, `verify-ca` or `verify-full`, which here mean all the same, or
//! `disable`. What would fall back to plain text (`prefer`, `allow`) is
//! refused. `sslrootcert` names a file with the authorities to trust instead
//! of the system's, `sslcert` and `sslkey` a certificate of our own.

mod builder;
pub mod bus;
mod clients;
mod connection;
mod consents;
mod epoch;
mod error;
mod grants;
mod interactions;
mod keys;
mod pool;
mod reciprocals;
mod row;
mod schema;
mod statement;
mod statuses;
mod step;
mod sweep;
mod tls;
mod transfer;
mod url;
mod uses;

use std::{fmt, sync::Arc};

use tokio_postgres::Row;

pub use self::{
    builder::{Pooler, PostgresStoreBuilder},
    bus::{PostgresBus, PostgresBusBuilder},
};
use self::{
    pool::Pool,
    statement::{Param, Sql},
};
use super::{Store, StoreError, StoreFuture};

/// A store in a PostgreSQL database. Clones share its connections.
///
/// ```no_run
/// use oauth_core::store::{Store, postgres::PostgresStore};
/// # async fn open() -> Result<(), oauth_core::store::StoreError> {
/// let store = PostgresStore::connect("postgres://oauth:secret@db.example/oauth").await?;
/// store.check().await?;
/// # Ok(()) }
/// ```
///
/// The role needs to be allowed to create tables where the schema is to be
/// made or brought up to date, and to read and write them otherwise. If one
/// role makes the tables and another uses them, have the first say `ALTER
/// DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ..`:
/// an upgrade may bring a new one.
#[derive(Clone)]
pub struct PostgresStore(Arc<Inner>);

struct Inner {
    pool: Pool,
    shown: String,
}

/// A row is written, so that a server that only reads is found out.
static PROBE: Sql = Sql::writes(
    "INSERT INTO oauth_probe (no, count) VALUES (1, 1)
    ON CONFLICT (no) DO UPDATE SET count = oauth_probe.count + 1 RETURNING 1",
);

impl PostgresStore {
    /// Connects to the server at `url` with default settings, and brings its
    /// schema up to date.
    ///
    /// # Errors
    /// As [`PostgresStoreBuilder::build`].
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::builder(url).build().await
    }

    /// Settings for the server at `url`: [what it may say](self#the-url).
    #[must_use]
    pub fn builder(url: &str) -> PostgresStoreBuilder {
        PostgresStoreBuilder::new(url)
    }

    /// Refuses every later call on any clone, and closes each connection when
    /// its statement is done.
    pub fn close(&self) {
        self.0.pool.close();
    }

    async fn rows(&self, sql: &'static Sql, params: &[Param<'_>]) -> Result<Vec<Row>, StoreError> {
        Ok(self.0.pool.query(sql, params).await?)
    }

    /// The first row, of statements that answer with one at most.
    async fn row(&self, sql: &'static Sql, params: &[Param<'_>]) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, params).await?.into_iter().next())
    }
}

impl Store for PostgresStore {
    fn check(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.row(&PROBE, &[]).await.map(drop) })
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("server", &self.0.shown).finish_non_exhaustive()
    }
}
