//! The client against servers that always answer the same.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use http::Request;
use http_body_util::Full;
use oauth_core::{
    clock::{ManualClock, UnixTime},
    jwt::{Algorithm, Jws},
    keys::SigningKey,
};
use tower::service_fn;

use super::*;

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
    let (client, _) = self::client(500, &[], "<html>");
    let error = client.refresh(&"old".into(), None).await.unwrap_err();
    assert!(matches!(error, TokenError::Refused { error, .. } if error.is_empty()));
    let (client, _) = self::client(200, &[], r#"{"access_token":"a","token_type":"mac"}"#);
    assert!(matches!(client.client_credentials(None, None).await.unwrap_err(), TokenError::Invalid(_)));
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
