//! `private_key_jwt` (RFC 7523, draft-ietf-oauth-rfc7523bis).

use oauth_core::{
    client::{AssertionAlgorithm, ClientJwks},
    engine::client_auth::AssertionAudience,
    jwt::{self, Algorithm},
};
use oauth_tower::outgoing::{ClientAuth, PrivateKeyJwt};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    ENDPOINTS, PARAMS,
    assertion::{JWT_BEARER, NOW, Signer, body, present, sharing, why, with, world},
    send,
};
use crate::support::*;

fn signer() -> Signer {
    Signer::new("signer", Algorithm::ES256)
}

// spec: CAU-13, CAU-14, CAU-15, CAU-16, CAU-20
#[tokio::test]
async fn an_assertion_that_the_clients_key_has_signed_proves_the_client_at_every_endpoint() {
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA] {
        let signer = Signer::new("signer", algorithm);
        let w = world(&[signer.registered()]).await;
        for endpoint in ENDPOINTS {
            assert_eq!(send(&w, endpoint, &[], &body(&signer.good(endpoint))).await.status, 200);
            // RFC 7521 section 4.2: client_id may be there too.
            let named = format!("{}&client_id=signer", body(&signer.good(&format!("{endpoint} named"))));
            assert_eq!(send(&w, endpoint, &[], &named).await.status, 200);
        }
    }
}

/// Every algorithm, signed by the client's side of this project.
// spec: CAU-18
#[tokio::test]
async fn every_asymmetric_algorithm_is_taken_and_only_the_registered_one_if_there_is_one() {
    for algorithm in Algorithm::ALL {
        let signer = Signer::new("signer", *algorithm);
        let (every, one) = (signer.registered(), Signer { client: "one", key: signer.key.clone() });
        let rsa = matches!(algorithm.as_str().split_at(2).0, "RS" | "PS");
        // A key without `alg`, so that another RSA algorithm would be possible.
        let mut jwk = serde_json::to_value(signer.key.public_jwk()).unwrap();
        jwk.as_object_mut().unwrap().remove("alg");
        let jwks = ClientJwks::parse(json!({ "keys": [jwk] }).to_string().as_bytes()).unwrap();
        let other = if *algorithm == Algorithm::RS256 { Algorithm::PS256 } else { Algorithm::RS256 };
        let mut clients = vec![every];
        if rsa {
            let one = one.builder().jwks(jwks).signing_algorithm(AssertionAlgorithm::Signature(other));
            clients.push(one.build().unwrap());
        }
        let w = world(&clients).await;
        let assertion = jwt::sign(&signer.key, "JWT", &signer.claims("1")).unwrap();
        present(&w, &assertion).await.tokens();
        if rsa {
            let assertion = jwt::sign(&signer.key, "JWT", &one.claims("1")).unwrap();
            present(&w, &assertion).await.is_refused(401, "invalid_client");
            assert_eq!(why(&w), "AlgorithmNotAllowed");
        }
    }
}

// spec: CAU-13
#[tokio::test]
async fn an_assertion_has_its_type_and_neither_comes_alone_or_twice() {
    let signer = signer();
    let w = world(&[signer.registered()]).await;
    let good = signer.good("1");
    for endpoint in ENDPOINTS {
        let ask = async |body: String| send(&w, endpoint, &[], &format!("{PARAMS}&{body}")).await;
        for (kind, code, status) in [
            ("urn:ietf:params:oauth:client-assertion-type:saml2-bearer", "invalid_client", 401),
            ("urn:ietf:params:oauth:grant-type:jwt-bearer", "invalid_client", 401),
            ("jwt-bearer", "invalid_client", 401),
            ("", "invalid_request", 400),
        ] {
            ask(format!("client_assertion_type={kind}&client_assertion={good}")).await.is_refused(status, code);
        }
        for body in [
            format!("client_assertion={good}"),
            format!("client_assertion_type={JWT_BEARER}"),
            format!("client_assertion_type={JWT_BEARER}&client_assertion="),
            format!("client_assertion_type={JWT_BEARER}&client_assertion={good}&client_assertion={good}"),
            format!("client_assertion_type={JWT_BEARER}&client_assertion_type={JWT_BEARER}&client_assertion={good}"),
            format!("client_assertion={good}&client_id=signer"),
        ] {
            ask(body).await.is_refused(400, "invalid_request");
        }
        let in_uri = format!("{endpoint}?client_assertion={good}");
        send(&w, &in_uri, &[], PARAMS).await.is_refused(400, "invalid_request");
    }
    // None of these has used it up.
    present(&w, &good).await.tokens();
}

/// What may be wrong with claims, and why that is.
fn wrong_claims() -> Vec<(Value, &'static str)> {
    let other = "https://other.example";
    vec![
        (json!({ "iss": "other" }), "UnknownClient"),
        (json!({ "iss": "app" }), "OtherMethod"),
        (json!({ "sub": "other" }), "OtherIssuer"),
        (json!({ "sub": "SIGNER" }), "OtherIssuer"),
        (json!({ "sub": null }), "Claim(\"sub\")"),
        (json!({ "sub": ["signer"] }), "Claim(\"sub\")"),
        (json!({ "aud": other }), "Audience"),
        (json!({ "aud": format!("{ISSUER}/") }), "Audience"),
        (json!({ "aud": format!("{ISSUER}/revoke") }), "Audience"),
        (json!({ "aud": format!("{ISSUER}/token/") }), "Audience"),
        (json!({ "aud": "https://as.example.evil.example/token" }), "Audience"),
        (json!({ "aud": [ISSUER, other] }), "Audience"),
        (json!({ "aud": [ISSUER, ISSUER] }), "Audience"),
        (json!({ "aud": [ISSUER, format!("{ISSUER}/token")] }), "Audience"),
        (json!({ "aud": [] }), "Audience"),
        (json!({ "aud": [[ISSUER]] }), "Claim(\"aud\")"),
        (json!({ "aud": { "a": ISSUER } }), "Claim(\"aud\")"),
        (json!({ "aud": null }), "Claim(\"aud\")"),
        (json!({ "exp": NOW }), "Expired"),
        (json!({ "exp": NOW - 1 }), "Expired"),
        (json!({ "exp": null }), "Claim(\"exp\")"),
        (json!({ "exp": (NOW + 60).to_string() }), "Claim(\"exp\")"),
        (json!({ "exp": -1 }), "Claim(\"exp\")"),
        (json!({ "exp": 1e300 }), "Claim(\"exp\")"),
        (json!({ "exp": u64::MAX }), "Claim(\"exp\")"),
        (json!({ "exp": NOW + 3601 }), "LongLived"),
        (json!({ "exp": NOW + 3631, "iat": NOW + 31 }), "NotYet"),
        (json!({ "exp": NOW + 3631, "iat": NOW + 30 }), "LongLived"),
        (json!({ "iat": NOW - 3541 }), "LongLived"),
        (json!({ "iat": NOW + 31 }), "NotYet"),
        (json!({ "nbf": NOW + 31 }), "NotYet"),
        (json!({ "nbf": "now" }), "Claim(\"nbf\")"),
        (json!({ "iat": true }), "Claim(\"iat\")"),
        (json!({ "jti": null }), "Claim(\"jti\")"),
        (json!({ "jti": "" }), "Claim(\"jti\")"),
        (json!({ "jti": 7 }), "Claim(\"jti\")"),
        (json!({ "jti": "x".repeat(257) }), "Claim(\"jti\")"),
    ]
}

// spec: CAU-10, CAU-14, CAU-15, CAU-16, CAU-17
#[tokio::test]
async fn claims_that_are_not_as_they_must_be_are_refused_and_the_client_is_not_told_why() {
    let signer = signer();
    let w = world(&[signer.registered()]).await;
    let unknown = send(&w, "/token", &[&basic("who:x")], PARAMS).await.to_string();
    for (change, expected) in wrong_claims() {
        let assertion = signer.sign(&signer.header(), &with(signer.claims("1"), &change));
        let answer = present(&w, &assertion).await;
        answer.is_refused(401, "invalid_client");
        assert_eq!(answer.to_string(), unknown, "{change}");
        assert_eq!(why(&w), expected, "{change}");
    }
    // Without `iss` nobody is named, unless by client_id.
    let without = signer.sign(&signer.header(), &with(signer.claims("1"), &json!({ "iss": null })));
    present(&w, &without).await.is_refused(401, "invalid_client");
    let named = format!("{}&client_id=signer", body(&without));
    send(&w, "/token", &[], &named).await.is_refused(401, "invalid_client");
    assert_eq!(why(&w), "Claim(\"iss\")");
    // None of these has used the identifier up.
    present(&w, &signer.good("1")).await.tokens();
}

// spec: CAU-15, CAU-16, CAU-20
#[tokio::test]
async fn claims_at_the_edge_of_what_is_allowed_are_taken() {
    let signer = signer();
    let w = world(&[signer.registered()]).await;
    for (at, change) in [
        json!({ "aud": [ISSUER] }),
        json!({ "aud": format!("{ISSUER}/token") }),
        json!({ "aud": format!("{ISSUER}/par") }),
        json!({ "exp": NOW + 1 }),
        json!({ "exp": NOW as f64 + 1.5 }),
        json!({ "exp": NOW + 3600 }),
        json!({ "exp": NOW + 3630, "iat": NOW + 30 }),
        json!({ "iat": NOW - 3540 }),
        json!({ "iat": null }),
        json!({ "nbf": NOW + 30 }),
        json!({ "jti": "x".repeat(256) }),
        json!({ "something": { "else": [1] } }),
    ]
    .iter()
    .enumerate()
    {
        let assertion = signer.sign(&signer.header(), &with(signer.claims(&at.to_string()), change));
        let answer = present(&w, &assertion).await;
        assert_eq!(answer.status, 200, "{change} {answer} {:?}", w.events.all().last());
    }
}

// spec: CAU-15
#[tokio::test]
async fn the_token_endpoint_is_no_audience_where_only_the_issuer_is() {
    let signer = signer();
    let w = on_memory_with(|builder| {
        let builder = builder.client(signer.registered());
        builder.client_authentication(|how| how.assertion_audience = AssertionAudience::Issuer)
    })
    .await;
    let with_audience = |aud: Value, jti| {
        let change = json!({ "aud": aud });
        signer.sign(&signer.header(), &with(signer.claims(jti), &change))
    };
    let token_endpoint = format!("{ISSUER}/token");
    let par = format!("{ISSUER}/par");
    for aud in [json!(token_endpoint), json!(par), json!([token_endpoint]), json!([ISSUER, token_endpoint])] {
        present(&w, &with_audience(aud, "1")).await.is_refused(401, "invalid_client");
        assert_eq!(why(&w), "Audience");
    }
    present(&w, &with_audience(json!(ISSUER), "1")).await.tokens();
    present(&w, &with_audience(json!([ISSUER]), "2")).await.tokens();
}

// spec: CAU-20
#[tokio::test]
async fn only_what_says_that_it_is_an_assertion_or_says_nothing_is_one() {
    let signer = signer();
    let w = world(&[signer.registered()]).await;
    let typed = |typ: &Value, jti: &str| {
        let mut header = signer.header();
        header["typ"] = typ.clone();
        signer.sign(&header, &signer.claims(jti))
    };
    for typ in ["JWT", "jwt", "application/jwt", "client-authentication+jwt", "application/Client-Authentication+JWT"] {
        present(&w, &typed(&json!(typ), typ)).await.tokens();
    }
    for typ in ["at+jwt", "dpop+jwt", "oauth-authz-req+jwt", "token-introspection+jwt", "text/jwt", "jwt ", "", "JOSE"]
    {
        present(&w, &typed(&json!(typ), "1")).await.is_refused(401, "invalid_client");
        assert_eq!(why(&w), "AssertionOfOtherType", "{typ}");
    }
    for typ in [json!(["JWT"]), json!(1), json!(null)] {
        present(&w, &typed(&typ, "1")).await.is_refused(401, "invalid_client");
    }
}

// spec: CAU-06, CAU-07
#[tokio::test]
async fn an_assertion_comes_alone_and_for_the_client_that_is_named() {
    let signer = signer();
    let w = world(&[signer.registered()]).await;
    let assertion = body(&signer.good("1"));
    for endpoint in ENDPOINTS {
        for (authorization, more) in [
            (Some(super::web()), ""),
            (Some(basic("signer:x")), ""),
            (None, "&client_secret=x"),
            (None, "&client_id=signer&client_secret=x"),
            (None, "&client_id=web"),
            (None, "&client_id=Signer"),
            (None, "&client_id=who"),
        ] {
            let authorization: Vec<&str> = authorization.as_deref().into_iter().collect();
            let answer = send(&w, endpoint, &authorization, &format!("{assertion}{more}")).await;
            answer.is_refused(400, "invalid_request");
        }
    }
    assert_eq!(send(&w, "/token", &[], &assertion).await.status, 200);
}

// spec: CAU-08
#[tokio::test]
async fn whoever_is_registered_for_an_assertion_proves_itself_by_nothing_else() {
    let (signer, app) = (signer(), Signer { client: "app", ..signer() });
    let w = world(&[signer.registered(), sharing("sharing").build().unwrap()]).await;
    for id in ["signer", "sharing"] {
        let secret = super::assertion::SECRET;
        for caller in [Caller::Public(id), Caller::Basic(id, "x"), Caller::Post(id, "x"), Caller::Post(id, secret)] {
            w.token(caller, &[("grant_type", "client_credentials")]).await.is_refused(401, "invalid_client");
            assert_eq!(why(&w), "OtherMethod");
        }
    }
    // And nobody else by an assertion.
    present(&w, &app.good("1")).await.is_refused(401, "invalid_client");
    assert_eq!(why(&w), "OtherMethod");
}

#[tokio::test]
async fn a_method_that_is_switched_off_proves_nobody() {
    let signer = signer();
    let w = on_memory_with(|builder| {
        builder.client_authentication(|how| how.methods.retain(|method| !method.uses_assertion()))
    })
    .await;
    w.server.store().put_client(signer.registered()).await.unwrap();
    present(&w, &signer.good("1")).await.is_refused(401, "invalid_client");
    assert_eq!(why(&w), "MethodOff");
}

/// The client's side of this project.
#[tokio::test]
async fn our_own_assertions_are_taken() {
    let signer = signer();
    let w = world(&[signer.registered()]).await;
    let own: ClientAuth = PrivateKeyJwt::new("signer", signer.key.clone(), ISSUER).into();
    assert!(format!("{own:?}").contains("signer"));
    let mut header = signer.header();
    header["typ"] = json!(PrivateKeyJwt::DEFAULT_TYPE);
    present(&w, &signer.sign(&header, &signer.claims("1"))).await.tokens();
}

/// Texts that are not quite an assertion.
fn mutants() -> impl Strategy<Value = (usize, u8, usize)> {
    (any::<usize>(), any::<u8>(), 0..4_usize)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    // spec: CAU-13, CAU-18
    #[test]
    fn an_assertion_that_was_changed_anywhere_proves_nothing((at, byte, how) in mutants(), junk in "\\PC{0,80}") {
        thread_local! {
            static RUN: (tokio::runtime::Runtime, World, Signer) = {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let signer = signer();
                let w = runtime.block_on(world(&[signer.registered()]));
                (runtime, w, signer)
            };
        }
        RUN.with(|(runtime, w, signer)| {
            let good = signer.good("1").into_bytes();
            let (mut changed, at) = (good.clone(), at % good.len());
            match how {
                0 => changed[at] = byte,
                1 => changed.truncate(at),
                2 => changed.insert(at, byte),
                _ => changed = junk.into_bytes(),
            }
            if changed == good {
                return;
            }
            let encoded: String = form_urlencoded::byte_serialize(&changed).collect();
            let answer = runtime.block_on(present(w, &encoded));
            assert!(answer.status == 401 || answer.status == 400, "{answer}");
        });
    }
}
