//! Software statements ([RFC 7591 section 2.3]): what somebody else vouches for.
//!
//! [RFC 7591 section 2.3]: https://www.rfc-editor.org/rfc/rfc7591#section-2.3

use serde::Deserialize;
use serde_json::{Map, Value};

use super::settings::RegistrationSettings;
use crate::{
    client::metadata::{RegistrationError, object},
    clock::UnixTime,
    jwk::JwkSet,
    jwt::{Algorithm, Jws, NumericDate},
    server::AuthorizationServer,
};

/// Whose statements are believed.
#[derive(Clone, Debug)]
pub(super) struct StatementIssuer {
    pub(super) issuer: String,
    pub(super) keys: JwkSet,
}

/// A software statement that was verified.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SoftwareStatement {
    /// `iss`: one of those that the server trusts.
    pub issuer: String,
    /// All that it claims.
    pub claims: Map<String, Value>,
}

/// What statements may be signed with (RFC 8725 section 3.1).
const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA, Algorithm::PS256, Algorithm::RS256];

/// How far the clock of an issuer may be ahead.
const SKEW: u64 = 30;

const MEMBER: &str = "software_statement";

/// What a statement says about the client's software, and nothing about itself.
const METADATA: [&str; 16] = [
    "redirect_uris",
    "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg",
    "grant_types",
    "response_types",
    "client_name",
    "client_uri",
    "logo_uri",
    "scope",
    "contacts",
    "tos_uri",
    "policy_uri",
    "jwks_uri",
    "jwks",
    "software_id",
    "software_version",
];

/// Further ones, of other standards.
const EXTENSIONS: [&str; 6] = [
    "application_type",
    "tls_client_auth_subject_dn",
    "tls_client_auth_san_dns",
    "tls_client_auth_san_uri",
    "tls_client_auth_san_ip",
    "tls_client_auth_san_email",
];

impl RegistrationSettings {
    /// Verifies the statement among `members`, if there is one, and puts what it
    /// claims in the place of what they say: "values conveyed in the software
    /// statement MUST take precedence" (RFC 7591 section 2.3).
    pub(super) fn apply_statement(
        &self,
        server: &AuthorizationServer,
        members: &mut Map<String, Value>,
    ) -> Result<Option<SoftwareStatement>, RegistrationError> {
        let text = match members.get(MEMBER) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text,
            Some(_) => return Err(invalid("must be a string")),
        };
        let statement = self.verify(server, text)?;
        for name in METADATA.into_iter().chain(EXTENSIONS) {
            if let Some(claim) = statement.claims.get(name) {
                members.insert(name.to_owned(), claim.clone());
            }
        }
        Ok(Some(statement))
    }

    fn verify(&self, server: &AuthorizationServer, text: &str) -> Result<SoftwareStatement, RegistrationError> {
        let jws = Jws::parse(text).map_err(|_| invalid("is not a signed JWT"))?;
        let claimed = jws.unverified_issuer().ok_or_else(|| invalid("has no issuer"))?;
        let trusted = self.statements.iter().find(|trusted| *trusted.issuer == *claimed);
        let trusted = trusted.ok_or_else(|| {
            RegistrationError::UnapprovedSoftwareStatement(format!("{MEMBER}: its issuer is not trusted here"))
        })?;
        // RFC 8725 section 3.11: a token that was made for something else, such
        // as `at+jwt`, is none.
        if jws.typ().is_some() && !jws.typ_is("JWT") {
            return Err(invalid("is a token of another type"));
        }
        if !ALGORITHMS.contains(&jws.alg()) {
            return Err(invalid("is signed with an algorithm that is not allowed"));
        }
        let mut candidates = trusted.keys.candidates(jws.kid(), jws.alg());
        let verified = candidates.find_map(|key| jws.verify(key).ok());
        let verified = verified.ok_or_else(|| invalid("is not signed by its issuer"))?;
        let claims = object(verified.payload()).map_err(|_| invalid("has claims that cannot be read"))?;
        if claims.get("iss").and_then(Value::as_str) != Some(&trusted.issuer) {
            return Err(invalid("has no issuer"));
        }
        check_times(&claims, server.now())?;
        check_audience(&claims, server)?;
        Ok(SoftwareStatement { issuer: trusted.issuer.clone(), claims })
    }
}

fn check_times(claims: &Map<String, Value>, now: UnixTime) -> Result<(), RegistrationError> {
    let date = |name| match claims.get(name) {
        None => Ok(None),
        Some(value) => {
            NumericDate::deserialize(value).map(|date| Some(date.0)).map_err(|_| invalid("has a false date"))
        }
    };
    // RFC 7519 section 4.1.4: "on or after which the JWT MUST NOT be accepted".
    if date("exp")?.is_some_and(|end| end <= now) {
        return Err(invalid("has expired"));
    }
    let latest = now.saturating_add(SKEW);
    if date("nbf")?.is_some_and(|begin| begin > latest) || date("iat")?.is_some_and(|made| made > latest) {
        return Err(invalid("is not valid yet"));
    }
    Ok(())
}

/// RFC 7519 section 4.1.3: whoever "does not identify itself with a value in the
/// 'aud' claim when this claim is present" must reject the JWT.
fn check_audience(claims: &Map<String, Value>, server: &AuthorizationServer) -> Result<(), RegistrationError> {
    let is_own = |value: &Value| value.as_str() == Some(server.issuer());
    let own = match claims.get("aud") {
        None => true,
        Some(Value::Array(many)) => many.iter().any(is_own),
        Some(one) => is_own(one),
    };
    if own { Ok(()) } else { Err(invalid("is meant for another server")) }
}

fn invalid(what: &str) -> RegistrationError {
    RegistrationError::SoftwareStatement(format!("{MEMBER}: {what}"))
}
