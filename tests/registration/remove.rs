//! `DELETE /register/{client_id}`: a client goes, and everything that it was given.

use std::sync::Arc;

use http::Method;
use oauth_core::engine::revocations::{RevocationListener, Revoked};
use serde_json::json;

use super::{Registered, is_unauthorized, open, open_world, registered};
use crate::support::*;

/// A client with a code, and refresh tokens.
async fn client(w: &World) -> Registered {
    let grants = json!(["authorization_code", "refresh_token"]);
    registered(w, &json!({ "redirect_uris": [CALLBACK], "grant_types": grants, "scope": "read" })).await
}

// spec: REG-25
#[tokio::test]
async fn with_a_client_everything_ends_that_it_was_given() {
    on_every_store_with(open, async |w| {
        let (client, neighbor) = (client(&w).await, client(&w).await);
        let caller = client.caller();
        let (tokens, others) = (w.tokens(caller).await, w.tokens(neighbor.caller()).await);
        let jwt = w.redeem(caller, &w.code_for(&Ask::of(caller).with("resource", JWT_API)).await).await.tokens();
        let code = w.code(caller).await;
        let refresh = tokens.refresh.as_deref().unwrap();
        let mut browser = Browser::new(&w);
        let waiting = browser.begin(&Ask::of(caller)).await;
        assert!(w.lives(&tokens.access).await && w.lives(&jwt.access).await);

        let answer = client.manage(&w, Method::DELETE, "").await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (204, ""));
        answer.is_not_kept();
        assert_eq!(w.events.count("client_deleted"), 1);

        // The client is unknown, whatever it asks.
        w.redeem(caller, &code).await.is_refused(401, "invalid_client");
        w.refresh(caller, refresh).await.is_refused(401, "invalid_client");
        w.revoke(caller, refresh).await.is_refused(401, "invalid_client");
        w.introspect(caller, refresh).await.is_refused(401, "invalid_client");
        w.get(&Ask::of(caller).uri()).await.is_error_page();
        assert!(browser.interaction(&waiting).await.is_none(), "who was deciding decides nothing");
        // What it held is dead, also for others.
        assert!(!w.lives(&tokens.access).await && !w.lives(&jwt.access).await);
        w.redeem(neighbor.caller(), &code).await.is_refused(400, "invalid_grant");
        w.refresh(neighbor.caller(), refresh).await.is_refused(400, "invalid_grant");
        // And so is its registration token.
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            is_unauthorized(&client.manage(&w, method, &client.replacement().to_string()).await, true);
        }
        // Nobody else has lost anything.
        assert!(w.lives(&others.access).await);
        assert_eq!(neighbor.manage(&w, Method::GET, "").await.status, 200);
    })
    .await;
}

/// Hears of revocations.
#[derive(Default)]
struct Listener(std::sync::Mutex<Vec<Revoked>>);

impl RevocationListener for Listener {
    fn revoked(&self, what: &Revoked) {
        self.0.lock().unwrap().push(*what);
    }
}

// spec: REG-25
#[tokio::test]
async fn whoever_remembers_verdicts_is_told_once_it_is_done() {
    let w = open_world().await;
    let client = client(&w).await;
    let listener = Arc::new(Listener::default());
    let hears: Arc<dyn RevocationListener> = Arc::<Listener>::clone(&listener);
    w.server.revocations().subscribe(Arc::downgrade(&hears));
    is_unauthorized(&w.send(super::request(Method::DELETE, client.path(), Some("x"), "")).await, true);
    assert_eq!(*listener.0.lock().unwrap(), []);
    // Even if nobody knows what became of it.
    w.store.lose_the_answer_of("delete_client");
    client.manage(&w, Method::DELETE, "").await.is_unavailable();
    assert_eq!(*listener.0.lock().unwrap(), [Revoked::Anything]);
    is_unauthorized(&client.manage(&w, Method::DELETE, "").await, true);
}

// spec: REG-25
#[tokio::test]
async fn an_api_in_the_same_process_refuses_the_tokens_of_a_deleted_client_at_once() {
    use http::{Request, StatusCode};
    use oauth_axum_rs::{Issuer, ResourceServer};
    use tower::{Layer, ServiceExt};

    let w = open_world().await;
    let client = client(&w).await;
    let tokens = w.tokens(client.caller()).await;
    let api =
        ResourceServer::builder(API).issuer(Issuer::local(w.server.clone())).clock(w.clock.clone()).build().unwrap();
    let service = api.layer().layer(tower::service_fn(async |_: Request<String>| {
        Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
    }));
    let call = async || {
        let request = Request::get("/").header("authorization", format!("Bearer {}", tokens.access));
        service.clone().oneshot(request.body(String::new()).unwrap()).await.unwrap().status()
    };
    assert_eq!((call().await, call().await), (StatusCode::OK, StatusCode::OK));
    assert_eq!(client.manage(&w, Method::DELETE, "").await.status, 204);
    assert_eq!(call().await, StatusCode::UNAUTHORIZED);
}
