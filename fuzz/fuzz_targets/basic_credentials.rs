//! Client authentication through the introspection endpoint: only the one secret gets in.
#![no_main]

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use libfuzzer_sys::fuzz_target;
use oauth_core::{
    client::{Client, ClientSecret},
    endpoint::introspect,
    secret::{RootSecret, Secret},
    server::AuthorizationServer,
    store::memory::MemoryStore,
};
use oauth_core_fuzz::block_on;

const SECRET: &str = "p:a ss+%é";

static SERVER: LazyLock<AuthorizationServer> = LazyLock::new(|| {
    let client = Client::builder("app").secret(ClientSecret::new(&Secret::new(SECRET))).build();
    let server = AuthorizationServer::builder("https://as.example")
        .store(MemoryStore::default())
        .root_secret(RootSecret::new([7; 32]))
        .client(client.expect("a client"))
        .build();
    block_on(server).expect("a server")
});

fuzz_target!(|data: &[u8]| {
    let (pair, body) = data.split_at(data.iter().position(|b| *b == b'\n').unwrap_or(data.len()));
    let body = body.get(1..).unwrap_or_default();
    let encoded = [b"Basic ", STANDARD.encode(pair).as_bytes()].concat();
    let in_pair = is_genuine(pair);
    attempt(&encoded, b"token=x", in_pair);
    let credentials = pair.get(6..).map(|text| text.trim_ascii()).and_then(|text| STANDARD.decode(text).ok());
    attempt(pair, body, credentials.is_some_and(|pair| is_genuine(&pair)) || has_secret(body));
    attempt(&encoded, body, in_pair || has_secret(body));
});

/// Sends `authorization` and `body`: let in only if `genuine`.
fn attempt(authorization: &[u8], body: &[u8], genuine: bool) {
    let Ok(value) = HeaderValue::from_bytes(authorization) else { return };
    let request = Request::post("/introspect")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::AUTHORIZATION, value)
        .body(Bytes::copy_from_slice(body));
    let response = block_on(introspect::handle(&SERVER, &request.expect("a request")));
    let refused = [StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS];
    if response.status() == StatusCode::OK {
        assert!(genuine, "let in without the secret");
        assert_eq!(&response.body()[..], br#"{"active":false}"#);
    } else {
        assert!(refused.contains(&response.status()), "{}", response.status());
    }
    assert!(!String::from_utf8_lossy(response.body()).contains(SECRET));
}

fn is_genuine(pair: &[u8]) -> bool {
    let Some(colon) = pair.iter().position(|b| *b == b':') else { return false };
    // `&` and `=` divide a form, and are themselves in a half of a pair.
    let decode = |half: &[u8]| {
        let half = String::from_utf8_lossy(half).replace('&', "%26").replace('=', "%3D");
        form_urlencoded::parse(half.as_bytes()).next().map(|(text, _)| text.into_owned())
    };
    decode(&pair[..colon]).as_deref() == Some("app") && decode(&pair[colon + 1..]).as_deref() == Some(SECRET)
}

fn has_secret(body: &[u8]) -> bool {
    form_urlencoded::parse(body).any(|(name, value)| name == "client_secret" && value == SECRET)
}
