//! The keys of a mock issuer, made when first needed.

use oauth_core::{jwt::Algorithm, keys::SigningKey};

use super::must;

#[derive(Default)]
pub(super) struct KeyRing {
    /// Those that sign.
    current: Vec<Slot>,
    /// Those that are published still.
    old: Vec<SigningKey>,
}

/// A key, now or later.
pub(super) struct Slot {
    algorithm: Algorithm,
    key: Option<SigningKey>,
}

impl KeyRing {
    pub(super) const fn new(current: Vec<Slot>) -> Self {
        Self { current, old: Vec::new() }
    }

    /// The key that signs with `algorithm`, or the first one.
    pub(super) fn signing(&mut self, algorithm: Option<Algorithm>) -> Option<&SigningKey> {
        let fits = |slot: &&mut Slot| algorithm.is_none_or(|wanted| slot.algorithm == wanted);
        self.current.iter_mut().find(fits).map(Slot::key)
    }

    /// Every key in the key set.
    pub(super) fn published(&mut self) -> Vec<&SigningKey> {
        self.current.iter_mut().map(Slot::key).chain(&self.old).collect()
    }

    pub(super) fn rotate(&mut self) {
        // A key that was never needed has signed nothing.
        self.old.extend(self.current.iter_mut().filter_map(|slot| slot.key.take()));
    }

    pub(super) fn withdraw_old(&mut self) {
        self.old.clear();
    }
}

impl Slot {
    pub(super) const fn wanted(algorithm: Algorithm) -> Self {
        Self { algorithm, key: None }
    }

    pub(super) fn made(key: SigningKey) -> Self {
        Self { algorithm: key.algorithm(), key: Some(key) }
    }

    fn key(&mut self) -> &SigningKey {
        self.key.get_or_insert_with(|| generate(self.algorithm))
    }
}

/// A key of nobody's yet.
pub(super) fn generate(algorithm: Algorithm) -> SigningKey {
    must(SigningKey::generate(algorithm), "a key cannot be made")
}
