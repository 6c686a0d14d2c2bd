//! What the endpoints answer.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use oauth_core::jwt::{Algorithm, Jws};

use super::*;

#[tokio::test]
async fn metadata_lie_where_oauth_and_openid_connect_look_for_them() {
    let issuer = MockIssuer::builder("https://as.example/tenant").cache_control("max-age=7").build();
    for url in [
        "https://as.example/.well-known/oauth-authorization-server/tenant",
        "https://as.example/tenant/.well-known/openid-configuration",
        "https://as.example/.well-known/openid-configuration/tenant",
        "https://AS.example/tenant/.well-known/openid-configuration?x",
        "/tenant/.well-known/openid-configuration", // as it comes over a socket
    ] {
        let response = get(&issuer, url).await;
        assert_eq!(response.status(), 200, "{url}");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(response.headers()[CACHE_CONTROL], "max-age=7");
        let metadata = body(&response);
        assert_eq!(metadata["issuer"], "https://as.example/tenant");
        assert_eq!(metadata["jwks_uri"], issuer.jwks_uri());
        assert_eq!(metadata["introspection_endpoint"], "https://as.example/tenant/introspect");
    }
    assert_eq!((issuer.calls(Endpoint::Metadata), issuer.requests().len()), (5, 5));
    let keys = get(&issuer, "https://as.example/tenant/jwks").await;
    assert_eq!(keys.headers()[CACHE_CONTROL], "max-age=7");
    assert_eq!(body(&keys)["keys"][0]["alg"], "ES256");
    assert!(body(&keys)["keys"][0].get("d").is_none());
}

#[tokio::test]
async fn metadata_can_be_anothers_or_lack_something() {
    let issuer = MockIssuer::builder(AS).metadata("issuer", "https://evil.example").build();
    let token = issuer.token("ada").audience(API).jwt();
    assert_eq!(status(&jwt_api(&issuer), &token).await, 503);
    let issuer = MockIssuer::builder(AS).metadata("jwks_uri", Value::Null).metadata("extra", json!([1])).build();
    let metadata = body(&get(&issuer, "/.well-known/oauth-authorization-server").await);
    assert!(metadata.get("jwks_uri").is_none());
    assert_eq!(metadata["extra"], json!([1]));
}

#[tokio::test]
async fn whatever_is_elsewhere_is_not_found_and_noted() {
    let issuer = MockIssuer::new(AS);
    for url in ["https://evil.example/jwks", "https://as.example:444/jwks", "https://as.example/jwks/", "/token"] {
        assert_eq!(get(&issuer, url).await.status(), 404, "{url}");
    }
    assert_eq!(issuer.calls(Endpoint::Elsewhere), 4);
    assert_eq!(issuer.requests()[0].request().uri(), "https://evil.example/jwks");
    issuer.forget_requests();
    assert!(issuer.requests().is_empty());
    assert_eq!(get(&issuer, &issuer.introspection_endpoint()).await.status(), 405);
}

#[tokio::test]
async fn introspection_is_for_resource_servers_that_prove_who_they_are() {
    let issuer = MockIssuer::builder(AS).resource_server("a:b", "s c+r%t").resource_server("two", "2").build();
    let token = issuer.token("ada").opaque();
    let robot = issuer.token("robot").client("two").jwt();
    let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    let form = format!("token={token}");
    let body_of = |more: &str| format!("{form}&{more}");
    for (authorization, form, expected) in [
        (Some(basic("a%3Ab:s+c%2Br%25t")), form.clone(), 200),
        (Some(basic("two:2")), form.clone(), 200),
        (None, body_of("client_id=two&client_secret=2"), 200),
        (Some(format!("Bearer {robot}")), form.clone(), 200),
        (None, form.clone(), 401),
        (None, body_of("client_id=two"), 401),
        (None, body_of("client_id=two&client_secret=s+c%2Br%25t"), 401),
        (Some(basic("two:3")), form.clone(), 401),
        (Some(basic("two")), form.clone(), 401),
        (Some("Basic ???".into()), body_of("client_id=two&client_secret=2"), 401),
        (Some(format!("Bearer {token}x")), form.clone(), 401),
        (Some(format!("DPoP {robot}")), form.clone(), 401),
        (Some(basic("two:2")), String::new(), 400),
    ] {
        let response = post(&issuer, authorization.as_deref(), &form).await;
        assert_eq!(response.status(), expected, "{authorization:?} {form}");
        assert_eq!(response.headers().contains_key(WWW_AUTHENTICATE), expected == 401);
    }
    assert_eq!(issuer.requests()[2].parameter("client_id").unwrap(), "two");
    assert!(!format!("{:?}", issuer.requests()).contains(&token));
}

#[tokio::test]
async fn wrong_credentials_are_an_outage_for_whoever_sends_a_token() {
    let issuer = MockIssuer::new(AS);
    let asked = Issuer::introspection_discovered(AS);
    let post = api_of(&issuer, asked.client_post("mock-resource-server", "wrong")).build().unwrap();
    assert_eq!(status(&post, &issuer.token("ada").audience(API).opaque()).await, 503);
}

#[tokio::test]
async fn an_answer_says_what_the_token_says_and_how_it_is_bound() {
    let issuer = MockIssuer::builder(AS).resource_server("api", "hush").build();
    let ask = |token: String| {
        let issuer = issuer.clone();
        async move { body(&post(&issuer, Some("Basic YXBpOmh1c2g="), &format!("token={token}")).await) }
    };
    let answer = ask(issuer.token("ada").scope("read").opaque()).await;
    assert_eq!(
        (&answer["active"], &answer["scope"], &answer["token_type"]),
        (&json!(true), &json!("read"), &json!("Bearer"))
    );
    let bound = issuer.token("ada").bound_to(&issuer.dpop_client()).opaque();
    assert_eq!(ask(bound).await["token_type"], "DPoP");
    assert_eq!(ask("unknown".into()).await, json!({ "active": false }));
}

#[tokio::test]
async fn an_answer_is_signed_for_whoever_asks_for_that() {
    let issuer = MockIssuer::builder(AS).algorithms([Algorithm::EdDSA]).resource_server("api", "hush").build();
    let token = issuer.token("ada").opaque();
    let request = Request::post(issuer.introspection_endpoint())
        .header(AUTHORIZATION, "Basic YXBpOmh1c2g=")
        .header(ACCEPT, "application/token-introspection+jwt")
        .body(Bytes::from(format!("token={token}")));
    let response = issuer.http().send(request.unwrap()).await.unwrap();
    assert_eq!(response.headers()[CONTENT_TYPE], "application/token-introspection+jwt");
    let text = String::from_utf8(response.into_body().to_vec()).unwrap();
    let jws = Jws::parse(&text).unwrap();
    assert_eq!(jws.typ(), Some("token-introspection+jwt"));
    let claims: Value = jws.verify(&issuer.keys().keys()[0]).unwrap().claims().unwrap();
    assert_eq!((&claims["iss"], &claims["aud"], &claims["iat"]), (&json!(AS), &json!("api"), &json!(1_700_000_000)));
    assert_eq!(claims["token_introspection"]["sub"], "ada");
    assert!(claims.get("exp").is_none(), "RFC 9701 section 5");
}
