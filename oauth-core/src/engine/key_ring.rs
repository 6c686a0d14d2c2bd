//! The signing keys: shared by all nodes through the store, sealed there,
//! published before they sign and kept until nothing they signed can live.

use std::sync::{Arc, PoisonError, RwLock};

use super::fault::Fault;
use crate::{
    clock::{Random, UnixTime},
    jwk::{JwkDocument, JwkSet},
    jwt::{Algorithm, Jws, VerifiedJws},
    keys::SigningKey,
    secret::Sealer,
    store::{SealedKey, Store},
};

/// How long others may cache the published keys, in seconds: a new key is
/// published this long before it first signs.
pub const JWKS_MAX_AGE: u64 = 300;

/// The keys of one server, as of the last time they were loaded.
pub(crate) struct KeyRing {
    sealer: Sealer,
    keys: RwLock<Arc<Keys>>,
}

#[derive(Default)]
struct Keys {
    ring: Vec<(UnixTime, SigningKey)>,
    public: JwkSet,
}

impl KeyRing {
    pub(crate) fn new(sealer: Sealer) -> Self {
        Self { sealer, keys: RwLock::default() }
    }

    /// Loads the keys, and makes the first one of `algorithm` if there is none.
    pub(crate) async fn ensure(
        &self,
        algorithm: Algorithm,
        store: &dyn Store,
        random: &dyn Random,
        now: UnixTime,
    ) -> Result<(), Fault> {
        self.load(store).await?;
        if self.newest(algorithm).is_none() {
            // Nothing is cached anywhere yet: it may sign at once.
            self.add(algorithm, now, None, store, random).await?;
        }
        Ok(())
    }

    /// Makes the next key of `algorithm`; it signs once everyone had time to
    /// fetch it. Of many nodes that rotate at once, one succeeds.
    pub(crate) async fn rotate(
        &self,
        algorithm: Algorithm,
        store: &dyn Store,
        random: &dyn Random,
        now: UnixTime,
    ) -> Result<(), Fault> {
        self.load(store).await?;
        let newest = self.newest(algorithm);
        self.add(algorithm, now.saturating_add(JWKS_MAX_AGE), newest, store, random).await
    }

    async fn add(
        &self,
        algorithm: Algorithm,
        active_from: UnixTime,
        newest: Option<UnixTime>,
        store: &dyn Store,
        random: &dyn Random,
    ) -> Result<(), Fault> {
        let key = SigningKey::generate(algorithm)?;
        let context = context_of(key.kid(), algorithm.as_str());
        let sealed = self.sealer.seal(&context, key.to_pkcs8()?.as_bytes(), random)?;
        let record =
            SealedKey { kid: key.kid().to_owned(), algorithm: algorithm.as_str().to_owned(), sealed, active_from };
        // Whether this one was taken or another node's was: the store knows.
        let _inserted = store.insert_signing_key(record, newest).await?;
        self.load(store).await
    }

    /// Reads the keys from the store: those of other nodes are among them.
    pub(crate) async fn load(&self, store: &dyn Store) -> Result<(), Fault> {
        let sealed = store.signing_keys().await?;
        let mut ring = sealed.iter().map(|key| self.open(key)).collect::<Result<Vec<_>, _>>()?;
        ring.sort_by_key(|(active_from, _)| *active_from);
        let public = ring.iter().map(|(_, key)| key).collect();
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Keys { ring, public });
        Ok(())
    }

    /// Removes keys that were replaced so long ago that nothing they signed,
    /// with a lifetime of `lifetime` seconds, can be valid.
    pub(crate) async fn retire(&self, store: &dyn Store, lifetime: u64, now: UnixTime) -> Result<(), Fault> {
        for (active_from, key) in &self.current().ring {
            let successor =
                |other: &&(UnixTime, SigningKey)| other.1.algorithm() == key.algorithm() && other.0 > *active_from;
            let replaced = self.current().ring.iter().find(successor).map(|(from, _)| *from);
            if replaced.is_some_and(|at| now > at.saturating_add(lifetime).saturating_add(JWKS_MAX_AGE)) {
                let _removed = store.delete_signing_key(key.kid().to_owned()).await?;
            }
        }
        self.load(store).await
    }

    /// The key that signs now.
    pub(crate) fn signer(&self, algorithm: Algorithm, now: UnixTime) -> Option<SigningKey> {
        let keys = self.current();
        let usable = |(from, key): &&(UnixTime, SigningKey)| key.algorithm() == algorithm && *from <= now;
        keys.ring.iter().rev().find(usable).map(|(_, key)| key.clone())
    }

    /// The document at `jwks_uri`.
    pub(crate) fn document(&self) -> JwkDocument {
        JwkDocument::of(self.current().ring.iter().map(|(_, key)| key))
    }

    /// Calls `read` with the verified payload if one of these keys signed it.
    pub(crate) fn verify<T>(&self, jws: &Jws<'_>, read: impl FnOnce(&VerifiedJws<'_>) -> Option<T>) -> Option<T> {
        let keys = self.current();
        let verified = keys.public.candidates(jws.kid(), jws.alg()).find_map(|key| jws.verify(key).ok())?;
        read(&verified)
    }

    fn newest(&self, algorithm: Algorithm) -> Option<UnixTime> {
        let keys = self.current();
        let of_algorithm = keys.ring.iter().filter(|(_, key)| key.algorithm() == algorithm);
        of_algorithm.map(|(active_from, _)| *active_from).max()
    }

    fn open(&self, sealed: &SealedKey) -> Result<(UnixTime, SigningKey), Fault> {
        let foreign = || Fault::ForeignKey(sealed.kid.clone());
        let context = context_of(&sealed.kid, &sealed.algorithm);
        let pkcs8 = self.sealer.open(&context, &sealed.sealed).ok_or_else(foreign)?;
        let algorithm: Algorithm = sealed.algorithm.parse().map_err(|_| foreign())?;
        Ok((sealed.active_from, SigningKey::from_pkcs8(algorithm, &pkcs8)?))
    }

    fn current(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Binds a sealed key to its name and algorithm.
fn context_of(kid: &str, algorithm: &str) -> Vec<u8> {
    format!("{algorithm} {kid}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::SystemRandom,
        secret::RootSecret,
        store::{SigningKeys, memory::MemoryStore},
    };

    const ALGORITHM: Algorithm = Algorithm::ES256;

    fn ring(root: u8) -> KeyRing {
        KeyRing::new(RootSecret::new([root; 32]).sealer(b"signing key"))
    }

    async fn ensured(store: &MemoryStore) -> KeyRing {
        let ring = ring(1);
        ring.ensure(ALGORITHM, store, &SystemRandom, UnixTime(1000)).await.unwrap();
        ring
    }

    fn kid_at(ring: &KeyRing, now: u64) -> String {
        ring.signer(ALGORITHM, UnixTime(now)).unwrap().kid().to_owned()
    }

    #[tokio::test]
    async fn all_nodes_on_one_store_sign_with_one_key() {
        let store = MemoryStore::default();
        let (one, two) = (ensured(&store).await, ensured(&store).await);
        assert_eq!(kid_at(&one, 1000), kid_at(&two, 1000));
        assert_eq!(store.signing_keys().await.unwrap().len(), 1);
    }

    // spec: MET-09
    #[tokio::test]
    async fn a_new_key_is_published_a_cache_lifetime_before_it_signs_and_the_old_one_outlives_its_tokens() {
        let store = MemoryStore::default();
        let ring = ensured(&store).await;
        let old = kid_at(&ring, 1000);
        ring.rotate(ALGORITHM, &store, &SystemRandom, UnixTime(2000)).await.unwrap();
        assert_eq!(ring.current().ring.len(), 2, "both are published");
        let switch = 2000 + JWKS_MAX_AGE;
        assert_eq!(kid_at(&ring, switch - 1), old);
        let new = kid_at(&ring, switch);
        assert_ne!(new, old);

        let last = switch + 300 + JWKS_MAX_AGE;
        ring.retire(&store, 300, UnixTime(last)).await.unwrap();
        assert_eq!(ring.current().ring.len(), 2, "what the old key signed may still live");
        ring.retire(&store, 300, UnixTime(last + 1)).await.unwrap();
        assert_eq!(ring.current().ring.len(), 1);
        assert_eq!(kid_at(&ring, last), new);
    }

    #[tokio::test]
    async fn of_many_nodes_that_rotate_at_once_one_succeeds() {
        let store = MemoryStore::default();
        let (one, two) = (ensured(&store).await, ensured(&store).await);
        for ring in [&one, &two] {
            let newest = Some(UnixTime(1000));
            ring.add(ALGORITHM, UnixTime(2000), newest, &store, &SystemRandom).await.unwrap();
        }
        assert_eq!(store.signing_keys().await.unwrap().len(), 2);
        assert_eq!(kid_at(&one, 2000), kid_at(&two, 2000));
    }

    // spec: SEC-06
    #[tokio::test]
    async fn a_signing_key_at_rest_is_worth_nothing_without_the_root_secret() {
        let store = MemoryStore::default();
        ensured(&store).await;
        let fault = ring(2).load(&store).await.unwrap_err();
        assert!(matches!(fault, Fault::ForeignKey(_)), "{fault}");
    }
}
