//! The methods that need no certificate, by libraries.

use serde_json::{Value, json};

use super::{
    Alice, METHODS, OPEN, app, in_file, is_known_everywhere, is_refused_everywhere, lives_with_tokens, machine,
    with_key, with_secret,
};
use crate::support::*;

const SECRET: &str = "machine-secret-9Wd2Kv7Rm4Hs1Qp6Zx3Lb8";

// spec: CAU-01
#[tokio::test]
async fn who_registered_lives_with_tokens_by_each_method() {
    let server = Reference::with(OPEN);
    let _program = server.start();
    Library::each(async |library| {
        let (private, public) = library.key("ES256").await;
        let nobody = Foreign::new(library, &server).proving("key", private);
        let mut alice = Alice::at(&server);
        for method in METHODS {
            let app = if method == "private_key_jwt" { with_key(app(method), &public) } else { app(method) };
            lives_with_tokens(&nobody.registered(&app).await, &mut alice).await;
        }
    })
    .await;
}

/// The clients of one library, which act for themselves: the methods in order.
fn machines(library: Library, public: &Value) -> Vec<Value> {
    let confidential = METHODS.into_iter().filter(|method| *method != "none");
    let made = confidential.map(|method| match (machine(&format!("{library:?}-{method}"), method), method) {
        (machine, "private_key_jwt") => with_key(machine, public),
        (machine, _) => with_secret(machine, SECRET),
    });
    made.collect()
}

// spec: CAU-01, CAU-08
#[tokio::test]
async fn who_is_in_the_file_is_known_everywhere_by_its_own_method_alone() {
    let mut all = Vec::new();
    let mut keys = Vec::new();
    for library in Library::ALL {
        let (private, public) = library.key("ES256").await;
        all.push(machines(library, &public));
        keys.push(private);
    }
    let server = Reference::with(&in_file(&all.concat()));
    let _program = server.start();
    Library::each(async |library| {
        let (stranger, _) = library.key("ES256").await;
        let nobody = Foreign::new(library, &server).proving("key", keys[library as usize].clone());
        for metadata in &all[library as usize] {
            let client = nobody.known_as(metadata);
            is_known_everywhere(&client).await;
            let mistaken =
                client.with("client_secret", "mistaken-secret-9Wd2Kv7Rm4Hs1Qp6Zx3").proving("key", stranger.clone());
            is_refused_everywhere(&mistaken).await;
            for method in METHODS.into_iter().filter(|method| metadata["token_endpoint_auth_method"] != *method) {
                let other = client.with("client_secret", SECRET).with("token_endpoint_auth_method", method);
                other.ask("client_credentials", json!({})).await.refused(401, "invalid_client");
            }
        }
    })
    .await;
}

// spec: CAU-03
#[tokio::test]
async fn identifiers_and_secrets_may_have_any_character_that_is_legal() {
    let awkward = [("a:b", "p+q %"), ("a b", "%41"), ("+", "+"), ("%", "&=?/#~\"\\'"), ("plain", "a:b:c"), ("~", "  ")];
    let both =
        |method: &str| awkward.map(|(id, secret)| with_secret(machine(&format!("{id}{method}"), method), secret));
    let clients = [both("client_secret_basic"), both("client_secret_post")].concat();
    let server = Reference::with(&in_file(&clients));
    let _program = server.start();
    Library::each(async |library| {
        for metadata in &clients {
            let client = Foreign::new(library, &server).known_as(metadata);
            let [id, secret] = ["client_id", "client_secret"].map(|name| metadata[name].as_str().unwrap());
            // RFC 6749 section 2.3.1: both are form-encoded first. Authlib does not do that.
            let basic = metadata["token_endpoint_auth_method"] == "client_secret_basic";
            let mistaken = id.contains([':', '+', '%']) || secret.contains(['+', '%']);
            match library == Library::Authlib && basic && mistaken {
                true => is_refused_everywhere(&client).await,
                false => is_known_everywhere(&client).await,
            }
        }
    })
    .await;
}
