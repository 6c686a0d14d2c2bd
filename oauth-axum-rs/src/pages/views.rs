//! What the pages look like: templates, and the responses around them.

use askama::Template;
use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY, RETRY_AFTER},
};
use oauth_core::{
    authorization_details::AuthorizationDetails, endpoint::page, engine::interaction::Interaction,
    server::AuthorizationServer,
};

use super::about::About;

/// The sign-in page.
#[derive(Template)]
#[template(path = "sign_in.html")]
pub(super) struct SignIn<'a> {
    pub(super) site: &'a str,
    pub(super) client: &'a str,
    pub(super) action: &'a str,
    pub(super) csrf: &'a str,
    pub(super) username: &'a str,
    /// Why somebody who is signed in sees it, under the same name.
    pub(super) again: Option<&'a str>,
    pub(super) problem: Option<&'a str>,
}

/// The consent page.
#[derive(Template)]
#[template(path = "consent.html")]
pub(super) struct Consent<'a> {
    pub(super) site: &'a str,
    pub(super) client: &'a str,
    pub(super) user: &'a str,
    pub(super) local: bool,
    pub(super) agreed_before: bool,
    /// What is new, or all of it.
    pub(super) scopes: Vec<ScopeLine<'a>>,
    pub(super) known: Vec<ScopeLine<'a>>,
    pub(super) details: &'a AuthorizationDetails,
    pub(super) resources: Vec<ResourceLine<'a>>,
    pub(super) redirect_host: &'a str,
    pub(super) about: About<'a>,
    /// Of its metadata document, if it has one.
    pub(super) document_host: Option<&'a str>,
    pub(super) action: &'a str,
    pub(super) csrf: &'a str,
    pub(super) account: &'a str,
}

/// One scope on the consent page.
pub(super) struct ScopeLine<'a> {
    pub(super) token: &'a str,
    pub(super) text: Option<&'a str>,
}

/// One resource on the consent page.
pub(super) struct ResourceLine<'a> {
    pub(super) identifier: &'a str,
    pub(super) is_new: bool,
}

/// The page where somebody says which account it is to be.
#[derive(Template)]
#[template(path = "choose.html")]
pub(super) struct Choose<'a> {
    pub(super) site: &'a str,
    pub(super) client: &'a str,
    pub(super) user: &'a str,
    pub(super) action: &'a str,
    pub(super) csrf: &'a str,
    pub(super) account: &'a str,
}

/// The page before a website that nobody vouches for.
#[derive(Template)]
#[template(path = "leave.html")]
pub(super) struct Leave<'a> {
    pub(super) site: &'a str,
    pub(super) redirect_host: &'a str,
    pub(super) error: &'a str,
    pub(super) description: &'a str,
    pub(super) action: &'a str,
    pub(super) csrf: &'a str,
    pub(super) account: &'a str,
}

#[derive(Template)]
#[template(path = "sign_out.html")]
struct SignOut<'a> {
    site: &'a str,
    user: &'a str,
    action: &'a str,
    csrf: &'a str,
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    site: &'a str,
    title: &'a str,
    text: &'a str,
    again: Option<Again<'a>>,
}

/// Where to take up an interaction again.
struct Again<'a> {
    path: &'a str,
    id: &'a str,
}

/// The host people know the server by.
pub(super) fn site(server: &AuthorizationServer) -> &str {
    server.issuer().split_once("://").map_or("", |(_, rest)| rest)
}

/// What to call the client.
pub(super) fn client_name(interaction: &Interaction) -> &str {
    let client = interaction.client();
    client.name.as_deref().unwrap_or(client.id.as_str())
}

impl SignIn<'_> {
    /// Its form stays on this server: it carries a password.
    pub(super) fn page(&self, status: StatusCode) -> Response<Bytes> {
        let title = if self.problem.is_some() { "Error: Sign in" } else { "Sign in" };
        render(status, title, self.site, self, None)
    }
}

impl Choose<'_> {
    /// The answer to its form may be a redirect to the client at once.
    pub(super) fn page(&self, redirect_origin: &str) -> Response<Bytes> {
        render(StatusCode::OK, "Choose an account", self.site, self, Some(redirect_origin))
    }
}

impl Leave<'_> {
    pub(super) fn page(&self, redirect_origin: &str) -> Response<Bytes> {
        render(StatusCode::OK, "You are about to leave", self.site, self, Some(redirect_origin))
    }
}

impl Consent<'_> {
    pub(super) fn page(&self, redirect_origin: &str) -> Response<Bytes> {
        render(StatusCode::OK, "Allow access?", self.site, self, Some(redirect_origin))
    }
}

/// Asks whether to sign `user` out.
pub(super) fn sign_out(site: &str, user: &str, action: &str, csrf: &str) -> Response<Bytes> {
    render(StatusCode::OK, "Sign out?", site, &SignOut { site, user, action, csrf }, None)
}

/// Says that nobody is signed in anymore.
pub(super) fn signed_out(site: &str) -> Response<Bytes> {
    message(StatusCode::OK, site, "You are signed out", "You can close this page now.")
}

/// The interaction is over, or was never this browser's.
pub(super) fn ended(status: StatusCode, site: &str) -> Response<Bytes> {
    let text = "It took too long, was finished already, or was started in another browser. \
                Go back to the application and start again.";
    message(status, site, "This sign-in has ended", text)
}

/// The form was not this page's, or not for whom it is sent now.
pub(super) fn foreign_form(site: &str, again: Option<(&str, &str)>) -> Response<Bytes> {
    let title = "This page is out of date";
    let text = "Nothing was done. The page may have been open for long, or somebody has signed in or out meanwhile.";
    let again = again.map(|(path, id)| Again { path, id });
    render(StatusCode::FORBIDDEN, title, site, &Message { site, title, text, again }, None)
}

/// The request is none that these pages send.
pub(super) fn bad_request(status: StatusCode, site: &str) -> Response<Bytes> {
    message(status, site, "This request cannot be read", "Go back to the application and start again.")
}

/// The server cannot go on now.
pub(super) fn unavailable(site: &str) -> Response<Bytes> {
    let mut response = message(
        StatusCode::SERVICE_UNAVAILABLE,
        site,
        "Not available at the moment",
        "The server could not finish this step, and nothing was done. Reload this page in a moment to try again.",
    );
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

/// Sends the browser to `url` with a GET, whatever it sent itself: 303, never
/// 307 or 308 (OAuth 2.1 section 9.7.2).
pub(super) fn see_other(url: &str) -> Option<Response<Bytes>> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_str(url).ok()?);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Some(response)
}

fn message(status: StatusCode, site: &str, title: &str, text: &str) -> Response<Bytes> {
    render(status, title, site, &Message { site, title, text, again: None }, None)
}

pub(super) fn render(
    status: StatusCode,
    title: &str,
    site: &str,
    main: &impl Template,
    origin: Option<&str>,
) -> Response<Bytes> {
    match main.render() {
        Ok(main) => page::html(status, page::document(&format!("{title} · {site}"), &main), origin),
        // Writing into memory does not fail.
        Err(_) => page::html(StatusCode::INTERNAL_SERVER_ERROR, page::document(title, ""), None),
    }
}
