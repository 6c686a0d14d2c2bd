//! Row 3: a token that nobody has seen before, against the bare check of its
//! signature.

use std::hint::black_box;

use oauth_core::jwt::{Algorithm, Jws};
use tower::Layer;

use crate::{
    Scale,
    fixture::{Bare, Fixture, exchange, value},
    measure::interleaved,
};

pub(crate) fn table(scale: Scale) {
    println!("\n**Row 3, new token.** Bar: 1.06.\n");
    println!("| | signature check, ns | new token, ns | bare, ns | added / signature check |\n|---|---|---|---|---|");
    for algorithm in [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA] {
        row(scale, &Fixture::new(algorithm));
    }
}

fn row(scale: Scale, fixture: &Fixture) {
    let (rounds, calls) = (scale.of(60, 2), 50);
    let tokens = fixture.tokens(rounds * calls);
    let values: Vec<_> = tokens.iter().map(|token| value(token)).collect();
    let parsed: Vec<_> = tokens.iter().map(|token| Jws::parse(token).unwrap()).collect();
    let key = fixture.key.public_key();
    // Full of other tokens, so that each new one takes the memory of an old one.
    let room = scale.of(1_000, 10);
    let mut service = fixture.server(room).layer().layer(Bare);
    for number in tokens.len()..tokens.len() + room {
        exchange(&mut service, &value(&fixture.token(number)));
    }
    let [raw, new, bare] = interleaved(
        rounds,
        calls,
        [
            &mut |call| {
                black_box(parsed[call].verify(key).unwrap());
            },
            &mut |call| exchange(&mut service, &values[call]),
            &mut |call| exchange(&mut Bare, &values[call]),
        ],
    );
    let (name, bytes) = (fixture.algorithm, tokens[0].len());
    println!("| {name}, {bytes} B | {raw:.0} | {new:.0} | {bare:.0} | {:.3} |", (new - bare) / raw);
}
