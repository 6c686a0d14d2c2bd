//! Sessions that end, from each side.

use matrix_sdk::{
    Client, HttpError, RefreshTokenError, SessionChange,
    ruma::api::client::{
        discovery::get_authorization_server_metadata::v1::{AccountManagementActionData, DeviceDeleteData},
        session::{logout, logout_all},
    },
};

use crate::{
    house::House,
    session::{access_token, alice, is_over, refresh_token, sign_in, verdict},
    support::PASSWORD,
};

/// Nothing opens anything any more, and the client is told to forget what it has.
async fn is_signed_out(client: &Client) {
    let mut changes = client.subscribe_to_session_changes();
    assert_eq!(verdict(client.whoami().await), Some(false));
    let Ok(SessionChange::UnknownToken(data)) = changes.try_recv() else { panic!("the client was not told") };
    assert!(!data.soft_logout);
    is_over(client).await;
}

// spec: MTX-20
#[tokio::test]
async fn a_logout_revokes_the_access_token_and_ends_the_session() {
    let house = House::new().await;
    let (client, other) = (alice(&house).await, alice(&house).await);
    client.logout().await.unwrap();
    let form = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let [sent] = house.posted("/revoke").try_into().unwrap();
    let oauth = client.oauth();
    let id = oauth.client_id().unwrap();
    for param in [form("token", &access_token(&client)), form("token_type_hint", "access_token"), form("client_id", id)]
    {
        assert!(sent.contains(&param), "{param:?} in {sent:?}");
    }
    assert!(!sent.iter().any(|(_, value)| *value == refresh_token(&client)));
    is_signed_out(&client).await;
    assert_eq!(verdict(other.whoami().await), None);
    // Once more is no error (RFC 7009 section 2.2).
    client.logout().await.unwrap();
}

// spec: MTX-20
#[tokio::test]
async fn a_logout_with_a_token_that_is_over_ends_the_session_too() {
    let house = House::new().await;
    let client = alice(&house).await;
    house.clock.advance(3600);
    client.logout().await.unwrap();
    assert!(!house.posted("/revoke")[0].iter().any(|(_, value)| *value == refresh_token(&client)));
    is_over(&client).await;
}

#[tokio::test]
async fn so_does_one_with_a_token_that_was_replaced_unheard() {
    let house = House::new().await;
    let client = alice(&house).await;
    house.lose_next_tokens();
    assert!(client.oauth().refresh_access_token().await.is_err());
    client.logout().await.unwrap();
    is_signed_out(&client).await;
}

// spec: MTX-24
#[tokio::test]
async fn a_person_signs_a_device_out_on_our_page() {
    let house = House::new().await;
    let (client, other) = (alice(&house).await, alice(&house).await);
    let metadata = client.oauth().server_metadata().await.unwrap();
    let device = DeviceDeleteData::new(client.device_id().unwrap());
    let url = metadata.account_management_url_with_action(AccountManagementActionData::DeviceDelete(device)).unwrap();
    let mut visitor = house.visitor();
    let first = visitor.go(url.as_str()).await;
    let page = visitor.press(&first, "sign-in", &[("username", "alice"), ("password", PASSWORD)]).await;
    assert!(page.answer.body.contains(client.device_id().unwrap().as_str()), "{}", page.answer);
    visitor.press(&page, "end-1", &[]).await;
    is_signed_out(&client).await;
    assert_eq!(verdict(other.whoami().await), None);
}

#[tokio::test]
async fn a_client_that_refreshes_by_itself_learns_of_the_end() {
    let house = House::new().await;
    let client = house.client_with(|builder| builder.handle_refresh_tokens()).await;
    sign_in(&house, &client, ("alice", None)).await;
    let mut changes = client.subscribe_to_session_changes();
    house.remote.post("/revoke", crate::support::Caller::Nobody, &[("token", &refresh_token(&client))]).await;
    let error = client.whoami().await.unwrap_err();
    assert!(matches!(error, HttpError::RefreshToken(RefreshTokenError::OAuth(_))), "{error}");
    assert!(matches!(changes.try_recv(), Ok(SessionChange::UnknownToken(data)) if !data.soft_logout));
}

#[tokio::test]
async fn the_homeservers_own_endpoints_end_sessions_as_well() {
    let house = House::new().await;
    let (first, second, third) = (alice(&house).await, alice(&house).await, alice(&house).await);
    first.send(logout::v3::Request::new()).await.unwrap();
    is_signed_out(&first).await;
    assert_eq!(verdict(second.whoami().await), None);
    second.send(logout_all::v3::Request::new()).await.unwrap();
    for client in [second, third] {
        is_signed_out(&client).await;
    }
}
