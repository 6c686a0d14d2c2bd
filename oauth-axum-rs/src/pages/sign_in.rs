//! Judging what a sign-in form sent, wherever the form was.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header::RETRY_AFTER, request::Parts};
use oauth_core::{engine::fault::Fault, params::Params, secret::Secret};

use super::{
    Inner, flow,
    limit::Limited,
    users::{User, Users},
};

/// Why nobody was signed in.
pub(super) struct NotSignedIn {
    pub(super) status: StatusCode,
    /// For the form, once more.
    pub(super) username: String,
    pub(super) problem: Cow<'static, str>,
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

    fn refused(username: &str, problem: &'static str) -> Self {
        let (status, username) = (StatusCode::UNPROCESSABLE_ENTITY, username.to_owned());
        Self { status, username, problem: problem.into(), retry_after: None }
    }

    fn limited(username: &str, limited: Limited) -> Self {
        let problem = format!("Too many attempts failed. Try again in {} seconds.", limited.seconds).into();
        let (status, username) = (StatusCode::TOO_MANY_REQUESTS, username.to_owned());
        Self { status, username, problem, retry_after: Some(limited.seconds) }
    }
}

impl<U: Users> Inner<U> {
    /// The user whose name and password `form` has.
    pub(super) async fn check_sign_in(&self, parts: &Parts, form: &Params) -> Result<Result<User, NotSignedIn>, Fault> {
        let username = form.get("username").unwrap_or_default().trim();
        let Some(password) = form.get("password").map(Secret::new).filter(|_| !username.is_empty()) else {
            return Ok(Err(NotSignedIn::refused(username, "Enter your user name and your password.")));
        };
        let attempt = match self.limit.begin(username, flow::address(parts), self.server.now()) {
            Ok(attempt) => attempt,
            Err(limited) => return Ok(Err(NotSignedIn::limited(username, limited))),
        };
        let Some(user) = self.users.sign_in(username, &password).await? else {
            // One text for both, so that it does not tell which names exist.
            return Ok(Err(NotSignedIn::refused(username, "The user name or the password is not right.")));
        };
        self.limit.succeeded(&attempt);
        Ok(Ok(user))
    }
}
