//! What a handler learns of a token that was accepted.

use std::{fmt, sync::Arc};

use oauth_core::{
    claims::{AccessTokenClaims, Confirmation},
    clock::UnixTime,
    scope::Scope,
    token::TokenType,
};
use serde_json::{Map, Value};

use super::{credentials::Scheme, invalidate::Standing, terms::Terms};

/// An access token that was accepted.
///
/// The layer puts an `Arc<ValidatedToken>` into the request's extensions. Its
/// `Debug` shows neither the token nor a claim.
///
/// ```
/// use oauth_tower::resource::ValidatedToken;
/// use std::sync::Arc;
///
/// fn greeting<B>(request: &http::Request<B>) -> String {
///     match request.extensions().get::<Arc<ValidatedToken>>() {
///         Some(token) => format!("hello {}", token.subject()),
///         None => "hello stranger".into(),
///     }
/// }
/// # assert_eq!(greeting(&http::Request::new(())), "hello stranger");
/// ```
// In this order in memory: what every hit looks at comes first, next to the
// count of references that it writes.
#[repr(C)]
pub struct ValidatedToken {
    /// From here on the verdict is not served from the cache.
    pub(super) valid_until: UnixTime,
    pub(super) standing: Standing,
    /// Roughly how many bytes the token takes, for the cache's limit.
    pub(super) weight: u32,
    /// Whoever bears it may use it: it is bound to no key, and of no scheme but
    /// `Bearer`.
    pub(super) is_plain: bool,
    pub(super) terms: Arc<Terms>,
    claims: TokenClaims,
    /// With what rules say that it includes, where that is more.
    whole_scope: Option<Scope>,
    token_type: TokenType,
    scheme: Scheme,
}

/// The claims of an accepted token, whether they came in a JWT (RFC 9068
/// section 2.2) or in an introspection response (RFC 7662 section 2.2).
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct TokenClaims {
    /// `iss`: always the configured issuer, even where an introspection
    /// response names none.
    pub iss: Box<str>,
    /// `sub`: the user, or the client itself where no user is involved.
    pub sub: String,
    /// `client_id`: required in JWTs.
    pub client_id: Option<String>,
    /// `aud`: the resource servers meant.
    pub aud: Vec<String>,
    /// `exp`: the token is dead from this moment on; required in JWTs.
    pub exp: Option<UnixTime>,
    /// `iat`: when the token was issued; required in JWTs.
    pub iat: Option<UnixTime>,
    /// `nbf`: the token is not good before this moment.
    pub nbf: Option<UnixTime>,
    /// `jti`: the token's own identifier; required in JWTs.
    pub jti: Option<String>,
    /// `token_type`, as an introspection response gives it (RFC 7662 section 2.2).
    pub token_type: Option<String>,
    /// `scope`; empty if there is none.
    pub scope: Scope,
    /// `auth_time`: when the user signed in.
    pub auth_time: Option<UnixTime>,
    /// `acr`: how well (RFC 9068 section 2.2.1).
    pub acr: Option<String>,
    /// `amr`: by what means (RFC 9068 section 2.2.1).
    pub amr: Vec<String>,
    /// `cnf`: the key the token is bound to (RFC 7800 section 3).
    pub cnf: Option<Confirmation>,
    /// `authorization_details` (RFC 9396 section 9.1).
    pub authorization_details: Vec<Value>,
    /// All other claims, as they came.
    pub extra: Map<String, Value>,
}

impl ValidatedToken {
    pub(super) fn new(claims: TokenClaims, terms: Arc<Terms>, standing: Standing, valid_until: UnixTime) -> Arc<Self> {
        let weight = u32::try_from(size_of::<Self>() + claims.heap_bytes()).unwrap_or(u32::MAX);
        let (scheme, token_type) = type_of(&claims, &terms);
        let is_plain = scheme == Scheme::Bearer && claims.cnf.is_none();
        let whole_scope = terms.hierarchy.expand(&claims.scope);
        Arc::new(Self { valid_until, standing, weight, is_plain, terms, claims, whole_scope, token_type, scheme })
    }

    /// `sub`: whom the token speaks for. That is a user, or a client that acts
    /// for itself; the two are told apart by rules of the authorization server
    /// (RFC 9068 section 5).
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.claims.sub
    }

    /// The client the token was issued to. A JWT always names it; an
    /// introspection response may not.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.claims.client_id.as_deref()
    }

    /// What the token permits; empty if nothing was said.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.claims.scope
    }

    /// Whether the token has this scope token, or one that includes it
    /// ([`scope_implies`](super::ResourceServerBuilder::scope_implies)).
    #[must_use]
    pub fn has_scope(&self, token: &str) -> bool {
        self.whole_scope().contains(token)
    }

    /// Whether it has all of `scope`, likewise.
    #[must_use]
    pub fn permits(&self, scope: &Scope) -> bool {
        scope.is_subset_of(self.whole_scope())
    }

    fn whole_scope(&self) -> &Scope {
        self.whole_scope.as_ref().unwrap_or(&self.claims.scope)
    }

    /// The resource servers the token is meant for: this one among them. Empty
    /// only where an introspection endpoint is trusted to check the audience.
    #[must_use]
    pub fn audience(&self) -> &[String] {
        &self.claims.aud
    }

    /// When the token dies. A JWT always says; an introspection response may
    /// not.
    #[must_use]
    pub const fn expires_at(&self) -> Option<UnixTime> {
        self.claims.exp
    }

    /// The authorization server that issued the token, as configured.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.claims.iss
    }

    /// How the token is to be presented: `DPoP` for a token that is bound to a
    /// DPoP key, the name of a [`TokenScheme`](super::TokenScheme) for a token of
    /// that type, else `Bearer`.
    #[must_use]
    pub const fn token_type(&self) -> &TokenType {
        &self.token_type
    }

    /// How it is sent, for the challenge of a refusal.
    pub(super) const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The key the token is bound to, if any.
    #[must_use]
    pub const fn confirmation(&self) -> Option<&Confirmation> {
        self.claims.cnf.as_ref()
    }

    /// The claim `name`, if it is not one of [`TokenClaims`]' own fields.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.extra.get(name)
    }

    /// All claims.
    #[must_use]
    pub const fn claims(&self) -> &TokenClaims {
        &self.claims
    }
}

impl fmt::Debug for ValidatedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValidatedToken").field("issuer", &self.claims.iss).finish_non_exhaustive()
    }
}

impl TokenClaims {
    fn heap_bytes(&self) -> usize {
        let texts = [&self.client_id, &self.jti, &self.acr, &self.token_type].map(Option::as_deref);
        let lists = self.aud.iter().chain(&self.amr).map(|one| one.len() + size_of::<String>());
        self.iss.len()
            + self.sub.len()
            + texts.into_iter().flatten().map(str::len).sum::<usize>()
            + lists.sum::<usize>()
            + self.scope.iter().map(|token| token.len() + size_of::<Box<str>>()).sum::<usize>()
            + self.authorization_details.iter().map(value_bytes).sum::<usize>()
            + self.extra.iter().map(|(name, value)| member_bytes(name, value)).sum::<usize>()
    }
}

impl From<AccessTokenClaims> for TokenClaims {
    fn from(claims: AccessTokenClaims) -> Self {
        Self {
            iss: claims.iss.into(),
            sub: claims.sub,
            client_id: Some(claims.client_id),
            aud: claims.aud,
            exp: Some(claims.exp),
            iat: Some(claims.iat),
            nbf: claims.nbf,
            jti: Some(claims.jti),
            token_type: None,
            scope: claims.scope.unwrap_or_default(),
            auth_time: claims.auth_time,
            acr: claims.acr,
            amr: claims.amr,
            cnf: claims.cnf,
            authorization_details: claims.authorization_details,
            extra: claims.extra,
        }
    }
}

impl fmt::Debug for TokenClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenClaims(..)")
    }
}

/// RFC 9449 section 7.1: a token that is bound to a DPoP key is a DPoP token.
fn type_of(claims: &TokenClaims, terms: &Terms) -> (Scheme, TokenType) {
    if claims.cnf.as_ref().is_some_and(|cnf| cnf.jkt.is_some()) {
        return (Scheme::Dpop, TokenType::Dpop);
    }
    let other = terms.schemes.iter().enumerate().find(|(_, scheme)| scheme.is_type_of(claims));
    other.map_or((Scheme::Bearer, TokenType::Bearer), |(index, scheme)| {
        (Scheme::Other(index), TokenType::Other(scheme.name().into()))
    })
}

fn value_bytes(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(value_bytes).sum(),
            Value::Object(members) => members.iter().map(|(name, value)| member_bytes(name, value)).sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
}

/// A node of the tree holds up to eleven members and half as many on average.
fn member_bytes(name: &str, value: &Value) -> usize {
    2 * size_of::<String>() + name.len() + value_bytes(value)
}
