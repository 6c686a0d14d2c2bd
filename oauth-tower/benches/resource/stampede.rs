//! Row 4: a thousand callers at once, none of whom has been here before.

use http::StatusCode;
use oauth_core::{jwk::JwkDocument, jwt::Algorithm};
use oauth_tower::resource::ResourceServer;
use tokio::task::JoinHandle;
use tower::{Layer, ServiceExt};

use crate::{
    Scale,
    fixture::{Bare, Fixture, request, value},
    upstream::{Upstream, runtime},
};

const CROWD: usize = 1_000;

pub(crate) fn table(_: Scale) {
    println!("\n**Row 4, {CROWD} concurrent first uses of one token.** Bar: 1 call upstream.\n");
    println!("| | calls upstream | served | unavailable |\n|---|---|---|---|");
    let opaque = "2YotnFZFEjr1zCsicMWpAA";
    let (active, down) = (Upstream::active, || Upstream::new(StatusCode::SERVICE_UNAVAILABLE, ""));
    let fixture = Fixture::new(Algorithm::ES256);
    let jwks = serde_json::to_string(&JwkDocument::of([&fixture.key])).unwrap();
    for (name, upstream, gone) in [
        ("introspection", active(), 0),
        ("introspection, and it fails", down(), 0),
        ("introspection, and the first caller goes", active(), 1),
        ("introspection, and the first 300 callers go", active(), 300),
    ] {
        row(name, &upstream, &upstream.introspected(), opaque, gone);
    }
    for (name, upstream, gone) in [
        ("keys", Upstream::new(StatusCode::OK, jwks.clone()), 0),
        ("keys, and they cannot be had", down(), 0),
        ("keys, and the first caller goes", Upstream::new(StatusCode::OK, jwks), 1),
    ] {
        row(name, &upstream, &upstream.verified(), &fixture.token(0), gone);
    }
}

fn row(name: &str, upstream: &Upstream, server: &ResourceServer, token: &str, gone: usize) {
    let statuses = runtime().block_on(async {
        let call = || caller(server, token);
        let leaving: Vec<_> = (0..gone).map(|_| call()).collect();
        while gone > 0 && upstream.calls() == 0 {
            tokio::task::yield_now().await;
        }
        let staying: Vec<_> = (0..CROWD - gone).map(|_| call()).collect();
        leaving.iter().for_each(JoinHandle::abort);
        let mut statuses = Vec::new();
        for caller in staying {
            statuses.push(caller.await.unwrap());
        }
        statuses
    });
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    let (served, unavailable) = (count(StatusCode::OK), count(StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(served + unavailable, CROWD - gone);
    println!("| {name} | {} | {served} | {unavailable} |", upstream.calls());
}

fn caller(server: &ResourceServer, token: &str) -> JoinHandle<StatusCode> {
    let (service, request) = (server.layer().layer(Bare), request(&value(token)));
    tokio::spawn(async move { service.oneshot(request).await.unwrap().status() })
}
