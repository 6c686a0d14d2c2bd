//! Row 1: a token that was seen before. The same with an answer of an
//! introspection endpoint and with a refusal, which is row 5's first half.

use http::{HeaderValue, StatusCode};
use oauth_core::{
    clock::{Clock, SystemClock},
    jwt::Algorithm,
    status_list::{StatusList, StatusListClaims, StatusReference, sign_status_list},
};
use tower::Layer;

use crate::{
    Scale,
    fixture::{Bare, Fixture, ISSUER, answer, exchange, value},
    measure::interleaved,
    upstream::{Upstream, runtime, warm},
};

const LIST: &str = "https://as.example/status/1";

pub(crate) fn table(scale: Scale) {
    println!("\n**Row 1, seen before.** Bar: 250 ns hot, 550 ns over 100,000 live tokens, for 833 bytes.\n");
    println!(
        "| verdict from the cache | bare, ns | protected, ns | added, ns | protected / bare |\n|---|---|---|---|---|"
    );
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        hot(scale, &Fixture::new(algorithm));
    }
    placed(scale);
    spread(scale);
    println!("\n**Row 5, first half: answers and refusals.** Bar: as row 1.\n");
    println!(
        "| verdict from the cache | bare, ns | protected, ns | added, ns | protected / bare |\n|---|---|---|---|---|"
    );
    introspected(scale);
    refused(scale);
}

fn row(name: &str, [bare, protected]: [f64; 2]) {
    println!("| {name} | {bare:.0} | {protected:.0} | {:.0} | {:.2} |", protected - bare, protected / bare);
}

fn hot(scale: Scale, fixture: &Fixture) {
    let token = fixture.token(0);
    let (mut service, token) = (fixture.server(100_000).layer().layer(Bare), value(&token));
    exchange(&mut service, &token);
    let times = interleaved(
        scale.of(201, 3),
        scale.of(2_000, 20),
        [&mut |_| exchange(&mut Bare, &token), &mut |_| exchange(&mut service, &token)],
    );
    row(&format!("one token, {} ({} B)", fixture.algorithm, token.len() - "Bearer ".len()), times);
}

/// One that names a list of revoked tokens: a hit looks at no list.
fn placed(scale: Scale) {
    let fixture = Fixture::new(Algorithm::EdDSA);
    let mut claims = Fixture::claims(ISSUER, 7);
    StatusReference::new(7, LIST).insert_into(&mut claims.extra);
    let (upstream, token) = (Upstream::new(StatusCode::OK, list(&fixture)), fixture.signed(claims));
    let server = upstream.listed(fixture.keys());
    runtime().block_on(warm(&server, &token));
    let (mut service, token) = (server.layer().layer(Bare), value(&token));
    let times = interleaved(
        scale.of(201, 3),
        scale.of(2_000, 20),
        [&mut |_| exchange(&mut Bare, &token), &mut |_| exchange(&mut service, &token)],
    );
    let (bytes, calls) = (token.len() - "Bearer ".len(), upstream.calls());
    row(&format!("one token, EdDSA ({bytes} B), with a place in a status list (fetched {calls} times)"), times);
}

/// Nothing is revoked, and it is good for a day.
fn list(fixture: &Fixture) -> String {
    let (now, day) = (SystemClock.now(), 86_400);
    let says = StatusListClaims::new(ISSUER, LIST, now).ttl(day).expires_at(now.saturating_add(day));
    sign_status_list(&fixture.key, &says, &StatusList::with_revoked(1 << 20, [])).unwrap()
}

/// So many live tokens, asked for in a scattered order.
fn spread(scale: Scale) {
    let live = scale.of(100_000, 100);
    let fixture = Fixture::of_bytes(Algorithm::EdDSA, 833);
    let tokens: Vec<_> = fixture.tokens(live).iter().map(|token| format!("Bearer {token}")).collect();
    // As it comes off the wire: freshly copied, and so at hand.
    let at = |call: usize| HeaderValue::from_str(&tokens[call.wrapping_mul(2_654_435_761) % live]).unwrap();
    let mut service = fixture.server(2 * live).layer().layer(Bare);
    for number in 0..live {
        exchange(&mut service, &at(number));
    }
    let times = interleaved(
        scale.of(61, 3),
        scale.of(10_000, 20),
        [&mut |call| exchange(&mut Bare, &at(call)), &mut |call| exchange(&mut service, &at(call))],
    );
    row(&format!("spread over {live} live tokens ({} B)", tokens[0].len() - "Bearer ".len()), times);
}

fn introspected(scale: Scale) {
    let (upstream, runtime) = (Upstream::active(), runtime());
    let server = upstream.introspected();
    let token = "2YotnFZFEjr1zCsicMWpAA";
    runtime.block_on(warm(&server, token));
    let (mut service, token) = (server.layer().layer(Bare), value(token));
    let times = interleaved(
        scale.of(201, 3),
        scale.of(2_000, 20),
        [&mut |_| exchange(&mut Bare, &token), &mut |_| exchange(&mut service, &token)],
    );
    row(&format!("an introspected token ({} calls upstream)", upstream.calls()), times);
}

fn refused(scale: Scale) {
    let (fixture, other) = (Fixture::new(Algorithm::RS256), Fixture::new(Algorithm::RS256));
    // Of the right issuer and with its key's name, but not signed with it.
    let forged = fixture.token(0);
    let forged = format!("{}.{}", forged.rsplit_once('.').unwrap().0, other.token(0).rsplit_once('.').unwrap().1);
    let (mut service, forged) = (fixture.server(100_000).layer().layer(Bare), value(&forged));
    assert_eq!(answer(&mut service, &forged), StatusCode::UNAUTHORIZED);
    let times = interleaved(
        scale.of(201, 3),
        scale.of(2_000, 20),
        [&mut |_| exchange(&mut Bare, &forged), &mut |_| {
            assert_eq!(answer(&mut service, &forged), StatusCode::UNAUTHORIZED);
        }],
    );
    row("a token with a wrong signature: refused, with the 401 made", times);
}
