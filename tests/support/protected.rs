//! An API that takes the tokens of others, in this process.

use std::{sync::Arc, time::Duration};

use axum::{Json, Router, routing::get};
use bytes::Bytes;
use http::{Request, StatusCode, header::AUTHORIZATION};
use oauth_axum_rs::Token;
use oauth_core::{
    clock::{Clock, ManualClock, SystemClock, SystemRandom, UnixTime},
    dpop::DpopKey,
};
use oauth_tower::{
    outgoing::HttpClient,
    resource::{HasIssuer, Issuer, ResourceServer, ResourceServerBuilder},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{API, Answer, Remote, plain_client};

/// [`API`] in this process, on a port of its own.
pub(crate) struct Protected {
    pub(crate) server: ResourceServer,
    /// Advance this, and the API's time goes on.
    pub(crate) clock: ManualClock,
    time: Arc<dyn Clock>,
    remote: Remote,
}

/// What is set before there is an API.
type Settings = ResourceServerBuilder<HasIssuer>;

impl Protected {
    /// One that takes tokens of `issuers`.
    pub(crate) async fn by(issuers: impl IntoIterator<Item = Issuer>) -> Self {
        Self::with(HttpClient::DEFAULT_TIMEOUT, issuers).await
    }

    /// The same, waiting this long for an answer of theirs.
    pub(crate) async fn with(timeout: Duration, issuers: impl IntoIterator<Item = Issuer>) -> Self {
        let http = HttpClient::builder().timeout(timeout).build().unwrap();
        Self::set(issuers, |settings, _| settings.http(http)).await
    }

    /// One with more settings, which may depend on its URL.
    pub(crate) async fn set(
        issuers: impl IntoIterator<Item = Issuer>,
        set: impl FnOnce(Settings, &str) -> Settings,
    ) -> Self {
        // It is fast, so that no token is from the future, however long a test takes.
        let clock = ManualClock::new(SystemClock.now().saturating_add(600));
        Self::at(Arc::new(clock.clone()), clock, issuers, set).await
    }

    /// One whose clock is right and goes, and can be put forward.
    pub(crate) async fn on_time(issuers: impl IntoIterator<Item = Issuer>) -> Self {
        let ahead = ManualClock::new(UnixTime(0));
        Self::at(Arc::new(Ahead(ahead.clone())), ahead, issuers, |settings, _| settings).await
    }

    async fn at(
        time: Arc<dyn Clock>,
        clock: ManualClock,
        issuers: impl IntoIterator<Item = Issuer>,
        set: impl FnOnce(Settings, &str) -> Settings,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let settings = ResourceServer::builder(API).issuers(issuers).insecure_http().clock(Arc::clone(&time));
        let server = set(settings, &url).build().unwrap();
        let app = Router::new().route("/whoami", get(whoami)).layer(server.layer().require_scope("albums:read"));
        tokio::spawn(axum::serve(listener, app).into_future());
        Self { server, clock, time, remote: Remote::new(plain_client(), url) }
    }

    pub(crate) async fn call(&self, token: &str) -> Answer {
        self.remote.call("/whoami", token).await
    }

    /// A proof of `key` for `token` and [`Protected::call_with`], made now.
    pub(crate) fn proof(&self, key: &DpopKey, token: &str, nonce: Option<&str>) -> String {
        let url = format!("{}/whoami", self.remote.url);
        key.proof("GET", &url, Some(token), nonce, self.time.now(), &SystemRandom).unwrap()
    }

    /// Sends `token` under `scheme`, and these proofs.
    pub(crate) async fn call_with(&self, scheme: &str, token: &str, proofs: &[&str]) -> Answer {
        let request = Request::get("/whoami").header(AUTHORIZATION, format!("{scheme} {token}"));
        let request = proofs.iter().fold(request, |request, proof| request.header("dpop", *proof));
        self.remote.send(request.body(Bytes::new()).unwrap()).await
    }

    /// As a client that holds `key` does it: where a nonce is wanted, the same once more with it (RFC 9449 section 9).
    pub(crate) async fn call_bound(&self, key: &DpopKey, token: &str) -> Answer {
        let first = self.call_with("DPoP", token, &[&self.proof(key, token, None)]).await;
        if !first.header("www-authenticate").contains("error=\"use_dpop_nonce\"") {
            return first;
        }
        let proof = self.proof(key, token, Some(first.header("dpop-nonce")));
        self.call_with("DPoP", token, &[&proof]).await
    }

    /// That it accepts `token`: what its handler learns.
    pub(crate) async fn accepts(&self, token: &str) -> Value {
        let answer = self.call(token).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer} {token}");
        answer.json()
    }

    /// RFC 6750 section 3.1.
    pub(crate) async fn refuses(&self, token: &str) {
        let answer = self.call(token).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer} {token}");
        assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""), "{answer}");
    }

    /// RFC 7662 section 2.3 and RFC 9110 section 10.2.3: nothing is said about the token.
    pub(crate) async fn cannot_tell(&self, token: &str) {
        let answer = self.call(token).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer} {token}");
        assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{answer}");
        assert_eq!(answer.header("www-authenticate"), "");
    }
}

async fn whoami(token: Token) -> Json<Value> {
    Json(json!({
        "iss": token.issuer(),
        "sub": token.subject(),
        "client_id": token.client_id(),
        "aud": token.audience(),
        "scope": token.scope(),
    }))
}

/// The machine's time, and so much more.
#[derive(Debug)]
struct Ahead(ManualClock);

impl Clock for Ahead {
    fn now(&self) -> UnixTime {
        SystemClock.now().saturating_add(self.0.now().0)
    }
}
