//! A bounded number of connections, each serving one statement at a time.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout, timeout_at},
};
use tokio_postgres::Row;

use super::{
    connection::{Connection, Connector},
    error::{self, Cause, Failure},
    statement::{Param, Sql},
};
use crate::store::StoreError;

pub(super) struct Pool {
    pub(super) connector: Connector,
    pub(super) limits: Limits,
    permits: Semaphore,
    /// Proving a password costs both sides: many at once make each one late.
    turns: Semaphore,
    /// The one used last is the first to be used again.
    idle: Mutex<Vec<Connection>>,
}

/// How much, and how long.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) connections: usize,
    pub(super) wait: Duration,
    /// For all attempts at a statement together.
    pub(super) statement: Duration,
    pub(super) max_age: Duration,
}

/// How many connections are opened at once.
const AT_ONCE: usize = 4;

/// How often a statement is tried that the server has undone, and a read that
/// was lost with its connection.
const ATTEMPTS: usize = 4;

/// For the server's own limit to end a statement first, so that the connection
/// survives it.
const GRACE: Duration = Duration::from_millis(500);

impl Pool {
    pub(super) fn new(connector: Connector, limits: Limits) -> Self {
        Self {
            permits: Semaphore::new(limits.connections),
            turns: Semaphore::new(AT_ONCE),
            idle: Mutex::default(),
            connector,
            limits,
        }
    }

    /// Runs one statement.
    ///
    /// Whatever fails here is no answer. It is tried again only where nothing
    /// can have happened: the server says that it has undone or not begun the
    /// statement, or the statement changes nothing anyway.
    pub(super) async fn query(&self, sql: &'static Sql, params: &[Param<'_>]) -> Result<Vec<Row>, Failure> {
        let mut attempt = 1;
        let mut deadline = None;
        loop {
            let lease = self.lease().await?;
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + self.limits.statement + GRACE);
            let error = match timeout_at(deadline, lease.query(sql, params)).await {
                Ok(Ok(rows)) => return Ok(rows),
                Ok(Err(Failure::Driver(error))) => error,
                Ok(Err(other)) => return Err(other),
                Err(_) => {
                    self.distrust(lease);
                    return Err(Failure::Late("a statement"));
                }
            };
            let mut again = error::is_undone(&error) || error::is_unknown_statement(&error);
            if error::is_lost(&error) {
                again |= sql.only_reads;
                self.distrust(lease);
            }
            if !again || attempt == ATTEMPTS || Instant::now() >= deadline {
                return Err(error.into());
            }
            attempt += 1;
        }
    }

    /// Refuses every later call, and closes each connection when its
    /// statement is done.
    pub(super) fn close(&self) {
        self.permits.close();
        self.idle().clear();
    }

    async fn lease(&self) -> Result<Lease<'_>, Failure> {
        let permit = match timeout(self.limits.wait, self.permits.acquire()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) => return Err(StoreError::unavailable(Cause::new("the store was closed")).into()),
            Err(_) => return Err(Failure::Late("waiting for a connection of the pool")),
        };
        let connection = match self.reuse() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        Ok(Lease { pool: self, connection: Some(connection), _permit: permit })
    }

    /// Opens a connection, unless one has come to rest when it is this caller's
    /// turn.
    async fn connect(&self) -> Result<Connection, Failure> {
        let Ok(_turn) = timeout(self.limits.wait, self.turns.acquire()).await else {
            return Err(Failure::Late("waiting for a connection of the pool"));
        };
        match self.reuse() {
            Some(connection) => Ok(connection),
            None => self.connector.connect().await,
        }
    }

    fn reuse(&self) -> Option<Connection> {
        let mut idle = self.idle();
        std::iter::from_fn(|| idle.pop()).find(|connection| connection.is_usable(self.limits.max_age))
    }

    /// Closes a connection that failed, and those at rest: what befell it is
    /// likely to have befallen them.
    fn distrust(&self, mut lease: Lease<'_>) {
        lease.connection = None;
        let distrusted = std::mem::take(&mut *self.idle());
        drop(distrusted);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection on loan.
struct Lease<'p> {
    pool: &'p Pool,
    connection: Option<Connection>,
    _permit: SemaphorePermit<'p>,
}

impl Lease<'_> {
    async fn query(&self, sql: &'static Sql, params: &[Param<'_>]) -> Result<Vec<Row>, Failure> {
        match &self.connection {
            Some(connection) => connection.query(sql, params).await,
            None => Err(StoreError::unavailable(Cause::new("no connection")).into()),
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let usable = |connection: &Connection| connection.is_usable(self.pool.limits.max_age);
        if let Some(connection) = self.connection.take().filter(usable)
            && !self.pool.permits.is_closed()
        {
            self.pool.idle().push(connection);
        }
    }
}
