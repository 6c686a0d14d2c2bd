//! Presenting tokens: cases 7 to 18.

use http::StatusCode;
use oauth_axum_rs::Issuer;
use oauth_core::{
    client::{Client, GrantType},
    engine::policy::Resource,
    store::memory::MemoryStore,
};
use serde_json::json;

use super::*;
use crate::support::{Ask, CALLBACK, Caller, Tokens, World};

/// A public client of the authorization server in this process.
const ELEMENT: Caller = Caller::Public("element");

/// A homeserver for an authorization server in the same process.
async fn local() -> (World, Home) {
    let scopes = || format!("{SCOPE} openid");
    let world = World::on(MemoryStore::default(), |builder| {
        let client = Client::builder("element").redirect_uri(CALLBACK).grant_type(GrantType::REFRESH_TOKEN);
        let client = client.scope(&*scopes()).build().unwrap();
        builder.resource(Resource::new(API)).client(client)
    });
    let world = world.await;
    let home = Home::taking(Issuer::local(world.server.clone()), world.clock.clone(), |settings| settings).await;
    (world, home)
}

async fn signed_in(world: &World, scope: &str) -> Tokens {
    let code = world.code_for(&Ask::of(ELEMENT).with("scope", scope).with("resource", API)).await;
    world.redeem(ELEMENT, &code).await.tokens()
}

// spec: MTX-17
#[tokio::test]
async fn case_7_no_authorization_is_a_missing_token_and_nothing_else_is_said() {
    let home = Home::asking(&Service::new().await, |settings| settings).await;
    for path in [WHOAMI, SYNC, CAPABILITIES] {
        let answer = home.send("GET", path, &[], "").await;
        is_refused(&answer, 401, "M_MISSING_TOKEN");
        assert_eq!(answer.json().as_object().unwrap().len(), 2, "{answer}");
        assert!(!answer.headers.contains_key("www-authenticate"), "{answer}");
    }
    let asked = Home::asking(&Service::new().await, Settings::challenges).await;
    let answer = asked.send("GET", WHOAMI, &[], "").await;
    assert!(answer.header("www-authenticate").starts_with("Bearer realm="), "{answer}");
}

// spec: MTX-17
#[tokio::test]
async fn case_8_what_is_no_bearer_token_is_a_missing_one() {
    let service = Service::new().await;
    let home = Home::asking(&service, |settings| settings).await;
    for said in ["Bearer", "Bearer ", "Basic YTpi", ""] {
        is_refused(&home.send("GET", WHOAMI, &[("authorization", said)], "").await, 401, "M_MISSING_TOKEN");
    }
    let twice = [("authorization", "Bearer a"), ("authorization", "Bearer b")];
    is_refused(&home.send("GET", WHOAMI, &twice, "").await, 401, "M_MISSING_TOKEN");
    assert_eq!(service.asked(), 0);
}

#[tokio::test]
async fn case_9_the_scheme_is_of_any_case() {
    let service = Service::new().await;
    service.good("t", json!({}));
    let home = Home::asking(&service, |settings| settings).await;
    is_user(&home.send("GET", WHOAMI, &[("authorization", "bearer t")], "").await, "@alice:example.org");
}

// spec: MTX-19
#[tokio::test]
async fn case_10_a_token_in_the_query_counts_only_where_it_was_asked_for() {
    let service = Service::new().await;
    service.good("t", json!({}));
    let home = Home::asking(&service, |settings| settings).await;
    let in_query = format!("{WHOAMI}?access_token=t");
    is_refused(&home.send("GET", &in_query, &[], "").await, 401, "M_MISSING_TOKEN");
    let legacy = Home::asking(&service, Settings::insecure_query_tokens).await;
    is_user(&legacy.send("GET", &in_query, &[], "").await, "@alice:example.org");
    is_user(&legacy.get(WHOAMI, "t").await, "@alice:example.org");
    is_unknown(&legacy.send("GET", &format!("{WHOAMI}?access_token=u"), &[], "").await, false);
    for bad in ["?access_token=t&access_token=t", "?access_token="] {
        let answer = legacy.send("GET", &format!("{WHOAMI}{bad}"), &[], "").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer}");
    }
    for home in [&home, &legacy] {
        is_refused(&home.get(&in_query, "t").await, 401, "M_MISSING_TOKEN");
    }
}

// spec: MTX-17
#[tokio::test]
async fn case_11_an_unknown_malformed_or_revoked_token_ends_the_session() {
    let (world, home) = local().await;
    for token in ["junk", "a,b", "a b", "\"\"", &"x".repeat(5000)] {
        is_unknown(&home.get(WHOAMI, token).await, false);
    }
    let tokens = signed_in(&world, SCOPE).await;
    is_user(&home.get(WHOAMI, &tokens.access).await, "@alice:example.org");
    world.revoke(ELEMENT, &tokens.refresh.unwrap()).await;
    is_unknown(&home.get(WHOAMI, &tokens.access).await, false);
}

// spec: MTX-18
#[tokio::test]
async fn case_12_an_expired_token_of_a_live_session_is_a_soft_logout() {
    let (world, home) = local().await;
    let tokens = signed_in(&world, SCOPE).await;
    is_user(&home.get(WHOAMI, &tokens.access).await, "@alice:example.org");
    world.clock.advance(300);
    is_unknown(&home.get(WHOAMI, &tokens.access).await, true);
    // Once the session is over, so is the hope.
    world.revoke(ELEMENT, &tokens.refresh.unwrap()).await;
    is_unknown(&home.get(WHOAMI, &tokens.access).await, false);
}

// spec: MTX-18
#[tokio::test]
async fn case_12_a_token_that_a_refresh_replaced_is_one_too_until_no_refresh_is_good() {
    let (world, home) = local().await;
    let old = signed_in(&world, SCOPE).await;
    world.clock.advance(300);
    let new = world.refresh(ELEMENT, &old.refresh.unwrap()).await.tokens();
    is_unknown(&home.get(WHOAMI, &old.access).await, true);
    is_user(&home.get(WHOAMI, &new.access).await, "@alice:example.org");
    // Seven days idle.
    world.clock.advance(604_800);
    is_unknown(&home.get(WHOAMI, &new.access).await, false);
}

#[tokio::test]
async fn case_13_a_refresh_token_is_no_access_token() {
    let (world, home) = local().await;
    let tokens = signed_in(&world, SCOPE).await;
    is_unknown(&home.get(WHOAMI, &tokens.refresh.unwrap()).await, false);
    let service = Service::new().await;
    service.good("r", json!({ "token_type": "refresh_token" }));
    is_unknown(&Home::asking(&service, |settings| settings).await.get(WHOAMI, "r").await, false);
}

// spec: MTX-18
#[tokio::test]
async fn case_14_a_token_without_the_api_scope_or_a_device_is_forbidden() {
    let (world, home) = local().await;
    for scope in ["openid", "urn:matrix:client:device:ABCDEFGHIJ", "urn:matrix:client:api:*"] {
        let tokens = signed_in(&world, scope).await;
        is_refused(&home.get(WHOAMI, &tokens.access).await, 403, "M_FORBIDDEN");
    }
}

#[tokio::test]
async fn case_15_and_17_stable_or_unstable_scopes_are_the_same_user_and_device() {
    let service = Service::new().await;
    let home = Home::asking(&service, |settings| settings).await;
    let unstable = SCOPE.replace("urn:matrix:", "urn:matrix:org.matrix.msc2967.");
    for (token, scope) in [("a", SCOPE.to_owned()), ("b", unstable.clone()), ("c", format!("{SCOPE} {unstable}"))] {
        service.good(token, json!({ "scope": scope }));
        let answer = home.get(WHOAMI, token).await;
        is_user(&answer, "@alice:example.org");
        assert_eq!(answer.member("device_id"), "ABCDEFGHIJ");
    }
}

#[tokio::test]
async fn case_18_an_optional_route_is_open_to_nobody_and_closed_to_a_bad_token() {
    let home = Home::asking(&Service::new().await, |settings| settings).await;
    assert_eq!(home.send("GET", VERSIONS, &[], "").await.status, StatusCode::OK);
    is_unknown(&home.get(VERSIONS, "junk").await, false);
}

#[tokio::test]
async fn a_client_that_acts_for_itself_is_no_user_of_its_name() {
    let service = Service::new().await;
    service.good("t", json!({ "sub": "alice", "client_id": "alice" }));
    let issuer = Issuer::introspection("https://as.example", service.endpoint()).bearer(SECRET).for_homeserver();
    let home = Home::taking(issuer, clock(), |settings| settings).await;
    is_refused(&home.get(WHOAMI, "t").await, 403, "M_FORBIDDEN");
    service.good("u", json!({ "sub": "alice", "client_id": "element" }));
    is_user(&home.get(WHOAMI, "u").await, "@alice:example.org");
}
