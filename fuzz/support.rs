//! What several targets need.

use std::{
    convert::Infallible,
    future::ready,
    pin::pin,
    sync::{Arc, LazyLock, Mutex},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header::AUTHORIZATION};
use http_body_util::Full;
use oauth_core::{
    clock::{ManualClock, UnixTime},
    dpop::DpopKey,
    jwk::{JwkDocument, JwkSet},
    jwt::{Algorithm, sign},
    keys::SigningKey,
};
use oauth_tower::{
    outgoing::HttpClient,
    resource::{Dpop, HasIssuer, Issuer, Refusal, ResourceServer, ResourceServerBuilder, ValidatedToken},
};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

/// The key that signs what a target has written, so that the checks behind the signature are reached.
pub static KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate(Algorithm::EdDSA).expect("the library makes a key"));

/// [`KEY`], able to sign any header and payload.
pub static FORGER: LazyLock<DpopKey> = LazyLock::new(|| DpopKey::from(KEY.clone()));

/// The public half of [`KEY`], and two strangers.
pub static KEYS: LazyLock<JwkSet> = LazyLock::new(|| {
    let others = [Algorithm::ES256, Algorithm::ES384].map(|algorithm| SigningKey::generate(algorithm).expect("a key"));
    [&*KEY].into_iter().chain(&others).collect()
});

/// The text up to the first line feed, and the rest.
pub fn two_lines(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

/// `text` as a JSON object, read as a whole. `None` also where only something in a member that is not known, and so is
/// skipped, is wrong: bytes that are no text, a number that no machine holds.
pub fn object(text: &[u8]) -> Option<serde_json::Map<String, Value>> {
    match serde_json::from_slice(text) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    }
}

/// Drives a future that waits for nobody.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

/// The time that all tokens and documents here are good at.
pub const NOW: UnixTime = UnixTime(1_700_000_000);

/// A clock that stands still at [`NOW`].
pub const CLOCK: fn() -> ManualClock = || ManualClock::new(NOW);

/// The public half of [`KEY`] as a document.
pub static KEYS_DOCUMENT: LazyLock<String> =
    LazyLock::new(|| serde_json::to_string(&JwkDocument::of([&*KEY])).expect("keys are JSON"));

/// An access token that is good at [`NOW`], but for `changes`.
pub fn access_token(changes: &Value) -> String {
    let mut claims = json!({
        "iss": "https://as.example", "aud": "https://api.example", "sub": "ada", "client_id": "app", "jti": "1",
        "iat": NOW.0 - 10, "exp": NOW.0 + 300, "scope": "read",
    });
    for (name, value) in changes.as_object().into_iter().flatten() {
        claims[name] = value.clone();
    }
    sign(&KEY, "at+jwt", &claims).expect("the key signs")
}

/// `Authorization` with `token`.
pub fn bearer(token: &str) -> HeaderMap {
    let value = HeaderValue::try_from(format!("Bearer {token}")).expect("a token");
    [(AUTHORIZATION, value)].into_iter().collect()
}

/// A resource server that knows [`KEY`], with DPoP.
pub fn resource_server() -> ResourceServer {
    builder().dpop(Dpop::optional()).build().expect("a server")
}

/// A resource server that knows [`KEY`], and takes tokens in forms.
pub fn form_server() -> ResourceServer {
    builder().form_tokens().build().expect("a server")
}

fn builder() -> ResourceServerBuilder<HasIssuer> {
    let keys: JwkSet = [&*KEY].into_iter().collect();
    ResourceServer::builder("https://api.example").issuer(Issuer::jwt("https://as.example").keys(keys)).clock(CLOCK())
}

/// What somebody else answers, whatever is asked.
#[derive(Clone)]
pub struct Answer(Response<Bytes>);

impl Answer {
    /// `None` if no response can look like this.
    pub fn new(status: u16, headers: &[(&'static str, &[u8])], body: &[u8]) -> Option<Self> {
        let mut response = Response::new(Bytes::copy_from_slice(body));
        *response.status_mut() = StatusCode::from_u16(status).ok()?;
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            response.headers_mut().insert(*name, HeaderValue::from_bytes(value).ok()?);
        }
        Some(Self(response))
    }
}

/// The URLs that were asked.
#[derive(Clone, Default)]
pub struct Asked(Arc<Mutex<Vec<String>>>);

impl Asked {
    /// How many requests there were.
    pub fn count(&self) -> usize {
        self.0.lock().expect("no panic before").len()
    }
}

/// A client that gets `answer` from everybody.
pub fn client(answer: Answer) -> (HttpClient, Asked) {
    let asked = Asked::default();
    let log = asked.clone();
    let service = tower::service_fn(move |request: Request<Bytes>| {
        log.0.lock().expect("no panic before").push(request.uri().to_string());
        ready(Ok::<_, Infallible>(answer.0.clone().map(Full::new)))
    });
    (HttpClient::new(service), asked)
}

/// What becomes of `token` where everybody answers with `answer`, and who was asked.
pub fn ask(
    builder: ResourceServerBuilder<HasIssuer>,
    token: &str,
    answer: Answer,
) -> (Result<Arc<ValidatedToken>, Refusal>, Vec<String>) {
    let (http, asked) = client(answer);
    let server = builder.http(http).clock(CLOCK()).build().expect("a server");
    let verdict = wait_for(server.validate_headers(&bearer(token)));
    let urls = asked.0.lock().expect("no panic before").clone();
    (verdict, urls)
}

/// Drives a future that may set a timer.
pub fn wait_for<T>(future: impl Future<Output = T>) -> T {
    static RUNTIME: LazyLock<Runtime> =
        LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));
    RUNTIME.block_on(future)
}
