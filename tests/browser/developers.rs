//! The page on which developers register applications.

use oauth_axum_rs::pages::{DeveloperTerms, Developers};

use super::sign_in;
use crate::support::{
    CALLBACK, ISSUER,
    chromium::{Chromium, Site},
};

async fn form() -> (Site, Chromium) {
    let terms = "Do not send mail to people who did not ask for it.\nAnswer when we write to you.";
    let developers = || Developers::new().terms(DeveloperTerms::text(terms, "2026-11"));
    let set = |pages: oauth_axum_rs::pages::Pages<_>| pages.developers(developers()).unwrap();
    let site = Site::with(|builder| builder.registration(|registration| registration), set).await;
    let mut browser = site.browser().await;
    browser.visit(&format!("{ISSUER}/developers/register")).await;
    assert!(browser.shows("password").await, "{}", browser.text().await);
    sign_in(&mut browser, "alice").await;
    (site, browser)
}

// spec: AUZ-23
#[tokio::test]
async fn a_developer_registers_an_application_and_sees_its_secret_once() {
    let (site, mut browser) = form().await;
    browser.inspect("register").await;
    browser.fill("application_name", "Notes").await;
    browser.click("client_type").await;
    browser.fill("redirect_uris", &format!("{CALLBACK}\nhttp://app.example/cb")).await;
    browser.click("terms").await;
    browser.press("register").await;
    let wrong = browser.text().await;
    assert!(wrong.contains("There is a problem") && wrong.contains("Line 2"), "{wrong}");
    assert_eq!((browser.focus().await, browser.value_of("application_name").await), ("problem".into(), "Notes".into()));
    browser.inspect("register-wrong").await;
    browser.fill("redirect_uris", CALLBACK).await;
    browser.press("register").await;
    assert!(browser.text().await.contains("Notes is registered"), "{}", browser.text().await);
    browser.inspect("registered").await;
    let shown = async |id: &str| browser.ask(&format!("document.getElementById('{id}').textContent")).await;
    let (id, secret) = (shown("client_id").await, shown("client_secret").await);
    let (id, secret) = (id.as_str().unwrap(), secret.as_str().unwrap());
    assert!(id.len() > 8 && secret.len() > 20, "{id} {secret}");
    assert_eq!(browser.origins(), ["https://as.example"]);
    assert_eq!(site.world.events.count("client_registered"), 1);
    browser.visit(&format!("{ISSUER}/developers/register")).await;
    assert!(!browser.text().await.contains(secret));
}

#[tokio::test]
async fn what_is_required_is_asked_for_before_anything_is_sent() {
    let (site, mut browser) = form().await;
    browser.click("register").await;
    assert_eq!(browser.focus().await, "application_name");
    assert_eq!(site.world.events.count("client_registered"), 0);
}
