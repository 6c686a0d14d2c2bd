//! What administrators do on the admin address: `PUT /admin/users/NAME`.

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    routing::put,
};
use serde::Deserialize;

use super::Users;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    deactivated: Option<bool>,
    guest: Option<bool>,
}

/// The route, for these users.
pub fn router(users: Users) -> Router {
    Router::new().route("/admin/users/{name}", put(change)).with_state(users)
}

async fn change(State(users): State<Users>, Path(name): Path<String>, body: Bytes) -> StatusCode {
    let Ok(wanted) = serde_json::from_slice::<Change>(&body) else { return StatusCode::BAD_REQUEST };
    let done = users.change_named(&name, |user| {
        user.deactivated = wanted.deactivated.unwrap_or(user.deactivated);
        user.guest = wanted.guest.unwrap_or(user.guest);
    });
    if done.is_some() { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}
