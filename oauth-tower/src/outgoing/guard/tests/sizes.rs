//! Documents without end, in every way to send one.

use super::*;

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

/// What a site gets rid of at most: what is read, and what stays in the buffers of
/// the two sockets.
const BOUND: u64 = 1024 * 1024;

async fn outcome_of(reply: Reply) -> (Result<Fetched, FetchError>, u64) {
    let world = World::new(move |_| reply.clone()).await;
    let outcome = world.fetch.fetch(FetchRequest::new("https://app.example/", Purpose::ClientMetadata)).await;
    world.site.is_left().await;
    (outcome, world.site.sent())
}

fn chunk(bytes: usize) -> String {
    format!("{bytes:x}\r\n{}\r\n", " ".repeat(bytes))
}

// spec: REG-32, SEC-14, AUZ-45
#[tokio::test]
async fn a_document_beyond_the_limit_is_not_read_to_its_end_however_it_is_sent() {
    let chunked = format!("{HEAD}transfer-encoding: chunked\r\n\r\n");
    let endless = [
        ("as long as the connection", Reply::raw(format!("{HEAD}\r\n")).forever(" ".repeat(10_000))),
        ("in chunks", Reply::raw(chunked.clone()).forever(chunk(10_000))),
        ("in small chunks", Reply::raw(chunked.clone()).forever(chunk(1))),
        ("in one chunk", Reply::raw(format!("{chunked}7fffffff\r\n")).forever(" ".repeat(10_000))),
        ("with its length", Reply::raw(format!("{HEAD}content-length: 1000000000\r\n\r\n")).forever(" ".repeat(999))),
    ];
    for (how, reply) in endless {
        let (outcome, sent) = outcome_of(reply).await;
        assert!(matches!(outcome, Err(FetchError::TooLarge)), "{how}: {outcome:?}");
        assert!(sent < BOUND, "{how}: {sent}");
    }
}

// spec: REG-32
#[tokio::test]
async fn what_comes_beside_the_document_is_bounded_too() {
    let chunked = format!("{HEAD}transfer-encoding: chunked\r\n\r\n");
    let endless = [
        ("any length", Reply::raw(format!("{HEAD}content-length: 18446744073709551614\r\n\r\n")).forever(" ")),
        ("a header", Reply::raw(format!("{HEAD}x: ")).forever("y".repeat(1_000))),
        ("headers", Reply::raw(HEAD).forever("x: y\r\n")),
        ("a status line", Reply::raw("HTTP/1.1 200 ").forever("y".repeat(1_000))),
        ("interim responses", Reply::raw("").forever("HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n")),
        ("a chunk's extension", Reply::raw(format!("{chunked}1;")).forever("y".repeat(1_000))),
        ("a chunk's length", Reply::raw(chunked.clone()).forever("0".repeat(1_000))),
        ("trailers", Reply::raw(format!("{chunked}2\r\n{{}}\r\n0\r\n")).forever("x: y\r\n")),
        ("a trailer", Reply::raw(format!("{chunked}2\r\n{{}}\r\n0\r\nx: ")).forever("y".repeat(1_000))),
    ];
    for (what, reply) in endless {
        let (outcome, sent) = outcome_of(reply).await;
        assert!(outcome.is_err(), "{what}: {outcome:?}");
        assert!(sent < BOUND, "{what}: {sent}");
    }
}

// spec: REG-32
#[tokio::test]
async fn a_bomb_is_not_even_touched() {
    // Two mebibytes of blanks in two kilobytes: it would be below the limit.
    let packed = vec![0x1f; 2_000];
    let headers = ["content-type: application/json", "content-encoding: gzip"];
    let (outcome, _) = outcome_of(Reply::of("200 OK", &headers, packed)).await;
    assert!(matches!(outcome, Err(FetchError::Encoded)));
}

// spec: REG-32
#[tokio::test]
async fn the_limit_is_that_of_the_purpose_to_the_byte() {
    for purpose in [Purpose::ClientMetadata, Purpose::JwkSet] {
        let world = World::new(move |number| {
            let document = format!("{KEYS}{}", " ".repeat(purpose.limit() - KEYS.len() + number / 2));
            match number % 2 {
                0 => Reply::json(document),
                _ => Reply::raw(format!("{HEAD}\r\n{document}")),
            }
        })
        .await;
        for number in 0..4 {
            let url = format!("https://app.example/{number}");
            let outcome = world.fetch.fetch(FetchRequest::new(url, purpose)).await;
            match number {
                0 | 1 => assert_eq!(outcome.unwrap().body.len(), purpose.limit()),
                _ => assert!(matches!(outcome, Err(FetchError::TooLarge)), "{outcome:?}"),
            }
        }
    }
    assert_eq!(Purpose::ClientMetadata.limit(), 5 * 1024);
}

#[tokio::test]
async fn a_document_in_the_smallest_of_pieces_is_one_all_the_same() {
    let pieces: String = KEYS.chars().map(|c| format!("1\r\n{c}\r\n")).collect();
    let interim = "HTTP/1.1 103 Early Hints\r\n\r\n";
    let (outcome, _) =
        outcome_of(Reply::raw(format!("{interim}{HEAD}Transfer-Encoding: chunked\r\n\r\n{pieces}0\r\nx: y\r\n\r\n")))
            .await;
    assert_eq!(&*outcome.unwrap().body, KEYS.as_bytes());
}
