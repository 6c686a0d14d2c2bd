//! An issuer in this process, that counts how often it is asked.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use oauth_core::jwk::JwkSet;
use oauth_tower::{
    outgoing::HttpClient,
    resource::{Issuer, ResourceServer},
};
use tokio::runtime::{Builder, Runtime};
use tower::service_fn;

use crate::fixture::{ISSUER, RESOURCE, builder, request, value};

const INACTIVE: Bytes = Bytes::from_static(br#"{"active":false}"#);

/// Answers every request in the same way, after a moment.
#[derive(Clone)]
pub(crate) struct Upstream {
    answer: (StatusCode, Bytes),
    /// In milliseconds.
    after: Arc<AtomicU64>,
    calls: Arc<AtomicUsize>,
}

impl Upstream {
    pub(crate) fn new(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self { answer: (status, body.into()), after: Arc::new(AtomicU64::new(20)), calls: Arc::default() }
    }

    /// An introspection endpoint. Tokens that begin with `random` it does not know.
    pub(crate) fn active() -> Self {
        let answer = serde_json::json!({ "active": true, "sub": "ada", "client_id": "app", "aud": RESOURCE });
        Self::new(StatusCode::OK, answer.to_string())
    }

    /// From here on it takes its time.
    pub(crate) fn slow_down(&self) {
        self.after.store(2_000, Ordering::SeqCst);
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    pub(crate) fn client(&self) -> HttpClient {
        let upstream = self.clone();
        HttpClient::new(service_fn(move |request: Request<Bytes>| {
            let upstream = upstream.clone();
            async move {
                let is_random = request.body().starts_with(b"token=random");
                upstream.calls.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(upstream.after.load(Ordering::SeqCst))).await;
                let mut response = Response::new(Full::new(if is_random { INACTIVE } else { upstream.answer.1 }));
                *response.status_mut() = upstream.answer.0;
                Ok::<_, Infallible>(response)
            }
        }))
    }

    /// A resource server that asks it about every token.
    pub(crate) fn introspected(&self) -> ResourceServer {
        let issuer = Issuer::introspection(ISSUER, format!("{ISSUER}/introspect")).client_basic("api", "secret");
        builder(issuer.cache_for(Duration::from_secs(3_600))).http(self.client()).build().unwrap()
    }

    /// A resource server that has its keys, and fetches lists of revoked tokens from it.
    pub(crate) fn listed(&self, keys: JwkSet) -> ResourceServer {
        builder(Issuer::jwt(ISSUER).keys(keys)).http(self.client()).build().unwrap()
    }

    /// A resource server that fetches its keys from it.
    pub(crate) fn verified(&self) -> ResourceServer {
        let issuer = Issuer::jwt(ISSUER).jwks_uri(format!("{ISSUER}/jwks"));
        builder(issuer).http(self.client()).build().unwrap()
    }
}

/// A first use, so that the verdict is in the cache.
pub(crate) async fn warm(server: &ResourceServer, token: &str) {
    server.validate_headers(request(&value(token)).headers()).await.unwrap();
}

pub(crate) fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap()
}
