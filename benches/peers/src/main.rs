//! This project's layer and its peers, in one program and in turns.
//!
//! `cargo run --release` prints two tables in Markdown. README.md says more.

mod client;
mod contender;
mod fixture;
mod http;
mod peers;

use std::{hint::black_box, time::Duration};

use ::http::HeaderValue;
use futures_util::FutureExt;
use oauth_core::jwt::Jws;

use self::{
    contender::{Bare, Contender, lower_quartile, per_call},
    fixture::Fixture,
    http::Server,
    peers::{axum_jwt_auth, huskarl_axum, jwt_authorizer, ours, tower_oauth2_resource_server},
};

/// Rounds in which everybody has a turn, and requests in a turn.
const ROUNDS: usize = 41;
const REQUESTS: usize = 50;

const HIT: &str = "**oauth-tower**, token seen before";
const COLD: &str = "**oauth-tower**, token new";
const TORS: &str = "tower-oauth2-resource-server 0.12 (aws-lc-rs)";
const JWT_AUTHORIZER: &str = "jwt-authorizer 0.15 (ring)";
const HUSKARL: &str = "huskarl-axum 0.1 (RustCrypto)";
const AXUM_JWT_AUTH: &str = "axum-jwt-auth 0.7 (aws-lc-rs)";

fn main() {
    let fixtures = Fixture::all();
    println!("### Added to one request, in process\n");
    println!(
        "| | token | added, µs | protected / bare | added / signature check | added / ours, new | added / ours, seen |"
    );
    println!("|---|---|---|---|---|---|---|");
    for fixture in &fixtures {
        in_process(fixture);
    }
    println!("\n### HTTP/1.1 over loopback, kept alive, requests per second of one core\n");
    println!("| | token | requests / s | protected / unprotected | ours, seen, is faster by | core busy |");
    println!("|---|---|---|---|---|---|");
    for fixture in &fixtures {
        end_to_end(fixture);
    }
}

/// What a layer adds to a service that does nothing.
fn in_process(fixture: &Fixture) {
    let tokens: Vec<_> = (0..ROUNDS * REQUESTS).map(|number| fixture.token(number)).collect();
    let fresh: Vec<_> = tokens.iter().map(|token| header(token)).collect();
    let seen = [fixture.header(ROUNDS * REQUESTS)];
    let parsed: Vec<_> = tokens.iter().map(|token| Jws::parse(token).expect("a token")).collect();
    let mut contenders = contenders(fixture);
    contenders.iter_mut().for_each(|contender| contender.warm(&seen[0]));
    let mut raw = Vec::new();
    for (fresh, parsed) in fresh.chunks(REQUESTS).zip(parsed.chunks(REQUESTS)) {
        raw.push(per_call(REQUESTS, |call| assert!(black_box(fixture.check(&parsed[call])))));
        for contender in &mut contenders {
            let (calls, headers) = if contender.fresh { (REQUESTS, fresh) } else { (20 * REQUESTS, &seen[..]) };
            contender.round(calls, headers);
        }
    }
    let raw = lower_quartile(&mut raw);
    let rows: Vec<_> = contenders.iter_mut().map(|contender| (contender.name, contender.nanoseconds())).collect();
    let added = |wanted| rows.iter().find(|row| row.0 == wanted).map_or(f64::NAN, |row| row.1[1] - row.1[0]);
    let token = format!("{}, {} B", fixture.algorithm, tokens[0].len());
    println!("| *the signature check alone* | {token} | {:.2} | | 1 | | |", raw / 1e3);
    for (name, [bare, protected]) in &rows {
        let own = protected - bare;
        println!(
            "| {name} | {token} | {:.2} | {:.1} | {:.3} | {:.2} | {:.1} |",
            own / 1e3,
            protected / bare,
            own / raw,
            own / added(COLD),
            own / added(HIT),
        );
    }
}

/// All of them. What they set up, they set up without waiting: keys are here.
fn contenders(fixture: &Fixture) -> Vec<Contender> {
    let tors = tower_oauth2_resource_server::service(fixture).now_or_never().expect("at once");
    let jwt_authorizer = jwt_authorizer::service(fixture).now_or_never().expect("at once");
    let huskarl = huskarl_axum::service(fixture).now_or_never().expect("at once");
    vec![
        Contender::new(HIT, false, ours::service(fixture, 100_000)),
        // Full from the middle on, so that each new verdict takes the place of an old one.
        Contender::new(COLD, true, ours::service(fixture, (ROUNDS * REQUESTS / 2) as u64)),
        Contender::new(TORS, true, tors),
        Contender::new(JWT_AUTHORIZER, true, jwt_authorizer),
        Contender::new(HUSKARL, true, huskarl),
        Contender::new(AXUM_JWT_AUTH, true, axum_jwt_auth::service(fixture)),
    ]
}

/// What is left of the throughput of an HTTP server.
fn end_to_end(fixture: &Fixture) {
    const TURN: Duration = Duration::from_millis(250);
    let token = fixture.header(0);
    let mut servers = servers(fixture);
    for round in 0..10 {
        // Each has another before it in every other round.
        let order: Vec<_> = (0..servers.len()).collect();
        for place in if round % 2 == 0 { order } else { order.into_iter().rev().collect() } {
            servers[place].round(&token, TURN);
        }
    }
    let rates: Vec<_> = servers.iter_mut().map(|server| (server.name, server.rate())).collect();
    let (bare, hit) = (rates[0].1.0, rates[1].1.0);
    for (name, (rate, busy)) in rates {
        let algorithm = fixture.algorithm;
        println!("| {name} | {algorithm} | {rate:.0} | {:.3} | {:.1} | {busy:.2} |", rate / bare, hit / rate);
    }
}

fn servers(fixture: &Fixture) -> Vec<Server> {
    let tors = tower_oauth2_resource_server::service(fixture).now_or_never().expect("at once");
    let jwt_authorizer = jwt_authorizer::service(fixture).now_or_never().expect("at once");
    let huskarl = huskarl_axum::service(fixture).now_or_never().expect("at once");
    vec![
        Server::start("*unprotected*", <Bare>::new()),
        Server::start(HIT, ours::service(fixture, 100_000)),
        // No verdict is kept, so that every request is as expensive as the first.
        Server::start(COLD, ours::service(fixture, 0)),
        Server::start(TORS, tors),
        Server::start(JWT_AUTHORIZER, jwt_authorizer),
        Server::start(HUSKARL, huskarl),
        Server::start(AXUM_JWT_AUTH, axum_jwt_auth::service(fixture)),
    ]
}

fn header(token: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("Bearer {token}")).expect("a header value")
}
