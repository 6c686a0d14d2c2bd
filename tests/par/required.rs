//! Requests that must be pushed, servers that take none, and what the metadata say.

use oauth_core::{client::Client, engine::registration::RegistrationSettings, server::AuthorizationServerBuilder};

use super::{bring, push, pushed};
use crate::support::*;

const METADATA: &str = "/.well-known/oauth-authorization-server";

fn strict(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    let client = Client::builder("strict").redirect_uri(CALLBACK).scope("read");
    builder.client(client.requests(|how| how.require_pushed_authorization_requests = true).build().unwrap())
}

// spec: AUZ-41
#[tokio::test]
async fn a_server_that_wants_them_pushed_refuses_all_others() {
    let required =
        |builder: AuthorizationServerBuilder| builder.authorization(|settings| settings.pushed.required = true);
    let w = on_memory_with(required).await;
    for caller in [APP, WEB] {
        let state = Ask::of(caller).with("state", "s");
        let response = w.get(&state.uri()).await.is_error_redirect("invalid_request");
        assert_eq!(response.get("state"), Some("s"));
        w.get(&state.clone().with("request", "x").uri()).await.is_error_redirect("invalid_request");
        w.get(&state.with("request_uri", "https://app.example/r").uri()).await.is_error_redirect("invalid_request");
        let uri = pushed(&w, caller, &Ask::of(caller)).await;
        response_at(CALLBACK, &Browser::new(&w).approve(&bring(caller, &uri)).await);
    }
    let post = post("/authorize", Caller::Nobody, &[]).map(|_| Ask::of(APP).form().into());
    w.send(post).await.is_error_redirect("invalid_request");
    // Errors that nobody is redirected with stay so.
    w.get(&Ask::of(APP).with("redirect_uri", "https://evil.example").uri()).await.is_error_page();
    assert_eq!(w.get(METADATA).await.member("require_pushed_authorization_requests"), true);
}

// spec: AUZ-41
#[tokio::test]
async fn a_client_that_wants_its_own_pushed_is_taken_at_its_word() {
    let w = on_memory_with(strict).await;
    let caller = Caller::Public("strict");
    w.get(&Ask::of(caller).uri()).await.is_error_redirect("invalid_request");
    let uri = pushed(&w, caller, &Ask::of(caller)).await;
    Browser::new(&w).approve(&bring(caller, &uri)).await;
    Browser::new(&w).approve(&Ask::of(APP)).await;
}

/// At rest too.
// spec: AUZ-41
#[tokio::test]
async fn a_client_may_register_it() {
    on_every_store_with(
        |builder| builder.registration(RegistrationSettings::open),
        async |w| {
            let body = serde_json::json!({
                "redirect_uris": [CALLBACK],
                "token_endpoint_auth_method": "none",
                "require_pushed_authorization_requests": true,
                "application_type": "web",
            });
            let request = http::Request::post("/register").header("content-type", "application/json");
            let answer = w.send(request.body(body.to_string().into()).unwrap()).await;
            assert_eq!(
                (answer.status.as_u16(), answer.member("require_pushed_authorization_requests")),
                (201, true.into())
            );
            let id: &'static str = answer.member("client_id").as_str().unwrap().to_owned().leak();
            let caller = Caller::Public(id);
            let answer = push(&w, caller, &Ask::of(caller)).await;
            assert_eq!(answer.status, 201, "{answer}");
            // Nobody vouches for this client, so its error waits for its person.
            let refused = w.get(&Ask::of(caller).with("prompt", "none").uri()).await;
            refused.is_error_redirect("invalid_request");
        },
    )
    .await;
}

// spec: MET-06
#[tokio::test]
async fn the_endpoint_is_in_the_metadata_where_there_is_one() {
    let w = on_memory().await;
    let metadata = w.get(METADATA).await;
    assert_eq!(metadata.member("pushed_authorization_request_endpoint"), format!("{ISSUER}/par"));
    assert!(metadata.member("require_pushed_authorization_requests").is_null());
    let off = |builder: AuthorizationServerBuilder| {
        builder.authorization(|settings| {
            settings.pushed.offered = false;
            settings.request_objects.by_reference = false;
        })
    };
    let w = on_memory_with(off).await;
    let metadata = w.get(METADATA).await;
    assert!(metadata.member("pushed_authorization_request_endpoint").is_null());
    assert_eq!(push(&w, APP, &Ask::of(APP)).await.status, 404);
    let reference = Ask::of(APP).with("request_uri", &format!("{}{}", super::PREFIX, "x".repeat(43)));
    w.get(&reference.uri()).await.is_error_redirect("request_uri_not_supported");
}
