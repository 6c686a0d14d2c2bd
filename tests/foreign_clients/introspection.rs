//! Introspection responses that are signed (RFC 9701), verified by libraries.

use serde_json::json;

use super::{features::Feature, in_file, machine, with_secret};
use crate::support::*;

const MEMBER: &str = "introspection_signed_response_alg";

// spec: INT-08, INT-10
#[tokio::test]
async fn signed_answers_are_verified_by_libraries_for_each_algorithm_that_a_client_registers() {
    let algorithms = ["RS256", "ES256", "EdDSA", "PS256"];
    let name = |library: Library, algorithm: &str| format!("{library:?}-{algorithm}");
    let clients: Vec<_> = Library::ALL
        .into_iter()
        .flat_map(|library| {
            algorithms.map(|algorithm| {
                let secret = "a-secret-of-nobody-else-5Wq8";
                let mut client = with_secret(machine(&name(library, algorithm), "client_secret_basic"), secret);
                client[MEMBER] = algorithm.into();
                client
            })
        })
        .collect();
    let offered = format!("[introspection]\nsigning_algorithms = {algorithms:?}\n");
    let server = Reference::with(&format!("{offered}{}", in_file(&clients)));
    let _program = server.start();
    Feature::SignedAnswers
        .each(async |library| {
            let own = clients
                .iter()
                .filter(|client| client["client_id"].as_str().unwrap().starts_with(&format!("{library:?}-")));
            for client in own {
                let client = Foreign::new(library, &server).known_as(client);
                let asked = json!({ "parameters": { "scope": "albums:read" } });
                let token = client.ask("client_credentials", asked).await.granted()["access_token"].clone();
                let known = client.send("introspect", &token).await.granted();
                assert_eq!((&known["active"], &known["signed"]), (&json!(true), &json!(true)), "{}", client.client);
                // It is the library that looks at the signature and at the algorithm.
                let other = if client.client[MEMBER] == "RS256" { "ES256" } else { "RS256" };
                let deceived = client.with(MEMBER, other).send("introspect", &token).await;
                deceived.fails();
                client.send("revoke", &token).await.granted();
                let gone = client.send("introspect", &token).await.granted();
                assert_eq!(gone, json!({ "active": false, "signed": true }));
            }
        })
        .await;
}
