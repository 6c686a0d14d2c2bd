//! A store that is watched: it counts calls, fails on demand, loses answers on demand, and lets a
//! test in between two steps of a request.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
};

use oauth_core::store::{Store, StoreError, StoreFuture};

/// Watches an inner store. Clones share everything.
#[derive(Clone)]
pub(crate) struct WatchedStore {
    inner: Arc<dyn Store>,
    watch: Arc<Mutex<Watch>>,
}

type Interlude = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Default)]
struct Watch {
    shown: String,
    calls: usize,
    down: bool,
    lossy: Option<&'static str>,
    interlude: Option<(&'static str, Interlude)>,
}

impl WatchedStore {
    pub(crate) fn new(inner: impl Store) -> Self {
        Self { inner: Arc::new(inner), watch: Arc::default() }
    }

    /// How often any verb was called.
    pub(crate) fn calls(&self) -> usize {
        self.lock().calls
    }

    /// Everything that went in and out, as `Debug` shows it.
    pub(crate) fn shown(&self) -> String {
        self.lock().shown.clone()
    }

    /// From now on every call fails, and does nothing; or works again.
    pub(crate) fn set_down(&self, down: bool) {
        self.lock().down = down;
    }

    /// The next call of `verb` takes effect, but its caller hears that it failed.
    pub(crate) fn lose_the_answer_of(&self, verb: &'static str) {
        self.lock().lossy = Some(verb);
    }

    /// No answer is lost after all.
    pub(crate) fn calm(&self) {
        self.lock().lossy = None;
    }

    /// Lets `interlude` happen when `verb` is called next, before it has any effect.
    pub(crate) fn just_before(&self, verb: &'static str, interlude: impl Future<Output = ()> + Send + 'static) {
        self.lock().interlude = Some((verb, Box::pin(interlude)));
    }

    async fn enter(&self, verb: &'static str, arguments: &str) -> Result<(), StoreError> {
        let interlude = {
            let mut watch = self.lock();
            watch.shown.push_str(arguments);
            watch.calls += 1;
            if watch.down {
                return Err(StoreError::unavailable("out for a test"));
            }
            watch.interlude.take_if(|(awaited, _)| *awaited == verb)
        };
        if let Some((_, interlude)) = interlude {
            interlude.await;
        }
        Ok(())
    }

    fn leave<T: fmt::Debug>(&self, verb: &str, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        self.lock().shown.push_str(&format!("{outcome:?}"));
        match self.lock().lossy.take_if(|lossy| *lossy == verb) {
            Some(_) => Err(StoreError::unavailable("the answer was lost")),
            None => outcome,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap()
    }
}

impl fmt::Debug for WatchedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WatchedStore({:?})", self.inner)
    }
}

macro_rules! watched {
    ($($trait:path { $($verb:ident($($argument:ident: $type:ty),*) -> $out:ty;)* })*) => { $(
        impl $trait for WatchedStore { $(
            fn $verb(&self, $($argument: $type),*) -> StoreFuture<'_, $out> {
                Box::pin(async move {
                    let arguments: &[String] = &[$(format!("{:?} ", $argument)),*];
                    self.enter(stringify!($verb), &arguments.concat()).await?;
                    self.leave(stringify!($verb), self.inner.$verb($($argument),*).await)
                })
            }
        )* }
    )* };
}

oauth_core::every_verb!(watched);
