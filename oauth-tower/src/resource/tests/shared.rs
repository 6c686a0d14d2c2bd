//! A future that many wait for: whoever leaves, the others are woken.

use std::{
    future::{Future, pending, poll_fn},
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll, Wake, Waker},
};

use futures_util::FutureExt;

use super::*;
use crate::shared::Shared;

/// Counts how often it is woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Bell {
    fn rung(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn poll<T: Clone>(waiter: &mut Shared<T>, bell: &Arc<Bell>) -> Poll<T> {
    let waker = Waker::from(Arc::clone(bell));
    Pin::new(waiter).poll(&mut Context::from_waker(&waker))
}

/// A future that waits until its waker is taken out of here and woken.
fn waiting() -> (Shared<u8>, Arc<Mutex<Option<Waker>>>) {
    let slot = Arc::new(Mutex::new(None));
    let inside = Arc::clone(&slot);
    let mut polls = 0;
    let future = poll_fn(move |cx| {
        polls += 1;
        *inside.lock().unwrap() = Some(cx.waker().clone());
        if polls < 3 { Poll::Pending } else { Poll::Ready(7) }
    });
    (Shared::new(future.boxed()), slot)
}

fn wake(slot: &Mutex<Option<Waker>>) {
    slot.lock().unwrap().take().unwrap().wake();
}

#[test]
fn every_waiter_is_woken_and_gets_the_same() {
    let (mut one, slot) = waiting();
    let (mut other, bells) = (one.clone(), [Arc::<Bell>::default(), Arc::default()]);
    assert_eq!(one.handles(), 2);
    assert!(poll(&mut one, &bells[0]).is_pending() && poll(&mut other, &bells[1]).is_pending());
    wake(&slot);
    assert_eq!(bells.each_ref().map(|bell| bell.rung()), [1, 1]);
    // The one that was woken leaves; the other one sees it through.
    drop(one);
    assert_eq!(poll(&mut other, &bells[1]), Poll::Ready(7));
    assert_eq!(other.clone().now_or_never(), Some(7));
    assert!(other.downgrade().upgrade().is_some());
}

#[test]
fn a_wake_that_comes_while_somebody_polls_reaches_those_who_were_turned_away() {
    let (waiter, bells) = (Place::default(), [Arc::<Bell>::default(), Arc::default()]);
    let (inside, turned_away) = (Arc::clone(&waiter), Arc::clone(&bells[1]));
    let mut polls = 0;
    let future = poll_fn(move |cx| {
        polls += 1;
        if polls > 1 {
            return Poll::Ready(7);
        }
        // Woken, and another one looks in meanwhile.
        cx.waker().wake_by_ref();
        let mut other = inside.lock().unwrap().take().unwrap();
        assert!(poll(&mut other, &turned_away).is_pending());
        *inside.lock().unwrap() = Some(other);
        Poll::Pending
    });
    let mut one = Shared::new(future.boxed());
    *waiter.lock().unwrap() = Some(one.clone());
    assert!(poll(&mut one, &bells[0]).is_pending());
    // The one who polled goes away, and with it the wake that it got.
    drop(one);
    assert_eq!(bells[1].rung(), 1, "nobody is left who knows that there is something to do");
    let mut other = waiter.lock().unwrap().take().unwrap();
    assert_eq!(poll(&mut other, &bells[1]), Poll::Ready(7));
}

type Place = Arc<Mutex<Option<Shared<u8>>>>;

/// A future during whose only poll another waiter looks in and is turned away,
/// the place of that one, and its bell.
fn looked_in_on(end: impl Fn() -> Poll<u8> + Send + 'static) -> (Shared<u8>, Place, Arc<Bell>) {
    let (waiter, bell) = (Place::default(), Arc::<Bell>::default());
    let (inside, turned_away) = (Arc::clone(&waiter), Arc::clone(&bell));
    let future = poll_fn(move |_| {
        let waiter = &mut *inside.lock().unwrap();
        assert!(poll(waiter.as_mut().unwrap(), &turned_away).is_pending());
        end()
    });
    let one = Shared::new(future.boxed());
    *waiter.lock().unwrap() = Some(one.clone());
    (one, waiter, bell)
}

#[test]
fn whoever_looks_in_while_it_ends_is_woken() {
    let (one, place, bell) = looked_in_on(|| Poll::Ready(7));
    assert_eq!(one.now_or_never(), Some(7));
    assert_eq!(bell.rung(), 1);
    let other = place.lock().unwrap().take().unwrap();
    assert_eq!(other.now_or_never(), Some(7));
}

#[test]
fn whoever_looks_in_while_it_panics_is_woken() {
    let (one, _place, bell) = looked_in_on(|| panic!("on purpose"));
    let polled = std::panic::catch_unwind(AssertUnwindSafe(|| one.now_or_never()));
    assert!(polled.is_err());
    assert_eq!(bell.rung(), 1);
}

#[test]
fn a_future_that_all_have_left_is_dropped() {
    let held = Arc::new(());
    let inside = Arc::clone(&held);
    let mut waiter = Shared::new(async move { drop((pending::<()>().await, inside)) }.boxed());
    let weak = waiter.downgrade();
    assert!(poll(&mut waiter, &Arc::default()).is_pending());
    drop(waiter);
    assert!(weak.upgrade().is_none());
    assert_eq!(Arc::strong_count(&held), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_wake_is_lost_however_often_somebody_looks_in_and_leaves() {
    for _ in 0..2_000 {
        let one = Shared::new(async { tokio::task::yield_now().await }.boxed());
        let other = one.clone();
        let passing = tokio::spawn(async move { one.now_or_never() });
        let waiting = tokio::spawn(other);
        passing.await.unwrap();
        let limit = tokio::time::timeout(std::time::Duration::from_secs(20), waiting);
        limit.await.expect("it waits for ever").unwrap();
    }
}
