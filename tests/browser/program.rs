//! The program `authorization-server` itself, over TLS.

use super::{sign_in, try_to_sign_in};
use crate::support::{APP, Ask, Reference, chromium::Site};

// spec: AUZ-25
#[tokio::test]
async fn the_program_keeps_a_browser_signed_in_by_cookies_of_its_host_alone() {
    let (site, reference) = (Site::new().await, Reference::new());
    let _program = reference.start();
    let mut browser = site.browser_at("localhost", reference.port).await;
    let authorize = format!("{}{}", reference.issuer, Ask::of(APP).with("state", "s").with("prompt", "consent").uri());
    browser.visit(&authorize).await;
    try_to_sign_in(&mut browser, "alice", "a wrong one").await;
    assert!(browser.text().await.contains("is not right"));
    sign_in(&mut browser, "alice").await;
    browser.press("approve").await;
    let response = site.response(1);
    assert_eq!((response.get("state"), response.get("iss")), (Some("s"), Some(&*reference.issuer)));
    browser.visit(&authorize).await;
    let kept = |name: &str| (name.to_owned(), true, true);
    assert_eq!(browser.cookies().await, [kept("__Host-oauth-browser"), kept("__Host-oauth-session")]);
    assert!(!browser.shows("password").await);
}
