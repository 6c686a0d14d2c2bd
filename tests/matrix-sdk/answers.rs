//! What the example homeserver answers, as ruma's types take it: every endpoint, by the SDK's own requests.

use matrix_sdk::{
    Client, SessionMeta, SessionTokens,
    authentication::oauth::{ClientId, OAuthSession, UserSession},
    ruma::{
        RoomId, UserId,
        api::{
            MatrixVersion,
            client::{
                account::whoami,
                admin::{is_user_locked, is_user_suspended, lock_user, suspend_user},
                device::delete_device,
                discovery::{
                    get_authorization_server_metadata::v1::{
                        AccountManagementAction, AuthorizationServerMetadata, CodeChallengeMethod, GrantType,
                        ResponseMode, ResponseType,
                    },
                    get_capabilities, get_supported_versions,
                },
                keys::upload_signing_keys,
                membership::join_room_by_id_or_alias,
                sync::sync_events,
                uiaa::{AuthData, AuthType, OAuthParams},
            },
        },
    },
    store::RoomLoadSettings,
};
use oauth_axum_rs::matrix;

use crate::{
    house::{AS_TOKEN, House, NAME},
    session::{alice, sign_in},
};

/// Who moderates.
async fn bob(house: &House) -> Client {
    let client = house.client().await;
    sign_in(house, &client, ("bob", None)).await;
    client
}

#[tokio::test]
async fn the_versions_are_known_and_more_than_the_oauth_api_needs() {
    let house = House::new().await;
    for client in [house.client().await, alice(&house).await] {
        let answer = client.send(get_supported_versions::Request::new()).await.unwrap();
        let versions = answer.as_supported_versions().versions;
        assert!(versions.contains(&MatrixVersion::V1_15) && versions.contains(&MatrixVersion::V1_18), "{versions:?}");
    }
}

#[tokio::test]
async fn the_metadata_are_whole_at_both_addresses() {
    let house = House::new().await;
    for path in ["v1/auth_metadata", "unstable/org.matrix.msc2965/auth_metadata"] {
        let answer = house.call("GET", &format!("/_matrix/client/{path}"), "", "").await;
        let metadata: AuthorizationServerMetadata = serde_json::from_str(&answer.body).unwrap();
        metadata.validate_urls().unwrap();
        assert!(metadata.response_types_supported.contains(&ResponseType::Code));
        assert!(metadata.code_challenge_methods_supported.contains(&CodeChallengeMethod::S256));
        for mode in [ResponseMode::Query, ResponseMode::Fragment] {
            assert!(metadata.response_modes_supported.contains(&mode), "{mode}");
        }
        for grant in [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::DeviceCode] {
            assert!(metadata.grant_types_supported.contains(&grant), "{grant}");
        }
        use AccountManagementAction as Action;
        for action in [Action::DevicesList, Action::DeviceView, Action::DeviceDelete] {
            assert!(metadata.is_account_management_action_supported(&action), "{action}");
        }
    }
}

#[tokio::test]
async fn an_account_is_told_apart_from_a_guests() {
    let house = House::new().await;
    let client = alice(&house).await;
    for guest in [false, true] {
        house.change("alice", |user| user.guest = guest);
        let answer = client.send(whoami::v3::Request::new()).await.unwrap();
        assert_eq!((answer.user_id.as_str(), answer.is_guest), ("@alice:example.org", guest));
        assert_eq!(answer.device_id.as_deref(), client.device_id());
    }
}

#[tokio::test]
async fn capabilities_say_who_moderates() {
    let house = House::new().await;
    for (client, may) in [(alice(&house).await, false), (bob(&house).await, true)] {
        let answer = client.send(get_capabilities::v3::Request::new()).await.unwrap().capabilities;
        assert!(!answer.change_password.enabled);
        assert_eq!((answer.account_moderation.lock, answer.account_moderation.suspend), (may, may));
    }
}

#[tokio::test]
async fn rooms_are_synced_and_joined() {
    let house = House::new().await;
    let client = alice(&house).await;
    let answer = client.send(sync_events::v3::Request::new()).await.unwrap();
    assert!(!answer.next_batch.is_empty());
    let room = RoomId::parse("!r:example.org").unwrap();
    let answer = client.send(join_room_by_id_or_alias::v3::Request::new(room.clone().into())).await.unwrap();
    assert_eq!(answer.room_id, room);
}

#[tokio::test]
async fn accounts_are_locked_and_suspended() {
    let (house, user) = (House::new().await, UserId::parse("@alice:example.org").unwrap());
    let client = bob(&house).await;
    for on in [true, false] {
        let done = client.send(lock_user::v1::Request::new(user.clone(), on)).await.unwrap();
        let state = client.send(is_user_locked::v1::Request::new(user.clone())).await.unwrap();
        assert_eq!((done.locked, state.locked), (on, on));
        let done = client.send(suspend_user::v1::Request::new(user.clone(), on)).await.unwrap();
        let state = client.send(is_user_suspended::v1::Request::new(user.clone())).await.unwrap();
        assert_eq!((done.suspended, state.suspended), (on, on));
    }
}

#[tokio::test]
async fn keys_are_replaced_after_the_one_stage() {
    let house = House::new().await;
    let client = alice(&house).await;
    let upload = |auth: Option<AuthData>| {
        let mut request = upload_signing_keys::v3::Request::new();
        request.auth = auth;
        client.send(request)
    };
    // Both that ruma has for the second request.
    let answers: [fn(String) -> AuthData; 2] = [AuthData::fallback_acknowledgement, |session| {
        AuthData::new("m.oauth", Some(session), serde_json::Map::new()).unwrap()
    }];
    for answer in answers {
        let error = upload(None).await.unwrap_err();
        let asked = error.as_uiaa_response().unwrap_or_else(|| panic!("{error}"));
        assert_eq!(asked.flows.iter().map(|flow| flow.stages.clone()).collect::<Vec<_>>(), [[AuthType::OAuth]]);
        let params: OAuthParams = asked.params(&AuthType::OAuth).unwrap().unwrap();
        assert!(params.url.starts_with(&house.remote.url), "{}", params.url);
        let session = asked.session.clone().unwrap();
        assert!(upload(Some(answer(session.clone()))).await.unwrap_err().as_uiaa_response().is_some());
        house.stage.approve(&matrix::UserId::new("alice", NAME).unwrap()).unwrap();
        upload(Some(answer(session))).await.unwrap();
    }
}

/// The SDK with the token of an application service, which is its sender.
#[tokio::test]
async fn an_application_service_deletes_a_device_of_its_own() {
    let house = House::new().await;
    let client = house.client().await;
    let meta = SessionMeta { user_id: UserId::parse("@bot:example.org").unwrap(), device_id: "ANY".into() };
    let tokens = SessionTokens { access_token: AS_TOKEN.to_owned(), refresh_token: None };
    let session = OAuthSession { client_id: ClientId::new("none".to_owned()), user: UserSession { meta, tokens } };
    client.oauth().restore_session(session, RoomLoadSettings::default()).await.unwrap();
    let answer = client.whoami().await.unwrap();
    assert_eq!((answer.user_id.as_str(), answer.device_id), ("@bot:example.org", None));
    client.send(delete_device::v3::Request::new("GONE".into())).await.unwrap();
}
