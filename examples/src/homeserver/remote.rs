//! The homeserver that is another process (`synapse = true`).

use std::time::Duration;

use futures_util::future::join;
use oauth_axum_rs::oauth_tower::{
    matrix::{CatchUp, RemoteHomeserver, forget_devices},
    outgoing::HttpClient,
};
use oauth_core::{engine::matrix::Homeserver, server::AuthorizationServer};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use crate::config::{Config, Mistakes};

/// How long to wait after a failure.
const PAUSE: Duration = Duration::from_secs(60);

/// It, if there is one.
///
/// # Errors
/// A mistake under `matrix.homeserver_url`.
pub fn of(config: &Config) -> Result<Option<RemoteHomeserver>, Mistakes> {
    let Some(matrix) = &config.matrix else { return Ok(None) };
    let (Some(url), Some(secret)) = (&matrix.homeserver, &matrix.introspection_secret) else { return Ok(None) };
    let http = HttpClient::builder().build().map_err(|error| Mistakes::one("matrix.homeserver_url", error))?;
    let made = match config.listen.development {
        true => RemoteHomeserver::insecure_loopback(url.as_str(), secret.clone(), http),
        false => RemoteHomeserver::new(url.as_str(), secret.clone(), http),
    };
    made.map(Some).map_err(|error| Mistakes::one("matrix.homeserver_url", error))
}

/// Tells it of devices whose sessions end, for as long as the program runs, and of those that ended
/// without its being told. Call it before anything is swept: it knows the sessions of all users when
/// it returns.
///
/// # Errors
/// As [`of`].
pub async fn spawn(config: &Config, server: &AuthorizationServer) -> Result<Option<JoinHandle<()>>, Mistakes> {
    let (Some(homeserver), Some(matrix)) = (of(config)?, &config.matrix) else { return Ok(None) };
    let forgetting = forget_devices(server.clone(), homeserver.clone());
    let Some(every) = matrix.catch_up else { return Ok(Some(tokio::spawn(forgetting))) };
    let users = matrix.users.names();
    let catch_up = knowing(server, homeserver, &users).await;
    let catching_up = go_through(server.clone(), catch_up, users, every);
    Ok(Some(tokio::spawn(async move {
        join(forgetting, catching_up).await;
    })))
}

/// One that knows the sessions of `users` as they are now.
async fn knowing<H: Homeserver>(server: &AuthorizationServer, homeserver: H, users: &[String]) -> CatchUp<H> {
    let mut catch_up = CatchUp::new(server.clone(), homeserver);
    for user in users {
        if let Err(fault) = catch_up.see(user).await {
            server.report(&fault);
        }
    }
    catch_up
}

/// Looks at all of `users`, and again when `every` has passed since; sooner at those with whom something
/// went wrong.
async fn go_through<H: Homeserver>(
    server: AuthorizationServer,
    mut catch_up: CatchUp<H>,
    users: Vec<String>,
    every: Duration,
) {
    let (mut due, mut left) = (Instant::now(), Vec::new());
    loop {
        let now = Instant::now();
        if now >= due {
            due = now + every;
            left.clone_from(&users);
        }
        left = tell(&server, &mut catch_up, left).await;
        sleep_until(if left.is_empty() { due } else { due.min(Instant::now() + PAUSE) }).await;
    }
}

/// Returns those with whom something went wrong.
async fn tell<H: Homeserver>(
    server: &AuthorizationServer,
    catch_up: &mut CatchUp<H>,
    users: Vec<String>,
) -> Vec<String> {
    let mut left = Vec::new();
    for user in users {
        match catch_up.user(&user).await {
            Ok(0) => {}
            Ok(devices) => tracing::info!(devices, "the homeserver was told of devices that it had missed"),
            Err(fault) => {
                server.report(&fault);
                left.push(user);
            }
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use oauth_axum_rs::matrix::{DeviceId, UserId};
    use oauth_core::{
        authorization_details::AuthorizationDetails,
        clock::{Clock, SystemClock},
        engine::{fault::Fault, matrix::NewDevice, policy::HostFuture},
        profile::Matrix,
        secret::Digest,
        store::{Grant, GrantFacts, Refresh},
        token::GrantId,
    };

    use tokio::time::sleep;

    use super::*;

    /// One that remembers who it was told of, and refuses some. Clones share it.
    #[derive(Clone, Debug, Default)]
    struct Home(Arc<Mutex<(Vec<String>, Vec<&'static str>)>>);

    impl Home {
        fn refuses(&self, users: &[&'static str]) {
            self.0.lock().unwrap().1 = users.to_vec();
        }

        /// What it was told since.
        fn took(&self) -> Vec<String> {
            std::mem::take(&mut self.0.lock().unwrap().0)
        }
    }

    impl Homeserver for Home {
        fn upsert<'a>(&'a self, _: NewDevice<'a>) -> HostFuture<'a, ()> {
            Box::pin(async { Ok(()) })
        }

        fn delete<'a>(&'a self, user: &'a UserId, _: &'a DeviceId) -> HostFuture<'a, ()> {
            let mut inner = self.0.lock().unwrap();
            let refused = inner.1.contains(&user.localpart());
            inner.0.push(format!("{}{}", user.localpart(), if refused { "?" } else { "" }));
            Box::pin(async move { if refused { Err(Fault::Host("it is away".into())) } else { Ok(()) } })
        }

        fn sync<'a>(&'a self, _: &'a UserId, _: &'a [DeviceId]) -> HostFuture<'a, ()> {
            Box::pin(async { Ok(()) })
        }
    }

    /// A session of `user` that was revoked.
    async fn end_one(server: &AuthorizationServer, user: &str) {
        insert(server, user, 86_400).await;
    }

    /// The same, whose grant is over after as many seconds.
    async fn insert(server: &AuthorizationServer, user: &str, seconds: u64) {
        let now = SystemClock.now();
        let facts = GrantFacts {
            client: "element".parse().unwrap(),
            subject: Some(user.to_owned()),
            scope: "urn:matrix:client:api:* urn:matrix:client:device:D".parse().unwrap(),
            resources: Vec::new(),
            auth_time: None,
            acr: None,
            authorization_details: AuthorizationDetails::default(),
            dpop_jkt: None,
        };
        let refresh = Some(Refresh { digest: Digest::of(&[b"x"]), generation: 0, used_at: now, retry: None });
        let id = GrantId::generate(&oauth_core::clock::SystemRandom).unwrap();
        let (expires_at, revoked_at) = (now.saturating_add(seconds), Some(now));
        let grant = Grant { id, facts, created_at: now, expires_at, revoked_at, code: None, refresh };
        server.store().insert_grant(grant, None).await.unwrap();
    }

    const EVERY: Duration = Duration::from_secs(86_400);

    /// One that goes through ann, bob and cyd, who have ended a session each.
    async fn telling(home: &Home) -> AuthorizationServer {
        let builder = AuthorizationServer::builder("https://as.example").profile(Matrix::new("example.org"));
        let server = builder.build().await.unwrap();
        let users = ["ann", "bob", "cyd"].map(str::to_owned);
        for user in &users {
            end_one(&server, user).await;
        }
        let catch_up = knowing(&server, home.clone(), &users).await;
        tokio::spawn(go_through(server.clone(), catch_up, users.to_vec(), EVERY));
        server
    }

    /// All that is due until then is done.
    async fn after(time: Duration) {
        sleep(time + Duration::from_millis(1)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_missed_is_told_at_the_start_and_what_is_new_after_that_time() {
        let home = Home::default();
        let server = telling(&home).await;
        after(Duration::ZERO).await;
        assert_eq!(home.took(), ["ann", "bob", "cyd"]);
        end_one(&server, "cyd").await;
        after(EVERY - Duration::from_secs(1)).await;
        assert_eq!(home.took(), [""; 0]);
        after(Duration::from_secs(1)).await;
        assert_eq!(home.took(), ["cyd"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_swept_right_after_the_start_is_told() {
        let builder = AuthorizationServer::builder("https://as.example").profile(Matrix::new("example.org"));
        let (server, home, users) = (builder.build().await.unwrap(), Home::default(), vec!["ann".to_owned()]);
        insert(&server, "ann", 0).await;
        let catch_up = knowing(&server, home.clone(), &users).await;
        assert_eq!(server.maintain().await.unwrap(), 1);
        tokio::spawn(go_through(server, catch_up, users, EVERY));
        after(Duration::ZERO).await;
        assert_eq!(home.took(), ["ann"]);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_failed_is_tried_again_soon() {
        let home = Home::default();
        home.refuses(&["ann", "bob", "cyd"]);
        telling(&home).await;
        after(PAUSE).await;
        assert_eq!(home.took(), ["ann?", "bob?", "cyd?", "ann?", "bob?", "cyd?"]);
        home.refuses(&[]);
        after(PAUSE).await;
        assert_eq!(home.took(), ["ann", "bob", "cyd"]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_who_is_refused_keeps_nobody_waiting() {
        let home = Home::default();
        home.refuses(&["bob"]);
        let server = telling(&home).await;
        after(PAUSE).await;
        assert_eq!(home.took(), ["ann", "bob?", "cyd", "bob?"]);
        // And all others are looked at in time.
        end_one(&server, "cyd").await;
        after(EVERY - PAUSE - Duration::from_secs(1)).await;
        assert!(home.took().iter().all(|told| told == "bob?"));
        after(Duration::from_secs(1)).await;
        assert_eq!(home.took(), ["bob?", "cyd"]);
    }
}
