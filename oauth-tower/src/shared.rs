//! [`Shared`]: a future that many wait for, and that any of them drives.
//!
//! A waiter may be dropped at any moment, also right after it was woken. So
//! whoever is woken must not be the only one: a wake goes to all, and one that
//! comes while somebody polls goes to all again once that is over. (The type of
//! that name in `futures-util` forgets the latter: rust-lang/futures-rs#2706.
//! There, a client that goes away at the wrong moment leaves all others waiting
//! for the timeout.)

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Wake, Waker},
};

use futures_util::future::BoxFuture;

/// A handle on a future that clones share. If all are dropped, so is the future.
pub(crate) struct Shared<T> {
    inner: Arc<Inner<T>>,
    /// Under which number its waker stands.
    number: Option<u64>,
}

/// A handle that keeps nothing alive.
pub(crate) struct WeakShared<T>(Weak<Inner<T>>);

struct Inner<T> {
    work: Mutex<Work<T>>,
    /// Apart from the work: the future holds on to its waker.
    waiters: Arc<Waiters>,
}

enum Work<T> {
    Idle(BoxFuture<'static, T>),
    Polling,
    Done(T),
}

#[derive(Default)]
struct Waiters(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    wakers: HashMap<u64, Waker>,
    next: u64,
    is_polled: bool,
    /// There was a wake while somebody polled.
    was_woken: bool,
}

impl<T> Shared<T> {
    pub(crate) fn new(future: BoxFuture<'static, T>) -> Self {
        Self { inner: Arc::new(Inner { work: Mutex::new(Work::Idle(future)), waiters: Arc::default() }), number: None }
    }

    pub(crate) fn downgrade(&self) -> WeakShared<T> {
        WeakShared(Arc::downgrade(&self.inner))
    }

    /// How many handles there are.
    pub(crate) fn handles(&self) -> usize {
        Arc::strong_count(&self.inner)
    }
}

impl<T> WeakShared<T> {
    /// A handle, if there is one left.
    pub(crate) fn upgrade(&self) -> Option<Shared<T>> {
        self.0.upgrade().map(|inner| Shared { inner, number: None })
    }
}

impl<T: Clone> Future for Shared<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let this = &mut *self;
        // Before the work is looked at: whatever comes to pass from here on
        // wakes this waiter.
        this.number = Some(this.inner.waiters.register(this.number, cx.waker()));
        let Some(turn) = this.inner.turn() else { return Poll::Pending };
        match turn {
            Turn::Done(output) => Poll::Ready(output),
            Turn::Poll(turn) => turn.poll(),
        }
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), number: None }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            // Dropped outside of the lock: a waker can be anything.
            let waker = self.inner.waiters.lock().wakers.remove(&number);
            drop(waker);
        }
    }
}

/// What is to be done with the future.
enum Turn<'a, T> {
    Done(T),
    Poll(Polling<'a, T>),
}

/// The future, on loan. It is given back however polling it ends.
struct Polling<'a, T> {
    inner: &'a Inner<T>,
    future: Option<BoxFuture<'static, T>>,
    output: Option<T>,
    /// Polling came to its end, and there is nothing yet.
    is_pending: bool,
}

impl<T: Clone> Inner<T> {
    /// `None` while somebody else polls.
    fn turn(&self) -> Option<Turn<'_, T>> {
        let mut work = lock(&self.work);
        match mem::replace(&mut *work, Work::Polling) {
            Work::Idle(future) => {
                self.waiters.lock().is_polled = true;
                Some(Turn::Poll(Polling { inner: self, future: Some(future), output: None, is_pending: false }))
            }
            Work::Polling => None,
            Work::Done(output) => {
                *work = Work::Done(output.clone());
                Some(Turn::Done(output))
            }
        }
    }
}

impl<T: Clone> Polling<'_, T> {
    fn poll(mut self) -> Poll<T> {
        let Some(future) = &mut self.future else { return Poll::Pending };
        let waker = Waker::from(Arc::clone(&self.inner.waiters));
        let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) else {
            self.is_pending = true;
            return Poll::Pending;
        };
        // What it held goes before anybody hears of the end.
        self.future = None;
        self.output = Some(output.clone());
        Poll::Ready(output)
    }
}

impl<T> Drop for Polling<'_, T> {
    fn drop(&mut self) {
        let mut work = lock(&self.inner.work);
        if let Some(output) = self.output.take() {
            *work = Work::Done(output);
        } else if let Some(future) = self.future.take() {
            *work = Work::Idle(future);
        }
        // In one step with the above: the next turn begins with a clean slate.
        let wakers = self.inner.waiters.polled(self.is_pending);
        drop(work);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Waiters {
    fn register(&self, number: Option<u64>, waker: &Waker) -> u64 {
        let mut waiting = self.lock();
        let number = number.unwrap_or_else(|| {
            waiting.next += 1;
            waiting.next
        });
        let old = waiting.wakers.insert(number, waker.clone());
        drop(waiting);
        drop(old);
        number
    }

    /// Polling is over. Whoever was turned away meanwhile hears of it if there
    /// is something to do.
    fn polled(&self, is_pending: bool) -> Vec<Waker> {
        let mut waiting = self.lock();
        waiting.is_polled = false;
        let is_quiet = !mem::take(&mut waiting.was_woken) && is_pending;
        if is_quiet { Vec::new() } else { waiting.take() }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        lock(&self.0)
    }
}

impl Waiting {
    fn take(&mut self) -> Vec<Waker> {
        mem::take(&mut self.wakers).into_values().collect()
    }
}

impl Wake for Waiters {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut waiting = self.lock();
        if waiting.is_polled {
            waiting.was_woken = true;
            return;
        }
        let wakers = waiting.take();
        drop(waiting);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl<T> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared(..)")
    }
}

impl<T> fmt::Debug for WeakShared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakShared(..)")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
