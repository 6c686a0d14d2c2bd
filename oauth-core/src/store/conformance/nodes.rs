//! Several handles of one store, as several nodes would have them.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{
    every_verb,
    store::{Store, StoreFuture},
};

/// Several handles of one store that take turns, call by call: what the suite
/// then finds holds across nodes, their reads of each other's writes included.
///
/// ```
/// use oauth_core::store::{conformance::{Nodes, Suite}, memory::MemoryStore};
///
/// # tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?.block_on(async {
/// let nodes = || async {
///     let one = MemoryStore::default();
///     Nodes::new(one.clone(), [one])
/// };
/// Suite::new(nodes, |task| drop(tokio::spawn(task))).run().await;
/// # });
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Nodes<S> {
    first: S,
    others: Vec<S>,
    turn: AtomicUsize,
}

impl<S: Store> Nodes<S> {
    /// All of these, which must be handles of one store.
    pub fn new(first: S, others: impl IntoIterator<Item = S>) -> Self {
        Self { first, others: others.into_iter().collect(), turn: AtomicUsize::new(0) }
    }

    fn next(&self) -> &S {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % (self.others.len() + 1);
        self.others.get(turn).unwrap_or(&self.first)
    }
}

macro_rules! in_turn {
    ($($of:path { $($verb:ident($($argument:ident: $type:ty),*) -> $out:ty;)* })*) => { $(
        impl<S: Store> $of for Nodes<S> { $(
            fn $verb(&self, $($argument: $type),*) -> StoreFuture<'_, $out> {
                self.next().$verb($($argument),*)
            }
        )* }
    )* };
}

every_verb!(in_turn);
