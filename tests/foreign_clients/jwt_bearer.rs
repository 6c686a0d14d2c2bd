//! Tokens for the assertions of another issuer (RFC 7523 section 2.1), which the libraries make and bring.

use oauth_core::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use super::{features::Feature, in_file, with_secret};
use crate::support::*;

pub(super) const BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

fn agent() -> Value {
    let client = json!({
        "client_id": "agent",
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": [BEARER],
        "scope": "albums:read",
    });
    with_secret(client, "an-agent-with-a-letter-6Ty2Mv9Kx4Qs")
}

/// Who makes the assertions of a library's.
fn issuer_of(library: Library) -> String {
    format!("https://idp.example/{library:?}")
}

/// A server that trusts an issuer for each library, with their private keys.
async fn site() -> (Reference, [(Library, Value); 3]) {
    let mut keys = Vec::new();
    for library in Library::ALL {
        keys.push((library, library.key("ES256").await));
    }
    let issuers: Vec<_> = keys
        .iter()
        .map(|(library, (_, public))| json!({ "issuer": issuer_of(*library), "jwks": { "keys": [public] } }))
        .collect();
    let section = json!({ "jwt_bearer": { "enabled": true, "issuers": issuers } });
    let server = Reference::with(&format!("{}{}", in_file(&[agent()]), toml::to_string(&section).unwrap()));
    let keys: Vec<_> = keys.into_iter().map(|(library, (private, _))| (library, private)).collect();
    (server, keys.try_into().unwrap())
}

fn claims(library: Library, server: &Reference, jti: &str) -> Value {
    let now = SystemClock.now().0;
    let iss = issuer_of(library);
    json!({ "iss": iss, "sub": "alice", "aud": server.issuer, "iat": now, "exp": now + 300, "jti": jti })
}

async fn sign(library: Library, key: &Value, claims: &Value) -> Value {
    library.ask(json!({ "do": "sign", "key": key, "claims": claims })).await.granted()
}

async fn bring(client: &Foreign, assertion: &Value) -> Outcome {
    let parameters = json!({ "assertion": assertion, "scope": "albums:read" });
    client.ask("grant", json!({ "grant_type": BEARER, "parameters": parameters })).await
}

#[tokio::test]
async fn an_assertion_of_a_trusted_issuer_brings_one_token_for_its_subject() {
    let (server, keys) = site().await;
    let _program = server.start();
    for (library, key) in keys {
        let client = Foreign::new(library, &server).known_as(&agent());
        let assertion = sign(library, &key, &claims(library, &server, "one")).await;
        let tokens = bring(&client, &assertion).await.granted();
        assert_eq!((&tokens["scope"], &tokens["refresh_token"]), (&json!("albums:read"), &Value::Null));
        let known = client.send("introspect", &tokens["access_token"]).await.granted();
        assert_eq!((&known["sub"], &known["client_id"]), (&json!("alice"), &json!("agent")));
        bring(&client, &assertion).await.refused(400, "invalid_grant");

        let good = claims(library, &server, "two");
        let wrong = [
            ("iss", json!("https://idp.example/stranger")),
            ("iss", json!("https://idp.example/")),
            ("aud", json!("https://elsewhere.example")),
            ("sub", json!("")),
            ("exp", json!(SystemClock.now().0 - 60)),
            ("jti", json!("one")),
        ];
        for (name, value) in wrong {
            let mut bad = good.clone();
            bad[name] = value;
            bring(&client, &sign(library, &key, &bad).await).await.refused(400, "invalid_grant");
        }
        let (stranger, _) = library.key("ES256").await;
        bring(&client, &sign(library, &stranger, &good).await).await.refused(400, "invalid_grant");
        let impostor = client.with("client_secret", "not-the-secret-of-an-agent-2Gd7Wm");
        let assertion = sign(library, &key, &good).await;
        bring(&impostor, &assertion).await.refused(401, "invalid_client");
        bring(&client, &assertion).await.granted();
    }
}

#[tokio::test]
async fn the_token_for_an_assertion_is_bound_to_the_key_that_the_library_proves() {
    let (server, keys) = site().await;
    let _program = server.start();
    for (library, key) in keys.into_iter().filter(|(library, _)| Feature::Dpop.is_in(*library)) {
        let client = Foreign::new(library, &server).known_as(&agent()).holding(&format!("{library:?} agent"));
        let jkt = client.ask("thumbprint", json!({})).await.granted();
        let assertion = sign(library, &key, &claims(library, &server, "one")).await;
        let tokens = bring(&client, &assertion).await.granted();
        let known = client.send("introspect", &tokens["access_token"]).await.granted();
        assert_eq!((&known["token_type"], &known["cnf"]["jkt"]), (&json!("DPoP"), &jkt));
    }
}

#[tokio::test]
async fn authlibs_session_for_assertions_gets_a_token_without_a_client() {
    let (server, keys) = site().await;
    let _program = server.start();
    let (library, key) = &keys[2];
    assert_eq!(*library, Library::Authlib);
    let nobody = Foreign::new(*library, &server);
    let bring = async |key: &Value, claims: Value| {
        nobody.ask("bring", json!({ "key": key, "claims": claims, "scope": "albums:read" })).await
    };
    let tokens = bring(key, claims(*library, &server, "")).await.granted();
    assert_eq!((&tokens["scope"], &tokens["token_type"]), (&json!("albums:read"), &json!("Bearer")));
    let (stranger, _) = library.key("ES256").await;
    bring(&stranger, claims(*library, &server, "")).await.refused(400, "invalid_grant");
}
