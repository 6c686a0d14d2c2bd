//! `/reset-keys`: where the stage `m.oauth` sends people who are about to replace their
//! cross-signing keys. They are signed in as on the other pages.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::get,
};
use oauth_axum_rs::{
    matrix::UserId,
    oauth_core::endpoint::page,
    pages::{BuiltInSessions, SignedIn},
};

use crate::Homeserver;

pub(crate) const PATH: &str = "/reset-keys";

pub(crate) fn router(home: &Homeserver, sessions: BuiltInSessions) -> Router {
    let reset = Arc::new(Reset { home: home.clone(), sessions });
    Router::new().route(PATH, get(ask).post(agree)).with_state(reset)
}

struct Reset {
    home: Homeserver,
    sessions: BuiltInSessions,
}

async fn ask(State(reset): State<Arc<Reset>>, headers: HeaderMap) -> Response {
    match reset.person(&headers).await {
        Err(answer) => *answer,
        Ok(_) => show(
            StatusCode::OK,
            "<h1>Replace your keys?</h1><p>Others will have to verify you again. Go on only if \
             an app has just sent you here, and you know why.</p>\
             <form method=\"post\" action=\"/reset-keys\"><button id=\"approve\">Replace them</button></form>",
        ),
    }
}

async fn agree(State(reset): State<Arc<Reset>>, headers: HeaderMap) -> Response {
    // A form of another website does nothing: browsers say where one was sent from.
    if headers.get("sec-fetch-site").is_none_or(|site| site != "same-origin") {
        return show(StatusCode::FORBIDDEN, "<h1>This was not sent from our page</h1>");
    }
    let person = match reset.person(&headers).await {
        Err(answer) => return *answer,
        Ok(person) => person,
    };
    let user = UserId::new(person.subject(), reset.home.0.name.as_str());
    match user.map(|user| reset.home.0.stage.approve(&user)) {
        Ok(Ok(())) => show(StatusCode::OK, "<h1>Go back to your app now</h1>"),
        _ => unavailable(),
    }
}

impl Reset {
    /// Who is signed in, or what to answer.
    async fn person(&self, headers: &HeaderMap) -> Result<SignedIn, Box<Response>> {
        let person = self.sessions.signed_in(headers).await.map_err(|_| unavailable())?;
        let nobody = "<h1>Please sign in</h1><p><a href=\"/devices\">Sign in</a>, and then come back here.</p>";
        person.ok_or_else(|| Box::new(show(StatusCode::OK, nobody)))
    }
}

fn unavailable() -> Response {
    show(StatusCode::SERVICE_UNAVAILABLE, "<h1>Please try again later</h1>")
}

fn show(status: StatusCode, main: &str) -> Response {
    page::html(status, page::document("Keys", main), None).map(Body::from)
}
