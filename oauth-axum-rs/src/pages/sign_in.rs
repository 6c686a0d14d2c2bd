//! Judging what a sign-in form sent, wherever the form was.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header::RETRY_AFTER, request::Parts};
use oauth_core::{engine::fault::Fault, params::Params, secret::Secret};

use super::{
    flow,
    limit::Limited,
    texts::{Fill, SignInTexts},
    users::{User, Users},
    visit::Visit,
};

/// Why nobody was signed in.
pub(super) struct NotSignedIn {
    pub(super) status: StatusCode,
    /// For the form, once more.
    pub(super) username: String,
    pub(super) problem: String,
    /// When to try again, in seconds.
    retry_after: Option<u64>,
}

impl NotSignedIn {
    /// `page`, which says so.
    pub(super) fn answer(&self, mut page: Response<Bytes>) -> Response<Bytes> {
        if let Some(seconds) = self.retry_after {
            page.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        page
    }

    fn refused(username: &str, problem: &str) -> Self {
        let (status, username) = (StatusCode::UNPROCESSABLE_ENTITY, username.to_owned());
        Self { status, username, problem: problem.to_owned(), retry_after: None }
    }

    fn limited(username: &str, limited: Limited, texts: &SignInTexts) -> Self {
        let problem = Fill::new(&texts.limited).with("seconds", &limited.seconds.to_string()).plain();
        let (status, username) = (StatusCode::TOO_MANY_REQUESTS, username.to_owned());
        Self { status, username, problem, retry_after: Some(limited.seconds) }
    }
}

impl<U: Users> Visit<'_, U> {
    /// The user whose name and password `form` has.
    pub(super) async fn check_sign_in(&self, parts: &Parts, form: &Params) -> Result<Result<User, NotSignedIn>, Fault> {
        let texts = &self.look.texts.sign_in;
        let username = form.get("username").unwrap_or_default().trim();
        let Some(password) = form.get("password").map(Secret::new).filter(|_| !username.is_empty()) else {
            return Ok(Err(NotSignedIn::refused(username, &texts.incomplete)));
        };
        let attempt = match self.limit.begin(username, flow::address(parts), self.server.now()) {
            Ok(attempt) => attempt,
            Err(limited) => return Ok(Err(NotSignedIn::limited(username, limited, texts))),
        };
        let Some(user) = self.users.sign_in(username, &password).await? else {
            // One text for both, so that it does not tell which names exist.
            return Ok(Err(NotSignedIn::refused(username, &texts.wrong)));
        };
        self.limit.succeeded(&attempt);
        Ok(Ok(user))
    }
}
