//! Tokens as a test wants them.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::{
    claims::ACCESS_TOKEN_TYPE, clock::Clock, dpop::DpopKey, jwt::Algorithm, keys::SigningKey, mtls::ClientCertificate,
    scope::Scope, secret::Digest,
};
use serde_json::{Map, Value, json};

use super::{DpopClient, MockIssuer, must};

/// A token to be issued, as [`MockToken::jwt`] or [`MockToken::opaque`]. Made
/// by [`MockIssuer::token`].
///
/// It begins with what RFC 9068 section 2.2 requires, but for the audience: it
/// was issued now, to the client `mock-client`, and is good for five minutes.
///
/// ```
/// use oauth_tower::testing::MockIssuer;
/// use serde_json::json;
/// let issuer = MockIssuer::new("https://as.example");
/// let token = issuer
///     .token("ada")
///     .audience("https://api.example")
///     .scope("albums:read albums:write")
///     .lifetime(60)
///     .claim("org", json!({ "id": 7 }))
///     .jwt();
/// assert_eq!(token.split('.').count(), 3);
/// ```
#[derive(Clone)]
#[must_use = "say whether it is to be a JWT or opaque"]
pub struct MockToken {
    issuer: MockIssuer,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    algorithm: Option<Algorithm>,
}

const LIFETIME: u64 = 300;

impl MockToken {
    pub(super) fn new(issuer: MockIssuer, subject: &str) -> Self {
        let now = issuer.inner.clock.now();
        let jti = issuer.state().next_number().to_string();
        let claims = [
            ("iss", json!(issuer.url())),
            ("sub", json!(subject)),
            ("client_id", json!("mock-client")),
            ("iat", json!(now)),
            ("exp", json!(now.saturating_add(LIFETIME))),
            ("jti", json!(jti)),
        ];
        let claims = claims.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
        Self { issuer, header: Map::new(), claims, algorithm: None }
    }

    /// Meant for the resource server with this identifier. Called again, for
    /// that one too.
    pub fn audience(self, resource: impl Into<String>) -> Self {
        let resource = Value::String(resource.into());
        let audience = match self.claims.get("aud").cloned() {
            None => resource,
            Some(Value::Array(mut several)) => {
                several.push(resource);
                several.into()
            }
            Some(one) => vec![one, resource].into(),
        };
        self.claim("aud", audience)
    }

    /// With these scope tokens, separated by spaces.
    ///
    /// # Panics
    /// If `scope` is not a scope (RFC 6749 section 3.3). To send such a thing
    /// nevertheless, set the [`claim`](Self::claim).
    #[track_caller]
    pub fn scope(self, scope: &str) -> Self {
        must(scope.parse::<Scope>(), "the scope of a token");
        self.claim("scope", scope)
    }

    /// Issued to this client; to `mock-client`, if nothing is said.
    pub fn client(self, id: impl Into<String>) -> Self {
        self.claim("client_id", id.into())
    }

    /// Good for so many seconds from now: 300 by default. 0 makes a token that
    /// has expired just now, which clock skew may still let through.
    pub fn lifetime(self, seconds: u64) -> Self {
        let now = self.issuer.inner.clock.now();
        self.claim("exp", json!(now.saturating_add(seconds)))
    }

    /// With this claim, whatever was said of it before; `null` leaves it out.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        set(&mut self.claims, name.into(), value.into());
        self
    }

    /// With this member of the JWT's header (RFC 7515 section 4.1), whatever
    /// would be there otherwise; `null` leaves it out. The signature fits.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.header.insert(name.into(), value.into());
        self
    }

    /// Signed with the issuer's key for this algorithm; with its first key, if
    /// nothing is said.
    pub const fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = Some(algorithm);
        self
    }

    /// Bound to the key of `client` (RFC 9449 section 6): only with its proofs
    /// is it worth anything.
    pub fn bound_to(self, client: &DpopClient) -> Self {
        self.confirmed_by("jkt", client.jkt())
    }

    /// Bound to `certificate` (RFC 8705 section 3.1).
    pub fn bound_to_certificate(self, certificate: &ClientCertificate) -> Self {
        self.confirmed_by("x5t#S256", certificate.thumbprint())
    }

    /// The token as a JWT (RFC 9068). Introspection knows it as well.
    ///
    /// # Panics
    /// If the issuer has no key for the [`algorithm`](Self::algorithm).
    #[track_caller]
    #[must_use]
    pub fn jwt(self) -> String {
        let mut state = self.issuer.state();
        let key = state.keys.signing(self.algorithm).ok_or("set it with `MockIssuerBuilder::algorithms`");
        let key = must(key, "the issuer has no key for this algorithm").clone();
        let mut header = header(&key);
        for (name, value) in self.header {
            set(&mut header, name, value);
        }
        let token = sign(&key, &header, &self.claims);
        state.issued.insert(token.clone(), self.claims);
        token
    }

    /// The token as an opaque text, which only introspection knows.
    #[must_use]
    pub fn opaque(self) -> String {
        let mut state = self.issuer.state();
        let number = state.next_number().to_be_bytes();
        // Other issuers have other tokens.
        let digest = Digest::of(&[self.issuer.url().as_bytes(), b"\0", &number]);
        let token = format!("{}{}", self.issuer.inner.token_prefix, URL_SAFE_NO_PAD.encode(digest.as_bytes()));
        state.issued.insert(token.clone(), self.claims);
        token
    }

    pub(super) fn into_claims(self) -> Map<String, Value> {
        self.claims
    }

    fn confirmed_by(mut self, member: &str, value: &str) -> Self {
        let mut cnf = self.claims.remove("cnf").and_then(into_object).unwrap_or_default();
        cnf.insert(member.into(), value.into());
        self.claim("cnf", cnf)
    }
}

impl fmt::Debug for MockToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockToken").field("issuer", &self.issuer.url()).finish_non_exhaustive()
    }
}

/// The header of a good access token (RFC 9068 section 2.1).
pub(super) fn header(key: &SigningKey) -> Map<String, Value> {
    let members = [("typ", json!(ACCESS_TOKEN_TYPE)), ("alg", json!(key.algorithm())), ("kid", json!(key.kid()))];
    members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

/// Signs whatever it is, whatever the header says.
pub(super) fn sign(key: &SigningKey, header: &Map<String, Value>, claims: &Map<String, Value>) -> String {
    sign_text(key, &json!(header).to_string(), &json!(claims).to_string())
}

/// Signs what need not even be JSON.
pub(super) fn sign_text(key: &SigningKey, header: &str, claims: &str) -> String {
    must(DpopKey::from(key.clone()).forge(header, claims), "a token cannot be signed")
}

/// Sets a member, or removes it by `null`.
pub(super) fn set(object: &mut Map<String, Value>, name: String, value: Value) {
    if value.is_null() {
        object.remove(&name);
    } else {
        object.insert(name, value);
    }
}

fn into_object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}
