//! A sign-in that is not older than the client wants it (RFC 9470 section 4), by libraries.

use std::time::Duration;

use oauth_core::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use super::{Alice, OPEN, app, features::Feature, read, silently, with_key};
use crate::support::*;

/// When alice has signed in, as an API learns of it.
async fn auth_time(client: &Foreign, tokens: &Value) -> u64 {
    let known = client.send("introspect", &tokens["access_token"]).await.granted();
    known["auth_time"].as_u64().unwrap_or_else(|| panic!("{known}"))
}

/// Times are whole seconds: waits until that one is over, so that what was done in it is no longer new.
async fn is_over(second: u64) {
    while SystemClock.now().0 <= second {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A question with `name` set to `value`.
fn asking(by: &[&str], name: &str, value: &str) -> Value {
    let mut parameters = read();
    parameters[name] = value.into();
    match by {
        [] => json!({ "parameters": parameters }),
        by => json!({ "parameters": parameters, "by": by }),
    }
}

/// The client asks, and alice has to sign in once more or not: when she then has.
async fn asks_again(client: &Foreign, alice: &mut Alice, asked: Value, signs_in: bool) -> u64 {
    let mut begun = client.ask("authorize", asked).await.granted();
    let link = begun["url"].as_str().unwrap().to_owned();
    assert_eq!(alice.0.go(&link).await.has("sign-in"), signs_in, "{link}");
    begun["url"] = alice.agree(&link).await.answer.location().into();
    auth_time(client, &client.ask("redeem", begun).await.granted()).await
}

// spec: AUZ-33, AUZ-34
#[tokio::test]
async fn who_has_signed_in_before_signs_in_again_where_the_client_wants_it_fresh() {
    let server = Reference::with(OPEN);
    let _program = server.start();
    Library::each(async |library| {
        let (private, public) = library.key("ES256").await;
        let client = Foreign::new(library, &server).proving("key", private);
        let client = client.registered(&with_key(app("client_secret_basic"), &public)).await;
        let mut alice = Alice::at(&server);
        let mut last = auth_time(&client, &alice.tokens(&client).await).await;
        is_over(last).await;
        let old_enough = asking(&[], "max_age", "3600");
        assert_eq!(asks_again(&client, &mut alice, old_enough, false).await, last);
        for (by, feature) in [
            (&[][..], None),
            (&["par"], Some(Feature::Par)),
            (&["jar"], Some(Feature::Jar)),
            (&["jar", "par"], Some(Feature::Jar)),
        ] {
            if !feature.is_none_or(|feature| feature.is_in(library)) {
                continue;
            }
            for (name, value) in [("max_age", "0"), ("prompt", "login")] {
                let fresh = asks_again(&client, &mut alice, asking(by, name, value), true).await;
                assert!(fresh > last, "{library:?} {by:?} {name}");
                is_over(fresh).await;
                last = fresh;
            }
        }
    })
    .await;
}

// spec: AUZ-33
#[tokio::test]
async fn where_no_page_may_be_shown_each_library_hears_what_is_missing() {
    let server = Reference::with(OPEN);
    let _program = server.start();
    Library::each(async |library| {
        let nobody = Foreign::new(library, &server);
        // What somebody has allowed a client that just came along is asked again, so it is one of the file.
        let web = app("client_secret_basic");
        let client = nobody.known_as(&web).with("client_id", "web").with("client_secret", "web-secret-7Xk2");
        let mut alice = Alice::at(&server);
        let plain = || json!({ "parameters": read() });
        let answered = silently(&mut alice.0, &client, plain()).await;
        client.ask("redeem", answered).await.refused_in_front("login_required");

        let tokens = alice.tokens(&client).await;
        let signed_in = auth_time(&client, &tokens).await;
        let answered = silently(&mut alice.0, &client, plain()).await;
        let again = client.ask("redeem", answered).await.granted();
        assert_eq!(auth_time(&client, &again).await, signed_in);
        is_over(signed_in).await;
        let answered = silently(&mut alice.0, &client, asking(&[], "max_age", "0")).await;
        client.ask("redeem", answered).await.refused_in_front("login_required");

        let other = nobody.registered(&web).await;
        let answered = silently(&mut alice.0, &other, plain()).await;
        other.ask("redeem", answered).await.refused_in_front("consent_required");
    })
    .await;
}
