//! Row 1: a token that was seen before. The same with an answer of an
//! introspection endpoint and with a refusal, which is row 5's first half.

use http::{HeaderValue, StatusCode};
use oauth_core::jwt::Algorithm;
use tower::Layer;

use crate::{
    Scale,
    fixture::{Bare, Fixture, answer, exchange, value},
    measure::interleaved,
    upstream::{Upstream, runtime, warm},
};

pub(crate) fn table(scale: Scale) {
    println!("\n**Row 1, seen before.** Bar: 250 ns hot, 550 ns over 100,000 live tokens, for 833 bytes.\n");
    println!(
        "| verdict from the cache | bare, ns | protected, ns | added, ns | protected / bare |\n|---|---|---|---|---|"
    );
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        hot(scale, &Fixture::new(algorithm));
    }
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
