//! `GET /register/{client_id}`: a client reads its registration.

use http::{Method, Request, header};
use oauth_core::{engine::registration::RegistrationSettings, store::Clients};

use super::{app, is_unauthorized, open, open_world, registered, request, that};
use crate::support::*;

// spec: REG-23
#[tokio::test]
async fn a_registration_comes_with_a_token_and_a_url_at_which_it_can_be_read() {
    on_every_store_with(open, async |w| {
        let client = registered(&w, &app()).await;
        let uri = client.text("registration_client_uri");
        assert_eq!(uri, format!("{ISSUER}/register/{}", client.id()));
        assert!(uri.starts_with("https://"));
        let answer = client.manage(&w, Method::GET, "").await;
        assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"));
        let shown = super::Registered::shown(&answer);
        for (name, value) in client.0.iter().filter(|(name, _)| *name != "client_secret") {
            assert_eq!(&shown.0[name], value, "{name}");
        }
        assert!(!shown.0.contains_key("client_secret"), "it was shown once");
    })
    .await;
}

// spec: REG-23
#[tokio::test]
async fn without_management_there_is_neither_token_nor_url() {
    let w = that(RegistrationSettings::open).await;
    let client = registered(&w, &app()).await;
    let members = ["registration_access_token", "registration_client_uri"];
    assert!(members.iter().all(|name| !client.0.contains_key(*name)));
    let path = format!("/register/{}", client.id());
    assert_eq!(w.send(request(Method::GET, &path, Some("x"), "")).await.status, 404);
    // Nor does it come by being switched on later.
    let on = that(|registration| registration.open().manageable()).await;
    let kept = w.store.client(client.caller().client_id()).await.unwrap().unwrap();
    on.store.put_client((*kept).clone()).await.unwrap();
    for token in ["x", "", client.text("client_secret")] {
        let answer = on.send(request(Method::GET, &path, Some(token), "")).await;
        assert_eq!(answer.status, 401, "{answer}");
    }
}

// spec: REG-23
#[tokio::test]
async fn where_tokens_rotate_the_one_before_is_good_no_longer() {
    on_every_store_with(
        |builder| builder.registration(|it| it.open().manageable().per_minute(0).rotate_tokens()),
        async |w| {
            let first = registered(&w, &app()).await;
            assert_eq!(super::Registered::shown(&first.manage(&w, Method::GET, "").await).token(), first.token());
            let second = super::Registered::shown(&first.put(&w, &first.replacement()).await);
            assert_ne!(first.token(), second.token());
            for method in [Method::GET, Method::PUT, Method::DELETE] {
                is_unauthorized(&first.manage(&w, method, &first.replacement().to_string()).await, true);
            }
            assert_eq!(second.manage(&w, Method::GET, "").await.status, 200);
        },
    )
    .await;
}

// spec: REG-26
#[tokio::test]
async fn a_token_that_is_not_the_clients_own_is_401_whether_the_client_exists_or_not() {
    let w = open_world().await;
    let (one, other) = (registered(&w, &app()).await, registered(&w, &app()).await);
    let mut answers = Vec::new();
    // One that exists, one that does not, one that nobody can have, and one of the operator's own.
    for path in [one.path(), "/register/dyn-AAAAAAAAAAAAAAAAAAAAAA", "/register/%00", "/register/app", "/register/web"]
    {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            is_unauthorized(&w.send(request(method.clone(), path, None, "{}")).await, false);
            for wrong in [other.token(), one.text("client_secret"), "x", "web-secret-7Xk2"] {
                let answer = w.send(request(method.clone(), path, Some(wrong), "nonsense")).await;
                is_unauthorized(&answer, true);
                answers.push(answer.to_string());
            }
        }
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    let basic = Request::get(one.path()).header(header::AUTHORIZATION, format!("Basic {}", one.token()));
    is_unauthorized(&w.send(basic.body(Default::default()).unwrap()).await, false);
    let query = format!("{}?access_token={}", one.path(), one.token());
    is_unauthorized(&w.send(request(Method::GET, &query, None, "")).await, false);
    assert_eq!(one.manage(&w, Method::GET, "").await.status, 200);
}

// spec: REG-25
#[tokio::test]
async fn a_method_that_is_not_supported_is_405() {
    let w = open_world().await;
    let client = registered(&w, &app()).await;
    for path in [client.path(), "/register/nobody"] {
        for method in [Method::POST, Method::PATCH, Method::HEAD, Method::OPTIONS] {
            let answer = w.send(request(method, path, Some(client.token()), "")).await;
            assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET, PUT, DELETE"));
        }
    }
}

#[tokio::test]
async fn a_store_that_is_away_says_nothing_about_a_token() {
    let w = open_world().await;
    let client = registered(&w, &app()).await;
    w.store.set_down(true);
    for token in [client.token(), "x"] {
        w.send(request(Method::GET, client.path(), Some(token), "")).await.is_unavailable();
    }
}
