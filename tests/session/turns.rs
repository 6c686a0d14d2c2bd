//! Two requests at once, in an order that can be repeated: each goes on by one call of the store whenever it is its turn.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard},
    task::Poll,
};

use futures_util::future::{MaybeDone, maybe_done};
use oauth_core::store::{Store, StoreFuture};

/// A store at whose door every call waits for its turn, while two are at once. Clones share it.
#[derive(Clone)]
pub(super) struct Turns<S> {
    inner: S,
    gate: Gate,
}

/// The door.
#[derive(Clone, Default)]
pub(super) struct Gate(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Whether anybody has to wait.
    closed: bool,
    /// Whether somebody has come to the door in this turn.
    reached: bool,
}

impl<S: Store> Turns<S> {
    pub(super) fn new(inner: S, gate: &Gate) -> Self {
        Self { inner, gate: gate.clone() }
    }
}

impl<S: fmt::Debug> fmt::Debug for Turns<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Turns").field(&self.inner).finish()
    }
}

impl Gate {
    /// Waits for the next turn, once.
    pub(super) async fn pass(&self) {
        let mut waited = false;
        poll_fn(|_| {
            let mut state = self.lock();
            if waited || !state.closed {
                return Poll::Ready(());
            }
            (waited, state.reached) = (true, true);
            Poll::Pending
        })
        .await;
    }

    /// Lets both run: the first for so many calls of the store, then the second for so many, and so on. In the end, whose
    /// turn it is goes on until it is done.
    pub(super) async fn both<A: Future, B: Future>(
        &self,
        first: A,
        second: B,
        turns: &[usize],
    ) -> (A::Output, B::Output) {
        let (mut first, mut second) = (pin!(maybe_done(first)), pin!(maybe_done(second)));
        let of = |(number, length): (usize, &usize)| std::iter::repeat_n(number.is_multiple_of(2), *length);
        let last = turns.len().is_multiple_of(2);
        let mut turns = turns.iter().enumerate().flat_map(of).chain(std::iter::repeat(last));
        let mut turn = turns.next().unwrap_or(last);
        self.lock().closed = true;
        poll_fn(|context| {
            loop {
                self.lock().reached = false;
                let firsts = match (is_done(&first), is_done(&second)) {
                    (true, true) => return Poll::Ready(()),
                    (done, other) => !done && (turn || other),
                };
                let polled = if firsts { first.as_mut().poll(context) } else { second.as_mut().poll(context) };
                // It is still its turn while the store works.
                if polled.is_pending() && !self.lock().reached {
                    return Poll::Pending;
                }
                turn = turns.next().unwrap_or(last);
            }
        })
        .await;
        self.lock().closed = false;
        (first.take_output().unwrap(), second.take_output().unwrap())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

fn is_done<F: Future>(one: &MaybeDone<F>) -> bool {
    matches!(one, MaybeDone::Done(_))
}

macro_rules! in_turns {
    ($($trait:path { $($verb:ident($($argument:ident: $type:ty),*) -> $out:ty;)* })*) => { $(
        impl<S: Store> $trait for Turns<S> { $(
            fn $verb(&self, $($argument: $type),*) -> StoreFuture<'_, $out> {
                Box::pin(async move {
                    self.gate.pass().await;
                    self.inner.$verb($($argument),*).await
                })
            }
        )* }
    )* };
}

oauth_core::every_verb!(in_turns);
