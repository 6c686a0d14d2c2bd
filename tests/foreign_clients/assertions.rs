//! Assertions as libraries make them: with which algorithm, for whom, and how often.

use serde_json::{Value, json};

use super::{in_file, is_known_everywhere, is_refused_everywhere, machine, with_key, with_secret};
use crate::support::*;

const SECRET: &str = "machine-secret-9Wd2Kv7Rm4Hs1Qp6Zx3Lb8";

const ALGORITHMS: [&str; 7] = ["RS256", "RS512", "PS256", "PS512", "ES256", "ES384", "EdDSA"];

/// One key of each library by the first of `algorithms`, and so on; and clients that have them in the file.
async fn signers(algorithms: &[&str]) -> (Vec<Vec<Value>>, String) {
    let mut keys = Vec::new();
    let mut clients = vec![with_secret(machine("sharing", "client_secret_jwt"), SECRET)];
    for library in Library::ALL {
        let mut own = Vec::new();
        for algorithm in algorithms {
            let (private, public) = library.key(algorithm).await;
            own.push(private);
            clients.push(with_key(machine(&format!("{library:?}-{algorithm}"), "private_key_jwt"), &public));
        }
        keys.push(own);
    }
    (keys, in_file(&clients))
}

/// A library as the client that has `key`.
fn signer(library: Library, server: &Reference, key: &Value) -> Foreign {
    let id = format!("{library:?}-{}", key["alg"].as_str().unwrap());
    Foreign::new(library, server).known_as(&machine(&id, "private_key_jwt")).proving("key", key.clone())
}

/// A library as the client that signs with its secret.
fn sharing(library: Library, server: &Reference) -> Foreign {
    Foreign::new(library, server).known_as(&with_secret(machine("sharing", "client_secret_jwt"), SECRET))
}

#[tokio::test]
async fn assertions_of_every_algorithm_are_taken() {
    let (keys, clients) = signers(&ALGORITHMS).await;
    let server = Reference::with(&clients);
    let _program = server.start();
    Library::each(async |library| {
        for key in &keys[library as usize] {
            is_known_everywhere(&signer(library, &server, key)).await;
        }
        is_known_everywhere(&sharing(library, &server)).await;
    })
    .await;
}

#[tokio::test]
async fn eddsa_may_have_its_name_of_rfc_9864() {
    let (keys, clients) = signers(&["EdDSA"]).await;
    let server = Reference::with(&clients);
    let _program = server.start();
    Library::each(async |library| {
        let mut key = keys[library as usize][0].clone();
        let client = signer(library, &server, &key);
        key["alg"] = "Ed25519".into();
        is_known_everywhere(&client.proving("key", key)).await;
    })
    .await;
}

// spec: CAU-15
#[tokio::test]
async fn an_assertion_may_be_for_the_issuer_or_for_the_token_endpoint_unless_only_for_the_issuer() {
    let (keys, clients) = signers(&["ES256"]).await;
    let lenient = Reference::with(&clients);
    let strict = Reference::with(&format!("{clients}\n[client_authentication]\nassertion_audience = \"issuer\"\n"));
    let _programs = [lenient.start(), strict.start()];
    Library::each(async |library| {
        for (server, only_issuer) in [(&lenient, false), (&strict, true)] {
            let both = [signer(library, server, &keys[library as usize][0]), sharing(library, server)];
            for client in both {
                is_known_everywhere(&client.proving("aud", &*server.issuer)).await;
                let endpoint = client.proving("aud", format!("{}/token", server.issuer));
                match only_issuer {
                    true => is_refused_everywhere(&endpoint).await,
                    false => is_known_everywhere(&endpoint).await,
                }
                // What the library says by itself: those of npm name the issuer, Authlib the endpoint it is given.
                match only_issuer && library == Library::Authlib {
                    true => is_refused_everywhere(&client).await,
                    false => is_known_everywhere(&client).await,
                }
                for other in ["https://elsewhere.example", &format!("{}/introspect", server.issuer)] {
                    is_refused_everywhere(&client.proving("aud", other)).await;
                }
            }
        }
    })
    .await;
}

// spec: CAU-17
#[tokio::test]
async fn an_assertion_with_an_identifier_that_was_used_is_refused_at_every_endpoint() {
    let (keys, clients) = signers(&["ES256"]).await;
    let server = Reference::with(&clients);
    let _program = server.start();
    Library::each(async |library| {
        // The identifiers of one client are not those of another.
        let client = signer(library, &server, &keys[library as usize][0]).proving("jti", "1");
        client.ask("client_credentials", json!({})).await.granted();
        is_refused_everywhere(&client).await;
        let other = sharing(library, &server).proving("jti", format!("{library:?}"));
        other.send("introspect", &json!("oat_x")).await.granted();
        is_refused_everywhere(&other).await;
        is_known_everywhere(&sharing(library, &server)).await;
    })
    .await;
}
