//! A store that fails at a chosen step, to see what becomes of those who rely on it.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    every_verb,
    store::{Store, StoreError, StoreFuture},
};

/// A store around another, one of whose calls can be made to fail with
/// [`StoreError::Unavailable`]: without having done anything, or after having
/// done it all. Clones share it.
///
/// What ever a program does with its store, it must be right with a failure at
/// every single call of it. So count the calls of a run without a failure, and
/// then let each fail in turn:
///
/// ```
/// use oauth_core::{
///     clock::UnixTime,
///     secret::Digest,
///     store::{StoreError, Uses, conformance::{Faulty, When}, memory::MemoryStore},
/// };
///
/// async fn program(store: &dyn Uses) -> Result<(), StoreError> {
///     let (digest, until) = (Digest::of(&[b"once"]), UnixTime(60));
///     store.first_use(digest, until, UnixTime(0)).await?;
///     store.first_use(digest, until, UnixTime(1)).await.map(drop)
/// }
///
/// # futures_util::FutureExt::now_or_never(async {
/// let store = Faulty::new(MemoryStore::default());
/// program(&store).await?;
/// assert_eq!(store.calls(), ["first_use", "first_use"]);
/// for when in [When::Before, When::After] {
///     for call in 0..2 {
///         let store = Faulty::new(MemoryStore::default());
///         store.fail(when, call);
///         assert!(program(&store).await.is_err());
///         // One failure is all: the next run has its way.
///         assert!(program(&store).await.is_ok());
///     }
/// }
/// # Ok::<_, StoreError>(()) }).unwrap().unwrap();
/// ```
#[derive(Clone)]
pub struct Faulty<S> {
    inner: S,
    plan: Arc<Mutex<Plan>>,
}

/// When a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is nothing else: a step is not half done")]
pub enum When {
    /// Before it has had any effect: the connection was lost on the way there.
    Before,
    /// When all of it is done: the connection was lost on the way back.
    After,
}

#[derive(Default)]
struct Plan {
    /// The verbs that were called.
    calls: Vec<&'static str>,
    /// Which call fails.
    fault: Option<(usize, When)>,
    /// Whether all that follow it fail too.
    down: bool,
}

impl<S: Store> Faulty<S> {
    /// Around `inner`, with no failure.
    pub fn new(inner: S) -> Self {
        Self { inner, plan: Arc::default() }
    }

    /// Lets one call fail: the next one if `after` is 0, and then as many
    /// calls later. Forgets any other plan, and the calls so far.
    pub fn fail(&self, when: When, after: usize) {
        *self.plan() = Plan { fault: Some((after, when)), ..Plan::default() };
    }

    /// Lets that call fail, and whatever is called later too, without effect,
    /// until [`Faulty::recover`].
    pub fn go_down(&self, when: When, after: usize) {
        *self.plan() = Plan { fault: Some((after, when)), down: true, ..Plan::default() };
    }

    /// Lets every call have its way again, and forgets the calls so far.
    pub fn recover(&self) {
        *self.plan() = Plan::default();
    }

    /// The names of the verbs that were called since the last plan was made,
    /// those that failed included.
    #[must_use]
    pub fn calls(&self) -> Vec<&'static str> {
        self.plan().calls.clone()
    }

    /// The verb that was made to fail, if it has been called.
    #[must_use]
    pub fn failed(&self) -> Option<&'static str> {
        let plan = self.plan();
        plan.fault.and_then(|(call, _)| plan.calls.get(call).copied())
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the call that now begins is to fail.
    fn enter(&self, verb: &'static str) -> Option<When> {
        let mut plan = self.plan();
        let number = plan.calls.len();
        plan.calls.push(verb);
        let (call, when) = plan.fault?;
        match number {
            _ if number == call => Some(when),
            _ if number > call && plan.down => Some(When::Before),
            _ => None,
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Faulty<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Faulty").field(&self.inner).finish()
    }
}

macro_rules! faulty {
    ($($of:path { $($verb:ident($($argument:ident: $type:ty),*) -> $out:ty;)* })*) => { $(
        impl<S: Store> $of for Faulty<S> { $(
            fn $verb(&self, $($argument: $type),*) -> StoreFuture<'_, $out> {
                Box::pin(async move {
                    let lost = || StoreError::unavailable(concat!(stringify!($verb), " was made to fail"));
                    match self.enter(stringify!($verb)) {
                        None => self.inner.$verb($($argument),*).await,
                        Some(When::Before) => Err(lost()),
                        Some(When::After) => {
                            self.inner.$verb($($argument),*).await?;
                            Err(lost())
                        }
                    }
                })
            }
        )* }
    )* };
}

every_verb!(faulty);
