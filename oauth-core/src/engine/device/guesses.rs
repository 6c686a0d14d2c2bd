//! A limit on guesses of the code that a person types ([RFC 8628 section 5.1]).
//!
//! The store counts what was wrong, for all nodes. What is being looked up at
//! this moment counts as wrong too, so that many at a time cannot slip through.
//!
//! [RFC 8628 section 5.1]: https://www.rfc-editor.org/rfc/rfc8628#section-5.1

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{engine::remote_address::RemoteAddress, secret::Digest, server::AuthorizationServer, store::StoreError};

/// How long a wrong code counts, in seconds.
pub(super) const WINDOW_SECONDS: u64 = 60;

/// Who types a code, for the limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Guesser<'a> {
    address: Option<IpAddr>,
    subject: Option<&'a str>,
}

impl<'a> Guesser<'a> {
    /// Somebody at `address`. All whose address is not known count as one.
    #[must_use]
    pub const fn at(address: Option<IpAddr>) -> Self {
        Self { address, subject: None }
    }

    /// Who is signed in as `subject`.
    #[must_use]
    pub const fn signed_in_as(self, subject: &'a str) -> Self {
        Self { subject: Some(subject), ..self }
    }

    fn digests(self) -> impl Iterator<Item = Digest> {
        let address = match self.address.map(|address| RemoteAddress(address).network()) {
            Some(network) => Digest::of(&[b"user codes guessed at ", &network]),
            None => Digest::of(&[b"user codes guessed somewhere"]),
        };
        let subject = self.subject.map(|subject| Digest::of(&[b"user codes guessed by ", subject.as_bytes()]));
        [Some(address), subject].into_iter().flatten()
    }
}

/// The guesses of this moment.
#[derive(Debug)]
pub(super) struct Guesses {
    per_minute: u64,
    open: Arc<Mutex<HashMap<Digest, u64>>>,
}

/// One guess, which counts as wrong until it is dropped.
pub(super) struct Guess {
    digests: Vec<Digest>,
    open: Arc<Mutex<HashMap<Digest, u64>>>,
}

impl Guesses {
    /// A limit of `per_minute` wrong ones; 0 for no limit.
    pub(super) fn new(per_minute: u32) -> Self {
        Self { per_minute: per_minute.into(), open: Arc::default() }
    }

    /// Begins a guess; `None` if there were too many.
    pub(super) async fn begin(
        &self,
        server: &AuthorizationServer,
        by: Guesser<'_>,
    ) -> Result<Option<Guess>, StoreError> {
        let mut guess = Guess { digests: Vec::new(), open: Arc::clone(&self.open) };
        if self.per_minute == 0 {
            return Ok(Some(guess));
        }
        for digest in by.digests() {
            let open = guess.count(digest);
            let wrong = server.store().uses(digest, server.now()).await?;
            if wrong.saturating_add(open) >= self.per_minute {
                return Ok(None);
            }
        }
        Ok(Some(guess))
    }
}

impl Guess {
    /// It was wrong, as all nodes shall know.
    pub(super) async fn failed(self, server: &AuthorizationServer) -> Result<(), StoreError> {
        let now = server.now();
        for digest in &self.digests {
            server.store().count_use(*digest, now.saturating_add(WINDOW_SECONDS), now).await?;
        }
        Ok(())
    }

    /// Counts it, and says how many are open besides.
    fn count(&mut self, digest: Digest) -> u64 {
        let mut open = lock(&self.open);
        let count = open.entry(digest).or_default();
        let before = *count;
        *count = before.saturating_add(1);
        self.digests.push(digest);
        before
    }
}

impl Drop for Guess {
    fn drop(&mut self) {
        let mut open = lock(&self.open);
        for digest in &self.digests {
            if let Some(count) = open.get_mut(digest) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    open.remove(digest);
                }
            }
        }
    }
}

fn lock(open: &Mutex<HashMap<Digest, u64>>) -> MutexGuard<'_, HashMap<Digest, u64>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}
