//! The authorization request, sent with the browser or pushed.

use std::collections::BTreeMap;

use oauth_core::{
    clock::{Random, RandomError},
    metadata::AuthorizationServerMetadata,
    pkce::{CodeChallenge, CodeVerifier},
};

use super::*;

pub(super) fn metadata() -> AuthorizationServerMetadata {
    let mut metadata = AuthorizationServerMetadata::new("https://as.example");
    metadata.authorization_endpoint = Some("https://as.example/authorize".into());
    metadata.token_endpoint = Some("https://as.example/token".into());
    metadata.pushed_authorization_request_endpoint = Some("https://as.example/par".into());
    metadata.code_challenge_methods_supported = vec!["S256".into()];
    metadata
}

pub(super) fn builder(metadata: &AuthorizationServerMetadata) -> AuthorizationRequestBuilder {
    AuthorizationRequest::builder(metadata, "app", "https://app.example/cb?x=1")
}

fn query(url: &str) -> BTreeMap<String, String> {
    let (_, query) = url.split_once('?').unwrap();
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let count = pairs.len();
    let map: BTreeMap<_, _> = pairs.into_iter().collect();
    assert_eq!(map.len(), count, "nothing is said twice: {url}");
    map
}

// spec: MCP-15
#[test]
fn a_request_has_pkce_a_state_its_redirect_uri_and_the_resource() {
    let prover = DpopProver::generate().unwrap();
    let request = builder(&metadata()).scope("a b").resource("https://api.example/mcp").dpop(&prover);
    let request = request.parameter("prompt", "consent").build().unwrap();
    let url = request.url();
    assert!(url.starts_with("https://as.example/authorize?response_type=code&client_id=app&"), "{url}");
    let sent = query(&url);
    let pending = request.into_pending();
    let verifier = CodeVerifier::parse(pending.verifier.expose()).unwrap();
    assert!(CodeChallenge::parse(&sent["code_challenge"]).unwrap().is_answered_by(&verifier));
    assert_eq!(sent["state"], pending.state().expose());
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "app"),
        ("redirect_uri", "https://app.example/cb?x=1"),
        ("code_challenge_method", "S256"),
        ("scope", "a b"),
        ("resource", "https://api.example/mcp"),
        ("dpop_jkt", prover.jkt()),
        ("prompt", "consent"),
    ] {
        assert_eq!(sent[name], value);
    }
    assert!(!url.contains(pending.verifier.expose()));
}

#[test]
fn each_request_has_a_state_and_a_verifier_of_its_own() {
    let drawn: Vec<_> = (0..20).map(|_| builder(&metadata()).build().unwrap().into_pending()).collect();
    for (at, one) in drawn.iter().enumerate() {
        assert_eq!((one.state.expose().len(), one.verifier.expose().len()), (43, 43));
        assert_ne!(one.state, one.verifier);
        assert!(drawn.iter().skip(at + 1).all(|other| other.state != one.state && other.verifier != one.verifier));
    }
}

#[derive(Debug)]
struct Exhausted;

impl Random for Exhausted {
    fn fill(&self, _: &mut [u8]) -> Result<(), RandomError> {
        Err(RandomError)
    }
}

#[test]
fn what_would_not_be_safe_is_not_built() {
    let build = |builder: AuthorizationRequestBuilder| builder.build().unwrap_err();
    let mut other = metadata();
    other.code_challenge_methods_supported = vec!["plain".into()];
    assert_eq!(build(builder(&other)), InvalidRequest::NoPkce);
    assert!(builder(&other).assume_pkce().build().unwrap().url().contains("code_challenge_method=S256"));
    other = metadata();
    other.authorization_endpoint = None;
    assert_eq!(build(builder(&other)), InvalidRequest::NoEndpoint);
    other.authorization_endpoint = Some("http://as.example/authorize".into());
    assert_eq!(build(builder(&other).insecure_http()), InvalidRequest::Url(UrlError::NotHttps));
    for name in ["state", "code_challenge", "redirect_uri", "client_id", "client_secret", "request_uri"] {
        let refused = build(builder(&metadata()).parameter(name, "x"));
        assert_eq!(refused, InvalidRequest::Reserved(name.into()));
    }
    assert_eq!(build(builder(&metadata()).random(Exhausted)), InvalidRequest::Random(RandomError));
}

#[test]
fn a_query_of_the_endpoint_is_kept() {
    let mut other = metadata();
    other.authorization_endpoint = Some("https://as.example/authorize?tenant=7".into());
    let url = builder(&other).build().unwrap().url();
    assert!(url.starts_with("https://as.example/authorize?tenant=7&response_type=code&"), "{url}");
}

#[tokio::test]
async fn a_pushed_request_leaves_only_a_reference_in_the_browser() {
    let metadata = metadata();
    for auth in [
        ClientAuth::Basic { id: "app".into(), secret: "s".into() },
        ClientAuth::Post { id: "app".into(), secret: "s".into() },
    ] {
        let (http, sent) = network(|_, _| reply(201, &[], r#"{"request_uri":"urn:x:1&2","expires_in":60}"#));
        let client = TokenClient::discovered(&metadata, auth).build(http).unwrap();
        let request = builder(&metadata).scope("a").build().unwrap();
        let url = client.push(&request).await.unwrap();
        assert_eq!(url, "https://as.example/authorize?client_id=app&request_uri=urn%3Ax%3A1%262");
        let pushed = sent.lock().unwrap().pop().unwrap();
        assert_eq!(pushed.uri(), "https://as.example/par");
        let pushed = query(&format!("?{}", std::str::from_utf8(pushed.body()).unwrap()));
        assert_eq!((&pushed["client_id"], &pushed["scope"]), (&"app".to_owned(), &"a".to_owned()));
        assert_eq!(pushed["state"], request.pending().state().expose());
    }
    let (http, sent) = network(|_, _| reply(201, &[], r#"{"request_uri":"urn:x"}"#));
    let client = TokenClient::discovered(&metadata, ClientAuth::None { id: "app".into() }).build(http).unwrap();
    let mut elsewhere = metadata.clone();
    elsewhere.issuer = "https://other.example".into();
    let error = client.push(&builder(&elsewhere).build().unwrap()).await.unwrap_err();
    assert!(matches!(error, TokenError::Foreign) && sent.lock().unwrap().is_empty());
}
