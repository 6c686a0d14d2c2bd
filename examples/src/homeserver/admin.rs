//! What administrators do on the admin address: `PUT /admin/users/NAME`.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{
        Path, State,
        rejection::{BytesRejection, PathRejection},
    },
    http::StatusCode,
    routing::put,
};
use oauth_core::{
    engine::fault::Fault,
    server::{AuthorizationServer, Selection},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{NotChanged, User, Users};

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

/// With what status nothing was done, and why: as everywhere on this address.
type Refused = (StatusCode, Json<Value>);

async fn change(
    State((users, server)): State<(Users, AuthorizationServer)>,
    name: Result<Path<String>, PathRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Refused> {
    let Path(name) = name.map_err(|_| refused(StatusCode::BAD_REQUEST, "the name is not UTF-8"))?;
    let body = body.map_err(|_| refused(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long"))?;
    let bad = |_| refused(StatusCode::BAD_REQUEST, "the body must be one JSON object with `deactivated` or `guest`");
    let wanted: Change = serde_json::from_slice(&body).map_err(bad)?;
    let gone = wanted.deactivated == Some(true);
    users.apply(&name, move |user| wanted.make(user)).await.map_err(|error| not_changed(&error))?;
    if gone && let Err(error) = end_sessions(&server, name).await {
        tracing::error!(%error, "the sessions of a user were not ended");
        return Err(refused(
            StatusCode::SERVICE_UNAVAILABLE,
            "done, but the user's sessions were not ended: ask again",
        ));
    }
    Ok(StatusCode::NO_CONTENT)
}

impl Change {
    fn make(self, user: &mut User) {
        user.deactivated = self.deactivated.unwrap_or(user.deactivated);
        user.guest = self.guest.unwrap_or(user.guest);
    }
}

fn not_changed(error: &NotChanged) -> Refused {
    match error {
        NotChanged::NoUser => refused(StatusCode::NOT_FOUND, "no user has this name"),
        NotChanged::File(error) => {
            tracing::error!(%error, "a user was not changed");
            refused(StatusCode::SERVICE_UNAVAILABLE, "the accounts cannot be written: nothing was done")
        }
    }
}

fn refused(status: StatusCode, error: &str) -> Refused {
    (status, Json(json!({ "error": error })))
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
