//! Locking and suspending, for administrators ("Account moderation").

use axum::{
    Json, Router,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::StatusCode,
    routing::get,
};
use oauth_axum_rs::matrix::{Matrix, MatrixError, MatrixRejection, MatrixSession, UserId};
use serde_json::{Value, json};

use super::{Homeserver, NotChanged, User, path::Named};

type Answer = Result<Json<Value>, MatrixRejection>;

pub(super) fn router(matrix: &Matrix) -> Router<Homeserver> {
    let lock = get(async |state, session, user| show(LOCK, state, session, user).await)
        .put(async |state, session, user, body| change(LOCK, state, session, user, body).await);
    let suspend = get(async |state, session, user| show(SUSPEND, state, session, user).await)
        .put(async |state, session, user, body| change(SUSPEND, state, session, user, body).await);
    Router::new()
        .route("/_matrix/client/v1/admin/lock/{user}", lock.layer(matrix.layer()))
        .route("/_matrix/client/v1/admin/suspend/{user}", suspend.layer(matrix.layer()))
}

/// One of the two things that can be done to a user.
#[derive(Clone, Copy)]
struct Measure {
    name: &'static str,
    of: fn(&mut User) -> &mut bool,
}

const LOCK: Measure = Measure { name: "locked", of: |user| &mut user.locked };
const SUSPEND: Measure = Measure { name: "suspended", of: |user| &mut user.suspended };

async fn show(measure: Measure, State(home): State<Homeserver>, session: MatrixSession, Named(user): Named) -> Answer {
    let user = whom(&home, &session, &user)?;
    let found = home.users.find(user.localpart()).await.map_err(|error| refusal(&error.into()))?;
    let mut user = found.ok_or_else(not_found)?;
    Ok(Json(json!({ measure.name: *(measure.of)(&mut user) })))
}

async fn change(
    measure: Measure,
    State(home): State<Homeserver>,
    session: MatrixSession,
    Named(user): Named,
    body: Result<Bytes, BytesRejection>,
) -> Answer {
    let user = whom(&home, &session, &user)?;
    let wanted = wanted(measure, body)?;
    // Nobody locks themselves out, nor another who could undo it.
    if home.users.is_admin(&user) {
        return Err(MatrixError::forbidden("not for administrators").into());
    }
    let done = home.users.apply(user.localpart(), move |user| *(measure.of)(user) = wanted).await;
    done.map_err(|error| refusal(&error))?;
    Ok(Json(json!({ measure.name: wanted })))
}

/// Who is meant. "servers MUST ensure that authorization is checked prior to trying to do account
/// lookups".
fn whom(home: &Homeserver, session: &MatrixSession, user: &str) -> Result<UserId, MatrixError> {
    if !home.users.is_admin(session.user()) {
        return Err(MatrixError::forbidden("only for administrators"));
    }
    let local = UserId::parse(user).ok().filter(|user| user.server() == home.matrix.server_name());
    local.ok_or_else(|| MatrixError::new(StatusCode::BAD_REQUEST, "M_INVALID_PARAM", "no user of this server"))
}

fn wanted(measure: Measure, body: Result<Bytes, BytesRejection>) -> Result<bool, MatrixError> {
    let bad = |errcode, error| MatrixError::new(StatusCode::BAD_REQUEST, errcode, error);
    let body = body.map_err(|_| MatrixError::new(StatusCode::PAYLOAD_TOO_LARGE, "M_TOO_LARGE", "too large"))?;
    let body: Value = serde_json::from_slice(&body).map_err(|_| bad("M_NOT_JSON", "the content is no JSON"))?;
    let wanted = body.get(measure.name).and_then(Value::as_bool);
    wanted.ok_or_else(|| bad("M_BAD_JSON", "the content lacks a boolean"))
}

/// What cannot be written down was not done.
fn refusal(error: &NotChanged) -> MatrixError {
    match error {
        NotChanged::NoUser => not_found(),
        NotChanged::File(error) => {
            tracing::error!(%error, "the accounts cannot be asked, or changed");
            MatrixError::unavailable(2)
        }
    }
}

fn not_found() -> MatrixError {
    MatrixError::new(StatusCode::NOT_FOUND, "M_NOT_FOUND", "no such user")
}
