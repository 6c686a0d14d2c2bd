//! What is taken, and what is refused at once.

use http::Request;

use super::{PREFIX, bring, push, pushed, pushing};
use crate::support::*;

// spec: AUZ-36, AUZ-38
#[tokio::test]
async fn a_good_request_is_answered_with_201_and_a_reference_for_a_minute() {
    let w = on_memory().await;
    let mut seen = std::collections::HashSet::new();
    for caller in [APP, WEB, FORM, APP] {
        let answer = push(&w, caller, &Ask::of(caller)).await;
        assert_eq!((answer.status.as_u16(), answer.member("expires_in")), (201, 60.into()), "{answer}");
        answer.is_not_kept();
        assert_eq!(answer.json().as_object().unwrap().len(), 2);
        let uri = answer.member("request_uri").as_str().unwrap().to_owned();
        let reference = uri.strip_prefix(PREFIX).unwrap();
        // 256 bits in base64url.
        assert_eq!(reference.len(), 43);
        assert!(reference.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)), "{reference}");
        assert!(seen.insert(uri));
    }
    // The client's name is in its credentials already.
    let bare = Ask::of(WEB).without("client_id");
    assert_eq!(push(&w, WEB, &bare).await.status, 201);
}

/// The request of RFC 9126 section 1.1, with the challenge that OAuth 2.1 wants.
// spec: AUZ-36
#[tokio::test]
async fn the_example_of_rfc_9126_is_taken() {
    use oauth_core::client::{Client, ClientSecret};
    let client = Client::builder("s6BhdRkqt3").redirect_uri("https://client.example.org/cb").scope("read");
    let client = client.secret(ClientSecret::new(&"7Fjfp0ZBr1KtDRbnfVdmIw".into())).build().unwrap();
    let w = on_memory_with(|builder| builder.client(client.clone())).await;
    let body = "response_type=code&state=af0ifjsldkj&client_id=s6BhdRkqt3\
                &redirect_uri=https%3A%2F%2Fclient.example.org%2Fcb";
    let body = format!("{body}&code_challenge={CHALLENGE}&code_challenge_method=S256");
    let request = Request::post("/par")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3");
    let answer = w.send(request.body(body.into()).unwrap()).await;
    assert_eq!(answer.status, 201, "{answer}");
    let bring = bring(Caller::Public("s6BhdRkqt3"), answer.member("request_uri").as_str().unwrap());
    let response = Browser::new(&w).approve(&bring).await;
    assert_eq!(response_at("https://client.example.org/cb", &response).get("state"), Some("af0ifjsldkj"));
}

// spec: AUZ-36
#[tokio::test]
async fn it_is_a_form_that_is_posted_and_not_a_long_one() {
    let w = on_memory().await;
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let mut request = pushing(APP, &Ask::of(APP));
        *request.method_mut() = method.parse().unwrap();
        let answer = w.send(request).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "POST"), "{method}");
    }
    for other in ["application/json", "text/plain", "multipart/form-data", ""] {
        let mut request = pushing(APP, &Ask::of(APP));
        request.headers_mut().insert("content-type", other.parse().unwrap());
        w.send(request).await.is_refused(400, "invalid_request");
    }
    let long = Ask::of(APP).with("state", &"x".repeat(64 * 1024));
    push(&w, APP, &long).await.is_refused(413, "invalid_request");
    // What is in the URI is not read.
    let mut request = pushing(APP, &Ask::of(APP).without("code_challenge"));
    *request.uri_mut() = format!("/par?code_challenge={CHALLENGE}").parse().unwrap();
    w.send(request).await.is_refused(400, "invalid_request");
}

// spec: CAU-01, AUZ-36
#[tokio::test]
async fn the_client_authenticates_as_at_the_token_endpoint() {
    let w = on_memory().await;
    for caller in [
        Caller::Nobody,
        Caller::Public("nobody"),
        Caller::Public("web"),
        Caller::Basic("web", "wrong"),
        Caller::Basic("app", "x"),
        Caller::Post("form", "wrong"),
        Caller::Post("web", "web-secret-7Xk2"),
    ] {
        let ask = Ask::of(caller).with("client_id", caller.id());
        push(&w, caller, &ask).await.is_refused(401, "invalid_client");
    }
    // Two names for one client.
    push(&w, WEB, &Ask::of(APP)).await.is_refused(400, "invalid_request");
    assert_eq!(w.events.count("client_authentication_failed"), 7);
}

// spec: CAU-01, CAU-11
#[tokio::test]
async fn failures_there_and_at_the_token_endpoint_count_together() {
    let w = on_memory_with(|builder| builder.client_authentication(|how| how.failures_per_minute = 2)).await;
    let wrong = Caller::Basic("web", "wrong");
    push(&w, wrong, &Ask::of(WEB)).await.is_refused(401, "invalid_client");
    w.token(wrong, &[("grant_type", "client_credentials")]).await.is_refused(401, "invalid_client");
    push(&w, wrong, &Ask::of(WEB)).await.is_refused(429, "temporarily_unavailable");
}

// spec: AUZ-37
#[tokio::test]
async fn the_whole_request_is_judged_and_nobody_is_redirected() {
    let w = on_memory().await;
    let ask = || Ask::of(APP);
    for (bad, code) in [
        (ask().with("request_uri", "urn:x"), "invalid_request"),
        (ask().with("request_uri", &format!("{PREFIX}{}", "x".repeat(43))), "invalid_request"),
        (ask().with("redirect_uri", "https://evil.example/cb"), "invalid_request"),
        (ask().with("redirect_uri", "https://app.example/cb/"), "invalid_request"),
        (ask().with("redirect_uri", "nonsense"), "invalid_request"),
        (ask().and("redirect_uri", CALLBACK), "invalid_request"),
        (ask().and("scope", "read").and("scope", "read"), "invalid_request"),
        (ask().without("response_type"), "invalid_request"),
        (ask().with("response_type", "token"), "unsupported_response_type"),
        (ask().without("code_challenge"), "invalid_request"),
        (ask().with("code_challenge_method", "plain"), "invalid_request"),
        (ask().without("code_challenge_method"), "invalid_request"),
        (ask().with("response_mode", "web_message"), "invalid_request"),
        (ask().with("scope", "nonsense"), "invalid_scope"),
        (ask().with("resource", "https://elsewhere.example"), "invalid_target"),
    ] {
        let answer = push(&w, APP, &bad).await;
        answer.is_refused(400, code);
        assert!(answer.headers.get("location").is_none() && answer.headers.get("set-cookie").is_none());
    }
    // An empty one is not there.
    assert_eq!(push(&w, APP, &ask().with("request_uri", "")).await.status, 201);
    let machine = oauth_core::client::Client::builder("machine").redirect_uri(CALLBACK);
    let machine = machine.secret(oauth_core::client::ClientSecret::new(&"x".into()));
    let machine = machine.grant_type(oauth_core::client::GrantType::CLIENT_CREDENTIALS).build().unwrap();
    let w = on_memory_with(|builder| builder.client(machine.clone())).await;
    let caller = Caller::Basic("machine", "x");
    push(&w, caller, &Ask::of(caller)).await.is_refused(400, "unauthorized_client");
}

/// Whether anybody is signed in shows when there is a browser.
// spec: AUZ-37
#[tokio::test]
async fn what_only_a_person_can_do_is_no_error_of_the_push() {
    let w = on_memory().await;
    let uri = pushed(&w, APP, &Ask::of(APP).with("prompt", "none").with("state", "s")).await;
    let mut browser = Browser::new(&w);
    let id = browser.begin(&bring(APP, &uri)).await;
    let response = browser.get(&format!("/interaction?id={id}")).await.is_error_redirect("login_required");
    assert_eq!(response.get("state"), Some("s"));
}

// spec: AUZ-37
#[tokio::test]
async fn only_where_it_is_allowed_may_a_client_that_authenticates_push_another_redirect_uri() {
    let (own, fresh) = (CALLBACK, "https://app.example/cb?tenant=7");
    let w = on_memory().await;
    for caller in [APP, WEB, FORM] {
        push(&w, caller, &Ask::of(caller).with("redirect_uri", fresh)).await.is_refused(400, "invalid_request");
    }
    let allow = |builder: oauth_core::server::AuthorizationServerBuilder| {
        builder.authorization(|settings| settings.pushed.unregistered_redirect_uris = true)
    };
    let w = on_memory_with(allow).await;
    push(&w, APP, &Ask::of(APP).with("redirect_uri", fresh)).await.is_refused(400, "invalid_request");
    for bad in ["http://app.example/cb", "https://app.example/#x", "javascript:alert(1)", "/cb", "https://a@b.example/"]
    {
        push(&w, WEB, &Ask::of(WEB).with("redirect_uri", bad)).await.is_refused(400, "invalid_request");
    }
    for uri in [own, fresh] {
        let reference = pushed(&w, WEB, &Ask::of(WEB).with("redirect_uri", uri).with("state", "s")).await;
        let response = response_at(uri, &Browser::new(&w).approve(&bring(WEB, &reference)).await);
        let code = response.get("code").unwrap().to_owned();
        let bare = [("grant_type", "authorization_code"), ("code", &code), ("code_verifier", VERIFIER)];
        let redeem = async |uri: &str| w.token(WEB, &[&bare[..], &[("redirect_uri", uri)]].concat()).await;
        assert_eq!(w.token(WEB, &bare).await.status, 400);
        let other = if uri == own { fresh } else { own };
        redeem(other).await.is_refused(400, "invalid_grant");
        redeem(uri).await.tokens();
    }
    // Only ahead: at the authorization endpoint it is nobody's.
    w.get(&Ask::of(WEB).with("redirect_uri", fresh).uri()).await.is_error_page();
}

// spec: AUZ-08
#[tokio::test]
async fn the_only_redirect_uri_need_not_be_named_unless_the_server_wants_it() {
    let ask = Ask::of(APP).without("redirect_uri");
    let w = on_memory().await;
    let uri = pushed(&w, APP, &ask).await;
    response_at(CALLBACK, &Browser::new(&w).approve(&bring(APP, &uri)).await);
    let explicit = |builder: oauth_core::server::AuthorizationServerBuilder| {
        builder.authorization(|settings| settings.pushed.explicit_redirect_uri = true)
    };
    let w = on_memory_with(explicit).await;
    push(&w, APP, &ask).await.is_refused(400, "invalid_request");
    assert_eq!(push(&w, APP, &Ask::of(APP)).await.status, 201);
}

#[tokio::test]
async fn an_outage_is_503_and_nothing_was_pushed() {
    let w = on_memory().await;
    w.store.set_down(true);
    push(&w, APP, &Ask::of(APP)).await.is_unavailable();
}

// spec: SEC-06
#[tokio::test]
async fn the_reference_is_kept_as_a_digest_and_told_to_nobody() {
    on_every_store(async |w| {
        let uri = pushed(&w, APP, &Ask::of(APP)).await;
        let reference = uri.strip_prefix(PREFIX).unwrap();
        let mut browser = Browser::new(&w);
        let id = browser.begin(&bring(APP, &uri)).await;
        assert!(browser.interaction(&id).await.is_some());
        // Nor does the address of the page show it.
        for shown in [w.store.shown(), w.events.all().concat(), id] {
            assert!(!shown.contains(reference), "{shown}");
        }
    })
    .await;
}
