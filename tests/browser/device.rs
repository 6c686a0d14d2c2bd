//! The page where people type the codes of their devices.

use oauth_core::{
    client::{Client, GrantType},
    server::AuthorizationServerBuilder,
};

use super::sign_in;
use crate::support::{Caller, ISSUER, chromium::Site};

const TV: Caller = Caller::Public("tv");

fn devices(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    let tv = Client::builder("tv").name("Living room").scope("read").grant_type(GrantType::DEVICE_CODE);
    builder.devices(|_| ()).client(tv.build().unwrap())
}

// spec: TOK-39, AUZ-23
#[tokio::test]
async fn a_person_connects_a_device_by_its_link() {
    let site = Site::with(devices, |pages| pages).await;
    let begun = site.world.post("/device_authorization", TV, &[]).await.json();
    let [device, user, link] =
        ["device_code", "user_code", "verification_uri_complete"].map(|name| begun[name].as_str().unwrap());
    let mut browser = site.browser().await;
    browser.visit(&format!("{ISSUER}/device")).await;
    browser.inspect("device").await;
    browser.fill("user_code", "bbbb bbbb").await;
    browser.press("confirm").await;
    assert!(browser.text().await.contains("No device waits"), "{}", browser.text().await);
    assert_eq!(browser.focus().await, "problem");
    browser.inspect("device-wrong").await;
    browser.visit(link).await;
    assert_eq!(browser.value_of("user_code").await, user);
    browser.inspect("device-linked").await;
    browser.press("confirm").await;
    sign_in(&mut browser, "alice").await;
    let question = browser.text().await;
    assert!(question.contains("Living room") && question.contains(user), "{question}");
    browser.inspect("device-consent").await;
    browser.press("approve").await;
    assert!(browser.text().await.contains("Your device is connected"), "{}", browser.text().await);
    browser.inspect("device-done").await;
    assert_eq!(browser.origins(), ["https://as.example"]);
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    site.world.token(TV, &[("grant_type", grant), ("device_code", device)]).await.tokens();
}
