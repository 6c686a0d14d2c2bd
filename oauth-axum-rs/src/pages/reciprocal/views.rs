//! What the page looks like.

use askama::Template;
use bytes::Bytes;
use http::{Response, StatusCode};

use crate::pages::{
    about::About,
    texts::{Fill, Html},
    views::{ScopeLine, message, render},
    visit::Look,
};

/// The question.
#[derive(Template)]
#[template(path = "reciprocal/consent.html")]
pub(super) struct Consent<'a> {
    pub(super) look: Look<'a>,
    pub(super) client: &'a str,
    pub(super) user: &'a str,
    pub(super) about: About<'a>,
    /// Always `None`: whoever describes itself is nobody's peer.
    pub(super) document_host: Option<&'a str>,
    pub(super) scopes: Vec<ScopeLine<'a>>,
    pub(super) resources: &'a [String],
    pub(super) action: &'a str,
    pub(super) csrf: &'a str,
    pub(super) can_sign_out: bool,
}

impl Consent<'_> {
    pub(super) fn page(&self) -> Response<Bytes> {
        render(StatusCode::OK, &self.look.texts.consent.document, self.look, self, None)
    }

    fn title(&self) -> Html {
        Fill::new(&self.look.texts.reciprocal.title).name("client", self.client).html()
    }

    fn lead(&self) -> Html {
        Fill::new(&self.look.texts.reciprocal.lead).strong("client", self.client).html()
    }
}

/// Nothing waits in this browser, or what did was decided.
pub(super) fn ended(status: StatusCode, look: Look<'_>) -> Response<Bytes> {
    message(status, look, &look.texts.reciprocal.ended, &look.texts.reciprocal.ended_text)
}

/// The client may not have what it asks for.
pub(super) fn unfit(look: Look<'_>) -> Response<Bytes> {
    message(StatusCode::CONFLICT, look, &look.texts.reciprocal.unfit, &look.texts.reciprocal.unfit_text)
}

/// The form was not this page's, or not for whom or for what it is sent now.
pub(super) fn out_of_date(look: Look<'_>) -> Response<Bytes> {
    let texts = &look.texts.message;
    message(StatusCode::FORBIDDEN, look, &texts.out_of_date, &texts.out_of_date_text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::texts::pseudo::{self, Seen};

    #[test]
    fn the_page_has_no_text_that_is_not_of_a_language() {
        let texts = pseudo::texts();
        let look = Look { site: "1.0.0.1", texts: &texts };
        let question = Consent {
            look,
            client: "2",
            user: "3",
            about: About::default(),
            document_host: None,
            scopes: vec![ScopeLine { token: "4", text: None }],
            resources: &["5".to_owned()],
            action: "",
            csrf: "",
            can_sign_out: true,
        };
        let mut seen = Seen::default();
        for page in [question.page(), ended(StatusCode::GONE, look), unfit(look), out_of_date(look)] {
            seen.page(&page, &[]);
        }
        // That one stands on the sign-in page.
        assert_eq!(seen.unseen(&["reciprocal"]), ["reciprocal.place"]);
    }
}
