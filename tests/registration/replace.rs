//! `PUT /register/{client_id}`: a client replaces its registration.

use http::Method;
use oauth_core::{server::Selection, store::Clients};
use serde_json::{Value, json};

use super::{Registered, is_refused, is_unauthorized, open, open_world, registered, that};
use crate::support::*;

/// A registration with something in every kind of member.
fn full() -> Value {
    json!({
        "redirect_uris": [CALLBACK, "https://app.example/other"],
        "grant_types": ["authorization_code", "refresh_token"],
        "client_name": "Before",
        "client_uri": "https://app.example/",
        "contacts": ["ada@app.example"],
        "application_type": "web",
        "jwks_uri": "https://app.example/jwks",
        "scope": "read",
    })
}

// spec: REG-24
#[tokio::test]
async fn what_is_left_out_is_reset_and_not_merged() {
    on_every_store_with(open, async |w| {
        let before = registered(&w, &full()).await;
        let body =
            json!({ "client_id": before.id(), "redirect_uris": ["https://app.example/new"], "client_name": null });
        let answer = before.put(&w, &body).await;
        assert_eq!(answer.status, 200, "{answer}");
        let after = Registered::shown(&answer);
        assert_eq!(after.0["redirect_uris"], json!(["https://app.example/new"]));
        assert_eq!(after.0["grant_types"], json!(["authorization_code"]));
        for gone in ["client_name", "client_uri", "contacts", "application_type", "jwks_uri"] {
            assert!(!after.0.contains_key(gone), "{gone}");
        }
        assert_eq!(after.0["scope"], "read write admin");
        assert_eq!((after.id(), after.token()), (before.id(), before.token()));
        assert_eq!(after.0["client_id_issued_at"], before.0["client_id_issued_at"]);
        // It is so at once, and the secret is still the one it was.
        let caller = Caller::Basic(before.id(), before.text("client_secret"));
        assert!(!after.0.contains_key("client_secret"));
        assert_eq!(w.introspect(caller, "oat_x").await.status, 200);
        w.get(&Ask::of(caller).uri()).await.is_error_page();
        let ask = Ask::of(caller).with("redirect_uri", "https://app.example/new");
        assert!(w.get(&ask.uri()).await.location().starts_with("/interaction"));
        assert_eq!(w.events.count("client_updated"), 1);
    })
    .await;
}

#[tokio::test]
async fn what_a_client_was_given_stays_as_it_is_and_what_was_taken_from_it_stays_taken() {
    on_every_store_with(open, async |w| {
        let grants = ["authorization_code", "refresh_token"];
        let client = json!({ "redirect_uris": [CALLBACK], "grant_types": grants, "scope": "read write" });
        let client = registered(&w, &client).await;
        let caller = client.caller();
        let sign_in = async || w.redeem(caller, &w.code_for(&Ask::of(caller)).await).await.tokens();
        let scope = async |token: &str| w.introspect(AUDITOR, token).await.member("scope");
        let taken = sign_in().await;
        // The first step writes one number into the record, and no grant says yet that it has ended.
        let mut all = w.server.revoke_all(Selection::Client(caller.client_id())).unwrap();
        all.next().await.unwrap().unwrap();
        w.clock.advance(1);
        let kept = sign_in().await;
        let mut narrower = client.replacement();
        narrower["scope"] = "read".into();
        assert_eq!(client.put(&w, &narrower).await.status, 200);
        assert!(!w.lives(&taken.access).await, "a replacement brings nothing back");
        w.refresh(caller, &taken.refresh.unwrap()).await.is_refused(400, "invalid_grant");
        assert_eq!(scope(&kept.access).await, "read write");
        let next = w.refresh(caller, &kept.refresh.unwrap()).await.tokens();
        assert_eq!(scope(&next.access).await, "read write", "people have consented to it");
        assert_eq!(scope(&sign_in().await.access).await, "read");
    })
    .await;
}

// spec: REG-24
#[tokio::test]
async fn it_repeats_the_identifier_and_the_secret_or_no_secret() {
    let w = open_world().await;
    let client = registered(&w, &full()).await;
    let good = client.replacement();
    assert_eq!(client.put(&w, &good).await.status, 200, "with the secret");
    for (name, wrong) in [
        ("client_id", Value::Null),
        ("client_id", json!("app")),
        ("client_id", json!(1)),
        ("client_secret", json!("wrong")),
        ("client_secret", json!("")),
        ("client_secret", json!(["x"])),
    ] {
        let mut body = good.clone();
        body[name] = wrong;
        is_refused(&client.put(&w, &body).await, "invalid_client_metadata");
    }
    let mut body = good.clone();
    body.as_object_mut().unwrap().remove("client_id");
    is_refused(&client.put(&w, &body).await, "invalid_client_metadata");
    let public = registered(&w, &json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none" })).await;
    let mut body = public.replacement();
    body["client_secret"] = client.text("client_secret").into();
    is_refused(&public.put(&w, &body).await, "invalid_client_metadata");
    // A secret that is kept sealed is compared as well.
    let sealed = json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "client_secret_jwt" });
    let sealed = registered(&w, &sealed).await;
    assert_eq!(sealed.put(&w, &sealed.replacement()).await.status, 200);
    let mut body = sealed.replacement();
    body["client_secret"] = client.text("client_secret").into();
    is_refused(&sealed.put(&w, &body).await, "invalid_client_metadata");
}

// spec: REG-24
#[tokio::test]
async fn what_the_server_alone_says_must_not_be_sent() {
    let w = open_world().await;
    let client = registered(&w, &full()).await;
    let own =
        ["registration_access_token", "registration_client_uri", "client_id_issued_at", "client_secret_expires_at"];
    for name in own {
        for value in [client.0[name].clone(), Value::Null, json!("x")] {
            let mut body = client.replacement();
            body[name] = value;
            is_refused(&client.put(&w, &body).await, "invalid_client_metadata");
        }
    }
    for bad in ["", "[]", "null", "x"] {
        is_refused(&client.manage(&w, Method::PUT, bad).await, "invalid_client_metadata");
    }
    let mut body = client.replacement();
    body["redirect_uris"] = json!(["https://app.example/*"]);
    is_refused(&client.put(&w, &body).await, "invalid_redirect_uri");
    // Nothing of all this has changed anything.
    assert_eq!(Registered::shown(&client.manage(&w, Method::GET, "").await).0["client_name"], "Before");
}

// spec: REG-24
#[tokio::test]
async fn a_change_of_method_changes_the_credentials() {
    let w = open_world().await;
    let client = registered(&w, &full()).await;
    let first = client.text("client_secret");
    let change = async |method: &str| {
        let mut body = full();
        body["client_id"] = client.id().into();
        body["token_endpoint_auth_method"] = method.into();
        Registered::shown(&client.put(&w, &body).await)
    };
    // The same form: the same secret.
    assert!(!change("client_secret_post").await.0.contains_key("client_secret"));
    assert_eq!(w.introspect(Caller::Post(client.id(), first), "oat_x").await.status, 200);
    let public = change("none").await;
    assert!(!public.0.contains_key("client_secret") && !public.0.contains_key("client_secret_expires_at"));
    w.introspect(Caller::Post(client.id(), first), "oat_x").await.is_refused(401, "invalid_client");
    let again = change("client_secret_basic").await;
    assert_ne!(again.text("client_secret"), first);
    assert_eq!(w.introspect(again.caller(), "oat_x").await.status, 200);
    let sealed = change("client_secret_jwt").await;
    assert_ne!(sealed.text("client_secret"), again.text("client_secret"));
}

#[tokio::test]
async fn a_client_whose_secret_has_expired_gets_another_by_replacing_its_registration() {
    let w = that(|registration| registration.open().manageable().secret_lifetime(60)).await;
    let client = registered(&w, &full()).await;
    let mut body = full();
    body["client_id"] = client.id().into();
    w.clock.advance(60);
    let fresh = Registered::shown(&client.put(&w, &body).await);
    assert_eq!(fresh.0["client_secret_expires_at"], 1_800_000_120);
    assert_eq!(w.introspect(fresh.caller(), "oat_x").await.status, 200);
}

// spec: REG-24, REG-25
#[tokio::test]
async fn a_client_that_is_deleted_meanwhile_is_not_brought_back() {
    on_every_store_with(open, async |w| {
        let client = registered(&w, &full()).await;
        let (other, deleting) = (w.clone(), client.clone());
        w.store.just_before("replace_client", async move {
            assert_eq!(deleting.manage(&other, Method::DELETE, "").await.status, 204);
        });
        is_unauthorized(&client.put(&w, &client.replacement()).await, true);
        assert_eq!(w.store.client(client.caller().client_id()).await.unwrap(), None);
        assert_eq!(w.events.count("client_updated"), 0);
    })
    .await;
}

#[tokio::test]
async fn of_two_that_replace_at_once_the_second_rests_on_what_the_first_has_made() {
    let w = that(|it| it.open().manageable().rotate_tokens()).await;
    let client = registered(&w, &full()).await;
    let (other, first) = (w.clone(), client.clone());
    w.store.just_before("replace_client", async move {
        assert_eq!(first.put(&other, &first.replacement()).await.status, 200);
    });
    // The other one was first, and has the only token.
    is_unauthorized(&client.put(&w, &client.replacement()).await, true);
    let w = open_world().await;
    let client = registered(&w, &full()).await;
    let (other, first) = (w.clone(), client.clone());
    w.store.just_before("replace_client", async move {
        assert_eq!(first.put(&other, &first.replacement()).await.status, 200);
    });
    assert_eq!(client.put(&w, &client.replacement()).await.status, 200);
    assert_eq!(w.store.client(client.caller().client_id()).await.unwrap().unwrap().revision, 2);
}
