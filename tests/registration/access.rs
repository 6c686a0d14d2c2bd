//! Who may register: initial access tokens.

use http::{Method, Request, header};
use oauth_core::{
    engine::{fault::Fault, policy::HostFuture, registration::InitialAccessTokens},
    secret::Secret,
};

use super::{app, is_unauthorized, open_world, request, that};
use crate::support::*;

const TOKEN: &str = "an-initial-access-token-of-ours";

async fn register(w: &World, token: Option<&str>) -> Answer {
    w.send(request(Method::POST, "/register", token, &app().to_string())).await
}

/// Knows `holder-NAME`, and fails when asked about `outage`.
#[derive(Debug)]
struct Directory;

impl InitialAccessTokens for Directory {
    fn holder<'a>(&'a self, token: &'a Secret) -> HostFuture<'a, Option<String>> {
        Box::pin(async move {
            match token.expose() {
                "outage" => Err(Fault::Host("the directory is away".into())),
                token => Ok(token.strip_prefix("holder-").map(str::to_owned)),
            }
        })
    }
}

// spec: REG-19
#[tokio::test]
async fn without_an_initial_access_token_that_is_good_there_is_401_and_no_client() {
    // What is wrong is counted otherwise, in the store.
    let w = on_memory_with(|builder| {
        let builder = builder.client_authentication(|how| how.failures_per_minute = 0);
        builder.registration(|registration| registration.initial_access_token(&TOKEN.into()))
    })
    .await;
    let before = w.store.calls();
    is_unauthorized(&register(&w, None).await, false);
    let longer = format!("{TOKEN}x");
    for wrong in ["x", "", "an-initial-access-token-of-our", &longer, &TOKEN.to_uppercase()] {
        is_unauthorized(&register(&w, Some(wrong)).await, !wrong.is_empty());
    }
    for odd in [format!("Basic {TOKEN}"), "bearer".to_owned(), TOKEN.to_owned(), format!("Bearer {TOKEN} {TOKEN}")] {
        let request = Request::post("/register").header(header::AUTHORIZATION, odd);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let answer = w.send(request.body(app().to_string().into()).unwrap()).await;
        assert_eq!(answer.status, 401, "{answer}");
    }
    let mut twice = request(Method::POST, "/register", Some(TOKEN), &app().to_string());
    twice.headers_mut().append(header::AUTHORIZATION, "Bearer x".parse().unwrap());
    is_unauthorized(&w.send(twice).await, false);
    let uri = format!("/register?access_token={TOKEN}");
    is_unauthorized(&w.send(request(Method::POST, &uri, None, &app().to_string())).await, false);
    assert_eq!((w.store.calls(), w.events.count("client_registered")), (before, 0));
    assert_eq!(register(&w, Some(TOKEN)).await.status, 201);
    assert_eq!(register(&w, Some(TOKEN)).await.status, 201, "as often as it comes");
}

// spec: REG-19
#[tokio::test]
async fn what_is_wrong_with_the_body_is_told_to_nobody_without_a_token() {
    let w = that(|registration| registration.initial_access_token(&TOKEN.into())).await;
    is_unauthorized(&w.send(request(Method::POST, "/register", None, "nonsense")).await, false);
    is_unauthorized(&w.send(request(Method::POST, "/register", Some("x"), "nonsense")).await, true);
    w.send(request(Method::POST, "/register", Some(TOKEN), "nonsense"))
        .await
        .is_refused(400, "invalid_client_metadata");
}

// spec: REG-19
#[tokio::test]
async fn a_host_may_know_other_tokens_and_its_failure_is_no_refusal() {
    let w = that(|registration| registration.initial_access_tokens(Directory)).await;
    assert_eq!(register(&w, Some("holder-ada")).await.status, 201);
    is_unauthorized(&register(&w, Some("ada")).await, true);
    register(&w, Some("outage")).await.is_unavailable();
    assert_eq!(w.events.count("client_registered"), 1);
}

#[tokio::test]
async fn where_registration_is_open_a_token_that_is_wrong_is_wrong_all_the_same() {
    let w = that(|registration| registration.open().initial_access_token(&TOKEN.into())).await;
    assert_eq!(register(&w, None).await.status, 201);
    assert_eq!(register(&w, Some(TOKEN)).await.status, 201);
    is_unauthorized(&register(&w, Some("x")).await, true);
    // Where there are none, it was meant for somebody else.
    assert_eq!(register(&open_world().await, Some("x")).await.status, 201);
}

// spec: REG-19
#[tokio::test]
async fn registration_is_closed_unless_somebody_opens_it() {
    let w = that(|registration| registration).await;
    is_unauthorized(&register(&w, None).await, false);
    is_unauthorized(&register(&w, Some("")).await, false);
    is_unauthorized(&register(&w, Some("x")).await, true);
}
