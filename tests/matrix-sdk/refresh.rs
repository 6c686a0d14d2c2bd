//! Tokens that are replaced, and answers that never arrive.

use matrix_sdk::{
    RefreshTokenError, SessionChange,
    authentication::oauth::{OAuthError, error::OAuthRequestError},
};

use crate::{
    house::House,
    session::{access_token, alice, is_over, refresh_token, sign_in, verdict},
};

/// Longer than an access token lives.
const LONG: u64 = 301;

#[tokio::test]
async fn a_session_goes_on_with_new_tokens() {
    let house = House::new().await;
    let client = alice(&house).await;
    let (access, refresh) = (access_token(&client), refresh_token(&client));
    let device = client.whoami().await.unwrap().device_id;
    for _ in 0..3 {
        client.oauth().refresh_access_token().await.unwrap();
        assert_eq!(client.whoami().await.unwrap().device_id, device);
    }
    assert_ne!((access_token(&client), refresh_token(&client)), (access, refresh));
}

// spec: MTX-16
#[tokio::test]
async fn a_client_that_lost_the_answer_asks_again() {
    let house = House::new().await;
    let client = alice(&house).await;
    assert_eq!(verdict(client.whoami().await), None);
    let before = client.session_tokens().unwrap();
    house.lose_next_tokens();
    let Err(RefreshTokenError::OAuth(error)) = client.oauth().refresh_access_token().await else {
        panic!("nothing was lost")
    };
    assert!(matches!(*error, OAuthError::RefreshToken(OAuthRequestError::Request(_))), "{error}");
    let held = client.session_tokens().unwrap();
    assert_eq!((&held.access_token, &held.refresh_token), (&before.access_token, &before.refresh_token));
    client.oauth().refresh_access_token().await.unwrap();
    let sent = house
        .posted("/token")
        .into_iter()
        .filter_map(|form| form.into_iter().find(|(name, _)| name == "refresh_token").map(|(_, token)| token));
    assert_eq!(sent.collect::<Vec<_>>(), [before.refresh_token.clone().unwrap(), before.refresh_token.unwrap()]);
    // It goes on from there.
    assert_eq!(verdict(client.whoami().await), None);
    client.oauth().refresh_access_token().await.unwrap();
    assert_eq!(verdict(client.whoami().await), None);
}

// spec: MTX-18
#[tokio::test]
async fn a_token_that_is_over_is_no_end_of_the_session() {
    let house = House::new().await;
    let client = alice(&house).await;
    let mut changes = client.subscribe_to_session_changes();
    house.clock.advance(LONG);
    assert_eq!(verdict(client.whoami().await), Some(true));
    let Ok(SessionChange::UnknownToken(data)) = changes.try_recv() else { panic!("the client was not told") };
    assert!(data.soft_logout);
    client.oauth().refresh_access_token().await.unwrap();
    assert_eq!(verdict(client.whoami().await), None);
}

#[tokio::test]
async fn a_client_that_refreshes_by_itself_notices_nothing() {
    let house = House::new().await;
    let client = house.client_with(|builder| builder.handle_refresh_tokens()).await;
    sign_in(&house, &client, ("alice", None)).await;
    let mut changes = client.subscribe_to_session_changes();
    for _ in 0..3 {
        house.clock.advance(LONG);
        assert_eq!(verdict(client.whoami().await), None);
        assert!(matches!(changes.try_recv(), Ok(SessionChange::TokensRefreshed)));
    }
    assert!(changes.is_empty());
}

#[tokio::test]
async fn who_never_comes_back_is_signed_out() {
    const A_YEAR: u64 = 366 * 86_400;
    let house = House::new().await;
    let client = alice(&house).await;
    house.clock.advance(A_YEAR);
    is_over(&client).await;
}
