//! JWTs that nobody here would verify, where other issuers are asked.

use super::{
    introspection::{ENDPOINT, active, issuer},
    *,
};
use crate::resource::{IntrospectionIssuer, InvalidToken, RefusalKind};

const ASKED: &str = "https://asked.example";

/// An issuer that is asked, of another name than [`ISSUER`].
fn asked() -> IntrospectionIssuer {
    Issuer::introspection(ASKED, ENDPOINT).client_basic("api", "hush")
}

fn asking(issuers: impl IntoIterator<Item = Issuer>) -> (ResourceServer, Upstream) {
    let upstream = Upstream::new();
    upstream.json(ENDPOINT, &active());
    let builder = ResourceServer::builder(RESOURCE).issuers(issuers).clock(clock()).http(upstream.client());
    (builder.build().unwrap(), upstream)
}

/// Tokens of `iss` in the form of a JWT that are no JWTs here.
fn unacceptable(iss: &Value) -> Vec<String> {
    let key = Key::es256();
    let claims = changed(claims(), json!({ "iss": iss }));
    let sign = |changes| key.sign(&changed(key.header(), changes), &claims);
    let mut tokens: Vec<_> = ["HS256", "none", "ES512", ""].map(|alg| sign(json!({ "alg": alg }))).into();
    tokens.push(sign(json!({ "crit": ["exp"] })));
    tokens.push(sign(json!({ "kid": 7 })));
    let unsigned = sign(json!({ "alg": "none" }));
    tokens.push(unsigned[..=unsigned.rfind('.').unwrap()].to_owned());
    tokens
}

// spec: RS-15
#[tokio::test]
async fn a_forged_jwt_is_refused_and_shown_to_nobody() {
    for other in [issuer(), asked()] {
        let (server, upstream) = asking([fixed(&Key::es256()).into(), other.into()]);
        for iss in [json!(ISSUER), json!("https://evil.example"), json!(null), json!(7)] {
            for token in unacceptable(&iss) {
                assert_eq!(present(&server, &token).await, (StatusCode::UNAUTHORIZED, false), "{token}");
            }
        }
        assert_eq!(upstream.calls(), 0);
        assert!(present(&server, "opaque").await.1);
        assert!(present(&server, "e.n.c.rypt.ed").await.1);
    }
}

#[tokio::test]
async fn the_issuer_that_it_names_is_asked_whatever_its_header_says() {
    let (server, upstream) = asking([fixed(&Key::es256()).into(), asked().into()]);
    upstream.json(ENDPOINT, &active());
    let tokens = unacceptable(&json!(ASKED));
    for token in &tokens {
        assert!(present(&server, token).await.1, "{token}");
    }
    assert_eq!(upstream.calls(), tokens.len());
}

#[tokio::test]
async fn one_that_names_no_issuer_is_opaque_where_all_are_asked_or_by_its_prefix() {
    let nameless = Key::es256().token(json!({ "iss": null }));
    let mut tokens = unacceptable(&json!(null));
    tokens.push(nameless.clone());
    let (server, upstream) = asking([asked().into()]);
    for token in &tokens {
        assert!(present(&server, token).await.1, "{token}");
    }
    assert_eq!(upstream.calls(), tokens.len());
    let (server, upstream) = asking([fixed(&Key::es256()).into(), asked().into()]);
    assert!(!present(&server, &nameless).await.1);
    assert_eq!(upstream.calls(), 0);
    let (server, _) = asking([fixed(&Key::es256()).into(), asked().token_prefix("ey").into()]);
    assert!(present(&server, &nameless).await.1);
}

#[tokio::test]
async fn a_jwt_of_a_stranger_is_shown_to_nobody_though_all_are_asked() {
    let (server, upstream) = asking([asked().into()]);
    for token in unacceptable(&json!("https://evil.example")) {
        assert!(!present(&server, &token).await.1);
    }
    assert_eq!(upstream.calls(), 0);
}

#[tokio::test]
async fn a_type_of_token_that_the_endpoint_does_not_know_is_a_bad_token() {
    let (server, upstream) = asking([issuer().into()]);
    upstream.answer(ENDPOINT, 400, &[], r#"{"error":"unsupported_token_type"}"#);
    let refusal = server.validate_headers(&headers("t")).await.unwrap_err();
    assert_eq!(*refusal.kind(), RefusalKind::InvalidToken(InvalidToken::Unrecognized));
    assert_eq!(refusal.status(), StatusCode::UNAUTHORIZED);
    for (status, body) in [(400, r#"{"error":7}"#), (400, "[]"), (401, r#"{"error":"unsupported_token_type"}"#)] {
        upstream.answer(ENDPOINT, status, &[], body);
        let refusal = server.validate_headers(&headers(&format!("{status}{}", body.len()))).await.unwrap_err();
        assert_eq!(refusal.status(), StatusCode::SERVICE_UNAVAILABLE, "{status} {body}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_once_more() {
    for (broken, good) in [(1, true), (2, false)] {
        let calls = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&calls);
        let http = crate::outgoing::HttpClient::new(service_fn(move |_| {
            let call = count.fetch_add(1, Ordering::SeqCst);
            async move {
                if call < broken {
                    return Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
                }
                Ok(Response::new(http_body_util::Full::<bytes::Bytes>::from(active().to_string())))
            }
        }));
        let server = builder(issuer()).http(http).build().unwrap();
        let expected = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        assert_eq!(present(&server, "t").await.0, expected);
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }
}
