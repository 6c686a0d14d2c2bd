//! The layer's verdict without the layer.

use std::{fmt, ops::Deref, sync::Arc};

use futures_util::FutureExt;
use http::{Extensions, HeaderMap, HeaderValue, request::Parts};

use super::{
    Refusal, RefusalKind, ResourceServer, ValidatedToken,
    credentials::Scheme,
    refusal::DPOP_NONCE,
    sender::{self, Sender},
    validate::{Check, Judged},
};

/// A request that may pass. Made by [`ResourceServer::validate`].
///
/// ```
/// use oauth_tower::resource::{Refusal, ResourceServer};
///
/// async fn greet(api: &ResourceServer, request: &http::request::Parts) -> http::Response<String> {
///     match api.validate(request).await {
///         Ok(validated) => {
///             let mut response = http::Response::new(format!("hello {}", validated.subject()));
///             response.headers_mut().extend(validated.response_headers());
///             response
///         }
///         Err(refusal) => refusal.response(String::new()),
///     }
/// }
/// # let _ = greet;
/// ```
#[derive(Clone)]
pub struct Validated {
    token: Arc<ValidatedToken>,
    fresh_nonce: Option<Box<HeaderValue>>,
}

impl Validated {
    /// The token.
    #[must_use]
    pub fn into_token(self) -> Arc<ValidatedToken> {
        self.token
    }

    /// Headers for the response, whatever it is: `DPoP-Nonce`, if the client
    /// should take up a new one (RFC 9449 section 8.2).
    #[must_use]
    pub fn response_headers(&self) -> HeaderMap {
        self.fresh_nonce.iter().map(|nonce| (DPOP_NONCE, HeaderValue::clone(nonce))).collect()
    }
}

impl Deref for Validated {
    type Target = ValidatedToken;

    fn deref(&self) -> &ValidatedToken {
        &self.token
    }
}

impl ResourceServer {
    /// Judges a request without a layer: the same path, for frameworks that
    /// have no tower. A token in a form body is not looked for.
    ///
    /// # Errors
    /// [`Refusal`], with the status and the headers to answer with. A request
    /// without credentials is one: [`RefusalKind::MissingCredentials`].
    pub async fn validate(&self, parts: &Parts) -> Result<Validated, Refusal> {
        let check = self.judge.check(&parts.headers, Some((&parts.method, &parts.uri)), Some(&parts.extensions));
        let connection = self.judge.mutual_tls.then_some(&parts.extensions);
        let judged = finish(check, connection).await.map_err(|kind| self.refuse(kind, &parts.headers))?;
        Ok(Validated { token: judged.token, fresh_nonce: judged.fresh_nonce })
    }

    /// As [`ResourceServer::validate`], where there are headers and nothing else:
    /// tokens that are bound to a key are refused, since nobody knows what their
    /// proof would have to be for.
    ///
    /// # Errors
    /// As [`ResourceServer::validate`].
    pub async fn validate_headers(&self, headers: &HeaderMap) -> Result<Arc<ValidatedToken>, Refusal> {
        let judged = finish(self.judge.check(headers, None, None), None).await;
        judged.map(|judged| judged.token).map_err(|kind| self.refuse(kind, headers))
    }

    pub(super) fn refuse(&self, kind: RefusalKind, headers: &HeaderMap) -> Refusal {
        Refusal::new(kind, Arc::clone(&self.judge.terms)).under(Scheme::of(headers, &self.judge.terms.schemes))
    }
}

async fn finish(check: Check, connection: Option<&Extensions>) -> Result<Judged, RefusalKind> {
    let judged = match check {
        Check::Now(found, refresh) => {
            if let Some(refresh) = refresh {
                // One push by the way; whoever comes next gives another.
                refresh.now_or_never();
            }
            Judged::sent(found?.ok_or(RefusalKind::MissingCredentials)?)
        }
        Check::Later(verdict) => verdict.await?,
    };
    let sender = Sender { proof: judged.proof, connection };
    sender::check(&judged.token, sender).map_err(RefusalKind::InvalidToken)?;
    Ok(judged)
}

impl fmt::Debug for Validated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Validated").field(&self.token).finish()
    }
}
