//! The public client `demo-app`, as a small web page: `/demo` starts the code
//! flow, `/demo/callback` ends it.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use form_urlencoded::Serializer;
use oauth_axum_rs::{
    Secret,
    oauth_tower::{
        client::TokenClient,
        outgoing::{ClientAuth, HttpClient},
    },
};
use oauth_core::{
    clock::{Random, RandomError, SystemRandom},
    cookie,
    endpoint::page,
    pkce::{CodeChallenge, CodeVerifier},
    token::TokenResponse,
};
use serde::Deserialize;

use crate::{Failure, app::PUBLIC};

/// Binds the answer to the browser that asked (OAuth 2.1 section 7.1).
const COOKIE: &str = "demo-flow";

/// Where the code is sent.
pub(crate) fn redirect_uri(url: &str) -> String {
    format!("{url}/demo/callback")
}

/// The two pages, and one that leads there.
pub(crate) fn router(url: &str) -> Result<Router, Failure> {
    let tokens = TokenClient::builder(format!("{url}/token"), ClientAuth::None { id: PUBLIC.to_owned() })
        .insecure_http()
        .build(HttpClient::builder().build()?)?;
    let app = Arc::new(App { url: url.to_owned(), tokens });
    Ok(Router::new()
        .route("/", get(welcome))
        .route("/demo", get(begin))
        .route("/demo/callback", get(end))
        .with_state(app))
}

struct App {
    url: String,
    tokens: TokenClient,
}

/// One flow: what ties its beginning to its end.
pub(crate) struct Flow {
    pub(crate) state: String,
    pub(crate) verifier: String,
}

impl Flow {
    pub(crate) fn new() -> Result<Self, RandomError> {
        Ok(Self { state: random_text()?, verifier: random_text()? })
    }

    /// The authorization request (OAuth 2.1 section 4.1.1).
    pub(crate) fn url(&self, url: &str, scope: &str) -> String {
        let challenge = CodeVerifier::parse(&self.verifier).map(|verifier| CodeChallenge::of(&verifier));
        let challenge = challenge.map(|challenge| URL_SAFE_NO_PAD.encode(challenge.as_bytes())).unwrap_or_default();
        let query = Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", PUBLIC)
            .append_pair("redirect_uri", &redirect_uri(url))
            .append_pair("scope", scope)
            .append_pair("state", &self.state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .finish();
        format!("{url}/authorize?{query}")
    }
}

fn random_text() -> Result<String, RandomError> {
    let mut bytes = [0; 32];
    SystemRandom.fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What comes back (OAuth 2.1 section 4.1.2, RFC 9207).
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    state: String,
    #[serde(default)]
    iss: String,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

async fn welcome() -> Response {
    let main = "<h1>The demo runs</h1>\
                <p><a href=\"/demo\">Sign in to Demo App</a>: who you are, and with what password, stands in the \
                terminal, and so do lines to paste into a shell.</p>\
                <p>What this server says of itself: \
                <a href=\"/.well-known/oauth-authorization-server\">its metadata</a>.</p>";
    page::html(StatusCode::OK, page::document("OAuth demo", main), None).map(Body::from)
}

async fn begin(State(app): State<Arc<App>>) -> Response {
    let Ok(flow) = Flow::new() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let remembered = cookie::write(COOKIE, &format!("{}.{}", flow.state, flow.verifier), None, true);
    let onward = Redirect::to(&flow.url(&app.url, "albums:read albums:write"));
    ([(SET_COOKIE, remembered)], onward).into_response()
}

async fn end(State(app): State<Arc<App>>, Query(answer): Query<Answer>, headers: HeaderMap) -> Response {
    let outcome = match remembered(&headers) {
        Some(flow) if flow.state == answer.state && answer.iss == app.url => app.redeem(&answer, &flow).await,
        _ => Err("This is not the answer to a request of this browser's.".to_owned()),
    };
    let (status, main) = match outcome {
        Ok(tokens) => (StatusCode::OK, app.success(&tokens)),
        Err(why) => (StatusCode::BAD_REQUEST, format!("<h1>No token</h1><p>{}</p>", page::escape(&why))),
    };
    let again = "<p><a href=\"/demo\">Start again</a></p>";
    page::html(status, page::document("Demo App", &format!("{main}{again}")), None).map(Body::from)
}

fn remembered(headers: &HeaderMap) -> Option<Flow> {
    let (state, verifier) = cookie::read(headers, COOKIE)?.split_once('.')?;
    Some(Flow { state: state.to_owned(), verifier: verifier.to_owned() })
}

impl App {
    async fn redeem(&self, answer: &Answer, flow: &Flow) -> Result<TokenResponse, String> {
        let Some(code) = &answer.code else {
            let why = answer.error_description.as_ref().or(answer.error.as_ref());
            return Err(why.cloned().unwrap_or_default());
        };
        let (code, verifier) = (Secret::new(code), Secret::new(&flow.verifier));
        let redirect_uri = redirect_uri(&self.url);
        let tokens = self.tokens.exchange_code(&code, &verifier, Some(&redirect_uri)).await;
        tokens.map_err(|error| error.to_string())
    }

    /// A real client shows its tokens to nobody.
    fn success(&self, tokens: &TokenResponse) -> String {
        let url = page::escape(&self.url);
        let access = page::escape(tokens.access_token.expose());
        let refresh = page::escape(tokens.refresh_token.as_ref().map_or("", Secret::expose));
        format!(
            "<h1>Demo App has a token</h1>\
             <p>Who are you, by this token?</p>\
             <p class=\"panel\"><code>curl -si -H \"Authorization: Bearer {access}\" {url}/api/whoami; echo</code></p>\
             <p>Get the next one, and a new refresh token with it:</p>\
             <p class=\"panel\"><code>curl -si -d grant_type=refresh_token -d client_id={PUBLIC} \
             -d refresh_token={refresh} {url}/token; echo</code></p>\
             <p>Revoke the grant, and every token of it:</p>\
             <p class=\"panel\"><code>curl -si -d client_id={PUBLIC} -d token={refresh} {url}/revoke; echo</code></p>"
        )
    }
}
