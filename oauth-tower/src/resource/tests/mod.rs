//! The resource server against issuers that tests make up.
//!
//! Tokens are signed by `jsonwebtoken`, the network is a tower service in
//! memory, and the clock stands still until a test moves it.
#![expect(clippy::needless_pass_by_value, reason = "`json!` reads better without a borrow")]

mod answered_in_vain;
mod answers;
mod assertions;
mod bindings;
mod budgets;
mod cache;
mod contract;
mod contract_inside;
mod cors;
mod crowds;
mod discretion;
mod dpop;
mod flights;
mod floods;
mod follow;
mod forged;
mod forget;
mod form_tokens;
mod grpc;
mod health;
mod introspection;
mod issuers;
#[cfg(feature = "tracing")]
mod journal;
mod keys;
#[cfg(all(feature = "client", feature = "server"))]
mod local;
mod metadata;
#[cfg(feature = "metrics")]
mod meter;
mod mistakes;
#[cfg(feature = "metrics")]
mod observe;
mod outages;
mod policy;
mod proofs;
mod reasons;
mod recent;
mod rotations;
mod schemes;
mod settings;
mod shared;
mod signed;
mod status;
mod streams;
mod unacceptable;
pub(super) mod upstream;
mod validated;

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{
    HeaderMap, Request, Response, StatusCode,
    header::{AUTHORIZATION, WWW_AUTHENTICATE},
};
use jsonwebtoken::EncodingKey;
use oauth_core::{
    clock::{ManualClock, UnixTime},
    jwk::{JwkDocument, JwkSet},
    jwt::Algorithm,
    keys::SigningKey,
};
use serde_json::{Value, json};
use tower::{Service, ServiceExt, service_fn};

use self::upstream::Upstream;
use super::{HasIssuer, Issuer, JwtIssuer, ResourceLayer, ResourceServer, ResourceServerBuilder, ValidatedToken};

const NOW: u64 = 1_700_000_000;
const ISSUER: &str = "https://as.example";
const RESOURCE: &str = "https://api.example";

/// How often tokens were verified, and how often somebody was asked.
#[derive(Debug, Default)]
pub(super) struct Counters {
    verifications: AtomicUsize,
    questions: AtomicUsize,
}

impl Counters {
    pub(super) fn verification(&self) {
        self.verifications.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn question(&self) {
        self.questions.fetch_add(1, Ordering::SeqCst);
    }
}

fn verifications(server: &ResourceServer) -> usize {
    server.judge.counters.verifications.load(Ordering::SeqCst)
}

#[cfg(all(feature = "client", feature = "server"))]
fn questions(server: &ResourceServer) -> usize {
    server.judge.counters.questions.load(Ordering::SeqCst)
}

/// A key and what signs with it.
struct Key {
    key: SigningKey,
    encoding: EncodingKey,
    algorithm: jsonwebtoken::Algorithm,
}

impl Key {
    fn new(algorithm: Algorithm) -> Self {
        let key = SigningKey::generate(algorithm).unwrap();
        let pkcs8 = key.to_pkcs8().unwrap();
        let (encoding, algorithm) = match algorithm {
            Algorithm::ES256 => (EncodingKey::from_ec_der(pkcs8.as_bytes()), jsonwebtoken::Algorithm::ES256),
            Algorithm::EdDSA => (EncodingKey::from_ed_der(pkcs8.as_bytes()), jsonwebtoken::Algorithm::EdDSA),
            other => panic!("{other} is not needed here"),
        };
        Self { key, encoding, algorithm }
    }

    fn es256() -> Self {
        Self::new(Algorithm::ES256)
    }

    fn kid(&self) -> &str {
        self.key.kid()
    }

    fn document(&self) -> Value {
        serde_json::to_value(JwkDocument::of([&self.key])).unwrap()
    }

    fn set(&self) -> JwkSet {
        [&self.key].into_iter().collect()
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", part(header), part(claims));
        let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &self.encoding, self.algorithm).unwrap();
        format!("{input}.{signature}")
    }

    fn header(&self) -> Value {
        json!({ "typ": "at+jwt", "alg": format!("{:?}", self.algorithm), "kid": self.kid() })
    }

    /// A good token, but for `changes`: `null` removes a claim.
    fn token(&self, changes: Value) -> String {
        self.sign(&self.header(), &changed(claims(), changes))
    }

    fn good(&self) -> String {
        self.token(json!({}))
    }
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": RESOURCE, "sub": "ada", "client_id": "app", "jti": "1",
        "iat": NOW - 10, "exp": NOW + 300, "scope": "read write",
    })
}

fn changed(mut object: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(object.as_object_mut().unwrap().remove(name)),
            value => object[name] = value.clone(),
        }
    }
    object
}

fn clock() -> ManualClock {
    ManualClock::new(UnixTime(NOW))
}

fn builder(issuer: impl Into<Issuer>) -> ResourceServerBuilder<HasIssuer> {
    ResourceServer::builder(RESOURCE).issuer(issuer).clock(clock())
}

fn fixed(key: &Key) -> JwtIssuer {
    Issuer::jwt(ISSUER).keys(key.set())
}

/// A resource server that knows `key` from the start.
fn server(key: &Key) -> ResourceServer {
    builder(fixed(key)).build().unwrap()
}

fn request(token: &str) -> Request<String> {
    Request::builder().header(AUTHORIZATION, format!("Bearer {token}")).body(String::new()).unwrap()
}

fn headers(token: &str) -> HeaderMap {
    request(token).into_parts().0.headers
}

/// A service that counts how often it is called and answers with the subject.
fn service(
    calls: &Arc<AtomicUsize>,
) -> impl Service<Request<String>, Response = Response<String>, Error = Infallible, Future: Send> + Clone + Send + use<>
{
    let calls = Arc::clone(calls);
    service_fn(move |request: Request<String>| {
        calls.fetch_add(1, Ordering::SeqCst);
        let token = request.extensions().get::<Arc<ValidatedToken>>();
        let subject = token.map_or_else(|| "anonymous".to_owned(), |token| token.subject().to_owned());
        async move { Ok(Response::new(subject)) }
    })
}

/// Sends one request through `layer`: the response, and whether it came from
/// the service.
async fn send(layer: &ResourceLayer, request: Request<String>) -> (Response<String>, bool) {
    let calls = Arc::new(AtomicUsize::new(0));
    let response = tower::Layer::layer(layer, service(&calls)).oneshot(request).await.unwrap();
    (response, calls.load(Ordering::SeqCst) > 0)
}

/// The status that `token` gets, and whether it got through.
async fn present(server: &ResourceServer, token: &str) -> (StatusCode, bool) {
    let (response, served) = send(&server.layer(), request(token)).await;
    (response.status(), served)
}

fn challenge<B>(response: &Response<B>) -> &str {
    assert_eq!(response.headers().get_all(WWW_AUTHENTICATE).iter().count(), 1);
    response.headers()[WWW_AUTHENTICATE].to_str().unwrap()
}
