//! `POST /token`: what holds for every grant.

use http::{Method, Request, header};
use oauth_core::{
    client::{Client, ClientSecret, GrantType},
    store::Clients,
};
use serde_json::Value;

use crate::support::*;

const FORM_TYPE: &str = "application/x-www-form-urlencoded";

/// A request that succeeds if it is read.
const GOOD: &str = "grant_type=client_credentials&client_id=form&client_secret=form-secret-9Qz4";

async fn send(w: &World, method: Method, uri: &str, content_type: Option<&str>, body: impl Into<Vec<u8>>) -> Answer {
    let mut request = Request::builder().method(method).uri(uri);
    if let Some(content_type) = content_type {
        request = request.header(header::CONTENT_TYPE, content_type);
    }
    w.send(request.body(body.into().into()).unwrap()).await
}

// spec: TOK-01, TOK-07
#[tokio::test]
async fn only_post_is_allowed() {
    let w = on_memory().await;
    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "LOCK"] {
        let method: Method = method.parse().unwrap();
        let answer = send(&w, method.clone(), &format!("/token?{GOOD}"), Some(FORM_TYPE), GOOD).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "POST"), "{method}");
        answer.is_not_kept();
    }
}

// spec: TOK-01
#[tokio::test]
async fn the_endpoint_uri_may_have_a_query_and_has_no_fragment() {
    let w = on_memory().await;
    send(&w, Method::POST, "/token?tenant=1", Some(FORM_TYPE), GOOD).await.tokens();
    let metadata = w.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata.member("token_endpoint"), format!("{ISSUER}/token"));
}

// spec: TOK-02
#[tokio::test]
async fn the_body_is_a_form() {
    let w = on_memory().await;
    for good in [FORM_TYPE, "application/x-www-form-urlencoded; charset=UTF-8", "APPLICATION/X-WWW-Form-UrlEncoded;a=b"]
        .into_iter()
        .chain(["application/x-www-form-urlencoded; charset=ISO-8859-1"])
    {
        send(&w, Method::POST, "/token", Some(good), GOOD).await.tokens();
    }
    let json = r#"{"grant_type":"client_credentials","client_id":"form","client_secret":"form-secret-9Qz4"}"#;
    for (bad, body) in [
        (Some("application/json"), json),
        (Some("application/json"), GOOD),
        (Some("multipart/form-data; boundary=x"), GOOD),
        (Some("text/plain; application/x-www-form-urlencoded"), GOOD),
        (Some("application/x-www-form-urlencoded2"), GOOD),
        (Some("application/x-www-form-urlencoded; charset=utf-16"), GOOD),
        (Some("application/x-www-form-urlencoded; charset=\"utf-16\""), GOOD),
        (Some(""), GOOD),
        (None, GOOD),
    ] {
        send(&w, Method::POST, "/token", bad, body).await.is_refused(400, "invalid_request");
    }
}

// spec: TOK-02
#[tokio::test]
async fn of_two_content_types_no_endpoint_chooses_one() {
    let w = on_memory_with(|builder| builder.devices(|_| ())).await;
    for endpoint in ["/token", "/revoke", "/introspect", "/par", "/device_authorization"] {
        for second in [FORM_TYPE, "application/json", ""] {
            let mut request = post(endpoint, WEB, &[("grant_type", "client_credentials"), ("token", "x")]);
            request.headers_mut().append(header::CONTENT_TYPE, second.parse().unwrap());
            let answer = w.send(request).await;
            answer.is_refused(400, "invalid_request");
            assert_eq!(answer.member("error_description"), "there must be one Content-Type", "{endpoint} {second}");
        }
        let mut request = post(endpoint, WEB, &[("grant_type", "client_credentials"), ("token", "x")]);
        let utf16 = format!("{FORM_TYPE}; charset=utf-16");
        request.headers_mut().insert(header::CONTENT_TYPE, utf16.parse().unwrap());
        w.send(request).await.is_refused(400, "invalid_request");
    }
}

// spec: TOK-02
#[tokio::test]
async fn a_body_that_is_not_well_formed_utf8_is_refused() {
    let w = on_memory().await;
    let bad: [&[u8]; 6] = [b"&a=%", b"&a=%4", b"&a=%zz", b"&a=%ff", b"&a=%C3%28", b"&a=\xff"];
    for tail in bad {
        let answer = send(&w, Method::POST, "/token", Some(FORM_TYPE), [GOOD.as_bytes(), tail].concat()).await;
        answer.is_refused(400, "invalid_request");
    }
    send(&w, Method::POST, "/token", Some(FORM_TYPE), format!("{GOOD}&a=%C3%A9")).await.tokens();
}

// spec: TOK-02, TOK-07
#[tokio::test]
async fn a_body_over_the_limit_is_413() {
    let w = on_memory().await;
    let answer = send(&w, Method::POST, "/token", Some(FORM_TYPE), format!("{GOOD}&a={}", "x".repeat(65_536))).await;
    answer.is_refused(413, "invalid_request");
}

// spec: TOK-02, TOK-07
#[tokio::test]
async fn a_server_that_cannot_answer_says_503_and_when_to_try_again() {
    on_every_store(async |w| {
        let tokens = w.tokens(APP).await;
        w.store.set_down(true);
        w.refresh(APP, tokens.refresh.as_deref().unwrap()).await.is_unavailable();
        w.token(FORM, &[("grant_type", "client_credentials")]).await.is_unavailable();
        assert_eq!(w.events.count("fault"), 2);
        w.store.set_down(false);
        w.refresh(APP, tokens.refresh.as_deref().unwrap()).await.tokens();
    })
    .await;
}

// spec: TOK-03
#[tokio::test]
async fn parameters_in_the_query_are_not_read() {
    let w = on_memory().await;
    let grant_type = ("grant_type", "client_credentials");
    w.post("/token?grant_type=client_credentials", FORM, &[]).await.is_refused(400, "invalid_request");
    w.post("/token?client_id=app", Caller::Nobody, &[grant_type]).await.is_refused(401, "invalid_client");
    w.post("/token?scope=nonsense&grant_type=password", FORM, &[grant_type]).await.tokens();
    let code = w.code(APP).await;
    let without_code = [("grant_type", "authorization_code"), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
    w.post(&format!("/token?code={code}"), APP, &without_code).await.is_refused(400, "invalid_request");
    w.redeem(APP, &code).await.tokens();
}

// spec: TOK-04
#[tokio::test]
async fn a_repeated_parameter_is_refused_and_nothing_is_done() {
    let w = on_memory().await;
    let code = w.code(APP).await;
    for name in ["grant_type", "code", "redirect_uri", "code_verifier", "client_id", "scope", "unheard-of"] {
        let mut params = redemption(&code).to_vec();
        let value = params.iter().find(|(own, _)| *own == name).map_or("app", |(_, value)| value);
        params.extend([(name, value), (name, value)]);
        w.token(APP, &params).await.is_refused(400, "invalid_request");
    }
    w.redeem(APP, &code).await.tokens();
}

// spec: TOK-04
#[tokio::test]
async fn resource_may_repeat_and_audience_too() {
    let w = on_memory().await;
    let twice = [("resource", API), ("resource", OTHER_API), ("audience", "a"), ("audience", "b")];
    let params = [&[("grant_type", "client_credentials")][..], &twice].concat();
    let tokens = w.token(WEB, &params).await.tokens();
    let known = w.introspect(AUDITOR, &tokens.access).await;
    assert_eq!(known.member("aud"), serde_json::json!([API, OTHER_API]));
}

// spec: TOK-04
#[tokio::test]
async fn an_empty_parameter_is_absent_and_an_unknown_one_is_ignored() {
    let w = on_memory().await;
    let params = [("grant_type", "client_credentials"), ("scope", ""), ("resource", ""), ("what", "ever"), ("", "x")];
    assert_eq!(w.token(WEB, &params).await.member("scope"), "read write");
    w.token(WEB, &[("grant_type", "")]).await.is_refused(400, "invalid_request");
    let params = [("grant_type", "authorization_code"), ("code", "")];
    w.token(WEB, &params).await.is_refused(400, "invalid_request");
}

// spec: TOK-05, SEC-13
#[tokio::test]
async fn a_grant_type_is_named_known_and_allowed() {
    let w = on_memory().await;
    w.token(WEB, &[]).await.is_refused(400, "invalid_request");
    for unknown in ["password", "implicit", "token", "CLIENT_CREDENTIALS", "urn:ietf:params:oauth:grant-type:x"] {
        w.token(WEB, &[("grant_type", unknown)]).await.is_refused(400, "unsupported_grant_type");
    }
    // Not even for a client whose record names them.
    let old =
        Client::builder("old").secret(ClientSecret::new(&"x".into())).grant_type(GrantType::from_static("password"));
    w.store.put_client(old.grant_type(GrantType::from_static("implicit")).build().unwrap()).await.unwrap();
    for gone in ["password", "implicit"] {
        w.token(Caller::Basic("old", "x"), &[("grant_type", gone)]).await.is_refused(400, "unsupported_grant_type");
    }
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    w.token(BRIEF, &refresh).await.is_refused(400, "unauthorized_client");
    w.token(RESOURCE_SERVER, &redemption("x")).await.is_refused(400, "unauthorized_client");
}

// spec: TOK-06, SEC-23
#[tokio::test]
async fn a_token_response_says_what_was_granted() {
    let w = on_memory().await;
    let code = w.code_for(&Ask::of(APP).with("scope", "write")).await;
    let answer = w.redeem(APP, &code).await;
    let body = answer.json();
    let members: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["access_token", "expires_in", "refresh_token", "scope", "token_type"]);
    assert_eq!((&body["token_type"], &body["scope"]), (&"Bearer".into(), &"write".into()));
    assert_eq!(body["expires_in"], 300);
    let body = w.token(WEB, &[("grant_type", "client_credentials")]).await.json();
    assert!(body["expires_in"].is_u64() && !body.as_object().unwrap().values().any(Value::is_null), "{body}");
}

// spec: TOK-06, AUZ-18
#[tokio::test]
async fn a_scope_that_comes_to_nothing_is_not_silently_all() {
    let w = on_memory().await;
    // Nothing of `admin` means anything at the default resource, and RFC 6749 section 5.1 has it that without
    // `scope` in the answer the client was given what it asked for.
    w.token(WEB, &[("grant_type", "client_credentials"), ("scope", "admin")]).await.is_refused(400, "invalid_scope");
    w.get(&Ask::of(APP).with("scope", "admin").uri()).await.is_error_redirect("invalid_scope");
    let both = Ask::of(APP).with("scope", "read admin").and("resource", API).and("resource", OTHER_API);
    let token = w.redeem(APP, &w.code_for(&both).await).await.tokens().refresh.unwrap();
    let params =
        [("grant_type", "refresh_token"), ("refresh_token", &token), ("scope", "read"), ("resource", OTHER_API)];
    w.token(APP, &params).await.is_refused(400, "invalid_scope");
    w.refresh(APP, &token).await.tokens();
}

// spec: TOK-08
#[tokio::test]
async fn an_error_keeps_to_its_characters_whatever_was_sent() {
    let w = on_memory().await;
    let nasty = "x\"\\\r\n\u{e9}\u{1F980}";
    let all =
        ["grant_type", "code", "refresh_token", "redirect_uri", "code_verifier", "scope", "resource", "client_id"];
    for name in all {
        let mut params = vec![("grant_type", "client_credentials"), ("code", "x"), ("refresh_token", "x")];
        params.retain(|(own, _)| *own != name);
        params.push((name, nasty));
        let caller = if name == "client_id" { Caller::Nobody } else { WEB };
        let answer = w.token(caller, &params).await;
        if !answer.status.is_success() {
            let code = answer.member("error");
            answer.is_refused(answer.status.as_u16(), code.as_str().unwrap());
        }
        // A name that is not known is not repeated.
        w.token(WEB, &[(nasty, "1"), (nasty, "2")]).await.is_refused(400, "invalid_request");
    }
}

// spec: TOK-09
#[tokio::test]
async fn the_client_is_judged_before_the_grant() {
    let w = on_memory().await;
    let code = w.code(WEB).await;
    let impostor = Caller::Basic("web", "wrong");
    w.redeem(impostor, "nonsense").await.is_refused(401, "invalid_client");
    w.redeem(impostor, &code).await.is_refused(401, "invalid_client");
    w.token(impostor, &[("grant_type", "password")]).await.is_refused(401, "invalid_client");
    w.token(impostor, &[]).await.is_refused(401, "invalid_client");
    w.redeem(WEB, &code).await.tokens();
}
