//! The answer of the token endpoint (OAuth 2.1 section 5.1), for the server
//! that writes it and the client that reads it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::{authorization_details::AuthorizationDetails, scope::Scope, secret::Secret};

/// How an access token is presented. Compared without regard to case
/// (OAuth 2.1 section 5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenType {
    /// RFC 6750: whoever holds it may use it.
    Bearer,
    /// RFC 9449: bound to a key.
    Dpop,
    /// A type these crates do not implement; a token of it must not be used.
    Other(Box<str>),
}

impl TokenType {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
            Self::Other(name) => name,
        }
    }

    fn parse(name: &str) -> Self {
        match () {
            () if name.eq_ignore_ascii_case("bearer") => Self::Bearer,
            () if name.eq_ignore_ascii_case("dpop") => Self::Dpop,
            () => Self::Other(name.into()),
        }
    }
}

impl Serialize for TokenType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for TokenType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::parse(&String::deserialize(deserializer)?))
    }
}

/// A successful token response.
///
/// ```
/// use oauth_core::token::{TokenResponse, TokenType};
/// let body = br#"{"access_token":"t","token_type":"bearer","expires_in":300,"new":1}"#;
/// let response = TokenResponse::parse(body)?;
/// assert_eq!(response.token_type, TokenType::Bearer);
/// assert_eq!(response.access_token.expose(), "t");
/// # Ok::<_, oauth_core::token::InvalidTokenResponse>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenResponse {
    /// The access token.
    pub access_token: Secret,
    /// How to present it.
    pub token_type: TokenType,
    /// Its lifetime in seconds, if the server said.
    pub expires_in: Option<u64>,
    /// The refresh token, if one was issued.
    pub refresh_token: Option<Secret>,
    /// The scope granted; absent means: as asked for.
    pub scope: Option<Scope>,
    /// What it allows beyond the scope (RFC 9396 section 7).
    pub authorization_details: AuthorizationDetails,
    /// What was issued for another token: a URI (RFC 8693 section 2.2.1).
    pub issued_token_type: Option<String>,
    /// What the server would like of the client in turn, if it said so in the
    /// form of a scope: ask the person for exactly that
    /// (draft-ietf-oauth-reciprocal-04 section 2.1).
    pub reciprocal: Option<Scope>,
}

/// A token response that must not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTokenResponse {
    /// Not a JSON object with an `access_token` and a `token_type`, or a token that is
    /// empty or cannot be sent.
    #[error("the token response lacks a member or is not JSON")]
    Malformed,
    /// The token is of a type that these crates do not implement.
    #[error("the token is of a type this client does not implement")]
    UnknownTokenType,
}

#[derive(Deserialize)]
struct Wire {
    access_token: String,
    token_type: TokenType,
    expires_in: Option<u64>,
    refresh_token: Option<String>,
    scope: Option<Scope>,
    #[serde(default)]
    authorization_details: AuthorizationDetails,
    issued_token_type: Option<String>,
    reciprocal: Option<Value>,
}

impl TokenResponse {
    /// A response with a bearer or bound access token.
    #[must_use]
    pub fn new(access_token: Secret, token_type: TokenType, expires_in: u64) -> Self {
        Self {
            access_token,
            token_type,
            expires_in: Some(expires_in),
            refresh_token: None,
            scope: None,
            authorization_details: AuthorizationDetails::default(),
            issued_token_type: None,
            reciprocal: None,
        }
    }

    /// Reads a response as a client. Members it does not know are ignored.
    ///
    /// # Errors
    /// [`InvalidTokenResponse`] if a member is missing or mistyped, or the
    /// token is of an unknown type (OAuth 2.1 section 7.1: the client MUST NOT
    /// use it).
    pub fn parse(body: &[u8]) -> Result<Self, InvalidTokenResponse> {
        // A derived reader would take an array of these values too.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(InvalidTokenResponse::Malformed);
        }
        let wire: Wire = serde_json::from_slice(body).map_err(|_| InvalidTokenResponse::Malformed)?;
        // OAuth 2.1 draft-01 appendix A.12 and A.17: nothing else can be presented.
        let is_token = |text: &str| !text.is_empty() && text.bytes().all(|b| (0x20..=0x7E).contains(&b));
        if !is_token(&wire.access_token) || !wire.refresh_token.as_deref().is_none_or(is_token) {
            return Err(InvalidTokenResponse::Malformed);
        }
        if matches!(wire.token_type, TokenType::Other(_)) {
            return Err(InvalidTokenResponse::UnknownTokenType);
        }
        Ok(Self {
            access_token: wire.access_token.into(),
            token_type: wire.token_type,
            expires_in: wire.expires_in,
            refresh_token: wire.refresh_token.map(Into::into),
            scope: wire.scope,
            authorization_details: wire.authorization_details,
            issued_token_type: wire.issued_token_type,
            reciprocal: wire.reciprocal.as_ref().and_then(Value::as_str).and_then(Self::parse_reciprocal),
        })
    }

    /// Reads a `reciprocal` member or parameter. What is no scope, or an empty
    /// one, counts as absent: the draft's own example has quotes around it
    /// (draft-ietf-oauth-reciprocal-04 section 2.1).
    ///
    /// ```
    /// use oauth_core::token::TokenResponse;
    /// assert!(TokenResponse::parse_reciprocal("example_scope").is_some());
    /// assert!(TokenResponse::parse_reciprocal("\"example_scope\"").is_none());
    /// ```
    #[must_use]
    pub fn parse_reciprocal(value: &str) -> Option<Scope> {
        value.parse().ok().filter(|scope: &Scope| !scope.is_empty())
    }

    /// The body as the server sends it: no `null` members.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        match serde_json::to_value(self.body()) {
            Ok(Value::Object(members)) => members,
            // It is one.
            _ => Map::new(),
        }
    }

    pub(crate) fn body(&self) -> Body<'_> {
        Body {
            access_token: Some(self.access_token.expose()),
            token_type: Some(&self.token_type),
            expires_in: self.expires_in,
            refresh_token: self.refresh_token.as_ref().map(Secret::expose),
            scope: self.scope.as_ref(),
            authorization_details: Some(&self.authorization_details).filter(|details| !details.is_empty()),
            issued_token_type: self.issued_token_type.as_deref(),
            reciprocal: self.reciprocal.as_ref(),
        }
    }
}

/// What is written: no `null` members.
#[derive(Default, Serialize)]
pub(crate) struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'a TokenType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a Scope>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_details: Option<&'a AuthorizationDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reciprocal: Option<&'a Scope>,
}

#[cfg(feature = "server")]
impl Body<'_> {
    /// How long it is, roughly, and seldom less: what is written into so much room leaves no
    /// copies of tokens behind.
    pub(crate) fn room(&self) -> usize {
        const NAMES: usize = 256;
        let tokens: usize = [self.access_token, self.refresh_token].into_iter().flatten().map(str::len).sum();
        let scopes = [self.scope, self.reciprocal].into_iter().flatten();
        let scopes: usize = scopes.flat_map(Scope::iter).map(|token| token.len() + 1).sum();
        // They came in a request, within this bound.
        let details = self.authorization_details.map_or(0, |_| AuthorizationDetails::MAX_BYTES);
        NAMES + tokens + scopes + details
    }
}

impl fmt::Display for TokenType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // spec: TOK-10
    #[test]
    fn a_client_ignores_unknown_members_and_the_case_of_token_type() {
        let parse = |kind: &str| {
            let body = format!(r#"{{"access_token":"t","token_type":"{kind}","example_parameter":[{{}}]}}"#);
            TokenResponse::parse(body.as_bytes()).map(|response| response.token_type)
        };
        assert_eq!(parse("bEARER"), Ok(TokenType::Bearer));
        assert_eq!(parse("dpop"), Ok(TokenType::Dpop));
    }

    // spec: TOK-48
    #[test]
    fn a_reciprocal_scope_is_read_and_one_that_is_none_is_ignored() {
        let read = |value: &str| {
            let body = format!(r#"{{"access_token":"t","token_type":"Bearer","reciprocal":{value}}}"#);
            TokenResponse::parse(body.as_bytes()).unwrap().reciprocal
        };
        assert_eq!(read(r#""calendar contact""#), Some("contact calendar".parse().unwrap()));
        for malformed in ["null", "7", "[]", r#""""#, r#"" ""#, r#""a  b""#, r#""\"example_scope\"""#, r#""\u00e9""#] {
            assert_eq!(read(malformed), None, "{malformed}");
        }
    }

    // spec: TOK-10
    #[test]
    fn a_client_does_not_use_a_token_of_a_type_it_does_not_implement() {
        let body = br#"{"access_token":"t","token_type":"mac","mac_key":"k"}"#;
        assert_eq!(TokenResponse::parse(body), Err(InvalidTokenResponse::UnknownTokenType));
    }
}
