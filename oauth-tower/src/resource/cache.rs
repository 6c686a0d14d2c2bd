//! Verdicts, kept by token: good ones in one cache, denials in another, so
//! that no flood of bad tokens ever pushes a good one out.
//!
//! The key is the token itself, held in this process's memory alone, wiped on
//! drop, compared whole. Beside it stands a seeded 64-bit hash that picks the
//! bucket and is compared first, so that how long a comparison takes says
//! nothing of how much of a guess is right.

use std::{
    fmt,
    hash::{BuildHasher, Hash, Hasher},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use foldhash::quality::RandomState;
use oauth_core::{clock::UnixTime, secret::Secret};
use quick_cache::{
    Equivalent, UnitWeighter, Weighter,
    sync::{Cache, DefaultLifecycle},
};
use zeroize::Zeroizing;

use super::{
    invalidate::{Ledger, Standing},
    refusal::InvalidToken,
    token::ValidatedToken,
    validate::Failure,
};

/// A token and its hash, as a key that owns it. The bytes stand in words, eight
/// at a time, and are wiped that much faster.
#[derive(Clone)]
pub(super) struct TokenKey {
    hash: u64,
    words: Zeroizing<Box<[u64]>>,
}

/// The same on loan: a look-up allocates nothing. A token comes from a header,
/// so it has no zero byte, and filling the last word up with them is unambiguous.
#[derive(Clone, Copy)]
pub(super) struct Lookup<'a> {
    hash: u64,
    token: &'a [u8],
}

pub(super) struct VerdictCache {
    good: Cache<TokenKey, Arc<ValidatedToken>, ByWeight, Verbatim, DefaultLifecycle<TokenKey, Arc<ValidatedToken>>>,
    denied: moka::sync::Cache<TokenKey, Denial, Verbatim>,
    /// No denial is good beyond this: while the time is later, nobody looks.
    last_denial: AtomicU64,
    /// The hashes of tokens whose verdict was good until it expired. The seed is secret, so nobody makes
    /// a token that collides.
    recent: Cache<u64, Over, UnitWeighter, Verbatim>,
    /// How long a denial is remembered, in seconds.
    denial_lifetime: u64,
    hasher: RandomState,
    turns: Box<[Mutex<()>]>,
}

/// How much the cache may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct CacheLimits {
    pub(super) entries: u64,
    pub(super) bytes: u64,
    /// Seconds.
    pub(super) denials: u64,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self { entries: 100_000, bytes: 128 * 1024 * 1024, denials: 5 }
    }
}

#[derive(Clone)]
struct Denial {
    failure: Failure,
    until: UnixTime,
    standing: Standing,
}

/// What was over with a verdict that was good.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    /// Its time in the cache: the token goes before those that nobody has ever vouched for.
    Verdict,
    /// The token's own.
    Token,
}

/// How many verifications may run side by side, at most. Two tokens take the
/// same turn one time in this many.
const TURNS: usize = 256;

/// How many tokens that were good are remembered as such.
const RECENT: u64 = 16_384;

impl VerdictCache {
    pub(super) fn new(limits: CacheLimits) -> Self {
        // Where every entry weighs this much at least, the limit of bytes is a
        // limit of entries too.
        let floor = limits.bytes.checked_div(limits.entries).unwrap_or(u64::MAX).max(1);
        let bytes = if limits.entries == 0 { 0 } else { limits.bytes };
        let estimate = usize::try_from(limits.entries.min(bytes / 1024)).unwrap_or(usize::MAX);
        let denied = moka::sync::Cache::builder()
            .max_capacity(bytes / 16)
            .weigher(|key: &TokenKey, _: &Denial| {
                // What moka itself takes for an entry, too.
                u32::try_from(key.bytes() + size_of::<(TokenKey, Denial)>() + 300).unwrap_or(u32::MAX)
            })
            .time_to_live(Duration::from_secs(limits.denials.max(Failure::MEMORY)))
            .build_with_hasher(Verbatim);
        Self {
            good: Cache::with(estimate, bytes, ByWeight { floor }, Verbatim, DefaultLifecycle::default()),
            denied,
            last_denial: AtomicU64::new(0),
            recent: Cache::with(1024, RECENT, UnitWeighter, Verbatim, DefaultLifecycle::default()),
            denial_lifetime: limits.denials,
            hasher: RandomState::default(),
            turns: (0..TURNS).map(|_| Mutex::new(())).collect(),
        }
    }

    pub(super) fn lookup<'a>(&self, token: &'a [u8]) -> Lookup<'a> {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(token);
        Lookup { hash: hasher.finish(), token }
    }

    /// The verdict on a token, if it is known, has not expired and still holds.
    pub(super) fn good(&self, lookup: &Lookup<'_>, now: UnixTime, ledger: &Ledger) -> Option<Arc<ValidatedToken>> {
        let verdict = self.good.get(lookup)?;
        let holds = ledger.holds(&verdict.standing);
        if now < verdict.valid_until && holds {
            return Some(verdict);
        }
        // Before it is gone from the other place: at no moment is it a stranger.
        if holds {
            let over = if verdict.expires_at().is_none_or(|exp| now < exp) { Over::Verdict } else { Over::Token };
            self.recent.insert(lookup.hash, over);
        }
        self.good.remove_if(lookup, |one| Arc::ptr_eq(one, &verdict));
        None
    }

    /// Whether the token was good a moment ago, when its verdict expired.
    pub(super) fn was_good(&self, lookup: &Lookup<'_>) -> bool {
        self.recent.get(&lookup.hash) == Some(Over::Verdict)
    }

    /// Whether the token was good, when it expired.
    pub(super) fn has_expired(&self, lookup: &Lookup<'_>) -> bool {
        self.recent.get(&lookup.hash) == Some(Over::Token)
    }

    /// Keeps a verdict, unless it is over already.
    pub(super) fn keep(&self, lookup: &Lookup<'_>, verdict: &Arc<ValidatedToken>, now: UnixTime) {
        if now < verdict.valid_until {
            self.good.insert(lookup.to_key(), Arc::clone(verdict));
            self.recent.remove(&lookup.hash);
        }
    }

    /// Forgets a token, either way.
    pub(super) fn forget(&self, lookup: &Lookup<'_>) {
        self.good.remove(lookup);
        self.recent.remove(&lookup.hash);
        self.denied.invalidate(lookup);
    }

    /// Why a token was refused a moment ago.
    pub(super) fn denial(&self, lookup: &Lookup<'_>, now: UnixTime, ledger: &Ledger) -> Option<Failure> {
        if now.0 >= self.last_denial.load(Ordering::Acquire) {
            return None;
        }
        let denial = self.denied.get(lookup)?;
        (now < denial.until && ledger.holds(&denial.standing)).then_some(denial.failure)
    }

    /// Keeps a denial for a moment; a failure to find out for a shorter one.
    pub(super) fn deny(&self, lookup: &Lookup<'_>, failure: &Failure, standing: Standing, now: UnixTime) {
        let lifetime = match failure {
            // How it is refused hangs on its session, which may end at any moment.
            Failure::Denied(InvalidToken::Refreshable) => 0,
            Failure::Denied(_) => {
                self.recent.remove_if(&lookup.hash, |over| *over == Over::Verdict);
                self.denial_lifetime
            }
            Failure::Unavailable { .. } => Failure::MEMORY,
            Failure::OverBudget { .. } => return,
        };
        if lifetime > 0 {
            let until = now.saturating_add(lifetime);
            self.denied.insert(lookup.to_key(), Denial { failure: failure.clone(), until, standing });
            self.last_denial.fetch_max(until.0, Ordering::AcqRel);
        }
    }

    /// Waits for whoever is verifying the same token on another thread. Never
    /// to be held across an await: verification has none.
    pub(super) fn turn(&self, lookup: &Lookup<'_>) -> Option<MutexGuard<'_, ()>> {
        let place = usize::try_from(lookup.hash % (TURNS as u64)).unwrap_or(0);
        Some(self.turns.get(place)?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many verdicts and, about, how many denials there are.
    pub(super) fn entries(&self) -> (u64, u64) {
        (u64::try_from(self.good.len()).unwrap_or(u64::MAX), self.denied.entry_count())
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, u64) {
        self.denied.run_pending_tasks();
        (self.good.len(), self.denied.entry_count())
    }
}

impl fmt::Debug for VerdictCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerdictCache").field("entries", &self.good.len()).finish_non_exhaustive()
    }
}

impl Lookup<'_> {
    pub(super) const fn hash(&self) -> u64 {
        self.hash
    }

    /// The token, which has been found to be text.
    pub(super) fn to_text(self) -> Secret {
        Secret::new(str::from_utf8(self.token).unwrap_or_default())
    }

    pub(super) fn to_key(self) -> TokenKey {
        let (whole, rest) = self.token.as_chunks();
        let mut words = Vec::with_capacity(whole.len() + 1);
        words.extend(whole.iter().map(|word| u64::from_ne_bytes(*word)));
        words.push(last_word(rest));
        TokenKey { hash: self.hash, words: Zeroizing::new(words.into_boxed_slice()) }
    }
}

impl TokenKey {
    fn bytes(&self) -> usize {
        size_of_val(&**self.words)
    }
}

fn last_word(rest: &[u8]) -> u64 {
    let mut word = [0; 8];
    word.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    u64::from_ne_bytes(word)
}

impl Equivalent<TokenKey> for Lookup<'_> {
    fn equivalent(&self, key: &TokenKey) -> bool {
        if self.hash != key.hash {
            return false;
        }
        let (whole, rest) = self.token.as_chunks();
        let Some((last, words)) = key.words.split_last() else { return false };
        // Without an early exit, so that it is done many words at a time.
        let differ = |bits, (one, other): (&[u8; 8], &u64)| bits | (u64::from_ne_bytes(*one) ^ other);
        whole.len() == words.len() && whole.iter().zip(words).fold(last ^ last_word(rest), differ) == 0
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(..)")
    }
}

impl PartialEq for TokenKey {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.words == other.words
    }
}

impl Eq for TokenKey {}

impl Hash for TokenKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Hash for Lookup<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Passes on the hash that the key brings with it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Verbatim;

#[derive(Debug, Default)]
pub(super) struct VerbatimHasher(u64);

impl BuildHasher for Verbatim {
    type Hasher = VerbatimHasher;

    fn build_hasher(&self) -> VerbatimHasher {
        VerbatimHasher::default()
    }
}

impl Hasher for VerbatimHasher {
    fn write(&mut self, bytes: &[u8]) {
        // Only `write_u64` is ever called.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[derive(Clone, Copy, Debug)]
struct ByWeight {
    floor: u64,
}

impl Weighter<TokenKey, Arc<ValidatedToken>> for ByWeight {
    fn weight(&self, key: &TokenKey, token: &Arc<ValidatedToken>) -> u64 {
        let bytes = u64::try_from(key.bytes() + size_of::<TokenKey>()).unwrap_or(u64::MAX);
        bytes.saturating_add(token.weight.into()).max(self.floor)
    }
}
