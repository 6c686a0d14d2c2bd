//! Requests that are wrong are refused as Matrix says it, and nothing of them is repeated.

use std::io;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http::{
    Request,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use matrix_homeserver::LARGEST;
use serde_json::json;

use crate::house::House;

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said() {
    let house = House::new().await;
    let token = house.sign_in("ABCDEFGHIJ").await.access;
    let (_, room) = house.call("POST", "/_matrix/client/v3/createRoom", &token, "").await;
    let send = format!("/_matrix/client/v3/rooms/{}/send/m.room.message", room["room_id"].as_str().unwrap());
    let long = format!("{send}/{}", "1".repeat(256));
    let send = &format!("{send}/1");
    let large = &format!(r#"{{"body":"{}"}}"#, "a".repeat(LARGEST));
    let deep = &format!(r#"{{"body":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    for (method, path, body, status, code) in [
        ("PUT", &**send, "{", 400, "M_NOT_JSON"),
        ("PUT", send, "[]", 400, "M_BAD_JSON"),
        ("PUT", send, deep, 400, "M_BAD_JSON"),
        ("PUT", send, large, 413, "M_TOO_LARGE"),
        ("PUT", &long, "{}", 400, "M_INVALID_PARAM"),
        ("PUT", "/_matrix/client/v3/profile/@ada:localhost/displayname", r#"{"displayname":1}"#, 400, "M_BAD_JSON"),
        ("GET", "/_matrix/client/v3/profile/ada", "", 400, "M_INVALID_PARAM"),
        ("GET", "/_matrix/client/v3/profile/%FF", "", 400, "M_INVALID_PARAM"),
        ("POST", "/_matrix/client/v3/join/room", "{}", 400, "M_INVALID_PARAM"),
        ("POST", "/_matrix/client/v3/join/%23alias:localhost", "{}", 404, "M_NOT_FOUND"),
        ("GET", "/_matrix/client/v3/sync?timeout=soon", "", 400, "M_INVALID_PARAM"),
        ("DELETE", "/_matrix/client/v3/account/whoami", "", 405, "M_UNRECOGNIZED"),
        ("GET", "/_matrix/client/v3/publicRooms", "", 404, "M_UNRECOGNIZED"),
    ] {
        let (found, answer) = house.call(method, path, &token, body).await;
        assert_eq!((found.as_u16(), &answer["errcode"]), (status, &json!(code)), "{method} {path} {answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_does_not_end_is_given_up() {
    let house = House::new().await;
    let token = house.sign_in("ABCDEFGHIJ").await.access;
    let request = Request::post("/_matrix/client/v3/createRoom").header(AUTHORIZATION, format!("Bearer {token}"));
    let body = Body::from_stream(stream::pending::<io::Result<Bytes>>());
    let answer = house.send_slowly(request.body(body).unwrap()).await;
    assert_eq!(answer.status(), 408);
}

#[tokio::test]
async fn websites_may_read_every_answer() {
    let house = House::new().await;
    for (method, path, status) in [
        ("GET", "/_matrix/client/v3/profile/@ada:localhost", 200),
        ("OPTIONS", "/_matrix/client/v3/profile/@ada:localhost", 204),
        ("GET", "/_matrix/client/v3/profile/ada", 400),
        ("GET", "/_matrix/client/v3/sync", 401),
        ("OPTIONS", "/_matrix/client/v3/sync", 204),
        ("GET", "/_matrix/client/v3/publicRooms", 404),
    ] {
        let answer = house.send(Request::builder().method(method).uri(path).body("".into()).unwrap()).await;
        assert_eq!(answer.headers()["access-control-allow-origin"], "*", "{method} {path}");
        assert_eq!(answer.status(), status, "{method} {path}");
        assert!(status != 200 || answer.headers()[CONTENT_TYPE] == "application/json");
    }
}
