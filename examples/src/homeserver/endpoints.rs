//! What the endpoints answer.

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
};
use oauth_axum_rs::{
    Secret,
    matrix::{DeviceId, MatrixError, MatrixRejection, MatrixSession},
};
use serde_json::{Value, json};

use super::{Ending, Homeserver, path::Named};

type Answer = Result<Json<Value>, MatrixRejection>;

/// What every client asks first. It may say more to those it knows.
pub(super) async fn versions(_session: Option<MatrixSession>) -> Json<Value> {
    Json(json!({ "versions": ["v1.15", "v1.16", "v1.17", "v1.18", "v1.19"], "unstable_features": {} }))
}

/// "Server metadata discovery": 404 where the OAuth 2.0 API is not supported.
pub(super) async fn auth_metadata(State(home): State<Homeserver>) -> Answer {
    let metadata = home.metadata.as_deref().cloned();
    metadata.map(Json).ok_or_else(|| MatrixError::unrecognized().into())
}

pub(super) async fn whoami(session: MatrixSession) -> Json<Value> {
    let mut answer = json!({ "user_id": session.user().as_str(), "is_guest": session.is_guest() });
    if let (Some(device), Some(members)) = (session.device(), answer.as_object_mut()) {
        members.insert("device_id".into(), device.as_str().into());
    }
    Json(answer)
}

pub(super) async fn capabilities(State(home): State<Homeserver>, session: MatrixSession) -> Json<Value> {
    let may = home.users.is_admin(session.user());
    Json(json!({ "capabilities": {
        "m.change_password": { "enabled": false },
        "m.account_moderation": { "lock": may, "suspend": may },
    }}))
}

/// Nothing ever happens here.
pub(super) async fn sync(_session: MatrixSession) -> Json<Value> {
    Json(json!({ "next_batch": "s0" }))
}

pub(super) async fn join(_session: MatrixSession, Named(room): Named) -> Json<Value> {
    Json(json!({ "room_id": room }))
}

pub(super) async fn logout(State(home): State<Homeserver>, session: MatrixSession, headers: HeaderMap) -> Answer {
    end(&home, &session, &headers, false).await
}

pub(super) async fn logout_all(State(home): State<Homeserver>, session: MatrixSession, headers: HeaderMap) -> Answer {
    end(&home, &session, &headers, true).await
}

/// The first keys need nothing more (MSC3967); here, everybody has some.
pub(super) async fn upload_keys(State(home): State<Homeserver>, session: MatrixSession, body: Bytes) -> Answer {
    let bad = || MatrixError::new(StatusCode::BAD_REQUEST, "M_NOT_JSON", "the content is no JSON");
    let body: Value = serde_json::from_slice(&body).map_err(|_| bad())?;
    let Some(stage) = &home.stage else { return Err(MatrixError::forbidden("keys cannot be replaced").into()) };
    stage.check(session.user(), body.get("auth"))?;
    Ok(Json(json!({})))
}

/// A device is gone with its session, where sessions can be ended here.
pub(super) async fn delete_device(
    State(home): State<Homeserver>,
    session: MatrixSession,
    headers: HeaderMap,
    Named(device): Named,
) -> Answer {
    let Ok(device) = DeviceId::new(&device) else { return Ok(Json(json!({}))) };
    if let Some(sign_out) = &home.sign_out {
        let (user, device) = (session.user().clone(), Some(device.clone()));
        let ended = sign_out(Ending { user, device, token: token_of(&headers), all: false }).await;
        ended.map_err(|_| MatrixError::unavailable(2))?;
    }
    home.users.delete_device(session.user(), device);
    Ok(Json(json!({})))
}

async fn end(home: &Homeserver, session: &MatrixSession, headers: &HeaderMap, all: bool) -> Answer {
    let Some(sign_out) = &home.sign_out else { return Err(MatrixError::unrecognized().into()) };
    let token = token_of(headers);
    let ended = sign_out(Ending { user: session.user().clone(), device: session.device().cloned(), token, all }).await;
    ended.map(|()| Json(json!({}))).map_err(|_| MatrixError::unavailable(2).into())
}

fn token_of(headers: &HeaderMap) -> Secret {
    let said = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    Secret::new(said.and_then(|said| said.split_once(' ')).map_or("", |(_, token)| token.trim()))
}
