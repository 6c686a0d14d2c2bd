//! A response, and what every one of its kind must be.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use oauth_core::params::Params;
use serde_json::Value;

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// A token response that was granted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
}

impl Answer {
    pub(crate) fn new(response: Response<Bytes>) -> Self {
        let (head, body) = response.into_parts();
        Self { status: head.status, headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body as JSON, which is announced as such.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json", "{self}");
        serde_json::from_str(&self.body).unwrap()
    }

    /// A member of the body.
    #[track_caller]
    pub(crate) fn member(&self, name: &str) -> Value {
        self.json()[name].clone()
    }

    /// OAuth 2.1 section 5.1: nobody may keep it.
    #[track_caller]
    pub(crate) fn is_not_kept(&self) {
        assert_eq!((self.header("cache-control"), self.header("pragma")), ("no-store", "no-cache"), "{self}");
    }

    /// The token error of OAuth 2.1 section 5.2, with this status and code.
    #[track_caller]
    pub(crate) fn is_refused(&self, status: u16, code: &str) {
        let error = self.json();
        assert_eq!((self.status.as_u16(), error["error"].as_str()), (status, Some(code)), "{self}");
        assert!(error["error_description"].as_str().is_none_or(is_legal_description), "{self}");
        assert!(status != 401 || self.header("www-authenticate").starts_with("Basic realm=\""), "{self}");
        self.is_not_kept();
    }

    /// A success of the token endpoint.
    #[track_caller]
    pub(crate) fn tokens(&self) -> Tokens {
        assert_eq!(self.status, StatusCode::OK, "{self}");
        self.is_not_kept();
        let text = |name| self.member(name).as_str().map(str::to_owned);
        Tokens { access: text("access_token").unwrap(), refresh: text("refresh_token") }
    }

    /// RFC 7009 section 2.2: 200, and nothing to read.
    #[track_caller]
    pub(crate) fn is_revoked(&self) {
        assert_eq!((self.status.as_u16(), self.body.as_str()), (200, ""), "{self}");
        self.is_not_kept();
    }

    /// RFC 7662 section 2.2: nothing but this.
    #[track_caller]
    pub(crate) fn is_inactive(&self) {
        assert_eq!((self.status.as_u16(), self.body.as_str()), (200, r#"{"active":false}"#));
        self.is_not_kept();
    }

    /// 503, which says nothing about what was asked, but that it may be asked again.
    #[track_caller]
    pub(crate) fn is_unavailable(&self) {
        self.is_refused(503, "temporarily_unavailable");
        assert!(self.header("retry-after").parse::<u32>().is_ok(), "{self}");
    }

    /// The page for a request that is never redirected (OAuth 2.1 section 4.1.2.1).
    #[track_caller]
    pub(crate) fn is_error_page(&self) {
        assert_eq!(self.status, StatusCode::BAD_REQUEST, "{self}");
        assert!(self.headers.get("location").is_none(), "{self}");
        assert_eq!(self.header("content-type"), "text/html; charset=utf-8", "{self}");
    }

    /// Where the browser is sent: 303, whatever the method was.
    #[track_caller]
    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{self}");
        self.header("location")
    }

    /// An authorization response that went to `callback`: its parameters.
    #[track_caller]
    pub(crate) fn redirected_to(&self, callback: &str) -> Params {
        response_at(callback, self.location())
    }

    /// An error that went to the client.
    #[track_caller]
    pub(crate) fn is_error_redirect(&self, code: &str) -> Params {
        let params = self.redirected_to(super::CALLBACK);
        assert_eq!(params.get("error"), Some(code), "{self}");
        assert!(params.get("error_description").is_none_or(is_legal_description), "{self}");
        assert_eq!((params.get("iss"), params.get("code")), (Some(super::ISSUER), None), "{self}");
        params
    }
}

/// The parameters of an authorization response that was sent to `callback` and nowhere else.
#[track_caller]
pub(crate) fn response_at(callback: &str, location: &str) -> Params {
    let query = location.strip_prefix(callback).and_then(|rest| rest.strip_prefix(['?', '&']));
    Params::parse(query.unwrap_or_else(|| panic!("sent to {location}"))).unwrap()
}

/// OAuth 2.1 section 5.2: %x20-21 / %x23-5B / %x5D-7E.
fn is_legal_description(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?} {}", self.status, self.headers, self.body)
    }
}
