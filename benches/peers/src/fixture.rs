//! One issuer, its key, and tokens of a usual size.

use http::HeaderValue;
use oauth_core::{
    claims::{ACCESS_TOKEN_TYPE, AccessTokenClaims},
    clock::{Clock, SystemClock, UnixTime},
    jwk::JwkDocument,
    jwt::{Algorithm, Jws, sign},
    keys::SigningKey,
};

pub const ISSUER: &str = "https://as.example";
pub const RESOURCE: &str = "https://api.example";

pub struct Fixture {
    pub algorithm: Algorithm,
    pub key: SigningKey,
    /// How long its tokens are.
    bytes: usize,
}

impl Fixture {
    /// The three algorithms that issuers use, with the same claims: a signature
    /// of RSA is 256 bytes longer in base64url.
    pub fn all() -> [Self; 3] {
        [(Algorithm::RS256, 833), (Algorithm::ES256, 577), (Algorithm::EdDSA, 577)].map(|(algorithm, bytes)| {
            let key = SigningKey::generate(algorithm).expect("a key");
            Self { algorithm, key, bytes }
        })
    }

    /// The JWK Set document of the issuer.
    pub fn jwks(&self) -> String {
        serde_json::to_string(&JwkDocument::of([&self.key])).expect("a key set")
    }

    /// A token, the same for the same number.
    pub fn token(&self, number: usize) -> String {
        let now = SystemClock.now();
        let aud = [RESOURCE.to_owned()];
        let jti = format!("{number:08}");
        let exp = UnixTime(now.0 + 86_400);
        let mut claims = AccessTokenClaims::new(ISSUER, aud, "248289761001", "s6BhdRkqt3", jti, now, exp);
        claims.scope = Some("albums:read albums:write".parse().expect("a scope"));
        let sign = |claims: &AccessTokenClaims| sign(&self.key, ACCESS_TOKEN_TYPE, claims).expect("a signature");
        // `,"email":""` takes eleven bytes, and three bytes take four characters.
        let missing = (self.bytes - sign(&claims).len()) * 3 / 4 - 11;
        claims.extra.insert("email".into(), "x".repeat(missing).into());
        let token = sign(&claims);
        assert!(token.len().abs_diff(self.bytes) <= 2, "{} bytes", token.len());
        token
    }

    /// The value of the `Authorization` header.
    pub fn header(&self, number: usize) -> HeaderValue {
        HeaderValue::from_str(&format!("Bearer {}", self.token(number))).expect("a header value")
    }

    /// Whether the signature of `token` is good: that, and nothing else.
    pub fn check(&self, token: &Jws<'_>) -> bool {
        token.verify(self.key.public_key()).is_ok()
    }
}
