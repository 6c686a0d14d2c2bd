//! What the server says of itself, and what clients say of theirs.

use bytes::Bytes;
use http::{Request, header};
use oauth_core::{client::Client, server::BuildError};
use serde_json::{Value, json};

use super::*;

async fn metadata(w: &World) -> Value {
    w.get("/.well-known/oauth-authorization-server").await.json()
}

// spec: MET-06
#[tokio::test]
async fn the_algorithms_of_proofs_are_advertised_where_proofs_are_taken() {
    let w = on_memory().await;
    let algorithms = json!(["ES256", "EdDSA", "PS256", "RS256", "ES384"]);
    assert_eq!(metadata(&w).await["dpop_signing_alg_values_supported"], algorithms);
    let w = on_memory_with(|builder| builder.dpop(|dpop| dpop.algorithms.clear())).await;
    assert_eq!(metadata(&w).await.get("dpop_signing_alg_values_supported"), None);
}

// spec: MET-06
#[tokio::test]
async fn certificate_bound_tokens_are_advertised_where_they_are_issued() {
    let name = "tls_client_certificate_bound_access_tokens";
    assert_eq!(metadata(&on_memory().await).await.get(name), None);
    let w = on_memory_with(AuthorizationServerBuilder::certificate_bound_access_tokens).await;
    assert_eq!(metadata(&w).await[name], true);
}

#[tokio::test]
async fn where_proofs_are_not_taken_nothing_of_dpop_means_anything() {
    let w = on_memory_with(|builder| builder.dpop(|dpop| dpop.algorithms.clear())).await;
    let answer = post_with(&w, "/token", WEB, &FOR_ITSELF, &["nonsense"]).await;
    assert_eq!(answer.member("token_type"), "Bearer");
    let code = w.code_for(&Ask::of(APP).with("dpop_jkt", "nonsense")).await;
    w.redeem(APP, &code).await.tokens();
}

#[tokio::test]
async fn what_is_required_must_be_possible() {
    let w = on_memory().await;
    let build = async |set: fn(AuthorizationServerBuilder) -> AuthorizationServerBuilder| w.another(set).await.err();
    let off = build(|builder| builder.dpop(|dpop| (dpop.required, dpop.algorithms) = (true, Vec::new()))).await;
    assert!(matches!(off, Some(BuildError::NoProofs)), "{off:?}");
    let off = build(|builder| with_careful(builder).dpop(|dpop| dpop.algorithms.clear())).await;
    assert!(matches!(off, Some(BuildError::ClientTokens(_))), "{off:?}");
    let client = |builder: AuthorizationServerBuilder| {
        let client = Client::builder("mtls").redirect_uri(CALLBACK);
        let client = client.tokens(|tokens| tokens.tls_client_certificate_bound_access_tokens = true);
        builder.client(client.build().unwrap())
    };
    assert!(matches!(build(client).await, Some(BuildError::ClientTokens(_))));
    assert!(build(with_careful).await.is_none());
}

async fn register(w: &World, body: &Value) -> Answer {
    let request = Request::post("/register").header(header::CONTENT_TYPE, "application/json");
    w.send(request.body(Bytes::from(body.to_string())).unwrap()).await
}

// spec: TOK-35
#[tokio::test]
async fn a_client_registers_that_it_wants_bound_tokens_only() {
    let open = |builder: AuthorizationServerBuilder| builder.registration(|it| it.open().per_minute(0));
    let w = on_memory_with(open).await;
    let name = "dpop_bound_access_tokens";
    let body = json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none", name: true });
    let answer = register(&w, &body).await;
    assert_eq!((answer.status.as_u16(), answer.member(name)), (201, json!(true)), "{answer}");
    let id = answer.member("client_id").as_str().unwrap().to_owned();
    let caller = Caller::Public(id.leak());
    let code = w.code(caller).await;
    w.redeem(caller, &code).await.is_refused(400, "invalid_dpop_proof");
    redeem_with(&w, caller, &code, &[&proof(&w, &wallet())]).await.tokens();

    let off = json!({ "redirect_uris": [CALLBACK], name: false });
    assert_eq!(register(&w, &off).await.json().get(name), None);
    for bad in [json!("true"), json!(1), json!([true])] {
        let answer = register(&w, &json!({ "redirect_uris": [CALLBACK], name: bad })).await;
        answer.is_refused(400, "invalid_client_metadata");
    }
    let without = |builder| open(builder).dpop(|dpop| dpop.algorithms.clear());
    register(&on_memory_with(without).await, &body).await.is_refused(400, "invalid_client_metadata");
    let certificate = json!({ "redirect_uris": [CALLBACK], "tls_client_certificate_bound_access_tokens": true });
    register(&w, &certificate).await.is_refused(400, "invalid_client_metadata");
}
