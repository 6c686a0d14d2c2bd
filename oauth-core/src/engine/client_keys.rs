//! The keys of a client, wherever they are: its own `jwks`, or what its
//! `jwks_uri` says at the moment.
//!
//! No other place counts: a key or a URL in the header of a token is not read
//! (RFC 8725 section 3.10).

use super::outside::ReadOnce;
use crate::{
    client::{ClientJwks, ClientKeys},
    clock::UnixTime,
    fetch::{Fetch, FetchError, FetchRequest, Fetched, Purpose},
    server::AuthorizationServer,
};

/// The keys of clients, read once for each document that was fetched.
pub(crate) type ClientKeyCache = ReadOnce<ClientJwks>;

impl AuthorizationServer {
    /// The keys at `location`, which should have what `wanted` looks for. If those
    /// that were kept have not, the client may have changed them: its `jwks_uri`
    /// is asked once more, unless that has just been done (CAU-19). What comes then
    /// is the result, whether it is `wanted` or not.
    ///
    /// # Errors
    /// [`FetchError`], if nobody can say. [`FetchError::is_outage`] tells an outage,
    /// which is no reason to refuse a client, from a client that is at fault.
    pub(crate) async fn client_jwks(
        &self,
        location: &ClientKeys,
        wanted: impl Fn(&ClientJwks) -> bool,
    ) -> Result<ClientJwks, FetchError> {
        match location {
            ClientKeys::Inline(keys) => Ok(keys.clone()),
            ClientKeys::Uri(url) => {
                let found = find(self.client_keys(), self.fetch(), url, self.now(), wanted).await;
                found.inspect_err(|error| self.tell_not_fetched(url, Purpose::JwkSet, error))
            }
        }
    }
}

async fn find(
    cache: &ClientKeyCache,
    fetch: &dyn Fetch,
    url: &str,
    now: UnixTime,
    wanted: impl Fn(&ClientJwks) -> bool,
) -> Result<ClientJwks, FetchError> {
    let request = FetchRequest::new(url, Purpose::JwkSet);
    let fetched = fetch.fetch(request.clone()).await?;
    let keys = read(cache, url, &fetched)?;
    // What was asked for just now is as new as can be.
    if wanted(&keys) || fetched.asked >= now {
        return Ok(keys);
    }
    read(cache, url, &fetch.fetch(request.asked_since(now)).await?)
}

fn read(cache: &ClientKeyCache, url: &str, fetched: &Fetched) -> Result<ClientJwks, FetchError> {
    cache.get(url, fetched, |document| ClientJwks::parse(document).map_err(FetchError::invalid))
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    };

    use super::*;
    use crate::{
        clock::{Clock, ManualClock},
        fetch::{FetchFuture, Stage},
        jwk::JwkDocument,
        jwt::Algorithm,
        keys::SigningKey,
    };

    const URL: &str = "https://app.example/jwks";

    /// A `jwks_uri`: keeps what it has answered, and is asked once in ten seconds.
    #[derive(Debug)]
    struct Source {
        keys: Mutex<Vec<SigningKey>>,
        clock: ManualClock,
        kept: Mutex<Option<Fetched>>,
        asked: AtomicU64,
        /// How often anybody wanted something, kept or not.
        wanted: AtomicU64,
    }

    impl Source {
        fn new(keys: &[&SigningKey]) -> Self {
            let keys = Mutex::new(keys.iter().map(|key| (*key).clone()).collect());
            let clock = ManualClock::new(UnixTime(1_000));
            Self { keys, clock, kept: Mutex::default(), asked: AtomicU64::new(0), wanted: AtomicU64::new(0) }
        }

        async fn has(&self, cache: &ClientKeyCache, key: &SigningKey) -> Result<bool, FetchError> {
            let has = |keys: &ClientJwks| keys.keys().candidates(Some(key.kid()), key.algorithm()).next().is_some();
            Ok(has(&find(cache, self, URL, self.clock.now(), has).await?))
        }

        fn count(&self) -> u64 {
            self.asked.load(Ordering::SeqCst)
        }
    }

    impl Fetch for Source {
        fn fetch(&self, request: FetchRequest) -> FetchFuture<'_> {
            self.wanted.fetch_add(1, Ordering::SeqCst);
            let now = self.clock.now();
            let mut kept = self.kept.lock().unwrap();
            let outcome = match &*kept {
                Some(kept) if kept.asked >= request.since() && now < kept.fresh_until => Ok(kept.clone()),
                Some(kept) if now < kept.asked.saturating_add(10) => Err(FetchError::Limited { retry_after: 10 }),
                _ => {
                    self.asked.fetch_add(1, Ordering::SeqCst);
                    let document = serde_json::to_vec(&JwkDocument::of(&*self.keys.lock().unwrap())).unwrap();
                    let fetched = Fetched::new(document, now).fresh_until(now.saturating_add(300));
                    *kept = Some(fetched.clone());
                    Ok(fetched)
                }
            };
            Box::pin(std::future::ready(outcome))
        }
    }

    fn two_keys() -> [SigningKey; 2] {
        [(); 2].map(|()| SigningKey::generate(Algorithm::ES256).unwrap())
    }

    // spec: CAU-19
    #[tokio::test]
    async fn an_unknown_kid_makes_the_keys_be_fetched_again_once() {
        let [old, new] = two_keys();
        let (source, cache) = (Source::new(&[&old]), ClientKeyCache::default());
        assert!(source.has(&cache, &old).await.unwrap());
        source.clock.advance(100);
        assert!(source.has(&cache, &old).await.unwrap());
        assert_eq!(source.count(), 1, "a known key is not a reason to ask");
        source.keys.lock().unwrap().push(new.clone());
        assert!(source.has(&cache, &new).await.unwrap());
        assert_eq!(source.count(), 2);
        // A key that nobody has: asked for once, and then not again for a while.
        let [nobodys, _] = two_keys();
        source.clock.advance(11);
        assert!(!source.has(&cache, &nobodys).await.unwrap());
        assert_eq!(source.count(), 3);
        source.clock.advance(1);
        let refusals = [source.has(&cache, &nobodys).await, source.has(&cache, &nobodys).await];
        assert!(refusals.iter().all(|one| matches!(one, Err(FetchError::Limited { .. }))), "nobody knows");
        assert!(source.has(&cache, &old).await.unwrap(), "known keys are used meanwhile");
        assert_eq!(source.count(), 3);
    }

    // spec: CAU-19
    #[tokio::test]
    async fn keys_that_were_fetched_for_this_very_request_are_not_fetched_again() {
        let [own, other] = two_keys();
        let (source, cache) = (Source::new(&[&own]), ClientKeyCache::default());
        assert!(!source.has(&cache, &other).await.unwrap());
        assert_eq!((source.count(), source.wanted.load(Ordering::SeqCst)), (1, 1));
    }

    #[tokio::test]
    async fn what_is_not_a_set_of_public_keys_is_no_keys() {
        let cache = ClientKeyCache::default();
        let fetched = |text: &'static str| Fetched::new(text.as_bytes(), UnixTime(1_000));
        for document in ["", "[]", "{}", r#"{"keys":[{"kty":"oct","k":"AA"}]}"#] {
            assert!(matches!(read(&cache, URL, &fetched(document)), Err(FetchError::Invalid { .. })), "{document}");
        }
        // And it is not what was read for another document that counts.
        assert!(read(&cache, URL, &fetched("{\"keys\":[]}")).is_ok());
        assert!(read(&cache, URL, &fetched("{}")).is_err());
    }

    #[tokio::test]
    async fn an_outage_at_the_client_says_nothing_of_its_keys() {
        /// Is down.
        #[derive(Debug)]
        struct Down;
        impl Fetch for Down {
            fn fetch(&self, _: FetchRequest) -> FetchFuture<'_> {
                Box::pin(std::future::ready(Err(FetchError::unavailable(Stage::Connect, "down"))))
            }
        }
        let error = find(&ClientKeyCache::default(), &Down, URL, UnixTime(1_000), |_| true).await.unwrap_err();
        assert!(error.is_outage());
    }
}
