//! `GET /jwks`: the keys that JWT access tokens are verified with (RFC 7517).

use std::collections::HashSet;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use serde_json::Value;

use crate::support::*;

async fn jwt(w: &World) -> String {
    w.token(WEB, &[("grant_type", "client_credentials"), ("resource", JWT_API)]).await.tokens().access
}

// spec: MET-08
#[tokio::test]
async fn the_set_holds_public_keys_only_each_with_its_name_and_use() {
    let w = on_memory().await;
    w.server.rotate_signing_key().await.unwrap();
    let uri = w.get("/.well-known/oauth-authorization-server").await.member("jwks_uri");
    assert_eq!(uri, "https://as.example/jwks");
    let set = w.get("/jwks").await.json();
    let keys = set["keys"].as_array().unwrap();
    let kids: HashSet<&str> = keys.iter().filter_map(|key| key["kid"].as_str()).collect();
    assert_eq!((keys.len(), kids.len()), (2, 2));
    for key in keys {
        let members: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
        assert_eq!((&key["alg"], &key["use"]), (&"ES256".into(), &"sig".into()));
    }
}

// spec: MET-08
#[tokio::test]
async fn a_library_that_nobody_here_wrote_verifies_a_token_with_it() {
    on_every_store(async |w| {
        let token = jwt(&w).await;
        let set: JwkSet = serde_json::from_str(&w.get("/jwks").await.body).unwrap();
        let header = jsonwebtoken::decode_header(&token).unwrap();
        assert_eq!(header.typ.as_deref(), Some("at+jwt"));
        let key = DecodingKey::from_jwk(set.find(&header.kid.unwrap()).unwrap()).unwrap();
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_audience(&[JWT_API]);
        rules.set_issuer(&[ISSUER]);
        rules.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
        rules.validate_exp = false; // The server's clock is not the machine's.
        let claims = jsonwebtoken::decode::<Value>(&token, &key, &rules).unwrap().claims;
        assert_eq!((&claims["client_id"], &claims["exp"]), (&"web".into(), &(w.server.now().0 + 300).into()));
    })
    .await;
}

#[tokio::test]
async fn a_token_stays_good_while_keys_roll() {
    on_every_store(async |w| {
        let old = jwt(&w).await;
        w.server.rotate_signing_key().await.unwrap();
        w.clock.advance(299);
        w.server.maintain().await.unwrap();
        let late = jwt(&w).await;
        assert_eq!(kid(&old), kid(&late), "a key is published before it signs");
        w.clock.advance(1);
        let new = jwt(&w).await;
        assert_ne!(kid(&new), kid(&late));
        w.clock.advance(298);
        w.server.maintain().await.unwrap();
        assert!(w.lives(&late).await && w.lives(&new).await);
        w.clock.advance(600);
        w.server.maintain().await.unwrap();
        let published = w.get("/jwks").await.body;
        assert!(published.contains(&kid(&new)) && !published.contains(&kid(&old)));
    })
    .await;
}

fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}
