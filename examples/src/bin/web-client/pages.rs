//! What the browser sees. Nothing on these pages is loaded from elsewhere, and
//! nothing on them runs.

use std::sync::Arc;

use axum::{
    Form,
    body::Body,
    extract::{Path, State},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode,
    header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY, SET_COOKIE},
};
use oauth_axum_rs::{
    Secret,
    oauth_core::{
        clock::RandomError,
        endpoint::page::{document, escape, html},
        secret::Digest,
    },
    oauth_tower::client::{AuthorizationRequest, InvalidRequest},
};
use serde::Deserialize;

use super::{Site, attempts::Attempt, authority::AuthorityError, problem::Problem, sessions::Session};

pub(crate) type Page = Body;

#[derive(Deserialize)]
pub(crate) struct SignOut {
    csrf: String,
}

/// `GET /`: who is signed in, or where to sign in.
pub(crate) async fn home(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response<Page> {
    let cookie = site.session_cookie(&headers);
    let session = cookie.and_then(|cookie| site.sessions.find(cookie, Site::now()));
    let problem = site.problem_of(&headers);
    let shown = problem.map(|problem| format!("<p class=\"alert\" role=\"alert\">{}</p>", problem.text()));
    let main = match (session, cookie) {
        (Some(session), Some(cookie)) => {
            let who = site.ask_api(&session).await;
            format!(
                "<h1>You are signed in</h1><pre id=\"who\">{}</pre><form method=\"post\" action=\"/sign-out\">\
                 <input type=\"hidden\" name=\"csrf\" value=\"{}\"><button id=\"sign-out\">Sign out</button></form>",
                escape(&who),
                csrf(cookie),
            )
        }
        _ => format!("<h1>Sign in</h1><ul>{}</ul>", site.choices()),
    };
    let main = format!("{}{main}", shown.unwrap_or_default());
    let mut response = html(StatusCode::OK, document("A website", &main), None).map(Body::from);
    if problem.is_some() {
        response.headers_mut().append(SET_COOKIE, site.no_problem());
    }
    response
}

/// `GET /sign-in/{number}`: off to the authorization server.
pub(crate) async fn sign_in(
    State(site): State<Arc<Site>>,
    Path(number): Path<usize>,
    headers: HeaderMap,
) -> Response<Page> {
    match site.begin(number, &headers).await {
        Ok((url, cookie)) => see_other(&url, cookie),
        Err(error) => {
            tracing::warn!(number, %error, "nobody can sign in there now");
            go_home(Some(site.problem(Problem::Unreachable)))
        }
    }
}

/// `POST /sign-out`: ends the session here, and gives its tokens back.
pub(crate) async fn sign_out(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Form(form): Form<SignOut>,
) -> Response<Page> {
    let Some(cookie) = site.session_cookie(&headers) else { return go_home(None) };
    if Secret::new(csrf(cookie)) != Secret::new(form.csrf) {
        return go_home(Some(site.problem(Problem::OutOfDate)));
    }
    if let Some(session) = site.sessions.end(cookie)
        && let Some(authority) = site.authority(session.number)
        && let Ok(known) = authority.known(&site.http).await
        // The refresh token, if there is one: what hangs on it ends with it.
        && let Err(error) = known.tokens.revoke(session.refresh_token.unwrap_or(session.access_token)).await
    {
        tracing::warn!(issuer = authority.issuer, %error, "a token was not revoked");
    }
    go_home(Some(site.no_cookie()))
}

/// To the page without parameters: nothing of a response stays in an address,
/// and none is sent on as a referrer (RFC 9700 section 4.2.4).
pub(crate) fn go_home(cookie: Option<HeaderValue>) -> Response<Page> {
    see_other("/", cookie)
}

fn see_other(url: &str, cookie: Option<HeaderValue>) -> Response<Page> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_str(url).unwrap_or(HeaderValue::from_static("/")));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    response
}

impl Site {
    fn choices(&self) -> String {
        let choice = |(at, authority): (usize, &super::Authority)| {
            let number = at + 1;
            let issuer = escape(&authority.issuer);
            format!("<li><a id=\"sign-in-{number}\" href=\"/sign-in/{number}\">Sign in with {issuer}</a></li>")
        };
        self.authorities.iter().enumerate().map(choice).collect()
    }

    /// The authorization request (OAuth 2.1 section 4.1.1), and the cookie to
    /// set if the browser had none.
    async fn begin(&self, number: usize, headers: &HeaderMap) -> Result<(String, Option<HeaderValue>), BeginError> {
        let authority = self.authority(number).ok_or(BeginError::Unknown)?;
        let metadata = &authority.known(&self.http).await?.metadata;
        let (browser, cookie) = match self.browser(headers) {
            Some(browser) => (browser, None),
            None => self.name_browser().map(|(browser, cookie)| (browser, Some(cookie)))?,
        };
        let request = AuthorizationRequest::builder(metadata, &authority.client_id, self.redirect_uri(number));
        let mut request = request.scope(&self.scope);
        if let Some(prover) = &authority.prover {
            request = request.dpop(prover);
        }
        let request = if self.development { request.insecure_http() } else { request }.build()?;
        let url = request.url();
        self.attempts.begin(Attempt { number, browser, pending: request.into_pending(), began: Self::now() });
        Ok((url, cookie))
    }

    /// What the API says to the person's token.
    async fn ask_api(&self, session: &Session) -> String {
        let Some(url) = &self.api else { return "There is no API to ask.".to_owned() };
        let Some(authority) = self.authority(session.number) else { return "Nobody to ask.".to_owned() };
        let Ok(request) = Request::get(url).body(Bytes::new()) else {
            return "The API has no good URL.".to_owned();
        };
        match authority.api.send(request, &session.access_token, &session.token_type).await {
            Ok(answer) if answer.status() == StatusCode::OK => String::from_utf8_lossy(answer.body()).into_owned(),
            Ok(answer) => format!("The API said {}.", answer.status()),
            Err(error) => format!("The API did not answer: {error}."),
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum BeginError {
    #[error("there is no such server")]
    Unknown,
    #[error(transparent)]
    Request(#[from] InvalidRequest),
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// Only pages of this session have it.
fn csrf(cookie: &str) -> String {
    URL_SAFE_NO_PAD.encode(Digest::of(&[b"sign out", cookie.as_bytes()]).as_bytes())
}
