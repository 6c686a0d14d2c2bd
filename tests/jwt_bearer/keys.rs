//! The keys of an issuer at a `jwks_uri`.

use std::sync::{Arc, Mutex};

use oauth_core::{
    clock::UnixTime,
    fetch::{Fetch, FetchError, FetchFuture, FetchRequest, Fetched},
};

use super::*;

/// What is there at the moment.
#[derive(Clone, Debug)]
struct Published(Arc<Mutex<Result<String, FetchError>>>);

impl Published {
    fn of(key: &SigningKey) -> Result<String, FetchError> {
        Ok(ClientJwks::of([key]).document().to_string())
    }
}

impl Fetch for Published {
    fn fetch(&self, _: FetchRequest) -> FetchFuture<'_> {
        let document = self.0.lock().unwrap().clone();
        Box::pin(async move { document.map(|document| Fetched::new(document.into_bytes(), UnixTime(1))) })
    }
}

// spec: TOK-45
#[tokio::test]
async fn the_keys_are_those_that_are_there_now_and_an_outage_there_is_no_refusal() {
    let [key, next] = [(); 2].map(|()| SigningKey::generate(Algorithm::ES256).unwrap());
    let published = Published(Arc::new(Mutex::new(Published::of(&key))));
    let set = |builder: AuthorizationServerBuilder| {
        let issuer = TrustedIssuer::at(IDP, "https://idp.example/jwks");
        builder.grant(JwtBearer::new([issuer])).fetch(published.clone())
    };
    let w = on_memory_with(set).await;
    bring(&w, Caller::Nobody, &sign(&key, &w, json!({}))).await.tokens();
    let early = sign(&next, &w, json!({}));
    bring(&w, Caller::Nobody, &early).await.is_refused(400, "invalid_grant");
    *published.0.lock().unwrap() = Published::of(&next);
    bring(&w, Caller::Nobody, &early).await.tokens();
    bring(&w, Caller::Nobody, &sign(&key, &w, json!({}))).await.is_refused(400, "invalid_grant");
    for outage in [FetchError::TimedOut, FetchError::TooLarge] {
        *published.0.lock().unwrap() = Err(outage);
        bring(&w, Caller::Nobody, &sign(&next, &w, json!({}))).await.is_unavailable();
    }
}

// spec: TOK-45
#[tokio::test]
async fn an_issuer_may_be_kept_to_some_algorithms() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    for (algorithms, good) in [(vec![Algorithm::ES256], true), (vec![Algorithm::EdDSA], false), (vec![], false)] {
        let set = |builder: AuthorizationServerBuilder| {
            let issuer = TrustedIssuer::new(IDP, ClientJwks::of([&key])).algorithms(algorithms.clone());
            builder.grant(JwtBearer::new([issuer]))
        };
        let w = on_memory_with(set).await;
        let answer = bring(&w, Caller::Nobody, &sign(&key, &w, json!({}))).await;
        assert_eq!(answer.status == 200, good, "{answer}");
    }
}
