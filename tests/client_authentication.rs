//! How a client proves itself at every back-channel endpoint.

mod assertion;
mod client_secret_jwt;
mod keys;
mod limits;
mod metadata;
mod private_key_jwt;
mod replay;
mod secrets;
mod tls;

use http::{Request, header};
use oauth_core::client::{Client, ClientBuilder, ClientSecret, GrantType};

use crate::support::*;

const ENDPOINTS: [&str; 3] = ["/token", "/revoke", "/introspect"];

/// Enough for each endpoint, were the client known.
const PARAMS: &str = "grant_type=client_credentials&token=x";

/// A request with these `Authorization` headers and body.
async fn send(w: &World, uri: &str, authorization: &[&str], body: &str) -> Answer {
    let mut request = Request::post(uri).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    for value in authorization {
        request = request.header(header::AUTHORIZATION, *value);
    }
    w.send(request.body(body.to_owned().into()).unwrap()).await
}

fn web() -> String {
    basic("web:web-secret-7Xk2")
}

/// A confidential client to add, with `secrets`.
fn machine(secrets: &[ClientSecret]) -> Client {
    let machine = Client::builder("machine").grant_type(GrantType::CLIENT_CREDENTIALS);
    secrets.iter().cloned().fold(machine, ClientBuilder::secret).build().unwrap()
}

// spec: CAU-01, CAU-02, REG-02, REG-04
#[tokio::test]
async fn a_client_with_credentials_must_prove_itself_at_every_endpoint() {
    let w = on_memory().await;
    for endpoint in ENDPOINTS {
        for (authorization, body) in [
            (None, "&client_id=web"),
            (None, ""),
            (None, "&client_id=form"),
            (None, "&client_id=form&client_secret=wrong"),
            (None, "&client_id=form&client_secret="),
            (Some(basic("web:wrong")), ""),
            (Some(basic("web:")), ""),
            (Some(basic("nobody:wrong")), ""),
            (Some("Bearer oat_x".to_owned()), "&client_id=form&client_secret=form-secret-9Qz4"),
        ] {
            let authorization: Vec<&str> = authorization.as_deref().into_iter().collect();
            let answer = send(&w, endpoint, &authorization, &format!("{PARAMS}{body}")).await;
            answer.is_refused(401, "invalid_client");
            assert_eq!(answer.header("www-authenticate"), format!(r#"Basic realm="{ISSUER}""#));
        }
        assert_eq!(send(&w, endpoint, &[&web()], PARAMS).await.status, 200);
    }
}

// spec: CAU-06
#[tokio::test]
async fn more_than_one_mechanism_is_refused_and_nothing_is_done() {
    let w = on_memory().await;
    let (jwt, secret) = ("client_assertion_type=urn:x&client_assertion=a.b.c", "client_secret=web-secret-7Xk2");
    let (web, calls) = (web(), w.store.calls());
    for endpoint in ENDPOINTS {
        for (authorization, body) in [
            (&[web.as_str()][..], secret.to_owned()),
            (&[&web], format!("client_id=web&{secret}")),
            (&[&web], jwt.to_owned()),
            (&[], format!("client_id=form&client_secret=form-secret-9Qz4&{jwt}")),
            (&[&web, &web], String::new()),
            (&[&web, "Bearer x"], String::new()),
        ] {
            send(&w, endpoint, authorization, &format!("{PARAMS}&{body}")).await.is_refused(400, "invalid_request");
        }
    }
    assert_eq!(w.store.calls(), calls);
}

// spec: CAU-07
#[tokio::test]
async fn a_client_id_in_the_body_names_the_client_that_authenticates() {
    let w = on_memory().await;
    for endpoint in ENDPOINTS {
        assert_eq!(send(&w, endpoint, &[&web()], &format!("{PARAMS}&client_id=web")).await.status, 200);
        for other in ["form", "app", "WEB", "nobody"] {
            let answer = send(&w, endpoint, &[&web()], &format!("{PARAMS}&client_id={other}")).await;
            answer.is_refused(400, "invalid_request");
        }
    }
}

// spec: CAU-08
#[tokio::test]
async fn only_the_registered_method_works() {
    let w = on_memory().await;
    for (secret, caller) in [("web-secret-7Xk2", WEB), ("form-secret-9Qz4", FORM)] {
        let id = caller.id();
        for endpoint in ENDPOINTS {
            let by_header = send(&w, endpoint, &[&basic(&format!("{id}:{secret}"))], PARAMS).await;
            let body = format!("{PARAMS}&client_id={id}&client_secret={secret}");
            let by_body = send(&w, endpoint, &[], &body).await;
            let (good, bad) = if caller == WEB { (by_header, by_body) } else { (by_body, by_header) };
            assert_eq!(good.status, 200);
            bad.is_refused(401, "invalid_client");
        }
    }
}

// spec: CAU-10
#[tokio::test]
async fn an_unknown_client_and_a_wrong_secret_are_told_the_same() {
    let w = on_memory().await;
    for endpoint in ENDPOINTS {
        let known =
            [Caller::Basic("web", "x"), Caller::Post("form", "x"), Caller::Public("web"), Caller::Post("app", "x")];
        let unknown = [Caller::Basic("who", "x"), Caller::Post("who", "x"), Caller::Public("who")];
        let mut answers = Vec::new();
        for caller in known.into_iter().chain(unknown) {
            let answer = w.post(endpoint, caller, &[("grant_type", "client_credentials"), ("token", "x")]).await;
            answers.push(answer.to_string());
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    }
    assert_eq!(w.events.count("client_authentication_failed"), 21);
}
