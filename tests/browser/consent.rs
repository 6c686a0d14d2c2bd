//! Deciding.

use oauth_core::client::Client;

use super::consent_page;
use crate::support::{
    API, APP, AUDITOR, Ask, CALLBACK, Caller, ISSUER, JWT_API,
    chromium::{APP_HOME, Site},
};

// spec: AUZ-14, AUZ-22, AUZ-27
#[tokio::test]
async fn a_person_allows_and_the_application_gets_a_code_with_state_and_iss() {
    let site = Site::new().await;
    let ask = Ask::of(APP).with("scope", "read write").with("state", "s & ä").with("resource", API);
    let mut browser = consent_page(&site, &ask, "alice").await;
    let text = browser.text().await;
    for part in ["Allow The App", "alice", "Read your notes", "Write and delete your notes", "app.example", API] {
        assert!(text.contains(part), "{part}: {text}");
    }
    browser.inspect("consent").await;
    browser.press("approve").await;
    assert!(browser.url().await.starts_with(CALLBACK));
    assert!(browser.shows("back").await);
    let response = site.response(1);
    assert_eq!((response.get("state"), response.get("iss")), (Some("s & ä"), Some(ISSUER)));
    let tokens = site.world.redeem(APP, response.get("code").unwrap()).await.tokens();
    assert_eq!(site.world.introspect(AUDITOR, &tokens.access).await.member("sub"), "alice");
    assert_eq!(browser.origins(), ["https://app.example", "https://as.example"]);
}

// spec: AUZ-14, AUZ-27
#[tokio::test]
async fn a_person_denies_and_the_application_hears_access_denied() {
    let site = Site::new().await;
    let mut browser = consent_page(&site, &Ask::of(APP).with("state", "s"), "alice").await;
    browser.press("deny").await;
    assert!(browser.shows("back").await);
    let response = site.response(1);
    assert_eq!((response.get("error"), response.get("code")), (Some("access_denied"), None));
    assert_eq!((response.get("state"), response.get("iss")), (Some("s"), Some(ISSUER)));
}

// spec: AUZ-22
#[tokio::test]
async fn an_application_may_send_the_browser_on_to_another_host() {
    let site = Site::new().await;
    site.send_on_to("https://www.app.example/home");
    for button in ["approve", "deny"] {
        let mut browser = consent_page(&site, &Ask::of(APP).with("prompt", "consent"), "alice").await;
        browser.press(button).await;
        assert_eq!(browser.url().await, "https://www.app.example/home");
    }
}

#[tokio::test]
async fn a_program_on_this_machine_is_pointed_out_and_gets_its_code_over_plain_http() {
    let site = Site::new().await;
    let mut browser = consent_page(&site, &site.ask_of_loopback().with("state", "s"), "alice").await;
    let text = browser.text().await;
    assert!(text.contains("runs on your own device") && text.contains("127.0.0.1"), "{text}");
    browser.inspect("consent-local").await;
    browser.press("approve").await;
    assert!(browser.url().await.starts_with("http://127.0.0.1:"));
    assert!(site.response(1).get("code").is_some());
}

#[tokio::test]
async fn long_and_strange_names_are_shown_whole_and_as_text() {
    let name = "<b onclick=x>Übersetzungs\u{202e}dienst</b> Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen";
    let redirect = "https://a-very-long-host-name-of-an-application-that-nobody-would-type.app.example/cb";
    let client = move || Client::builder("long").redirect_uri(redirect).scope("read write admin").name(name);
    let site = Site::with(move |builder| builder.client(client().build().unwrap()), |pages| pages).await;
    let ask = Ask::of(Caller::Public("long")).with("redirect_uri", redirect).with("scope", "read write");
    let mut browser = consent_page(&site, &ask.and("resource", API).and("resource", JWT_API), "alice").await;
    assert!(browser.text().await.contains(name), "{}", browser.text().await);
    assert_eq!(browser.ask("document.querySelectorAll('b, [onclick]').length").await, 0);
    browser.inspect("consent-long").await;
}

#[tokio::test]
async fn a_page_that_is_loaded_again_can_still_be_decided_on() {
    let site = Site::new().await;
    let mut browser = consent_page(&site, &Ask::of(APP), "alice").await;
    browser.reload().await;
    browser.press("approve").await;
    assert!(site.response(1).get("code").is_some());
}

#[tokio::test]
async fn the_back_button_brings_no_second_code() {
    let site = Site::new().await;
    let mut browser = site.browser().await;
    browser.visit(APP_HOME).await;
    browser.visit(&super::url_of(&Ask::of(APP))).await;
    super::sign_in(&mut browser, "alice").await;
    let page = browser.url().await;
    browser.press("approve").await;
    browser.go_back().await;
    // Chromium may still have the page, although nobody was to keep it. Its buttons are worth nothing any more.
    if browser.shows("approve").await {
        browser.press("approve").await;
    }
    for _ in 0..2 {
        assert!(browser.text().await.contains("This sign-in has ended"), "{}", browser.text().await);
        assert!(!browser.shows("approve").await);
        browser.visit(&page).await;
    }
    browser.inspect("ended").await;
    assert_eq!(site.arrivals().len(), 1);
}
