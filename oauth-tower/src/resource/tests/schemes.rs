//! Token types that are not built in, by one that signs the request line.

use http::{Request, StatusCode, header::AUTHORIZATION};
use oauth_core::{challenge::Challenge, error::ErrorCode, secret::Digest};
use serde_json::json;

use super::{Key, RESOURCE, builder, fixed, headers, send, upstream::Upstream};
use crate::resource::{
    InvalidToken, Issuer, Presented, RefusalKind, ResourceServer, SchemeError, SchemeRequest, TokenClaims, TokenScheme,
};

/// `Signed TOKEN:PROOF`, the proof being a hash of key, method and path.
#[derive(Debug)]
struct Signed;

fn proof(key: &str, method: &str, path: &str) -> String {
    let digest = Digest::of(&[key.as_bytes(), b"\n", method.as_bytes(), b"\n", path.as_bytes()]);
    digest.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl TokenScheme for Signed {
    fn name(&self) -> &'static str {
        "Signed"
    }

    fn read(&self, request: &SchemeRequest<'_>) -> Result<Presented, SchemeError> {
        let malformed = || SchemeError::new(ErrorCode::InvalidRequest, "not TOKEN:PROOF");
        let (token, sent) = request.credentials().split_once(':').ok_or_else(malformed)?;
        if sent == "down" {
            return Ok(Presented::new(token, async |_| Err(SchemeError::unavailable(7))));
        }
        let (sent, method, path) = (sent.to_owned(), request.method().to_string(), request.uri().path().to_owned());
        Ok(Presented::new(token, async move |token| {
            let key = token.claim("key").and_then(|key| key.as_str()).unwrap_or_default();
            let good = proof(key, &method, &path) == sent;
            if good { Ok(()) } else { Err(SchemeError::new(ErrorCode::Other("bad_signature".into()), "not signed")) }
        }))
    }

    fn is_type_of(&self, claims: &TokenClaims) -> bool {
        claims.token_type.as_deref() == Some("signed") || claims.extra.contains_key("key")
    }

    fn challenge(&self, challenge: Challenge) -> Challenge {
        challenge.parameter("hash", "sha-256")
    }
}

fn call(credentials: &str) -> Request<String> {
    Request::get("/notes").header(AUTHORIZATION, credentials).body(String::new()).unwrap()
}

fn challenges(response: &http::Response<String>) -> Vec<String> {
    let values = response.headers().get_all("www-authenticate").iter();
    values.map(|value| value.to_str().unwrap().to_owned()).collect()
}

fn server(key: &Key) -> ResourceServer {
    builder(fixed(key)).scheme(Signed).build().unwrap()
}

// spec: RS-38
#[tokio::test]
async fn a_token_scheme_of_ones_own_is_served_beside_bearer() {
    let key = Key::es256();
    let layer = server(&key).layer();
    let token = key.token(json!({ "key": "k" }));
    let good = format!("signed {token}:{}", proof("k", "GET", "/notes"));
    for _ in 0..2 {
        assert!(send(&layer, call(&good)).await.1, "the first time and out of the cache");
    }
    assert!(send(&layer, call(&format!("Bearer {}", key.good()))).await.1);
}

// spec: RS-38
#[tokio::test]
async fn a_scheme_says_in_its_own_challenge_what_was_wrong() {
    let key = Key::es256();
    let layer = server(&key).layer();
    let token = key.token(json!({ "key": "k" }));
    let elsewhere = proof("k", "GET", "/other");
    for (credentials, error) in
        [(format!("Signed {token}:{elsewhere}"), "bad_signature"), ("Signed x".to_owned(), "invalid_request")]
    {
        let (response, served) = send(&layer, call(&credentials)).await;
        assert_eq!((response.status(), served), (StatusCode::UNAUTHORIZED, false));
        let [bearer, signed] = &challenges(&response)[..] else { panic!("one for each scheme") };
        assert!(bearer.starts_with("Bearer ") && !bearer.contains("error"), "{bearer}");
        assert!(signed.starts_with(r#"Signed hash="sha-256", realm="#), "{signed}");
        assert!(signed.contains(&format!(r#"error="{error}""#)), "{signed}");
    }
    let (response, _) = send(&layer, Request::new(String::new())).await;
    assert_eq!(challenges(&response).len(), 2);
    assert!(challenges(&response).iter().all(|challenge| !challenge.contains("error")));
}

#[tokio::test]
async fn a_token_of_one_type_is_refused_under_another_scheme() {
    let key = Key::es256();
    let server = server(&key);
    let (theirs, plain) = (key.token(json!({ "key": "k" })), key.good());
    let under_wrong = [format!("Bearer {theirs}"), format!("Signed {plain}:{}", proof("", "GET", "/notes"))];
    for credentials in under_wrong {
        for _ in 0..2 {
            let (response, served) = send(&server.layer(), call(&credentials)).await;
            assert_eq!((response.status(), served), (StatusCode::UNAUTHORIZED, false));
        }
    }
    let parts = call(&format!("Signed {plain}:{}", proof("", "GET", "/notes"))).into_parts().0;
    let refusal = server.validate(&parts).await.unwrap_err();
    assert_eq!(*refusal.kind(), RefusalKind::InvalidToken(InvalidToken::NotBound));
    let refusal = server.validate_headers(&headers(&theirs)).await.unwrap_err();
    assert_eq!(*refusal.kind(), RefusalKind::InvalidToken(InvalidToken::Bound));
    // Without a request line nothing can be proven.
    let mut signed = headers(&theirs);
    signed.insert(AUTHORIZATION, format!("Signed {theirs}:x").parse().unwrap());
    assert_eq!(server.validate_headers(&signed).await.unwrap_err().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn not_knowing_is_503_and_unprintable_credentials_are_malformed() {
    let key = Key::es256();
    let layer = server(&key).layer();
    let (response, _) = send(&layer, call(&format!("Signed {}:down", key.token(json!({ "key": "k" }))))).await;
    assert_eq!(
        (response.status(), &response.headers()["retry-after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"7".parse().unwrap())
    );
    for unprintable in [&b"Signed \xe9:x"[..], b"Signed a\tb:x", "Signed abc:\u{e9}".as_bytes()] {
        let mut request = call("x");
        request.headers_mut().insert(AUTHORIZATION, http::HeaderValue::from_bytes(unprintable).unwrap());
        assert_eq!(send(&layer, request).await.0.status(), StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn an_introspection_response_names_the_type_and_no_unknown_one_is_served() {
    let upstream = Upstream::new();
    let url = "https://as.example/introspect";
    let answer = |kind: &str| json!({ "active": true, "sub": "ada", "aud": RESOURCE, "token_type": kind, "key": "k" });
    let issuer = || Issuer::introspection(super::ISSUER, url).client_basic("api", "secret");
    let good = format!("Signed abc:{}", proof("k", "GET", "/notes"));
    for (kind, served) in [("signed", true), ("mac", false)] {
        upstream.json(url, &answer(kind));
        let server = builder(issuer()).http(upstream.client()).scheme(Signed).build().unwrap();
        assert_eq!(send(&server.layer(), call(&good)).await.1, served, "{kind}");
        assert!(!send(&server.layer(), call("Bearer abc")).await.1);
    }
    let without = builder(issuer()).http(upstream.json(url, &answer("signed")).client()).build().unwrap();
    assert!(!send(&without.layer(), call("Bearer abc")).await.1, "no scheme, no such token");
}
