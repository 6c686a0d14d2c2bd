//! How the answer travels, and when it does not travel by itself.

use http::{Method, Request};
use oauth_core::{engine::registration::RegistrationSettings, params::Params};
use serde_json::json;

use super::{consent_page, sign_in};
use crate::support::{
    APP, Ask, CALLBACK, ISSUER,
    chromium::{Site, url_of},
};

const STATE: &str = "\"><script>alert(1)</script>&amp; ä";

// spec: AUZ-32
#[tokio::test]
async fn a_form_goes_to_the_application_by_itself() {
    let site = Site::new().await;
    let ask = Ask::of(APP).with("response_mode", "form_post").with("state", STATE);
    for (count, button, name) in [(1, "deny", "error"), (2, "approve", "code")] {
        let mut browser = consent_page(&site, &ask, "alice").await;
        browser.press(button).await;
        browser.comes_to("back").await;
        let response = site.response(count);
        let arrival = site.arrivals().pop().unwrap();
        assert_eq!((arrival.method, arrival.uri.query()), (Method::POST, None));
        assert_eq!((response.get("state"), response.get("iss")), (Some(STATE), Some(ISSUER)));
        assert!(response.get(name).is_some(), "{}", arrival.body);
        assert_eq!(browser.url().await, CALLBACK);
    }
}

// spec: AUZ-32
#[tokio::test]
async fn without_scripts_a_person_sends_the_form() {
    let site = Site::new().await;
    let ask = Ask::of(APP).with("response_mode", "form_post").with("state", STATE);
    let mut browser = consent_page(&site, &ask, "alice").await;
    browser.run_scripts(false).await;
    browser.press("approve").await;
    assert_eq!(site.arrivals(), []);
    // What looks the page over is a script itself.
    browser.run_scripts(true).await;
    browser.inspect("form-post").await;
    browser.press("continue").await;
    assert!(browser.shows("back").await);
    assert_eq!(site.response(1).get("state"), Some(STATE));
}

// spec: AUZ-31
#[tokio::test]
async fn a_fragment_stays_in_the_browser() {
    let site = Site::new().await;
    let ask = Ask::of(APP).with("response_mode", "fragment").with("state", "s");
    let mut browser = consent_page(&site, &ask, "alice").await;
    browser.press("approve").await;
    assert_eq!(site.arrivals().pop().unwrap().uri, "/cb");
    let url = browser.url().await;
    let response = Params::parse(url.strip_prefix(CALLBACK).unwrap().strip_prefix('#').unwrap()).unwrap();
    assert_eq!((response.get("state"), response.get("iss")), (Some("s"), Some(ISSUER)));
    assert!(response.get("code").is_some());
}

// spec: AUZ-20
#[tokio::test]
async fn nobody_is_sent_by_an_error_to_a_website_that_nobody_vouches_for_without_seeing_its_name() {
    let site = Site::with(|builder| builder.registration(RegistrationSettings::open), |pages| pages).await;
    let client = json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none" }).to_string();
    let request = Request::post("/register").header("content-type", "application/json").body(client.into());
    let registered = site.world.send(request.unwrap()).await.json();
    let id = registered["client_id"].as_str().unwrap();
    let ask = Ask::of(APP).with("client_id", id).with("scope", "nonsense").with("state", "s");
    let mut browser = site.browser().await;
    browser.visit(&url_of(&ask)).await;
    assert!(browser.shows("password").await, "{}", browser.text().await);
    sign_in(&mut browser, "alice").await;
    let text = browser.text().await;
    assert!(text.contains("You are about to leave as.example") && text.contains("app.example"), "{text}");
    browser.inspect("leave").await;
    assert_eq!(site.arrivals(), []);
    browser.press("confirm").await;
    assert!(browser.shows("back").await);
    let response = site.response(1);
    assert_eq!((response.get("error"), response.get("state")), (Some("invalid_scope"), Some("s")));
}
