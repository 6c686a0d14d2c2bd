//! Tokens and keys.

use oauth_core::{
    jwt::{Algorithm, Jws},
    keys::SigningKey,
};

use super::*;

#[tokio::test]
async fn a_jwt_is_accepted_until_it_expires() {
    let issuer = MockIssuer::new(AS);
    let api = jwt_api(&issuer);
    let token = issuer.token("ada").audience(API).lifetime(60).jwt();
    assert_eq!(send(&api, &token).await.body(), "ada");
    issuer.clock().advance(59);
    assert_eq!(status(&api, &token).await, 200);
    issuer.clock().advance(31); // the resource server's skew
    assert_eq!(status(&api, &token).await, 401);
    assert_eq!(status(&api, &issuer.token("ada").audience(API).jwt()).await, 200);
    assert_eq!((issuer.calls(Endpoint::Metadata), issuer.calls(Endpoint::Jwks)), (1, 1));
}

#[tokio::test]
async fn a_token_says_what_the_test_says() {
    let issuer = MockIssuer::new(AS);
    let certificate = client_certificate("app");
    let client = issuer.dpop_client();
    let token = issuer.token("ada").audience(API).audience("https://b.example").audience("https://c.example");
    let token = token.scope("b a").client("app").claim("org", json!({ "id": 7 })).claim("jti", "x").lifetime(7);
    let token = token.bound_to(&client).bound_to_certificate(&certificate).header("typ", "application/at+jwt");
    let token = token.header("kid", Value::Null).jwt();
    let jws = Jws::parse(&token).unwrap();
    assert_eq!((jws.typ(), jws.kid(), jws.alg()), (Some("application/at+jwt"), None, Algorithm::ES256));
    let claims: Value = jws.verify(&issuer.keys().keys()[0]).unwrap().claims().unwrap();
    let cnf = json!({ "jkt": client.jkt(), "x5t#S256": certificate.thumbprint() });
    let now = 1_700_000_000;
    let expected = json!({
        "iss": AS, "sub": "ada", "client_id": "app", "iat": now, "exp": now + 7, "jti": "x", "scope": "b a",
        "aud": [API, "https://b.example", "https://c.example"], "org": { "id": 7 }, "cnf": cnf,
    });
    assert_eq!(claims, expected);
    // And lacks what it is to lack; nothing is refused on the way.
    let odd = issuer.token("ada").claim("sub", Value::Null).claim("exp", "never").jwt();
    let claims: Value = Jws::parse(&odd).unwrap().verify(&issuer.keys().keys()[0]).unwrap().claims().unwrap();
    assert_eq!(claims, json!({ "iss": AS, "client_id": "mock-client", "iat": now, "exp": "never", "jti": "2" }));
}

#[tokio::test]
async fn an_opaque_token_is_accepted_until_it_is_revoked_and_the_answer_is_old() {
    let issuer = MockIssuer::new(AS);
    let api = asking_api(&issuer);
    let [token, other] = ["ada", "bob"].map(|user| issuer.token(user).audience(API).opaque());
    assert!(token.starts_with("mock_") && token != other);
    assert_ne!(MockIssuer::new("https://b.example").token("ada").opaque(), MockIssuer::new(AS).token("ada").opaque());
    assert_eq!(send(&api, &token).await.body(), "ada");
    issuer.revoke(&token);
    assert_eq!(status(&api, &token).await, 200, "remembered");
    issuer.clock().advance(30);
    assert_eq!(status(&api, &token).await, 401);
    assert_eq!(send(&api, &other).await.body(), "bob");
    assert_eq!(issuer.calls(Endpoint::Introspection), 3);
}

#[tokio::test]
async fn a_jwt_can_be_introspected_too_and_an_expired_token_is_inactive() {
    let issuer = MockIssuer::new(AS);
    let api = asking_api(&issuer);
    let token = issuer.token("ada").audience(API).lifetime(31).jwt();
    assert_eq!(send(&api, &token).await.body(), "ada");
    issuer.clock().advance(30);
    assert_eq!(status(&api, &token).await, 200, "asked again");
    issuer.clock().advance(1);
    assert_eq!(status(&api, &token).await, 401);
    assert_eq!(issuer.calls(Endpoint::Introspection), 3);
}

#[tokio::test]
async fn keys_rotate_without_a_failed_request_and_old_ones_are_withdrawn() {
    let issuer = MockIssuer::builder(AS).algorithms([Algorithm::EdDSA, Algorithm::ES256]).build();
    let api = jwt_api(&issuer);
    let token = || issuer.token("ada").audience(API).lifetime(100_000);
    let both = || [token().jwt(), token().algorithm(Algorithm::ES256).jwt()];
    let before = both();
    for token in &before {
        assert_eq!(status(&api, token).await, 200);
    }
    for _ in 0..3 {
        issuer.rotate_keys();
        issuer.clock().advance(6);
        for token in both().iter().chain(&before) {
            assert_eq!(status(&api, token).await, 200);
        }
    }
    assert_eq!(issuer.keys().keys().len(), 8);
    assert_eq!(issuer.calls(Endpoint::Jwks), 4);
    issuer.withdraw_old_keys();
    assert_eq!(issuer.keys().keys().len(), 2);
    issuer.clock().advance(600);
    let [eddsa, es256] = both();
    assert_eq!([status(&api, &eddsa).await, status(&api, &es256).await], [200, 200]);
    for token in &before {
        assert_eq!(status(&api, token).await, 401);
    }
}

#[tokio::test]
async fn a_key_of_the_tests_own_signs_until_the_first_rotation() {
    let key = SigningKey::generate(Algorithm::ES384).unwrap();
    let issuer = MockIssuer::builder(AS).key(key.clone()).build();
    let signer = || Jws::parse(&issuer.token("ada").jwt()).unwrap().kid().unwrap().to_owned();
    assert_eq!(signer(), key.kid());
    issuer.rotate_keys();
    assert_ne!(signer(), key.kid());
    assert!(issuer.keys().keys().iter().any(|known| known.thumbprint() == key.kid()));
}

#[test]
#[should_panic(expected = "the issuer has no key for this algorithm: set it with")]
fn an_algorithm_without_a_key_is_a_mistake_of_the_test() {
    drop(MockIssuer::new(AS).token("ada").algorithm(Algorithm::EdDSA).jwt());
}

#[test]
#[should_panic(expected = "the URL of the issuer: ")]
fn an_issuer_that_is_no_url_is_a_mistake_of_the_test() {
    drop(MockIssuer::new("as.example"));
}

#[test]
#[should_panic(expected = "the scope of a token: ")]
fn a_scope_that_is_none_is_a_mistake_of_the_test() {
    drop(MockIssuer::new(AS).token("ada").scope("a\"b"));
}

#[test]
fn debug_output_shows_no_token_and_no_secret() {
    let issuer = MockIssuer::builder(AS).resource_server("api", "hush");
    let shown = format!("{issuer:?}");
    let issuer = issuer.build();
    let token = issuer.token("ada").claim("nonce", "hush");
    let shown = shown + &format!("{issuer:?} {token:?} {:?} {:?}", issuer.dpop_client(), issuer.forged_tokens(API));
    assert!(!shown.contains("hush") && !shown.contains("eyJ"), "{shown}");
    assert_eq!(oauth_core::clock::Clock::now(&issuer.clock()), UnixTime(1_700_000_000));
}
