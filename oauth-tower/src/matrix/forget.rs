//! Devices whose sessions have ended are taken away.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use oauth_core::{
    engine::{
        fault::Fault,
        matrix::Homeserver,
        revocations::{RevocationListener, Revoked, Settling},
    },
    matrix::device_of,
    server::AuthorizationServer,
    token::GrantId,
};
use tokio::{
    sync::{
        mpsc::{self, Receiver, Sender},
        oneshot,
    },
    time::{Instant, timeout, timeout_at},
};

/// How many ended sessions may wait to be told of.
const QUEUE: usize = 10_000;

/// How long whoever ends a session waits for the homeserver.
const WAIT: Duration = Duration::from_secs(2);

/// The first pause after a failure; each one after it is twice as long, up to [`LONGEST`].
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(64);

/// How often it is tried: for an hour.
const ATTEMPTS: u32 = 60;

/// How many of the sessions that were told of are remembered: both tokens of a session may be revoked,
/// and buses repeat what was said here.
const REMEMBERED: usize = 256;

/// Tells `homeserver` of every device whose session ends, for as long as it is polled: a future for
/// the host to spawn. Whoever revokes a token, or ends a device on the page for that, is answered
/// once the homeserver has heard of it, or after two seconds, or at once where the last attempt to
/// reach it has failed.
///
/// It is told again for an hour if it cannot be reached. What ends while nobody polls, or while it
/// is away for longer, and what ends by time alone, is not told by this: the tokens are dead all the
/// same, as it hears when it asks about them, and [`CatchUp`](super::CatchUp) takes the devices away.
///
/// A refresh token or a code that is used a second time ends its session too, and whoever did it is
/// answered in the same way.
pub async fn forget_devices(server: AuthorizationServer, homeserver: impl Homeserver) {
    let (queue, heard) = mpsc::channel(QUEUE);
    let ear = Arc::new(Ear { queue, away: AtomicBool::new(false) });
    let listener: Arc<dyn RevocationListener> = Arc::<Ear>::clone(&ear);
    let weak: Weak<dyn RevocationListener> = Arc::downgrade(&listener);
    server.revocations().subscribe(weak);
    let teller = Teller { server, homeserver, ear, later: BTreeMap::new(), told: VecDeque::new(), number: 0 };
    teller.run(heard).await;
}

/// Hears which sessions end.
struct Ear {
    queue: Sender<Heard>,
    /// Whether the homeserver could not be told the last time.
    away: AtomicBool,
}

enum Heard {
    Ended(GrantId),
    /// Somebody waits until all before this is told.
    Waiting(oneshot::Sender<()>),
}

impl RevocationListener for Ear {
    fn revoked(&self, what: &Revoked) {
        if let Revoked::Grant(grant) = what {
            // Beyond the bound, it is for whoever goes through all users.
            let _full = self.queue.try_send(Heard::Ended(*grant));
        }
    }

    fn settled(&self) -> Option<Settling> {
        if self.away.load(Ordering::Relaxed) {
            return None;
        }
        let (done, told) = oneshot::channel();
        self.queue.try_send(Heard::Waiting(done)).ok()?;
        Some(Box::pin(async move {
            let _late = timeout(WAIT, told).await;
        }))
    }
}

/// Tells the homeserver.
struct Teller<H> {
    server: AuthorizationServer,
    homeserver: H,
    ear: Arc<Ear>,
    /// What is tried again: when, and in the order in which it failed.
    later: BTreeMap<(Instant, u64), Again>,
    /// The sessions it was told of last.
    told: VecDeque<GrantId>,
    number: u64,
}

struct Again {
    grant: GrantId,
    attempts: u32,
    pause: Duration,
}

impl<H: Homeserver> Teller<H> {
    async fn run(mut self, mut heard: Receiver<Heard>) {
        loop {
            let due = self.later.first_key_value().map(|((at, _), _)| *at);
            let next = match due {
                Some(at) => timeout_at(at, heard.recv()).await,
                None => Ok(heard.recv().await),
            };
            match next {
                Ok(Some(Heard::Ended(grant))) if self.told.contains(&grant) => {}
                Ok(Some(Heard::Ended(grant))) => self.tell(Again { grant, attempts: 1, pause: PAUSE }).await,
                // Who does not wait any more need not hear it.
                Ok(Some(Heard::Waiting(done))) => drop(done.send(())),
                Ok(None) => return,
                Err(_) => {
                    if let Some((_, again)) = self.later.pop_first() {
                        self.tell(again).await;
                    }
                }
            }
        }
    }

    async fn tell(&mut self, what: Again) {
        match forget(&self.server, &self.homeserver, what.grant).await {
            Ok(told) => {
                if told {
                    self.ear.away.store(false, Ordering::Relaxed);
                }
                self.told.truncate(REMEMBERED - 1);
                self.told.push_front(what.grant);
            }
            Err(fault) => {
                self.ear.away.store(true, Ordering::Relaxed);
                self.server.report(&fault);
                self.put_off(&what);
            }
        }
    }

    fn put_off(&mut self, what: &Again) {
        if what.attempts >= ATTEMPTS || self.later.len() >= QUEUE {
            return;
        }
        self.number += 1;
        let (attempts, pause) = (what.attempts + 1, LONGEST.min(what.pause * 2));
        let again = Again { grant: what.grant, attempts, pause };
        self.later.insert((Instant::now() + what.pause, self.number), again);
    }
}

/// Whether there was something to tell.
async fn forget(server: &AuthorizationServer, homeserver: &impl Homeserver, grant: GrantId) -> Result<bool, Fault> {
    let Some(grant) = server.store().grant(grant).await? else { return Ok(false) };
    let (Some(subject), Ok(Some(device))) = (&grant.facts.subject, device_of(&grant.facts.scope)) else {
        return Ok(false);
    };
    let Some(user) = server.matrix_user(subject) else { return Ok(false) };
    // It may have signed in again.
    if server.devices_of(subject).await?.iter().any(|known| known.id == device) {
        return Ok(false);
    }
    homeserver.delete(&user, &device).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use oauth_core::{
        clock::{Clock, SystemClock},
        profile::Matrix,
    };
    use tokio::time::sleep;

    use super::{
        super::stand_in::{AWAY, HANGS, Home, session},
        *,
    };

    /// A server that tells it, where alice has as many sessions, on devices `D1`, `D2` ...
    async fn telling(home: &Home, sessions: u8) -> (AuthorizationServer, Vec<GrantId>) {
        let builder = AuthorizationServer::builder("https://as.example").profile(Matrix::new("example.org"));
        let server = builder.build().await.unwrap();
        let mut grants = Vec::new();
        for number in 1..=sessions {
            let grant = session(number, number, SystemClock.now());
            grants.push(grant.id);
            server.store().insert_grant(grant, None).await.unwrap();
        }
        tokio::spawn(forget_devices(server.clone(), home.clone()));
        // It listens from here on.
        tokio::task::yield_now().await;
        (server, grants)
    }

    async fn end(server: &AuthorizationServer, grant: GrantId) {
        server.revoke_grant(grant).await.unwrap();
        server.revocations().settled().await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_ends_a_session_waits_until_it_is_told_once() {
        let home = Home::default();
        let (server, grants) = telling(&home, 2).await;
        end(&server, grants[0]).await;
        assert_eq!(home.deleted(), ["@alice:example.org D1"]);
        end(&server, grants[0]).await;
        assert_eq!(home.deleted(), ["@alice:example.org D1"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_homeserver_has_missed_it_hears_when_it_is_back() {
        let home = Home::default();
        let (server, grants) = telling(&home, 3).await;
        home.is(AWAY);
        end(&server, grants[0]).await;
        end(&server, grants[1]).await;
        sleep(Duration::from_secs(3000)).await;
        assert_eq!(home.deleted(), [""; 0]);
        home.is(0);
        sleep(LONGEST).await;
        assert_eq!(home.deleted(), ["@alice:example.org D1", "@alice:example.org D2"]);
        // From now on it is waited for again.
        end(&server, grants[2]).await;
        assert_eq!(home.deleted().len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_homeserver_that_hangs_keeps_nobody_for_long() {
        let home = Home::default();
        let (server, grants) = telling(&home, 1).await;
        home.is(HANGS);
        let begun = Instant::now();
        end(&server, grants[0]).await;
        assert_eq!(begun.elapsed(), WAIT);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_away_is_not_waited_for() {
        let home = Home::default();
        let (server, grants) = telling(&home, 2).await;
        home.is(AWAY);
        end(&server, grants[0]).await;
        home.is(HANGS);
        let begun = Instant::now();
        end(&server, grants[1]).await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
