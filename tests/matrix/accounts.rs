//! The state of accounts: cases 23 to 26.

use http::StatusCode;
use oauth_axum_rs::matrix::AccountFuture;
use serde_json::json;

use super::*;

const LOGOUT: [&str; 2] = ["/_matrix/client/v3/logout", "/_matrix/client/v3/logout/all"];

async fn home() -> Home {
    let service = Service::new().await;
    service.good("t", json!({}));
    service.good("admin", json!({ "username": "root" }));
    Home::asking(&service, |settings| settings).await
}

// spec: MTX-18
#[tokio::test]
async fn case_23_a_locked_user_may_sign_out_and_nothing_else_until_unlocked() {
    let home = home().await;
    is_user(&home.get(WHOAMI, "t").await, "@alice:example.org");
    let lock = "/_matrix/client/v1/admin/lock/@alice:example.org";
    let put = |body: &'static str| home.send("PUT", lock, &[("authorization", "Bearer admin")], body);
    assert_eq!(put(r#"{"locked":true}"#).await.member("locked"), true);
    for path in [WHOAMI, SYNC, CAPABILITIES, VERSIONS] {
        let answer = home.get(path, "t").await;
        is_refused(&answer, 401, "M_USER_LOCKED");
        assert_eq!(answer.member("soft_logout"), true, "{answer}");
    }
    is_refused(&home.post(JOIN, "t").await, 401, "M_USER_LOCKED");
    for path in LOGOUT {
        assert_eq!(home.post(path, "t").await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(put(r#"{"locked":false}"#).await.member("locked"), false);
    is_user(&home.get(WHOAMI, "t").await, "@alice:example.org");
}

#[tokio::test]
async fn case_24_a_suspended_user_may_sync_and_may_not_join() {
    let home = home().await;
    home.change("alice", |alice| alice.suspended = true);
    for path in [WHOAMI, SYNC, CAPABILITIES, VERSIONS] {
        assert_eq!(home.get(path, "t").await.status, StatusCode::OK, "{path}");
    }
    for path in LOGOUT {
        assert_eq!(home.post(path, "t").await.status, StatusCode::OK, "{path}");
    }
    is_refused(&home.post(JOIN, "t").await, 403, "M_USER_SUSPENDED");
    home.change("alice", |alice| alice.suspended = false);
    assert_eq!(home.post(JOIN, "t").await.member("room_id"), "!r:example.org");
}

#[tokio::test]
async fn case_25_no_token_of_a_deactivated_user_is_good_anywhere() {
    let home = home().await;
    is_user(&home.get(WHOAMI, "t").await, "@alice:example.org");
    home.change("alice", |alice| alice.deactivated = true);
    for path in [WHOAMI, SYNC, CAPABILITIES, VERSIONS] {
        is_unknown(&home.get(path, "t").await, false);
    }
    for path in [JOIN, LOGOUT[0], LOGOUT[1]] {
        is_unknown(&home.post(path, "t").await, false);
    }
}

#[tokio::test]
async fn case_26_a_guest_gets_where_guests_may_go() {
    let home = home().await;
    home.change("alice", |alice| alice.guest = true);
    let answer = home.get(WHOAMI, "t").await;
    is_user(&answer, "@alice:example.org");
    assert_eq!(answer.member("is_guest"), true);
    assert_eq!(home.get(SYNC, "t").await.status, StatusCode::OK);
    is_refused(&home.get(CAPABILITIES, "t").await, 403, "M_GUEST_ACCESS_FORBIDDEN");
    assert_eq!(home.post(JOIN, "t").await.status, StatusCode::OK);
}

#[tokio::test]
async fn only_administrators_moderate_and_none_of_them_is_moderated() {
    let home = home().await;
    let put = |token: &'static str, what: &'static str, user: &'static str, body: &'static str| {
        let authorization = format!("Bearer {token}");
        let path = format!("/_matrix/client/v1/admin/{what}/{user}");
        let home = &home;
        async move { home.send("PUT", &path, &[("authorization", &*authorization)], body).await }
    };
    let lock = r#"{"locked":true}"#;
    // Before anybody is looked up.
    is_refused(&put("t", "lock", "@nobody:example.org", lock).await, 403, "M_FORBIDDEN");
    is_refused(&put("admin", "lock", "@nobody:example.org", lock).await, 404, "M_NOT_FOUND");
    is_refused(&put("admin", "lock", "@alice:elsewhere.org", lock).await, 400, "M_INVALID_PARAM");
    is_refused(&put("admin", "lock", "@root:example.org", lock).await, 403, "M_FORBIDDEN");
    is_refused(&put("admin", "lock", "@alice:example.org", "{").await, 400, "M_NOT_JSON");
    is_refused(&put("admin", "suspend", "@alice:example.org", lock).await, 400, "M_BAD_JSON");
    let suspend = r#"{"suspended":true}"#;
    assert_eq!(put("admin", "suspend", "@alice:example.org", suspend).await.member("suspended"), true);
    let show = home.get("/_matrix/client/v1/admin/suspend/@alice:example.org", "admin").await;
    assert_eq!(show.json(), json!({ "suspended": true }));
}

/// Accounts that cannot be asked.
#[derive(Debug)]
struct Down;

impl Accounts for Down {
    fn account<'a>(&'a self, _: &'a UserId, _: Option<&'a DeviceId>) -> AccountFuture<'a> {
        Box::pin(async { Err("no connection".into()) })
    }
}

#[tokio::test]
async fn accounts_that_cannot_be_asked_are_an_outage() {
    let service = Service::new().await;
    service.good("t", json!({}));
    let home = Home::asking(&service, |settings| settings.accounts(Down)).await;
    for path in [WHOAMI, VERSIONS] {
        let answer = home.get(path, "t").await;
        is_refused(&answer, 503, "M_UNKNOWN");
        assert!(!answer.body.contains("connection"), "{answer}");
    }
    assert_eq!(home.send("GET", VERSIONS, &[], "").await.status, StatusCode::OK);
}
