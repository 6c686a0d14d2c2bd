//! Pairwise references: how a JWT names its grant without showing its id.

use aws_lc_rs::cipher::{AES_256, DecryptingKey, DecryptionContext, EncryptingKey, UnboundCipherKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::GrantId;
use crate::secret::{RootSecret, hkdf_sha256};

/// Turns a grant id into a reference that differs per audience, and back.
///
/// The reference is the id encrypted as one block of AES-256 under a key of
/// that audience alone: a keyed permutation, so that two resource servers
/// cannot tell that they serve the same grant, while the authorization server
/// finds the grant without a table.
#[derive(Clone)]
pub struct GrantRefs {
    keys: Vec<Zeroizing<[u8; 32]>>,
}

impl GrantRefs {
    /// References under `root`.
    #[must_use]
    pub fn new(root: &RootSecret) -> Self {
        Self { keys: root.derive(b"grant reference") }
    }

    /// The reference to `grant` for a token with this `aud`: base64url, 22
    /// characters. `None` only if the cipher fails.
    #[must_use]
    pub fn reference(&self, grant: GrantId, audience: &[String]) -> Option<String> {
        let key = EncryptingKey::ecb(self.keys.first().and_then(|key| block_key(key, audience))?).ok()?;
        let mut block = *grant.as_bytes();
        key.encrypt(&mut block).ok()?;
        Some(URL_SAFE_NO_PAD.encode(block))
    }

    /// The grants that `reference` may name, one per root secret, the current
    /// one first: the store knows which of them exists.
    #[must_use]
    pub fn candidates(&self, reference: &str, audience: &[String]) -> Vec<GrantId> {
        let mut block = [0; 16];
        if URL_SAFE_NO_PAD.decode_slice(reference, &mut block) != Ok(16) {
            return Vec::new();
        }
        let decrypt = |key: &Zeroizing<[u8; 32]>| {
            let mut id = block;
            let key = DecryptingKey::ecb(block_key(key, audience)?).ok()?;
            key.decrypt(&mut id, DecryptionContext::None).ok()?;
            Some(GrantId::from_bytes(id))
        };
        self.keys.iter().filter_map(decrypt).collect()
    }
}

impl std::fmt::Debug for GrantRefs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GrantRefs(..)")
    }
}

/// The key of one audience. Identifiers hold no line feed, so that joining by
/// it is unambiguous.
fn block_key(root: &Zeroizing<[u8; 32]>, audience: &[String]) -> Option<UnboundCipherKey> {
    let key = hkdf_sha256(root.as_slice(), &[audience.join("\n").as_bytes()]);
    UnboundCipherKey::new(&AES_256, key.as_slice()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_pairwise_and_lead_back_to_the_grant() {
        let refs = GrantRefs::new(&RootSecret::new([1; 32]));
        let grant = GrantId::from_bytes([3; 16]);
        let (a, b) = (vec!["https://a".to_owned()], vec!["https://b".to_owned()]);
        let at_a = refs.reference(grant, &a).unwrap();
        assert_ne!(Some(&at_a), refs.reference(grant, &b).as_ref());
        assert_eq!(refs.candidates(&at_a, &a), [grant]);
        assert_ne!(refs.candidates(&at_a, &b), [grant]);
        let rotated = GrantRefs::new(&RootSecret::new([2; 32]).with_previous([1; 32]));
        assert!(rotated.candidates(&at_a, &a).contains(&grant));
        assert!(refs.candidates("too short", &a).is_empty());
    }
}
