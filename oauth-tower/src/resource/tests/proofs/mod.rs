//! DPoP proofs that are wrong in one way each (RFC 9449 section 4.3), through
//! the layer: none passes, none is remembered, and the challenge says why.

mod claims;
mod example;
mod headers;
mod nonces;
mod replay;
mod targets;

use http::Method;
use oauth_core::{dpop::DpopKey, secret::Digest};

use super::{mistakes::challenges, *};
use crate::resource::Dpop;

const URL: &str = "https://api.example/photos";

/// A client with a bound token, and a server that knows it.
struct Bench {
    server: ResourceServer,
    wallet: DpopKey,
    token: String,
    clock: ManualClock,
}

/// What a request got: the status, whether it reached the service, and the
/// `error` of its `DPoP` challenge.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    status: u16,
    served: bool,
    error: Option<String>,
}

impl Bench {
    fn new(dpop: Dpop) -> Self {
        Self::with(dpop, DpopKey::generate(Algorithm::ES256).unwrap())
    }

    fn with(dpop: Dpop, wallet: DpopKey) -> Self {
        let (key, clock) = (Key::es256(), clock());
        let token = key.token(json!({ "cnf": { "jkt": wallet.jkt() } }));
        let server = builder(fixed(&key)).clock(clock.clone()).dpop(dpop).build().unwrap();
        Self { server, wallet, token, clock }
    }

    fn header(&self) -> Value {
        json!({ "typ": "dpop+jwt", "alg": self.wallet.algorithm(), "jwk": self.wallet.public_jwk() })
    }

    /// Good claims for `GET` [`URL`] now, with a `jti` of their own.
    fn claims(&self) -> Value {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let jti = format!("jti {}", NEXT.fetch_add(1, Ordering::SeqCst));
        let now = oauth_core::clock::Clock::now(&self.clock);
        json!({ "jti": jti, "htm": "GET", "htu": URL, "iat": now, "ath": hash(&self.token) })
    }

    /// A proof with these headers and claims, signed by the wallet.
    fn forge(&self, header: &Value, claims: &Value) -> String {
        self.wallet.forge(&header.to_string(), &claims.to_string()).unwrap()
    }

    /// A good proof, but for `changes` of its header.
    fn headed(&self, changes: Value) -> String {
        self.forge(&changed(self.header(), changes), &self.claims())
    }

    /// A good proof, but for `changes` of its claims.
    fn claiming(&self, changes: Value) -> String {
        self.forge(&self.header(), &changed(self.claims(), changes))
    }

    fn good(&self) -> String {
        self.claiming(json!({}))
    }

    /// Sends the token with these proofs.
    async fn send(&self, proofs: &[&str]) -> Outcome {
        self.send_as(Method::GET, "/photos?page=2", proofs).await
    }

    async fn send_as(&self, method: Method, uri: &str, proofs: &[&str]) -> Outcome {
        let request = Request::builder().method(method).uri(uri).header("host", "evil.example");
        let request = request.header(AUTHORIZATION, format!("DPoP {}", self.token));
        let request = proofs.iter().fold(request, |request, proof| request.header("dpop", *proof));
        self.outcome(request.body(String::new()).unwrap()).await
    }

    async fn outcome(&self, request: Request<String>) -> Outcome {
        let (response, served) = send(&self.server.layer(), request).await;
        let challenges = challenges(&response);
        let dpop = challenges.into_iter().find(|challenge| challenge.0 == "DPoP");
        let error = dpop.and_then(|(_, mut parameters)| {
            assert!(parameters.contains_key("algs"), "RFC 9449 section 7.1");
            parameters.remove("error")
        });
        Outcome { status: response.status().as_u16(), served, error }
    }

    /// `proof` is refused as such, and a good one passes all the same.
    async fn refuses(&self, what: &str, proof: &str) {
        assert_eq!(self.send(&[proof]).await, invalid_proof(), "{what}");
        assert_eq!(self.send(&[&self.good()]).await, served(), "after {what}");
    }
}

fn served() -> Outcome {
    Outcome { status: 200, served: true, error: None }
}

fn refused(error: &str) -> Outcome {
    Outcome { status: 401, served: false, error: Some(error.to_owned()) }
}

fn invalid_proof() -> Outcome {
    refused("invalid_dpop_proof")
}

/// `ath` (RFC 9449 section 4.2).
fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Digest::of(&[token.as_bytes()]).as_bytes())
}
