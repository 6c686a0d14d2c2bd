//! What clients get: statuses, challenges, bodies.

use std::sync::Arc;

use http::{Method, Request, StatusCode, header::AUTHORIZATION};
use serde_json::json;
use tower::{Layer, ServiceBuilder, ServiceExt};

use super::*;
use crate::resource::{Anonymous, InvalidRequest, Refusal, RefusalKind, Require};

fn with(header: &str) -> Request<String> {
    Request::builder().header(AUTHORIZATION, header).body(String::new()).unwrap()
}

// spec: RS-11
#[tokio::test]
async fn a_good_token_reaches_the_service_with_its_claims() {
    let key = Key::es256();
    let (response, served) = send(&server(&key).layer(), request(&key.good())).await;
    assert!(served);
    assert_eq!((response.status(), response.body().as_str()), (StatusCode::OK, "ada"));
}

#[tokio::test]
async fn every_claim_has_its_accessor() {
    let key = Key::es256();
    let token = key.token(json!({ "org": 7, "acr": "mfa" }));
    let token = server(&key).validate_headers(&headers(&token)).await.unwrap();
    assert_eq!((token.subject(), token.client_id(), token.issuer()), ("ada", Some("app"), ISSUER));
    assert_eq!(token.audience(), [RESOURCE]);
    assert_eq!(token.expires_at(), Some(UnixTime(NOW + 300)));
    assert_eq!(token.token_type().as_str(), "Bearer");
    assert_eq!(*token.scope(), "write read".parse().unwrap());
    assert_eq!(token.claim("org"), Some(&json!(7)));
    assert_eq!(token.claims().acr.as_deref(), Some("mfa"));
    let shown = format!("{token:?} {:?} {:?}", token.claims(), server(&key));
    assert!(!shown.contains("ada") && !shown.contains("mfa"), "{shown}");
}

// spec: RS-07
#[tokio::test]
async fn no_credentials_get_401_and_a_challenge_without_an_error() {
    let layer = server(&Key::es256()).layer();
    for request in [Request::new(String::new()), with("Basic YTpi"), with("DPoP abc"), with("")] {
        let (response, served) = send(&layer, request).await;
        assert!(!served);
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(challenge(&response), r#"Bearer realm="https://api.example""#);
        assert!(response.body().is_empty());
    }
}

// spec: RS-05
#[tokio::test]
async fn a_token_in_the_query_alone_is_handled_as_no_credentials() {
    let key = Key::es256();
    let uri = format!("/?access_token={}", key.good());
    let (response, served) = send(&server(&key).layer(), Request::get(uri).body(String::new()).unwrap()).await;
    assert!(!served);
    assert_eq!(challenge(&response), r#"Bearer realm="https://api.example""#);
}

// spec: RS-06
#[tokio::test]
async fn a_token_in_the_header_and_in_the_query_gets_400() {
    let key = Key::es256();
    let request = |query: &str| {
        let mut request = request(&key.good());
        *request.uri_mut() = format!("/albums?{query}").parse().unwrap();
        request
    };
    let server = server(&key);
    // Neither before the token is known nor after.
    for _ in 0..2 {
        let (response, served) = send(&server.layer(), request("access_token=x")).await;
        assert!(!served);
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        assert!(challenge(&response).contains(r#"error="invalid_request""#));
        assert!(send(&server.layer(), request("page=2")).await.1);
    }
    let lenient = builder(fixed(&key)).ignore_query_tokens().build().unwrap();
    assert!(send(&lenient.layer(), request("access_token=x")).await.1);
}

// spec: RS-02
#[tokio::test]
async fn malformed_and_repeated_headers_get_400() {
    let key = Key::es256();
    let layer = server(&key).layer();
    let mut twice = request(&key.good());
    twice.headers_mut().append(AUTHORIZATION, "Basic YTpi".parse().unwrap());
    for request in [with("Bearer"), with("Bearer a b"), with("Bearer a,b"), with("Bearer \"a\""), twice] {
        let (response, served) = send(&layer, request).await;
        assert!(!served);
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        assert!(challenge(&response).contains(r#"error="invalid_request""#));
    }
}

// spec: RS-08
#[tokio::test]
async fn a_bad_token_gets_401_invalid_token_and_the_description_tells_nothing() {
    let key = Key::es256();
    let server = server(&key);
    let bad = [key.token(json!({ "exp": NOW - 31 })), Key::es256().good(), "junk".into(), "a.b.c".into()];
    let mut challenges = Vec::new();
    for token in bad {
        let (response, served) = send(&server.layer(), request(&token)).await;
        assert!(!served);
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        challenges.push(challenge(&response).to_owned());
    }
    challenges.dedup();
    let [only] = &challenges[..] else { panic!("the reasons can be told apart: {challenges:?}") };
    assert!(only.contains(r#"error="invalid_token""#));
}

// spec: RS-09
#[tokio::test]
async fn a_good_token_without_the_scope_gets_403_and_learns_what_is_needed() {
    let key = Key::es256();
    let layer = server(&key).layer().require_scope("read admin").require_scope("audit");
    let (response, served) = send(&layer, request(&key.good())).await;
    assert!(!served);
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert!(challenge(&response).contains(r#"error="insufficient_scope""#));
    assert!(challenge(&response).contains(r#"scope="read admin audit""#));
    let (_, served) = send(&layer, request(&key.token(json!({ "scope": "audit admin read x" })))).await;
    assert!(served);
}

// spec: RS-20
#[tokio::test]
async fn scope_tokens_match_whole_and_in_their_case() {
    let key = Key::es256();
    for (has, needs, enough) in [
        ("read:all", "read", false),
        ("read", "read:all", false),
        ("Read", "read", false),
        ("write read", "read write", true),
    ] {
        let layer = server(&key).layer().require_scope(needs);
        let (_, served) = send(&layer, request(&key.token(json!({ "scope": has })))).await;
        assert_eq!(served, enough, "{has} for {needs}");
    }
    let token = key.token(json!({ "scope": null }));
    assert!(!send(&server(&key).layer().require_scope("read"), request(&token)).await.1);
}

// spec: RS-10
#[tokio::test]
async fn a_realm_cannot_break_out_of_its_quotes() {
    let key = Key::es256();
    let server = builder(fixed(&key)).realm("a\"b\\c\r\nd\u{e9}").build().unwrap();
    let (response, _) = send(&server.layer(), Request::new(String::new())).await;
    assert_eq!(challenge(&response), r#"Bearer realm="a\"b\\c''d'""#);
}

// spec: RS-12
#[tokio::test]
async fn optional_lets_nobody_pass_and_refuses_bad_tokens_all_the_same() {
    let key = Key::es256();
    let layer = server(&key).layer().optional().require_scope("read");
    for request in [Request::new(String::new()), with("Basic YTpi")] {
        let (response, served) = send(&layer, request).await;
        assert!(served);
        assert_eq!(response.body(), "anonymous");
    }
    let (response, _) = send(&layer, request(&key.good())).await;
    assert_eq!(response.body(), "ada");
    for bad in [request("junk"), request(&Key::es256().good()), with("Bearer"), with("DPoP abc")] {
        let (response, served) = send(&layer, bad).await;
        assert!(!served, "{}", response.status());
    }
}

// spec: RS-13
#[tokio::test]
async fn a_preflight_passes_without_a_token_and_nothing_else_does() {
    let layer = server(&Key::es256()).layer();
    let request = |method: Method, headers: &[&str]| {
        let mut request = Request::builder().method(method);
        for header in headers {
            request = request.header(*header, "x");
        }
        request.body(String::new()).unwrap()
    };
    let both = ["origin", "access-control-request-method"];
    assert!(send(&layer, request(Method::OPTIONS, &both)).await.1);
    assert!(!send(&layer, request(Method::GET, &both)).await.1);
    assert!(!send(&layer, request(Method::OPTIONS, &["origin"])).await.1);
    assert!(!send(&layer, request(Method::OPTIONS, &[])).await.1);
    assert!(!send(&layer, request(Method::OPTIONS, &[both[0], both[1], "authorization"])).await.1);
}

// spec: RS-35
#[tokio::test]
async fn a_bound_token_is_not_taken_for_a_bearer_token_however_often_it_comes() {
    let key = Key::es256();
    let server = server(&key);
    for cnf in [json!({ "jkt": "x" }), json!({ "x5t#S256": "x" }), json!({ "jwk": {} }), json!({})] {
        let token = key.token(json!({ "cnf": cnf }));
        for _ in 0..2 {
            assert_eq!(present(&server, &token).await, (StatusCode::UNAUTHORIZED, false));
        }
    }
}

#[tokio::test]
async fn require_scope_reads_what_the_layer_found() {
    let key = Key::es256();
    let calls = Arc::new(AtomicUsize::new(0));
    let inner = Require::scope("admin").layer(service(&calls));
    let ask =
        |layer: ResourceLayer, request| ServiceBuilder::new().layer(layer).service(inner.clone()).oneshot(request);

    let response = ask(server(&key).layer(), request(&key.good())).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert!(challenge(&response).starts_with(r#"Bearer realm="https://api.example""#));
    assert!(challenge(&response).contains(r#"scope="admin""#));

    let anonymous = ask(server(&key).layer().optional(), Request::new(String::new())).await.unwrap();
    assert_eq!(anonymous.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(challenge(&anonymous), r#"Bearer realm="https://api.example""#);

    let unlayered = inner.clone().oneshot(request(&key.good())).await.unwrap();
    assert_eq!(unlayered.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(calls.load(Ordering::SeqCst), 0);

    let response = ask(server(&key).layer(), request(&key.token(json!({ "scope": "admin" })))).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_optional_layer_hides_the_token_of_an_outer_resource() {
    let key = Key::es256();
    let mut request = Request::new(String::new());
    let token = server(&key).validate_headers(&headers(&key.good())).await.unwrap();
    request.extensions_mut().insert(token);
    let (response, _) = send(&server(&key).layer().optional(), request).await;
    assert_eq!(response.body(), "anonymous");
}

#[tokio::test]
async fn validate_takes_the_same_path_as_the_layer() {
    let key = Key::es256();
    let server = server(&key).clone();
    let parts = request(&key.good()).into_parts().0;
    assert_eq!(server.validate(&parts).await.unwrap().subject(), "ada");
    assert_eq!(verifications(&server), 1);
    present(&server, &key.good()).await;
    assert!(send(&server.layer(), Request::from_parts(parts, String::new())).await.1);

    let refused = server.validate_headers(&HeaderMap::new()).await.unwrap_err();
    assert_eq!(*refused.kind(), RefusalKind::MissingCredentials);
    let mut parts = request(&key.good()).into_parts().0;
    parts.uri = "/?access_token=x".parse().unwrap();
    let refused = server.validate(&parts).await.unwrap_err();
    assert_eq!(*refused.kind(), RefusalKind::InvalidRequest(InvalidRequest::SeveralTokens));
    let bound = key.token(json!({ "cnf": { "jkt": "x" } }));
    assert_eq!(server.validate_headers(&headers(&bound)).await.unwrap_err().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_body_of_a_refusal_is_the_programs_own() {
    let layer = server(&Key::es256()).layer().render_with(|refusal: &Refusal| {
        let code = refusal.error_code().map_or("none".to_owned(), |code| code.to_string());
        refusal.response(code)
    });
    let calls = Arc::new(AtomicUsize::new(0));
    let service = layer.layer(service(&calls));
    let response = service.clone().oneshot(request("junk")).await.unwrap();
    assert_eq!((response.status(), response.body().as_str()), (StatusCode::UNAUTHORIZED, "invalid_token"));
    assert!(challenge(&response).contains("invalid_token"));
    let response = service.oneshot(Request::new(String::new())).await.unwrap();
    assert_eq!(response.body(), "none");
}

#[test]
#[should_panic(expected = "a scope is a list")]
fn a_scope_that_is_none_is_found_when_the_program_starts() {
    drop(server(&Key::es256()).layer().require_scope("a\"b"));
}

#[tokio::test]
async fn the_marker_of_anonymity_knows_the_challenge() {
    let layer = server(&Key::es256()).layer().optional();
    let seen = service_fn(|request: Request<String>| async move {
        let refusal = request.extensions().get::<Anonymous>().unwrap().refusal();
        Ok::<_, Infallible>(refusal.response(String::new()))
    });
    let response = layer.layer(seen).oneshot(Request::new(String::new())).await.unwrap();
    assert_eq!(challenge(&response), r#"Bearer realm="https://api.example""#);
}

#[tokio::test]
async fn an_answer_that_was_given_before_is_given_again_and_only_for_the_same_reason() {
    let key = Key::es256();
    let server = server(&key);
    let ask = async |request: Request<String>| send(&server.layer(), request).await.0.headers().clone();
    let (none, bad) = (ask(Request::new(String::new())).await, ask(request("junk")).await);
    assert_ne!(none, bad);
    for _ in 0..2 {
        assert_eq!(ask(Request::new(String::new())).await, none);
        assert_eq!(ask(request("junk")).await, bad);
        let unbound = ask(with("DPoP abc")).await;
        assert_eq!(unbound, none, "a scheme that is not served is no credential");
    }
}

// spec: RS-13
#[tokio::test]
async fn a_preflight_that_nobody_answers_reaches_the_service_as_anonymous() {
    let key = Key::es256();
    let preflight = || {
        let request = Request::builder().method(Method::OPTIONS).header("origin", "https://app.example");
        request.header("access-control-request-method", "GET").body(String::new()).unwrap()
    };
    let mut with_stranger = preflight();
    let token = server(&key).validate_headers(&headers(&key.good())).await.unwrap();
    with_stranger.extensions_mut().insert(token);
    for request in [preflight(), with_stranger] {
        let (response, served) = send(&server(&key).layer(), request).await;
        assert!(served);
        assert_eq!(response.body(), "anonymous");
    }
    let inner = Require::scope("read").layer(service(&Arc::default()));
    let response = server(&key).layer().layer(inner).oneshot(preflight()).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "not the program's fault");
}
