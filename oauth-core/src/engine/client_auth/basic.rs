//! `client_secret_basic`: HTTP Basic ([OAuth 2.1 section 2.3.1], RFC 7617).
//!
//! [OAuth 2.1 section 2.3.1]: https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1-01#section-2.3.1

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, header::AUTHORIZATION};
use zeroize::Zeroizing;

use super::{AuthFailure, Proof, presented::Malformed};
use crate::{client::Client, error::OAuthError, params::decode, secret::Secret, server::AuthorizationServer};

/// That `secret` is one of the client's, at this moment.
pub(super) fn prove(server: &AuthorizationServer, client: &Client, secret: &Secret) -> Proof {
    match client.has_secret(secret, server.now()) {
        true => Ok(()),
        false => Err(AuthFailure::WrongSecret.into()),
    }
}

/// The content of the header.
pub(super) struct Basic {
    pub(super) id: Zeroizing<String>,
    pub(super) secret: Secret,
}

impl Basic {
    /// `None` if there is no such header. Fails with `invalid_request` if there
    /// are several.
    pub(super) fn read(headers: &HeaderMap) -> Result<Option<Result<Self, Malformed>>, OAuthError> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(OAuthError::invalid_request("more than one Authorization header"));
        }
        let parsed = value.to_str().ok().and_then(Self::parse);
        Ok(Some(parsed.ok_or(Malformed {
            why: AuthFailure::MalformedBasic,
            description: "the Authorization header is not well-formed Basic credentials",
        })))
    }

    /// RFC 7617 section 2, with both halves form-encoded (OAuth 2.1 section
    /// 2.3.1).
    pub(super) fn parse(value: &str) -> Option<Self> {
        let (scheme, credentials) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = Zeroizing::new(STANDARD.decode(credentials.trim_matches(' ')).ok()?);
        let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        Some(Self { id: Zeroizing::new(decode(id).ok()?), secret: decode(secret).ok()?.into() })
    }
}
