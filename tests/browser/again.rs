//! Who comes back: what is not asked again, and what is.

use super::{consent_page, sign_in};
use crate::support::{
    APP, Ask, PASSWORD,
    chromium::{Site, url_of},
};

// spec: AUZ-27, AUZ-28
#[tokio::test]
async fn what_was_allowed_before_is_not_asked_again_and_what_is_new_is_pointed_out() {
    let site = Site::new().await;
    let ask = |scope: &str| Ask::of(APP).with("scope", scope);
    let mut browser = consent_page(&site, &ask("read"), "alice").await;
    assert!(!browser.text().await.contains("New:"));
    browser.press("approve").await;
    browser.visit(&url_of(&ask("read"))).await;
    assert!(browser.shows("back").await, "{}", browser.text().await);
    assert!(site.response(2).get("code").is_some());
    browser.visit(&url_of(&ask("read write"))).await;
    let text = browser.text().await;
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
    assert!(place("New: it asks for this, too") < place("Write and delete your notes"));
    assert!(place("Write and delete your notes") < place("You have allowed it before"));
    assert!(place("You have allowed it before") < place("Read your notes"));
    browser.inspect("consent-again").await;
    browser.press("approve").await;
    let code = site.response(3).get("code").unwrap().to_owned();
    assert_eq!(site.world.redeem(APP, &code).await.member("scope"), "read write");
    // The application may want them asked all the same.
    browser.visit(&url_of(&ask("read write").with("prompt", "consent"))).await;
    assert!(!browser.text().await.contains("New:"));
    browser.inspect("consent-known").await;
    browser.press("deny").await;
    assert_eq!(site.response(4).get("error"), Some("access_denied"));
}

// spec: AUZ-28
#[tokio::test]
async fn a_program_on_this_machine_is_asked_about_every_time() {
    let site = Site::new().await;
    let mut browser = consent_page(&site, &site.ask_of_loopback(), "alice").await;
    browser.press("approve").await;
    browser.visit(&url_of(&site.ask_of_loopback())).await;
    assert!(browser.shows("approve").await && browser.text().await.contains("You have allowed it before"));
}

// spec: AUZ-33
#[tokio::test]
async fn who_is_signed_in_signs_in_again_where_the_application_wants_it() {
    let site = Site::new().await;
    let mut browser = consent_page(&site, &Ask::of(APP), "alice").await;
    site.world.clock.advance(1);
    browser.visit(&url_of(&Ask::of(APP).with("prompt", "login"))).await;
    assert_eq!(browser.value_of("username").await, "alice");
    assert_eq!(browser.focus().await, "password");
    browser.inspect("sign-in-again").await;
    browser.fill("password", PASSWORD).await;
    browser.press("sign-in").await;
    browser.press("approve").await;
    assert!(site.response(1).get("code").is_some());
}

// spec: AUZ-33
#[tokio::test]
async fn a_person_chooses_the_account_where_the_application_wants_it() {
    let site = Site::new().await;
    let mut browser = consent_page(&site, &Ask::of(APP), "alice").await;
    site.world.clock.advance(1);
    let choose = url_of(&Ask::of(APP).with("prompt", "select_account"));
    browser.visit(&choose).await;
    assert!(browser.text().await.contains("Continue as alice"));
    browser.inspect("choose").await;
    browser.press("continue").await;
    assert!(browser.text().await.contains("You are signed in as alice"));
    browser.visit(&choose).await;
    browser.press("sign-out").await;
    sign_in(&mut browser, "bob").await;
    assert!(browser.text().await.contains("You are signed in as bob"));
}

#[tokio::test]
async fn who_has_been_away_for_long_signs_in_again() {
    let site = Site::with(|builder| builder, |pages| pages.session_idle_lifetime(60)).await;
    let mut browser = consent_page(&site, &Ask::of(APP), "alice").await;
    site.world.clock.advance(59);
    browser.reload().await;
    site.world.clock.advance(59);
    browser.reload().await;
    assert!(browser.shows("approve").await);
    site.world.clock.advance(60);
    browser.press("approve").await;
    assert!(browser.shows("password").await && site.arrivals().is_empty());
    sign_in(&mut browser, "alice").await;
    browser.press("approve").await;
    assert!(site.response(1).get("code").is_some());
}
