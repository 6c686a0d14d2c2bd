//! Signing in, and failing to.

use super::{sign_in, try_to_sign_in};
use crate::support::{
    APP, Ask,
    chromium::{Habits, Site, url_of},
};

// spec: AUZ-23, AUZ-25
#[tokio::test]
async fn a_person_signs_in_and_the_browser_keeps_two_cookies_from_scripts_and_plain_http() {
    let site = Site::new().await;
    let mut browser = site.browser().await;
    browser.visit(&url_of(&Ask::of(APP))).await;
    assert_eq!(browser.title().await, "Sign in · as.example");
    assert!(browser.text().await.contains("to continue to The App"));
    assert_eq!(browser.focus().await, "username");
    browser.inspect("sign-in").await;
    sign_in(&mut browser, "alice").await;
    assert!(browser.shows("approve").await && !browser.shows("password").await);
    let kept = |name: &str| (name.to_owned(), true, true);
    assert_eq!(browser.cookies().await, [kept("__Host-oauth-browser"), kept("__Host-oauth-session")]);
    assert_eq!(browser.origins(), ["https://as.example"]);
}

#[tokio::test]
async fn a_wrong_password_is_told_like_a_wrong_name_and_the_next_try_may_be_right() {
    let site = Site::new().await;
    let mut browser = site.browser().await;
    browser.visit(&url_of(&Ask::of(APP))).await;
    let page = browser.url().await;
    let mut told = Vec::new();
    for name in ["alice", "nobody"] {
        try_to_sign_in(&mut browser, name, "a wrong one").await;
        assert_eq!(browser.title().await, "Error: Sign in · as.example");
        // Who hears the page is told at once; what was typed is there, but for the password.
        assert_eq!((browser.focus().await, browser.value_of("username").await), ("problem".into(), name.into()));
        assert_eq!((browser.value_of("password").await, browser.url().await), (String::new(), page.clone()));
        told.push(browser.text().await);
    }
    assert_eq!(told[0], told[1]);
    browser.inspect("sign-in-wrong").await;
    sign_in(&mut browser, "alice").await;
    assert!(browser.shows("approve").await);
}

#[tokio::test]
async fn after_too_many_wrong_passwords_the_right_one_has_to_wait() {
    let site = Site::with(|builder| builder, |pages| pages.sign_in_failures_per_minute(2)).await;
    let mut browser = site.browser().await;
    browser.visit(&url_of(&Ask::of(APP))).await;
    for _ in 0..2 {
        try_to_sign_in(&mut browser, "alice", "a wrong one").await;
    }
    assert!(!browser.text().await.contains("Too many"));
    site.world.clock.advance(1);
    sign_in(&mut browser, "alice").await;
    assert!(browser.text().await.contains("Try again in 59 seconds"), "{}", browser.text().await);
    assert_eq!(browser.focus().await, "problem");
    browser.inspect("sign-in-locked").await;
    site.world.clock.advance(59);
    sign_in(&mut browser, "alice").await;
    assert!(browser.shows("approve").await);
}

#[tokio::test]
async fn an_empty_form_is_not_sent() {
    let site = Site::new().await;
    let mut browser = site.browser().await;
    browser.visit(&url_of(&Ask::of(APP))).await;
    browser.click("sign-in").await;
    assert_eq!(browser.title().await, "Sign in · as.example");
    assert_eq!(browser.ask("document.querySelectorAll('input:invalid').length").await, 2);
}

// spec: AUZ-23
#[tokio::test]
async fn who_has_switched_scripts_off_comes_through() {
    let site = Site::new().await;
    let mut browser = site.browser_with(Habits { without_scripts: true, ..Habits::default() }).await;
    browser.visit(&url_of(&Ask::of(APP).with("state", "s"))).await;
    try_to_sign_in(&mut browser, "alice", "a wrong one").await;
    sign_in(&mut browser, "alice").await;
    browser.press("approve").await;
    assert_eq!(site.response(1).get("state"), Some("s"));
}

#[tokio::test]
async fn text_of_twice_the_size_fits_on_a_small_screen() {
    let site = Site::new().await;
    let mut browser = site.browser_with(Habits { text: Some(32), ..Habits::default() }).await;
    browser.visit(&url_of(&Ask::of(APP))).await;
    assert_eq!(browser.ask("getComputedStyle(document.body).fontSize").await, "32px");
    browser.inspect("sign-in-large").await;
    sign_in(&mut browser, "alice").await;
    browser.inspect("consent-large").await;
}
