//! One issuer, its tokens, and a service that does nothing.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    hint::black_box,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::FutureExt;
use http::{HeaderValue, Request, Response, StatusCode, header::AUTHORIZATION};
use oauth_core::{
    claims::{ACCESS_TOKEN_TYPE, AccessTokenClaims},
    clock::{Clock, SystemClock, UnixTime},
    jwk::JwkSet,
    jwt::{Algorithm, sign},
    keys::SigningKey,
};
use oauth_tower::resource::{HasIssuer, Issuer, ResourceServer, ResourceServerBuilder};
use tower::Service;

pub(crate) const ISSUER: &str = "https://as.example";
pub(crate) const RESOURCE: &str = "https://api.example";

/// The bare service: it does nothing, and is polled once.
#[derive(Clone)]
pub(crate) struct Bare;

impl<R> Service<Request<R>> for Bare {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<R>) -> Self::Future {
        black_box(request);
        ready(Ok(Response::new(())))
    }
}

/// One algorithm, its key, and tokens of a usual size.
pub(crate) struct Fixture {
    pub(crate) algorithm: Algorithm,
    pub(crate) key: SigningKey,
    bytes: usize,
}

impl Fixture {
    /// The same claims: a signature of RSA is 256 characters longer.
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        let is_rsa = !matches!(algorithm, Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA);
        Self::of_bytes(algorithm, if is_rsa { 833 } else { 577 })
    }

    pub(crate) fn of_bytes(algorithm: Algorithm, bytes: usize) -> Self {
        Self { algorithm, key: SigningKey::generate(algorithm).unwrap(), bytes }
    }

    /// A token that lives for a day; another one for another number.
    pub(crate) fn token(&self, number: usize) -> String {
        self.token_of(ISSUER, number)
    }

    /// The same from an issuer that is not ours.
    pub(crate) fn token_of(&self, issuer: &str, number: usize) -> String {
        self.signed(Self::claims(issuer, number))
    }

    pub(crate) fn claims(issuer: &str, number: usize) -> AccessTokenClaims {
        let now = SystemClock.now();
        let (aud, jti) = ([RESOURCE.to_owned()], format!("{number:08}"));
        let exp = UnixTime(now.0 + 86_400);
        let mut claims = AccessTokenClaims::new(issuer, aud, "248289761001", "s6BhdRkqt3", jti, now, exp);
        claims.scope = Some("albums:read albums:write".parse().unwrap());
        claims
    }

    pub(crate) fn signed(&self, mut claims: AccessTokenClaims) -> String {
        let sign = |claims: &AccessTokenClaims| sign(&self.key, ACCESS_TOKEN_TYPE, claims).unwrap();
        // `,"email":""` takes eleven bytes, and three bytes take four characters.
        let missing = (self.bytes.saturating_sub(sign(&claims).len()) * 3 / 4).saturating_sub(11);
        claims.extra.insert("email".into(), "x".repeat(missing).into());
        sign(&claims)
    }

    pub(crate) fn tokens(&self, count: usize) -> Vec<String> {
        (0..count).map(|number| self.token(number)).collect()
    }

    pub(crate) fn keys(&self) -> JwkSet {
        [&self.key].into_iter().collect()
    }

    /// With the keys at hand, room for so many verdicts, and memory enough.
    pub(crate) fn server(&self, entries: usize) -> ResourceServer {
        builder(Issuer::jwt(ISSUER).keys(self.keys())).cache_entries(entries as u64).build().unwrap()
    }
}

pub(crate) fn builder(issuer: impl Into<Issuer>) -> ResourceServerBuilder<HasIssuer> {
    let builder = ResourceServer::builder(RESOURCE).issuer(issuer).cache_bytes(1 << 30);
    builder.cache_denials_for(Duration::from_secs(3_600))
}

/// The header of a request with `token`.
pub(crate) fn value(token: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("Bearer {token}")).unwrap()
}

pub(crate) fn request(value: &HeaderValue) -> Request<()> {
    let mut request = Request::new(());
    request.headers_mut().insert(AUTHORIZATION, value.clone());
    request
}

/// One request that nobody has to wait for.
pub(crate) fn answer<S: Service<Request<()>, Response = Response<()>>>(
    service: &mut S,
    value: &HeaderValue,
) -> StatusCode {
    let Some(Ok(response)) = service.call(request(value)).now_or_never() else { panic!("not at once") };
    black_box(response).status()
}

/// One request that is served at once.
pub(crate) fn exchange<S: Service<Request<()>, Response = Response<()>>>(service: &mut S, value: &HeaderValue) {
    assert_eq!(answer(service, value), StatusCode::OK);
}
