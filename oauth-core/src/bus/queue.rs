//! A queue that one reader empties, and that nobody ever waits to fill: when it
//! is full, all that is in it becomes "something was lost".

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

pub(crate) struct Queue<T> {
    most: usize,
    state: Mutex<State<T>>,
}

/// What was in the queue.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken<T> {
    /// The oldest ones; never none.
    Items(Vec<T>),
    /// There was too much.
    Overflow,
    /// Nothing is left, and nothing will come.
    Closed,
}

struct State<T> {
    items: VecDeque<T>,
    overflowed: bool,
    closed: bool,
    reader: Option<Waker>,
}

impl<T> Queue<T> {
    pub(crate) const fn new(most: usize) -> Self {
        let state = State { items: VecDeque::new(), overflowed: false, closed: false, reader: None };
        Self { most, state: Mutex::new(state) }
    }

    pub(crate) fn push(&self, item: T) {
        let mut state = self.lock();
        if !state.overflowed && state.items.len() >= self.most {
            state.overflowed = true;
            state.items = VecDeque::new();
        }
        // What is lost already stands for all that follows.
        if !state.overflowed {
            state.items.push_back(item);
        }
        wake(state);
    }

    /// Nothing more will come.
    #[cfg_attr(
        not(any(feature = "server", feature = "testing", test)),
        expect(dead_code, reason = "only nodes need it")
    )]
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        wake(state);
    }

    #[cfg_attr(not(feature = "server"), expect(dead_code, reason = "only nodes need it"))]
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Waits until there is something, and takes up to `count` of it.
    pub(crate) async fn take(&self, count: usize) -> Taken<T> {
        poll_fn(|context| self.poll_take(count, context)).await
    }

    fn poll_take(&self, count: usize, context: &Context<'_>) -> Poll<Taken<T>> {
        let mut state = self.lock();
        if std::mem::take(&mut state.overflowed) {
            return Poll::Ready(Taken::Overflow);
        }
        if !state.items.is_empty() {
            let count = count.min(state.items.len());
            return Poll::Ready(Taken::Items(state.items.drain(..count).collect()));
        }
        if state.closed {
            return Poll::Ready(Taken::Closed);
        }
        state.reader = Some(context.waker().clone());
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Not under the lock, for the reader may run at once.
fn wake<T>(mut state: MutexGuard<'_, State<T>>) {
    let reader = state.reader.take();
    drop(state);
    if let Some(reader) = reader {
        reader.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_does_not_fit_becomes_one_overflow_and_then_it_goes_on() {
        let queue = Queue::new(3);
        (0..3).for_each(|number| queue.push(number));
        assert_eq!(queue.take(2).await, Taken::Items(vec![0, 1]));
        (3..6).for_each(|number| queue.push(number));
        queue.push(6);
        assert_eq!(queue.take(9).await, Taken::Overflow);
        queue.push(7);
        queue.close();
        assert_eq!(queue.take(9).await, Taken::Items(vec![7]), "what was there before the end is told");
        assert_eq!(queue.take(9).await, Taken::Closed);
    }

    #[tokio::test]
    async fn whoever_waits_is_woken_by_a_push_and_by_the_end() {
        let queue = std::sync::Arc::new(Queue::new(3));
        for closes in [false, true] {
            let reader = std::sync::Arc::clone(&queue);
            let waiting = tokio::spawn(async move { reader.take(1).await });
            tokio::task::yield_now().await;
            if closes {
                queue.close();
            } else {
                queue.push(1);
            }
            let expected = if closes { Taken::Closed } else { Taken::Items(vec![1]) };
            assert_eq!(waiting.await.unwrap(), expected);
        }
    }
}
