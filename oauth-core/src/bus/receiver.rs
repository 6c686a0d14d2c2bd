//! A subscription that comes back.

use std::{fmt, sync::Arc, time::Duration};

use super::{Bus, BusError, Heard, Listening, Post, Topic};
use crate::clock::{Random, SystemRandom, random_bytes};

/// A subscription that is made again whenever it is lost, for whoever writes a
/// subscriber of their own.
///
/// ```
/// use oauth_core::bus::{Bus, MemoryBus, News, Notice, Post, Receiver, Topic};
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let (bus, topic) = (MemoryBus::default(), Topic::audience("https://as.example", "https://api.example"));
/// let mut receiver = Receiver::new(bus.clone(), vec![topic]);
/// // Whoever has just begun to listen may have missed anything.
/// assert!(matches!(receiver.next().await, News::Gap));
/// bus.publish(vec![Post { topic, bytes: Notice::All.to_bytes() }]).await?;
/// assert!(matches!(receiver.next().await, News::Message(_)));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct Receiver {
    bus: Arc<dyn Bus>,
    topics: Vec<Topic>,
    listening: Option<Box<dyn Listening>>,
    backoff: Backoff,
    told: bool,
}

/// What a [`Receiver`] has to say.
#[derive(Debug)]
#[non_exhaustive]
pub enum News {
    /// A message.
    Message(Post),
    /// Messages may have been missed: now that it listens for the first time
    /// or again, or because there were too many. Drop all that is remembered.
    Gap,
    /// Nothing is heard at present, and why. A [`News::Gap`] follows once the
    /// bus can be reached. Said once, however many attempts fail.
    Lost(BusError),
}

impl Receiver {
    /// Will listen to `topics` on `bus`, when [`Receiver::next`] is called.
    pub fn new(bus: impl Bus, topics: Vec<Topic>) -> Self {
        let backoff = Backoff::new(Arc::new(SystemRandom));
        Self { bus: Arc::new(bus), topics, listening: None, backoff, told: false }
    }

    /// Takes the randomness of its pauses from here.
    #[must_use]
    pub fn random(mut self, random: Arc<dyn Random>) -> Self {
        self.backoff = Backoff::new(random);
        self
    }

    /// Waits for what comes next. While the bus cannot be reached, it is tried
    /// again after a pause, which grows from half a second to 30 seconds, less
    /// up to half of it by chance.
    pub async fn next(&mut self) -> News {
        loop {
            let Some(listening) = &mut self.listening else {
                match self.attempt().await {
                    Some(news) => return news,
                    None => continue,
                }
            };
            return match listening.next().await {
                Ok(Heard::Message(post)) => News::Message(post),
                Ok(Heard::Gap) => News::Gap,
                Err(error) => {
                    self.listening = None;
                    self.backoff.failed();
                    self.told = true;
                    News::Lost(error)
                }
            };
        }
    }

    async fn attempt(&mut self) -> Option<News> {
        self.backoff.pause(&*self.bus).await;
        match self.bus.listen(self.topics.clone()).await {
            Ok(listening) => {
                self.listening = Some(listening);
                self.backoff.succeeded();
                self.told = false;
                Some(News::Gap)
            }
            Err(error) => {
                self.backoff.failed();
                (!std::mem::replace(&mut self.told, true)).then_some(News::Lost(error))
            }
        }
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("bus", &self.bus).field("topics", &self.topics).finish_non_exhaustive()
    }
}

/// Pauses that grow, and that differ between processes, so that a bus that
/// comes back is not met by all at once.
pub(crate) struct Backoff {
    random: Arc<dyn Random>,
    failures: u32,
}

const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

impl Backoff {
    pub(crate) const fn new(random: Arc<dyn Random>) -> Self {
        Self { random, failures: 0 }
    }

    pub(crate) const fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    pub(crate) const fn succeeded(&mut self) {
        self.failures = 0;
    }

    pub(crate) async fn pause(&self, bus: &dyn Bus) {
        if self.failures > 0 {
            bus.pause(self.time()).await;
        }
    }

    /// Between half of the full time and all of it.
    fn time(&self) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(16);
        let full = SHORTEST.saturating_mul(1 << doublings).min(LONGEST);
        let [dice] = random_bytes(&*self.random).unwrap_or([0]);
        full / 2 + full / 2 * u32::from(dice) / 255
    }
}
