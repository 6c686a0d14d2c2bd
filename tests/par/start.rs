//! What a browser does with the reference.

use super::{PREFIX, bring, leads_nowhere, pushed};
use crate::support::*;

// spec: AUZ-40
#[tokio::test]
async fn nothing_but_the_client_is_read_beside_the_reference() {
    on_every_store(async |w| {
        let ask = Ask::of(APP).with("scope", "read").with("state", "pushed");
        let uri = pushed(&w, APP, &ask).await;
        let bring = bring(APP, &uri)
            .with("redirect_uri", "https://evil.example/cb")
            .with("response_type", "token")
            .with("response_mode", "fragment")
            .with("scope", "read write admin")
            .with("state", "browser")
            .with("code_challenge", &"A".repeat(43))
            .with("resource", "https://elsewhere.example")
            .with("prompt", "none")
            .and("nonce", "1")
            .and("nonce", "2");
        let mut browser = Browser::new(&w);
        let response = response_at(CALLBACK, &browser.approve(&bring).await);
        assert_eq!(response.get("state"), Some("pushed"));
        let answer = w.redeem(APP, response.get("code").unwrap()).await;
        answer.tokens();
        assert_eq!(answer.member("scope"), "read");
    })
    .await;
}

// spec: AUZ-43
#[tokio::test]
async fn a_reference_and_a_signed_request_exclude_each_other() {
    let w = on_memory().await;
    let uri = pushed(&w, APP, &Ask::of(APP)).await;
    let mut browser = Browser::new(&w);
    let both = browser.authorize(&bring(APP, &uri).with("request", "a.b.c")).await;
    both.is_error_page();
    assert!(both.body.contains("exclude each other"), "{both}");
    browser.approve(&bring(APP, &uri)).await;
}

// spec: AUZ-38, AUZ-40
#[tokio::test]
async fn a_reference_is_worth_nothing_for_another_client() {
    on_every_store(async |w| {
        let uri = pushed(&w, APP, &Ask::of(APP)).await;
        let mut browser = Browser::new(&w);
        for other in ["other-app", "web", "nobody", "APP", "app ", "caf\u{e9}"] {
            leads_nowhere(&browser.authorize(&bring(APP, &uri).with("client_id", other)).await);
        }
        browser.authorize(&bring(APP, &uri).without("client_id")).await.is_error_page();
        browser.authorize(&bring(APP, &uri).and("client_id", "app")).await.is_error_page();
        assert!(browser.cookies.is_empty());
        // It is none the worse for it.
        browser.approve(&bring(APP, &uri)).await;
    })
    .await;
}

// spec: AUZ-38
#[tokio::test]
async fn a_reference_that_nobody_was_given_leads_nowhere() {
    let w = on_memory().await;
    let uri = pushed(&w, APP, &Ask::of(APP)).await;
    let reference = uri.strip_prefix(PREFIX).unwrap();
    let mut flipped = reference.to_owned();
    let last = if flipped.pop() == Some('A') { 'E' } else { 'A' };
    flipped.push(last);
    for other in ["", "x", &reference[1..], &format!("{reference}A"), &flipped, &"x".repeat(5000), "\u{0}", "caf\u{e9}"]
    {
        leads_nowhere(&w.get(&bring(APP, &format!("{PREFIX}{other}")).uri()).await);
    }
    // Twice is none.
    w.get(&bring(APP, &uri).and("request_uri", &uri).uri()).await.is_error_redirect("invalid_request");
    // An interaction that was not pushed is none either.
    let id = Browser::new(&w).begin(&Ask::of(APP)).await;
    leads_nowhere(&w.get(&bring(APP, &format!("{PREFIX}{id}")).uri()).await);
}

// spec: AUZ-38
#[tokio::test]
async fn a_reference_is_brought_in_time_and_then_there_is_as_much_time_as_ever() {
    on_every_store(async |w| {
        let in_time = pushed(&w, APP, &Ask::of(APP)).await;
        w.clock.advance(59);
        let mut browser = Browser::new(&w);
        let id = browser.begin(&bring(APP, &in_time)).await;
        w.clock.advance(1);
        leads_nowhere(&browser.authorize(&bring(APP, &in_time)).await);
        // The default of an interaction, from when it was begun, but for a second.
        w.clock.advance(598);
        assert!(browser.interaction(&id).await.is_some());
        w.clock.advance(2);
        assert!(browser.interaction(&id).await.is_none());
    })
    .await;
}

// spec: AUZ-38
#[tokio::test]
async fn the_host_says_how_long_a_reference_is_good() {
    let lasting =
        |seconds| on_memory_with(move |builder| builder.authorization(|settings| settings.pushed.lifetime = seconds));
    let w = lasting(5).await;
    let answer = super::push(&w, APP, &Ask::of(APP)).await;
    assert_eq!(answer.member("expires_in"), 5);
    let bring = bring(APP, answer.member("request_uri").as_str().unwrap());
    w.clock.advance(4);
    Browser::new(&w).begin(&bring).await;
    w.clock.advance(1);
    leads_nowhere(&w.get(&bring.uri()).await);
    assert_eq!(super::push(&lasting(600).await, APP, &Ask::of(APP)).await.member("expires_in"), 600);
    for bad in [0, 4, 601] {
        let builder = oauth_core::server::AuthorizationServer::builder(ISSUER);
        let error = builder.authorization(|settings| settings.pushed.lifetime = bad).build().await.unwrap_err();
        assert!(error.to_string().starts_with("par.lifetime"), "{error}");
    }
}

// spec: AUZ-25
#[tokio::test]
async fn the_id_of_the_page_is_good_in_the_browser_that_was_given_it() {
    on_every_store(async |w| {
        let uri = pushed(&w, APP, &Ask::of(APP)).await;
        let (mut mine, mut theirs) = (Browser::new(&w), Browser::new(&w));
        let (id, other) = (mine.begin(&bring(APP, &uri)).await, theirs.begin(&bring(APP, &uri)).await);
        assert!(mine.interaction(&id).await.is_some() && theirs.interaction(&other).await.is_some());
        for foreign in [theirs.interaction(&id).await, mine.interaction(&other).await] {
            assert!(foreign.is_none());
        }
        assert!(Browser::new(&w).interaction(&id).await.is_none());
        let reference = uri.strip_prefix(PREFIX).unwrap();
        for forged in [reference, &uri, "", "x", &id[1..], &id[..id.len() - 1], &format!("{id}A")] {
            assert!(mine.interaction(forged).await.is_none(), "{forged}");
        }
        // Nor are the tokens of its forms.
        let (mine, theirs) = (mine.interaction(&id).await.unwrap(), theirs.interaction(&other).await.unwrap());
        assert!(mine.csrf_matches(&mine.csrf_token()) && !mine.csrf_matches(&theirs.csrf_token()));
    })
    .await;
}

/// The request was pushed before, but the person is asked now.
// spec: AUZ-33
#[tokio::test]
async fn a_sign_in_between_push_and_start_is_not_one_for_the_request() {
    let w = on_memory().await;
    let uri = pushed(&w, APP, &Ask::of(APP).with("prompt", "login")).await;
    w.clock.advance(10);
    let mut browser = Browser::new(&w);
    browser.consent(&Ask::of(OTHER_APP)).await;
    w.clock.advance(10);
    let id = browser.begin(&bring(APP, &uri)).await;
    let page = browser.get(&format!("/interaction?id={id}")).await;
    assert!(page.body.contains("name=\"password\""), "{page}");
    // Once they have, it does, and the way to the page is no new start.
    let (_, consent) = browser.consent(&bring(APP, &uri)).await;
    assert!(consent.body.contains("id=\"approve\""), "{consent}");
}

#[tokio::test]
async fn a_reference_from_before_a_rotation_of_the_root_secret_is_good_and_so_is_the_id() {
    use oauth_core::secret::RootSecret;
    let w = on_sqlite().await;
    let uri = pushed(&w, APP, &Ask::of(APP)).await;
    let mut browser = Browser::new(&w);
    let id = browser.begin(&bring(APP, &uri)).await;
    let rotated = || RootSecret::new([8; 32]).with_previous([7; 32]);
    let next = w.another(|builder| builder.root_secret(rotated())).await.unwrap();
    browser.move_to(&next);
    assert!(browser.interaction(&id).await.is_some());
    browser.approve(&bring(APP, &uri)).await;
}

#[tokio::test]
async fn an_outage_is_a_page_with_503() {
    let w = on_memory().await;
    let uri = pushed(&w, APP, &Ask::of(APP)).await;
    w.store.set_down(true);
    let answer = w.get(&bring(APP, &uri).uri()).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (503, ""));
    w.store.set_down(false);
    Browser::new(&w).begin(&bring(APP, &uri)).await;
}

#[tokio::test]
async fn the_reference_works_under_an_issuer_with_a_path_and_by_post() {
    let w = World::at("https://as.example/tenant").await;
    let mut request = super::pushing(APP, &Ask::of(APP));
    *request.uri_mut() = "/tenant/par".parse().unwrap();
    let answer = w.send(request).await;
    assert_eq!(answer.status, 201, "{answer}");
    let bring = bring(APP, answer.member("request_uri").as_str().unwrap());
    Browser::new(&w).begin(&bring).await;
    let form = post("/tenant/authorize", Caller::Nobody, &[]).map(|_| bring.form().into());
    assert!(w.send(form).await.location().starts_with("/tenant/interaction?id="));
}
