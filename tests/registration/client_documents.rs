//! Clients that describe themselves: Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document-02).

mod changes;
mod documents;
mod failures;
mod flow;
mod identifiers;
mod network;
mod settings;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::EncodingKey;
use oauth_core::{
    clock::UnixTime,
    engine::registration::RegistrationSettings,
    fetch::{Fetch, FetchError, FetchFuture, FetchRequest, Fetched, Stage},
    jwt::Algorithm,
    keys::SigningKey,
};
use serde_json::{Value, json};

use crate::support::*;

/// The clock of every test server.
const NOW: u64 = 1_800_000_000;

const URL: &str = "https://app.example/client.json";

/// A client whose document is at [`URL`].
const CLIENT: Caller = Caller::Public(URL);

/// A document of a public client with refresh tokens, at [`URL`].
fn document() -> Value {
    document_at(URL)
}

fn document_at(url: &str) -> Value {
    json!({
        "client_id": url,
        "client_name": "An App",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
    })
}

/// The same as [`document`], with another member.
fn document_with(name: &str, value: impl Into<Value>) -> Value {
    let mut document = document();
    document[name] = value.into();
    document
}

/// What can be fetched, and what was asked for. Nothing is kept. Clones share it.
#[derive(Clone, Debug, Default)]
struct Web {
    pages: Arc<Mutex<BTreeMap<String, Result<String, FetchError>>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Web {
    /// With `document` at [`URL`].
    fn with(document: &Value) -> Self {
        let web = Self::default();
        web.put(URL, &document.to_string());
        web
    }

    fn put(&self, url: &str, text: &str) {
        self.pages.lock().unwrap().insert(url.to_owned(), Ok(text.to_owned()));
    }

    fn fail(&self, url: &str, error: FetchError) {
        self.pages.lock().unwrap().insert(url.to_owned(), Err(error));
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Fetch for Web {
    fn fetch(&self, request: FetchRequest) -> FetchFuture<'_> {
        self.asked.lock().unwrap().push(request.url().to_owned());
        let page = self.pages.lock().unwrap().get(request.url()).cloned();
        let page = page.unwrap_or_else(|| Err(FetchError::unavailable(Stage::Resolve, "no such name")));
        Box::pin(std::future::ready(page.and_then(|text| {
            request.check(text.as_bytes())?;
            Ok(Fetched::new(text.into_bytes(), UnixTime(NOW)))
        })))
    }
}

/// A server that takes clients with documents, and looks for these in `web`.
async fn world(web: &Web) -> World {
    world_with(web, |settings| settings).await
}

async fn world_with(web: &Web, set: impl Fn(RegistrationSettings) -> RegistrationSettings) -> World {
    let set = |settings: RegistrationSettings| set(settings.client_id_metadata_documents());
    on_memory_with(|builder| builder.fetch(web.clone()).registration(set)).await
}

/// An authorization request of the client at [`URL`].
async fn authorize(w: &World) -> Answer {
    w.get(&Ask::of(CLIENT).uri()).await
}

/// That the request got as far as a person.
#[track_caller]
fn is_parked(answer: &Answer) {
    assert!(answer.location().starts_with("/interaction?id="), "{answer}");
}

/// A page that says so, where nobody knows yet.
#[track_caller]
fn is_unavailable_page(answer: &Answer) {
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (503, "text/html; charset=utf-8"), "{answer}");
    assert!(answer.headers.get("location").is_none() && answer.body.contains("temporarily_unavailable"), "{answer}");
    assert!(answer.header("retry-after").parse::<u64>().is_ok(), "{answer}");
}

/// A key, of the client at [`URL`].
fn key() -> SigningKey {
    SigningKey::generate(Algorithm::ES256).unwrap()
}

/// The parameters with which the client at [`URL`] proves itself by `key`.
fn proof(key: &SigningKey, jti: &str) -> [(&'static str, String); 2] {
    let header = json!({ "alg": "ES256", "kid": key.kid() }).to_string();
    let claims = json!({ "iss": URL, "sub": URL, "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "jti": jti }).to_string();
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let pkcs8 = key.to_pkcs8().unwrap();
    let secret = EncodingKey::from_ec_der(pkcs8.as_bytes());
    let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &secret, jsonwebtoken::Algorithm::ES256).unwrap();
    [
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned()),
        ("client_assertion", format!("{input}.{signature}")),
    ]
}

/// Sends `params` to the token endpoint, with `proof`.
async fn prove(w: &World, params: &[(&str, &str)], proof: &[(&'static str, String)]) -> Answer {
    let proof = proof.iter().map(|(name, value)| (*name, value.as_str()));
    w.token(Caller::Nobody, &params.iter().copied().chain(proof).collect::<Vec<_>>()).await
}
