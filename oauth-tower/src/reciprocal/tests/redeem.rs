//! Party B redeems.

use http::header::AUTHORIZATION;

use super::*;

// spec: TOK-54
#[tokio::test]
async fn a_code_is_redeemed_at_the_configured_endpoint_with_our_credentials_and_nothing_of_a_browser() {
    let b = B::new().await;
    let (http, log) = network(|_, _| tokens("1"));
    let client = b.client(http);
    assert_eq!(client.step().await.unwrap(), None, "nothing is due");
    b.takes("the code").await;
    assert_eq!(client.step().await.unwrap(), Some(Redemption::Stored));
    assert_eq!(sent(&log), ["/token grant_type=authorization_code&code=the+code"]);
    {
        let log = log.lock().unwrap();
        assert_eq!(log[0].uri(), A_TOKEN);
        // "b-at-a:ours"
        assert_eq!(log[0].headers()[AUTHORIZATION], "Basic Yi1hdC1hOm91cnM=");
    }
    assert_eq!((b.held().await.as_deref(), b.queued().await), (Some("at-1"), 0));
    assert_eq!(client.step().await.unwrap(), None);
}

// spec: TOK-54
#[tokio::test]
async fn what_was_an_outage_is_asked_again_later_and_not_before() {
    let b = B::new().await;
    let (http, log) = network(|at, _| match at {
        0 => reply(503, &[("retry-after", "7")], ""),
        1 => reply(429, &[("retry-after", "99999999")], ""),
        // It does not know us at the moment, which is not the fault of the code.
        2 => reply(401, &[], r#"{"error":"invalid_client"}"#),
        _ => tokens("1"),
    });
    let client = b.client(http);
    b.takes("c").await;
    // Its own pauses are 1, 2 and 4 seconds; A may ask for 300 at most.
    for (tries, wait) in [(1, 7), (2, 300), (3, 4)] {
        let due_at = b.clock.now().saturating_add(wait);
        assert_eq!(client.step().await.unwrap(), Some(Redemption::Deferred { due_at }));
        b.clock.advance(wait - 1);
        assert_eq!(client.step().await.unwrap(), None);
        assert_eq!((sent(&log).len(), b.queued().await), (tries, 1));
        b.clock.advance(1);
    }
    assert_eq!(client.step().await.unwrap(), Some(Redemption::Stored));
    assert_eq!(b.held().await.as_deref(), Some("at-1"));
}

// spec: TOK-54
#[tokio::test]
async fn a_peer_that_is_never_there_is_given_up_after_so_many_tries() {
    let b = B::new().await;
    let down = service_fn(|_: Request<Bytes>| async { Err::<Response<Full<Bytes>>, _>("no route to host") });
    let client = b.client(HttpClient::new(down));
    b.takes("c").await;
    for _ in 0..5 {
        assert!(matches!(client.step().await.unwrap(), Some(Redemption::Deferred { .. })));
        b.clock.advance(100);
    }
    assert_eq!(client.step().await.unwrap(), Some(Redemption::Abandoned));
    assert_eq!((b.queued().await, b.held().await), (0, None));
}

// spec: TOK-54
#[tokio::test]
async fn a_refusal_is_the_end_of_a_code_and_nothing_is_stored() {
    for (status, body, said) in [
        (400, r#"{"error":"invalid_grant"}"#, Some("invalid_grant")),
        (400, r#"{"error":"unauthorized_client"}"#, Some("unauthorized_client")),
        // Used up, and nobody knows what for.
        (200, "<html>", None),
        (200, r#"{"access_token":"t","token_type":"mac"}"#, None),
        // Nobody can send these.
        (200, r#"{"access_token":"","token_type":"bearer"}"#, None),
        (200, "{\"access_token\":\"a\\r\\nb\",\"token_type\":\"bearer\"}", None),
        (200, r#"{"access_token":"t","token_type":"bearer","refresh_token":""}"#, None),
    ] {
        let b = B::new().await;
        let (http, log) = network(move |_, _| reply(status, &[], body));
        let client = b.client(http);
        b.takes("c").await;
        let error = said.map(str::to_owned);
        assert_eq!(client.step().await.unwrap(), Some(Redemption::Refused { error }));
        b.clock.advance(300);
        assert_eq!(client.step().await.unwrap(), None);
        assert_eq!((sent(&log).len(), b.queued().await, b.held().await), (1, 0, None));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let b = B::new().await;
    let (http, log) = network(|_, _| reply(307, &[("location", "http://169.254.169.254/")], ""));
    let client = b.client(http);
    b.takes("c").await;
    assert!(matches!(client.step().await.unwrap(), Some(Redemption::Deferred { .. })));
    assert_eq!(sent(&log).len(), 1);
}

// spec: TOK-56
#[tokio::test]
async fn the_tokens_before_are_revoked_when_the_new_ones_are_there() {
    for revokes in [true, false] {
        let b = B::new().await;
        let (http, log) = network(|at, request| match request.uri().path() {
            "/token" => tokens(&at.to_string()),
            // Not even that keeps the new ones away.
            _ => reply(503, &[], ""),
        });
        let a = TokenClient::builder(A_TOKEN, ours());
        let a = if revokes { a.revocation_endpoint(A_REVOKE) } else { a };
        let client = b.client_at(a.build(http).unwrap());
        for code in ["first", "second"] {
            b.takes(code).await;
            assert_eq!(client.step().await.unwrap(), Some(Redemption::Stored));
        }
        let expected = [
            "/token grant_type=authorization_code&code=first",
            "/token grant_type=authorization_code&code=second",
            "/revoke token=rt-0",
            "/revoke token=at-0",
        ];
        assert_eq!(sent(&log), expected[..if revokes { 4 } else { 2 }]);
        assert_eq!(b.held().await.as_deref(), Some("at-1"));
    }
}

// spec: TOK-56
#[tokio::test]
async fn tokens_of_a_code_that_a_later_one_has_overtaken_are_given_back() {
    let b = B::new().await;
    b.takes("first").await;
    let overtaken = b.reciprocal().next(60).await.unwrap().unwrap();
    b.takes("second").await;
    let (http, log) = network(|_, request| match request.uri().path() {
        "/token" => tokens("2"),
        _ => reply(200, &[], ""),
    });
    let client = b.client(http);
    assert_eq!(client.step().await.unwrap(), Some(Redemption::Stored));
    // What the worker does that had the first in hand.
    let late = oauth_core::token::TokenResponse::parse(tokens("1").body().as_bytes()).unwrap();
    let a = &client.inner.peers[&peer()];
    assert_eq!(client.stored(a, &overtaken, &late).await.unwrap(), Redemption::Superseded);
    assert_eq!(sent(&log)[1..], ["/revoke token=rt-1", "/revoke token=at-1"]);
    assert_eq!(b.held().await.as_deref(), Some("at-2"));
}

#[tokio::test]
async fn a_peer_that_is_not_configured_here_is_one_for_later() {
    let b = B::new().await;
    let client = ReciprocalClient::builder(b.reciprocal()).clock(b.clock.clone()).build();
    b.takes("c").await;
    assert!(matches!(client.step().await.unwrap(), Some(Redemption::Deferred { .. })));
    let shown = format!("{:?}", b.client(network(|_, _| reply(200, &[], "")).0));
    assert!(!shown.contains("ours"), "{shown}");
}
