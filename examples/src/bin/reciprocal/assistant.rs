//! The voice assistant: party A. Its user connects the music service here.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Form, Router,
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use oauth_axum_rs::{
    AuthorizationServer, AuthorizationServerExt, Secret,
    oauth_tower::{
        client::{AuthorizationRequest, Discovery, PendingAuthorization, TokenClient},
        outgoing::HttpClient,
        reciprocal::initiate,
    },
    pages::{Pages, PasswordUsers, ReciprocalAsk, ReciprocalHost, User},
};
use oauth_core::{
    client::{ClientId, GrantType},
    cookie,
    engine::policy::HostFuture,
    scope::Scope,
};
use serde::Deserialize;

use crate::{
    Failure,
    service::{self, ASSISTANT, ASSISTANT_SECRET, MUSIC, MUSIC_SECRET, Place, USER},
};

/// Ties what was begun to the browser that began it.
const COOKIE: &str = "assistant-trip";

/// Where the user is asked what the music service may do here.
const CONSENT: &str = "/connect/consent";

/// What the assistant knows.
struct Assistant {
    url: String,
    music_url: String,
    music: TokenClient,
    music_here: ClientId,
    server: AuthorizationServer,
    /// By the cookie of the browser that is at the music service now.
    away: Mutex<HashMap<String, PendingAuthorization>>,
    /// By the same, once it is back: the token from there, and what the music
    /// service would like in turn.
    back: Mutex<HashMap<String, (Secret, Scope)>>,
    /// What calls the music service's API, by user. A real service keeps them in a
    /// store, with the refresh tokens.
    tokens: Mutex<HashMap<String, Secret>>,
}

/// Everything at `place`.
pub(crate) async fn build(place: &Place) -> Result<Router, Failure> {
    let Place { url, other: music_url, .. } = place;
    let music_here = service::client(MUSIC, "Music Service", MUSIC_SECRET, format!("{music_url}/callback"))
        .grant_type(GrantType::AUTHORIZATION_CODE)
        .grant_type(GrantType::REFRESH_TOKEN)
        .scope("speaker:announce speaker:volume");
    let scopes = "speaker:announce speaker:volume";
    // Without peers: it starts reciprocal grants, and takes none.
    let server = service::authorization_server(place, scopes, music_here, |_| ()).await?;
    let assistant = Arc::new(Assistant {
        url: url.clone(),
        music_url: music_url.clone(),
        music: service::client_of(music_url, ASSISTANT, ASSISTANT_SECRET)?,
        music_here: ClientId::new(MUSIC)?,
        server: server.clone(),
        away: Mutex::default(),
        back: Mutex::default(),
        tokens: Mutex::default(),
    });
    // The user of this story says yes to everything. Without this line they sign
    // in and are asked.
    let pages = Pages::new(&server, PasswordUsers::default()).insecure_auto_approve(User::new(USER))?;
    let pages = pages.reciprocal(CONSENT, Host(Arc::clone(&assistant)));
    let api = service::api(url, &server)?;
    let speaker = Router::new()
        .route("/api/announce", get("announced").route_layer(api.layer().require_scope("speaker:announce")))
        .route("/api/volume", get("louder").route_layer(api.layer().require_scope("speaker:volume")));
    let own = Router::new()
        .route("/connect", get(connect))
        .route("/callback", get(callback))
        .route("/play", get(play))
        .route("/update", post(update))
        .with_state(assistant);
    Ok(server.router().merge(pages.router()).merge(speaker).merge(own))
}

/// The first flow begins: off to the music service.
async fn connect(State(assistant): State<Arc<Assistant>>) -> Response {
    match assistant.begin().await {
        Ok((cookie, url)) => ([(SET_COOKIE, cookie)], Redirect::to(&url)).into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

/// The browser is back, with a code.
async fn callback(State(assistant): State<Arc<Assistant>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    match assistant.come_back(&query.unwrap_or_default(), &headers).await {
        Ok(()) => Redirect::to(CONSENT).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

/// "Play my favorites!"
async fn play(State(assistant): State<Arc<Assistant>>) -> Response {
    let token = lock(&assistant.tokens).get(USER).cloned();
    match token {
        Some(token) => service::call(&format!("{}/api/playlists", assistant.music_url), &token).await,
        None => StatusCode::CONFLICT.into_response(),
    }
}

#[derive(Deserialize)]
struct Update {
    scope: String,
}

/// The user changes what the music service may do (section 3 of the draft): they
/// have just said yes to this scope in the assistant's settings, which this story
/// leaves out.
async fn update(State(assistant): State<Arc<Assistant>>, Form(update): Form<Update>) -> Response {
    match assistant.update(&update.scope).await {
        Ok(status) => status.into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

impl Assistant {
    async fn begin(&self) -> Result<(http::HeaderValue, String), Failure> {
        let http = HttpClient::builder().build()?;
        let metadata = Discovery::new(&self.music_url).insecure_http().fetch(&http).await?;
        let request = AuthorizationRequest::builder(&metadata, ASSISTANT, format!("{}/callback", self.url))
            .scope("playlists:read")
            .insecure_http()
            .build()?;
        let url = request.url();
        let pending = request.into_pending();
        let browser = pending.state().expose().to_owned();
        let cookie = cookie::write(COOKIE, &browser, Some(600), true);
        lock(&self.away).insert(browser, pending);
        Ok((cookie, url))
    }

    async fn come_back(&self, query: &str, headers: &HeaderMap) -> Result<(), Failure> {
        let browser = browser_of(headers).ok_or("this browser has begun nothing")?;
        let pending = lock(&self.away).remove(browser).ok_or("this browser has begun nothing")?;
        let code = pending.check(query)?;
        let tokens = self.music.redeem(code).await?;
        // Section 2.1: what the music service asks for in turn.
        let wish = tokens.reciprocal.ok_or("the music service wants nothing in turn")?;
        lock(&self.back).insert(browser.to_owned(), (tokens.access_token, wish));
        Ok(())
    }

    async fn update(&self, scope: &str) -> Result<StatusCode, Failure> {
        let token = lock(&self.tokens).get(USER).cloned().ok_or("the two are not connected")?;
        let code = self.server.reciprocal_code(USER, &self.music_here, &scope.parse()?).await?;
        Ok(initiate(&self.music, &code, &token).await?.status)
    }
}

/// What the consent page asks, and what becomes of the answer.
struct Host(Arc<Assistant>);

impl Host {
    fn waiting(&self, headers: &HeaderMap) -> Option<(Secret, Scope)> {
        lock(&self.0.back).get(browser_of(headers)?).cloned()
    }

    fn forget(&self, headers: &HeaderMap) {
        if let Some(browser) = browser_of(headers) {
            lock(&self.0.back).remove(browser);
        }
    }
}

impl ReciprocalHost for Host {
    fn asked<'a>(&'a self, headers: &'a HeaderMap) -> HostFuture<'a, Option<ReciprocalAsk>> {
        let ask = self.waiting(headers).map(|(_, wish)| ReciprocalAsk::new(self.0.music_here.clone(), wish));
        Box::pin(std::future::ready(Ok(ask)))
    }

    fn allowed<'a>(
        &'a self,
        headers: &'a HeaderMap,
        subject: &'a str,
        _ask: ReciprocalAsk,
        code: Secret,
    ) -> HostFuture<'a, Response<Body>> {
        Box::pin(async move {
            let Some((token, _)) = self.waiting(headers) else { return Ok(StatusCode::GONE.into_response()) };
            self.forget(headers);
            let sent = initiate(&self.0.music, &code, &token).await;
            lock(&self.0.tokens).insert(subject.to_owned(), token);
            Ok(match sent {
                Ok(answer) if answer.is_accepted() => "connected".into_response(),
                Ok(answer) => (StatusCode::BAD_GATEWAY, answer.error.unwrap_or_default()).into_response(),
                Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
            })
        })
    }

    fn denied<'a>(&'a self, headers: &'a HeaderMap, _ask: ReciprocalAsk) -> HostFuture<'a, Response<Body>> {
        self.forget(headers);
        Box::pin(async { Ok("the music service gets nothing".into_response()) })
    }
}

fn browser_of(headers: &HeaderMap) -> Option<&str> {
    cookie::read(headers, COOKIE)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
