//! One connection to the server.

use std::time::{Duration, Instant};

use futures_util::{TryStreamExt, stream::FuturesUnordered};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, NoTls, Row, Statement};

use super::{
    error::Failure,
    statement::{Param, Sql},
    tls::Tls,
};

/// How connections are made.
pub(super) struct Connector {
    pub(super) config: Config,
    pub(super) tls: Option<Tls>,
    /// What each prepares when it is opened.
    pub(super) prepared: &'static [&'static Sql],
    pub(super) timeout: Duration,
}

impl Connector {
    /// A connection for the pool.
    pub(super) async fn connect(&self) -> Result<Connection, Failure> {
        self.open(self.prepared).await
    }

    /// One that has prepared nothing, for before there is a schema.
    pub(super) async fn connect_plainly(&self) -> Result<Connection, Failure> {
        self.open(&[]).await
    }

    async fn open(&self, prepared: &'static [&'static Sql]) -> Result<Connection, Failure> {
        let open = async {
            let mut connection = match &self.tls {
                Some(tls) => {
                    let (client, driver) = self.config.connect(tls.clone()).await?;
                    Connection::new(client, tokio::spawn(run(driver)))
                }
                None => {
                    let (client, driver) = self.config.connect(NoTls).await?;
                    Connection::new(client, tokio::spawn(run(driver)))
                }
            };
            connection.prepare(prepared).await?;
            Ok(connection)
        };
        tokio::time::timeout(self.timeout, open).await.unwrap_or(Err(Failure::Late("connecting")))
    }
}

/// Whoever uses the connection hears of its end.
async fn run(driver: impl Future<Output = Result<(), tokio_postgres::Error>>) {
    drop(driver.await);
}

pub(super) struct Connection {
    client: Client,
    statements: Vec<(&'static Sql, Statement)>,
    driver: JoinHandle<()>,
    opened: Instant,
}

impl Connection {
    fn new(client: Client, driver: JoinHandle<()>) -> Self {
        Self { client, statements: Vec::new(), driver, opened: Instant::now() }
    }

    /// All in one round trip.
    async fn prepare(&mut self, statements: &'static [&'static Sql]) -> Result<(), Failure> {
        let prepare = |sql: &'static Sql| {
            let client = &self.client;
            async move { Ok::<_, Failure>((sql, client.prepare(sql.text).await?)) }
        };
        let prepared: FuturesUnordered<_> = statements.iter().copied().map(prepare).collect();
        self.statements = prepared.try_collect().await?;
        Ok(())
    }

    /// Runs one statement, in one round trip, to the end of its transaction:
    /// the driver's rows end where the server says that it is ready for the
    /// next. If this future is dropped before, what was sent runs all the
    /// same, and the connection is as good as before.
    pub(super) async fn query(&self, sql: &'static Sql, params: &[Param<'_>]) -> Result<Vec<Row>, Failure> {
        let prepared = self.statements.iter().find(|(known, _)| std::ptr::eq(*known, sql));
        let rows = match prepared {
            Some((_, statement)) => self.client.query_raw(statement, params).await?,
            None => self.client.query_typed_raw(sql.text, params.iter().map(|param| (param, param.kind()))).await?,
        };
        Ok(rows.try_collect().await?)
    }

    /// Runs any number of statements that take no values and answer nothing.
    pub(super) async fn batch(&self, sql: &str) -> Result<(), Failure> {
        Ok(self.client.batch_execute(sql).await?)
    }

    pub(super) fn is_usable(&self, max_age: Duration) -> bool {
        !self.client.is_closed() && self.opened.elapsed() < max_age
    }
}

impl Drop for Connection {
    /// A driver left to itself waits for answers that may never come.
    fn drop(&mut self) {
        self.driver.abort();
    }
}
