//! Signing in outside an interaction: to use a page of this server's own.
//!
//! The form stands on the page that needs it and is sent back to it, so that
//! there is nothing to say where to return to, and no address from the request
//! is ever gone to (OAuth 2.1 section 9.18.2).

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header::SET_COOKIE, request::Parts};
use oauth_core::{engine::fault::Fault, params::Params};

use super::{
    flow::{Page, see_other},
    texts::Texts,
    users::Users,
    views::SignIn,
    visit::Visit,
};

/// A page of this server's own.
#[derive(Debug)]
pub(super) struct Place {
    /// Its path: never from a request.
    pub(super) path: String,
    /// What it is called.
    pub(super) name: fn(&Texts) -> &str,
}

/// Who is signed in.
pub(super) struct Person {
    pub(super) subject: String,
    pub(super) name: String,
}

impl<U: Users> Visit<'_, U> {
    /// Who is signed in with this browser, and still may.
    pub(super) async fn person(&self, headers: &HeaderMap) -> Result<Option<Person>, Fault> {
        if let Some(user) = &self.auto_approve {
            return Ok(Some(Person { subject: user.subject().to_owned(), name: user.shown_name().to_owned() }));
        }
        let session = self.session(headers).await?;
        Ok(session.map(|session| Person { subject: session.subject, name: session.name }))
    }

    /// The sign-in page for whoever wants to see `place`.
    pub(super) fn sign_in_before(&self, place: &Place, csrf: &str) -> Response<Bytes> {
        self.sign_in_before_again(place, csrf, StatusCode::OK, "", None)
    }

    /// Judges the form of that page, once its token is known to be good: signs
    /// in and shows `place`, or the form again.
    pub(super) async fn sign_in_to(&self, place: &Place, parts: &Parts, csrf: &str, form: &Params) -> Page {
        match self.check_sign_in(parts, form).await? {
            Ok(user) => to_place(place, self.begin_session(&parts.headers, &user, form, "").await?),
            Err(no) => {
                Ok(no.answer(self.sign_in_before_again(place, csrf, no.status, &no.username, Some(&no.problem))))
            }
        }
    }

    /// Lets somebody else sign in to see `place`.
    pub(super) async fn sign_out_of(&self, place: &Place, headers: &HeaderMap) -> Page {
        to_place(place, self.end_session(headers).await?)
    }

    fn sign_in_before_again(
        &self,
        place: &Place,
        csrf: &str,
        status: StatusCode,
        username: &str,
        problem: Option<&str>,
    ) -> Response<Bytes> {
        let (look, client, action) = (self.look, (place.name)(self.look.texts), place.path.as_str());
        SignIn { look, client, action, csrf, username, again: None, problem }.page(status)
    }
}

fn to_place(place: &Place, session: HeaderValue) -> Page {
    let mut response = see_other(&place.path)?;
    response.headers_mut().append(SET_COOKIE, session);
    Ok(response)
}
