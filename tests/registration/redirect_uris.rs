//! Where codes may be sent, as far as registration says.

use serde_json::{Value, json};

use super::{is_refused, open_world, post_json, registered, that};
use crate::support::*;

async fn refused(w: &World, uri: &str) {
    let answer = post_json(w, &json!({ "redirect_uris": [CALLBACK, uri] })).await;
    println!("{uri}");
    is_refused(&answer, "invalid_redirect_uri");
}

async fn accepted(w: &World, uri: &str) {
    let body = json!({ "redirect_uris": [CALLBACK, uri] });
    assert_eq!(registered(w, &body).await.0["redirect_uris"], body["redirect_uris"]);
}

// spec: REG-06
#[tokio::test]
async fn a_redirect_uri_is_absolute_without_fragment_and_may_have_a_query() {
    let w = open_world().await;
    for good in [
        "https://app.example/cb?a=1&b[]=%20",
        "https://app.example:8443/cb",
        "https://App.Example/",
        "HTTPS://app.example/cb",
    ] {
        accepted(&w, good).await;
    }
    let fragments = ["https://app.example/cb#", "https://app.example/cb#x", "https://app.example/#/cb"];
    let relative = ["", "/cb", "//app.example/cb", "cb", "app.example/cb", "?a=1", "https:/cb", "https:app.example/cb"];
    for bad in fragments.into_iter().chain(relative) {
        refused(&w, bad).await;
    }
}

// spec: REG-07
#[tokio::test]
async fn a_redirect_uri_is_whole() {
    let w = open_world().await;
    for bad in [
        "https://*.example/cb",
        "https://app.example/*",
        "https://app.example/cb*",
        "*",
        "https://",
        "https:",
        "https://app.example",
        "https://app.example?x=1",
        "https:///cb",
        "com.example.app:",
        "com.example.app:/*",
        "app.example",
    ] {
        refused(&w, bad).await;
    }
    let many: Vec<String> = (0..32).map(|n| format!("https://app.example/{n}")).collect();
    assert_eq!(registered(&w, &json!({ "redirect_uris": many })).await.0["redirect_uris"], json!(many));
}

// spec: REG-08
#[tokio::test]
async fn plain_http_is_for_loopback_and_some_schemes_are_for_nothing() {
    let w = open_world().await;
    for good in ["http://127.0.0.1/cb", "http://127.0.0.1:8000/cb", "http://[::1]/cb", "http://[::1]:8000/cb?x=1"] {
        accepted(&w, good).await;
    }
    for bad in [
        "http://app.example/cb",
        "http://10.0.0.1/cb",
        "http://169.254.169.254/cb",
        "http://0.0.0.0/cb",
        "http://[::]/cb",
        "http://[::ffff:127.0.0.1]/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1@evil.example/cb",
        "http://evil.example#127.0.0.1/cb",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "javascript://app.example/%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "file:///etc/passwd",
        "vbscript:x",
        "about:blank",
        "blob:https://app.example/1",
        "view-source:https://app.example/",
        "ws://app.example/cb",
        "ftp://app.example/cb",
    ] {
        refused(&w, bad).await;
    }
}

// spec: REG-08, REG-10
#[tokio::test]
async fn no_spelling_gets_around_it() {
    let w = open_world().await;
    for bad in [
        // Loopback and others in octal, decimal, hexadecimal, short.
        "http://2130706433/cb",
        "http://0177.0.0.1/cb",
        "http://0x7f.0.0.1/cb",
        "http://0x7f000001/cb",
        "http://127.1/cb",
        "http://127.0.0.01/cb",
        "http://127.0.0.1./cb",
        "http://127.0.0.2/cb",
        "http://[0:0:0:0:0:0:0:1]/cb",
        "http://[::1%25lo]/cb",
        "https://3232235777/cb",
        // Users.
        "https://app.example@evil.example/cb",
        "https://app.example:443@evil.example/cb",
        "https://@app.example/cb",
        "https://:@app.example/cb",
        "https://app.example%40evil.example/cb",
        // Other slashes, and none.
        "https:\\\\app.example\\cb",
        "https://app.example\\@evil.example/cb",
        "https:///app.example/cb",
        "https:app.example/://cb",
        // Hosts in disguise.
        "https://%61pp.example/cb",
        "https://app.example%2eevil.example/cb",
        "https://app\u{ff0e}example/cb",
        "https://b\u{fc}cher.example/cb",
        "https://app.example:/cb",
        "https://app.example:0443/cb",
        "https://app.example:65536/cb",
        "https://app.example:x/cb",
        // Dot segments.
        "https://app.example/../cb",
        "https://app.example/x/./cb",
        "https://app.example/x/%2e%2e/cb",
        "https://app.example/x/.%2E",
        // Controls, spaces, quotes, broken escapes.
        "https://app.example/cb\r\nSet-Cookie: a=b",
        "https://app.example/cb%0d%0aSet-Cookie:a=b",
        "https://app.example/cb%00",
        "https://app.example/cb%7f",
        "https://app.example/c b",
        " https://app.example/cb",
        "https://app.example/cb\t",
        "\u{0}https://app.example/cb",
        "https://app.example/cb\"onclick=x",
        "https://app.example/<script>",
        "https://app.example/%",
        "https://app.example/%zz",
        "https://app.example/%u0041",
        "https://app.example/{a}",
        "https://app.example/\u{202e}",
    ] {
        refused(&w, bad).await;
    }
    refused(&w, &format!("https://app.example/{}", "x".repeat(2048))).await;
}

// spec: REG-09
#[tokio::test]
async fn a_private_use_scheme_is_a_reversed_domain_name_without_authority() {
    let w = open_world().await;
    for good in ["com.example.app:/cb", "com.example.app:/", "com.example.app:/cb?x=1"] {
        accepted(&w, good).await;
    }
    for bad in
        ["myapp:/cb", "myapp://cb", "com.example.app://cb", "com.example.app:cb", "com.:/cb", ".com:/cb", "a..b:/cb"]
    {
        refused(&w, bad).await;
    }
}

// spec: REG-10
#[tokio::test]
async fn localhost_is_accepted_by_configuration_only() {
    let w = open_world().await;
    let local = ["http://localhost/cb", "http://localhost:3000/cb", "http://LOCALHOST/cb"];
    for uri in local {
        refused(&w, uri).await;
    }
    let lenient = that(|registration| registration.open().per_minute(0).allow_localhost()).await;
    for uri in local {
        accepted(&lenient, uri).await;
    }
    for bad in ["http://localhost.evil.example/cb", "http://localhost./cb", "http://a.localhost/cb", "http://localhost"]
    {
        refused(&lenient, bad).await;
    }
    // And then it can be used, at the very port that was registered.
    let mut body = json!({ "redirect_uris": ["http://localhost:3000/cb"], "token_endpoint_auth_method": "none" });
    body["client_name"] = Value::Null;
    let client = registered(&lenient, &body).await;
    let ask = Ask::of(client.caller()).with("redirect_uri", "http://localhost:3000/cb");
    let location = Browser::new(&lenient).approve(&ask).await;
    assert!(response_at("http://localhost:3000/cb", &location).get("code").is_some());
    lenient.get(&ask.with("redirect_uri", "http://localhost:3001/cb").uri()).await.is_error_page();
}

// spec: REG-12
#[tokio::test]
async fn the_application_type_decides_where_codes_may_go() {
    let w = that(|registration| registration.open().per_minute(0).allow_localhost()).await;
    let ask = async |uri: &str, kind: Option<&str>| {
        let mut body = json!({ "redirect_uris": [uri] });
        if let Some(kind) = kind {
            body["application_type"] = kind.into();
        }
        post_json(&w, &body).await
    };
    for uri in [
        "com.example.app:/cb",
        "http://127.0.0.1/cb",
        "http://localhost/cb",
        "https://localhost/cb",
        "https://127.0.0.1/cb",
    ] {
        is_refused(&ask(uri, Some("web")).await, "invalid_redirect_uri");
        assert_eq!(ask(uri, Some("native")).await.status, 201, "{uri}");
        assert_eq!(ask(uri, None).await.status, 201, "{uri}");
    }
    let claimed = "https://app.example/cb";
    for kind in [None, Some("web"), Some("native")] {
        let answer = ask(claimed, kind).await;
        assert_eq!(answer.status, 201);
        assert_eq!(
            answer.json().get("application_type").and_then(Value::as_str),
            kind,
            "what was not said is not made up"
        );
    }
    is_refused(&ask(claimed, Some("desktop")).await, "invalid_client_metadata");
    for kind in [Some("web"), Some("native")] {
        is_refused(&ask("http://app.example/cb", kind).await, "invalid_redirect_uri");
        is_refused(&ask("myapp:/cb", kind).await, "invalid_redirect_uri");
    }
}
