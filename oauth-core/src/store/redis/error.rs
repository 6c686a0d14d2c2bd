//! What can go wrong inside a call, before it becomes a [`StoreError`].

use std::fmt;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::store::StoreError;

/// Keeps the driver out of the public interface, where a `From` would put it.
#[derive(Debug)]
pub(super) enum Failure {
    /// No connection: nothing was sent.
    Unreachable(Cause),
    /// The connection was lost or too slow, when it may have been sent.
    Lost(Cause),
    /// The server's answer is an error: nothing was done.
    Refused(RedisError),
    /// It was done, but too few replicas have it.
    Replicas { wanted: u32, found: i64 },
    /// The store has been closed.
    Closed,
}

impl Failure {
    /// An error of the driver, for something that may have been sent.
    pub(super) fn of(error: RedisError) -> Self {
        match error.kind() {
            ErrorKind::Server(_) | ErrorKind::Extension => Self::Refused(error),
            _ => Self::Lost(Cause::of(&error)),
        }
    }

    /// Whether the server that answers is of no more use: it does not lead, or
    /// not yet.
    pub(super) fn is_of_another_server(&self) -> bool {
        use ServerErrorKind::{BusyLoading, ClusterDown, MasterDown, Moved, ReadOnly};
        let Self::Refused(error) = self else { return !matches!(self, Self::Replicas { .. } | Self::Closed) };
        matches!(error.kind(), ErrorKind::Server(BusyLoading | ClusterDown | MasterDown | Moved | ReadOnly))
    }

    pub(super) fn server_error(&self) -> Option<ServerErrorKind> {
        match self {
            Self::Refused(error) => match error.kind() {
                ErrorKind::Server(kind) => Some(kind),
                _ => None,
            },
            _ => None,
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        Self::unavailable(match failure {
            Failure::Unreachable(cause) | Failure::Lost(cause) => cause,
            Failure::Refused(error) => Cause::of(&error),
            Failure::Replicas { wanted, found } => {
                Cause::new(format!("{found} replicas of {wanted} have acknowledged in time"))
            }
            Failure::Closed => Cause::new("the store has been closed"),
        })
    }
}

/// What an operator needs to know: never a value of a key or of the URL.
#[derive(Clone, Debug)]
pub(super) struct Cause(String);

impl Cause {
    /// The server's error code with what it says of itself; of an error that a
    /// script or a command made of what it was given, the code alone.
    pub(super) fn of(error: &RedisError) -> Self {
        let text = match error.kind() {
            ErrorKind::Server(ServerErrorKind::ResponseError | ServerErrorKind::ExecAbort) | ErrorKind::Extension => {
                format!("the server says {}", error.code().unwrap_or("that it cannot"))
            }
            ErrorKind::Server(kind) => format!("the server says {kind:?}"),
            ErrorKind::Io => error.to_string(),
            kind => format!("{kind:?}"),
        };
        Self(format!("Redis: {text}"))
    }

    pub(super) fn new(text: impl fmt::Display) -> Self {
        Self(format!("Redis: {text}"))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Cause {}
