//! A bus within one process.

use std::{
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::Poll,
    time::Duration,
};

use super::{
    Bus, BusError, BusFuture, Heard, Listening, Post, Topic,
    queue::{Queue, Taken},
};

/// A bus within one process, for tests and for programs that hold several
/// servers. Clones share it.
///
/// It never fails. A subscriber that does not keep up hears of a gap once it is
/// 1024 messages behind.
#[derive(Clone, Default)]
pub struct MemoryBus(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    subscribers: Vec<Subscriber>,
    /// For tests alone.
    down: bool,
}

struct Subscriber {
    topics: Vec<Topic>,
    queue: Weak<Queue<Post>>,
}

/// How far behind a subscriber may fall.
const MOST: usize = 1024;

impl MemoryBus {
    /// Ends every subscription, and fails every call until told otherwise.
    #[cfg(any(test, feature = "testing"))]
    #[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
    pub fn set_down(&self, down: bool) {
        let mut state = self.lock();
        state.down = down;
        let ended = std::mem::take(&mut state.subscribers);
        drop(state);
        ended.iter().filter_map(|subscriber| subscriber.queue.upgrade()).for_each(|queue| queue.close());
    }

    fn up(&self) -> Result<MutexGuard<'_, State>, BusError> {
        let state = self.lock();
        if state.down { Err(BusError::new("down for a test")) } else { Ok(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deliver(&self, posts: &[Post]) -> Result<(), BusError> {
        BusError::check(posts)?;
        self.up()?.subscribers.retain(|subscriber| {
            let Some(queue) = subscriber.queue.upgrade() else { return false };
            let heard = posts.iter().filter(|post| subscriber.topics.contains(&post.topic));
            heard.for_each(|post| queue.push(post.clone()));
            true
        });
        Ok(())
    }

    fn subscribe(&self, topics: Vec<Topic>) -> Result<Box<dyn Listening>, BusError> {
        let queue = Arc::new(Queue::new(MOST));
        let mut state = self.up()?;
        state.subscribers.retain(|subscriber| subscriber.queue.strong_count() > 0);
        state.subscribers.push(Subscriber { topics, queue: Arc::downgrade(&queue) });
        Ok(Box::new(queue))
    }
}

impl Bus for MemoryBus {
    fn publish(&self, posts: Vec<Post>) -> BusFuture<'_, Result<(), BusError>> {
        Box::pin(async move { self.deliver(&posts) })
    }

    fn listen(&self, topics: Vec<Topic>) -> BusFuture<'_, Result<Box<dyn Listening>, BusError>> {
        Box::pin(async move { self.subscribe(topics) })
    }

    /// Lets others run, and no more: but for tests, nothing is ever tried again
    /// here.
    fn pause(&self, _time: Duration) -> BusFuture<'_, ()> {
        let mut paused = false;
        Box::pin(poll_fn(move |context| {
            if std::mem::replace(&mut paused, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        }))
    }
}

impl Listening for Arc<Queue<Post>> {
    fn next(&mut self) -> BusFuture<'_, Result<Heard, BusError>> {
        Box::pin(async {
            match self.take(1).await {
                Taken::Items(posts) => Ok(posts.into_iter().next().map_or(Heard::Gap, Heard::Message)),
                Taken::Overflow => Ok(Heard::Gap),
                Taken::Closed => Err(BusError::new("closed")),
            }
        })
    }
}

impl fmt::Debug for MemoryBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryBus(..)")
    }
}
