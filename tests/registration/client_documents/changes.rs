//! A document that changes while a person decides, and afterwards.

use oauth_core::{client::ClientJwks, engine::interaction::Approval};

use super::*;

#[tokio::test]
async fn a_client_that_is_none_any_more_when_the_person_decides_gets_nothing() {
    let web = Web::with(&document());
    let w = world(&web).await;
    for gone in [
        document_with("redirect_uris", json!(["https://app.example/other"])),
        document_with("client_id", "https://evil.example/c"),
        document_with("client_secret", "x"),
    ] {
        web.put(URL, &document().to_string());
        let mut browser = Browser::new(&w);
        let id = browser.begin(&Ask::of(CLIENT)).await;
        web.put(URL, &gone.to_string());
        assert!(browser.interaction(&id).await.is_none(), "{gone}");
        let page = browser.get(&format!("/interaction?id={id}")).await;
        assert!(page.status.is_client_error() && page.headers.get("location").is_none(), "{page}");
        // As it was, it can be decided.
        web.put(URL, &document().to_string());
        let interaction = browser.interaction(&id).await.unwrap();
        assert!(interaction.approve(Approval::new("alice")).await.unwrap().is_some());
    }
}

// spec: REG-31
#[tokio::test]
async fn a_document_that_asks_for_proof_from_now_on_is_followed_from_now_on() {
    let web = Web::with(&document());
    let w = world(&web).await;
    let code = w.code(CLIENT).await;
    let (old, new) = (key(), key());
    let keyed = |key| {
        let mut document = document_with("token_endpoint_auth_method", "private_key_jwt");
        document["jwks"] = ClientJwks::of([key]).document().clone();
        document.to_string()
    };
    web.put(URL, &keyed(&old));
    w.redeem(CLIENT, &code).await.is_refused(401, "invalid_client");
    web.put(URL, &keyed(&new));
    prove(&w, &redemption(&code), &proof(&old, "1")).await.is_refused(401, "invalid_client");
    let refresh = prove(&w, &redemption(&code), &proof(&new, "2")).await.tokens().refresh.unwrap();
    w.refresh(CLIENT, &refresh).await.is_refused(401, "invalid_client");
}

#[tokio::test]
async fn a_document_that_spoils_takes_nothing_away_and_gives_nothing_until_it_is_mended() {
    let web = Web::with(&document());
    let w = world(&web).await;
    let (code, tokens) = (w.code(CLIENT).await, w.tokens(CLIENT).await);
    let refresh = tokens.refresh.unwrap();
    web.put(URL, "{}");
    w.redeem(CLIENT, &code).await.is_refused(401, "invalid_client");
    w.refresh(CLIENT, &refresh).await.is_refused(401, "invalid_client");
    assert!(w.events.all().iter().any(|event| event.contains("NoDocument")));
    web.put(URL, &document_with("grant_types", json!(["authorization_code"])).to_string());
    w.refresh(CLIENT, &refresh).await.is_refused(400, "unauthorized_client");
    web.put(URL, &document().to_string());
    w.redeem(CLIENT, &code).await.tokens();
    w.refresh(CLIENT, &refresh).await.tokens();
}
