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

use super::{
    about::About,
    texts::{Fill, Html},
    visit::Look,
};

/// The sign-in page.
#[derive(Template)]
#[template(path = "sign_in.html")]
pub(super) struct SignIn<'a> {
    pub(super) look: Look<'a>,
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
    pub(super) look: Look<'a>,
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
    pub(super) look: Look<'a>,
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
    pub(super) look: Look<'a>,
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
    look: Look<'a>,
    user: &'a str,
    action: &'a str,
    csrf: &'a str,
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    look: Look<'a>,
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
        let title = &self.look.texts.sign_in.title;
        match self.problem {
            Some(_) => render(status, &self.look.error_title(title), self.look, self, None),
            None => render(status, title, self.look, self, None),
        }
    }

    fn lead(&self) -> Html {
        Fill::new(&self.look.texts.sign_in.lead).strong("client", self.client).html()
    }
}

impl Choose<'_> {
    /// The answer to its form may be a redirect to the client at once.
    pub(super) fn page(&self, redirect_origin: &str) -> Response<Bytes> {
        render(StatusCode::OK, &self.look.texts.choose.title, self.look, self, Some(redirect_origin))
    }

    fn lead(&self) -> Html {
        Fill::new(&self.look.texts.choose.lead).strong("client", self.client).html()
    }

    fn button(&self) -> Html {
        Fill::new(&self.look.texts.choose.button).name("user", self.user).html()
    }
}

impl Leave<'_> {
    pub(super) fn page(&self, redirect_origin: &str) -> Response<Bytes> {
        render(StatusCode::OK, &self.look.texts.leave.document, self.look, self, Some(redirect_origin))
    }

    fn title(&self) -> Html {
        Fill::new(&self.look.texts.leave.title).name("site", self.look.site).html()
    }

    fn button(&self) -> Html {
        Fill::new(&self.look.texts.leave.button).name("host", self.redirect_host).html()
    }
}

impl Consent<'_> {
    pub(super) fn page(&self, redirect_origin: &str) -> Response<Bytes> {
        render(StatusCode::OK, &self.look.texts.consent.document, self.look, self, Some(redirect_origin))
    }

    fn title(&self) -> Html {
        Fill::new(&self.look.texts.consent.title).name("client", self.client).html()
    }

    fn asks(&self) -> &str {
        let texts = &self.look.texts.consent;
        if self.agreed_before { &texts.asks_anew } else { &texts.asks }
    }

    fn resource(&self, resource: &ResourceLine<'_>) -> Html {
        let is_new = resource.is_new && self.agreed_before;
        let text = if is_new { &*self.look.texts.consent.new_resource } else { "{resource}" };
        Fill::new(text).name("resource", resource.identifier).html()
    }
}

impl<'a> Look<'a> {
    /// Who is signed in.
    pub(super) fn signed_in_as(&self, user: &str) -> Html {
        Fill::new(&self.texts.common.signed_in_as).strong("user", user).html()
    }

    /// What an application asks to be read.
    pub(super) fn reading(&self, about: &About<'_>) -> Option<Html> {
        let texts = &self.texts.consent;
        let text = match (about.terms, about.policy) {
            (Some(_), Some(_)) => &texts.read_both,
            (Some(_), None) => &texts.read_terms,
            (None, Some(_)) => &texts.read_policy,
            (None, None) => return None,
        };
        let (terms, policy) = (about.terms.unwrap_or_default(), about.policy.unwrap_or_default());
        let fill = Fill::new(text).link("terms", "client-terms", terms, &texts.terms);
        Some(fill.link("policy", "client-policy", policy, &texts.policy).html())
    }

    /// The title of a page that was sent back with a problem.
    pub(super) fn error_title(&self, title: &str) -> String {
        Fill::new(&self.texts.common.error_title).with("title", title).plain()
    }
}

impl SignOut<'_> {
    fn lead(&self) -> Html {
        Fill::new(&self.look.texts.sign_out.lead).strong("user", self.user).html()
    }
}

/// Asks whether to sign `user` out.
pub(super) fn sign_out(look: Look<'_>, user: &str, action: &str, csrf: &str) -> Response<Bytes> {
    render(StatusCode::OK, &look.texts.sign_out.title, look, &SignOut { look, user, action, csrf }, None)
}

/// Says that nobody is signed in anymore.
pub(super) fn signed_out(look: Look<'_>) -> Response<Bytes> {
    message(StatusCode::OK, look, &look.texts.sign_out.done, &look.texts.sign_out.done_text)
}

/// The interaction is over, or was never this browser's.
pub(super) fn ended(status: StatusCode, look: Look<'_>) -> Response<Bytes> {
    message(status, look, &look.texts.message.ended, &look.texts.message.ended_text)
}

/// The form was not this page's, or not for whom it is sent now.
pub(super) fn foreign_form(look: Look<'_>, again: Option<(&str, &str)>) -> Response<Bytes> {
    let (title, text) = (&*look.texts.message.out_of_date, &*look.texts.message.out_of_date_text);
    let again = again.map(|(path, id)| Again { path, id });
    render(StatusCode::FORBIDDEN, title, look, &Message { look, title, text, again }, None)
}

/// The request is none that these pages send.
pub(super) fn bad_request(status: StatusCode, look: Look<'_>) -> Response<Bytes> {
    message(status, look, &look.texts.message.unreadable, &look.texts.message.unreadable_text)
}

/// The server cannot go on now.
pub(super) fn unavailable(look: Look<'_>) -> Response<Bytes> {
    let texts = &look.texts.message;
    let mut response = message(StatusCode::SERVICE_UNAVAILABLE, look, &texts.unavailable, &texts.unavailable_text);
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

pub(super) fn message(status: StatusCode, look: Look<'_>, title: &str, text: &str) -> Response<Bytes> {
    render(status, title, look, &Message { look, title, text, again: None }, None)
}

pub(super) fn render(
    status: StatusCode,
    title: &str,
    look: Look<'_>,
    main: &impl Template,
    origin: Option<&str>,
) -> Response<Bytes> {
    let document = |title: &str, main: &str| page::document_in(&look.texts.lang, look.texts.direction, title, main);
    match main.render() {
        Ok(main) => page::html(status, document(&format!("{title} · {}", look.site), &main), origin),
        // Writing into memory does not fail.
        Err(_) => page::html(StatusCode::INTERNAL_SERVER_ERROR, document(title, ""), None),
    }
}
