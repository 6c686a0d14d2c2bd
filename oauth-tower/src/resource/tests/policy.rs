//! What an operation asks of a token beyond that it is good.

use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt};

use super::{Key, NOW, RESOURCE, builder, challenge, fixed, request, send, server, service};
use crate::resource::{Detail, NotPermitted, Policy, RefusalKind, Require, ResourceServer, ValidatedToken};

/// Holds a token with `changes` to `policy` at the layer, at a route and in a
/// handler. All three agree: the status and the challenge, or that it got through.
async fn ask(policy: Policy, changes: Value) -> Result<(), (StatusCode, String)> {
    let key = Key::es256();
    let (server, token) = (server(&key), key.token(changes));
    let (response, served) = send(&server.layer().require(policy.clone()), request(&token)).await;
    let route = server.layer().layer(Require::new(policy.clone()).layer(service(&std::sync::Arc::default())));
    let at_route = route.oneshot(request(&token)).await.unwrap();
    assert_eq!((at_route.status(), at_route.headers()), (response.status(), response.headers()));
    let found = server.validate(&request(&token).into_parts().0).await.unwrap();
    let in_handler = found.require(&policy).map_err(|refusal| (refusal.status(), refusal.headers()));
    if served {
        in_handler.unwrap();
        return Ok(());
    }
    assert_eq!(in_handler.unwrap_err(), (response.status(), response.headers().clone()));
    Err((response.status(), challenge(&response).to_owned()))
}

async fn passes(policy: &Policy, changes: Value) -> bool {
    ask(policy.clone(), changes).await.is_ok()
}

/// The kind of refusal.
async fn reason(policy: &Policy, changes: Value) -> RefusalKind {
    let key = Key::es256();
    let token = server(&key).validate(&request(&key.token(changes)).into_parts().0).await.unwrap();
    token.require(policy).unwrap_err().kind().clone()
}

// spec: RS-36
#[tokio::test]
async fn authentication_too_weak_is_401_and_names_the_contexts_that_would_do() {
    let policy = Policy::new().acr(["urn:mfa", "phr"]);
    assert!(passes(&policy, json!({ "acr": "phr" })).await);
    for acr in [json!("pwd"), json!("urn:mfa phr"), json!("PHR"), json!(null)] {
        let (status, challenge) = ask(policy.clone(), json!({ "acr": acr })).await.unwrap_err();
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(challenge.contains(r#"error="insufficient_user_authentication""#), "{challenge}");
        assert!(challenge.contains(r#"acr_values="urn:mfa phr""#) && !challenge.contains("max_age"), "{challenge}");
    }
}

// spec: RS-36
#[tokio::test]
async fn authentication_too_old_is_401_and_says_how_old_it_may_be() {
    let policy = Policy::new().max_age(300);
    for (auth_time, good) in [(NOW, true), (NOW - 300, true), (NOW - 301, false), (NOW + 60, true), (NOW + 61, false)] {
        assert_eq!(passes(&policy, json!({ "auth_time": auth_time })).await, good, "{auth_time}");
    }
    let (status, challenge) = ask(policy, json!({})).await.unwrap_err();
    assert_eq!(status, StatusCode::UNAUTHORIZED, "a token that does not say does not meet it");
    assert!(
        challenge.contains(r#"error="insufficient_user_authentication""#) && challenge.contains(r#"max_age="300""#)
    );
}

#[tokio::test]
async fn a_sign_in_grows_old_while_the_token_is_in_the_cache() {
    let (key, clock) = (Key::es256(), super::clock());
    let server = builder(fixed(&key)).clock(clock.clone()).build().unwrap();
    let layer = server.layer().require(Policy::new().max_age(100));
    let token = key.token(json!({ "auth_time": NOW }));
    for (seconds, served) in [(0, true), (100, true), (1, false)] {
        clock.advance(seconds);
        assert_eq!(send(&layer, request(&token)).await.1, served, "{seconds}");
    }
    assert_eq!(super::verifications(&server), 1);
}

// spec: RS-36
#[tokio::test]
async fn step_up_is_judged_before_scope_and_asked_for_in_one_piece() {
    let policy = Policy::new().scope("admin").max_age(60).acr(["mfa"]).max_age(600);
    let (status, challenge) = ask(policy.clone(), json!({ "scope": "read" })).await.unwrap_err();
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(challenge.contains(r#"acr_values="mfa""#) && challenge.contains(r#"max_age="60""#), "{challenge}");
    let signed_in = json!({ "acr": "mfa", "auth_time": NOW });
    let (status, challenge) = ask(policy, signed_in).await.unwrap_err();
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(challenge.contains(r#"scope="admin""#), "{challenge}");
}

// spec: RS-09
#[tokio::test]
async fn one_of_several_scopes_is_enough_and_the_challenge_names_the_first() {
    let policy = Policy::new().any_scope(["read:all audit", "admin"]);
    for (scope, enough) in [("admin", true), ("audit read:all", true), ("audit", false), ("adm", false)] {
        assert_eq!(passes(&policy, json!({ "scope": scope })).await, enough, "{scope}");
    }
    let (status, challenge) = ask(policy, json!({})).await.unwrap_err();
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(challenge.contains(r#"scope="read:all audit""#), "{challenge}");
}

// spec: RS-09
#[tokio::test]
async fn the_challenge_lists_all_the_scope_that_the_operation_needs() {
    let policy = Policy::new().scope("c").any_scope(["d", "e"]);
    for (has, wanted) in [("c", "c d"), ("d", "c d"), ("e", "c e"), ("x", "c d")] {
        let (_, challenge) = ask(policy.clone(), json!({ "scope": has })).await.unwrap_err();
        assert!(challenge.contains(&format!(r#"scope="{wanted}""#)), "{challenge}");
        assert!(passes(&policy, json!({ "scope": wanted })).await);
    }
}

// spec: RS-36
#[tokio::test]
async fn two_policies_ask_for_an_authentication_that_meets_both() {
    let policy = Policy::new().acr(["a", "b", "c"]).max_age(300).and(Policy::new().max_age(60).acr(["c", "b", "d"]));
    let (_, challenge) = ask(policy.clone(), json!({ "acr": "a", "auth_time": NOW })).await.unwrap_err();
    assert!(challenge.contains(r#"acr_values="b c""#) && challenge.contains(r#"max_age="60""#), "{challenge}");
    assert!(passes(&policy, json!({ "acr": "c", "auth_time": NOW - 60 })).await);
    assert!(!passes(&policy, json!({ "acr": "d", "auth_time": NOW })).await);
}

#[test]
#[should_panic(expected = "no authentication context meets both")]
fn policies_that_nobody_can_meet_are_found_when_the_program_starts() {
    drop(Policy::new().acr(["a"]).and(Policy::new().acr(["b"])));
}

#[test]
#[should_panic(expected = "no scope to choose from")]
fn a_choice_of_nothing_is_found_when_the_program_starts() {
    drop(Policy::new().any_scope([]));
}

// spec: RS-20
#[tokio::test]
async fn scope_implies_scope_by_an_explicit_rule_alone() {
    let key = Key::es256();
    let api = |with_rule: bool| -> ResourceServer {
        let builder = builder(fixed(&key));
        if with_rule { builder.scope_implies("admin", "delete") } else { builder }.build().unwrap()
    };
    let token = key.token(json!({ "scope": "admin" }));
    for with_rule in [true, false] {
        let server = api(with_rule);
        for _ in 0..2 {
            assert_eq!(send(&server.layer().require_scope("delete"), request(&token)).await.1, with_rule);
        }
        let found = server.validate_headers(&super::headers(&token)).await.unwrap();
        assert_eq!(found.has_scope("delete"), with_rule);
        assert_eq!(found.scope().to_string(), "admin", "what the token says is not touched");
    }
}

#[tokio::test]
async fn other_requirements_are_403_and_say_nothing_of_the_rule() {
    let is_ada = |token: &ValidatedToken| token.subject() == "ada";
    let cases = [
        (Policy::new().clients(["web", "app"]), json!({ "client_id": "cli" }), NotPermitted::Client),
        (Policy::new().issuers([super::ISSUER]), json!(null), NotPermitted::Issuer),
        (Policy::new().claim("tenant", "acme"), json!({ "tenant": "other" }), NotPermitted::Claim),
        (Policy::new().claim("groups", "staff"), json!({ "groups": ["guests"] }), NotPermitted::Claim),
        (Policy::new().rule("ada", is_ada), json!({ "sub": "eve" }), NotPermitted::Rule("ada")),
        (
            Policy::new().detail(Detail::of_type("pay").action("initiate")),
            json!({ "authorization_details": [{ "type": "pay", "actions": ["read"] }] }),
            NotPermitted::Detail,
        ),
    ];
    let good = json!({
        "tenant": "acme", "groups": ["guests", "staff"],
        "authorization_details": [{ "type": "other" }, { "type": "pay", "actions": ["initiate"] }],
    });
    for (policy, bad, kind) in cases {
        assert!(passes(&policy, good.clone()).await, "{policy:?}");
        if bad.is_null() {
            continue; // There is no good token of another issuer here: see below.
        }
        let (status, challenge) = ask(policy.clone(), bad.clone()).await.unwrap_err();
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(challenge.contains(r#"error="insufficient_scope""#) && !challenge.contains("scope=\""), "{challenge}");
        assert_eq!(reason(&policy, bad).await, RefusalKind::NotPermitted(kind));
    }
}

#[tokio::test]
async fn a_route_may_be_for_the_tokens_of_one_issuer() {
    let (one, other) = (Key::es256(), Key::es256());
    let server = builder(fixed(&one)).issuer(crate::resource::Issuer::jwt("https://b.example").keys(other.set()));
    let layer = server.build().unwrap().layer().require(Policy::new().issuers([super::ISSUER]));
    assert!(send(&layer, request(&one.good())).await.1);
    let (response, served) = send(&layer, request(&other.token(json!({ "iss": "https://b.example" })))).await;
    assert_eq!((response.status(), served), (StatusCode::FORBIDDEN, false));
}

// spec: RS-17
#[tokio::test]
async fn an_audience_asked_for_beside_the_resource_must_be_named() {
    let policy = Policy::new().audience("https://api.example/admin");
    assert!(passes(&policy, json!({ "aud": [RESOURCE, "https://api.example/admin"] })).await);
    let (status, challenge) = ask(policy, json!({})).await.unwrap_err();
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(challenge.contains(r#"error="invalid_token""#));
}

// spec: RS-37
#[tokio::test]
async fn authorization_details_are_enforced_for_the_resource_and_the_action_of_the_request() {
    let key = Key::es256();
    let details = json!([{ "type": "account", "identifier": "7", "actions": ["read"] }]);
    let token = key.token(json!({ "authorization_details": details }));
    let found = server(&key).validate_headers(&super::headers(&token)).await.unwrap();
    let asked = |id: &str, action: &str| Policy::new().detail(Detail::of_type("account").identifier(id).action(action));
    assert!(found.require(&asked("7", "read")).is_ok());
    for (id, action) in [("8", "read"), ("7", "write")] {
        assert_eq!(found.require(&asked(id, action)).unwrap_err().status(), StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn a_bearer_token_is_not_enough_where_a_bound_one_is_asked_for() {
    let (status, challenge) = ask(Policy::new().sender_constrained(), json!({})).await.unwrap_err();
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(challenge.contains(r#"error="invalid_token""#));
}

#[tokio::test]
async fn an_anonymous_request_is_held_to_no_policy_where_the_layer_is_optional() {
    let layer = server(&Key::es256()).layer().optional().require(Policy::new().acr(["mfa"]));
    assert!(send(&layer, Request::new(String::new())).await.1);
}

#[test]
#[should_panic(expected = "no authentication context")]
fn a_context_that_no_challenge_can_name_is_found_when_the_program_starts() {
    drop(Policy::new().acr(["two words"]));
}
