//! What a homeserver was not told when it happened, it is told later.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use oauth_core::{
    engine::{
        fault::Fault,
        matrix::{DeviceSession, Homeserver, NewDevice, SessionState},
    },
    matrix::DeviceId,
    server::AuthorizationServer,
    token::GrantId,
};

/// Takes away at a homeserver the devices whose sessions have ended without its being told: while
/// nothing ran that tells it ([`forget_devices`](super::forget_devices)), while it was away for long, or
/// by time alone, which nobody revokes.
///
/// It goes by what the store says of a user now, and remembers what it has told and which sessions it
/// has seen, so that a second look at a user tells only what is new: about a hundred bytes for each
/// session. It deletes devices by name, none that lives or that a sign-in under way may have
/// made, and never uses [`Homeserver::sync`].
///
/// Look at every user when the program starts, and from time to time:
///
/// ```
/// # use std::time::Duration;
/// use oauth_core::server::AuthorizationServer;
/// use oauth_tower::matrix::{CatchUp, RemoteHomeserver};
///
/// async fn catch_up(server: AuthorizationServer, homeserver: RemoteHomeserver, users: Vec<String>) {
///     let mut catch_up = CatchUp::new(server.clone(), homeserver);
///     loop {
///         for user in &users {
///             // What is left is done the next time.
///             if let Err(fault) = catch_up.user(user).await {
///                 server.report(&fault);
///             }
///         }
///         tokio::time::sleep(Duration::from_secs(3600)).await;
///     }
/// }
/// ```
///
/// What it cannot know is what no store knows any more: a grant is swept when its time is over. It
/// is told of nevertheless if [`CatchUp::see`] or [`CatchUp::user`] has seen its session in this process
/// before. What stays is a session whose whole life falls between two looks, and one whose time
/// ends while no process runs, if [`maintain`](AuthorizationServer::maintain) runs before the first
/// look.
pub struct CatchUp<H> {
    server: AuthorizationServer,
    homeserver: H,
    /// By user.
    known: HashMap<String, HashMap<GrantId, Known>>,
}

/// How many devices of a user a homeserver may refuse in one call: then it is taken to be away.
const MOST_REFUSED: usize = 8;

/// A session that was seen.
struct Known {
    device: DeviceId,
    /// That it has ended.
    told: bool,
    /// That the homeserver did not want to hear it.
    refused: bool,
}

impl<H: Homeserver> CatchUp<H> {
    /// One that knows nothing yet.
    #[must_use]
    pub fn new(server: AuthorizationServer, homeserver: H) -> Self {
        Self { server, homeserver, known: HashMap::new() }
    }

    /// Remembers the sessions of `subject`, so that their devices are taken away by a later
    /// [`CatchUp::user`] also if the store has swept them meanwhile. For the start of a program, before
    /// anything is swept; it asks no homeserver.
    ///
    /// # Errors
    /// [`Fault`] if the store fails.
    pub async fn see(&mut self, subject: &str) -> Result<(), Fault> {
        self.look(subject).await.map(drop)
    }

    /// Deletes the devices of `subject` whose sessions have ended, but for those of which this has been
    /// told before. Returns how many.
    ///
    /// # Errors
    /// [`Fault`] if the store or the homeserver fails, of several the first. One device that the homeserver
    /// will not delete keeps no other from being deleted; after a few of them the rest is left. What is
    /// left is done by the next call.
    pub async fn user(&mut self, subject: &str) -> Result<usize, Fault> {
        let Some(user) = self.server.matrix_user(subject) else { return Ok(0) };
        let (mut deleted, mut refused, mut first) = (0, HashSet::new(), None);
        let mut sessions = self.look(subject).await?;
        while let Some(device) = self.ended(subject, &sessions, &refused) {
            if let Err(fault) = self.homeserver.delete(&user, &device).await {
                first.get_or_insert(fault);
                self.of(subject, &device).for_each(|it| it.refused = true);
                refused.insert(device);
                if refused.len() >= MOST_REFUSED {
                    break;
                }
                continue;
            }
            self.of(subject, &device).for_each(|it| it.told = true);
            deleted += 1;
            sessions = self.look(subject).await?;
            // It has signed in again at this very moment, and what was deleted was the new one.
            if keeps(&sessions, &device) {
                self.homeserver.upsert(NewDevice::new(&user, &device)).await?;
            }
        }
        first.map_or(Ok(deleted), Err)
    }

    /// The sessions as they are now; what is known follows.
    async fn look(&mut self, subject: &str) -> Result<Vec<DeviceSession>, Fault> {
        let sessions = self.server.device_sessions_of(subject).await?;
        let known = self.known.entry(subject.to_owned()).or_default();
        for session in sessions.iter().filter(|session| session.state != SessionState::Begins) {
            let new = || Known { device: session.device.clone(), told: false, refused: false };
            known.entry(session.grant).or_insert_with(new).told &= session.state == SessionState::Ended;
        }
        let there: HashSet<GrantId> = sessions.iter().map(|session| session.grant).collect();
        let lives = |session: &&DeviceSession| session.state == SessionState::Lives;
        let living: HashSet<&DeviceId> = sessions.iter().filter(lives).map(|session| &session.device).collect();
        // What was swept counts until it is told, or its device has another session to go by.
        known.retain(|grant, it| there.contains(grant) || !it.told && !living.contains(&it.device));
        if known.is_empty() {
            self.known.remove(subject);
        }
        Ok(sessions)
    }

    /// A device that is to be told of, and was not `refused` now; those that ever were come last, so that
    /// they are not all that is ever tried.
    fn ended(&self, subject: &str, sessions: &[DeviceSession], refused: &HashSet<DeviceId>) -> Option<DeviceId> {
        let untold = self.known.get(subject)?.values().filter(|it| !it.told && !refused.contains(&it.device));
        let next = untold.filter(|it| !keeps(sessions, &it.device)).min_by_key(|it| it.refused);
        next.map(|it| it.device.clone())
    }

    /// The sessions of that device.
    fn of(&mut self, subject: &str, device: &DeviceId) -> impl Iterator<Item = &mut Known> {
        let known = self.known.get_mut(subject).into_iter().flat_map(HashMap::values_mut);
        known.filter(move |it| it.device == *device)
    }
}

/// Whether a session needs the device.
fn keeps(sessions: &[DeviceSession], device: &DeviceId) -> bool {
    sessions.iter().any(|session| session.state != SessionState::Ended && session.device == *device)
}

impl<H> fmt::Debug for CatchUp<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CatchUp").field("users", &self.known.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use oauth_core::{
        client::Client,
        clock::{ManualClock, UnixTime},
        engine::policy::HostFuture,
        matrix::UserId,
        profile::Matrix,
        secret::Digest,
        store::{Code, Grant},
    };

    use super::{
        super::stand_in::{AWAY, Home, KEEPS_ALL_BUT_D2, KEEPS_D2, session},
        *,
    };

    const NOW: UnixTime = UnixTime(1_800_000_000);
    /// Longer than anything is waited for that ends by time.
    const LONG: u64 = 8 * 86_400;

    struct World {
        server: AuthorizationServer,
        clock: ManualClock,
        home: Home,
    }

    /// Where alice has these sessions, and nobody tells anything by itself.
    async fn world(grants: impl IntoIterator<Item = Grant>) -> World {
        let (clock, home) = (ManualClock::new(NOW), Home::default());
        let builder = AuthorizationServer::builder("https://as.example").profile(Matrix::new("example.org"));
        let element = Client::builder("element").redirect_uri("https://element.example/").build().unwrap();
        let server = builder.client(element).clock(clock.clone()).build().await.unwrap();
        let w = World { server, clock, home };
        w.insert(grants).await;
        w
    }

    impl World {
        async fn insert(&self, grants: impl IntoIterator<Item = Grant>) {
            for grant in grants {
                self.server.store().insert_grant(grant, None).await.unwrap();
            }
        }

        fn catch_up(&self) -> CatchUp<Home> {
            CatchUp::new(self.server.clone(), self.home.clone())
        }

        async fn end(&self, id: u8) {
            self.server.revoke_grant(GrantId::from_bytes([id; 16])).await.unwrap();
        }
    }

    fn begins(id: u8, number: u8, now: UnixTime) -> Grant {
        let code = Code {
            digest: Digest::of(&[&[id]]),
            redirect_uri: "https://element.example/".to_owned(),
            redirect_uri_required: true,
            challenge: None,
            expires_at: now.saturating_add(60),
            redeemed_at: None,
        };
        Grant { code: Some(code), refresh: None, ..session(id, number, now) }
    }

    fn brief(grant: Grant) -> Grant {
        Grant { expires_at: NOW.saturating_add(3600), ..grant }
    }

    const D1: &str = "@alice:example.org D1";
    const D2: &str = "@alice:example.org D2";
    const D3: &str = "@alice:example.org D3";

    #[tokio::test]
    async fn what_ended_while_nothing_ran_is_told_once() {
        let w = world((1..=3).map(|number| session(number, number, NOW))).await;
        w.end(1).await;
        w.end(3).await;
        let mut catch_up = w.catch_up();
        assert_eq!(catch_up.user("alice").await.unwrap(), 2);
        assert_eq!(w.home.deleted(), [D1, D3]);
        assert_eq!(catch_up.user("alice").await.unwrap(), 0);
        w.end(2).await;
        assert_eq!(catch_up.user("alice").await.unwrap(), 1);
        assert_eq!(w.home.deleted(), [D1, D2, D3]);
        assert_eq!(catch_up.user("bob").await.unwrap(), 0);
        // Another process does not know what this one has told.
        assert_eq!(w.catch_up().user("alice").await.unwrap(), 3);
    }

    #[tokio::test]
    async fn a_session_that_nobody_used_for_too_long_is_told() {
        let w = world([session(1, 1, NOW)]).await;
        let mut catch_up = w.catch_up();
        assert_eq!(catch_up.user("alice").await.unwrap(), 0);
        w.clock.advance(LONG);
        w.insert([session(2, 2, NOW.saturating_add(LONG))]).await;
        assert_eq!(catch_up.user("alice").await.unwrap(), 1);
        assert_eq!(w.home.deleted(), [D1]);
    }

    #[tokio::test]
    async fn a_session_whose_time_is_over_is_told_though_the_store_has_forgotten_it() {
        for seen_only in [true, false] {
            let w = world([brief(session(1, 1, NOW)), session(2, 2, NOW)]).await;
            let mut catch_up = w.catch_up();
            match seen_only {
                true => catch_up.see("alice").await.unwrap(),
                false => assert_eq!(catch_up.user("alice").await.unwrap(), 0),
            }
            w.clock.advance(3600);
            assert_eq!(w.server.maintain().await.unwrap(), 1);
            // Also if that fails at first.
            w.home.is(AWAY);
            catch_up.user("alice").await.unwrap_err();
            w.home.is(0);
            assert_eq!(catch_up.user("alice").await.unwrap(), 1);
            assert_eq!(catch_up.user("alice").await.unwrap(), 0);
            assert_eq!(w.home.deleted(), [D1]);
        }
    }

    #[tokio::test]
    async fn what_is_swept_and_told_is_not_remembered() {
        let w = world([brief(session(1, 1, NOW)), brief(session(2, 2, NOW))]).await;
        let mut catch_up = w.catch_up();
        w.end(1).await;
        assert_eq!(catch_up.user("alice").await.unwrap(), 1);
        w.clock.advance(3600);
        w.server.maintain().await.unwrap();
        // The first has been told; and the second is signed in once more.
        w.insert([session(3, 2, NOW)]).await;
        assert_eq!(catch_up.user("alice").await.unwrap(), 0);
        assert_eq!(catch_up.known["alice"].len(), 1);
        w.end(3).await;
        assert_eq!(catch_up.user("alice").await.unwrap(), 1);
        w.clock.advance(1 << 30);
        w.server.maintain().await.unwrap();
        catch_up.see("alice").await.unwrap();
        assert!(catch_up.known.is_empty());
    }

    #[tokio::test]
    async fn a_sign_in_under_way_is_left_alone_and_what_ended_is_told_if_nothing_comes_of_it() {
        let w = world([session(1, 1, NOW), begins(2, 1, NOW)]).await;
        w.end(1).await;
        let mut catch_up = w.catch_up();
        assert_eq!(catch_up.user("alice").await.unwrap(), 0);
        // Its code may be being redeemed.
        w.clock.advance(61);
        assert_eq!(catch_up.user("alice").await.unwrap(), 0);
        w.clock.advance(600);
        assert_eq!(catch_up.user("alice").await.unwrap(), 1);
        assert_eq!(w.home.deleted(), [D1]);
    }

    #[tokio::test]
    async fn a_device_that_signed_in_again_is_left_alone_until_that_ends() {
        let w = world([session(1, 1, NOW), session(2, 1, NOW)]).await;
        w.end(1).await;
        let mut catch_up = w.catch_up();
        assert_eq!(catch_up.user("alice").await.unwrap(), 0);
        assert_eq!(w.home.deleted(), [""; 0]);
        w.end(2).await;
        assert_eq!(catch_up.user("alice").await.unwrap(), 1);
        // And once more: it has been told of this device before.
        w.insert([session(3, 1, NOW)]).await;
        assert_eq!(catch_up.user("alice").await.unwrap(), 0);
        w.end(3).await;
        assert_eq!(catch_up.user("alice").await.unwrap(), 1);
        assert_eq!(w.home.deleted(), [D1, D1]);
    }

    #[tokio::test]
    async fn a_fault_in_the_middle_loses_nothing_and_repeats_nothing() {
        let w = world((1..=3).map(|number| session(number, number, NOW))).await;
        for id in 1..=3 {
            w.end(id).await;
        }
        let mut catch_up = w.catch_up();
        w.home.is(KEEPS_D2);
        catch_up.user("alice").await.unwrap_err();
        // One that is refused is in no other's way.
        assert_eq!(w.home.deleted(), [D1, D3]);
        w.home.is(0);
        assert_eq!(catch_up.user("alice").await.unwrap(), 1);
        assert_eq!(w.home.deleted(), [D1, D2, D3]);
    }

    #[tokio::test]
    async fn a_homeserver_that_refuses_all_is_soon_left_alone_and_what_it_would_take_has_its_turn() {
        let w = world((1..=100).map(|number| session(number, number, NOW))).await;
        for id in 1..=100 {
            w.end(id).await;
        }
        let mut catch_up = w.catch_up();
        w.home.is(AWAY);
        catch_up.user("alice").await.unwrap_err();
        assert_eq!(w.home.refused(), MOST_REFUSED);
        w.home.is(KEEPS_ALL_BUT_D2);
        for _ in 0..100 / MOST_REFUSED + 1 {
            catch_up.user("alice").await.unwrap_err();
        }
        assert_eq!(w.home.deleted(), [D2]);
    }

    /// At which somebody signs in on `D1`, and has tokens, while it deletes a device.
    #[derive(Clone, Debug)]
    struct Slow(Home, AuthorizationServer);

    impl Homeserver for Slow {
        fn upsert<'a>(&'a self, device: NewDevice<'a>) -> HostFuture<'a, ()> {
            self.0.upsert(device)
        }

        fn delete<'a>(&'a self, user: &'a UserId, device: &'a DeviceId) -> HostFuture<'a, ()> {
            Box::pin(async move {
                // The second time it is there already.
                drop(self.1.store().insert_grant(session(9, 1, NOW), None).await);
                self.0.delete(user, device).await
            })
        }

        fn sync<'a>(&'a self, user: &'a UserId, devices: &'a [DeviceId]) -> HostFuture<'a, ()> {
            self.0.sync(user, devices)
        }
    }

    #[tokio::test]
    async fn who_signs_in_at_the_very_moment_has_a_device() {
        // On that device itself,
        let w = world([session(1, 1, NOW)]).await;
        w.end(1).await;
        let mut catch_up = CatchUp::new(w.server.clone(), Slow(w.home.clone(), w.server.clone()));
        assert_eq!(catch_up.user("alice").await.unwrap(), 1);
        assert_eq!(w.home.made(), [D1]);
        // or while another one is being deleted: whichever is the first, the other time `D1` is left alone.
        let w = world([session(1, 1, NOW), session(2, 2, NOW), session(3, 3, NOW)]).await;
        for id in 1..=3 {
            w.end(id).await;
        }
        let mut catch_up = CatchUp::new(w.server.clone(), Slow(w.home.clone(), w.server.clone()));
        catch_up.user("alice").await.unwrap();
        let deleted = w.home.deleted();
        assert!(deleted.ends_with(&[D2.to_owned(), D3.to_owned()]), "{deleted:?}");
        assert_eq!(w.home.made().len(), usize::from(deleted.len() == 3), "{deleted:?}");
    }
}
