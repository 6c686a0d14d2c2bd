//! Assertions: what both methods with a JWT have in common ([RFC 7523],
//! [draft-ietf-oauth-rfc7523bis]).
//!
//! [RFC 7523]: https://www.rfc-editor.org/rfc/rfc7523
//! [draft-ietf-oauth-rfc7523bis]: https://datatracker.ietf.org/doc/draft-ietf-oauth-rfc7523bis/

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{AssertionAudience, AuthFailure, NotProven, Proof, presented::Malformed};
use crate::{
    claims::ClockSkew,
    client::{AssertionAlgorithm, Client},
    clock::UnixTime,
    error::OAuthError,
    jwt::{self, NumericDate},
    members::Members,
    params::Params,
    secret::Digest,
    server::AuthorizationServer,
};

/// `client_assertion_type` (RFC 7523 section 2.2).
const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The longest assertion that is looked at, in bytes.
const MAX_BYTES: usize = 16 * 1024;

/// The longest `jti`, in bytes.
const MAX_JTI_BYTES: usize = 256;

/// RFC 8725 section 3.11, draft-ietf-oauth-rfc7523bis section 4. Without `typ`,
/// it is what older clients send.
const TYPES: [&str; 2] = ["JWT", "client-authentication+jwt"];

/// `client_assertion`, of the right type.
pub(super) struct Assertion<'a> {
    pub(super) text: &'a str,
}

impl<'a> Assertion<'a> {
    /// Whether any part of this mechanism is used.
    pub(super) fn is_in(params: &Params) -> bool {
        params.get("client_assertion").or_else(|| params.get("client_assertion_type")).is_some()
    }

    /// Fails with `invalid_request` if only one of the two parameters is there.
    pub(super) fn read(params: &'a Params) -> Result<Result<Self, Malformed>, OAuthError> {
        let kind = params.require("client_assertion_type")?;
        let text = params.require("client_assertion")?;
        Ok(match kind {
            TYPE => Ok(Self { text }),
            _ => Err(Malformed {
                why: AuthFailure::AssertionType,
                description: "the only client_assertion_type is that of RFC 7523",
            }),
        })
    }

    /// Whose it says it is: only to look up the keys.
    pub(super) fn unverified_issuer(&self) -> Option<String> {
        (self.text.len() <= MAX_BYTES).then(|| jwt::unverified_issuer(self.text)).flatten()
    }

    pub(super) fn within_limits(&self) -> Proof {
        match self.text.len() {
            0..=MAX_BYTES => Ok(()),
            _ => Err(AuthFailure::Assertion(jwt::JwtError::TooLarge).into()),
        }
    }
}

/// What the header may say, before any key is tried.
pub(super) fn check_header(
    server: &AuthorizationServer,
    client: &Client,
    algorithm: AssertionAlgorithm,
    typ: Option<&str>,
) -> Proof {
    if typ.is_some_and(|typ| !TYPES.iter().any(|known| jwt::is_same_media_type(typ, known))) {
        return Err(AuthFailure::AssertionOfOtherType.into());
    }
    let registered = client.signing_algorithm.is_none_or(|only| only == algorithm);
    if !registered || !server.client_authentication().assertion_algorithms.contains(&algorithm) {
        return Err(AuthFailure::AlgorithmNotAllowed.into());
    }
    Ok(())
}

/// Everything that is left once the signature is known to be the client's, in
/// the order of RFC 7523 section 3. The last step uses the assertion up.
pub(super) async fn accept(server: &AuthorizationServer, client: &Client, payload: &[u8]) -> Proof {
    let claims = Claims::parse(payload)?;
    claims.check(server, client)?;
    let digest = Digest::of(&[b"client assertion jti ", claims.iss.as_bytes(), b"\0", claims.jti.as_bytes()]);
    match server.store().first_use(digest, claims.exp, server.now()).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(AuthFailure::Replayed.into()),
        Err(error) => Err(NotProven::Fault(error.into())),
    }
}

/// The claims of an assertion (RFC 7523 section 3).
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    exp: UnixTime,
    nbf: Option<UnixTime>,
    iat: Option<UnixTime>,
    jti: String,
}

impl Claims {
    fn parse(payload: &[u8]) -> Result<Self, AuthFailure> {
        let parsed = serde_json::from_slice(payload).map_err(|_| AuthFailure::Claim("payload"))?;
        let Members(claims) = parsed;
        let required = |name: &'static str| time(&claims, name)?.ok_or(AuthFailure::Claim(name));
        let jti = text(&claims, "jti")?;
        if jti.is_empty() || jti.len() > MAX_JTI_BYTES {
            return Err(AuthFailure::Claim("jti"));
        }
        Ok(Self {
            iss: text(&claims, "iss")?,
            sub: text(&claims, "sub")?,
            aud: only_audience(&claims)?,
            exp: required("exp")?,
            nbf: time(&claims, "nbf")?,
            iat: time(&claims, "iat")?,
            jti,
        })
    }

    fn check(&self, server: &AuthorizationServer, client: &Client) -> Result<(), AuthFailure> {
        let (now, skew, settings) = (server.now(), ClockSkew::default().as_secs(), server.client_authentication());
        // "For client authentication, the subject MUST be the 'client_id'", and so
        // must the issuer be.
        if [&self.iss, &self.sub].iter().any(|name| name.as_str() != client.id.as_str()) {
            return Err(AuthFailure::OtherIssuer);
        }
        if !is_for(server, settings.assertion_audience, &self.aud) {
            return Err(AuthFailure::Audience);
        }
        // "MUST reject any JWT with an expiration time that has passed".
        if self.exp <= now {
            return Err(AuthFailure::Expired);
        }
        let latest_start = now.saturating_add(skew);
        if [self.nbf, self.iat].into_iter().flatten().any(|time| time > latest_start) {
            return Err(AuthFailure::NotYet);
        }
        // One that does not say when it began, begins now.
        let start = self.iat.or(self.nbf).unwrap_or(now);
        if start.until(self.exp) > settings.assertion_lifetime {
            return Err(AuthFailure::LongLived);
        }
        Ok(())
    }
}

fn text(claims: &Map<String, Value>, name: &'static str) -> Result<String, AuthFailure> {
    claims.get(name).and_then(Value::as_str).map(str::to_owned).ok_or(AuthFailure::Claim(name))
}

fn time(claims: &Map<String, Value>, name: &'static str) -> Result<Option<UnixTime>, AuthFailure> {
    let read = |value| NumericDate::deserialize(value).map(|date| date.0).map_err(|_| AuthFailure::Claim(name));
    claims.get(name).map(read).transpose()
}

/// draft-ietf-oauth-rfc7523bis section 4: the audience is the "sole value", as a
/// string or as the one element of an array.
fn only_audience(claims: &Map<String, Value>) -> Result<String, AuthFailure> {
    let only = match claims.get("aud") {
        Some(Value::Array(values)) => match values.as_slice() {
            [only] => only.as_str(),
            _ => return Err(AuthFailure::Audience),
        },
        value => value.and_then(Value::as_str),
    };
    only.map(str::to_owned).ok_or(AuthFailure::Claim("aud"))
}

/// RFC 9126 section 2: "issuer identifier URL, token endpoint URL, or pushed
/// authorization request endpoint URL".
fn is_for(server: &AuthorizationServer, rule: AssertionAudience, audience: &str) -> bool {
    names_server(server, rule, audience)
        || rule == AssertionAudience::IssuerOrTokenEndpoint && is_at(server, "/par", audience)
}

/// RFC 7523 section 3: the issuer, or the token endpoint, which "MAY be used".
pub(crate) fn names_server(server: &AuthorizationServer, rule: AssertionAudience, audience: &str) -> bool {
    audience == server.issuer() || rule == AssertionAudience::IssuerOrTokenEndpoint && is_at(server, "/token", audience)
}

fn is_at(server: &AuthorizationServer, path: &str, audience: &str) -> bool {
    audience.strip_prefix(server.issuer()) == Some(path)
}
