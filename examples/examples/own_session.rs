//! Sign-in by the app's own session layer; the built-in pages ask for consent.
//!
//!     cargo run -p examples --example own_session
//!
//! The pages send whoever must sign in to a path of ours, with `?id=`. We find
//! out who it is, keep a session of our own, and send the browser back. What is
//! new to that person, the built-in page asks them; what they have agreed to
//! before, it does not.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Form, Router,
    body::Body,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use oauth_axum_rs::{
    AuthorizationServer, AuthorizationServerExt, Client,
    oauth_core::{cookie, endpoint::page, engine::policy::HostFuture},
    pages::{HostSessions, Pages, SignedIn},
};
use serde::Deserialize;
use tokio::net::TcpListener;

const COOKIE: &str = "app-session";

/// The session layer that the app has anyway: who is signed in, by what their
/// browser has in a cookie.
#[derive(Clone, Default)]
struct AppSessions(Arc<Mutex<HashMap<String, SignedIn>>>);

impl AppSessions {
    fn begin(&self, key: String, user: SignedIn) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, user);
    }

    fn find(&self, headers: &HeaderMap) -> Option<SignedIn> {
        let key = cookie::read(headers, &cookie::name(COOKIE, true))?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }
}

/// All that the pages need to know of it.
impl HostSessions for AppSessions {
    fn signed_in<'a>(&'a self, headers: &'a HeaderMap) -> HostFuture<'a, Option<SignedIn>> {
        Box::pin(async move { Ok(self.find(headers)) })
    }
}

#[derive(Clone)]
struct App {
    server: AuthorizationServer,
    sessions: AppSessions,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = AuthorizationServer::builder("http://127.0.0.1:9400")
        .client(Client::builder("app").redirect_uri("http://127.0.0.1/callback").scope("notes:read").build()?)
        .insecure_development()
        .build()
        .await?;
    let sessions = AppSessions::default();
    let pages = Pages::with_sign_in_at(&server, "/login", sessions.clone()).scope_text("notes:read", "Read your notes");

    let login = Router::new().route("/login", get(show).post(sign_in));
    let app = login.merge(server.router()).merge(pages.router()).with_state(App { server, sessions });
    axum::serve(TcpListener::bind("127.0.0.1:9400").await?, app).await?;
    Ok(())
}

/// The pages add `again=1` where the session that there is does not do: ours
/// ends with the next sign-in, so we need not look.
#[derive(Deserialize)]
struct Waiting {
    id: String,
}

#[derive(Deserialize)]
struct Login {
    csrf: String,
    name: String,
}

async fn show(State(app): State<App>, waiting: Query<Waiting>, headers: HeaderMap) -> Result<Response, StatusCode> {
    let waiting = app.server.interaction(&waiting.id, &headers).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let waiting = waiting.ok_or(StatusCode::GONE)?;
    let main = format!(
        "<h1>Who are you?</h1><form method=\"post\"><input type=\"hidden\" name=\"csrf\" value=\"{}\">\
         <label for=\"name\">Name</label><input id=\"name\" name=\"name\" value=\"{}\"><button>That is me</button></form>",
        waiting.csrf_token(),
        page::escape(waiting.login_hint().unwrap_or_default()),
    );
    Ok(page::html(StatusCode::OK, page::document("Who are you?", &main), None).map(Body::from))
}

async fn sign_in(
    State(app): State<App>,
    waiting: Query<Waiting>,
    headers: HeaderMap,
    Form(login): Form<Login>,
) -> Result<Response, StatusCode> {
    let found = app.server.interaction(&waiting.id, &headers).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    // No other site's form signs anybody in here.
    let waiting = found.filter(|one| one.csrf_matches(&login.csrf)).ok_or(StatusCode::FORBIDDEN)?;
    // In earnest, ask for more than a name. A session of its own for each sign-in, so that none is fixed beforehand.
    let mut key = [0; 16];
    app.server.random().fill(&mut key).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let key = format!("{:032x}", u128::from_be_bytes(key));
    app.sessions.begin(key.clone(), SignedIn::new(login.name).auth_time(app.server.now()));
    // Back by the id, never by an address that the browser names.
    let mut response = Redirect::to(&app.server.interaction_url(waiting.id())).into_response();
    response.headers_mut().append(SET_COOKIE, cookie::write(COOKIE, &key, None, true));
    Ok(response)
}
