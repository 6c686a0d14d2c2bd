//! A host that signs people in itself, or asks them itself.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::SeqCst},
};

use axum::{Router, extract::Query, http::HeaderMap, routing::get};
use http::StatusCode;
use oauth_axum_rs::{
    AuthorizationServer, AuthorizationServerExt,
    oauth_core::{
        clock::{ManualClock, UnixTime},
        engine::{interaction::Approval, policy::HostFuture},
    },
    pages::{HostSessions, Pages, SignedIn},
};

use crate::{ALICE, AUTHORIZE, ISSUER, browser::Browser, builder, leads_to_a_code, start, to_sign_in, users};

/// The host's session layer: who has its cookie is carol, signed in at this time.
#[derive(Clone, Default)]
struct Host(Arc<AtomicU64>);

impl HostSessions for Host {
    fn signed_in<'a>(&'a self, headers: &'a HeaderMap) -> HostFuture<'a, Option<SignedIn>> {
        let cookie = headers.get("cookie").and_then(|cookie| cookie.to_str().ok()).unwrap_or_default();
        let carol = || SignedIn::new("u-7").name("Carol").auth_time(UnixTime(self.0.load(SeqCst))).acr("gold");
        let found = cookie.contains("host=carol").then(carol);
        Box::pin(async move { Ok(found) })
    }
}

async fn server(clock: &ManualClock) -> AuthorizationServer {
    let builder =
        builder(ISSUER).clock(clock.clone()).authorization(|settings| settings.acr_values = vec!["gold".into()]);
    builder.build().await.unwrap()
}

// spec: AUZ-21
#[tokio::test]
async fn a_host_signs_people_in_and_the_pages_ask_them() {
    let (server, host) = (server(&ManualClock::new(UnixTime(1_000))).await, Host::default());
    let pages = Pages::with_sign_in_at(&server, "/login", host.clone()).router();
    let mut browser = Browser::new(&server.router().merge(pages));
    let redirect = start(&mut browser).await;
    let id = redirect.location().strip_prefix("/login?id=").unwrap().to_owned();
    let page = server.interaction_url(&id);
    assert_eq!(page, redirect.url);
    // Passwords are none of the pages' business, and neither is signing out.
    let interaction = server.interaction(&id, &headers(&browser)).await.unwrap().unwrap();
    let forged = [("csrf", &*interaction.csrf_token()), ("action", "sign_in"), ALICE[0], ALICE[1]];
    assert_eq!(browser.post(&page, &forged).await.location(), page);
    assert_eq!(browser.get("/interaction/sign-out").await.status, StatusCode::NOT_FOUND);

    host.0.store(server.now().0, SeqCst);
    browser.cookies.insert("host".into(), "carol".into());
    let consent = browser.get(&page).await;
    assert!(consent.has("approve") && consent.body.contains("<bdi>Carol</bdi>"), "{}", consent.body);
    let other = browser.press(&consent, "sign-out", &[]).await;
    assert_eq!(other.location(), format!("/login?id={id}&again=1"));
    assert!(leads_to_a_code(&browser.press(&consent, "approve", &[]).await));
    assert!(leads_to_a_code(&start(&mut browser).await), "it is remembered");

    // What the client wants holds for the host's sign-in as well.
    host.0.store(server.now().0 - 50, SeqCst);
    let redirect = browser.get(&format!("{AUTHORIZE}&max_age=20")).await;
    let again = browser.follow(redirect).await;
    assert!(again.location().starts_with("/login?id=") && again.location().ends_with("&again=1"));
    let redirect = browser.get(&format!("{AUTHORIZE}&acr_values=gold")).await;
    assert!(leads_to_a_code(&browser.follow(redirect).await));
}

fn headers(browser: &Browser) -> HeaderMap {
    let pairs: Vec<_> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    HeaderMap::from_iter([(http::header::COOKIE, pairs.join("; ").parse().unwrap())])
}

#[derive(serde::Deserialize)]
struct Which {
    id: String,
}

#[tokio::test]
async fn the_pages_sign_people_in_and_a_host_asks_them() {
    let clock = ManualClock::new(UnixTime(1_000));
    let server = server(&clock).await;
    let pages = Pages::new(&server, users()).consent_at("/ask");
    let (sessions, asks) = (Arc::new(pages.sessions()), server.clone());
    let ask = move |Query(which): Query<Which>, headers: HeaderMap| async move {
        let who = sessions.signed_in(&headers).await.unwrap().ok_or(StatusCode::FORBIDDEN)?;
        let interaction = asks.interaction(&which.id, &headers).await.unwrap().ok_or(StatusCode::GONE)?;
        let approval = Approval::new(who.subject()).auth_time(who.signed_in_at().unwrap()).remember(true);
        let answer = interaction.approve(approval).await.unwrap().unwrap();
        Ok::<_, StatusCode>(answer.into_http().map(axum::body::Body::from))
    };
    let app: Router = server.router().merge(pages.router()).route("/ask", get(ask));
    let mut browser = Browser::new(&app);
    assert_eq!(browser.get("/ask?id=x").await.status, StatusCode::FORBIDDEN);
    let page = to_sign_in(&mut browser).await;
    let redirect = browser.press(&page, "password", &ALICE).await;
    let asked = browser.follow(redirect).await;
    assert_eq!(asked.location(), page.url.replace("/interaction?", "/ask?"));
    // Nobody says yes past it.
    clock.advance(1);
    let redirect = browser.get(&format!("{AUTHORIZE}&prompt=select_account")).await;
    let choose = browser.follow(redirect).await;
    let forged = browser.press(&choose, "continue", &[("action", "approve")]).await;
    assert_eq!(forged.status, StatusCode::BAD_REQUEST);
    assert!(leads_to_a_code(&browser.follow(asked).await));
    assert!(leads_to_a_code(&start(&mut browser).await), "nothing is left to ask");
}
