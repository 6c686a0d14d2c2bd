//! Revoking much at once: `POST /admin/revoke`, and `--revoke-issued-before`.

mod ask;

use std::{convert::Infallible, path::Path};

use axum::{
    Json, Router,
    body::Body,
    extract::{State, rejection::JsonRejection},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::post,
};
use futures_util::{
    StreamExt,
    future::ready,
    stream::{once, unfold},
};
use oauth_axum_rs::AuthorizationServer;
use oauth_core::{
    clock::UnixTime,
    server::{BulkRevocation, Progress, Selection},
};
use serde_json::json;

use self::ask::Members;
pub use self::ask::time;
use crate::{
    bus, complain,
    config::{Config, Mistakes, StoreKind},
    events::EventLog,
    root_secret,
    start::{self, OpenStore},
};

/// `POST /admin/revoke`: what is to be revoked, in JSON; how far that has come,
/// as JSON lines, the last with `done` and the totals, or with `error`. Whoever
/// hangs up stops it, and may begin it again.
pub fn router(server: AuthorizationServer) -> Router {
    Router::new().route("/admin/revoke", post(revoke)).with_state(server)
}

async fn revoke(State(server): State<AuthorizationServer>, ask: Result<Json<Members>, JsonRejection>) -> Response {
    let refused = |status: StatusCode, error: String| (status, Json(json!({ "error": error }))).into_response();
    let selection = match ask {
        Err(rejection) => {
            let (status, error) = unread(&rejection);
            return refused(status, error.to_owned());
        }
        Ok(Json(ask)) => ask.selection(),
    };
    let selection = match selection {
        Err(error) => return refused(StatusCode::BAD_REQUEST, error),
        Ok(selection) => selection,
    };
    match server.revoke_all(selection) {
        Err(error) => refused(StatusCode::BAD_REQUEST, error.to_string()),
        Ok(mut bulk) => {
            // Two steps, so that a store that is down is found out before 200 is said: the first writes
            // a number where there is one, the second reads grants.
            let mut begun = Progress::default();
            for _ in 0..2 {
                match bulk.next().await {
                    Some(Ok(progress)) => begun = progress,
                    None => break,
                    Some(Err(fault)) => {
                        tracing::error!(%fault, "a bulk revocation did not begin");
                        return refused(StatusCode::SERVICE_UNAVAILABLE, "the store failed: ask again".to_owned());
                    }
                }
            }
            let lines = once(ready(Ok(told(begun)))).chain(unfold(Some((bulk, begun)), line));
            ([(CONTENT_TYPE, "application/jsonl")], Body::from_stream(lines)).into_response()
        }
    }
}

/// What is said of a body that cannot be read.
fn unread(rejection: &JsonRejection) -> (StatusCode, &'static str) {
    match rejection {
        JsonRejection::JsonDataError(_) | JsonRejection::JsonSyntaxError(_) => {
            (StatusCode::BAD_REQUEST, "the body must be one JSON object")
        }
        JsonRejection::MissingJsonContentType(_) => (rejection.status(), "the content type must be application/json"),
        _ => (rejection.status(), "the body cannot be read"),
    }
}

fn told(Progress { examined, revoked, .. }: Progress) -> String {
    format!("{}\n", json!({ "examined": examined, "revoked": revoked }))
}

/// What is still to be done, and how far it had come; nothing after the last line.
type Rest = Option<(BulkRevocation, Progress)>;

/// The next line, and with what it goes on.
async fn line(rest: Rest) -> Option<(Result<String, Infallible>, Rest)> {
    let (mut bulk, last) = rest?;
    let (line, rest) = match bulk.next().await {
        Some(Ok(progress)) => return Some((Ok(told(progress)), Some((bulk, progress)))),
        None => (json!({ "done": true, "examined": last.examined, "revoked": last.revoked }), None),
        Some(Err(fault)) => {
            tracing::error!(%fault, "a bulk revocation broke off");
            (json!({ "error": "the store failed: what was revoked stays so; ask again" }), None)
        }
    };
    Some((Ok(format!("{line}\n")), rest))
}

/// Revokes what was issued before `time` in the store of `config`: for a store
/// that was restored from a backup, in which everything lives that was revoked
/// since.
///
/// # Errors
/// Mistakes in the configuration, and whatever goes wrong.
pub async fn revoke_issued_before(config: &Path, time: UnixTime) -> Result<(), Mistakes> {
    let wrong = |error: &dyn std::fmt::Display| Mistakes::one("--revoke-issued-before", error);
    let config = Config::load(config)?;
    if config.store == StoreKind::Memory {
        return Err(Mistakes::one("store", "memory: holds nothing that could be revoked: each program has its own"));
    }
    let store = OpenStore::open(&config.store).await?;
    let root = root_secret::load(&config.keys, Some(&store), false).await?;
    let server = start::authorization_server(&config, &store, root, EventLog::default()).await?;
    // For nodes that run already.
    let following = bus::spawn_server(&config, &server)?;
    let mut bulk = server.revoke_all(Selection::IssuedBefore(time)).map_err(|error| wrong(&error))?;
    let mut last = Progress::default();
    while let Some(step) = bulk.next().await {
        last = step.map_err(|error| wrong(&error))?;
    }
    drop((bulk, server));
    following.end().await;
    store.close().await;
    complain(format_args!("revoked {} of {} grants", last.revoked, last.examined));
    Ok(())
}
