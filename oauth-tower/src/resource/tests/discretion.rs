//! What is said of requests, at any level: never what is in them.

use oauth_core::{
    clock::SystemRandom,
    dpop::{DpopKey, DpopNonces, ReplayCache, ReplayError, ReplayFuture},
    secret::Digest,
};
#[cfg(feature = "tracing")]
use tracing::Level;

#[cfg(feature = "tracing")]
use super::journal::Journal;
use super::{
    introspection::{ENDPOINT, active},
    keys::JWKS,
    *,
};
use crate::resource::{Dpop, IntrospectionIssuer, Policy};

/// What stands in the tokens, answers and credentials of these tests.
const SECRETS: [&str; 9] = [
    "ada-lovelace",
    "app-of-ada",
    "secret-jti",
    "read-secrets",
    "hush-hush",
    "opaque-token",
    "org-claim",
    "evil.example",
    "2, 2, 2",
];

#[derive(Debug)]
struct Full;

impl ReplayCache for Full {
    fn first_use(&self, _: Digest, _: UnixTime) -> ReplayFuture<'_> {
        Box::pin(async { Err(ReplayError::Full) })
    }
}

fn telling(key: &Key, changes: Value) -> String {
    let telling = json!({
        "sub": "ada-lovelace", "client_id": "app-of-ada", "jti": "secret-jti", "scope": "read-secrets", "org": "org-claim",
    });
    key.token(changed(telling, changes))
}

fn under_dpop(token: &str, proof: &str) -> Request<String> {
    let request = Request::get("/").header(AUTHORIZATION, format!("DPoP {token}")).header("dpop", proof);
    request.body(String::new()).unwrap()
}

fn other() -> IntrospectionIssuer {
    Issuer::introspection("https://other.example", ENDPOINT).client_basic("api", "hush-hush")
}

struct Stage {
    key: Key,
    wallet: DpopKey,
    upstream: Upstream,
    clock: ManualClock,
    nonces: DpopNonces,
    secrets: Vec<String>,
}

impl Stage {
    fn new() -> Self {
        let (key, upstream, clock) = (Key::es256(), Upstream::new(), clock());
        upstream.json(JWKS, &key.document());
        let (wallet, nonces) = (DpopKey::generate(Algorithm::ES256).unwrap(), DpopNonces::from_bytes([2; 32]));
        let mut secrets: Vec<String> = SECRETS.map(str::to_owned).to_vec();
        secrets.extend([wallet.jkt().to_owned(), nonces.issue(UnixTime(NOW))]);
        Self { key, wallet, upstream, clock, nonces, secrets }
    }

    fn server(&self, dpop: Dpop) -> ResourceServer {
        let builder = builder(Issuer::jwt(ISSUER).jwks_uri(JWKS)).issuer(other()).dpop(dpop);
        let builder = builder.http(self.upstream.client()).clock(self.clock.clone());
        let server = builder.build().unwrap();
        self.assert_silent(&format!("{server:?} {:?} {:?}", server.judge, server.layer()));
        server
    }

    fn bound(&mut self) -> String {
        let bound = telling(&self.key, json!({ "cnf": { "jkt": self.wallet.jkt() } }));
        self.keep(bound)
    }

    fn proof(&mut self, token: &str, nonce: Option<&str>) -> String {
        let proof =
            self.wallet.proof("GET", "https://api.example/", Some(token), nonce, UnixTime(NOW), &SystemRandom).unwrap();
        self.keep(proof)
    }

    /// The parts of a JWS betray it as well as the whole does.
    fn keep(&mut self, secret: String) -> String {
        self.secrets.extend(secret.split('.').skip(1).map(str::to_owned));
        secret
    }

    fn assert_silent(&self, said: &str) {
        for secret in &self.secrets {
            assert!(!said.contains(secret), "{secret} in {said}");
        }
    }

    /// Good and bad tokens, known and unknown; good, bad and used proofs.
    async fn requests(&mut self) {
        let server = self.server(Dpop::optional().nonces(self.nonces.clone()));
        let layer = server.layer();
        let demanding = layer.clone().require(Policy::new().scope("admin").claim("org", "x").max_age(1));
        let key = &self.key;
        let mut tokens = [
            telling(key, json!({})),
            telling(key, json!({ "exp": NOW - 100 })),
            telling(key, json!({ "aud": "https://evil.example" })),
            telling(key, json!({ "iss": "https://evil.example" })),
            telling(key, json!({ "sub": null })),
            telling(key, json!({ "scope": ["read-secrets"] })),
            telling(&Key::es256(), json!({})),
            "opaque-token".to_owned(),
            "opaque-token two".to_owned(),
        ];
        for token in &mut tokens {
            *token = self.keep(std::mem::take(token));
        }
        let bound = self.bound();
        let nonce = self.nonces.issue(UnixTime(NOW));
        let (good, bare, stale) =
            (self.proof(&bound, Some(&nonce)), self.proof(&bound, None), self.proof(&bound, Some("stale")));
        for subject in [json!("ada-lovelace"), json!(["ada-lovelace"])] {
            self.upstream.json(ENDPOINT, &changed(active(), json!({ "sub": subject, "org": "org-claim" })));
            for token in tokens.iter().chain(&tokens) {
                self.show(&layer, request(token)).await;
                self.show(&demanding, request(token)).await;
            }
            for proof in [&*good, &*good, &*bare, "junk", &*stale] {
                self.show(&layer, under_dpop(&bound, proof)).await;
            }
            server.forget_all();
        }
    }

    /// The replay cache, the endpoint and the keys are down, or answer with what
    /// they should keep to themselves.
    async fn outages(&mut self) {
        let server = self.server(Dpop::optional().replay(Full));
        let layer = server.layer();
        let bound = self.bound();
        let proof = self.proof(&bound, None);
        self.show(&layer, under_dpop(&bound, &proof)).await;
        for (status, body) in
            [(500, "opaque-token"), (401, "hush-hush"), (200, "ada-lovelace"), (200, "[\"opaque-token\"]")]
        {
            self.upstream.answer(ENDPOINT, status, &[("x-echo", "opaque-token")], body);
            self.clock.advance(10);
            self.show(&layer, request("opaque-token")).await;
        }
        self.clock.advance(100_000);
        self.upstream.answer(JWKS, 200, &[], "{\"keys\":\"ada-lovelace\"}");
        let late = telling(&self.key, json!({ "iat": NOW + 100_000, "exp": NOW + 100_300 }));
        self.show(&layer, request(&late)).await;
    }

    /// Sends it, and looks at all that can be shown of it.
    async fn show(&self, layer: &ResourceLayer, request: Request<String>) {
        let (parts, body) = request.into_parts();
        let verdict = layer.server().validate(&parts).await;
        self.assert_silent(&format!("{verdict:?}"));
        if let Ok(token) = &verdict {
            self.assert_silent(&format!("{:?} {:?}", token.claims(), token.require(&Policy::new().scope("admin"))));
        }
        if let Err(refusal) = verdict {
            self.assert_silent(&format!("{refusal} {:?} {:?} {}", refusal, refusal.kind(), refusal.kind().reason()));
        }
        send(layer, Request::from_parts(parts, body)).await;
        let health = layer.server().health();
        self.assert_silent(&format!("{health} {health:?} {:?}", layer.server()));
    }
}

// spec: INT-13
#[cfg(feature = "tracing")]
#[tokio::test]
async fn nothing_of_a_token_a_proof_or_a_secret_is_said_at_any_level() {
    let (journal, _guard) = Journal::start();
    let mut stage = Stage::new();
    stage.requests().await;
    stage.outages().await;
    stage.assert_silent(&journal.said());
    // It is not that nothing was said.
    for word in [
        "DEBUG upstream issuer=\"https://other.example\" what=\"introspection\"",
        "DEBUG recorded outcome=\"ok\"",
        "DEBUG recorded outcome=\"status\"",
        "reason=\"proof_replayed\"",
        "reason=\"wrong_audience\"",
        "WARN event message=a store cannot be used store=\"the DPoP replay cache\" reason=\"the replay cache is full\"",
        "WARN event message=an authorization server cannot be used",
        "TRACE event message=a request came verdict=\"hit\"",
    ] {
        assert!(journal.said().contains(word), "{word} in {}", journal.said());
    }
}

#[tokio::test]
async fn debug_shows_no_secret() {
    let mut stage = Stage::new();
    stage.requests().await;
    stage.outages().await;
    let unbuilt = builder(fixed(&stage.key)).issuer(other()).dpop(Dpop::required().nonces(stage.nonces.clone()));
    let issuer: Issuer = other().into();
    let dpop = Dpop::optional().nonces(stage.nonces.clone());
    stage.assert_silent(&format!("{unbuilt:?} {issuer:?} {:?} {dpop:?}", other()));
    let bare = Issuer::introspection(ISSUER, ENDPOINT);
    stage.assert_silent(&format!("{:?}", bare.bearer("hush-hush")));
    let bare = Issuer::introspection(ISSUER, ENDPOINT);
    stage.assert_silent(&format!("{:?}", bare.client_post("api", "hush-hush")));
}

#[cfg(feature = "tracing")]
#[tokio::test]
async fn a_store_that_fails_is_said_once_a_second_however_many_come_upon_it() {
    let (journal, _guard) = Journal::start();
    let mut stage = Stage::new();
    let server = stage.server(Dpop::optional().replay(Full));
    let bound = stage.bound();
    let warnings = || journal.at(Level::WARN).len();
    for second in 0..3 {
        for _ in 0..50 {
            let proof = stage.proof(&bound, None);
            let (response, _) = send(&server.layer(), under_dpop(&bound, &proof)).await;
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        }
        assert_eq!(warnings(), 1 + second);
        stage.clock.advance(1);
    }
}

#[cfg(feature = "tracing")]
#[tokio::test]
async fn levels_are_for_those_who_asked_for_them() {
    let (journal, _guard) = Journal::start();
    let key = Key::es256();
    let server = server(&key);
    let token = key.good();
    for _ in 0..3 {
        present(&server, &token).await;
    }
    present(&server, "junk").await;
    assert_eq!(journal.at(Level::TRACE).len(), 4, "one for each request");
    assert_eq!(journal.at(Level::DEBUG).len(), 1, "one for each refusal");
    assert_eq!([Level::INFO, Level::WARN, Level::ERROR].map(|level| journal.at(level).len()), [0, 0, 0]);
    assert_eq!(crate::resource::Refusal::not_validated().status(), 500);
    assert_eq!(journal.at(Level::ERROR).len(), 1, "a mistake of the program's");
}
