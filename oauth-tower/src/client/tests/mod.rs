//! The client against servers that answer as a test says.

mod api;
mod authorization;
mod discovery;
mod dpop;
mod response;

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use oauth_core::{
    clock::{ManualClock, UnixTime},
    jwt::{Algorithm, Jws},
    keys::SigningKey,
    token::InvalidTokenResponse,
};
use tower::service_fn;

use super::*;
use crate::outgoing::{ClientAuth, HttpClient, HttpError, UrlError};

/// What was sent, in its order.
pub(crate) type Sent = Arc<Mutex<Vec<Request<Bytes>>>>;

/// A network that answers as `answer` says, to requests counted from 0.
pub(crate) fn network(
    answer: impl Fn(usize, &Request<Bytes>) -> Response<String> + Send + Sync + 'static,
) -> (HttpClient, Sent) {
    let sent = Sent::default();
    let (seen, answer) = (Arc::clone(&sent), Arc::new(answer));
    let http = HttpClient::new(service_fn(move |request: Request<Bytes>| {
        let mut seen = seen.lock().unwrap();
        let response = answer(seen.len(), &request).map(|body| Full::new(Bytes::from(body)));
        seen.push(request);
        async move {
            // Nobody answers in the same instant.
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(response)
        }
    }));
    (http, sent)
}

pub(crate) fn reply(status: u16, headers: &[(&str, &str)], body: impl Into<String>) -> Response<String> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).unwrap()
}

/// A client of a server that always answers like this, and what it was sent.
fn client(status: u16, headers: &[(&str, &str)], body: &'static str) -> (TokenClient, Arc<Mutex<Vec<Bytes>>>) {
    let (http, forms) = exchange(status, headers, body);
    let auth = ClientAuth::None { id: "app".into() };
    let builder = TokenClient::builder("https://as.example/token", auth);
    (builder.revocation_endpoint("https://as.example/revoke").build(http).unwrap(), forms)
}

fn exchange(status: u16, headers: &[(&str, &str)], body: &'static str) -> (HttpClient, Arc<Mutex<Vec<Bytes>>>) {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    let response = response.body(body).unwrap();
    let forms = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&forms);
    let http = HttpClient::new(service_fn(move |request: Request<Bytes>| {
        seen.lock().unwrap().push(request.into_body());
        let response = response.clone().map(Full::<Bytes>::from);
        async move { Ok::<_, Infallible>(response) }
    }));
    (http, forms)
}

const TOKEN: &str = r#"{"access_token":"a","token_type":"Bearer","expires_in":300,"refresh_token":"r"}"#;

fn form(forms: &Mutex<Vec<Bytes>>) -> String {
    String::from_utf8(forms.lock().unwrap().last().unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn each_grant_sends_its_parameters() {
    let (client, forms) = client(200, &[], TOKEN);
    client.client_credentials(Some("a b"), Some("https://api.example")).await.unwrap();
    assert_eq!(
        form(&forms),
        "grant_type=client_credentials&scope=a+b&resource=https%3A%2F%2Fapi.example&client_id=app",
    );
    client.exchange_code(&"c".into(), &"v".into(), Some("https://app.example/cb")).await.unwrap();
    assert_eq!(
        form(&forms),
        "grant_type=authorization_code&code=c&code_verifier=v&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&client_id=app",
    );
    let refreshed = client.refresh(&"old".into(), None).await.unwrap();
    assert_eq!(form(&forms), "grant_type=refresh_token&refresh_token=old&client_id=app");
    assert_eq!(refreshed.refresh_token, Some("r".into()));
}

#[tokio::test]
async fn an_error_response_is_read_and_a_broken_one_too() {
    let (client, _) = client(400, &[], r#"{"error":"invalid_grant","error_description":"no"}"#);
    let error = client.refresh(&"old".into(), None).await.unwrap_err();
    assert!(
        matches!(error, TokenError::Refused { error, status: StatusCode::BAD_REQUEST, .. } if error == "invalid_grant")
    );
    let (client, _) = self::client(404, &[], "<html>");
    let error = client.refresh(&"old".into(), None).await.unwrap_err();
    assert!(matches!(&error, TokenError::Refused { error, .. } if error.is_empty()) && error.code().is_none());
    let (client, _) = self::client(500, &[], "<html>");
    let error = client.refresh(&"old".into(), None).await.unwrap_err();
    assert!(matches!(error, TokenError::Unavailable { status: StatusCode::INTERNAL_SERVER_ERROR, retry_after: None }));
    let (client, _) = self::client(200, &[], r#"{"access_token":"a","token_type":"mac"}"#);
    assert!(matches!(
        client.client_credentials(None, None).await.unwrap_err(),
        TokenError::Invalid(InvalidTokenResponse::UnknownTokenType)
    ));
}

// spec: MTX-21
#[tokio::test]
async fn a_refresh_that_met_an_outage_is_one_for_later_and_a_refusal_is_the_end() {
    for (status, wait) in [(500, None), (502, Some(3)), (503, Some(7)), (429, Some(9)), (408, None), (425, None)] {
        let text = wait.map(|seconds: u64| seconds.to_string());
        let headers: Vec<_> = text.iter().map(|seconds| ("retry-after", seconds.as_str())).collect();
        let (client, _) = client(status, &headers, r#"{"error":"invalid_grant"}"#);
        let error = client.refresh(&"old".into(), None).await.unwrap_err();
        assert!(error.is_temporary(), "{status}");
        assert_eq!((error.retry_after(), error.code()), (wait, None), "{status}");
    }
    for status in [400, 401, 403, 404] {
        let (client, _) = client(status, &[("retry-after", "7")], r#"{"error":"invalid_grant"}"#);
        let error = client.refresh(&"old".into(), None).await.unwrap_err();
        assert!(!error.is_temporary() && error.retry_after().is_none(), "{status}");
        assert_eq!(error.code(), Some("invalid_grant"));
    }
    let broken = service_fn(|_: Request<Bytes>| async { Err::<Response<Full<Bytes>>, _>("no route to host") });
    let client = TokenClient::builder("https://as.example/token", ClientAuth::None { id: "app".into() });
    let error = client.build(HttpClient::new(broken)).unwrap().refresh(&"old".into(), None).await.unwrap_err();
    assert!(error.is_temporary() && matches!(error, TokenError::Http(HttpError::Transport(_))));
}

#[tokio::test]
async fn a_redirect_is_neither_followed_nor_a_refusal() {
    let (http, sent) = network(|_, _| reply(307, &[("location", "https://evil.example/")], ""));
    let client = TokenClient::builder("https://as.example/token", ClientAuth::None { id: "app".into() });
    let error = client.build(http).unwrap().refresh(&"old".into(), None).await.unwrap_err();
    assert!(matches!(error, TokenError::Unexpected(StatusCode::TEMPORARY_REDIRECT)) && !error.is_temporary());
    assert_eq!(sent.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_server_says_of_an_error_is_fit_for_a_log() {
    let long = "x".repeat(65);
    for (said, read) in [("invalid_scope", "invalid_scope"), ("a\\nb", ""), ("\\u00e9", ""), (long.as_str(), "")] {
        let body = format!(r#"{{"error":"{said}","error_description":"a\\nb{}"}}"#, "y".repeat(400));
        let (http, _) = network(move |_, _| reply(400, &[], body.clone()));
        let client = TokenClient::builder("https://as.example/token", ClientAuth::None { id: "app".into() });
        let error = client.build(http).unwrap().client_credentials(None, None).await.unwrap_err();
        let TokenError::Refused { error, description, .. } = error else { panic!("{error:?}") };
        assert_eq!(error, read, "{said}");
        assert_eq!(description.map(|text| (text.len(), text.contains('\n'))), Some((300, false)));
    }
}

#[tokio::test]
async fn any_grant_has_its_name_its_parameters_and_the_resource_of_the_client() {
    let (http, forms) = exchange(200, &[], TOKEN);
    let auth = ClientAuth::None { id: "app".into() };
    let client = TokenClient::builder("https://as.example/token", auth).resource("https://api.example");
    let client = client.build(http).unwrap();
    client.grant("urn:example:grant", &[("assertion", "a&b")]).await.unwrap();
    assert_eq!(
        form(&forms),
        "grant_type=urn%3Aexample%3Agrant&assertion=a%26b&resource=https%3A%2F%2Fapi.example&client_id=app",
    );
    client.client_credentials(None, Some("https://other.example")).await.unwrap();
    assert_eq!(
        form(&forms),
        "grant_type=client_credentials&resource=https%3A%2F%2Fother.example&client_id=app",
        "one of the request's own stands alone",
    );
}

// spec: TOK-48
#[tokio::test]
async fn what_the_server_would_like_in_turn_is_part_of_its_answer() {
    let body = r#"{"access_token":"a","token_type":"Bearer","reciprocal":"speaker:announce"}"#;
    let (client, _) = client(200, &[], body);
    let tokens = client.exchange_code(&"c".into(), &"v".into(), None).await.unwrap();
    assert_eq!(tokens.reciprocal, Some("speaker:announce".parse().unwrap()));
    // The draft's own example has quotes around the scope.
    let body = r#"{"access_token":"a","token_type":"Bearer","reciprocal":"\"example_scope\""}"#;
    let (client, _) = self::client(200, &[], body);
    assert_eq!(client.exchange_code(&"c".into(), &"v".into(), None).await.unwrap().reciprocal, None);
}

// spec: REV-15
#[tokio::test]
async fn a_revoked_token_is_gone_and_one_that_may_still_live_is_handed_back() {
    let (client, forms) = client(200, &[], "");
    client.revoke("t".into()).await.unwrap();
    assert_eq!(form(&forms), "token=t&client_id=app");

    let (client, _) = self::client(503, &[("retry-after", "7")], "");
    let error = client.revoke("t".into()).await.unwrap_err();
    let RevokeError::StillLive { token, retry_after } = error else { panic!("{error:?}") };
    assert_eq!((token.expose(), retry_after), ("t", Some(7)));
    assert!(matches!(client.revoke(token).await.unwrap_err(), RevokeError::StillLive { .. }));

    let (client, _) = self::client(400, &[], r#"{"error":"unsupported_token_type"}"#);
    let error = client.revoke("t".into()).await.unwrap_err();
    assert!(matches!(&error, RevokeError::Refused { error, .. } if error == "unsupported_token_type"));
    let (client, _) = self::client(503, &[], "");
    let error = client.revoke("very-secret".into()).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("very-secret"));
}

// spec: REV-15
#[tokio::test]
async fn without_an_answer_the_token_must_be_assumed_to_live() {
    let broken = service_fn(|_: Request<Bytes>| async { Err::<Response<Full<Bytes>>, _>("no route to host") });
    let auth = ClientAuth::None { id: "app".into() };
    let builder = TokenClient::builder("https://as.example/token", auth);
    let client = builder.revocation_endpoint("https://as.example/revoke").build(HttpClient::new(broken)).unwrap();
    let error = client.revoke("t".into()).await.unwrap_err();
    assert!(matches!(error, RevokeError::StillLive { retry_after: None, .. }));
}

#[tokio::test]
async fn an_assertion_is_made_by_the_clock_of_the_client() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let auth = ClientAuth::private_key_jwt("app", key.clone(), "https://as.example");
    let (http, forms) = exchange(200, &[], TOKEN);
    let builder = TokenClient::builder("https://as.example/token", auth);
    let client = builder.clock(ManualClock::new(UnixTime(1_000))).build(http).unwrap();
    client.client_credentials(None, None).await.unwrap();
    let form = form(&forms);
    let (_, assertion) = form.split_once("client_assertion=").unwrap();
    let claims: serde_json::Value = Jws::parse(assertion).unwrap().verify(key.public_key()).unwrap().claims().unwrap();
    assert_eq!((&claims["iat"], &claims["exp"]), (&1_000.into(), &1_060.into()));
}

#[test]
fn credentials_are_sent_over_https_only() {
    let build = |url: &str, insecure: bool| {
        let broken = service_fn(|_: Request<Bytes>| async { Err::<Response<Full<Bytes>>, _>("unused") });
        let builder = TokenClient::builder(url, ClientAuth::None { id: "app".into() });
        let builder = if insecure { builder.insecure_http() } else { builder };
        builder.build(HttpClient::new(broken))
    };
    assert_eq!(build("http://as.example/token", true).unwrap_err(), UrlError::NotHttps);
    assert_eq!(build("http://127.0.0.1/token", false).unwrap_err(), UrlError::NotHttps);
    assert!(build("http://127.0.0.1/token", true).is_ok());
}
