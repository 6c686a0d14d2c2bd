//! What administrators do on the admin address: `PUT /admin/users/NAME`.

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    routing::put,
};
use oauth_core::{
    engine::fault::Fault,
    server::{AuthorizationServer, Selection},
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
pub fn router(users: Users, server: AuthorizationServer) -> Router {
    Router::new().route("/admin/users/{name}", put(change)).with_state((users, server))
}

async fn change(
    State((users, server)): State<(Users, AuthorizationServer)>,
    Path(name): Path<String>,
    body: Bytes,
) -> StatusCode {
    let Ok(wanted) = serde_json::from_slice::<Change>(&body) else { return StatusCode::BAD_REQUEST };
    let done = users.change_named(&name, |user| {
        user.deactivated = wanted.deactivated.unwrap_or(user.deactivated);
        user.guest = wanted.guest.unwrap_or(user.guest);
    });
    if done.is_none() {
        return StatusCode::NOT_FOUND;
    }
    if wanted.deactivated == Some(true)
        && let Err(error) = end_sessions(&server, name).await
    {
        tracing::error!(%error, "the sessions of a user were not ended");
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    StatusCode::NO_CONTENT
}

/// So that a homeserver elsewhere, which remembers what it was told of tokens, hears of it at once.
async fn end_sessions(server: &AuthorizationServer, name: String) -> Result<(), Fault> {
    // What can be wrong with it is a time in the future, and there is none in it.
    let Ok(mut all) = server.revoke_all(Selection::Subject(name)) else { return Ok(()) };
    while let Some(step) = all.next().await {
        step?;
    }
    server.revocations().settled().await;
    Ok(())
}
