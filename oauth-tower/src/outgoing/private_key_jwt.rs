//! `private_key_jwt`: a client proves itself by a signature ([RFC 7523]).
//!
//! [RFC 7523]: https://www.rfc-editor.org/rfc/rfc7523

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::{
    clock::{Random, SystemRandom, UnixTime},
    jwt,
    keys::SigningKey,
};
use serde::Serialize;

use super::client_auth::AuthError;

/// `client_assertion_type` (RFC 7523 section 2.2).
pub(super) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The key of a client, and what its assertions say. For
/// [`ClientAuth`](super::ClientAuth).
///
/// Each request carries an assertion of its own, that is good for a minute and
/// for one use: nothing that could be stolen from a log or a proxy is worth
/// anything afterwards.
///
/// ```
/// use oauth_core::{jwt::Algorithm, keys::SigningKey};
/// use oauth_tower::outgoing::{ClientAuth, PrivateKeyJwt};
///
/// // In earnest, `SigningKey::from_pkcs8` of a file. The server knows `public_jwk`.
/// let key = SigningKey::generate(Algorithm::ES256)?;
/// let auth = PrivateKeyJwt::new("notes-api", key, "https://as.example").typ("JWT");
/// let auth: ClientAuth = auth.into();
/// # drop(auth);
/// # Ok::<_, oauth_core::keys::KeyError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct PrivateKeyJwt {
    id: String,
    key: SigningKey,
    audience: String,
    typ: String,
    lifetime: u64,
    random: Arc<dyn Random>,
}

impl PrivateKeyJwt {
    /// The `typ` of an assertion unless said otherwise.
    pub const DEFAULT_TYPE: &'static str = "client-authentication+jwt";

    /// For how many seconds an assertion is good unless said otherwise.
    pub const DEFAULT_LIFETIME: u64 = 60;

    /// The client `id`, whose key is `key`, at the authorization server
    /// `audience`.
    ///
    /// `audience` is the server's issuer identifier (FAPI 2.0 section 5.3.3): an
    /// assertion for one server is worth nothing to another one that gets hold of
    /// it. Servers that are older may insist on the URL of their token endpoint
    /// (RFC 7523 section 3).
    pub fn new(id: impl Into<String>, key: SigningKey, audience: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            key,
            audience: audience.into(),
            typ: Self::DEFAULT_TYPE.into(),
            lifetime: Self::DEFAULT_LIFETIME,
            random: Arc::new(SystemRandom),
        }
    }

    /// Another `typ` for the header of assertions. The default says that it is
    /// nothing but an assertion (draft-ietf-oauth-rfc7523bis section 4, RFC 8725
    /// section 3.11); servers that know no other type than `JWT` want that.
    pub fn typ(mut self, typ: impl Into<String>) -> Self {
        self.typ = typ.into();
        self
    }

    /// For how many seconds an assertion is good; at least 1.
    pub fn lifetime(mut self, seconds: u64) -> Self {
        self.lifetime = seconds.max(1);
        self
    }

    /// Draws identifiers of assertions from here.
    pub fn random(mut self, random: impl Random) -> Self {
        self.random = Arc::new(random);
        self
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// A new assertion, made at `now`.
    pub(super) fn assertion(&self, now: UnixTime) -> Result<String, AuthError> {
        let mut jti = [0; 16];
        self.random.fill(&mut jti).map_err(|_| AuthError::Random)?;
        // RFC 7523 section 3: `iss` and `sub` "MUST be the `client_id`".
        let claims = Claims {
            iss: &self.id,
            sub: &self.id,
            aud: &self.audience,
            jti: URL_SAFE_NO_PAD.encode(jti),
            iat: now,
            exp: now.saturating_add(self.lifetime),
        };
        jwt::sign(&self.key, &self.typ, &claims).map_err(|_| AuthError::Signature)
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    jti: String,
    iat: UnixTime,
    exp: UnixTime,
}

#[cfg(test)]
mod tests {
    use oauth_core::{
        clock::RandomError,
        jwt::{Algorithm, Jws},
    };
    use serde_json::{Value, json};

    use super::*;

    const NOW: UnixTime = UnixTime(1_000);

    fn auth(key: &SigningKey) -> PrivateKeyJwt {
        PrivateKeyJwt::new("api", key.clone(), "https://as.example")
    }

    fn claims(key: &SigningKey, assertion: &str) -> Value {
        Jws::parse(assertion).unwrap().verify(key.public_key()).unwrap().claims().unwrap()
    }

    #[test]
    fn an_assertion_is_the_clients_for_this_server_and_for_a_minute() {
        for algorithm in [Algorithm::ES256, Algorithm::EdDSA, Algorithm::PS256] {
            let key = SigningKey::generate(algorithm).unwrap();
            let assertion = auth(&key).assertion(NOW).unwrap();
            let jws = Jws::parse(&assertion).unwrap();
            assert_eq!((jws.typ(), jws.kid()), (Some("client-authentication+jwt"), Some(key.kid())));
            let mut claims = claims(&key, &assertion);
            assert_eq!(claims["jti"].take().as_str().unwrap().len(), 22);
            let expected = json!({
                "iss": "api", "sub": "api", "aud": "https://as.example", "jti": null, "iat": 1_000, "exp": 1_060,
            });
            assert_eq!(claims, expected);
        }
    }

    #[test]
    fn no_two_assertions_are_the_same() {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let jti = |_| claims(&key, &auth(&key).assertion(NOW).unwrap())["jti"].to_string();
        let identifiers: std::collections::HashSet<String> = (0..100).map(jti).collect();
        assert_eq!(identifiers.len(), 100);
    }

    #[test]
    fn type_and_lifetime_can_be_others() {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let assertion = auth(&key).typ("JWT").lifetime(5).assertion(NOW).unwrap();
        assert_eq!(Jws::parse(&assertion).unwrap().typ(), Some("JWT"));
        assert_eq!(claims(&key, &assertion)["exp"], 1_005);
    }

    #[derive(Debug)]
    struct Exhausted;

    impl Random for Exhausted {
        fn fill(&self, _: &mut [u8]) -> Result<(), RandomError> {
            Err(RandomError)
        }
    }

    #[test]
    fn without_randomness_there_is_no_assertion() {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        assert_eq!(auth(&key).random(Exhausted).assertion(NOW), Err(AuthError::Random));
    }

    #[test]
    fn debug_output_shows_nothing_private() {
        let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
        let shown = format!("{:?}", auth(&key));
        assert!(shown.contains("api") && shown.contains("SigningKey { algorithm: EdDSA"), "{shown}");
        let pkcs8 = format!("{:?}", key.to_pkcs8().unwrap().as_bytes());
        assert!(!shown.contains(&pkcs8));
    }
}
