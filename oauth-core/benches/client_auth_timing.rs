//! Does the time of a refusal tell whether a client exists (RFC 6819 section 5.1.4.1.3)?
//!
//! For each way to authenticate, requests for a client that exists and requests for
//! one that does not are sent in turn, by chance, with credentials that are wrong.
//! Printed are the medians, Welch's t of the middle of both samples, and a verdict:
//! differences below the noise of one machine, let alone of a network, are none.
//! Exits with 1 if one is above. A measurement, so not a test:
//!
//! ```sh
//! cargo bench -p oauth-core --features server --bench client_auth_timing [-- SAMPLES]
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    missing_docs
)]

use std::{future::Future, process::ExitCode, time::Instant};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use http::{Request, header};
use oauth_core::{
    client::{AuthMethod, Client, ClientBuilder, ClientId, ClientJwks, ClientSecret, TlsSubject},
    clock::{Clock, SystemClock, SystemRandom},
    endpoint,
    jwt::{self, Algorithm},
    keys::SigningKey,
    mtls::ClientCertificate,
    secret::RootSecret,
    server::AuthorizationServer,
    store::{Clients, memory::MemoryStore},
};

/// Medians may differ by this part, or by this many nanoseconds, whichever is more. A
/// packet on a quiet local network is late by ten times as much.
const MOST_PART: f64 = 0.02;
const MOST_NANOSECONDS: f64 = 1_000.0;

/// Beyond this, samples of one distribution differ once in a hundred thousand times.
const MOST_T: f64 = 4.5;

const KNOWN: &str = "known-client";
const UNKNOWN: &str = "other-client";

/// A request of the client with this name.
type MakeRequest = Box<dyn Fn(&str) -> Request<Bytes>>;

struct Case {
    name: &'static str,
    known: Client,
    request: MakeRequest,
}

fn main() -> ExitCode {
    let samples = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(20_000);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut verdicts = Vec::new();
    for case in cases() {
        verdicts.push(runtime.block_on(measure(&case, samples)));
    }
    if verdicts.into_iter().all(|good| good) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn measure(case: &Case, samples: usize) -> bool {
    let store = MemoryStore::default();
    store.put_client(case.known.clone()).await.unwrap();
    let server = AuthorizationServer::builder("https://as.example")
        .store(store)
        .root_secret(root())
        .client_authentication(|how| {
            AuthMethod::ALL.into_iter().for_each(|method| how.offer(method));
            how.failures_per_minute = 0;
        })
        .build()
        .await
        .unwrap();
    let (known, unknown) = ((case.request)(KNOWN), (case.request)(UNKNOWN));
    let time = async |request: &Request<Bytes>| elapsed(endpoint::token::handle(&server, request)).await;
    for _ in 0..samples / 10 {
        time(&known).await;
        time(&unknown).await;
    }
    let (mut of_known, mut of_unknown, mut chance) = (Vec::new(), Vec::new(), 0x2545_F491_4F6C_DD1D_u64);
    for _ in 0..samples {
        // Xorshift: which comes first must not be a pattern.
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        if chance & 1 == 0 {
            of_known.push(time(&known).await);
            of_unknown.push(time(&unknown).await);
        } else {
            of_unknown.push(time(&unknown).await);
            of_known.push(time(&known).await);
        }
    }
    report(case.name, of_known, of_unknown)
}

async fn elapsed(answer: impl Future<Output = http::Response<Bytes>>) -> f64 {
    let start = Instant::now();
    let answer = answer.await;
    let elapsed = start.elapsed().as_nanos() as f64;
    assert_eq!(answer.status(), 401);
    elapsed
}

fn report(name: &str, mut known: Vec<f64>, mut unknown: Vec<f64>) -> bool {
    known.sort_by(f64::total_cmp);
    unknown.sort_by(f64::total_cmp);
    let at = |sorted: &[f64], part: f64| sorted[((sorted.len() - 1) as f64 * part) as usize];
    let difference = at(&known, 0.5) - at(&unknown, 0.5);
    let t = welch(middle(&known), middle(&unknown));
    let most = (at(&unknown, 0.5) * MOST_PART).max(MOST_NANOSECONDS);
    let good = difference.abs() <= most;
    let quantiles: Vec<String> =
        [0.1, 0.5, 0.9].iter().map(|part| format!("{:+.0}", at(&known, *part) - at(&unknown, *part))).collect();
    println!(
        "{name:28} known {:8.0} ns  unknown {:8.0} ns  differences at 10/50/90 % {:>18} ns  t {t:+7.1}{}  {}",
        at(&known, 0.5),
        at(&unknown, 0.5),
        quantiles.join(" "),
        if t.abs() > MOST_T { "*" } else { " " },
        if good { "indistinguishable" } else { "DISTINGUISHABLE" },
    );
    good
}

/// Without what the scheduler did to the rest.
fn middle(sorted: &[f64]) -> &[f64] {
    &sorted[sorted.len() / 20..sorted.len() / 2]
}

/// Welch's t of two samples.
fn welch(one: &[f64], other: &[f64]) -> f64 {
    let mean = |sample: &[f64]| sample.iter().sum::<f64>() / sample.len() as f64;
    let error = |sample: &[f64]| {
        let mean = mean(sample);
        let variance = sample.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (sample.len() - 1) as f64;
        variance / sample.len() as f64
    };
    (mean(one) - mean(other)) / (error(one) + error(other)).sqrt()
}

fn root() -> RootSecret {
    RootSecret::new([7; 32])
}

fn cases() -> Vec<Case> {
    let by = |method| Client::builder(KNOWN).auth_method(method);
    let hashed = |method| by(method).secret(ClientSecret::new(&"the-right-secret".into()));
    let id = ClientId::new(KNOWN).unwrap();
    let sealed = ClientSecret::sealed(&"s".repeat(64).as_str().into(), &id, &root(), &SystemRandom).unwrap();
    let subject = TlsSubject::parse("tls_client_auth_san_dns", "app.example").unwrap().unwrap();
    let case = |name, known: ClientBuilder, request: MakeRequest| Case { name, known: known.build().unwrap(), request };
    let mut cases = vec![
        case("client_secret_basic", hashed(AuthMethod::ClientSecretBasic), Box::new(basic)),
        case("client_secret_post", hashed(AuthMethod::ClientSecretPost), Box::new(post)),
        case("another method", by(AuthMethod::PrivateKeyJwt).jwks(keys(Algorithm::ES256)), Box::new(basic)),
        case("client_secret_jwt", by(AuthMethod::ClientSecretJwt).secret(sealed), Box::new(hmac)),
        case("tls_client_auth", by(AuthMethod::TlsClientAuth).tls_subject(subject), Box::new(shown)),
    ];
    for (name, algorithm) in [
        ("private_key_jwt ES256", Algorithm::ES256),
        ("private_key_jwt EdDSA", Algorithm::EdDSA),
        ("private_key_jwt RS256", Algorithm::RS256),
    ] {
        // Signed with another key under the name of the registered one.
        let (own, other) = (SigningKey::generate(algorithm).unwrap(), SigningKey::generate(algorithm).unwrap());
        let known = by(AuthMethod::PrivateKeyJwt).jwks(ClientJwks::of([&own]));
        cases.push(case(name, known, Box::new(move |client| assertion(&signed(client, &own, &other)))));
    }
    cases
}

fn keys(algorithm: Algorithm) -> ClientJwks {
    ClientJwks::of([&SigningKey::generate(algorithm).unwrap()])
}

fn form() -> http::request::Builder {
    Request::post("/token").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
}

fn basic(client: &str) -> Request<Bytes> {
    let value = format!("Basic {}", STANDARD.encode(format!("{client}:a-wrong-secret--")));
    form().header(header::AUTHORIZATION, value).body("grant_type=client_credentials".into()).unwrap()
}

fn post(client: &str) -> Request<Bytes> {
    let body = format!("grant_type=client_credentials&client_id={client}&client_secret=a-wrong-secret--");
    form().body(body.into()).unwrap()
}

fn assertion(jwt: &str) -> Request<Bytes> {
    let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    let body = format!("grant_type=client_credentials&client_assertion_type={kind}&client_assertion={jwt}");
    form().body(body.into()).unwrap()
}

fn claims(client: &str) -> serde_json::Value {
    let now = SystemClock.now().0;
    serde_json::json!({ "iss": client, "sub": client, "aud": "https://as.example", "exp": now + 600, "jti": "1" })
}

/// The `kid` of `own`, the signature of `other`.
fn signed(client: &str, own: &SigningKey, other: &SigningKey) -> String {
    let mine = jwt::sign(own, "JWT", &claims(client)).unwrap();
    let theirs = jwt::sign(other, "JWT", &claims(client)).unwrap();
    let (input, _) = mine.rsplit_once('.').unwrap();
    format!("{input}.{}", theirs.rsplit_once('.').unwrap().1)
}

fn hmac(client: &str) -> Request<Bytes> {
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let (header, tag) = (part(serde_json::json!({ "alg": "HS256" })), URL_SAFE_NO_PAD.encode([7; 32]));
    assertion(&format!("{header}.{}.{tag}", part(claims(client))))
}

/// A certificate of somebody else, from a good authority.
fn shown(client: &str) -> Request<Bytes> {
    let certificate = ClientCertificate::from_der(STANDARD.decode(CERTIFICATE).unwrap()).unwrap().with_verified_chain();
    let body = format!("grant_type=client_credentials&client_id={client}");
    form().extension(certificate).body(body.into()).unwrap()
}

/// `CN=app.example`, without alternative names.
const CERTIFICATE: &str = "MIIBKDCBzwIUVyN8si8gxFRXlHlEIPjoBYRwzKAwCgYIKoZIzj0EAwIwFjEUMBIGA1UEAwwLYXBwLmV4YW1wbGUwIBcNMjYxMTIyMTUzNjIx\
    WhgPMjEyNjEwMjkxNTM2MjFaMBYxFDASBgNVBAMMC2FwcC5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEFzrZVhIVKhzanAvr\
    m3sTvjnhwJAtv0AoyaE+V2N2gB22SzGTCu+fclM2Vs+gGbcmdu/c+JJqts0zsLDmzt50vzAKBggqhkjOPQQDAgNIADBFAiAZbQXHfeSvaF5B\
    BbpuDXmmn97BxpmJZagf0Bg4+EAyzQIhAPKe/TwvWxcaw2wJ9NrbRtrT9Fc1/u4qeIfgZoN45RbC";
