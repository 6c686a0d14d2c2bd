//! What a hit allocates and what a verdict that is kept weighs:
//! `cargo bench -p oauth-tower --bench memory`.
//!
//! In a program of its own, since its allocator counts.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a benchmark")]

#[path = "../resource/fixture.rs"]
mod fixture;

use std::{hint::black_box, sync::Arc};

use allocation_counter::measure;
use futures_util::FutureExt;
use http::HeaderValue;
use oauth_core::jwt::Algorithm;
use oauth_tower::resource::{ResourceServer, ValidatedToken};
use tower::Layer;

use self::fixture::{Bare, Fixture, exchange, request, value};

fn main() {
    let timed = std::env::args().any(|argument| argument == "--bench");
    println!("\n**Row 1, allocations of a hit.** Bar: those of the insert into the extensions.\n");
    println!("| | allocations | bytes |\n|---|---|---|");
    allocations();
    println!("\n**Row 6, memory of a verdict.** Bar: 40 bytes beyond the token and what is known of it.\n");
    println!(
        "| live tokens | bytes of a token | of what is known of it | in the cache | beyond |\n|---|---|---|---|---|"
    );
    for bytes in [577, 833] {
        weight(if timed { 100_000 } else { 500 }, bytes);
    }
}

fn allocations() {
    let fixture = Fixture::new(Algorithm::ES256);
    let token = value(&fixture.token(0));
    let mut service = fixture.server(100_000).layer().layer(Bare);
    exchange(&mut service, &token);
    let known = known(&fixture.server(0), &token);
    let bare = row("the bare service", || exchange(&mut Bare, &token));
    let insert = row("the bare service, and a pointer put into the extensions", || {
        let mut request = request(&token);
        request.extensions_mut().insert(Arc::clone(&known));
        tower::Service::call(&mut Bare, request).now_or_never().unwrap().unwrap();
    });
    let hit = row("the protected service, token seen before", || exchange(&mut service, &token));
    println!("| *a hit, beyond the insert* | {} | |", hit - insert);
    assert!(bare <= insert && insert <= hit);
}

fn row(name: &str, run: impl FnMut()) -> i64 {
    let counted = measure(run);
    println!("| {name} | {} | {} |", counted.count_total, counted.bytes_total);
    i64::try_from(counted.count_total).unwrap()
}

/// Fills a cache, and weighs it against what it must hold.
fn weight(tokens: usize, bytes: usize) {
    let fixture = Fixture::of_bytes(Algorithm::EdDSA, bytes);
    let texts = fixture.tokens(tokens);
    let (mut known, mut services) = (Vec::with_capacity(tokens), Vec::with_capacity(1));
    let keepless = fixture.server(0);
    let alone = measure(|| known.extend(texts.iter().map(|text| self::known(&keepless, &value(text)))));
    drop(black_box(known));
    // Room for a few more: its parts do not fill up at the same time.
    let cached = measure(|| services.push(filled(&fixture, &texts, tokens + tokens / 20)));
    let empty = measure(|| services.push(filled(&fixture, &texts, 1)));
    let each = |bytes: i64| bytes as f64 / tokens as f64;
    let token = each(texts.iter().map(|text| i64::try_from(text.len()).unwrap()).sum());
    let (known, cached) = (each(alone.bytes_current), each(cached.bytes_current - empty.bytes_current));
    println!(
        "| {tokens}, {} | {token:.0} | {known:.0} | {cached:.0} | {:.1} |",
        fixture.algorithm,
        cached - token - known
    );
}

fn filled(fixture: &Fixture, texts: &[String], entries: usize) -> impl Sized + use<> {
    let mut service = fixture.server(entries).layer().layer(Bare);
    texts.iter().for_each(|text| exchange(&mut service, &value(text)));
    service
}

/// What a handler finds of a token, in memory of its own: of a server that
/// keeps no verdict.
fn known(server: &ResourceServer, token: &HeaderValue) -> Arc<ValidatedToken> {
    let request = request(token);
    server.validate_headers(request.headers()).now_or_never().unwrap().unwrap()
}
