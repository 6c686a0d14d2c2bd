//! The secrets of registered clients, and what they are good for.

use http::Request;
use oauth_core::store::Clients;
use serde_json::json;

use super::{app, app_with, is_refused, open, open_world, post_json, registered, that};
use crate::support::*;

const ENDPOINTS: [&str; 3] = ["/token", "/revoke", "/introspect"];

// spec: REG-02, REG-04
#[tokio::test]
async fn a_client_that_was_issued_credentials_must_use_them_everywhere() {
    let w = open_world().await;
    for method in ["client_secret_basic", "client_secret_post"] {
        let client = registered(&w, &app_with("token_endpoint_auth_method", method)).await;
        let (id, secret) = (client.id(), client.text("client_secret"));
        let params = [("grant_type", "authorization_code"), ("code", "x"), ("token", "x")];
        for endpoint in ENDPOINTS {
            for caller in [Caller::Public(id), Caller::Post(id, "wrong"), Caller::Basic(id, "wrong")] {
                w.post(endpoint, caller, &params).await.is_refused(401, "invalid_client");
            }
            assert_ne!(w.post(endpoint, client.caller(), &params).await.status, 401);
        }
        let other = match method {
            "client_secret_basic" => Caller::Post(id, secret),
            _ => Caller::Basic(id, secret),
        };
        w.introspect(other, "oat_x").await.is_refused(401, "invalid_client");
    }
}

// spec: REG-02
#[tokio::test]
async fn registering_does_not_entitle_to_act_for_oneself() {
    let w = open_world().await;
    let both = json!(["authorization_code", "client_credentials"]);
    let client = registered(&w, &app_with("grant_types", both.clone())).await;
    assert_eq!(client.0["grant_types"], json!(["authorization_code"]));
    let asked = w.token(client.caller(), &[("grant_type", "client_credentials")]).await;
    asked.is_refused(400, "unauthorized_client");
    is_refused(&post_json(&w, &json!({ "grant_types": ["client_credentials"] })).await, "invalid_client_metadata");
    // Unless the operator says so.
    let client_credentials = oauth_core::client::GrantType::CLIENT_CREDENTIALS;
    let w = that(|it| it.open().per_minute(0).allow_grant_type(client_credentials.clone())).await;
    let client = registered(&w, &json!({ "grant_types": ["client_credentials"], "scope": "read" })).await;
    assert_eq!(client.0["response_types"], json!([]));
    w.token(client.caller(), &[("grant_type", "client_credentials")]).await.tokens();
    let mut public = app_with("grant_types", both);
    public["token_endpoint_auth_method"] = "none".into();
    is_refused(&post_json(&w, &public).await, "invalid_client_metadata");
}

// spec: REG-01
#[tokio::test]
async fn a_record_holds_what_decides_and_none_without_a_type_is_a_client() {
    let w = on_sqlite().await;
    let w = w.another(open).await.unwrap();
    let public = registered(&w, &app_with("token_endpoint_auth_method", "none")).await;
    let confidential = registered(&w, &app()).await;
    for (client, is_public) in [(&public, true), (&confidential, false)] {
        let kept = w.store.client(client.caller().client_id()).await.unwrap().unwrap();
        assert_eq!((kept.is_public(), kept.secrets.is_empty()), (is_public, is_public));
        assert_eq!((kept.redirect_uris[0].as_str(), kept.grant_types.len()), (CALLBACK, 1));
    }
    let file = w.folder.as_ref().unwrap().file();
    let sql = rusqlite::Connection::open(file).unwrap();
    for member in ["auth_method", "grant_types"] {
        let change = "UPDATE oauth_clients SET record = json_remove(record, '$.' || ?1) WHERE id = ?2";
        sql.execute(change, (member, public.id())).unwrap();
        w.token(public.caller(), &[("grant_type", "authorization_code")]).await.is_unavailable();
    }
}

// spec: REG-05
#[tokio::test]
async fn no_length_is_too_long_for_a_buffer() {
    let w = open_world().await;
    let long = "x".repeat(8000);
    w.get(&format!("/authorize?client_id={long}")).await.is_error_page();
    super::is_unauthorized(
        &w.send(super::request(http::Method::GET, &format!("/register/{long}"), Some("x"), "")).await,
        true,
    );
    super::is_unauthorized(
        &w.send(super::request(http::Method::GET, &format!("/register/{}", "x".repeat(512)), Some(&long), "")).await,
        true,
    );
    let ask = Ask::of(registered(&w, &app()).await.caller()).with("state", &long);
    let answer = w.send(Request::get(ask.uri()).body(Default::default()).unwrap()).await;
    assert!(answer.location().starts_with("/interaction?id="), "{answer}");
}

// spec: REG-11
#[tokio::test]
async fn a_native_app_is_public_or_has_a_secret_of_its_own_instance() {
    let w = open_world().await;
    let native = |method: &str| {
        let mut body = json!({ "redirect_uris": ["com.example.app:/cb"], "application_type": "native" });
        body["token_endpoint_auth_method"] = method.into();
        // Shipped in the app, so anybody's.
        body["client_secret"] = "shipped-in-the-app".into();
        body["client_id"] = "the-app".into();
        body
    };
    let public = registered(&w, &native("none")).await;
    assert!(!public.0.contains_key("client_secret"));
    let (one, other) =
        (registered(&w, &native("client_secret_post")).await, registered(&w, &native("client_secret_post")).await);
    for (id, secret) in [
        (one.id(), "shipped-in-the-app"),
        (one.id(), other.text("client_secret")),
        (public.id(), "shipped-in-the-app"),
        ("the-app", "shipped-in-the-app"),
    ] {
        w.introspect(Caller::Post(id, secret), "oat_x").await.is_refused(401, "invalid_client");
    }
    assert_eq!(w.introspect(one.caller(), "oat_x").await.status, 200);
    // Nor does its own make the server believe who it is: the person is asked.
    let ask = Ask::of(one.caller()).with("redirect_uri", "com.example.app:/cb");
    let (_, page) = Browser::new(&w).consent(&ask).await;
    assert!(page.body.contains("approve"), "{page}");
}

// spec: REG-21
#[tokio::test]
async fn a_secret_has_256_bits_is_shown_once_and_kept_as_a_hash() {
    let w = on_sqlite().await.another(open).await.unwrap();
    let mut secrets = std::collections::HashSet::new();
    for method in ["client_secret_basic", "client_secret_post", "client_secret_jwt"] {
        let client = registered(&w, &app_with("token_endpoint_auth_method", method)).await;
        let secret = client.text("client_secret");
        // base64url: six bits a character.
        assert!(secret.len() * 6 >= 256 && secrets.insert(secret), "{secret}");
        assert!(secrets.insert(client.token()));
        let again = client.manage(&w, http::Method::GET, "").await;
        assert!(!again.body.contains(secret), "{again}");
    }
    let seen = format!("{}{:?}{:?}", w.store.shown(), w.events.all(), w.server);
    let file = String::from_utf8_lossy(&std::fs::read(w.folder.as_ref().unwrap().file()).unwrap()).into_owned();
    let wal = std::fs::read(w.folder.as_ref().unwrap().file().with_extension("db-wal")).unwrap_or_default();
    let wal = String::from_utf8_lossy(&wal).into_owned();
    for secret in secrets {
        assert!(!seen.contains(secret) && !file.contains(secret) && !wal.contains(secret));
    }
}

// spec: REG-21
#[tokio::test]
async fn a_secret_for_hmacs_is_sealed_and_each_client_has_another() {
    let w = open_world().await;
    let body = app_with("token_endpoint_auth_method", "client_secret_jwt");
    let (one, other) = (registered(&w, &body).await, registered(&w, &body).await);
    assert_ne!(one.text("client_secret"), other.text("client_secret"));
    let kept = w.store.client(one.caller_id()).await.unwrap().unwrap();
    let at_rest = serde_json::to_string(&*kept).unwrap();
    assert!(at_rest.contains("\"sealed\"") && !at_rest.contains(one.text("client_secret")), "{at_rest}");
}

impl super::Registered {
    fn caller_id(&self) -> oauth_core::client::ClientId {
        oauth_core::client::ClientId::new(self.id()).unwrap()
    }
}
