//! A bounded queue between tasks and threads: tasks never wait for a place in
//! it, threads sleep while it is empty.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use crate::store::StoreError;

pub(super) struct Queue<J> {
    state: Mutex<State<J>>,
    arrived: Condvar,
    capacity: usize,
}

struct State<J> {
    waiting: VecDeque<J>,
    /// Threads that sleep: nobody pays for waking one that does not.
    asleep: usize,
    /// Threads that serve the queue. A queue that nobody serves is closed.
    serving: usize,
    closed: bool,
}

#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("too many calls are waiting for the database")]
    Full,
    #[error("the database has been closed")]
    Closed,
}

impl<J> Queue<J> {
    /// A queue of `capacity`, for `serving` threads.
    pub(super) fn new(capacity: usize, serving: usize) -> Self {
        let state = State { waiting: VecDeque::new(), asleep: 0, serving, closed: false };
        Self { state: Mutex::new(state), arrived: Condvar::new(), capacity }
    }

    /// Adds `job`, or refuses it at once: a caller that cannot be served soon
    /// is better told so.
    pub(super) fn push(&self, job: J) -> Result<(), StoreError> {
        let mut state = self.lock();
        if state.closed {
            return Err(StoreError::unavailable(Refused::Closed));
        }
        if state.waiting.len() >= self.capacity {
            return Err(StoreError::unavailable(Refused::Full));
        }
        state.waiting.push_back(job);
        if state.asleep > 0 {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// The next job; sleeps until there is one. `None` once the queue is
    /// closed and empty.
    pub(super) fn pop(&self) -> Option<J> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.waiting.pop_front() {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state.asleep += 1;
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.asleep -= 1;
        }
    }

    /// The next job, if one waits.
    pub(super) fn try_pop(&self) -> Option<J> {
        self.lock().waiting.pop_front()
    }

    /// Refuses new jobs from now on; those that wait are still served.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    /// Says that one thread serves the queue no more. When the last has left,
    /// whatever waits is dropped, which tells its callers.
    pub(super) fn leave(&self) {
        let mut state = self.lock();
        state.serving = state.serving.saturating_sub(1);
        if state.serving == 0 {
            state.closed = true;
            let abandoned = std::mem::take(&mut state.waiting);
            // Dropping a job wakes a task: not under the lock.
            drop(state);
            drop(abandoned);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_channel::oneshot;

    use super::*;

    #[test]
    fn what_waits_is_served_after_closing_and_nothing_is_added() {
        let queue = Queue::new(2, 1);
        queue.push(1).unwrap();
        queue.push(2).unwrap();
        assert!(queue.push(3).unwrap_err().to_string().contains("too many"));
        queue.close();
        assert!(queue.push(4).unwrap_err().to_string().contains("closed"));
        assert_eq!((queue.pop(), queue.try_pop(), queue.pop()), (Some(1), Some(2), None));
    }

    #[test]
    fn what_waits_is_dropped_when_the_last_thread_leaves() {
        let queue = Queue::new(2, 2);
        let (job, mut caller) = oneshot::channel::<()>();
        queue.push(job).unwrap();
        queue.leave();
        assert_eq!(caller.try_recv(), Ok(None), "one thread still serves");
        queue.leave();
        assert!(caller.try_recv().is_err());
        assert!(queue.push(oneshot::channel().0).is_err());
    }
}
