//! The threads that read.

use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_channel::oneshot;
use rusqlite::Connection;

use super::{error::Failure, queue::Queue};
use crate::store::StoreError;

/// A read, with its way to answer.
pub(super) type Read = Box<dyn FnOnce(&Connection) + Send>;

pub(super) type Answer<T> = oneshot::Receiver<Result<T, StoreError>>;

/// `step` as a job, and where its answer will be.
pub(super) fn read<T, F>(step: F) -> (Read, Answer<T>)
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let job = move |connection: &Connection| {
        // Nobody waits any more: spare the work.
        if !reply.is_canceled() {
            drop(reply.send(step(connection).map_err(StoreError::from)));
        }
    };
    (Box::new(job), answer)
}

/// Serves reads until the queue is closed. Each is one statement, so that it
/// sees one commit and all before it.
pub(super) fn serve(connection: &Connection, queue: &Queue<Read>) {
    while let Some(job) = queue.pop() {
        // The panic of one read drops its sender, which tells its caller, and
        // leaves the connection as it was: a statement resets when dropped.
        drop(catch_unwind(AssertUnwindSafe(|| job(connection))));
    }
}
