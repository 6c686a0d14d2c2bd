//! Row 5, second half: what strangers can cause, and whether others notice.

use http::StatusCode;
use oauth_core::{jwk::JwkDocument, jwt::Algorithm};
use oauth_tower::resource::ResourceServer;
use tower::{Layer, ServiceExt};

use crate::{
    Scale,
    fixture::{Bare, Fixture, exchange, request, value},
    upstream::{Upstream, runtime, warm},
};

/// Of those who were here before.
const LIVE: usize = 100;

pub(crate) fn table(scale: Scale) {
    let flood = scale.of(10_000, 200);
    println!("\n**Row 5, second half: {flood} requests of strangers.** Bar: bounded, and live entries stay.\n");
    println!(
        "| tokens | calls upstream | refused, 401 | unavailable, 503 | live entries left |\n|---|---|---|---|---|"
    );
    let (fixture, stranger) = (Fixture::new(Algorithm::EdDSA), Fixture::new(Algorithm::EdDSA));
    let jwks = || Upstream::new(StatusCode::OK, serde_json::to_string(&JwkDocument::of([&fixture.key])).unwrap());
    let foreign = |number| stranger.token_of(&format!("https://{number}.example"), number);
    let kids = move |number| with_kid(&stranger_token(number), number);
    jwts("of unknown issuers", &jwks(), &fixture, &(0..flood).map(foreign).collect::<Vec<_>>());
    jwts("that name unknown keys", &jwks(), &fixture, &(0..flood).map(kids).collect::<Vec<_>>());
    opaque("random and opaque, the endpoint slow", flood);
}

fn stranger_token(number: usize) -> String {
    format!(r#"{{"iss":"https://as.example","aud":"https://api.example","sub":"eve","jti":"{number}"}}"#)
}

fn with_kid(claims: &str, number: usize) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let header = format!(r#"{{"typ":"at+jwt","alg":"EdDSA","kid":"{number}"}}"#);
    let part = |text: &[u8]| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", part(header.as_bytes()), part(claims.as_bytes()), part(&[7; 64]))
}

fn jwts(name: &str, upstream: &Upstream, fixture: &Fixture, flood: &[String]) {
    let live = fixture.tokens(LIVE);
    row(name, upstream, &upstream.verified(), &live, flood);
}

fn opaque(name: &str, flood: usize) {
    let upstream = Upstream::active();
    let live: Vec<_> = (0..LIVE).map(|number| format!("live-{number}")).collect();
    let flood: Vec<_> = (0..flood).map(|number| format!("random-{number}")).collect();
    row(name, &upstream, &upstream.introspected(), &live, &flood);
}

fn row(name: &str, upstream: &Upstream, server: &ResourceServer, live: &[String], flood: &[String]) {
    let (before, statuses) = runtime().block_on(async {
        for token in live {
            warm(server, token).await;
        }
        let before = upstream.calls();
        upstream.slow_down();
        let sent = flood.iter().map(|token| server.layer().layer(Bare).oneshot(request(&value(token))));
        (before, futures_util::future::join_all(sent.map(tokio::spawn)).await)
    });
    let calls = upstream.calls();
    let statuses: Vec<_> = statuses.into_iter().map(|answer| answer.unwrap().unwrap().status()).collect();
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    let (refused, unavailable) = (count(StatusCode::UNAUTHORIZED), count(StatusCode::SERVICE_UNAVAILABLE));
    // Served at once, without a call: it is in the cache.
    let mut service = server.layer().layer(Bare);
    live.iter().for_each(|token| exchange(&mut service, &value(token)));
    assert_eq!(upstream.calls(), calls);
    println!("| {name} | {} | {refused} | {unavailable} | {} of {} |", calls - before, live.len(), live.len());
}
