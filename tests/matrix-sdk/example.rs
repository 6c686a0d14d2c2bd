//! The example with ruma's types, `examples/matrix-homeserver`: the SDK signs in there, and asks all that is there.

use matrix_homeserver::{Homeserver, app, authorization_server};
use matrix_sdk::{
    Client,
    config::SyncSettings,
    ruma::{
        api::client::{
            device::get_devices,
            keys::upload_signing_keys,
            message::send_message_event,
            room::create_room,
            uiaa::{AuthData, AuthType, OAuthParams},
        },
        encryption::CrossSigningKey,
        events::room::message::RoomMessageEventContent,
        serde::Raw,
    },
};
use oauth_axum_rs::pages::{Pages, PasswordUsers};
use tokio::net::TcpListener;

use crate::{
    house::{NAME, serve},
    program::client_at,
    session::{decide_at, finish, is_over, refresh_token, verdict},
    support::{Authority, PASSWORD, Visitor},
};

/// The example behind TLS, and alice, who is signed in there with the SDK.
async fn alice() -> (Authority, Client) {
    let (authority, listener) = (Authority::new(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let users = PasswordUsers::default().insecure_plain("alice", PASSWORD);
    let server = authorization_server(&url, NAME, users.clone()).await.unwrap();
    let home = Homeserver::new(&server, NAME, &["alice"]).unwrap();
    serve(listener, &authority, app(&home, Pages::new(&server, users)));
    let client = client_at(&url, &authority).await;
    let page = decide_at(Visitor::new(authority.client()), &client, ("alice", Some("ABCDEFGHIJ")), "approve").await;
    finish(&client, &page).await;
    (authority, client)
}

#[tokio::test]
async fn a_session_at_the_example_begins_goes_on_and_ends() {
    let (_authority, client) = alice().await;
    let me = client.whoami().await.unwrap();
    assert_eq!((me.user_id.as_str(), me.device_id.unwrap().as_str()), ("@alice:example.org", "ABCDEFGHIJ"));
    let before = refresh_token(&client);
    client.oauth().refresh_access_token().await.unwrap();
    assert_ne!(refresh_token(&client), before);
    let devices = client.send(get_devices::v3::Request::new()).await.unwrap().devices;
    assert_eq!((devices.len(), devices[0].device_id.as_str()), (1, "ABCDEFGHIJ"));
    client.logout().await.unwrap();
    assert_eq!(verdict(client.whoami().await), Some(false));
    is_over(&client).await;
}

#[tokio::test]
async fn what_is_sent_there_comes_back_with_the_next_sync() {
    let (_authority, client) = alice().await;
    client.account().set_display_name(Some("Alice")).await.unwrap();
    let profile = client.account().fetch_user_profile().await.unwrap();
    assert_eq!(profile.get("displayname").unwrap(), "Alice");
    let first = client.sync_once(SyncSettings::default()).await.unwrap();
    let room = client.send(create_room::v3::Request::new()).await.unwrap().room_id;
    let content = RoomMessageEventContent::text_plain("hello");
    let event = send_message_event::v3::Request::new(room.clone(), "1".into(), &content).unwrap();
    client.send(event).await.unwrap();
    let news = client.sync_once(SyncSettings::default().token(first.next_batch)).await.unwrap();
    assert_eq!(news.rooms.joined[&room].timeline.events.len(), 3);
    assert_eq!(client.joined_rooms().len(), 1);
}

#[tokio::test]
async fn keys_are_replaced_there_after_the_user_has_agreed_on_its_page() {
    let (authority, client) = alice().await;
    let upload = |auth: Option<AuthData>| {
        let mut request = upload_signing_keys::v3::Request::new();
        let key = r#"{"user_id":"@alice:example.org","usage":["master"],"keys":{}}"#;
        request.master_key = Some(Raw::<CrossSigningKey>::from_json_string(key.to_owned()).unwrap());
        request.auth = auth;
        client.send(request)
    };
    upload(None).await.unwrap();
    let error = upload(None).await.unwrap_err();
    let asked = error.as_uiaa_response().unwrap_or_else(|| panic!("{error}"));
    let params: OAuthParams = asked.params(&AuthType::OAuth).unwrap().unwrap();
    let acknowledged = || Some(AuthData::fallback_acknowledgement(asked.session.clone().unwrap()));
    let mut visitor = Visitor::new(authority.client());
    // Nobody is signed in with this browser yet.
    assert!(!visitor.go(&params.url).await.has("approve"));
    let devices = visitor.go(&params.url.replace("reset-keys", "devices")).await;
    visitor.press(&devices, "sign-in", &[("username", "alice"), ("password", PASSWORD)]).await;
    let page = visitor.go(&params.url).await;
    assert!(upload(acknowledged()).await.is_err());
    visitor.press(&page, "approve", &[]).await;
    upload(acknowledged()).await.unwrap();
    // Once.
    assert!(upload(acknowledged()).await.is_err());
}
