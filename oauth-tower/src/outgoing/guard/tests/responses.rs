//! Responses that are no document.

use super::*;

async fn outcome_of(purpose: Purpose, reply: Reply) -> (Result<Fetched, FetchError>, World) {
    let world = World::new(move |_| reply.clone()).await;
    (world.fetch.fetch(FetchRequest::new("https://app.example/document", purpose)).await, world)
}

// spec: REG-28, SEC-14
#[tokio::test]
async fn a_redirect_is_not_followed_wherever_it_leads() {
    let targets =
        ["http://169.254.169.254/latest/meta-data/", "https://app.example/elsewhere", "/elsewhere", "//10.0.0.1/"];
    for (status, target) in ["301", "302", "303", "307", "308"].into_iter().zip(targets.into_iter().cycle()) {
        let headers = [&*format!("location: {target}"), "content-type: application/json"];
        let (outcome, world) = outcome_of(Purpose::ClientMetadata, Reply::of(status, &headers, "{}")).await;
        assert!(matches!(outcome, Err(FetchError::Status(seen)) if seen.as_str() == status), "{status}: {outcome:?}");
        assert_eq!((world.site.connections(), world.names.asked().len()), (1, 1), "{status}");
    }
}

// spec: REG-28
#[tokio::test]
async fn only_status_200_is_a_document() {
    for status in ["201", "202", "203", "206", "300", "304", "400", "401", "404", "410", "429", "500", "503"] {
        let reply = Reply::of(status, &["content-type: application/json"], "{}");
        let (outcome, _) = outcome_of(Purpose::ClientMetadata, reply).await;
        assert!(matches!(outcome, Err(FetchError::Status(seen)) if seen.as_str() == status), "{status}: {outcome:?}");
    }
    let (outcome, _) = outcome_of(Purpose::ClientMetadata, Reply::json("{}")).await;
    assert_eq!(&*outcome.unwrap().body, b"{}");
}

// spec: REG-28
#[tokio::test]
async fn only_the_media_types_of_the_purpose_are_documents() {
    for good in ["application/json", "application/cimd+json;charset=utf-8"] {
        let reply = Reply::of("200 OK", &[&*format!("content-type: {good}")], "{}");
        assert!(outcome_of(Purpose::ClientMetadata, reply).await.0.is_ok(), "{good}");
    }
    for bad in ["text/html", "text/plain", "application/octet-stream", "application/jwt", ""] {
        let reply = Reply::of("200 OK", &[&*format!("content-type: {bad}")], "{}");
        let (outcome, _) = outcome_of(Purpose::ClientMetadata, reply).await;
        assert!(matches!(outcome, Err(FetchError::MediaType)), "{bad}: {outcome:?}");
    }
    let twice = ["content-type: application/json", "content-type: text/html"];
    for headers in [&[][..], &twice] {
        let (outcome, _) = outcome_of(Purpose::ClientMetadata, Reply::of("200 OK", headers, "{}")).await;
        assert!(matches!(outcome, Err(FetchError::MediaType)), "{outcome:?}");
    }
    let token = Reply::of("200 OK", &["content-type: application/oauth-authz-req+jwt"], "a.b.c");
    assert!(outcome_of(Purpose::RequestObject, token).await.0.is_ok());
    assert!(matches!(outcome_of(Purpose::RequestObject, Reply::json("a.b.c")).await.0, Err(FetchError::MediaType)));
}

// spec: REG-32
#[tokio::test]
async fn what_is_compressed_is_not_unpacked() {
    for coding in ["gzip", "br", "zstd", "deflate", "x-gzip", "identity, gzip", "GZIP"] {
        let headers = ["content-type: application/json", &*format!("content-encoding: {coding}")];
        let (outcome, _) = outcome_of(Purpose::ClientMetadata, Reply::of("200 OK", &headers, "{}")).await;
        assert!(matches!(outcome, Err(FetchError::Encoded)), "{coding}: {outcome:?}");
    }
    let headers = ["content-type: application/json", "content-encoding: identity"];
    assert!(outcome_of(Purpose::ClientMetadata, Reply::of("200 OK", &headers, "{}")).await.0.is_ok());
}

#[tokio::test]
async fn what_is_not_http_or_breaks_off_is_no_document() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    let broken = [
        String::new(),
        "SSH-2.0-OpenSSH_9.9\r\n".to_owned(),
        "{\"keys\":[]}".to_owned(),
        "HTTP/0.9 200 OK\r\n\r\n{}".to_owned(),
        format!("{head}content-length: 5\r\n\r\n{{}}"),
        format!("{head}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}"),
        format!("{head}content-length: -2\r\n\r\n{{}}"),
        format!("{head}transfer-encoding: chunked\r\n\r\n2\r\n{{}}\r\n"),
        format!("{head}transfer-encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n"),
        format!("{head}transfer-encoding: chunked\r\n\r\nffffffffffffffff1\r\n{{}}"),
    ];
    for text in broken {
        let (outcome, _) = outcome_of(Purpose::ClientMetadata, Reply::raw(text.clone())).await;
        assert!(is_unavailable(&outcome, Stage::Http), "{text:?}: {outcome:?}");
    }
}
