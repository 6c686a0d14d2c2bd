//! What the page looks like.

use askama::Template;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header::RETRY_AFTER};
use oauth_core::authorization_details::AuthorizationDetails;

use crate::pages::{
    about::About,
    texts::{Fill, Html},
    views::{ScopeLine, render},
    visit::Look,
};

/// The form for a code.
#[derive(Template)]
#[template(path = "device/code.html")]
pub(super) struct Code<'a> {
    pub(super) look: Look<'a>,
    pub(super) action: &'a str,
    pub(super) csrf: &'a str,
    pub(super) user_code: &'a str,
    pub(super) problem: Option<&'a str>,
}

/// The question.
#[derive(Template)]
#[template(path = "device/consent.html")]
pub(super) struct Consent<'a> {
    pub(super) look: Look<'a>,
    pub(super) client: &'a str,
    pub(super) user: &'a str,
    pub(super) user_code: &'a str,
    pub(super) about: About<'a>,
    pub(super) document_host: Option<&'a str>,
    pub(super) scopes: Vec<ScopeLine<'a>>,
    pub(super) details: &'a AuthorizationDetails,
    pub(super) resources: &'a [String],
    pub(super) action: &'a str,
    pub(super) csrf: &'a str,
    pub(super) can_sign_out: bool,
}

#[derive(Template)]
#[template(path = "device/notice.html")]
struct Notice<'a> {
    look: Look<'a>,
    title: &'a str,
    text: &'a str,
    again: Option<&'a str>,
}

impl Code<'_> {
    pub(super) fn page(&self, status: StatusCode) -> Response<Bytes> {
        let title = &self.look.texts.device.title;
        match self.problem {
            Some(_) => render(status, &self.look.error_title(title), self.look, self, None),
            None => render(status, title, self.look, self, None),
        }
    }
}

impl Consent<'_> {
    pub(super) fn page(&self) -> Response<Bytes> {
        render(StatusCode::OK, &self.look.texts.consent.document, self.look, self, None)
    }

    fn title(&self) -> Html {
        Fill::new(&self.look.texts.device.consent_title).name("client", self.client).html()
    }

    fn warning(&self) -> Html {
        Fill::new(&self.look.texts.device.consent_warning).strong("code", self.user_code).html()
    }
}

/// After a yes.
pub(super) fn allowed(look: Look<'_>) -> Response<Bytes> {
    let texts = &look.texts.device;
    notice(StatusCode::OK, look, (&texts.allowed, &texts.allowed_text), None)
}

/// After a no.
pub(super) fn denied(look: Look<'_>) -> Response<Bytes> {
    let texts = &look.texts.device;
    notice(StatusCode::OK, look, (&texts.denied, &texts.denied_text), None)
}

/// It was decided, took too long, or is another browser's.
pub(super) fn ended(status: StatusCode, look: Look<'_>, path: &str) -> Response<Bytes> {
    let texts = &look.texts.device;
    notice(status, look, (&texts.ended, &texts.ended_text), Some(path))
}

/// The form was not this page's, or not for whom it is sent now.
pub(super) fn out_of_date(look: Look<'_>, path: &str) -> Response<Bytes> {
    let texts = &look.texts.message;
    notice(StatusCode::FORBIDDEN, look, (&texts.out_of_date, &texts.out_of_date_text), Some(path))
}

/// The request is none that this page sends.
pub(super) fn unreadable(status: StatusCode, look: Look<'_>, path: &str) -> Response<Bytes> {
    let what = (&*look.texts.message.unreadable, &*look.texts.device.unreadable_text);
    notice(status, look, what, Some(path))
}

pub(super) fn retry_after(mut page: Response<Bytes>, seconds: u64) -> Response<Bytes> {
    page.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    page
}

fn notice(status: StatusCode, look: Look<'_>, (title, text): (&str, &str), again: Option<&str>) -> Response<Bytes> {
    render(status, title, look, &Notice { look, title, text, again }, None)
}
