//! What the example homeserver refuses, as ruma's error types take it.

use std::time::Duration;

use matrix_sdk::ruma::api::{
    EndpointError,
    error::{Error, ErrorKind, RetryAfter},
};

use crate::{
    house::{AS_TOKEN, House},
    session::{access_token, alice, refresh_token, sign_in},
    support::Answer,
};

const WHOAMI: &str = "/_matrix/client/v3/account/whoami";
const CAPABILITIES: &str = "/_matrix/client/v3/capabilities";
const JOIN: &str = "/_matrix/client/v3/join/!r:example.org";
const LOCK: &str = "/_matrix/client/v1/admin/lock/@alice:example.org";

/// The status, and the kind that ruma finds in it.
fn kind(answer: &Answer) -> (u16, ErrorKind) {
    let mut response = http::Response::builder().status(answer.status);
    response.headers_mut().unwrap().clone_from(&answer.headers);
    let error = Error::from_http_response(response.body(answer.body.as_bytes()).unwrap());
    let kind = error.error_kind().unwrap_or_else(|| panic!("ruma knows no error in {answer}"));
    (error.status_code.as_u16(), kind.clone())
}

/// Sends it, and holds the answer to a status and a kind without data.
async fn is(house: &House, (method, path, token, body): (&str, &str, &str, &str), status: u16, expected: ErrorKind) {
    let answer = house.call(method, path, token, body).await;
    assert_eq!(kind(&answer), (status, expected), "{method} {path}: {answer}");
}

/// The same for `M_UNKNOWN_TOKEN`.
async fn is_unknown(house: &House, token: &str, soft: bool) {
    let answer = house.call("GET", WHOAMI, token, "").await;
    match kind(&answer) {
        (401, ErrorKind::UnknownToken(data)) => assert_eq!(data.soft_logout, soft, "{answer}"),
        _ => panic!("{answer}"),
    }
}

#[tokio::test]
async fn tokens_that_are_no_good() {
    let house = House::new().await;
    let client = alice(&house).await;
    let (access, refresh) = (access_token(&client), refresh_token(&client));
    is(&house, ("GET", WHOAMI, "", ""), 401, ErrorKind::MissingToken).await;
    is_unknown(&house, "junk", false).await;
    is_unknown(&house, &refresh, false).await;
    house.clock.advance(3600);
    is_unknown(&house, &access, true).await;
    client.logout().await.unwrap();
    is_unknown(&house, &access, false).await;
}

#[tokio::test]
async fn accounts_that_may_not() {
    let house = House::new().await;
    let token = access_token(&alice(&house).await);
    house.change("alice", |user| user.guest = true);
    is(&house, ("GET", CAPABILITIES, &token, ""), 403, ErrorKind::GuestAccessForbidden).await;
    house.change("alice", |user| (user.guest, user.suspended) = (false, true));
    is(&house, ("POST", JOIN, &token, ""), 403, ErrorKind::UserSuspended).await;
    house.change("alice", |user| user.locked = true);
    is(&house, ("GET", WHOAMI, &token, ""), 401, ErrorKind::UserLocked).await;
    house.change("alice", |user| user.deactivated = true);
    is_unknown(&house, &token, false).await;
}

#[tokio::test]
async fn requests_that_are_no_good() {
    let house = House::new().await;
    let bob = house.client().await;
    sign_in(&house, &bob, ("bob", None)).await;
    let (bob, alice) = (access_token(&bob), access_token(&alice(&house).await));
    is(&house, ("PUT", LOCK, &alice, "{}"), 403, ErrorKind::Forbidden).await;
    is(&house, ("PUT", LOCK, &bob, "{"), 400, ErrorKind::NotJson).await;
    is(&house, ("PUT", LOCK, &bob, "{}"), 400, ErrorKind::BadJson).await;
    let path = |user: &str| format!("/_matrix/client/v1/admin/lock/{user}");
    is(&house, ("GET", &path("@nobody:example.org"), &bob, ""), 404, ErrorKind::NotFound).await;
    is(&house, ("GET", &path("@alice:elsewhere.org"), &bob, ""), 400, ErrorKind::InvalidParam).await;
    let long = format!("\"{}\"", "x".repeat(3 << 20));
    is(&house, ("PUT", LOCK, &bob, &long), 413, ErrorKind::TooLarge).await;
    is(&house, ("POST", WHOAMI, &bob, ""), 405, ErrorKind::Unrecognized).await;
    is(&house, ("DELETE", "/_matrix/client/v3/devices/X", &alice, ""), 403, ErrorKind::Forbidden).await;
    is(&house, ("GET", &format!("{WHOAMI}?user_id=@alice:example.org"), AS_TOKEN, ""), 403, ErrorKind::Forbidden).await;
}

#[tokio::test]
async fn endpoints_that_there_are_not() {
    let house = House::new().await;
    for path in ["/_matrix/client/v3/login", "/_matrix/client/v9/nothing", "/_matrix/federation/v1/version"] {
        is(&house, ("GET", path, "", ""), 404, ErrorKind::Unrecognized).await;
    }
    let without = House::with_profile(oauth_core::profile::Matrix::without_api).await;
    is(&without, ("GET", "/_matrix/client/v1/auth_metadata", "", ""), 404, ErrorKind::Unrecognized).await;
}

#[tokio::test]
async fn too_much_of_it() {
    const MOST: u32 = 10;
    let house = House::with_home(|matrix| matrix.limit_users(MOST, Duration::from_secs(50))).await;
    let token = access_token(&alice(&house).await);
    let mut answer = house.call("GET", WHOAMI, &token, "").await;
    for _ in 0..MOST {
        answer = house.call("GET", WHOAMI, &token, "").await;
    }
    match kind(&answer) {
        (429, ErrorKind::LimitExceeded(data)) => {
            assert_eq!(data.retry_after, Some(RetryAfter::Delay(Duration::from_secs(5))), "{answer}");
        }
        _ => panic!("{answer}"),
    }
}
