//! The authorization response, and what it is checked against (OAuth 2.1 section
//! 4.1.2, [RFC 9207]).
//!
//! [RFC 9207]: https://www.rfc-editor.org/rfc/rfc9207

use oauth_core::{params::Params, scope::Scope, secret::Secret, token::TokenResponse};
use serde::{Deserialize, Serialize};

use super::error::{description, error_code};

/// An authorization request that has not come back yet: what only this client
/// and the browser that it sent know of it.
///
/// Bind it to that browser by a cookie (RFC 9700 section 4.7), give it up after
/// some minutes, and take it away before [`PendingAuthorization::check`] is asked
/// about the response: it is good for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingAuthorization {
    pub(super) issuer: String,
    pub(super) state: Secret,
    pub(super) verifier: Secret,
    pub(super) redirect_uri: String,
    pub(super) resources: Vec<String>,
    pub(super) is_iss_promised: bool,
}

/// A code from the server that was asked, with all that is needed to
/// [redeem](super::TokenClient::redeem) it.
#[derive(Debug)]
#[must_use = "redeem it"]
pub struct AuthorizationCode {
    pub(super) code: Secret,
    pub(super) verifier: Secret,
    pub(super) issuer: String,
    pub(super) redirect_uri: String,
    pub(super) resources: Vec<String>,
    reciprocal: Option<Scope>,
}

/// Why there is no code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// No query string, one with a parameter twice, or with neither `code` nor
    /// `error`.
    #[error("this is no authorization response")]
    Malformed,
    /// `state` is not the one that was sent: the response belongs to another
    /// attempt, or to somebody else's.
    #[error("the response does not belong to this attempt: begin anew")]
    WrongState,
    /// `iss` is not the issuer that was asked, or lacks although the server
    /// promised it (RFC 9207 section 2.4). Whatever else stood in the response was
    /// not looked at, and must not be shown.
    #[error("the response is not of the server that was asked: begin anew")]
    WrongIssuer,
    /// The server, or the person, said no (OAuth 2.1 section 4.1.2.1).
    #[error("the server refused: {error}")]
    Refused {
        /// The `error` code: `access_denied`, say.
        error: String,
        /// The `error_description`: the server's text, for a log.
        description: Option<String>,
    },
}

impl PendingAuthorization {
    /// The `state`, by which the attempt can be found when the browser comes back.
    #[must_use]
    pub const fn state(&self) -> &Secret {
        &self.state
    }

    /// The issuer that was asked.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Checks the query of the redirect (or the body of a form post): first
    /// `state`, then `iss`, and only then what it says.
    ///
    /// ```
    /// # use oauth_core::metadata::AuthorizationServerMetadata;
    /// # use oauth_tower::client::{AuthorizationRequest, ResponseError};
    /// # let mut metadata = AuthorizationServerMetadata::new("https://as.example");
    /// # metadata.authorization_endpoint = Some("https://as.example/authorize".into());
    /// # metadata.code_challenge_methods_supported = vec!["S256".into()];
    /// # let pending = AuthorizationRequest::builder(&metadata, "app", "https://app.example/cb").build()?.into_pending();
    /// let state = pending.state().expose();
    /// assert!(pending.check(&format!("code=c&state={state}&iss=https://as.example")).is_ok());
    /// let elsewhere = pending.check(&format!("code=c&state={state}&iss=https://evil.example"));
    /// assert_eq!(elsewhere.unwrap_err(), ResponseError::WrongIssuer);
    /// # Ok::<_, oauth_tower::client::InvalidRequest>(())
    /// ```
    ///
    /// # Errors
    /// [`ResponseError`].
    pub fn check(&self, query: &str) -> Result<AuthorizationCode, ResponseError> {
        let params = Params::parse(query).map_err(|_| ResponseError::Malformed)?;
        params.refuse_repeated().map_err(|_| ResponseError::Malformed)?;
        if params.get("state").map(Secret::from).as_ref() != Some(&self.state) {
            return Err(ResponseError::WrongState);
        }
        if !self.is_from_issuer(query, &params) {
            return Err(ResponseError::WrongIssuer);
        }
        if let Some(error) = params.get("error") {
            let error = error_code(error).ok_or(ResponseError::Malformed)?.to_owned();
            return Err(ResponseError::Refused {
                error,
                description: params.get("error_description").map(description),
            });
        }
        Ok(AuthorizationCode {
            code: params.get("code").ok_or(ResponseError::Malformed)?.into(),
            verifier: self.verifier.clone(),
            issuer: self.issuer.clone(),
            redirect_uri: self.redirect_uri.clone(),
            resources: self.resources.clone(),
            reciprocal: params.get("reciprocal").and_then(TokenResponse::parse_reciprocal),
        })
    }

    /// RFC 9207 section 2.4: simple string comparison if it is there, whether or
    /// not it was promised; and a promise is kept.
    fn is_from_issuer(&self, query: &str, params: &Params) -> bool {
        // An empty value is one that differs, not one that is absent.
        let is_there = form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "iss");
        if is_there { params.get("iss") == Some(&self.issuer) } else { !self.is_iss_promised }
    }

    /// As a text that [`PendingAuthorization::restore`] reads, for a store or a
    /// sealed cookie. It is as secret as the verifier in it.
    #[must_use]
    pub fn save(&self) -> Secret {
        let kept = Kept {
            issuer: &self.issuer,
            state: self.state.expose(),
            verifier: self.verifier.expose(),
            redirect_uri: &self.redirect_uri,
            resources: self.resources.clone(),
            is_iss_promised: self.is_iss_promised,
        };
        // Text and a switch: there is nothing that JSON cannot say.
        serde_json::to_string(&kept).unwrap_or_default().into()
    }

    /// What was [saved](PendingAuthorization::save); `None` if this is something
    /// else. Do not read it from a place where the browser can write.
    #[must_use]
    pub fn restore(saved: &Secret) -> Option<Self> {
        let kept: KeptOwned = serde_json::from_str(saved.expose()).ok()?;
        Some(Self {
            issuer: kept.issuer,
            state: kept.state.into(),
            verifier: kept.verifier.into(),
            redirect_uri: kept.redirect_uri,
            resources: kept.resources,
            is_iss_promised: kept.is_iss_promised,
        })
    }
}

impl AuthorizationCode {
    /// The issuer that the code is of.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What the server would like of this client in turn, if it said so here and
    /// in the form of a scope (draft-ietf-oauth-reciprocal-04 section 2.1).
    #[must_use]
    pub const fn reciprocal(&self) -> Option<&Scope> {
        self.reciprocal.as_ref()
    }
}

#[derive(Serialize)]
struct Kept<'a> {
    issuer: &'a str,
    state: &'a str,
    verifier: &'a str,
    redirect_uri: &'a str,
    resources: Vec<String>,
    is_iss_promised: bool,
}

#[derive(Deserialize)]
struct KeptOwned {
    issuer: String,
    state: String,
    verifier: String,
    redirect_uri: String,
    resources: Vec<String>,
    is_iss_promised: bool,
}
