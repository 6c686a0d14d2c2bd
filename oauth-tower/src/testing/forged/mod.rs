//! Tokens that must never be accepted, each for one reason.

mod claims;
mod forms;
mod headers;
mod signatures;

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::{
    clock::{Clock, UnixTime},
    jwt::Algorithm,
    keys::SigningKey,
};
use serde_json::{Map, Value, json};

use super::{
    MockIssuer,
    keys::generate,
    must,
    token::{header, set, sign, sign_text},
};

/// A token with a defect. Made by [`MockIssuer::forged_tokens`].
#[derive(Clone)]
pub struct ForgedToken {
    name: &'static str,
    token: String,
}

impl ForgedToken {
    /// What is wrong with it, in a few words. It stays the same from release to
    /// release; there may be more tokens in a later one.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }
}

impl fmt::Debug for ForgedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ForgedToken").field(&self.name).finish()
    }
}

/// A defect: its name, and how it comes about.
type Defect = (&'static str, fn(&Workshop) -> String);

pub(super) fn tokens(issuer: &MockIssuer, resource: &str) -> Vec<ForgedToken> {
    let workshop = Workshop::new(issuer, resource);
    let defects = [claims::DEFECTS, headers::DEFECTS, signatures::DEFECTS, forms::DEFECTS];
    let made = defects.into_iter().flatten().map(|(name, make)| ForgedToken { name, token: make(&workshop) });
    made.collect()
}

/// What a forger needs: a good token in parts, the issuer's key, and another.
pub(super) struct Workshop {
    resource: String,
    issuer: String,
    now: UnixTime,
    key: SigningKey,
    thief: SigningKey,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Workshop {
    pub(super) fn new(issuer: &MockIssuer, resource: &str) -> Self {
        let key = issuer.state().keys.signing(None).cloned();
        let key = must(key.ok_or("it has no key"), "the issuer cannot sign");
        let now = issuer.inner.clock.now();
        let good = issuer.token("ada").audience(resource).scope("read write");
        // Long ago and far ahead, so that each time can be wrong by itself.
        let good = good.claim("iat", json!(now.saturating_sub(600))).lifetime(3600);
        Self {
            resource: resource.into(),
            issuer: issuer.url().into(),
            now,
            header: header(&key),
            claims: good.into_claims(),
            thief: generate(key.algorithm()),
            key,
        }
    }

    /// What all of them would be like.
    #[cfg(test)]
    pub(super) fn good(&self) -> String {
        sign(&self.key, &self.header, &self.claims)
    }

    fn with_claim(&self, name: &str, value: Value) -> String {
        sign(&self.key, &self.header, &changed(&self.claims, name, value))
    }

    fn with_header(&self, name: &str, value: Value) -> String {
        sign(&self.key, &changed(&self.header, name, value), &self.claims)
    }

    /// Under the issuer's key id, and not its signature.
    fn by_thief(&self, name: &str, value: Value) -> String {
        sign(&self.thief, &changed(&self.header, name, value), &self.claims)
    }

    /// With a header as is fit for the signature, which is given.
    fn with_signature(&self, alg: &str, signature: &[u8]) -> String {
        let header = changed(&self.header, "alg", json!(alg));
        format!("{}.{}", signing_input(&header, &self.claims), URL_SAFE_NO_PAD.encode(signature))
    }

    /// An algorithm that is not the key's.
    fn other_algorithm(&self) -> Algorithm {
        if self.key.algorithm() == Algorithm::ES384 { Algorithm::ES256 } else { Algorithm::ES384 }
    }
}

fn changed(object: &Map<String, Value>, name: &str, value: Value) -> Map<String, Value> {
    let mut object = object.clone();
    set(&mut object, name.into(), value);
    object
}

fn signing_input(header: &Map<String, Value>, claims: &Map<String, Value>) -> String {
    let part = |object: &Map<String, Value>| URL_SAFE_NO_PAD.encode(json!(object).to_string());
    format!("{}.{}", part(header), part(claims))
}

/// The parts of a compact JWS.
fn parts(token: &str) -> [&str; 3] {
    let mut parts = token.splitn(3, '.').map(Some).chain(std::iter::repeat(None));
    std::array::from_fn(|_| parts.next().flatten().unwrap_or_default())
}
