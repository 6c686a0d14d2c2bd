//! [`MatrixError`]: an error as Matrix says it.

use std::{borrow::Cow, fmt};

use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use serde_json::{Map, Value};

use super::cors;

/// An error of the client-server API: a status, and `errcode` and `error` in JSON
/// ("Standard error response").
///
/// ```
/// use oauth_tower::resource::matrix::MatrixError;
/// let response = MatrixError::forbidden("this room is not yours").response::<String>();
/// assert_eq!(response.status(), 403);
/// assert_eq!(response.body(), r#"{"errcode":"M_FORBIDDEN","error":"this room is not yours"}"#);
/// ```
#[derive(Clone)]
pub struct MatrixError {
    status: StatusCode,
    errcode: Cow<'static, str>,
    error: Cow<'static, str>,
    more: Map<String, Value>,
    headers: Box<HeaderMap>,
}

impl MatrixError {
    /// An error with this status and code; `error` is for people.
    pub fn new(status: StatusCode, errcode: impl Into<Cow<'static, str>>, error: impl Into<Cow<'static, str>>) -> Self {
        Self { status, errcode: errcode.into(), error: error.into(), more: Map::new(), headers: Box::default() }
    }

    /// 401 `M_MISSING_TOKEN` ("Using access tokens").
    #[must_use]
    pub fn missing_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "M_MISSING_TOKEN", "no access token")
    }

    /// 401 `M_UNKNOWN_TOKEN`: the session is over.
    #[must_use]
    pub fn unknown_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "M_UNKNOWN_TOKEN", "the access token is not good")
    }

    /// 401 `M_UNKNOWN_TOKEN` with `soft_logout: true`: the token is over, and the
    /// session is not ("Soft logout").
    #[must_use]
    pub fn stale_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "M_UNKNOWN_TOKEN", "the access token is over: refresh it").soft()
    }

    /// 401 `M_USER_LOCKED` with `soft_logout: true` ("Account locking").
    #[must_use]
    pub fn user_locked() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "M_USER_LOCKED", "the account is locked").soft()
    }

    /// 403 `M_USER_SUSPENDED` ("Account suspension").
    #[must_use]
    pub fn user_suspended() -> Self {
        Self::new(StatusCode::FORBIDDEN, "M_USER_SUSPENDED", "the account is suspended")
    }

    /// 403 `M_FORBIDDEN`.
    pub fn forbidden(error: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "M_FORBIDDEN", error)
    }

    /// 403 `M_GUEST_ACCESS_FORBIDDEN` ("Guest access").
    #[must_use]
    pub fn guest_access_forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "M_GUEST_ACCESS_FORBIDDEN", "this is not for guests")
    }

    /// 400 `M_UNKNOWN_DEVICE` (application service API, "Identity assertion").
    #[must_use]
    pub fn unknown_device() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "M_UNKNOWN_DEVICE", "the user has no such device")
    }

    /// 404 `M_UNRECOGNIZED`: there is no such endpoint ("Common error codes").
    #[must_use]
    pub fn unrecognized() -> Self {
        Self::new(StatusCode::NOT_FOUND, "M_UNRECOGNIZED", "no such endpoint")
    }

    /// 405 `M_UNRECOGNIZED`: not with this method.
    #[must_use]
    pub fn unrecognized_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "M_UNRECOGNIZED", "not by this method")
    }

    /// 429 `M_LIMIT_EXCEEDED` with `Retry-After` in seconds, and the older
    /// `retry_after_ms` ("Rate limiting").
    #[must_use]
    pub fn limit_exceeded(retry_after: u64) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "M_LIMIT_EXCEEDED", "too many requests")
            .with("retry_after_ms", retry_after.saturating_mul(1000))
            .retry_after(retry_after)
    }

    /// 403 `M_USER_LIMIT_EXCEEDED`, which must say where to read about it, and may say
    /// that one could have more ("Common error codes").
    #[must_use]
    pub fn user_limit_exceeded(info_uri: &str, can_upgrade: bool) -> Self {
        Self::new(StatusCode::FORBIDDEN, "M_USER_LIMIT_EXCEEDED", "the account has reached a limit")
            .with("info_uri", info_uri)
            .with("can_upgrade", can_upgrade)
    }

    /// 403 `M_RESOURCE_LIMIT_EXCEEDED`, which must say whom to write to.
    #[must_use]
    pub fn resource_limit_exceeded(admin_contact: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "M_RESOURCE_LIMIT_EXCEEDED", "the server has reached a limit")
            .with("admin_contact", admin_contact)
    }

    /// 503 `M_UNKNOWN` with `Retry-After` in seconds: nobody knows now, and nobody is
    /// signed out for it.
    #[must_use]
    pub fn unavailable(retry_after: u64) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "M_UNKNOWN", "this cannot be judged now").retry_after(retry_after)
    }

    /// 500 `M_UNKNOWN`: the servers disagree, which is nothing that a client did.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "M_UNKNOWN", "internal error")
    }

    /// With another member of the JSON; never one of the two that are always there.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// `errcode`; empty where another stage is asked for ([`OauthStage`](super::OauthStage)).
    #[must_use]
    pub fn errcode(&self) -> &str {
        &self.errcode
    }

    /// The response, as JSON, and with the headers of [`Cors`](super::Cors).
    pub fn response<B: From<String>>(&self) -> Response<B> {
        let mut response = Response::new(B::from(self.body()));
        *response.status_mut() = self.status;
        *response.headers_mut() = (*self.headers).clone();
        // Browsers hide what has none of these, the `errcode` of a 401 among it.
        cors::allow(response.headers_mut());
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }

    /// 401 that asks for another stage, which is no error ("User-Interactive Authentication
    /// API").
    pub(super) fn interactive() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "", "more authentication is needed")
    }

    pub(super) fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.headers.extend(headers);
        self
    }

    fn body(&self) -> String {
        let mut members = self.more.clone();
        if !self.errcode.is_empty() {
            members.insert("errcode".to_owned(), Value::String(self.errcode.to_string()));
            members.insert("error".to_owned(), Value::String(self.error.to_string()));
        }
        Value::Object(members).to_string()
    }

    fn soft(self) -> Self {
        self.with("soft_logout", true)
    }

    fn retry_after(mut self, seconds: u64) -> Self {
        self.headers.insert(RETRY_AFTER, seconds.into());
        self
    }
}

impl fmt::Display for MatrixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.errcode, self.error)
    }
}

impl std::error::Error for MatrixError {}

impl fmt::Debug for MatrixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MatrixError")
            .field("status", &self.status)
            .field("errcode", &self.errcode)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(error: &MatrixError) -> Value {
        let response = error.response::<String>();
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        serde_json::from_str(response.body()).unwrap()
    }

    #[test]
    fn errcode_and_error_are_always_there_and_nobody_overwrites_them() {
        let error = MatrixError::unknown_token().with("errcode", "X").with("error", 1).with("more", 2);
        assert_eq!(body(&error)["errcode"], "M_UNKNOWN_TOKEN");
        assert!(body(&error)["error"].is_string());
        assert_eq!(body(&error)["more"], 2);
    }

    #[test]
    fn a_limit_says_when_to_come_back_in_both_ways() {
        let error = MatrixError::limit_exceeded(3);
        assert_eq!(error.response::<String>().headers()[RETRY_AFTER], "3");
        assert_eq!(body(&error)["retry_after_ms"], 3000);
        assert_eq!(body(&MatrixError::limit_exceeded(u64::MAX))["retry_after_ms"], u64::MAX);
    }
}
