//! Threads that own a connection each and serve one queue.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use futures_channel::oneshot;
use futures_util::{
    FutureExt,
    future::{Shared, join_all},
};
use rusqlite::Connection;

use super::queue::Queue;
use crate::store::StoreError;

/// What to start: how many threads of which name, and how many calls may wait
/// for them.
pub(super) struct Plan {
    pub(super) name: &'static str,
    pub(super) threads: usize,
    pub(super) capacity: usize,
}

pub(super) struct Workers<J> {
    queue: Arc<Queue<J>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Each resolves when its thread has closed its connection.
    gone: Vec<Shared<oneshot::Receiver<()>>>,
}

impl<J: Send + 'static> Workers<J> {
    /// Starts the threads, and waits until each has opened its connection.
    pub(super) async fn start(
        plan: Plan,
        open: impl Fn() -> Result<Connection, StoreError> + Clone + Send + 'static,
        serve: impl Fn(Connection, &Queue<J>) + Clone + Send + 'static,
    ) -> Result<Self, StoreError> {
        let queue = Arc::new(Queue::new(plan.capacity, plan.threads));
        let mut workers = Self { queue, threads: Mutex::default(), gone: Vec::new() };
        let mut opened = Vec::new();
        for _ in 0..plan.threads {
            opened.push(workers.spawn(plan.name, open.clone(), serve.clone())?);
        }
        for one in opened {
            one.await.map_err(StoreError::unavailable)??;
        }
        Ok(workers)
    }

    fn spawn(
        &mut self,
        name: &str,
        open: impl FnOnce() -> Result<Connection, StoreError> + Send + 'static,
        serve: impl FnOnce(Connection, &Queue<J>) + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<(), StoreError>>, StoreError> {
        let (opening, opened) = oneshot::channel();
        let (leaving, left) = oneshot::channel::<()>();
        let queue = Arc::clone(&self.queue);
        let body = move || {
            // Dropped last to first, also by a panic: the queue is left, then
            // whoever waits for the end is told.
            let _leaving = leaving;
            let place = Place(&queue);
            let connection = match open() {
                Ok(connection) => connection,
                Err(error) => {
                    drop(opening.send(Err(error)));
                    return;
                }
            };
            // A caller who stopped waiting closes the queue, too.
            if opening.send(Ok(())).is_ok() {
                serve(connection, place.0);
            }
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(body).map_err(StoreError::unavailable)?;
        self.threads.get_mut().unwrap_or_else(PoisonError::into_inner).push(thread);
        self.gone.push(left.shared());
        Ok(opened)
    }

    pub(super) fn push(&self, job: J) -> Result<(), StoreError> {
        self.queue.push(job)
    }
}

impl<J> Workers<J> {
    /// Serves what waits, then ends the threads.
    pub(super) async fn close(&self) {
        self.queue.close();
        join_all(self.gone.iter().cloned()).await;
        self.join();
    }

    fn join(&self) {
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let me = thread::current().id();
        for thread in threads.into_iter().filter(|thread| thread.thread().id() != me) {
            // Its panic, if it had one, has told every caller already.
            drop(thread.join());
        }
    }
}

impl<J> Drop for Workers<J> {
    fn drop(&mut self) {
        self.queue.close();
        self.join();
    }
}

/// A thread's place at its queue.
struct Place<'a, J>(&'a Queue<J>);

impl<J> Drop for Place<'_, J> {
    fn drop(&mut self) {
        self.0.leave();
    }
}
