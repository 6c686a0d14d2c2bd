//! Signed requests that are pushed (RFC 9126 section 3).

use http::Request;
use oauth_core::client::{ClientBuilder, ClientSecret};
use serde_json::json;

use super::{SIGNER, Signer, claims, with};
use crate::{par, support::*};

const SECRET: Caller = Caller::Basic("signer", "signer-secret-3Ht6");

fn confidential(signer: &Signer) -> ClientBuilder {
    signer.client().secret(ClientSecret::new(&"signer-secret-3Ht6".into()))
}

async fn push(w: &World, caller: Caller, params: &[(&str, &str)]) -> Answer {
    w.send(post("/par", caller, params)).await
}

// spec: AUZ-42, AUZ-36
#[tokio::test]
async fn an_object_may_be_pushed_and_nothing_beside_it_counts() {
    let signer = Signer::new();
    for (caller, client) in [(SIGNER, signer.client()), (SECRET, confidential(&signer))] {
        let w = on_memory_with(|builder| builder.client(client_of(&client))).await;
        let outside = [("scope", "write"), ("state", "outside"), ("redirect_uri", "https://evil.example/cb")];
        let object = signer.sign(&claims());
        let answer = push(&w, caller, &[&outside[..], &[("request", object.as_str())]].concat()).await;
        assert_eq!(answer.status, 201, "{answer}");
        let bring = par::bring(caller, answer.member("request_uri").as_str().unwrap());
        let response = response_at(CALLBACK, &Browser::new(&w).approve(&bring).await);
        assert_eq!(response.get("state"), Some("inside"));
        assert_eq!(w.redeem(caller, response.get("code").unwrap()).await.member("scope"), "read");
    }
}

fn client_of(builder: &ClientBuilder) -> oauth_core::client::Client {
    builder.clone().build().unwrap()
}

// spec: AUZ-37, AUZ-42, AUZ-43
#[tokio::test]
async fn an_object_that_is_not_good_is_refused_in_the_answer() {
    let signer = Signer::new();
    let w = on_memory_with(|builder| builder.client(client_of(&confidential(&signer)))).await;
    for (change, code) in [
        (json!({ "client_id": "app" }), "invalid_request_object"),
        (json!({ "iss": "app" }), "invalid_request_object"),
        (json!({ "aud": "https://other.example" }), "invalid_request_object"),
        (json!({ "request_uri": "https://app.example/r" }), "invalid_request_object"),
        (json!({ "redirect_uri": "https://evil.example/cb" }), "invalid_request"),
        (json!({ "code_challenge": null }), "invalid_request"),
        (json!({ "scope": "nonsense" }), "invalid_scope"),
    ] {
        let object = signer.sign(&with(claims(), &change));
        let whole = [("request", object.as_str()), ("code_challenge", CHALLENGE)];
        push(&w, SECRET, &whole).await.is_refused(400, code);
    }
    push(&w, SECRET, &[("request", "a.b.c")]).await.is_refused(400, "invalid_request_object");
    let (object, uri) = (signer.sign(&claims()), ("request_uri", "https://app.example/r"));
    push(&w, SECRET, &[("request", object.as_str()), uri]).await.is_refused(400, "invalid_request");
    push(&w, WEB, &[("request", object.as_str())]).await.is_refused(400, "invalid_request_object");
}

// spec: AUZ-45
#[tokio::test]
async fn a_client_that_always_signs_signs_what_it_pushes() {
    let signer = Signer::new();
    let client = signer.client().requests(|how| how.require_signed_request_object = true);
    let w = on_memory_with(|builder| builder.client(client_of(&client))).await;
    par::push(&w, SIGNER, &Ask::of(SIGNER)).await.is_refused(400, "invalid_request");
    assert_eq!(push(&w, SIGNER, &[("request", signer.sign(&claims()).as_str())]).await.status, 201);
}

// spec: AUZ-43
#[tokio::test]
async fn where_objects_are_not_taken_none_is_pushed() {
    let signer = Signer::new();
    let off = |builder: oauth_core::server::AuthorizationServerBuilder| {
        builder.authorization(|settings| settings.request_objects.by_value = false)
    };
    let w = signer.world_with(off).await;
    let object = signer.sign(&claims());
    push(&w, SIGNER, &[("request", object.as_str())]).await.is_refused(400, "request_not_supported");
    let in_uri = Request::post(format!("/par?request={object}")).header("content-type", "text/plain");
    w.send(in_uri.body("".into()).unwrap()).await.is_refused(400, "invalid_request");
}
