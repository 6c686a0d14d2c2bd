//! The thread that writes, in groups: one fsync for all who wait.
//!
//! While one group is on its way to the disk, calls gather in the queue. The
//! next group takes them all: `BEGIN IMMEDIATE`, each call in a savepoint of
//! its own, `COMMIT`, and only then the answers. So a call that fails undoes
//! itself alone, and nobody hears of a success that is not on disk.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use futures_channel::oneshot;
use rusqlite::Connection;

use super::{
    error::{Failure, is_busy},
    queue::Queue,
    reader::Answer,
};
use crate::store::StoreError;

/// The most calls in one transaction: bounds what a failed commit fails, and
/// how long the first of a group waits for the last.
const GROUP: usize = 256;

/// How much the writer has done.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) calls: AtomicU64,
    pub(super) commits: AtomicU64,
}

/// A step that writes, from its arrival to its answer.
pub(super) trait Write: Send {
    /// Runs the step; `false` if it failed and must be undone.
    fn run(&mut self, connection: &Connection) -> bool;
    /// Answers with the step's own outcome.
    fn answer(self: Box<Self>);
    /// Answers that the group was lost, or with the step's own error.
    fn fail(self: Box<Self>, why: StoreError);
}

struct Step<T, F> {
    run: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

/// `step` as a job, and where its answer will be.
pub(super) fn write<T, F>(step: F) -> (Box<dyn Write>, Answer<T>)
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(Step { run: Some(step), outcome: None, reply }), answer)
}

impl<T, F> Write for Step<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T, Failure> + Send,
{
    fn run(&mut self, connection: &Connection) -> bool {
        // Nobody waits any more: spare the work.
        if self.reply.is_canceled() {
            return true;
        }
        self.outcome = self.run.take().map(|run| run(connection).map_err(StoreError::from));
        !matches!(self.outcome, Some(Err(_)))
    }

    fn answer(self: Box<Self>) {
        if let Some(outcome) = self.outcome {
            drop(self.reply.send(outcome));
        }
    }

    fn fail(self: Box<Self>, why: StoreError) {
        let own = self.outcome.and_then(Result::err);
        drop(self.reply.send(Err(own.unwrap_or(why))));
    }
}

/// Serves writes until the queue is closed, or until the connection cannot be
/// brought back to a clean state.
pub(super) fn serve(connection: &Connection, queue: &Queue<Box<dyn Write>>, patience: Duration, counts: &Counts) {
    while let Some(first) = queue.pop() {
        // A panic drops the senders of its group, which tells their callers,
        // and the rollback below undoes what the group did.
        let group = AssertUnwindSafe(|| serve_group(connection, first, queue, patience, counts));
        drop(catch_unwind(group));
        if !connection.is_autocommit() && connection.execute_batch("ROLLBACK").is_err() {
            return;
        }
    }
}

fn serve_group(
    connection: &Connection,
    first: Box<dyn Write>,
    queue: &Queue<Box<dyn Write>>,
    patience: Duration,
    counts: &Counts,
) {
    let mut group = Vec::new();
    if let Err(error) = begin(connection, patience) {
        // Whoever waits now would only wait for the same disappointment; who
        // comes after the first answer shall try again.
        group.push(first);
        group.extend(std::iter::from_fn(|| queue.try_pop()));
        return fail(group, error.into());
    }
    match run_group(connection, first, &mut group, queue) {
        Ok(()) => {
            counts.calls.fetch_add(group.len().try_into().unwrap_or(u64::MAX), Ordering::Relaxed);
            counts.commits.fetch_add(1, Ordering::Relaxed);
            group.into_iter().for_each(Write::answer);
        }
        Err(lost) => fail(group, lost),
    }
}

/// Why a whole group failed.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("the failure of another call ended the transaction")]
    Ended,
}

fn fail(group: Vec<Box<dyn Write>>, lost: Lost) {
    let cause = Arc::new(lost);
    group.into_iter().for_each(|call| call.fail(StoreError::unavailable(Arc::clone(&cause))));
}

/// Takes the lock that excludes other writers. SQLite's own busy handler
/// sleeps up to 100 ms at a time, too long to find the gap that a busy
/// neighbor leaves.
fn begin(connection: &Connection, patience: Duration) -> Result<(), rusqlite::Error> {
    let deadline = Instant::now() + patience;
    let mut pause = Duration::from_micros(100);
    loop {
        match execute(connection, "BEGIN IMMEDIATE") {
            Err(error) if is_busy(&error) && Instant::now() < deadline => {
                thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(2));
            }
            other => return other,
        }
    }
}

/// Runs what waits, then commits. It looks for more after each call, so that
/// whoever arrives during the work is part of it.
fn run_group(
    connection: &Connection,
    first: Box<dyn Write>,
    group: &mut Vec<Box<dyn Write>>,
    queue: &Queue<Box<dyn Write>>,
) -> Result<(), Lost> {
    let mut next = Some(first);
    while let Some(mut call) = next {
        let outcome = run_call(connection, call.as_mut());
        group.push(call);
        outcome?;
        next = if group.len() < GROUP { queue.try_pop() } else { None };
    }
    Ok(execute(connection, "COMMIT")?)
}

fn run_call(connection: &Connection, call: &mut dyn Write) -> Result<(), Lost> {
    execute(connection, "SAVEPOINT call")?;
    let succeeded = call.run(connection);
    // Some errors, such as a full disk, end the whole transaction.
    if connection.is_autocommit() {
        return Err(Lost::Ended);
    }
    if !succeeded {
        execute(connection, "ROLLBACK TO call")?;
    }
    Ok(execute(connection, "RELEASE call")?)
}

fn execute(connection: &Connection, sql: &str) -> Result<(), rusqlite::Error> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}
