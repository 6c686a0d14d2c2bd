//! Introspection responses that are signed ([RFC 9701]).
//!
//! [RFC 9701]: https://www.rfc-editor.org/rfc/rfc9701

use std::fmt;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderValue, Response, header::CONTENT_TYPE};
use oauth_core::{
    claims::{INTROSPECTION_RESPONSE_TYPE, IntrospectionExpectations, VerifiedIntrospection, verify_introspection},
    clock::UnixTime,
    jwk::JwkSet,
    jwt::{Algorithm, JwtError},
};
use serde_json::{Map, Value};

use super::{
    fetched::{Availability, Newer},
    invalidate::{Ground, Slot},
    issuer::KeySource,
    jwks::Keys,
    validate::Judge,
};

/// How an issuer signs its answers: for
/// [`IntrospectionIssuer::signed`](super::IntrospectionIssuer::signed).
///
/// ```
/// use oauth_core::jwt::Algorithm;
/// use oauth_tower::resource::{Issuer, SignedAnswers};
///
/// let issuer = Issuer::introspection_discovered("https://as.example")
///     .client_basic("notes-api", "the client secret")
///     .signed(SignedAnswers::discovered().algorithms([Algorithm::ES256]));
/// # drop(issuer);
/// ```
#[must_use]
pub struct SignedAnswers {
    pub(super) keys: KeySource,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) audience: Option<String>,
}

impl SignedAnswers {
    /// By the keys that the issuer's metadata name (`jwks_uri`, RFC 8414 section
    /// 2): fetched when first needed, and kept fresh as those of
    /// [`Issuer::jwt`](super::Issuer::jwt).
    pub fn discovered() -> Self {
        Self::by(KeySource::Discovered)
    }

    /// By the keys that are fetched here.
    pub fn jwks_uri(url: impl Into<String>) -> Self {
        Self::by(KeySource::At(url.into()))
    }

    /// By these keys, for ever: nothing is fetched.
    pub fn keys(keys: JwkSet) -> Self {
        Self::by(KeySource::Given(keys))
    }

    fn by(keys: KeySource) -> Self {
        Self { keys, algorithms: Algorithm::ALL.to_vec(), audience: None }
    }

    /// Accepts these signature algorithms alone (RFC 8725 section 3.1). By
    /// default, every algorithm of [`Algorithm`] that fits the key.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// What the issuer calls this resource server in the `aud` of its answers. By
    /// default its `client_id` there, or the audience that tokens must name
    /// (RFC 9701 section 5).
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }
}

impl fmt::Debug for SignedAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedAnswers")
            .field("algorithms", &self.algorithms)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

/// What the answers of one issuer are held to.
#[derive(Debug)]
pub(super) struct Signatures {
    pub(super) keys: Keys,
    pub(super) algorithms: Box<[Algorithm]>,
    /// What this resource server is called there.
    pub(super) names: Box<[Box<str>]>,
}

/// An answer whose signature is good.
pub(super) struct Opened {
    pub(super) answer: Map<String, Value>,
    /// The key it rests on.
    pub(super) ground: Slot,
    /// When the keys have to be looked at again.
    pub(super) until: UnixTime,
}

/// What is asked for, and what must come (RFC 9701 sections 4 and 5).
pub(super) const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/token-introspection+jwt");

/// The keys may not be there, then there may be newer ones.
const ATTEMPTS: usize = 3;

impl Signatures {
    /// The answer in `response`, to a question that was put at `asked`, or what
    /// is wrong with it. That is a fault of the issuer, or of somebody in
    /// between, and says nothing of the token.
    pub(super) async fn open(
        &self,
        response: &Response<Bytes>,
        asked: UnixTime,
        judge: &Judge,
        index: usize,
    ) -> Result<Opened, String> {
        if !is_signed(response) {
            return Err("introspection: the answer is not signed".into());
        }
        let text = str::from_utf8(response.body()).map_err(|_| unfit(&JwtError::NotCompact))?;
        for _ in 0..ATTEMPTS {
            let now = judge.clock.now();
            let (keys, until) = match self.keys.at(now, true) {
                Availability::Ready { value, until, refresh } => {
                    // One push by the way; whoever comes next gives another.
                    let _ = refresh.and_then(FutureExt::now_or_never);
                    (value, until)
                }
                Availability::Wait(refresh) => {
                    refresh.await;
                    continue;
                }
                Availability::Down { .. } => break,
            };
            match self.verify(text, &keys, asked, now, judge, index) {
                Ok(verified) => {
                    let ground = judge.ledger.shared(index, Ground::Key(verified.key.thumbprint()));
                    return Ok(Opened { answer: verified.response, ground, until });
                }
                // Perhaps it is there by now.
                Err(JwtError::UnknownKey) => match self.keys.newer(now, now, &keys) {
                    Newer::Replaced => {}
                    Newer::Wait(refresh) => refresh.await,
                    Newer::No | Newer::Unknown { .. } => return Err(unfit(&JwtError::UnknownKey)),
                },
                Err(error) => return Err(unfit(&error)),
            }
        }
        Err("introspection: the keys are not there".into())
    }

    fn verify<'k>(
        &self,
        text: &str,
        keys: &'k JwkSet,
        asked: UnixTime,
        now: UnixTime,
        judge: &Judge,
        index: usize,
    ) -> Result<VerifiedIntrospection<'k>, JwtError> {
        let names: Vec<&str> = self.names.iter().map(|name| &**name).collect();
        let expected = IntrospectionExpectations::new(judge.issuer(index), &names, asked, now).with_skew(judge.skew);
        verify_introspection(text, keys, &self.algorithms, &expected)
    }
}

fn unfit(error: &JwtError) -> String {
    format!("introspection: {error}")
}

/// Whether a response says that it is signed. Parameters of the media type
/// change nothing, nor does case (RFC 9110 section 8.3.1).
fn is_signed(response: &Response<Bytes>) -> bool {
    let mut types = response.headers().get_all(CONTENT_TYPE).iter();
    let only = types.next().filter(|_| types.next().is_none());
    let text = only.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim();
    let (kind, subtype) = essence.split_once('/').unwrap_or_default();
    kind.eq_ignore_ascii_case("application") && subtype.eq_ignore_ascii_case(INTROSPECTION_RESPONSE_TYPE)
}
