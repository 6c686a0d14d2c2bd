//! Signing in, staying signed in, signing out.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use http::StatusCode;
use oauth_axum_rs::{
    AuthorizationServerExt, Secret,
    oauth_core::{
        clock::{ManualClock, UnixTime},
        engine::{
            fault::Fault,
            policy::{HostFuture, Subjects},
        },
        event::{Event, EventSink},
    },
    pages::{Pages, User, Users},
};

use crate::{ALICE, ISSUER, app, browser::Browser, builder, simple_app, start, to_consent, to_sign_in};

/// Users of a host: everyone may sign in, unless disabled or out of order.
#[derive(Debug, Default)]
struct Accounts {
    disabled: AtomicBool,
    broken: AtomicBool,
    faults: AtomicBool,
}

impl Users for Accounts {
    async fn sign_in(&self, username: &str, _password: &Secret) -> Result<Option<User>, Fault> {
        if self.broken.load(SeqCst) {
            return Err(Fault::Host("the directory is down".into()));
        }
        Ok(Some(User::new("u-17").name(username)))
    }
}

impl Subjects for Accounts {
    fn is_active<'a>(&'a self, subject: &'a str) -> HostFuture<'a, bool> {
        Box::pin(async move { Ok(subject == "u-17" && !self.disabled.load(SeqCst)) })
    }
}

#[derive(Debug)]
struct Watch(Arc<Accounts>);

impl EventSink for Watch {
    fn event(&self, event: &Event<'_>) {
        self.0.faults.fetch_or(matches!(event, Event::Fault { .. }), SeqCst);
    }
}

// spec: AUZ-21
#[tokio::test]
async fn after_sign_in_and_sign_out_the_browser_stays_on_this_server() {
    let mut browser = Browser::new(&simple_app().await);
    let page = to_sign_in(&mut browser).await;
    for evil in ["//evil.example", "/\\evil.example", "https://evil.example"] {
        let fields = [ALICE[0], ALICE[1], ("return_to", evil), ("redirect_uri", evil), ("id", evil)];
        let redirect = browser.press(&page, "password", &fields).await;
        assert_eq!(redirect.location(), page.url);
    }
    let consent = browser.get(&page.url).await;
    let redirect = browser.press(&consent, "sign-out", &[("return_to", "//evil.example")]).await;
    assert_eq!(redirect.location(), page.url);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_read_the_same() {
    let mut browser = Browser::new(&simple_app().await);
    let page = to_sign_in(&mut browser).await;
    let wrong = browser.press(&page, "password", &[("username", "alice"), ("password", "x")]).await;
    let unknown = browser.press(&page, "password", &[("username", "nobody"), ("password", "x")]).await;
    assert_eq!(wrong.status, unknown.status);
    assert_eq!(wrong.body.replace("alice", "nobody"), unknown.body);
    assert!(wrong.has("problem") && wrong.has("password") && !wrong.body.contains("value=\"x\""));
    let hostile = browser.press(&page, "password", &[("username", "\"><script>"), ("password", "x")]).await;
    assert!(!hostile.body.contains("<script"));
}

#[tokio::test]
async fn too_many_failures_are_429_here_and_the_right_password_works_elsewhere() {
    let clock = ManualClock::new(UnixTime(1_000));
    let app = app(&builder(ISSUER).clock(clock.clone()).build().await.unwrap());
    let (mut guesser, mut owner) = (Browser::new(&app), Browser::new(&app));
    owner.address = ([198, 51, 100, 7], 50_000).into();
    let page = to_sign_in(&mut guesser).await;
    let wrong = [("username", "alice"), ("password", "x")];
    for _ in 0..10 {
        assert_eq!(guesser.press(&page, "password", &wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let limited = guesser.press(&page, "password", &ALICE).await;
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(limited.headers["retry-after"], "60");
    to_consent(&mut owner).await;
    clock.advance(60);
    assert_eq!(guesser.press(&page, "password", &ALICE).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_session_spares_the_next_sign_in_until_it_ends() {
    let clock = ManualClock::new(UnixTime(1_000));
    let app = app(&builder(ISSUER).clock(clock.clone()).build().await.unwrap());
    let mut browser = Browser::new(&app);
    to_consent(&mut browser).await;
    assert!(start(&mut browser).await.has("approve"));
    clock.advance(8 * 3600);
    to_sign_in(&mut browser).await;
}

#[tokio::test]
async fn a_user_who_is_disabled_meanwhile_is_not_signed_in_anymore() {
    let accounts = Arc::new(Accounts::default());
    let server = builder(ISSUER).build().await.unwrap();
    let app = server.router().merge(Pages::new(&server, Arc::clone(&accounts)).router());
    let mut browser = Browser::new(&app);
    let consent = to_consent(&mut browser).await;
    accounts.disabled.store(true, SeqCst);
    let page = browser.press(&consent, "approve", &[]).await;
    assert_eq!((page.status, page.location()), (StatusCode::SEE_OTHER, consent.url.as_str()));
    assert!(browser.get(&consent.url).await.has("password"));
}

#[tokio::test]
async fn a_directory_that_is_down_is_503_and_an_event_and_no_wrong_password() {
    let accounts = Arc::new(Accounts::default());
    let server = builder(ISSUER).events(Watch(Arc::clone(&accounts))).build().await.unwrap();
    let mut browser = Browser::new(&server.router().merge(Pages::new(&server, Arc::clone(&accounts)).router()));
    let page = to_sign_in(&mut browser).await;
    accounts.broken.store(true, SeqCst);
    let answer = browser.press(&page, "password", &ALICE).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers.contains_key("retry-after") && !answer.body.contains("directory"));
    assert!(accounts.faults.load(SeqCst));
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let mut browser = Browser::new(&simple_app().await);
    to_consent(&mut browser).await;
    let page = browser.get("/interaction/sign-out").await;
    assert_eq!(browser.post(&page.url, &[("csrf", "x")]).await.status, StatusCode::FORBIDDEN);
    assert!(browser.cookies.contains_key("__Host-oauth-session"));
    assert_eq!(browser.press(&page, "sign-out", &[]).await.status, StatusCode::OK);
    assert!(!browser.cookies.contains_key("__Host-oauth-session"));
    to_sign_in(&mut browser).await;
}
