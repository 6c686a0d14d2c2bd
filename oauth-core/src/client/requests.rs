//! How a client sends its authorization requests.

use serde::{Deserialize, Serialize};

use crate::jwt::Algorithm;

/// How a client sends its authorization requests: what it binds itself to, and
/// where its signed requests are ([RFC 9126 section 6], [RFC 9101 section 10.5],
/// OpenID Connect Dynamic Client Registration section 2).
///
/// ```
/// use oauth_core::client::Client;
/// let app = Client::builder("app")
///     .redirect_uri("https://app.example/cb")
///     .requests(|how| how.require_pushed_authorization_requests = true)
///     .build()?;
/// assert!(app.requests.require_pushed_authorization_requests);
/// # Ok::<_, oauth_core::client::InvalidClient>(())
/// ```
///
/// [RFC 9126 section 6]: https://www.rfc-editor.org/rfc/rfc9126#section-6
/// [RFC 9101 section 10.5]: https://www.rfc-editor.org/rfc/rfc9101#section-10.5
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ClientRequests {
    /// `require_pushed_authorization_requests`: it always pushes them.
    #[serde(skip_serializing_if = "is_off")]
    pub require_pushed_authorization_requests: bool,
    /// `require_signed_request_object`: it always signs them. It needs keys.
    #[serde(skip_serializing_if = "is_off")]
    pub require_signed_request_object: bool,
    /// `request_object_signing_alg`: all that it signs them with. Without it,
    /// whatever its keys allow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_object_signing_alg: Option<Algorithm>,
    /// `request_uris`: the https URLs at which it may keep them, at most
    /// [`ClientRequests::MAX_URIS`]; compared byte by byte.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub request_uris: Vec<String>,
}

impl ClientRequests {
    /// The most `request_uris` that one client may have.
    pub const MAX_URIS: usize = 32;

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it may sign its requests with `algorithm`.
    #[cfg(feature = "server")]
    pub(crate) fn may_sign_with(&self, algorithm: Algorithm) -> bool {
        self.request_object_signing_alg.is_none_or(|only| only == algorithm)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_off(switch: &bool) -> bool {
    !*switch
}
