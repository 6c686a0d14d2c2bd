//! Where every request must be signed, and where none can be.

use oauth_core::{
    client::{Client, InvalidClient},
    engine::registration::RegistrationSettings,
    server::AuthorizationServerBuilder,
};
use serde_json::json;

use super::{METADATA, SIGNER, Signer, bring, claims, get, is_parked};
use crate::support::*;

// spec: AUZ-45
#[tokio::test]
async fn a_server_that_wants_them_signed_refuses_all_others() {
    let signer = Signer::new();
    let required = |builder: AuthorizationServerBuilder| {
        builder.authorization(|settings| settings.request_objects.required = true)
    };
    let w = signer.world_with(required).await;
    for caller in [SIGNER, APP, WEB] {
        let response = get(&w, &Ask::of(caller).with("state", "s")).await.is_error_redirect("invalid_request");
        assert_eq!(response.get("state"), Some("s"));
        let evil = Ask::of(caller).with("redirect_uri", "https://evil.example/cb");
        get(&w, &evil).await.is_error_page();
    }
    crate::par::push(&w, APP, &Ask::of(APP)).await.is_refused(400, "invalid_request");
    get(&w, &Ask::of(SIGNER).with("request", "")).await.is_error_redirect("invalid_request");
    is_parked(&get(&w, &bring(&signer.sign(&claims()))).await);
    assert_eq!(w.get(METADATA).await.member("require_signed_request_object"), true);
}

// spec: AUZ-45
#[tokio::test]
async fn a_client_that_wants_its_own_signed_is_taken_at_its_word() {
    let signer = Signer::new();
    let client = || signer.client().requests(|how| how.require_signed_request_object = true).build().unwrap();
    let w = on_memory_with(|builder| builder.client(client())).await;
    get(&w, &Ask::of(SIGNER)).await.is_error_redirect("invalid_request");
    is_parked(&get(&w, &bring(&signer.sign(&claims()))).await);
    is_parked(&get(&w, &Ask::of(APP)).await);
    // It could never ask for anything without keys.
    let without = Client::builder("signer").redirect_uri(CALLBACK);
    let without = without.requests(|how| how.require_signed_request_object = true).build();
    assert_eq!(without.unwrap_err(), InvalidClient::RequestKeysMissing);
}

// spec: AUZ-43
#[tokio::test]
async fn what_is_switched_off_is_said_to_be() {
    let signer = Signer::new();
    let off = |builder: AuthorizationServerBuilder| {
        builder.authorization(|settings| {
            settings.request_objects.by_value = false;
            settings.request_objects.by_reference = false;
        })
    };
    let w = signer.world_with(off).await;
    let object = signer.sign(&claims());
    get(&w, &bring(&object)).await.is_error_redirect("request_not_supported");
    let by_reference = bring("").with("request_uri", "https://app.example/request");
    get(&w, &by_reference).await.is_error_redirect("request_uri_not_supported");
    let metadata = w.get(METADATA).await.json();
    assert_eq!(metadata["request_uri_parameter_supported"], false);
    for absent in ["request_parameter_supported", "request_object_signing_alg_values_supported"] {
        assert!(metadata.get(absent).is_none(), "{absent}");
    }
    // Both at once are wrong, whatever is on.
    for w in [w, signer.world().await] {
        let both = bring(&object).with("request_uri", "https://app.example/request");
        get(&w, &both).await.is_error_redirect("invalid_request");
    }
}

// spec: MET-06
#[tokio::test]
async fn what_is_switched_on_is_advertised() {
    let w = on_memory().await;
    let metadata = w.get(METADATA).await.json();
    assert_eq!(metadata["request_parameter_supported"], true);
    // Nothing can be fetched here.
    assert_eq!(metadata["request_uri_parameter_supported"], false);
    assert!(metadata.get("require_request_uri_registration").is_none());
    assert!(metadata.get("require_signed_request_object").is_none());
    let algorithms = metadata["request_object_signing_alg_values_supported"].as_array().unwrap();
    assert!(algorithms.contains(&json!("ES256")) && !algorithms.contains(&json!("none")));
}

/// As it is kept, and as it is shown.
// spec: AUZ-45
#[tokio::test]
async fn a_client_may_register_how_it_signs() {
    on_every_store_with(
        |builder| builder.registration(RegistrationSettings::open),
        async |w| {
            let signer = Signer::new();
            let jwks = oauth_core::client::ClientJwks::of([&signer.0]);
            let body = json!({
                "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none", "jwks": jwks.document(),
                "require_signed_request_object": true, "request_object_signing_alg": "ES256",
                "request_uris": ["https://app.example/request"],
            });
            let register = async |body: serde_json::Value| {
                let request = http::Request::post("/register").header("content-type", "application/json");
                w.send(request.body(body.to_string().into()).unwrap()).await
            };
            let answer = register(body.clone()).await;
            assert_eq!(answer.status, 201, "{answer}");
            for name in ["require_signed_request_object", "request_object_signing_alg", "request_uris"] {
                assert_eq!(answer.member(name), body[name], "{name}");
            }
            let id: &'static str = answer.member("client_id").as_str().unwrap().to_owned().leak();
            let object = super::with(claims(), &json!({ "client_id": id, "iss": id }));
            is_parked(&get(&w, &bring(&signer.sign(&object)).with("client_id", id)).await);
            for change in [
                json!({ "request_object_signing_alg": "none" }),
                json!({ "request_object_signing_alg": "HS256" }),
                json!({ "require_signed_request_object": "true" }),
                json!({ "jwks": null }),
                json!({ "request_uris": "https://app.example/request" }),
                json!({ "request_uris": ["http://app.example/request"] }),
                json!({ "request_uris": ["https://app.example/request#hash"] }),
                json!({ "request_uris": ["https://a@app.example/request"] }),
                json!({ "request_uris": ["urn:x"] }),
            ] {
                register(super::with(body.clone(), &change)).await.is_refused(400, "invalid_client_metadata");
            }
        },
    )
    .await;
}
