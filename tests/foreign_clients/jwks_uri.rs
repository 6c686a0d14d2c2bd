//! Keys that a client keeps where it is itself (`jwks_uri`), by libraries.

use std::fs;

use axum::{Json, Router, routing::get};
use oauth_axum_rs::{TlsConfig, TlsListener};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Alice, OPEN, app, features::Feature, lives_with_tokens, read};
use crate::support::*;

/// A website on this machine that says what the keys of the libraries are; where.
async fn published(authority: &Authority, keys: Vec<Value>) -> String {
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| authority.file(name));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listener = TlsListener::new(listener, &TlsConfig::from_pem_files(certificate, key).unwrap());
    let port = axum::serve::Listener::local_addr(&listener).unwrap().port();
    let paths = keys.into_iter().enumerate().fold(Router::new(), |app, (place, key)| {
        app.route(&format!("/{place}"), get(async move || Json(json!({ "keys": [key] }))))
    });
    tokio::spawn(async move { axum::serve(listener, paths).await });
    format!("https://localhost:{port}")
}

/// A server in development, which goes to websites on this machine, and knows the authority of the test.
fn in_development() -> (Reference, Program) {
    let server = Reference::with(OPEN);
    let text = fs::read_to_string(server.config()).unwrap();
    fs::write(server.config(), text.replace("development = false", "development = true")).unwrap();
    let mut command = server.command();
    command.env("SSL_CERT_FILE", server.authority.file("ca.pem"));
    let program = server.started_by(command);
    (server, program)
}

// spec: CAU-19
#[tokio::test]
async fn keys_at_a_jwks_uri_prove_clients_and_their_requests() {
    let (server, _program) = in_development();
    let mut pairs = Vec::new();
    for library in Library::ALL {
        pairs.push(library.key("ES256").await);
    }
    let keys = pairs.iter().map(|(_, public)| public.clone()).collect();
    let website = published(&server.authority, keys).await;
    Library::each(async |library| {
        let place = library as usize;
        let mut app = app("private_key_jwt");
        app["jwks_uri"] = format!("{website}/{place}").into();
        let client = Foreign::new(library, &server).proving("key", pairs[place].0.clone()).registered(&app).await;
        let mut alice = Alice::at(&server);
        lives_with_tokens(&client, &mut alice).await;
        if Feature::Jar.is_in(library) {
            alice.grant(&client, json!({ "parameters": read(), "by": ["jar", "par"] })).await;
        }
        let (stranger, _) = library.key("ES256").await;
        client.proving("key", stranger).send("introspect", &json!("oat_x")).await.refused(401, "invalid_client");
    })
    .await;
}
