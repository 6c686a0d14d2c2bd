//! `POST` and `GET /admin/reciprocal`.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use oauth_axum_rs::{
    AuthorizationServer, Secret,
    oauth_tower::reciprocal::{Initiated, initiate},
};
use oauth_core::{
    engine::{
        fault::Fault,
        reciprocal::{ReciprocalError, ReciprocalSummary},
    },
    event::Event,
    scope::Scope,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::{Config, Initiator};

/// OAuth 2.1 section 1.4.1, and what the library takes of it.
const SCOPE: &str = "scope must be one or more tokens of printable ASCII without \" and \\, separated by single \
                     spaces, and no more than 256";

/// How many links are read at a time.
const PAGE: usize = 500;

/// `POST /admin/reciprocal`, as party A: makes a code for a user and sends it;
/// `GET`, as party B: what it holds, and no token. Nothing where it is off.
pub fn router(config: &Config, server: &AuthorizationServer) -> Router {
    let Some(reciprocal) = &config.reciprocal else { return Router::new() };
    let initiators = Arc::from(reciprocal.initiators.as_slice());
    let desk = Desk { server: server.clone(), initiators };
    Router::new().route("/admin/reciprocal", post(send).get(show)).with_state(desk)
}

#[derive(Clone)]
struct Desk {
    server: AuthorizationServer,
    initiators: Arc<[Initiator]>,
}

#[derive(Deserialize)]
struct Ask {
    user: String,
    peer: String,
    scope: String,
    access_token: String,
}

/// Why no code was sent, and with what status to say so.
type Refused = (StatusCode, String);

async fn send(State(desk): State<Desk>, ask: Result<Json<Ask>, JsonRejection>) -> Response {
    match desk.send(ask).await {
        Ok(answer) => Json(json!({ "status": answer.status.as_u16() })).into_response(),
        Err((status, error)) => (status, Json(json!({ "error": error }))).into_response(),
    }
}

async fn show(State(desk): State<Desk>) -> Response {
    match desk.held().await {
        Ok(held) => Json(held).into_response(),
        Err(fault) => {
            desk.server.tell(&Event::Fault { error: &fault });
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

impl Desk {
    async fn send(&self, ask: Result<Json<Ask>, JsonRejection>) -> Result<Initiated, Refused> {
        let Json(ask) = ask.map_err(|rejection| (rejection.status(), rejection.body_text()))?;
        let peer = self.initiators.iter().find(|peer| peer.name == ask.peer);
        let peer = peer.ok_or_else(|| (StatusCode::NOT_FOUND, "no initiator has this name".to_owned()))?;
        let scope: Scope = ask.scope.parse().map_err(|_| bad(SCOPE))?;
        let access_token = Secret::new(ask.access_token);
        if access_token.expose().is_empty() {
            return Err(bad("there is no access token"));
        }
        // Whatever is not allowed ends here: the peer hears nothing of it.
        let code = self.server.reciprocal_code(&ask.user, &peer.client, &scope).await;
        let code = code.map_err(|error| self.refused(&error))?;
        let answer = initiate(&peer.at, &code, &access_token).await;
        answer.map_err(|error| (StatusCode::BAD_GATEWAY, error.to_string()))
    }

    fn refused(&self, error: &ReciprocalError) -> Refused {
        let status = match error {
            ReciprocalError::Subject | ReciprocalError::Fault(Fault::SubjectIsClient) => StatusCode::NOT_FOUND,
            ReciprocalError::Fault(fault) => {
                self.server.tell(&Event::Fault { error: fault });
                return (StatusCode::SERVICE_UNAVAILABLE, "the server cannot do this now".to_owned());
            }
            _ => StatusCode::BAD_REQUEST,
        };
        (status, error.to_string())
    }

    async fn held(&self) -> Result<Value, Fault> {
        let Some(reciprocal) = self.server.reciprocal() else { return Ok(Value::Null) };
        let (mut tokens, mut after) = (Vec::new(), None);
        loop {
            let page = reciprocal.list(after.take(), PAGE).await?;
            tokens.extend(page.items.iter().map(summary));
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(json!({ "tokens": tokens, "queued": reciprocal.queued().await? })),
            }
        }
    }
}

fn summary(one: &ReciprocalSummary) -> Value {
    let peer = one.link.client.as_str();
    let user = one.link.subject.as_deref().unwrap_or(peer);
    json!({ "user": user, "peer": peer, "scope": one.scope.to_string(), "expires_at": one.expires_at })
}

fn bad(what: &str) -> Refused {
    (StatusCode::BAD_REQUEST, what.to_owned())
}
