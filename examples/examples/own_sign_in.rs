//! Sign-in and consent by the host's own means, in place of the built-in pages.
//!
//!     cargo run -p examples --example own_sign_in
//!
//! The server parks each valid request and sends the browser to a path of
//! ours. There we find out who it is, ask what we want to ask, and approve or
//! deny. What the request may say was checked before.

use axum::{
    Form, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use oauth_axum_rs::{
    AuthorizationServer, AuthorizationServerExt, Client,
    oauth_core::{
        endpoint::page,
        engine::interaction::{Approval, Interaction, RefusalReason},
    },
};
use serde::Deserialize;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = AuthorizationServer::builder("http://127.0.0.1:9400")
        .client(Client::builder("app").redirect_uri("http://127.0.0.1/callback").scope("notes:read").build()?)
        .interaction_path("/consent") // where browsers are sent, with `?id=`
        .insecure_development()
        .build()
        .await?;

    let app = Router::new().route("/consent", get(ask).post(decide)).merge(server.router()).with_state(server);
    axum::serve(TcpListener::bind("127.0.0.1:9400").await?, app).await?;
    Ok(())
}

#[derive(Deserialize)]
struct Waiting {
    id: String,
}

#[derive(Deserialize)]
struct Answer {
    csrf: String,
    allowed: Option<String>,
}

async fn ask(State(server): State<AuthorizationServer>, waiting: Query<Waiting>, headers: HeaderMap) -> Response {
    let Some(request) = find(&server, &waiting.id, &headers).await else { return StatusCode::GONE.into_response() };
    // A client may forbid pages (`prompt=none`), and here everybody is asked each time.
    if request.is_silent() {
        let answer = request.refuse(RefusalReason::ConsentRequired).await.ok().flatten();
        return answer
            .map_or(StatusCode::GONE.into_response(), |answer| answer.into_http().map(axum::body::Body::from));
    }
    // A client chose its name, so it is escaped.
    let main = format!(
        "<h1>{}, allow {}?</h1><form method=\"post\"><input type=\"hidden\" name=\"csrf\" value=\"{}\">\
         <button name=\"allowed\">Allow</button><button>Deny</button></form>",
        page::escape(&user(&headers)),
        page::escape(request.client().id.as_str()),
        request.csrf_token(),
    );
    // With it come the headers such a page needs; a redirect may follow the form.
    let page = page::html(StatusCode::OK, page::document("Allow?", &main), Some(&request.redirect_origin()));
    page.map(axum::body::Body::from)
}

async fn decide(
    State(server): State<AuthorizationServer>,
    waiting: Query<Waiting>,
    headers: HeaderMap,
    Form(answer): Form<Answer>,
) -> Result<Response, StatusCode> {
    let request = find(&server, &waiting.id, &headers).await.ok_or(StatusCode::GONE)?;
    if !request.csrf_matches(&answer.csrf) {
        return Err(StatusCode::FORBIDDEN); // the form is not from our page
    }
    let onward = match answer.allowed {
        Some(_) => request.approve(Approval::new(user(&headers))).await,
        None => request.deny().await,
    };
    let answer = onward.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?.ok_or(StatusCode::GONE)?;
    Ok(answer.into_http().map(axum::body::Body::from))
}

/// `None` for a request that is over, or was begun in another browser.
async fn find(server: &AuthorizationServer, id: &str, headers: &HeaderMap) -> Option<Interaction> {
    server.interaction(id, headers).await.ok().flatten()
}

/// Whoever your session layer says it is; here everybody is the same person.
fn user(_headers: &HeaderMap) -> String {
    "user-1".to_owned()
}
