//! What a client gets that names no scope (OAuth 2.1 section 3.3).

use oauth_core::{client::Client, engine::authorization::DefaultScope, store::Clients};

use crate::support::*;

async fn granted(w: &World, ask: &Ask) -> serde_json::Value {
    let caller = if ask.form().contains("client_id=other-app") { OTHER_APP } else { APP };
    w.redeem(caller, &w.code_for(ask).await).await.member("scope")
}

// spec: AUZ-18
#[tokio::test]
async fn without_a_scope_a_client_asks_for_what_the_server_says() {
    let w = on_memory_with(|builder| {
        builder.authorization(|settings| {
            settings.default_scope = DefaultScope::Only("read unheard-of".parse().unwrap());
            settings.client_default_scopes.insert(OTHER_APP.client_id(), DefaultScope::Registered);
        })
    })
    .await;
    assert_eq!(granted(&w, &Ask::of(APP)).await, "read");
    // No more of it than the client may have.
    let reader = Client::builder("reader").redirect_uri(CALLBACK).scope("read").build().unwrap();
    w.store.put_client(reader).await.unwrap();
    let reader = Caller::Public("reader");
    let default = on_default(&w, "read write").await;
    assert_eq!(default.redeem(reader, &default.code_for(&Ask::of(reader)).await).await.member("scope"), "read");
    assert_eq!(granted(&w, &Ask::of(APP).with("scope", "write")).await, "write");
    assert_eq!(granted(&w, &Ask::of(OTHER_APP)).await, "read write");
}

/// Another node of `w`, whose default is `scope`.
async fn on_default(w: &World, scope: &str) -> World {
    let scope = DefaultScope::Only(scope.parse().unwrap());
    w.another(|builder| builder.authorization(|settings| settings.default_scope.clone_from(&scope))).await.unwrap()
}

// spec: AUZ-18
#[tokio::test]
async fn a_server_without_a_default_wants_a_scope() {
    for none in [DefaultScope::Refused, DefaultScope::Only("unheard-of".parse().unwrap())] {
        let w =
            on_memory_with(|builder| builder.authorization(|settings| settings.default_scope.clone_from(&none))).await;
        w.get(&Ask::of(APP).uri()).await.is_error_redirect("invalid_scope");
        w.get(&Ask::of(APP).with("scope", "").uri()).await.is_error_redirect("invalid_scope");
        assert_eq!(granted(&w, &Ask::of(APP).with("scope", "read")).await, "read");
    }
}
