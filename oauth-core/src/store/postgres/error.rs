//! What can go wrong inside a call, before it becomes a [`StoreError`].

use std::{error::Error as _, fmt};

use tokio_postgres::{Error, error::SqlState};

use crate::store::StoreError;

/// Lets `?` serve every kind of error, and keeps the driver out of the public
/// interface, where a `From` would put it.
#[derive(Debug)]
pub(super) enum Failure {
    Driver(Error),
    Late(&'static str),
    Store(StoreError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Driver(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => error,
            Failure::Late(what) => Self::unavailable(Cause(format!("{what} took too long"))),
            Failure::Driver(error) if is_corruption(&error) => Self::Corrupt("database"),
            Failure::Driver(error) => Self::unavailable(Cause::of(&error)),
        }
    }
}

/// What an operator needs to know: never a value of a row or of the URL.
#[derive(Debug)]
pub(super) struct Cause(String);

impl Cause {
    /// The server's message and code, without its detail and context, which
    /// quote rows.
    pub(super) fn of(error: &Error) -> Self {
        if let Some(from_server) = error.as_db_error() {
            let (message, code) = (from_server.message(), from_server.code().code());
            let hint = if is_unknown_statement(error) {
                ": does a pooler stand in between that does not know prepared statements? \
                 See PostgresStoreBuilder::pooler"
            } else {
                ""
            };
            return Self(format!("PostgreSQL: {message} ({code}){hint}"));
        }
        let mut text = format!("PostgreSQL: {error}");
        let mut source = error.source();
        while let Some(inner) = source {
            text = format!("{text}: {inner}");
            source = inner.source();
        }
        Self(text)
    }

    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Cause {}

/// Whether the server has undone the whole statement because others were in
/// its way, so that the same may be tried again.
pub(super) fn is_undone(error: &Error) -> bool {
    matches!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED))
}

/// Whether the server knows nothing of a statement that was prepared: it has
/// not begun.
pub(super) fn is_unknown_statement(error: &Error) -> bool {
    matches!(error.code(), Some(&SqlState::INVALID_SQL_STATEMENT_NAME | &SqlState::DUPLICATE_PSTATEMENT))
}

/// Whether a row of that key was there already.
pub(super) fn is_taken(error: &Error) -> bool {
    error.code() == Some(&SqlState::UNIQUE_VIOLATION)
}

/// Whether the connection is of no use any more: lost, on its way out, to a
/// server that takes no writes, or without what it had prepared.
pub(super) fn is_lost(error: &Error) -> bool {
    let Some(from_server) = error.as_db_error() else { return true };
    let code = from_server.code();
    let class = |class| code.code().starts_with(class);
    let severe = matches!(from_server.severity(), "FATAL" | "PANIC");
    severe || class("08") || class("57P") || *code == SqlState::READ_ONLY_SQL_TRANSACTION || is_unknown_statement(error)
}

fn is_corruption(error: &Error) -> bool {
    matches!(error.code(), Some(&SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED))
}
