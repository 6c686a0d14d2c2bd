//! Signing out.

use super::{consent_page, sign_in};
use crate::support::{
    APP, Ask, ISSUER,
    chromium::{Site, url_of},
};

#[tokio::test]
async fn who_has_signed_out_signs_in_again() {
    let site = Site::new().await;
    let mut browser = consent_page(&site, &Ask::of(APP), "alice").await;
    browser.press("approve").await;
    let sign_out = format!("{ISSUER}/interaction/sign-out");
    browser.visit(&sign_out).await;
    assert!(browser.text().await.contains("You are signed in as alice"));
    browser.inspect("sign-out").await;
    browser.press("sign-out").await;
    assert!(browser.text().await.contains("You are signed out"));
    browser.inspect("signed-out").await;
    let cookies = browser.cookies().await;
    assert_eq!(cookies.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>(), ["__Host-oauth-browser"]);
    browser.visit(&sign_out).await;
    assert!(browser.text().await.contains("You are signed out"));
    browser.visit(&url_of(&Ask::of(APP))).await;
    assert!(browser.shows("password").await);
}

#[tokio::test]
async fn a_person_goes_on_with_another_account() {
    let site = Site::new().await;
    let mut browser = consent_page(&site, &Ask::of(APP), "alice").await;
    browser.press("sign-out").await;
    assert!(browser.shows("password").await);
    sign_in(&mut browser, "bob").await;
    assert!(browser.text().await.contains("bob"));
    browser.press("approve").await;
    assert!(site.response(1).get("code").is_some());
}
