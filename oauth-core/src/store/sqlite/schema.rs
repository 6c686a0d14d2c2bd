//! The schema, and how a file comes by it.
//!
//! Migrations are numbered from 1, applied once, in order and in one
//! transaction, and recorded in `oauth_migrations`. Each says from which
//! version on a program gets along with its outcome, so that during a rolling
//! upgrade the old version works on beside the new one wherever that is
//! possible. A program that is too old for a file is told so.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::error::Failure;
use crate::store::StoreError;

#[derive(Debug)]
pub(super) struct Migration {
    version: u32,
    /// The oldest version of the schema whose programs can use this one.
    usable_from: u32,
    sql: &'static str,
}

pub(super) const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, usable_from: 1, sql: include_str!("migrations/0001.sql") },
    // A table that older programs leave alone.
    Migration { version: 2, usable_from: 1, sql: include_str!("migrations/0002.sql") },
    // Another.
    Migration { version: 3, usable_from: 1, sql: include_str!("migrations/0003.sql") },
    // And more of them.
    Migration { version: 4, usable_from: 1, sql: include_str!("migrations/0004.sql") },
];

pub(super) const OWN_TABLE: &str = "CREATE TABLE IF NOT EXISTS oauth_migrations (
    version INTEGER PRIMARY KEY,
    usable_from INTEGER NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT";

/// Brings the schema up to date, as far as `known` goes. Several processes may
/// do so at once.
pub(super) fn migrate(connection: &Connection, known: &'static [Migration]) -> Result<(), Failure> {
    // The usual case takes no lock, so that a busy neighbor delays nobody.
    if !is_current(connection, known)? {
        apply(connection, known)?;
    }
    Ok(())
}

fn is_current(connection: &Connection, known: &'static [Migration]) -> Result<bool, Failure> {
    let exists = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'oauth_migrations'";
    if connection.query_row(exists, [], |_| Ok(())).optional()?.is_none() {
        return Ok(false);
    }
    Ok(missing(connection, known)?.is_empty())
}

fn apply(connection: &Connection, known: &'static [Migration]) -> Result<(), Failure> {
    let transaction = rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    transaction.execute_batch(OWN_TABLE)?;
    for migration in missing(&transaction, known)? {
        transaction.execute_batch(migration.sql)?;
        let record = "INSERT INTO oauth_migrations (version, usable_from, applied_at) VALUES (?1, ?2, unixepoch())";
        transaction.execute(record, (migration.version, migration.usable_from))?;
    }
    transaction.commit()?;
    Ok(())
}

/// What the file has not seen yet.
fn missing(connection: &Connection, known: &'static [Migration]) -> Result<Vec<&'static Migration>, Failure> {
    let newest = "SELECT coalesce(max(version), 0), coalesce(max(usable_from), 0) FROM oauth_migrations";
    let (found, usable_from): (u32, u32) = connection
        .query_row(newest, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(|error| damaged(error, "schema version"))?;
    let newest = known.last().map_or(0, |migration| migration.version);
    if usable_from > newest {
        return Err(StoreError::Schema { found, known: newest }.into());
    }
    Ok(known.iter().filter(|migration| migration.version > found).collect())
}

/// A value of the wrong type is damage; anything else is what it is.
fn damaged(error: rusqlite::Error, what: &'static str) -> Failure {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType};
    match error {
        FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) => {
            StoreError::Corrupt(what).into()
        }
        other => other.into(),
    }
}
