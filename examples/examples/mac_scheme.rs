//! A token type of one's own: the MAC scheme that RFC 6749 section 7.1 mentions.
//!
//! The client never sends a secret. It signs the request line with the key that
//! came with its token, and the API learns that key by introspection:
//!
//!     GET /resource/1 HTTP/1.1
//!     Authorization: MAC id="h480djs93hd8", nonce="274312:dj83hs9s", mac="kDZvddkndxvhGRXZhvuDjEWhGeE="
//!
//! The program plays all three parts, prints what each request gets, and ends:
//!
//!     cargo run -p examples --example mac_scheme
//!
//! For tokens that are bound to a key, DPoP (RFC 9449) is the standard today and
//! is built in. This shows where another scheme goes.

use std::{collections::HashMap, convert::Infallible, sync::Arc};

use aws_lc_rs::hmac;
use axum::{Router, body::Body, routing::get};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Request, Response, header::AUTHORIZATION};
use http_body_util::Full;
use oauth_axum_rs::Token;
use oauth_core::{
    clock::{Clock, SystemClock},
    dpop::{MemoryReplayCache, ReplayCache},
    error::ErrorCode,
    secret::Digest,
};
use oauth_tower::{
    outgoing::HttpClient,
    resource::{Issuer, Presented, ResourceServer, SchemeError, SchemeRequest, TokenScheme, ValidatedToken},
};
use serde_json::json;
use tower::ServiceExt;

/// The host and port that clients sign: declared, and never read from a header.
const HOST: (&str, &str) = ("api.example", "443");
/// How many seconds the age in a nonce may be off. Nonces are remembered for as
/// long on either side.
const WINDOW: u64 = 60;

#[derive(Debug, Default)]
struct Mac {
    used: Arc<MemoryReplayCache>,
}

impl TokenScheme for Mac {
    fn name(&self) -> &'static str {
        "MAC"
    }

    fn read(&self, request: &SchemeRequest<'_>) -> Result<Presented, SchemeError> {
        let malformed = || SchemeError::new(ErrorCode::InvalidRequest, "a MAC needs id, nonce and mac");
        let sent = attributes(request.credentials()).ok_or_else(malformed)?;
        let take = |name: &str| sent.get(name).map(|value| (*value).to_owned()).ok_or_else(malformed);
        let (id, nonce, mac) = (take("id")?, take("nonce")?, take("mac")?);
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let signed = normalized(&nonce, request.method().as_str(), target);
        let used = Arc::clone(&self.used);
        Ok(Presented::new(id, async move |token| {
            verify(&token, &signed, &mac)?;
            first_use(&token, &nonce, &used).await
        }))
    }
}

/// What is signed: each part on a line of its own.
fn normalized(nonce: &str, method: &str, target: &str) -> String {
    format!("{nonce}\n{method}\n{target}\n{}\n{}\n", HOST.0, HOST.1)
}

/// `verify` compares in constant time.
fn verify(token: &ValidatedToken, signed: &str, mac: &str) -> Result<(), SchemeError> {
    let wrong = || SchemeError::new(ErrorCode::InvalidToken, "the MAC is wrong");
    let key = token.claim("mac_key").and_then(|key| key.as_str()).ok_or_else(wrong)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let mac = STANDARD.decode(mac).map_err(|_| wrong())?;
    hmac::verify(&key, signed.as_bytes(), &mac).map_err(|_| wrong())
}

/// A nonce is the age of the token in seconds, a colon, and something unique.
async fn first_use(token: &ValidatedToken, nonce: &str, used: &MemoryReplayCache) -> Result<(), SchemeError> {
    let stale = || SchemeError::new(ErrorCode::InvalidToken, "the nonce is used, too old or too new");
    let age: u64 = nonce.split_once(':').and_then(|(age, _)| age.parse().ok()).ok_or_else(stale)?;
    let issued = token.claims().iat.ok_or_else(stale)?;
    let sent = issued.saturating_add(age);
    let now = SystemClock.now();
    if now > sent.saturating_add(WINDOW) || sent > now.saturating_add(WINDOW) {
        return Err(stale());
    }
    let jti = token.claims().jti.as_deref().unwrap_or_default();
    let digest = Digest::of(&[jti.as_bytes(), b"\n", nonce.as_bytes()]);
    match used.first_use(digest, sent.saturating_add(WINDOW + 1)).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(stale()),
        // Not knowing is not "yes".
        Err(_) => Err(SchemeError::unavailable(1)),
    }
}

/// `name="value"`, separated by commas, each name once.
fn attributes(credentials: &str) -> Option<HashMap<&str, &str>> {
    let mut found = HashMap::new();
    for part in credentials.split(',') {
        let (name, quoted) = part.trim().split_once('=')?;
        let value = quoted.strip_prefix('"')?.strip_suffix('"')?;
        let is_plain = !value.is_empty() && !value.contains(['"', '\\']);
        if !is_plain || found.insert(name, value).is_some() {
            return None;
        }
    }
    Some(found)
}

const ISSUER: &str = "https://as.example";
const KEY: &str = "489dks293j39";

/// The authorization server's part: it gave out one token, with its key.
async fn introspect(request: Request<Bytes>) -> Result<Response<Full<Bytes>>, Infallible> {
    let asked_for =
        form_urlencoded::parse(request.body()).any(|(name, value)| name == "token" && value == "h480djs93hd8");
    let answer = json!({
        "active": asked_for, "token_type": "mac", "mac_algorithm": "hmac-sha-256", "mac_key": KEY,
        "sub": "ada", "aud": "https://api.example", "jti": "7", "iat": SystemClock.now().0 - 100,
    });
    Ok(Response::new(answer.to_string().into()))
}

fn app() -> Result<Router, Box<dyn std::error::Error>> {
    let issuer =
        Issuer::introspection(ISSUER, "https://as.example/introspect").client_basic("api", "the client secret");
    let api = ResourceServer::builder("https://api.example")
        .issuer(issuer)
        .http(HttpClient::new(tower::service_fn(introspect)))
        .scheme(Mac::default())
        .build()?;
    let hello = get(async |token: Token| format!("hello {}, by {}\n", token.subject(), token.token_type().as_str()));
    Ok(Router::new().route("/resource/1", hello).layer(api.layer()))
}

/// The client's part.
fn request(nonce: &str, target: &str, key: &str) -> http::Result<Request<Body>> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let mac = STANDARD.encode(hmac::sign(&key, normalized(nonce, "GET", target).as_bytes()));
    let credentials = format!(r#"MAC id="h480djs93hd8", nonce="{nonce}", mac="{mac}""#);
    Request::get("/resource/1").header(AUTHORIZATION, credentials).body(Body::empty())
}

/// What the client tries, and what it gets.
fn attempts() -> http::Result<Vec<(&'static str, Request<Body>, u16)>> {
    let bearer = Request::get("/resource/1").header(AUTHORIZATION, "Bearer h480djs93hd8").body(Body::empty())?;
    Ok(vec![
        ("signed", request("100:first", "/resource/1", KEY)?, 200),
        ("the same again", request("100:first", "/resource/1", KEY)?, 401),
        ("with another nonce", request("100:second", "/resource/1", KEY)?, 200),
        ("signed for elsewhere", request("100:third", "/resource/2", KEY)?, 401),
        ("with another key", request("100:fourth", "/resource/1", "guess")?, 401),
        ("long ago", request("1:fifth", "/resource/1", KEY)?, 401),
        ("as a bearer token", bearer, 401),
    ])
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a program that shows something")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = app()?;
    for (how, request, _) in attempts()? {
        let response = app.clone().oneshot(request).await?;
        let challenges: Vec<_> = response.headers().get_all("www-authenticate").iter().collect();
        println!("{how}: {} {challenges:?}", response.status());
    }
    Ok(())
}

#[cfg(test)]
#[tokio::test]
async fn the_mac_scheme_accepts_each_signed_request_once() {
    let app = app().unwrap();
    for (how, request, status) in attempts().unwrap() {
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{how}");
        let says_why =
            response.headers().get_all("www-authenticate").iter().any(|one| one.as_bytes().starts_with(b"MAC "));
        assert_eq!(says_why, status == 401, "{how}");
    }
}
