//! The authorization response, and the ways it travels: in the query or the
//! fragment of the redirect URI, or in a form that the browser posts
//! ([OAuth 2.0 Multiple Response Type Encoding Practices], [OAuth 2.0 Form Post
//! Response Mode]).
//!
//! [OAuth 2.0 Multiple Response Type Encoding Practices]: https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html
//! [OAuth 2.0 Form Post Response Mode]: https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{LOCATION, REFERRER_POLICY},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    endpoint::{no_store, page},
    error::OAuthError,
    params,
};

/// How the response reaches the client: `response_mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResponseMode {
    /// In the query of the redirect URI: the default.
    #[default]
    Query,
    /// In its fragment, which the browser keeps from the client's server.
    Fragment,
    /// In a form that the browser posts to the redirect URI, so that the code
    /// stands in no address.
    FormPost,
}

impl ResponseMode {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Query, Self::Fragment, Self::FormPost];

    /// The value on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Fragment => "fragment",
            Self::FormPost => "form_post",
        }
    }

    /// Whether it can bring anything to `redirect_uri`: no browser posts a form to
    /// an app's own scheme.
    pub(super) fn reaches(self, redirect_uri: &str) -> bool {
        self != Self::FormPost || redirect_uri.starts_with("https:") || redirect_uri.starts_with("http:")
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text)
    }
}

/// The answer to an authorization request, on its way through the browser. It
/// carries a code, so it is for that browser alone.
///
/// ```
/// # use oauth_core::engine::{fault::Fault, interaction::{Approval, Interaction}};
/// # use http::Response;
/// # use bytes::Bytes;
/// async fn yes(interaction: Interaction, user: &str) -> Result<Option<Response<Bytes>>, Fault> {
///     let answer = interaction.approve(Approval::new(user)).await?;
///     Ok(answer.map(|answer| answer.into_http()))
/// }
/// ```
pub struct AuthorizationResponse(Way);

enum Way {
    Redirect(Zeroizing<String>),
    /// A page with a form.
    Post {
        action: String,
        fields: Vec<(&'static str, Zeroizing<String>)>,
    },
}

impl AuthorizationResponse {
    /// `pairs` for `redirect_uri`, a registered one.
    pub(crate) fn new(mode: ResponseMode, redirect_uri: &str, pairs: &[(&'static str, &str)]) -> Self {
        let encode = || params::encode(pairs.iter().map(|(name, value)| (*name, Cow::Borrowed(*value))));
        Self(match mode {
            ResponseMode::Query => Way::Redirect(Zeroizing::new(append(redirect_uri, &encode()))),
            // A registered URI has no fragment (OAuth 2.1 section 3.1.2).
            ResponseMode::Fragment => Way::Redirect(Zeroizing::new(format!("{redirect_uri}#{}", encode()))),
            ResponseMode::FormPost => Way::Post {
                action: redirect_uri.to_owned(),
                fields: pairs.iter().map(|(name, value)| (*name, Zeroizing::new((*value).to_owned()))).collect(),
            },
        })
    }

    /// Where to send the browser, with a 303; `None` for
    /// [`ResponseMode::FormPost`].
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        match &self.0 {
            Way::Redirect(url) => Some(url),
            Way::Post { .. } => None,
        }
    }

    /// The whole answer: a redirect, or the page with the form.
    ///
    /// 303, so that no browser repeats a POST with credentials (RFC 9700 section
    /// 4.12).
    #[must_use]
    pub fn into_http(self) -> Response<Bytes> {
        match &self.0 {
            Way::Redirect(url) => see_other(url),
            Way::Post { action, fields } => page::post_page(action, &origin(action), fields),
        }
    }
}

/// Sends the browser to `url` with a GET.
pub(crate) fn see_other(url: &str) -> Response<Bytes> {
    let Ok(value) = HeaderValue::from_str(url) else {
        return page::error_page(&OAuthError::invalid_request("the answer cannot be delivered"));
    };
    let mut response = no_store(Response::new(Bytes::new()));
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(LOCATION, value);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// The origin of a redirect URI, or its scheme and a colon.
pub(crate) fn origin(uri: &str) -> String {
    let Ok(url) = url::Url::parse(uri) else { return String::new() };
    match url.origin() {
        origin @ url::Origin::Tuple(..) => origin.ascii_serialization(),
        url::Origin::Opaque(_) => format!("{}:", url.scheme()),
    }
}

/// Appends to the query that the URI may have.
fn append(uri: &str, query: &str) -> String {
    let joint = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some((_, existing)) if existing.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{uri}{joint}{query}")
}

/// Without the code.
impl fmt::Debug for AuthorizationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationResponse").finish_non_exhaustive()
    }
}
