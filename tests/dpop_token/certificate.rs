//! Tokens that are bound to the client's certificate (RFC 8705 section 3).

use oauth_core::{mtls::ClientCertificate, store::Clients};
use serde_json::json;

use super::*;

/// A public and a confidential client that want their tokens bound.
const PUBLIC: Caller = Caller::Public("mtls-public");
const CONFIDENTIAL: Caller = Caller::Basic("mtls", "mtls-secret-3Vb6");

fn binding(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    let client = |caller: Caller| {
        let client = Client::builder(caller.id()).redirect_uri(CALLBACK).scope("read write");
        let client = client.grant_type(GrantType::REFRESH_TOKEN);
        client.tokens(|tokens| tokens.tls_client_certificate_bound_access_tokens = true)
    };
    let secret = oauth_core::client::ClientSecret::new(&"mtls-secret-3Vb6".into());
    let builder = builder.client(client(PUBLIC).build().unwrap());
    let builder = builder.client(client(CONFIDENTIAL).secret(secret).build().unwrap());
    builder.certificate_bound_access_tokens()
}

/// A certificate, as the listener puts it into a request.
fn certificate() -> ClientCertificate {
    let key = rcgen::KeyPair::generate().unwrap();
    let made = rcgen::CertificateParams::default().self_signed(&key).unwrap();
    ClientCertificate::from_der(made.der().as_ref()).unwrap()
}

async fn ask(w: &World, caller: Caller, params: &[(&str, &str)], shown: Option<&ClientCertificate>) -> Answer {
    let mut request = post("/token", caller, params);
    if let Some(shown) = shown {
        request.extensions_mut().insert(shown.clone());
    }
    w.send(request).await
}

fn refreshing(token: &str) -> [(&str, &str); 2] {
    [("grant_type", "refresh_token"), ("refresh_token", token)]
}

// spec: INT-06, SEC-10
#[tokio::test]
async fn a_token_is_bound_to_the_certificate_that_the_client_shows() {
    on_every_store_with(binding, async |w| {
        for caller in [PUBLIC, CONFIDENTIAL] {
            let shown = certificate();
            let code = w.code(caller).await;
            ask(&w, caller, &redemption(&code), None).await.is_refused(400, "invalid_request");
            let answer = ask(&w, caller, &redemption(&code), Some(&shown)).await;
            assert_eq!(answer.member("token_type"), "Bearer");
            let known = w.introspect(AUDITOR, &answer.tokens().access).await.json();
            assert_eq!(known["cnf"], json!({ "x5t#S256": shown.thumbprint() }));
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_that_does_not_want_it_is_given_bearer_tokens_whatever_it_shows() {
    let (w, shown) = (on_memory_with(binding).await, certificate());
    let answer = ask(&w, WEB, &FOR_ITSELF, Some(&shown)).await;
    assert_eq!(w.introspect(AUDITOR, &answer.tokens().access).await.json().get("cnf"), None);
}

#[tokio::test]
async fn a_public_clients_refresh_token_is_bound_to_its_certificate_and_others_are_not() {
    on_every_store_with(binding, async |w| {
        let (shown, other) = (certificate(), certificate());
        let code = w.code(PUBLIC).await;
        let first = ask(&w, PUBLIC, &redemption(&code), Some(&shown)).await.tokens().refresh.unwrap();
        ask(&w, PUBLIC, &refreshing(&first), None).await.is_refused(400, "invalid_request");
        ask(&w, PUBLIC, &refreshing(&first), Some(&other)).await.is_refused(400, "invalid_grant");
        ask(&w, PUBLIC, &refreshing(&first), Some(&shown)).await.tokens();

        let code = w.code(CONFIDENTIAL).await;
        let first = ask(&w, CONFIDENTIAL, &redemption(&code), Some(&shown)).await.tokens().refresh.unwrap();
        let second = ask(&w, CONFIDENTIAL, &refreshing(&first), Some(&other)).await.tokens();
        let known = w.introspect(AUDITOR, &second.access).await.json();
        assert_eq!(known["cnf"], json!({ "x5t#S256": other.thumbprint() }));
    })
    .await;
}

#[tokio::test]
async fn where_nothing_is_bound_to_certificates_a_client_that_wants_it_is_given_no_token() {
    let (w, shown) = (on_memory().await, certificate());
    let client = Client::builder(PUBLIC.id()).redirect_uri(CALLBACK).scope("read write");
    let client = client.tokens(|tokens| tokens.tls_client_certificate_bound_access_tokens = true);
    // It registered when that was different.
    w.store.put_client(client.build().unwrap()).await.unwrap();
    let code = w.code(PUBLIC).await;
    ask(&w, PUBLIC, &redemption(&code), Some(&shown)).await.is_refused(400, "invalid_request");
}

#[tokio::test]
async fn a_token_can_be_bound_to_a_certificate_and_a_key_at_once() {
    let (w, shown, key) = (on_memory_with(binding).await, certificate(), wallet());
    let code = w.code(PUBLIC).await;
    let mut request = post("/token", PUBLIC, &redemption(&code));
    request.headers_mut().insert("dpop", proof(&w, &key).parse().unwrap());
    request.extensions_mut().insert(shown.clone());
    let answer = w.send(request).await;
    assert_eq!(answer.member("token_type"), "DPoP");
    let known = w.introspect(AUDITOR, &answer.tokens().access).await.json();
    assert_eq!(known["cnf"], json!({ "jkt": key.jkt(), "x5t#S256": shown.thumbprint() }));
    let token = answer.tokens().refresh.unwrap();
    ask(&w, PUBLIC, &refreshing(&token), Some(&shown)).await.is_refused(400, "invalid_grant");
}
