//! What the resource server costs per request, against the bare service in the
//! same run: `cargo bench -p oauth-tower`.
//!
//! Criterion's figures come first, then a table from interleaved rounds, whose
//! ratios carry over from machine to machine better than nanoseconds do.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "a benchmark")]

use std::{
    convert::Infallible,
    future::{Ready, ready},
    hint::black_box,
    time::Instant,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use criterion::{BatchSize, Criterion};
use futures_util::FutureExt;
use http::{HeaderValue, Request, Response, header::AUTHORIZATION};
use jsonwebtoken::EncodingKey;
use oauth_core::{
    clock::{Clock, SystemClock},
    jwk::JwkSet,
    jwt::{Algorithm, Jws},
    keys::SigningKey,
};
use oauth_tower::resource::{Issuer, ResourceServer, ResourceService};
use serde_json::json;
use tower::{Layer, Service};

const ISSUER: &str = "https://as.example";
const RESOURCE: &str = "https://api.example";
/// Live tokens in the row that spreads.
const SPREAD: usize = 100_000;

/// The bare service: it does nothing, and is polled once.
#[derive(Clone)]
struct Bare;

impl Service<Request<()>> for Bare {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        black_box(request);
        ready(Ok(Response::new(())))
    }
}

/// One algorithm, its key, and tokens of a usual size.
struct Fixture {
    name: &'static str,
    signing: SigningKey,
    encoding: EncodingKey,
    algorithm: jsonwebtoken::Algorithm,
    bytes: usize,
}

impl Fixture {
    fn all() -> [Self; 3] {
        [Self::new(Algorithm::RS256, 833), Self::new(Algorithm::ES256, 577), Self::new(Algorithm::EdDSA, 577)]
    }

    fn new(algorithm: Algorithm, bytes: usize) -> Self {
        let signing = SigningKey::generate(algorithm).unwrap();
        let der = signing.to_pkcs8().unwrap();
        let (encoding, theirs) = match algorithm {
            Algorithm::ES256 => (EncodingKey::from_ec_der(der.as_bytes()), jsonwebtoken::Algorithm::ES256),
            Algorithm::EdDSA => (EncodingKey::from_ed_der(der.as_bytes()), jsonwebtoken::Algorithm::EdDSA),
            _ => {
                // `jsonwebtoken` takes PKCS#1, which ends the PKCS#8 structure.
                let pkcs1 = &der.as_bytes()[26..];
                (EncodingKey::from_rsa_der(pkcs1), jsonwebtoken::Algorithm::RS256)
            }
        };
        Self { name: algorithm.as_str(), signing, encoding, algorithm: theirs, bytes }
    }

    fn token(&self, number: usize) -> String {
        let header = json!({ "typ": "at+jwt", "alg": self.name, "kid": self.signing.kid() });
        let now = SystemClock.now().0;
        let mut claims = json!({
            "iss": ISSUER, "aud": RESOURCE, "sub": "248289761001", "client_id": "s6BhdRkqt3",
            "jti": format!("{number:08}"), "iat": now, "exp": now + 86_400, "scope": "albums:read albums:write",
        });
        let sign = |claims: &serde_json::Value| {
            let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let input = format!("{}.{}", part(&header), part(claims));
            let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &self.encoding, self.algorithm).unwrap();
            format!("{input}.{signature}")
        };
        let short = sign(&claims).len();
        if let Some(missing) = (self.bytes * 3).checked_sub(short * 3 + 40) {
            claims["email"] = json!("x".repeat(missing / 4));
        }
        sign(&claims)
    }

    fn server(&self, entries: u64) -> ResourceServer {
        let keys: JwkSet = [&self.signing].into_iter().collect();
        ResourceServer::builder(RESOURCE)
            .issuer(Issuer::jwt(ISSUER).keys(keys))
            .cache_bytes(1 << 30)
            .cache_entries(entries)
            .build()
            .unwrap()
    }

    fn service(&self) -> ResourceService<Bare> {
        self.server(2 * SPREAD as u64).layer().layer(Bare)
    }
}

fn value(token: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("Bearer {token}")).unwrap()
}

fn exchange<S: Service<Request<()>, Response = Response<()>>>(service: &mut S, value: &HeaderValue) {
    let mut request = Request::new(());
    request.headers_mut().insert(AUTHORIZATION, value.clone());
    let response = service.call(request).now_or_never().unwrap().ok().unwrap();
    assert!(response.status().is_success());
    black_box(response);
}

fn criterion(c: &mut Criterion) {
    let mut group = c.benchmark_group("resource");
    for fixture in Fixture::all() {
        let (name, token) = (fixture.name, value(&fixture.token(0)));
        group.bench_function(format!("bare/{name}"), |b| b.iter(|| exchange(&mut Bare, &token)));
        let mut service = fixture.service();
        group.bench_function(format!("hit/{name}"), |b| b.iter(|| exchange(&mut service, &token)));
        group.bench_function(format!("cold/{name}"), |b| {
            b.iter_batched(
                || fixture.service(),
                |mut service| {
                    exchange(&mut service, &token);
                    service
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

/// The median over interleaved rounds, in nanoseconds per call.
fn interleaved<const N: usize>(rounds: usize, calls: usize, mut variants: [&mut dyn FnMut(usize); N]) -> [f64; N] {
    let mut times: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
    for round in 0..rounds {
        for (variant, times) in variants.iter_mut().zip(&mut times) {
            let started = Instant::now();
            for call in 0..calls {
                variant(round * calls + call);
            }
            times.push(started.elapsed().as_nanos() as f64 / calls as f64);
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}

fn table() {
    println!("\n| path | bare, ns | protected, ns | added, ns | ratio |\n|---|---|---|---|---|");
    let row = |path: &str, bare: f64, protected: f64| {
        let (added, ratio) = (protected - bare, protected / bare);
        println!("| {path} | {bare:.0} | {protected:.0} | {added:.0} | {ratio:.2} |");
    };
    for fixture in Fixture::all() {
        let token = value(&fixture.token(0));
        let mut service = fixture.service();
        exchange(&mut service, &token);
        let [bare, hit] =
            interleaved(201, 2_000, [&mut |_| exchange(&mut Bare, &token), &mut |_| exchange(&mut service, &token)]);
        row(&format!("hit, hot, {} ({} B)", fixture.name, token.len() - 7), bare, hit);
    }
    spread(&row);
    println!(
        "\n| path | raw signature check, ns | cold request, ns | bare, ns | (cold - bare) / raw |\n|---|---|---|---|---|"
    );
    for fixture in Fixture::all() {
        cold(&fixture);
    }
}

/// A hundred thousand live tokens, asked for in a scattered order.
fn spread(row: &dyn Fn(&str, f64, f64)) {
    let fixture = Fixture::new(Algorithm::EdDSA, 833);
    let tokens: Vec<_> = (0..SPREAD).map(|number| format!("Bearer {}", fixture.token(number))).collect();
    // As it comes off the wire: freshly copied, and so at hand.
    let at = |call: usize| HeaderValue::from_str(&tokens[call.wrapping_mul(2_654_435_761) % SPREAD]).unwrap();
    let mut service = fixture.service();
    for number in 0..SPREAD {
        exchange(&mut service, &at(number));
    }
    let [bare, hit] = interleaved(
        51,
        20_000,
        [&mut |call| exchange(&mut Bare, &at(call)), &mut |call| exchange(&mut service, &at(call))],
    );
    row("hit, spread over 100,000 live tokens (833 B)", bare, hit);
}

fn cold(fixture: &Fixture) {
    const TOKENS: usize = 2_000;
    let tokens: Vec<_> = (0..TOKENS).map(|number| fixture.token(number)).collect();
    let values: Vec<_> = tokens.iter().map(|token| value(token)).collect();
    let parsed: Vec<_> = tokens.iter().map(|token| Jws::parse(token).unwrap()).collect();
    let key = fixture.signing.public_key();
    // Full of other tokens, so that each new one takes the memory of an old one.
    let mut service = fixture.server(1_000).layer().layer(Bare);
    for number in TOKENS..2 * TOKENS {
        exchange(&mut service, &value(&fixture.token(number)));
    }
    let [raw, cold, bare] = interleaved(
        20,
        TOKENS / 20,
        [
            &mut |call| {
                black_box(parsed[call].verify(key).unwrap());
            },
            &mut |call| exchange(&mut service, &values[call]),
            &mut |call| exchange(&mut Bare, &values[call]),
        ],
    );
    println!("| cold, {} | {raw:.0} | {cold:.0} | {bare:.0} | {:.3} |", fixture.name, (cold - bare) / raw);
}

fn parts() {
    use oauth_core::claims::*;
    let fixture = Fixture::new(Algorithm::RS256, 833);
    let token = fixture.token(1);
    let keys: JwkSet = [&fixture.signing].into_iter().collect();
    let jws = Jws::parse(&token).unwrap();
    let key = fixture.signing.public_key();
    let payload = jws.verify(key).unwrap().payload().to_vec();
    let now = SystemClock.now();
    let exp = Expectations::new(ISSUER, RESOURCE, now);
    let mut buf = Vec::with_capacity(2000);
    let bytes = token.as_bytes();
    let part = token.split('.').nth(1).unwrap();
    let sig = token.split('.').nth(2).unwrap();
    let [parse, claims, raw, verify, all, b64, t68] = interleaved(
        51,
        500,
        [
            &mut |_| {
                black_box(Jws::parse(black_box(&token)).unwrap());
            },
            &mut |_| {
                black_box(AccessTokenClaims::from_json(black_box(&payload)).unwrap());
            },
            &mut |_| {
                black_box(jws.verify(key).unwrap());
            },
            &mut |_| {
                black_box(verify_access_token_jws(&jws, &keys, Algorithm::ALL, &exp).unwrap());
            },
            &mut |_| {
                black_box(verify_access_token(&token, &keys, Algorithm::ALL, &exp).unwrap());
            },
            &mut |_| {
                buf.clear();
                URL_SAFE_NO_PAD.decode_vec(black_box(part), &mut buf).unwrap();
                URL_SAFE_NO_PAD.decode_vec(black_box(sig), &mut buf).unwrap();
                black_box(&buf);
            },
            &mut |_| {
                black_box(black_box(bytes).iter().fold(true, |l, b| {
                    l & (b.is_ascii_alphanumeric() | matches!(b, b'-' | b'.' | b'_' | b'~' | b'+' | b'/'))
                }));
            },
        ],
    );
    println!(
        "parse {parse:.0} claims {claims:.0} raw {raw:.0} verify {verify:.0} all {all:.0} b64 {b64:.0} t68 {t68:.0} payload {}",
        payload.len()
    );
}

fn main() {
    if std::env::var("PARTS").is_ok() {
        parts();
        parts();
        return;
    }
    // `cargo test` runs benchmarks once, to see that they still work.
    let timed = std::env::args().any(|argument| argument == "--bench");
    let mut c = Criterion::default().configure_from_args();
    criterion(&mut c);
    c.final_summary();
    if timed {
        table();
    }
}
