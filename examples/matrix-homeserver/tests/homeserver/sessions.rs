//! Sessions: how they begin, what they are good for, and how they end.

use http::{Request, StatusCode};
use oauth_axum_rs::matrix::AccountState;
use ruma::{
    api::{
        IncomingResponse,
        client::{
            account::whoami,
            device::get_devices,
            discovery::{get_authorization_server_metadata, get_capabilities, get_supported_versions},
            session::logout,
            sync::sync_events,
        },
    },
    profile::ProfileFieldName,
};
use serde_json::json;

use crate::house::{HERE, House, refused};

const WHOAMI: &str = "/_matrix/client/v3/account/whoami";

#[tokio::test]
async fn a_client_finds_what_it_needs_before_it_has_a_token() {
    let house = House::new().await;
    let versions = house.send(Request::get("/_matrix/client/versions").body("".into()).unwrap()).await;
    let versions = get_supported_versions::Response::try_from_http_response(versions).unwrap();
    assert!(versions.versions.contains(&"v1.15".to_owned()));
    let metadata = house.ask("", get_authorization_server_metadata::v1::Request::new()).await.unwrap();
    let metadata = metadata.metadata.deserialize().unwrap();
    assert_eq!(metadata.issuer.as_str().trim_end_matches('/'), HERE);
    assert_eq!(metadata.registration_endpoint.unwrap().as_str(), format!("{HERE}/register"));
}

#[tokio::test]
async fn a_session_begins_goes_on_and_ends_by_revocation() {
    let house = House::new().await;
    let tokens = house.sign_in("ABCDEFGHIJ").await;
    let me = house.ask(&tokens.access, whoami::v3::Request::new()).await.unwrap();
    assert_eq!(
        (me.user_id.as_str(), me.device_id.as_deref().map(|device| device.as_str()), me.is_guest),
        ("@ada:localhost", Some("ABCDEFGHIJ"), false)
    );
    let tokens = house.refresh(tokens).await;
    assert!(house.ask(&tokens.access, whoami::v3::Request::new()).await.is_ok());
    let capabilities = house.ask(&tokens.access, get_capabilities::v3::Request::new()).await.unwrap();
    assert!(!capabilities.capabilities.change_password.enabled);
    assert!(capabilities.capabilities.profile_fields.unwrap().can_set_field(&ProfileFieldName::DisplayName));
    house.revoke(&tokens).await;
    let over = house.ask(&tokens.access, whoami::v3::Request::new()).await;
    assert_eq!(refused(over), (401, "M_UNKNOWN_TOKEN".to_owned()));
    let (_, answer) = house.call("GET", WHOAMI, &tokens.access, "").await;
    assert_eq!(answer.get("soft_logout"), None, "the session is over");
}

#[tokio::test]
async fn a_device_is_listed_until_it_signs_out() {
    let house = House::new().await;
    let (first, second) = (house.sign_in("ABCDEFGHIJ").await, house.sign_in("KLMNOPQRST").await);
    let listed = async || {
        let devices = house.ask(&second.access, get_devices::v3::Request::new()).await.unwrap().devices;
        assert!(devices.iter().all(|device| device.display_name.as_deref() == Some("A Client")));
        let mut ids: Vec<_> = devices.into_iter().map(|device| device.device_id.to_string()).collect();
        ids.sort();
        ids
    };
    assert_eq!(listed().await, ["ABCDEFGHIJ", "KLMNOPQRST"]);
    house.ask(&first.access, logout::v3::Request::new()).await.unwrap();
    assert_eq!(listed().await, ["KLMNOPQRST"]);
    let over = house.ask(&first.access, whoami::v3::Request::new()).await;
    assert_eq!(refused(over), (401, "M_UNKNOWN_TOKEN".to_owned()));
}

/// Every endpoint that needs a token: whether it is open to suspended accounts.
const ENDPOINTS: [(&str, &str, bool); 10] = [
    ("GET", WHOAMI, true),
    ("GET", "/_matrix/client/v3/capabilities", true),
    ("GET", "/_matrix/client/v3/sync", true),
    ("GET", "/_matrix/client/v3/devices", true),
    ("PUT", "/_matrix/client/v3/profile/@ada:localhost/displayname", false),
    ("POST", "/_matrix/client/v3/createRoom", false),
    ("POST", "/_matrix/client/v3/join/!r:localhost", false),
    ("PUT", "/_matrix/client/v3/rooms/!r:localhost/send/m.room.message/1", false),
    ("POST", "/_matrix/client/v3/keys/device_signing/upload", true),
    ("POST", "/_matrix/client/v3/logout", true),
];

#[tokio::test]
async fn nobody_is_anybody_without_a_token() {
    let house = House::new().await;
    for (method, path, _) in ENDPOINTS {
        let (status, answer) = house.call(method, path, "", "{}").await;
        assert_eq!((status.as_u16(), &answer["errcode"]), (401, &json!("M_MISSING_TOKEN")), "{method} {path}");
        let (status, answer) = house.call(method, path, "mat_no", "{}").await;
        assert_eq!((status.as_u16(), &answer["errcode"]), (401, &json!("M_UNKNOWN_TOKEN")), "{method} {path}");
    }
}

#[tokio::test]
async fn who_is_suspended_reads_and_signs_out() {
    let house = House::new().await;
    let tokens = house.sign_in("ABCDEFGHIJ").await;
    house.ada_is(AccountState::Suspended);
    for (method, path, is_open) in ENDPOINTS {
        let (status, answer) = house.call(method, path, &tokens.access, "{}").await;
        match is_open {
            true => assert_eq!(status, StatusCode::OK, "{method} {path} {answer}"),
            false => {
                assert_eq!((status.as_u16(), &answer["errcode"]), (403, &json!("M_USER_SUSPENDED")), "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn who_is_locked_signs_out_and_nothing_else() {
    let house = House::new().await;
    let tokens = house.sign_in("ABCDEFGHIJ").await;
    house.ada_is(AccountState::Locked);
    for (method, path, _) in ENDPOINTS {
        let (status, answer) = house.call(method, path, &tokens.access, "{}").await;
        match path {
            "/_matrix/client/v3/logout" => assert_eq!(status, StatusCode::OK, "{answer}"),
            _ => assert_eq!(
                (status.as_u16(), &answer["errcode"], &answer["soft_logout"]),
                (401, &json!("M_USER_LOCKED"), &json!(true)),
                "{method} {path}"
            ),
        }
    }
}

#[tokio::test]
async fn who_is_deactivated_is_signed_out() {
    let house = House::new().await;
    let tokens = house.sign_in("ABCDEFGHIJ").await;
    house.ada_is(AccountState::Deactivated);
    let over = house.ask(&tokens.access, sync_events::v3::Request::new()).await;
    assert_eq!(refused(over), (401, "M_UNKNOWN_TOKEN".to_owned()));
}
