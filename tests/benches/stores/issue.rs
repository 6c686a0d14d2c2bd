//! Tokens a second on a store, beside the serial limit.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use oauth_core::{
    client::{Client, ClientSecret, GrantType},
    endpoint::token,
    engine::policy::Resource,
    secret::RootSecret,
    server::AuthorizationServer,
    store::{Store, memory::MemoryStore},
};

use crate::{Bar, Candidate, Step, rate::rate, support::median};

const CALLERS: [usize; 3] = [1, 16, 64];
const ROUNDS: u32 = 9;

/// Of the serial limit.
const LEAST: f64 = 0.8;

/// Prints a line for each number of callers.
pub(crate) async fn compare(candidate: &Candidate, patience: Duration) {
    let memory = issuing(Arc::new(MemoryStore::default())).await;
    let stored = issuing(Arc::clone(&candidate.store)).await;
    println!("\ntokens a second, {}: the limit is 1/(1/memory + 1/driver)", candidate.name);
    let head = ["callers", "in memory", "driver alone", "limit", "on the store", "ratio", "bar"];
    println!("{}", head.map(|title| format!("{title:>14}")).concat());
    for callers in CALLERS {
        let writers = candidate.writers.unwrap_or(callers).min(callers);
        let (slice, mut figures) = (patience / ROUNDS, [const { Vec::new() }; 3]);
        for _ in 0..ROUNDS {
            figures[0].push(rate(slice, callers, &memory).await);
            figures[1].push(rate(slice, writers, &candidate.raw).await);
            figures[2].push(rate(slice, callers, &stored).await);
        }
        let [memory, driver, stored] = figures.map(median);
        let limit = 1.0 / (1.0 / memory + 1.0 / driver);
        let (ratio, bar) = (stored / limit, Bar(stored / limit >= LEAST));
        println!("{callers:>14}{memory:>14.0}{driver:>14.0}{limit:>14.0}{stored:>14.0}{ratio:>14.2}{bar:>14}");
    }
}

/// Issues a token to a client that acts for itself.
async fn issuing(store: Arc<dyn Store>) -> Step {
    const SECRET: &str = "a-secret-of-a-machine-8fK2mQ9xT4vB7nZ1";
    let client = Client::builder("machine")
        .secret(ClientSecret::new(&SECRET.into()))
        .grant_type(GrantType::CLIENT_CREDENTIALS)
        .scope("read write");
    let server = AuthorizationServer::builder("https://as.example")
        .shared_store(store)
        .root_secret(RootSecret::new([7; 32]))
        .resource(Resource::new("https://api.example").scopes("read write".parse().unwrap()))
        .client(client.build().unwrap())
        .build()
        .await
        .unwrap();
    let basic = format!("Basic {}", STANDARD.encode(format!("machine:{SECRET}")));
    Arc::new(move |_| {
        let server = server.clone();
        let request = Request::post("/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::AUTHORIZATION, &basic)
            .body(Bytes::from_static(b"grant_type=client_credentials"))
            .unwrap();
        Box::pin(async move {
            let response = token::handle(&server, &request).await;
            assert_eq!(response.status(), StatusCode::OK, "{response:?}");
        })
    })
}
