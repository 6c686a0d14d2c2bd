//! Whoever's assertions are believed, and what is asked of one ([RFC 7523 section
//! 3]).
//!
//! [RFC 7523 section 3]: https://www.rfc-editor.org/rfc/rfc7523#section-3

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    claims::{ClockSkew, Confirmation},
    client::{ClientJwks, ClientKeys},
    clock::UnixTime,
    engine::{client_auth::names_server, fault::Fault},
    jwt::{self, Algorithm, Jws, NumericDate, VerifiedJws},
    members::Members,
    scope::Scope,
    server::AuthorizationServer,
};

/// The longest assertion that is looked at, in bytes.
const MAX_BYTES: usize = 16 * 1024;

/// The longest `jti` and `sub`, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// The longest life of an assertion, in seconds.
const MAX_LIFETIME: u64 = 3600;

/// An issuer whose assertions are believed: what it says of a subject counts as if
/// the subject had signed in here.
///
/// ```
/// use oauth_core::{client::ClientJwks, grant::TrustedIssuer, jwt::Algorithm, keys::SigningKey};
/// let key = SigningKey::generate(Algorithm::ES256)?; // theirs
/// let issuer = TrustedIssuer::new("https://idp.example", ClientJwks::of([&key])).scope("albums:read".parse()?);
/// # drop(issuer);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TrustedIssuer {
    issuer: String,
    keys: ClientKeys,
    algorithms: Option<Vec<Algorithm>>,
    scope: Option<Scope>,
}

impl TrustedIssuer {
    /// The issuer of this name (`iss`, compared byte for byte) with these keys.
    pub fn new(issuer: impl Into<String>, keys: ClientJwks) -> Self {
        Self { issuer: issuer.into(), keys: ClientKeys::Inline(keys), algorithms: None, scope: None }
    }

    /// One whose keys are at `jwks_uri`, an https URL: see
    /// [`AuthorizationServerBuilder::fetch`](crate::server::AuthorizationServerBuilder::fetch).
    pub fn at(issuer: impl Into<String>, jwks_uri: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), keys: ClientKeys::Uri(jwks_uri.into()), algorithms: None, scope: None }
    }

    /// Takes these algorithms only; without this, all that its keys are good for.
    #[must_use]
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = Some(algorithms.into_iter().collect());
        self
    }

    /// Believes it for this scope only.
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Its name.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What it can give; `None` for anything.
    pub(super) const fn most(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    /// What is wrong with it at `server`, for the operator.
    pub(super) fn check(&self, server: &AuthorizationServer) -> Result<(), String> {
        let name = &self.issuer;
        if name.is_empty() || name == server.issuer() {
            return Err(format!("has `{name}` among its issuers, which cannot be one"));
        }
        match &self.keys {
            ClientKeys::Uri(uri) => server.fetch().check(uri).map_err(|error| format!("needs `{uri}`: {error}")),
            ClientKeys::Inline(_) => Ok(()),
        }
    }

    /// The one who says that it has issued `token`.
    pub(super) fn of<'i>(issuers: &'i [Self], token: &str) -> Option<&'i Self> {
        let name = (token.len() <= MAX_BYTES).then(|| jwt::unverified_issuer(token)).flatten()?;
        issuers.iter().find(|issuer| issuer.issuer == name)
    }

    /// Two of one name: nobody could say whose keys count.
    pub(super) fn check_all(issuers: &[Self], server: &AuthorizationServer) -> Result<(), String> {
        for (at, issuer) in issuers.iter().enumerate() {
            issuer.check(server)?;
            if issuers.iter().skip(at + 1).any(|other| other.issuer == issuer.issuer) {
                return Err(format!("has the issuer `{}` twice", issuer.issuer));
            }
        }
        Ok(())
    }

    async fn keys(&self, server: &AuthorizationServer, jws: &Jws<'_>) -> Result<ClientJwks, Untrusted> {
        let wanted = |jwks: &ClientJwks| jwks.keys().candidates(jws.kid(), jws.alg()).next().is_some();
        // Whatever is the matter with the keys of somebody whom the operator has
        // chosen: it says nothing of the assertion.
        server.client_jwks(&self.keys, wanted).await.map_err(|error| Untrusted::Fault(Fault::Fetch(error)))
    }
}

/// Why an assertion is not believed.
#[derive(Debug)]
pub(super) enum Untrusted {
    /// It is no good. The text is for the developer of the client.
    Refused(&'static str),
    /// Nobody can say.
    Fault(Fault),
}

/// An assertion that is good, but for what it is used for.
pub(super) struct Assertion<'i> {
    pub(super) issuer: &'i TrustedIssuer,
    pub(super) sub: String,
    pub(super) exp: UnixTime,
    pub(super) jti: Option<String>,
    /// The key that whoever uses it must prove.
    pub(super) confirmation: Option<Confirmation>,
    /// All of it.
    pub(super) claims: Map<String, Value>,
}

impl<'i> Assertion<'i> {
    /// Verifies `token`, which should be of one of `issuers` and, if it says of
    /// which type it is, of one of `types`: in the order of RFC 7523 section 3.
    pub(super) async fn verify(
        server: &AuthorizationServer,
        issuers: &'i [TrustedIssuer],
        token: &str,
        types: &[&str],
    ) -> Result<Self, Untrusted> {
        use Untrusted::Refused;
        let issuer =
            TrustedIssuer::of(issuers, token).ok_or(Refused("it is not a JWT of an issuer that is known here"))?;
        let jws = Jws::parse(token).map_err(|_| Refused("it is not a signed JWT"))?;
        // RFC 8725 section 3.11: what was made for something else is not taken.
        if jws.typ().is_some_and(|typ| !types.iter().any(|known| jwt::is_same_media_type(typ, known))) {
            return Err(Refused("the JWT is of another type"));
        }
        if issuer.algorithms.as_ref().is_some_and(|known| !known.contains(&jws.alg())) {
            return Err(Refused("the algorithm is not one that is taken"));
        }
        let keys = issuer.keys(server, &jws).await?;
        let verified = verified(&jws, &keys).ok_or(Refused("the signature is not that of its issuer"))?;
        let Members(claims) =
            serde_json::from_slice(verified.payload()).map_err(|_| Refused("the claims are malformed"))?;
        Self::judge(server, issuer, claims).map_err(Refused)
    }

    fn judge(
        server: &AuthorizationServer,
        issuer: &'i TrustedIssuer,
        claims: Map<String, Value>,
    ) -> Result<Self, &'static str> {
        if claims.get("iss").and_then(Value::as_str) != Some(&issuer.issuer) {
            return Err("the claim iss is not the issuer");
        }
        let sub = name(&claims, "sub")?.ok_or("the claim sub is missing")?;
        let rule = server.client_authentication().assertion_audience;
        if !audiences(&claims).any(|one| names_server(server, rule, one)) {
            return Err("the claim aud does not name this server");
        }
        let exp = check_times(server, &claims)?;
        let confirmation = claims.get("cnf").map(Confirmation::deserialize).transpose();
        let confirmation = confirmation.map_err(|_| "the claim cnf is malformed")?;
        Ok(Self { issuer, sub, exp, jti: name(&claims, "jti")?, confirmation, claims })
    }

    /// The claim `scope`: what the issuer gives with it.
    pub(super) fn scope(&self) -> Result<Option<Scope>, &'static str> {
        let Some(scope) = self.claims.get("scope") else { return Ok(None) };
        let scope = scope.as_str().and_then(|scope| scope.parse().ok());
        scope.map(Some).ok_or("the claim scope is malformed")
    }
}

fn verified<'j>(jws: &'j Jws<'_>, keys: &ClientJwks) -> Option<VerifiedJws<'j>> {
    keys.keys().candidates(jws.kid(), jws.alg()).find_map(|key| jws.verify(key).ok())
}

/// RFC 7523 section 3, items 4 to 6. Returns `exp`.
fn check_times(server: &AuthorizationServer, claims: &Map<String, Value>) -> Result<UnixTime, &'static str> {
    let now = server.now();
    let exp = time(claims, "exp")?.ok_or("the claim exp is missing")?;
    // "MUST reject any JWT with an expiration time that has passed".
    if exp <= now {
        return Err("the JWT has expired");
    }
    let (iat, nbf) = (time(claims, "iat")?, time(claims, "nbf")?);
    let latest = now.saturating_add(ClockSkew::default().as_secs());
    if [iat, nbf].into_iter().flatten().any(|time| time > latest) {
        return Err("the JWT is not valid yet");
    }
    // One that does not say when it began, begins now.
    if iat.or(nbf).unwrap_or(now).until(exp) > MAX_LIFETIME {
        return Err("the JWT lives for more than an hour");
    }
    Ok(exp)
}

/// Item 3: an array may have others beside this server, to whom it is not
/// forbidden to pass it on.
fn audiences(claims: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let aud = claims.get("aud");
    let many = aud.and_then(Value::as_array).into_iter().flatten();
    aud.filter(|aud| aud.is_string()).into_iter().chain(many).filter_map(Value::as_str)
}

fn name(claims: &Map<String, Value>, name: &'static str) -> Result<Option<String>, &'static str> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let value = value.as_str().filter(|text| !text.is_empty() && text.len() <= MAX_NAME_BYTES);
    value.map(|text| Some(text.to_owned())).ok_or("a claim is not a string, or too long")
}

fn time(claims: &Map<String, Value>, name: &'static str) -> Result<Option<UnixTime>, &'static str> {
    let read = |value| NumericDate::deserialize(value).map(|date| date.0).map_err(|_| "a time is malformed");
    claims.get(name).map(read).transpose()
}
