//! The public keys of a client.

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    jwk::{JwkDocument, JwkSet, SkipReason},
    members::Members,
    mtls::ClientCertificate,
};

/// Where a client's public keys are: `jwks` or `jwks_uri`, never both
/// (RFC 7591 section 2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientKeys {
    /// `jwks`: the keys themselves.
    Inline(ClientJwks),
    /// `jwks_uri`: an https URL, where the client may change them.
    Uri(String),
}

/// A JWK Set of a client: its keys to verify signatures with, and its
/// certificates (`x5c`). Clones share it.
///
/// ```
/// use oauth_core::{client::{AuthMethod, Client, ClientJwks}, jwt::Algorithm, keys::SigningKey};
/// let key = SigningKey::generate(Algorithm::ES256)?; // the client's own
/// let client = Client::builder("app").auth_method(AuthMethod::PrivateKeyJwt).jwks(ClientJwks::of([&key])).build()?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ClientJwks(Arc<Inner>);

struct Inner {
    /// As it came: it is served and stored like this.
    document: Value,
    keys: JwkSet,
    certificates: Vec<ClientCertificate>,
}

/// Why a document is not the keys of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidClientJwks {
    /// Longer than [`ClientJwks::MAX_BYTES`].
    #[error("the key set is too large")]
    TooLarge,
    /// Not a JSON object with an array `keys` (RFC 7517 section 5).
    #[error("the document is not a JWK Set")]
    Malformed,
    /// Not only public keys: somebody else may sign in the client's name by now
    /// (RFC 7517 section 9.2).
    #[error("the key set has a private or symmetric key in it")]
    Private,
}

impl ClientJwks {
    /// The longest document that is read.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// Reads a JWK Set document (RFC 7517 section 5). A key that cannot be used
    /// here is left out; see [`ClientJwks::keys`].
    ///
    /// # Errors
    /// [`InvalidClientJwks`].
    pub fn parse(document: &[u8]) -> Result<Self, InvalidClientJwks> {
        if document.len() > Self::MAX_BYTES {
            return Err(InvalidClientJwks::TooLarge);
        }
        let keys = JwkSet::parse(document).map_err(|_| InvalidClientJwks::Malformed)?;
        let secret = |reason| matches!(reason, SkipReason::Private | SkipReason::Symmetric);
        if keys.skipped().iter().any(|skipped| secret(skipped.reason)) {
            return Err(InvalidClientJwks::Private);
        }
        let Members(members) = serde_json::from_slice(document).map_err(|_| InvalidClientJwks::Malformed)?;
        let document = Value::Object(members);
        let certificates = certificates(&document);
        Ok(Self(Arc::new(Inner { document, keys, certificates })))
    }

    /// The set of the public halves of `keys`.
    pub fn of<'a>(keys: impl IntoIterator<Item = &'a crate::keys::SigningKey>) -> Self {
        let keys: Vec<_> = keys.into_iter().collect();
        // A list of strings is always JSON.
        let document = serde_json::to_value(JwkDocument::of(keys.iter().copied())).unwrap_or_default();
        Self(Arc::new(Inner { document, keys: keys.into_iter().collect(), certificates: Vec::new() }))
    }

    /// The keys that signatures can be verified with.
    #[must_use]
    pub fn keys(&self) -> &JwkSet {
        &self.0.keys
    }

    /// The certificate of each key that has one: the first in its `x5c`
    /// (RFC 7517 section 4.7).
    #[must_use]
    pub fn certificates(&self) -> &[ClientCertificate] {
        &self.0.certificates
    }

    /// The document as it was read.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.0.document
    }
}

/// RFC 8705 section 2.2.2: "the `x5c` parameter" has the certificate. The key
/// around it may be of a kind that is no use for signatures here.
fn certificates(document: &Value) -> Vec<ClientCertificate> {
    let keys = document.get("keys").and_then(Value::as_array).into_iter().flatten().take(JwkSet::MAX_KEYS);
    let leaf = |key: &Value| {
        let text = key.get("x5c")?.get(0)?.as_str()?;
        ClientCertificate::from_der(STANDARD.decode(text).ok()?).ok()
    };
    keys.filter_map(leaf).collect()
}

impl PartialEq for ClientJwks {
    fn eq(&self, other: &Self) -> bool {
        self.0.document == other.0.document
    }
}

impl Eq for ClientJwks {}

impl fmt::Debug for ClientJwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (keys, certificates) = (self.0.keys.keys(), &self.0.certificates);
        f.debug_struct("ClientJwks").field("keys", &keys).field("certificates", certificates).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{jwt::Algorithm, keys::SigningKey};

    fn parse(document: &Value) -> Result<ClientJwks, InvalidClientJwks> {
        ClientJwks::parse(document.to_string().as_bytes())
    }

    #[test]
    fn keys_and_leaf_certificates_are_read_and_unknown_keys_are_left_out() {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let mut jwk = serde_json::to_value(key.public_jwk()).unwrap();
        jwk["x5c"] = json!(["MAA=", "MAEA"]);
        let unknown = json!({ "kty": "EC", "crv": "P-521", "x": "AA", "y": "AA", "x5c": ["MAEA"] });
        let document = json!({ "keys": [jwk, unknown, { "kty": "RSA", "x5c": ["!", "MAA="] }, { "x5c": "MAA=" }] });
        let jwks = parse(&document).unwrap();
        assert_eq!((jwks.keys().keys().len(), jwks.certificates().len()), (1, 2));
        assert_eq!(jwks.certificates()[0].as_der(), [0x30, 0]);
        assert_eq!(jwks.document(), &document);
    }

    #[test]
    fn a_set_that_gives_a_secret_away_is_refused_as_a_whole() {
        let public = serde_json::to_value(SigningKey::generate(Algorithm::ES256).unwrap().public_jwk()).unwrap();
        let mut private = public.clone();
        private["d"] = json!("AA");
        for secret in [private, json!({ "kty": "oct", "k": "AA" })] {
            assert_eq!(parse(&json!({ "keys": [public, secret] })), Err(InvalidClientJwks::Private));
        }
    }

    #[test]
    fn what_is_no_set_is_malformed_and_its_length_is_bounded() {
        for document in ["", "[]", "{}", r#"{"keys":1}"#, r#"{"keys":[],"keys":[]}"#, "{\"keys\":[]"] {
            assert_eq!(ClientJwks::parse(document.as_bytes()), Err(InvalidClientJwks::Malformed), "{document}");
        }
        let long = format!("{{\"keys\":[]}}{}", " ".repeat(ClientJwks::MAX_BYTES));
        assert_eq!(ClientJwks::parse(long.as_bytes()), Err(InvalidClientJwks::TooLarge));
    }

    #[test]
    fn a_set_of_keys_is_the_one_that_its_document_is() {
        let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
        let made = ClientJwks::of([&key]);
        assert_eq!(parse(made.document()), Ok(made.clone()));
        assert_eq!(made.keys().keys().len(), 1);
    }
}
