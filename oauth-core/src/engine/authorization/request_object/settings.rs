//! Which signed requests are taken.

use crate::jwt::Algorithm;

/// Which signed authorization requests are taken ([RFC 9101]). They are signed
/// with keys that the client registered.
///
/// ```
/// use oauth_core::{jwt::Algorithm, server::AuthorizationServer};
/// let builder = AuthorizationServer::builder("https://auth.example").authorization(|settings| {
///     settings.request_objects.required = true;
///     settings.request_objects.algorithms = vec![Algorithm::ES256, Algorithm::PS256];
///     settings.request_objects.lifetime = Some(3600);
/// });
/// # drop(builder);
/// ```
///
/// [RFC 9101]: https://www.rfc-editor.org/rfc/rfc9101
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestObjects {
    /// Whether the object may be in the request itself (`request`): yes, unless
    /// changed.
    pub by_value: bool,
    /// Whether it may lie at one of the client's registered `request_uris`: yes,
    /// unless changed, where the server has something to fetch it with.
    pub by_reference: bool,
    /// Whether every request must be a signed object
    /// (`require_signed_request_object`, RFC 9101 section 10.5), wherever it is
    /// sent. A client can ask for it for itself too.
    pub required: bool,
    /// The algorithms of the signature: all that there are, unless changed. A
    /// client can name one of them.
    pub algorithms: Vec<Algorithm>,
    /// If set: `nbf` and `exp` must both be there, at most so many seconds apart, so
    /// that `nbf` is at most so many seconds ago. FAPI 2.0 has 3600. Otherwise both
    /// may be left out (RFC 9101 section 4).
    pub lifetime: Option<u64>,
}

impl Default for RequestObjects {
    fn default() -> Self {
        Self {
            by_value: true,
            by_reference: true,
            required: false,
            algorithms: Algorithm::ALL.to_vec(),
            lifetime: None,
        }
    }
}
