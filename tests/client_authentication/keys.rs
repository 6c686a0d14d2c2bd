//! Whose keys count: those that were registered, and no others (RFC 8725 section 3.10).

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use oauth_core::{
    client::{AuthMethod, Client, ClientJwks, GrantType},
    clock::{Clock, ManualClock, UnixTime},
    fetch::{Fetch, FetchError, FetchFuture, FetchRequest, Fetched},
    jwt::Algorithm,
};
use serde_json::{Value, json};

use super::assertion::{NOW, SECRET, Signer, hmac, present, sharing, unsigned, why, with, world};
use crate::support::*;

fn signer() -> Signer {
    Signer::new("signer", Algorithm::ES256)
}

// spec: CAU-18, CAU-19
#[tokio::test]
async fn only_a_key_that_is_registered_counts_whatever_the_header_brings_along() {
    let (signer, thief) = (signer(), Signer::new("signer", Algorithm::ES256));
    let w = world(&[signer.registered()]).await;
    let own = serde_json::to_value(thief.key.public_jwk()).unwrap();
    let forged = [
        json!({}),
        json!({ "jwk": own }),
        json!({ "jwk": own, "kid": thief.key.kid() }),
        json!({ "jku": "https://evil.example/jwks", "kid": thief.key.kid() }),
        json!({ "x5u": "https://evil.example/cert", "kid": null }),
        json!({ "x5c": ["MAA="], "kid": null }),
        json!({ "kid": "../../../etc/passwd" }),
        json!({ "kid": "' OR 1=1 --" }),
        json!({ "kid": "x".repeat(2000) }),
        json!({ "crit": ["exp"], "exp": NOW }),
        json!({ "b64": true }),
        json!({ "kid": 7 }),
    ];
    for change in &forged {
        let assertion = thief.sign(&with(signer.header(), change), &signer.claims("1"));
        present(&w, &assertion).await.is_refused(401, "invalid_client");
        assert!(why(&w).starts_with("Assertion("), "{change}: {}", why(&w));
    }
    // The client's own signature is not spoilt by them, nor helped.
    let own_with = |change: &Value, jti| signer.sign(&with(signer.header(), change), &signer.claims(jti));
    present(&w, &own_with(&json!({ "jwk": own, "jku": "https://evil.example" }), "1")).await.tokens();
    present(&w, &own_with(&json!({ "kid": null }), "2")).await.tokens();
    present(&w, &own_with(&json!({ "kid": "another" }), "3")).await.is_refused(401, "invalid_client");
    present(&w, &own_with(&json!({ "crit": ["jti"] }), "4")).await.is_refused(401, "invalid_client");
}

// spec: CAU-18
#[tokio::test]
async fn none_and_an_hmac_under_the_public_key_prove_nothing() {
    let signer = signer();
    let w = world(&[signer.registered(), sharing("sharing").build().unwrap()]).await;
    let claims = signer.claims("1");
    for alg in ["none", "None", "nOnE", "", "HS256", "ES256K", "ES384", "RS256", "dir", "A256GCM"] {
        let header = json!({ "alg": alg, "kid": signer.key.kid() }).to_string();
        let input = unsigned(&header, &claims.to_string());
        let signature = signer.good("1").rsplit_once('.').unwrap().1.to_owned();
        for assertion in [format!("{input}."), format!("{input}.AA"), input.clone(), format!("{input}.{signature}")] {
            present(&w, &assertion).await.is_refused(401, "invalid_client");
        }
    }
    let jwk = serde_json::to_string(signer.key.public_jwk()).unwrap();
    for secret in [jwk.as_str(), signer.key.kid(), SECRET] {
        let header = json!({ "alg": "HS256", "kid": signer.key.kid() });
        let assertion = hmac(&header, &claims, secret, jsonwebtoken::Algorithm::HS256);
        present(&w, &assertion).await.is_refused(401, "invalid_client");
    }
}

/// A `jwks_uri`, and how often it was asked.
#[derive(Clone, Debug)]
struct Published {
    document: Arc<Mutex<Result<String, FetchError>>>,
    asked: Arc<AtomicUsize>,
    clock: ManualClock,
}

impl Fetch for Published {
    fn fetch(&self, _: FetchRequest) -> FetchFuture<'_> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let document = self.document.lock().unwrap().clone();
        let now = self.clock.now();
        Box::pin(async move { document.map(|document| Fetched::new(document.into_bytes(), UnixTime(now.0 - 1))) })
    }
}

// spec: CAU-19
#[tokio::test]
async fn keys_at_a_jwks_uri_are_those_that_are_there_now_and_an_outage_there_is_no_refusal() {
    let [signer, next] = [signer(), signer()];
    let document = |signer: &Signer| Ok(ClientJwks::of([&signer.key]).document().to_string());
    let published = Published {
        document: Arc::new(Mutex::new(document(&signer))),
        asked: Arc::default(),
        clock: ManualClock::new(UnixTime(NOW)),
    };
    let client = Client::builder("signer").auth_method(AuthMethod::PrivateKeyJwt);
    let client = client.grant_type(GrantType::CLIENT_CREDENTIALS).jwks_uri("https://signer.example/jwks");
    let client = client.build().unwrap();
    let w = on_memory_with(|builder| builder.client(client.clone()).fetch(published.clone())).await;

    present(&w, &signer.good("1")).await.tokens();
    assert_eq!(published.asked.load(Ordering::SeqCst), 1);
    // Unknown: it is asked once more, and then that is that.
    present(&w, &next.good("2")).await.is_refused(401, "invalid_client");
    assert_eq!(published.asked.load(Ordering::SeqCst), 3);
    *published.document.lock().unwrap() = document(&next);
    present(&w, &next.good("2")).await.tokens();
    present(&w, &signer.good("3")).await.is_refused(401, "invalid_client");

    *published.document.lock().unwrap() = Err(FetchError::TimedOut);
    present(&w, &next.good("4")).await.is_unavailable();
    *published.document.lock().unwrap() = Err(FetchError::TooLarge);
    present(&w, &next.good("4")).await.is_refused(401, "invalid_client");
    assert_eq!(why(&w), "NoKeys");
}
