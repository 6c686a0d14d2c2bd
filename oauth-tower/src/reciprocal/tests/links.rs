//! Live tokens of a link.

use futures_util::future::join_all;

use super::*;

/// A link whose tokens expire in 300 seconds; what A answers after that.
async fn linked(b: &B, later: impl Fn(usize) -> Response<String> + Send + Sync + 'static) -> (ReciprocalClient, Sent) {
    let (http, log) = network(move |at, _| if at == 0 { tokens("0") } else { later(at) });
    let client = b.client(http);
    b.takes("c").await;
    assert_eq!(client.step().await.unwrap(), Some(Redemption::Stored));
    (client, log)
}

async fn live(client: &ReciprocalClient) -> Option<String> {
    let tokens = client.tokens(&link()).await.unwrap();
    tokens.map(|tokens| tokens.response.access_token.expose().to_owned())
}

#[tokio::test]
async fn a_token_is_used_until_shortly_before_its_end_and_then_refreshed_once_for_all() {
    let b = B::new().await;
    let (client, log) = linked(&b, |at| tokens(&at.to_string())).await;
    b.clock.advance(289);
    assert_eq!((live(&client).await.as_deref(), sent(&log).len()), (Some("at-0"), 1));
    b.clock.advance(1);
    let answers = join_all((0..10).map(|_| live(&client))).await;
    assert!(answers.iter().all(|token| token.as_deref() == Some("at-1")), "{answers:?}");
    assert_eq!(sent(&log)[1..], ["/token grant_type=refresh_token&refresh_token=rt-0"]);
    assert_eq!(b.held().await.as_deref(), Some("at-1"));
    // The next one is made with what the last has brought.
    b.clock.advance(300);
    assert_eq!(live(&client).await.as_deref(), Some("at-2"));
    assert_eq!(sent(&log)[2], "/token grant_type=refresh_token&refresh_token=rt-1");
}

// spec: MTX-21
#[tokio::test]
async fn a_refresh_that_met_an_outage_is_made_again_with_the_same_token() {
    let b = B::new().await;
    let (client, log) = linked(&b, |at| if at == 1 { reply(503, &[], "") } else { tokens("new") }).await;
    b.clock.advance(300);
    let error = client.tokens(&link()).await.unwrap_err();
    assert!(matches!(&error, LinkError::Refresh(error) if error.is_temporary()), "{error}");
    assert_eq!(live(&client).await.as_deref(), Some("at-new"));
    assert_eq!(sent(&log)[1], sent(&log)[2]);
}

#[tokio::test]
async fn a_link_that_the_peer_has_ended_says_so() {
    let b = B::new().await;
    let (client, _) = linked(&b, |_| reply(400, &[], r#"{"error":"invalid_grant"}"#)).await;
    b.clock.advance(300);
    let error = client.tokens(&link()).await.unwrap_err();
    assert!(matches!(&error, LinkError::Refresh(TokenError::Refused { error, .. }) if error == "invalid_grant"));
    assert!(!format!("{error} {error:?}").contains("rt-0"));
}

#[tokio::test]
async fn what_another_node_has_stored_meanwhile_is_taken() {
    let b = B::new().await;
    let (client, _) = linked(&b, |_| reply(400, &[], r#"{"error":"invalid_grant"}"#)).await;
    b.clock.advance(300);
    // The other node was faster, with this very refresh token.
    let before = b.reciprocal().tokens(&link()).await.unwrap().unwrap();
    let theirs = oauth_core::token::TokenResponse::parse(tokens("theirs").body().as_bytes()).unwrap();
    b.reciprocal().refreshed(&before, &theirs).await.unwrap().unwrap();
    let error = TokenError::NotBound;
    let found = client.inner.another(&before, error).await.unwrap();
    assert_eq!(found.response.access_token, Secret::from("at-theirs"));
    assert!(b.reciprocal().refreshed(&before, &theirs).await.unwrap().is_none(), "once");
    assert_eq!(live(&client).await.as_deref(), Some("at-theirs"));
}

#[tokio::test]
async fn there_is_nothing_for_a_link_that_is_not_there_or_has_ended() {
    let b = B::new().await;
    let body = r#"{"access_token":"only","token_type":"Bearer","expires_in":300}"#;
    let (http, log) = network(move |_, _| reply(200, &[], body));
    let client = b.client(http);
    assert_eq!(live(&client).await, None);
    b.takes("c").await;
    client.step().await.unwrap();
    assert_eq!(live(&client).await.as_deref(), Some("only"));
    b.clock.advance(295);
    assert_eq!((live(&client).await, sent(&log).len()), (None, 1));
}
