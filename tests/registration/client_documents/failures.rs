//! Documents that cannot be had.

use http::StatusCode;
use oauth_core::fetch::{InvalidFetchUrl, Refusal};

use super::*;

fn outages() -> Vec<FetchError> {
    let status = |code| FetchError::Status(StatusCode::from_u16(code).unwrap());
    vec![
        FetchError::TimedOut,
        FetchError::Limited { retry_after: 7 },
        FetchError::unavailable(Stage::Resolve, "resolv.conf of 10.0.0.1"),
        FetchError::unavailable(Stage::Connect, "10.0.0.1:443 refused it"),
        FetchError::unavailable(Stage::Tls, "certificate of intranet.example"),
        FetchError::unavailable(Stage::Http, "10.0.0.1"),
        status(500),
        status(503),
        status(429),
        FetchError::Refused(Refusal::Address([10, 0, 0, 1].into())),
    ]
}

fn faults() -> Vec<(&'static str, FetchError)> {
    let status = |code| FetchError::Status(StatusCode::from_u16(code).unwrap());
    vec![
        ("not with 302", status(302)),
        ("not with 404", status(404)),
        ("not with 201", status(201)),
        ("not with 204", status(204)),
        ("application/json", FetchError::MediaType),
        ("content encoding", FetchError::Encoded),
        ("too large", FetchError::TooLarge),
        ("is not one", FetchError::Invalid { why: None }),
        ("a port that is not asked", FetchError::Refused(Refusal::Port(22))),
        ("client_id: ", FetchError::Refused(Refusal::Url(InvalidFetchUrl::Host))),
    ]
}

// spec: REG-28
#[tokio::test]
async fn a_document_that_is_none_is_the_clients_fault_and_the_page_says_which_rule_it_breaks() {
    let web = Web::default();
    let w = world(&web).await;
    for (rule, error) in faults() {
        web.fail(URL, error);
        let page = authorize(&w).await;
        page.is_error_page();
        assert!(page.body.contains(rule), "{rule}: {page}");
        w.redeem(CLIENT, "x").await.is_refused(401, "invalid_client");
    }
    assert_eq!(w.events.count("fault"), 0);
}

// spec: REG-28
#[tokio::test]
async fn a_document_that_cannot_be_had_now_is_an_outage_and_nobody_learns_more() {
    let web = Web::default();
    let w = world(&web).await;
    let mut pages = Vec::new();
    for error in outages() {
        web.fail(URL, error.clone());
        let page = authorize(&w).await;
        is_unavailable_page(&page);
        let answer = w.redeem(CLIENT, "x").await;
        answer.is_unavailable();
        let seconds = error.retry_after().unwrap_or(5).to_string();
        assert_eq!((page.header("retry-after"), answer.header("retry-after")), (&*seconds, &*seconds));
        for shown in [&page.body, &answer.body] {
            assert!(!shown.contains("10.0.0") && !shown.contains("intranet") && !shown.contains("resolv"), "{shown}");
        }
        pages.push(page.body);
    }
    assert!(pages.iter().all(|page| *page == pages[0]), "a name inside must look like one that does not exist");
}

// spec: REG-28
#[tokio::test]
async fn an_outage_at_a_client_logs_nobody_out() {
    let web = Web::with(&document());
    let w = world(&web).await;
    let code = w.code(CLIENT).await;
    let tokens = w.tokens(CLIENT).await;
    let refresh = tokens.refresh.unwrap();
    let mut browser = Browser::new(&w);
    let waiting = browser.begin(&Ask::of(CLIENT)).await;
    web.fail(URL, FetchError::TimedOut);
    let asked = web.asked();
    // What others ask of its tokens is none of its business.
    assert!(w.lives(&tokens.access).await);
    assert_eq!(web.asked(), asked);
    for _ in 0..2 {
        w.redeem(CLIENT, &code).await.is_unavailable();
        w.refresh(CLIENT, &refresh).await.is_unavailable();
        w.revoke(CLIENT, &refresh).await.is_unavailable();
        assert_eq!(browser.get(&format!("/interaction?id={waiting}")).await.status, 503);
    }
    web.put(URL, &document().to_string());
    assert!(w.lives(&tokens.access).await);
    w.redeem(CLIENT, &code).await.tokens();
    w.refresh(CLIENT, &refresh).await.tokens();
    assert!(browser.interaction(&waiting).await.is_some());
}

#[tokio::test]
async fn the_operator_hears_of_each_failed_fetch_by_host_and_reason_and_not_by_query() {
    let url = "https://app.example/c?token=hunter2";
    let web = Web::default();
    let w = world(&web).await;
    web.fail(url, FetchError::Refused(Refusal::Address([10, 0, 0, 1].into())));
    is_unavailable_page(&w.get(&Ask::of(Caller::Public(url)).uri()).await);
    let events = w.events.all();
    let told: Vec<_> = events.iter().filter(|event| event.starts_with("fetch_failed ")).collect();
    assert_eq!(told.len(), 1, "{events:?}");
    for part in ["\"app.example\"", "ClientMetadata", "10.0.0.1"] {
        assert!(told[0].contains(part), "{told:?}");
    }
    assert!(!events.iter().any(|event| event.contains("hunter2")), "{events:?}");
    // Keys at a URL are another purpose.
    let mut document = document_with("token_endpoint_auth_method", "private_key_jwt");
    document["jwks_uri"] = json!("https://keys.example/jwks?hunter2");
    web.put(URL, &document.to_string());
    prove(&w, &redemption("x"), &proof(&key(), "1")).await.is_unavailable();
    let events = w.events.all();
    let is_of_keys = |event: &String| event.contains("\"keys.example\"") && event.contains("JwkSet");
    assert!(events.iter().any(is_of_keys) && !events.iter().any(|event| event.contains("hunter2")), "{events:?}");
    assert_eq!(w.events.count("fault"), 0, "strangers fill no log with faults");
}
