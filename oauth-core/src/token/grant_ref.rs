//! Pairwise references: how a JWT names its grant without showing its id.

use std::{collections::HashMap, sync::Arc};

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
/// finds the grant without a table. A token for several audiences has one for
/// each.
#[derive(Clone)]
pub struct GrantRefs {
    keys: Vec<Zeroizing<[u8; 32]>>,
    /// The keys of these audiences under the current root secret, ready to encrypt with.
    known: Arc<HashMap<String, EncryptingKey>>,
}

impl GrantRefs {
    /// References under `root`.
    #[must_use]
    pub fn new(root: &RootSecret) -> Self {
        Self { keys: root.derive(b"grant reference"), known: Arc::default() }
    }

    /// The same, with the keys of these audiences derived once.
    #[cfg(any(feature = "server", test))]
    pub(crate) fn knowing<'a>(mut self, audiences: impl IntoIterator<Item = &'a str>) -> Self {
        let key = |one: &'a str| Some((one.to_owned(), self.key(one)?));
        self.known = Arc::new(audiences.into_iter().filter_map(key).collect());
        self
    }

    /// The references to `grant` for a token with this `aud`: one for each
    /// audience, in the same order, with a space between them. Each is 22
    /// characters of base64url. `None` only if the cipher fails.
    #[must_use]
    pub fn reference(&self, grant: GrantId, audience: &[String]) -> Option<String> {
        if let [one] = audience {
            return self.at_one(grant, one);
        }
        let references: Option<Vec<_>> = audience.iter().map(|one| self.at_one(grant, one)).collect();
        Some(references?.join(" "))
    }

    /// What `grant` is called at one audience.
    #[must_use]
    pub(crate) fn at_one(&self, grant: GrantId, audience: &str) -> Option<String> {
        let mut block = *grant.as_bytes();
        match self.known.get(audience) {
            Some(key) => key.encrypt(&mut block).ok()?,
            None => self.key(audience)?.encrypt(&mut block).ok()?,
        };
        Some(URL_SAFE_NO_PAD.encode(block))
    }

    /// The current key of one audience.
    fn key(&self, audience: &str) -> Option<EncryptingKey> {
        EncryptingKey::ecb(block_key(self.keys.first()?, audience)?).ok()
    }

    /// The grants that `reference`, of a token with this `aud`, may name: one
    /// per root secret, the current one first. The store knows which of them
    /// exists.
    #[must_use]
    pub fn candidates(&self, reference: &str, audience: &[String]) -> Vec<GrantId> {
        let mut block = [0; 16];
        let (Some(first), Some(reference)) = (audience.first(), reference.split(' ').next()) else {
            return Vec::new();
        };
        if URL_SAFE_NO_PAD.decode_slice(reference, &mut block) != Ok(16) {
            return Vec::new();
        }
        let decrypt = |key: &Zeroizing<[u8; 32]>| {
            let mut id = block;
            let key = DecryptingKey::ecb(block_key(key, first)?).ok()?;
            key.decrypt(&mut id, DecryptionContext::None).ok()?;
            Some(GrantId::from_bytes(id))
        };
        self.keys.iter().filter_map(decrypt).collect()
    }

    /// Of the references that a token with this `aud` has, the one that
    /// `audience` knows the grant by.
    ///
    /// ```
    /// use oauth_core::token::GrantRefs;
    /// let aud = ["https://a.example".to_owned(), "https://b.example".to_owned()];
    /// assert_eq!(GrantRefs::own("r1 r2", &aud, "https://b.example"), Some("r2"));
    /// assert_eq!(GrantRefs::own("r1", &aud[..1], "https://a.example"), Some("r1"));
    /// assert_eq!(GrantRefs::own("r1", &aud, "https://b.example"), None);
    /// ```
    #[must_use]
    pub fn own<'r>(references: &'r str, aud: &[String], audience: &str) -> Option<&'r str> {
        references.split(' ').nth(aud.iter().position(|one| one == audience)?)
    }
}

impl std::fmt::Debug for GrantRefs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GrantRefs(..)")
    }
}

/// The key of one audience.
fn block_key(root: &Zeroizing<[u8; 32]>, audience: &str) -> Option<UnboundCipherKey> {
    let key = hkdf_sha256(root.as_slice(), &[audience.as_bytes()]);
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

    #[test]
    fn an_audience_that_is_known_beforehand_has_the_references_of_any_other() {
        let plain = GrantRefs::new(&RootSecret::new([2; 32]).with_previous([1; 32]));
        let ready = plain.clone().knowing(["https://a", "https://b"]);
        let grant = GrantId::from_bytes([3; 16]);
        for audience in ["https://a", "https://b", "https://c"] {
            let reference = ready.at_one(grant, audience).unwrap();
            assert_eq!(plain.at_one(grant, audience).as_ref(), Some(&reference));
            assert!(ready.candidates(&reference, &[audience.to_owned()]).contains(&grant));
        }
    }

    #[test]
    fn a_token_for_several_has_the_reference_that_each_of_them_knows() {
        let refs = GrantRefs::new(&RootSecret::new([1; 32]));
        let grant = GrantId::from_bytes([3; 16]);
        let both = ["https://a".to_owned(), "https://b".to_owned()];
        let joint = refs.reference(grant, &both).unwrap();
        for audience in &both {
            let alone = refs.reference(grant, std::slice::from_ref(audience)).unwrap();
            assert_eq!(GrantRefs::own(&joint, &both, audience), Some(&*alone));
        }
        assert_eq!(refs.candidates(&joint, &both), [grant]);
        assert_eq!(GrantRefs::own(&joint, &both, "https://c"), None);
    }
}
