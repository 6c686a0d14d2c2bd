//! How long somebody stays signed in.

use axum::Router;
use http::StatusCode;
use oauth_axum_rs::{
    AuthorizationServerExt,
    oauth_core::clock::{ManualClock, UnixTime},
    pages::Pages,
};

use crate::{
    ALICE, AUTHORIZE, ISSUER, app, browser::Browser, builder, leads_to_a_code, start, to_consent, to_sign_in, users,
};

/// Pages whose sessions end after 1000 seconds, or 100 without use.
async fn brief(clock: &ManualClock) -> Router {
    let server = builder(ISSUER).clock(clock.clone()).build().await.unwrap();
    let pages = Pages::new(&server, users()).session_lifetime(1000).session_idle_lifetime(100);
    server.router().merge(pages.router())
}

#[tokio::test]
async fn a_session_that_is_used_lasts_until_its_end_and_no_longer() {
    let clock = ManualClock::new(UnixTime(1_000));
    let mut browser = Browser::new(&brief(&clock).await);
    let consent = to_consent(&mut browser).await;
    assert!(leads_to_a_code(&browser.press(&consent, "approve", &[]).await));
    for _ in 0..10 {
        clock.advance(99);
        assert!(leads_to_a_code(&start(&mut browser).await));
    }
    clock.advance(10);
    to_sign_in(&mut browser).await;
}

#[tokio::test]
async fn a_session_that_is_not_used_ends_sooner() {
    let clock = ManualClock::new(UnixTime(1_000));
    let mut browser = Browser::new(&brief(&clock).await);
    let consent = to_consent(&mut browser).await;
    clock.advance(100);
    let gone = browser.press(&consent, "approve", &[]).await;
    assert_eq!((gone.status, gone.location()), (StatusCode::SEE_OTHER, consent.url.as_str()));
    assert!(browser.follow(gone).await.has("password"));
}

#[tokio::test]
async fn the_sign_out_form_is_good_although_another_tab_was_used_meanwhile() {
    let clock = ManualClock::new(UnixTime(1_000));
    let mut browser = Browser::new(&brief(&clock).await);
    to_consent(&mut browser).await;
    let page = browser.get("/interaction/sign-out").await;
    clock.advance(50);
    let before = browser.cookies.clone();
    start(&mut browser).await;
    assert_ne!(browser.cookies, before, "the session was written anew");
    assert_eq!(browser.press(&page, "sign-out", &[]).await.status, StatusCode::OK);
    let page = to_sign_in(&mut browser).await;
    // The form of one session is none of the next.
    let form = browser.get("/interaction/sign-out").await;
    assert!(!form.has("sign-out"));
    browser.press(&page, "password", &ALICE).await;
    let old = [("csrf", "AAAA")];
    assert_eq!(browser.post("/interaction/sign-out", &old).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn who_signs_in_at_one_of_two_issuers_on_a_host_stays_signed_in_at_the_other() {
    let issuer = async |path: &str| app(&builder(&format!("{ISSUER}{path}")).build().await.unwrap());
    let host = issuer("").await.merge(issuer("/a").await).merge(issuer("/b").await);
    let mut browser = Browser::new(&host);
    for path in ["/a", "/b", ""] {
        let redirect = browser.get(&format!("{path}{AUTHORIZE}")).await;
        let page = browser.follow(redirect).await;
        let redirect = browser.press(&page, "password", &ALICE).await;
        assert!(browser.follow(redirect).await.has("approve"), "{path}");
    }
    // A browser cookie and a session for each, which all of them are sent.
    assert_eq!(browser.cookies.len(), 6, "{:?}", browser.cookies.keys());
    for path in ["/a", "/b", ""] {
        let redirect = browser.get(&format!("{path}{AUTHORIZE}")).await;
        assert!(browser.follow(redirect).await.has("approve"), "{path}");
    }
    let out = browser.get("/a/interaction/sign-out").await;
    assert_eq!(browser.press(&out, "sign-out", &[]).await.status, StatusCode::OK);
    for (path, page) in [("/a", "password"), ("/b", "approve"), ("", "approve")] {
        let redirect = browser.get(&format!("{path}{AUTHORIZE}")).await;
        assert!(browser.follow(redirect).await.has(page), "{path}");
    }
}
