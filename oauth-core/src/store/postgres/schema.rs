//! The schema, and how a database comes by it.
//!
//! Migrations are numbered from 1, applied once, in order and in one
//! transaction, and recorded in `oauth_migrations`. Each says from which
//! version on a program gets along with its outcome, so that during a rolling
//! upgrade the old version works on beside the new one wherever that is
//! possible. A program that is too old for a database is told so.

use std::time::Duration;

use super::{
    connection::{Connection, Connector},
    error::{Cause, Failure},
    row,
    statement::{Param, Sql},
};
use crate::store::StoreError;

pub(super) struct Migration {
    version: i64,
    /// The oldest version of the schema whose programs can use this one.
    usable_from: i64,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, usable_from: 1, sql: include_str!("migrations/0001.sql") },
    // A table that older programs leave alone.
    Migration { version: 2, usable_from: 1, sql: include_str!("migrations/0002.sql") },
    // Another.
    Migration { version: 3, usable_from: 1, sql: include_str!("migrations/0003.sql") },
    // And more of them.
    Migration { version: 4, usable_from: 1, sql: include_str!("migrations/0004.sql") },
];

/// One node at a time; the others wait here and then find nothing to do. The
/// lock goes with the transaction, so that it needs no connection of its own
/// behind a pooler. The number is this table's and nobody else's.
const BEGIN: &str = "BEGIN;
    SET LOCAL statement_timeout = 0;
    SELECT pg_advisory_xact_lock(7809644627822277997);
    CREATE TABLE IF NOT EXISTS oauth_migrations (
        version bigint PRIMARY KEY,
        usable_from bigint NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )";

static SETTINGS: Sql = Sql::reads(
    "SELECT to_regclass('oauth_migrations') IS NOT NULL,
        coalesce(current_setting('synchronous_commit', true), 'on'),
        coalesce(current_setting('server_encoding', true), 'UTF8')",
);

static NEWEST: Sql =
    Sql::reads("SELECT coalesce(max(version), 0), coalesce(max(usable_from), 0) FROM oauth_migrations");

static RECORD: Sql = Sql::writes("INSERT INTO oauth_migrations (version, usable_from) VALUES ($1, $2) RETURNING 1");

/// The first migrations, as many as a program knows.
pub(super) fn known(number: usize) -> &'static [Migration] {
    MIGRATIONS.get(..number).unwrap_or(MIGRATIONS)
}

/// Brings the schema up to date, as far as `known` goes, and finds out whether the server keeps what
/// it acknowledges. Many nodes may do so at once.
pub(super) async fn migrate(
    connector: &Connector,
    known: &'static [Migration],
    patience: Duration,
) -> Result<(), Failure> {
    let migrate = async {
        let connection = connector.connect_plainly().await?;
        // The usual case takes no lock, so that a busy neighbor delays nobody.
        if !is_current(&connection, known).await? {
            apply(&connection, known).await?;
        }
        Ok(())
    };
    tokio::time::timeout(patience, migrate).await.unwrap_or(Err(Failure::Late("migrating the schema")))
}

async fn is_current(connection: &Connection, known: &'static [Migration]) -> Result<bool, Failure> {
    let settings = connection.query(&SETTINGS, &[]).await?;
    let (migrated, synchronous_commit, encoding) = row::settings(settings.first())?;
    if synchronous_commit == "off" {
        return Err(unfit("synchronous_commit is off, and an acknowledged revocation could be lost"));
    }
    if encoding != "UTF8" {
        return Err(unfit("the encoding of the database is not UTF8"));
    }
    Ok(migrated && missing(connection, known).await?.is_empty())
}

fn unfit(what: &str) -> Failure {
    StoreError::unavailable(Cause::new(format!("PostgreSQL: {what}"))).into()
}

/// If this is given up halfway, the connection goes, and with it all that was
/// done on it.
async fn apply(connection: &Connection, known: &'static [Migration]) -> Result<(), Failure> {
    connection.batch(BEGIN).await?;
    for migration in missing(connection, known).await? {
        connection.batch(migration.sql).await?;
        let record = [migration.version, migration.usable_from].map(|number| Param::Number(Some(number)));
        connection.query(&RECORD, &record).await?;
    }
    connection.batch("COMMIT").await
}

/// What the database has not seen yet.
async fn missing(connection: &Connection, known: &'static [Migration]) -> Result<Vec<&'static Migration>, Failure> {
    let newest = connection.query(&NEWEST, &[]).await?;
    let (found, usable_from) = row::versions(newest.first())?;
    let newest = known.last().map_or(0, |migration| migration.version);
    if usable_from > newest {
        let number = |version| u32::try_from(version).unwrap_or(u32::MAX);
        return Err(StoreError::Schema { found: number(found), known: number(newest) }.into());
    }
    Ok(known.iter().filter(|migration| migration.version > found).collect())
}
