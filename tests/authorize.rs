//! `GET|POST /authorize`: which requests reach a person, which errors reach the client, and which
//! reach nobody.

use http::{Method, Request, header};
use oauth_core::client::{Client, ClientSecret, GrantType};

use crate::support::*;

async fn get(w: &World, ask: &Ask) -> Answer {
    w.get(&ask.uri()).await
}

/// Where a request that is good leads.
#[track_caller]
fn is_parked(answer: &Answer) {
    assert!(answer.location().starts_with("/interaction?id="), "{answer}");
}

// spec: AUZ-01, AUZ-19
#[tokio::test]
async fn get_and_post_do_the_same_and_nothing_else_is_allowed() {
    let w = on_memory().await;
    let form = |ask: &Ask| post("/authorize", Caller::Nobody, &[]).map(|_| ask.form().into());
    let (good, bad) = (Ask::of(APP), Ask::of(APP).with("response_type", "token"));
    is_parked(&get(&w, &good).await);
    is_parked(&w.send(form(&good)).await);
    for answer in [get(&w, &bad).await, w.send(form(&bad)).await] {
        answer.is_error_redirect("unsupported_response_type");
    }
    let twice = form(&good.clone().and("scope", "read").and("scope", "read"));
    w.send(twice).await.is_error_redirect("invalid_request");
    // What is in the other place is not read.
    w.send(post(&good.uri(), Caller::Nobody, &[])).await.is_error_page();
    for method in ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let mut request = form(&good);
        *request.method_mut() = method.parse().unwrap();
        let answer = w.send(request).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET, POST"));
    }
}

// spec: AUZ-02
#[tokio::test]
async fn an_unknown_parameter_is_ignored_and_an_empty_one_is_absent() {
    let w = on_memory().await;
    is_parked(&get(&w, &Ask::of(APP).and("what", "ever").and("response_mode", "").and("scope", "")).await);
    for name in ["response_type", "code_challenge", "code_challenge_method"] {
        get(&w, &Ask::of(APP).with(name, "")).await.is_error_redirect("invalid_request");
    }
    let state = get(&w, &Ask::of(APP).with("state", "").with("scope", "nonsense")).await;
    assert_eq!(state.is_error_redirect("invalid_scope").get("state"), None);
    get(&w, &Ask::of(APP).with("client_id", "")).await.is_error_page();
}

// spec: AUZ-03
#[tokio::test]
async fn a_repeated_parameter_is_an_error_page_where_it_says_who_asks_else_an_error_redirect() {
    let w = on_memory().await;
    for name in ["client_id", "redirect_uri"] {
        let value = if name == "client_id" { "app" } else { CALLBACK };
        get(&w, &Ask::of(APP).and(name, value)).await.is_error_page();
        get(&w, &Ask::of(APP).and(name, "")).await.is_error_page();
    }
    for name in ["response_type", "code_challenge", "code_challenge_method", "scope", "response_mode", "what"] {
        get(&w, &Ask::of(APP).with(name, "x").and(name, "x")).await.is_error_redirect("invalid_request");
    }
    let state = get(&w, &Ask::of(APP).and("state", "a").and("state", "b")).await;
    assert_eq!(state.is_error_redirect("invalid_request").get("state"), None);
    is_parked(&get(&w, &Ask::of(APP).and("resource", API).and("resource", OTHER_API)).await);
}

// spec: AUZ-04
#[tokio::test]
async fn an_unknown_client_is_never_redirected_for() {
    let w = on_memory().await;
    get(&w, &Ask::of(APP).without("client_id")).await.is_error_page();
    for unknown in ["nobody", "APP", "app ", "caf\u{e9}", "a\nb", &"x".repeat(600)] {
        get(&w, &Ask::of(APP).with("client_id", unknown)).await.is_error_page();
    }
}

// spec: AUZ-09, SEC-13
#[tokio::test]
async fn the_only_response_type_is_code() {
    let w = on_memory().await;
    get(&w, &Ask::of(APP).without("response_type")).await.is_error_redirect("invalid_request");
    for other in ["token", "id_token", "code token", "token code", "code id_token", "CODE", "code ", "none", "x"] {
        get(&w, &Ask::of(APP).with("response_type", other)).await.is_error_redirect("unsupported_response_type");
    }
    let response = response_at(CALLBACK, &Browser::new(&w).approve(&Ask::of(APP)).await);
    assert!(response.get("code").is_some() && response.get("access_token").is_none());
}

// spec: AUZ-10, AUZ-11
#[tokio::test]
async fn a_challenge_is_there_for_every_client_and_it_is_s256() {
    let w = on_memory().await;
    for caller in [APP, WEB, FORM] {
        let ask = Ask::of(caller);
        let bare = ask.clone().without("code_challenge").without("code_challenge_method");
        let plain = ask.clone().with("code_challenge", VERIFIER);
        for bad in [
            bare.clone(),
            bare.and("nonce", "n"),
            ask.clone().without("code_challenge"),
            ask.clone().without("code_challenge_method"),
            ask.clone().with("code_challenge_method", "plain"),
            ask.clone().with("code_challenge_method", "s256"),
            ask.clone().with("code_challenge_method", "S512"),
            plain.with("code_challenge_method", "plain"),
            ask.clone().with("code_challenge", &CHALLENGE[1..]),
            ask.clone().with("code_challenge", &format!("{CHALLENGE}A")),
            ask.clone().with("code_challenge", &format!("{CHALLENGE}=")),
            ask.clone().with("code_challenge", &CHALLENGE.replace('-', "+")),
            ask.clone().with("code_challenge", &CHALLENGE.replace('-', " ")),
        ] {
            get(&w, &bad).await.is_error_redirect("invalid_request");
        }
        is_parked(&get(&w, &ask).await);
    }
}

// spec: AUZ-12
#[tokio::test]
async fn nothing_of_the_challenge_is_in_what_comes_back() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let w = on_memory().await;
    let answer = get(&w, &Ask::of(APP)).await;
    let location = Browser::new(&w).approve(&Ask::of(APP)).await;
    let hash = URL_SAFE_NO_PAD.decode(CHALLENGE).unwrap();
    let words: Vec<String> = hash.chunks(8).map(|word| base62(u64::from_be_bytes(word.try_into().unwrap()))).collect();
    for shown in [answer.to_string(), location] {
        assert!(!shown.contains(CHALLENGE) && !shown.contains("S256"), "{shown}");
        assert!(!words.iter().any(|word| shown.contains(word.as_str())), "{shown}");
    }
}

/// Eleven digits, as tokens are written.
fn base62(mut word: u64) -> String {
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = [b'0'; 11];
    for digit in text.iter_mut().rev() {
        *digit = digits[usize::try_from(word % 62).unwrap()];
        word /= 62;
    }
    String::from_utf8(text.to_vec()).unwrap()
}

// spec: AUZ-13
#[tokio::test]
async fn state_comes_back_exactly_and_only_if_it_was_sent() {
    let w = on_memory().await;
    let long = "0123456789".repeat(150);
    for state in ["simple", " \t ", "a b+c&d=e%20#?/:@", "caf\u{e9} \u{1F980} \u{202e}", "\"'<>\\\r\n\t\u{0}", &long] {
        let ask = Ask::of(APP).with("state", state);
        let response = response_at(CALLBACK, &Browser::new(&w).approve(&ask).await);
        assert_eq!(response.get("state"), Some(state));
        let error = get(&w, &ask.with("scope", "nonsense")).await.is_error_redirect("invalid_scope");
        assert_eq!(error.get("state"), Some(state));
    }
    let response = response_at(CALLBACK, &Browser::new(&w).approve(&Ask::of(APP)).await);
    assert_eq!(response.get("state"), None);
}

// spec: AUZ-14
#[tokio::test]
async fn every_response_names_its_issuer() {
    let w = on_memory().await;
    let mut browser = Browser::new(&w);
    let success = browser.approve(&Ask::of(APP)).await;
    assert_eq!(response_at(CALLBACK, &success).get("iss"), Some(ISSUER));
    let id = browser.begin(&Ask::of(APP)).await;
    let denied = browser.interaction(&id).await.unwrap().deny().await.unwrap().unwrap();
    assert_eq!(response_at(CALLBACK, denied.location().unwrap()).get("iss"), Some(ISSUER));
    get(&w, &Ask::of(APP).with("scope", "nonsense")).await.is_error_redirect("invalid_scope");
    let metadata = w.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata.member("authorization_response_iss_parameter_supported"), true);
}

// spec: AUZ-16
#[tokio::test]
async fn an_error_has_the_code_of_its_cause() {
    let machine = Client::builder("machine").redirect_uri(CALLBACK).grant_type(GrantType::CLIENT_CREDENTIALS);
    let machine = machine.secret(ClientSecret::new(&"x".into())).build().unwrap();
    let w = on_memory_with(|builder| builder.client(machine.clone())).await;
    let machine = Ask::of(Caller::Public("machine"));
    get(&w, &machine).await.is_error_redirect("unauthorized_client");
    get(&w, &Ask::of(APP).with("resource", "https://elsewhere.example")).await.is_error_redirect("invalid_target");
    get(&w, &Ask::of(APP).with("response_mode", "web_message")).await.is_error_redirect("invalid_request");
    get(&w, &Ask::of(APP).with("request", "a.b.c")).await.is_error_redirect("invalid_request_object");
    get(&w, &Ask::of(APP).with("request_uri", "urn:x")).await.is_error_redirect("request_uri_not_supported");
    w.store.set_down(true);
    get(&w, &Ask::of(APP)).await.is_error_redirect("temporarily_unavailable");
    // Who asks cannot be told now, so nobody is sent anywhere.
    let unknown = get(&w, &Ask::of(APP).with("client_id", "stored")).await;
    assert_eq!((unknown.status.as_u16(), unknown.header("location")), (503, ""));
    assert_eq!(w.events.count("fault"), 2);
}

// spec: AUZ-35
#[tokio::test]
async fn a_resource_is_one_that_is_served_and_bounds_the_audience() {
    let w = on_memory().await;
    let slash = format!("{API}/");
    for bad in ["https://elsewhere.example", "nonsense", "/api", "https://api.example#x", &slash, "HTTPS://api.example"]
    {
        let answer = get(&w, &Ask::of(APP).and("resource", API).and("resource", bad)).await;
        answer.is_error_redirect("invalid_target");
    }
    let ask = Ask::of(APP).and("resource", OTHER_API).and("resource", API).and("resource", API);
    let access = w.redeem(APP, &w.code_for(&ask).await).await.tokens().access;
    assert_eq!(w.introspect(AUDITOR, &access).await.member("aud"), serde_json::json!([OTHER_API, API]));
}

// spec: AUZ-18
#[tokio::test]
async fn a_scope_is_a_set_of_known_tokens_and_by_default_what_the_client_registered() {
    let w = on_memory().await;
    for bad in
        ["nonsense", "read nonsense", "READ", "read  write", " read", "read ", "r\"ead", "re\\ad", "caf\u{e9}", "a\tb"]
    {
        get(&w, &Ask::of(APP).with("scope", bad)).await.is_error_redirect("invalid_scope");
    }
    for (asked, granted) in [("write read", "write read"), ("read", "read"), ("", "read write")] {
        let ask = Ask::of(APP).with("scope", asked);
        assert_eq!(w.redeem(APP, &w.code_for(&ask).await).await.member("scope"), granted);
    }
}

// spec: AUZ-17, AUZ-22, AUZ-23
#[tokio::test]
async fn the_error_page_runs_nothing_shows_nothing_unescaped_and_cannot_be_framed() {
    let w = on_memory().await;
    let answer = get(&w, &Ask::of(APP).with("client_id", "<script>").with("redirect_uri", "\"><script>alert(1)")).await;
    answer.is_error_page();
    assert!(!answer.body.contains("<script") && !answer.body.contains("alert(1)"));
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(answer.header(name), value);
    }
}

// spec: AUZ-24
#[tokio::test]
async fn no_script_of_another_origin_may_read_it() {
    let w = on_memory().await;
    for (method, uri) in [(Method::GET, Ask::of(APP).uri()), (Method::OPTIONS, "/authorize".to_owned())] {
        let request = Request::builder().method(method).uri(uri).header(header::ORIGIN, "https://app.example");
        let request = request.header("access-control-request-method", "GET").body(Default::default()).unwrap();
        let answer = w.send(request).await;
        let granted = answer.headers.keys().filter(|name| name.as_str().starts_with("access-control-"));
        assert_eq!(granted.count(), 0);
    }
}

// spec: AUZ-01, AUZ-25
#[tokio::test]
async fn a_form_on_another_website_ends_no_request_that_waits_in_the_same_browser() {
    let w = on_memory().await;
    let mut browser = Browser::new(&w);
    let waiting = browser.begin(&Ask::of(APP)).await;
    // Browsers send such a POST without cookies that are `Lax`.
    let ask = Ask::of(APP).with("state", "posted");
    let mut request = post("/authorize", Caller::Nobody, &[]).map(|_| ask.form().into());
    request.headers_mut().insert("sec-fetch-site", header::HeaderValue::from_static("cross-site"));
    let answer = w.send(request).await;
    assert_eq!(answer.header("set-cookie"), "", "{answer}");
    assert!(answer.location().starts_with("/authorize?client_id=app&request_uri=urn"), "{answer}");
    let page = browser.get(answer.location()).await;
    let id = page.location().strip_prefix("/interaction?id=").unwrap().to_owned();
    assert!(browser.interaction(&waiting).await.is_some());
    let answer = browser.interaction(&id).await.unwrap().deny().await.unwrap().unwrap();
    assert_eq!(response_at(CALLBACK, answer.location().unwrap()).get("state"), Some("posted"));
    // What is wrong is said at once.
    let bad = Ask::of(APP).with("scope", "nonsense");
    let mut request = post("/authorize", Caller::Nobody, &[]).map(|_| bad.form().into());
    request.headers_mut().insert("sec-fetch-site", header::HeaderValue::from_static("cross-site"));
    w.send(request).await.is_error_redirect("invalid_scope");
}
