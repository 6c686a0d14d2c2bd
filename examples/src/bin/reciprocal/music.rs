//! The music service: party B. It asks the assistant for its speakers in turn.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use examples::serve::Stop;
use oauth_axum_rs::{
    AuthorizationServer, AuthorizationServerExt, Secret,
    oauth_tower::reciprocal::ReciprocalClient,
    pages::{Pages, PasswordUsers, User},
};
use oauth_core::{
    client::{ClientId, GrantType},
    engine::{
        policy::HostFuture,
        reciprocal::{LinkedTokens, ReciprocalTokens},
    },
    store::ReciprocalLink,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    Failure,
    service::{self, ASSISTANT, ASSISTANT_SECRET, MUSIC, MUSIC_SECRET, Place, USER},
};

/// What it would like of the assistant, which hears of it by `reciprocal`.
const WISH: &str = "speaker:announce";

#[derive(Clone)]
struct Music {
    assistant_url: String,
    assistant: ReciprocalClient,
    link: ReciprocalLink,
    heard: Heard,
}

/// Every token that came to this process, the latest last: so the story can try
/// those that were replaced.
#[derive(Clone, Debug, Default)]
struct Heard(Arc<Mutex<Vec<Secret>>>);

impl ReciprocalTokens for Heard {
    fn received<'a>(&'a self, tokens: &'a LinkedTokens) -> HostFuture<'a, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(tokens.response.access_token.clone());
        Box::pin(async { Ok(()) })
    }
}

/// Everything at `place`; what it does besides answering is among `work`.
pub(crate) async fn build(place: &Place, stop: Stop, work: &mut JoinSet<()>) -> Result<Router, Failure> {
    let Place { url, other: assistant_url, .. } = place;
    let heard = Heard::default();
    let server = server(place, heard.clone()).await?;
    let reciprocal = server.reciprocal().ok_or("reciprocal OAuth is off")?;
    // Where the assistant is stands here and nowhere else.
    let at_assistant = service::client_of(assistant_url, MUSIC, MUSIC_SECRET)?;
    let assistant = ReciprocalClient::builder(reciprocal).peer(ClientId::new(ASSISTANT)?, at_assistant).build();
    let worker = assistant.clone();
    // It begins with what is left in the store of an earlier run.
    work.spawn(async move { worker.run(stop.wait()).await });

    let pages = Pages::new(&server, PasswordUsers::default()).insecure_auto_approve(User::new(USER))?;
    let api = service::api(url, &server)?;
    let playlists = Router::new()
        .route("/api/playlists", get("favorites").route_layer(api.layer().require_scope("playlists:read")));
    let link = ReciprocalLink::new(ClientId::new(ASSISTANT)?, Some(USER.to_owned()));
    let music = Music { assistant_url: assistant_url.clone(), assistant, link, heard };
    // For the story, which is on this machine. A real service calls when it has
    // something to announce.
    let own = Router::new()
        .route("/held", get(held))
        .route("/call/{what}", get(call))
        .route("/call-before/{what}", get(call_before))
        .with_state(music);
    Ok(server.router().merge(pages.router()).merge(playlists).merge(own))
}

async fn server(place: &Place, heard: Heard) -> Result<AuthorizationServer, Failure> {
    let redirect_uri = format!("{}/callback", place.other);
    let assistant_here = service::client(ASSISTANT, "Voice Assistant", ASSISTANT_SECRET, redirect_uri)
        .grant_type(GrantType::AUTHORIZATION_CODE)
        .grant_type(GrantType::REFRESH_TOKEN)
        .grant_type(GrantType::RECIPROCAL)
        .scope("playlists:read");
    let (peer, wish) = (ClientId::new(ASSISTANT)?, WISH.parse()?);
    service::authorization_server(place, "playlists:read", assistant_here, |settings| {
        settings.peer(peer, wish);
        settings.tokens(heard);
    })
    .await
}

/// What it may do at the assistant; `null` before they are connected.
async fn held(State(music): State<Music>) -> Json<Value> {
    let tokens = music.assistant.tokens(&music.link).await.ok().flatten();
    Json(json!({ "scope": tokens.map(|tokens| tokens.scope.to_string()) }))
}

/// Calls the assistant's API with what it holds.
async fn call(State(music): State<Music>, Path(what): Path<String>) -> Response {
    match music.assistant.tokens(&music.link).await {
        Ok(Some(tokens)) => music.call(&what, &tokens.response.access_token).await,
        _ => StatusCode::CONFLICT.into_response(),
    }
}

/// The same, with the token that was there before.
async fn call_before(State(music): State<Music>, Path(what): Path<String>) -> Response {
    let heard = music.heard.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match heard.iter().rev().nth(1) {
        Some(token) => music.call(&what, token).await,
        None => StatusCode::CONFLICT.into_response(),
    }
}

impl Music {
    async fn call(&self, what: &str, token: &Secret) -> Response {
        service::call(&format!("{}/api/{what}", self.assistant_url), token).await
    }
}
