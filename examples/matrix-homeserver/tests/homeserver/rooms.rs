//! Rooms, profiles and keys.

use std::{pin::pin, time::Duration};

use http::Request;
use ruma::{
    OwnedRoomId, UserId,
    api::{
        client::{
            keys::upload_signing_keys,
            membership::join_room_by_id_or_alias,
            message::send_message_event,
            profile::{get_profile, set_profile_field},
            room::create_room,
            sync::sync_events,
            uiaa::{AuthData, AuthType, OAuthParams, UiaaInfo, UiaaResponse},
        },
        error::FromHttpResponseError,
    },
    encryption::CrossSigningKey,
    events::room::message::RoomMessageEventContent,
    profile::ProfileFieldValue,
    serde::Raw,
};
use tokio::time::timeout;

use crate::house::{HERE, House, refused};

fn message(room: &OwnedRoomId, transaction: &str) -> send_message_event::v3::Request {
    let content = RoomMessageEventContent::text_plain("hello");
    send_message_event::v3::Request::new(room.clone(), transaction.into(), &content).unwrap()
}

fn join(room: &OwnedRoomId) -> join_room_by_id_or_alias::v3::Request {
    join_room_by_id_or_alias::v3::Request::new(room.clone().into())
}

fn sync(since: Option<&str>, seconds: u64) -> sync_events::v3::Request {
    let mut request = sync_events::v3::Request::new();
    request.since = since.map(str::to_owned);
    request.timeout = Some(Duration::from_secs(seconds));
    request
}

/// "Transaction IDs are scoped to a device": a new token is the same device.
#[tokio::test]
async fn an_event_that_is_sent_again_after_a_refresh_is_the_same_one() {
    let house = House::new().await;
    let (tokens, other) = (house.sign_in("ABCDEFGHIJ").await, house.sign_in("KLMNOPQRST").await);
    let room = house.ask(&tokens.access, create_room::v3::Request::new()).await.unwrap().room_id;
    let first = house.ask(&tokens.access, message(&room, "1")).await.unwrap().event_id;
    let before = tokens.access.clone();
    let tokens = house.refresh(tokens).await;
    assert_ne!(tokens.access, before);
    assert_eq!(house.ask(&tokens.access, message(&room, "1")).await.unwrap().event_id, first);
    assert_ne!(house.ask(&tokens.access, message(&room, "2")).await.unwrap().event_id, first);
    assert_ne!(house.ask(&other.access, message(&room, "1")).await.unwrap().event_id, first);
}

#[tokio::test]
async fn what_is_said_in_a_room_is_for_its_members() {
    let (ada, grace) = House::with_grace().await;
    let (a, g) = (ada.sign_in("ABCDEFGHIJ").await, grace.sign_in("ABCDEFGHIJ").await);
    let room = ada.ask(&a.access, create_room::v3::Request::new()).await.unwrap().room_id;
    assert_eq!(refused(grace.ask(&g.access, message(&room, "1")).await), (403, "M_FORBIDDEN".to_owned()));
    let before = grace.ask(&g.access, sync(None, 0)).await.unwrap();
    assert!(before.rooms.is_empty());
    assert_eq!(grace.ask(&g.access, join(&room)).await.unwrap().room_id, room);
    ada.ask(&a.access, message(&room, "1")).await.unwrap();
    let news = grace.ask(&g.access, sync(Some(&before.next_batch), 0)).await.unwrap();
    let types: Vec<_> = news.rooms.join[&room]
        .timeline
        .events
        .iter()
        .map(|event| event.deserialize().unwrap().event_type().to_string())
        .collect();
    assert_eq!(types, ["m.room.member", "m.room.message"]);
    let elsewhere = join(&OwnedRoomId::try_from("!elsewhere:localhost").unwrap());
    assert_eq!(refused(grace.ask(&g.access, elsewhere).await), (404, "M_NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn who_waits_for_news_asks_again_as_soon_as_there_is_some() {
    let house = House::new().await;
    let tokens = house.sign_in("ABCDEFGHIJ").await;
    let room = house.ask(&tokens.access, create_room::v3::Request::new()).await.unwrap().room_id;
    let batch = house.ask(&tokens.access, sync(None, 0)).await.unwrap().next_batch;
    let mut waits = pin!(house.ask(&tokens.access, sync(Some(&batch), 30)));
    tokio::select! {
        biased;
        _ = &mut waits => panic!("there was nothing yet"),
        said = house.ask(&tokens.access, message(&room, "1")) => drop(said.unwrap()),
    }
    let answer = timeout(Duration::from_secs(10), waits).await.unwrap().unwrap();
    // Whoever is signed out meanwhile learns nothing.
    assert!(answer.rooms.is_empty() && answer.next_batch == batch);
    let news = house.ask(&tokens.access, sync(Some(&answer.next_batch), 30)).await.unwrap();
    assert_eq!(news.rooms.join[&room].timeline.events.len(), 1);
}

#[tokio::test]
async fn a_name_is_its_owners_to_change() {
    let (ada, grace) = House::with_grace().await;
    let (a, g) = (ada.sign_in("ABCDEFGHIJ").await, grace.sign_in("ABCDEFGHIJ").await);
    let user = UserId::parse("@ada:localhost").unwrap();
    let rename =
        |name: &str| set_profile_field::v3::Request::new(user.clone(), ProfileFieldValue::DisplayName(name.to_owned()));
    ada.ask(&a.access, rename("Ada")).await.unwrap();
    assert_eq!(refused(grace.ask(&g.access, rename("Grace")).await), (403, "M_FORBIDDEN".to_owned()));
    let too_long = rename(&"a".repeat(257));
    assert_eq!(refused(ada.ask(&a.access, too_long).await), (400, "M_INVALID_PARAM".to_owned()));
    // Everybody may know it.
    let profile = ada.ask("", get_profile::v3::Request::new(user.clone())).await.unwrap();
    assert_eq!(profile.get("displayname").unwrap(), "Ada");
    let nobody = get_profile::v3::Request::new(UserId::parse("@nobody:localhost").unwrap());
    assert_eq!(refused(ada.ask("", nobody).await), (404, "M_NOT_FOUND".to_owned()));
}

/// The page where the user says so is tried with a browser's help in `tests/matrix-sdk`.
#[tokio::test]
async fn keys_are_replaced_only_when_the_user_has_said_so() {
    let house = House::new().await;
    let tokens = house.sign_in("ABCDEFGHIJ").await;
    let upload = async |auth: Option<AuthData>| {
        let mut request = upload_signing_keys::v3::Request::new();
        let key = r#"{"user_id":"@ada:localhost","usage":["master"],"keys":{}}"#;
        request.master_key = Some(Raw::<CrossSigningKey>::from_json_string(key.to_owned()).unwrap());
        request.auth = auth;
        house.ask(&tokens.access, request).await
    };
    // The first.
    upload(None).await.unwrap();
    let asked = stage(upload(None).await);
    assert_eq!(asked.flows.iter().map(|flow| flow.stages.clone()).collect::<Vec<_>>(), [[AuthType::OAuth]]);
    let params: OAuthParams = asked.params(&AuthType::OAuth).unwrap().unwrap();
    assert_eq!(params.url, format!("{HERE}/reset-keys"));
    let session = asked.session.unwrap();
    stage(upload(Some(AuthData::fallback_acknowledgement(session.clone()))).await);
    // Neither a form of another website says so, nor somebody who is not signed in.
    for site in ["cross-site", "same-site", "none"] {
        let request = Request::post("/reset-keys").header("sec-fetch-site", site);
        assert_eq!(house.send(request.body("".into()).unwrap()).await.status(), 403);
    }
    assert_eq!(house.send(Request::post("/reset-keys").body("".into()).unwrap()).await.status(), 403);
    let request = Request::post("/reset-keys").header("sec-fetch-site", "same-origin");
    let page = house.send(request.body("".into()).unwrap()).await;
    assert!(str::from_utf8(page.body()).unwrap().contains("Please sign in"));
    stage(upload(Some(AuthData::fallback_acknowledgement(session))).await);
}

#[track_caller]
fn stage<T>(answer: Result<T, FromHttpResponseError<UiaaResponse>>) -> UiaaInfo {
    match answer {
        Err(FromHttpResponseError::Server(UiaaResponse::AuthResponse(info))) => info,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("nothing was asked"),
    }
}
