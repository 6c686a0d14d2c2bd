//! One use each, however many ask.

use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use super::*;
use crate::{
    clock::{Clock, ManualClock, SystemClock},
    secret::Digest,
};

#[expect(clippy::needless_pass_by_value, reason = "so that a test reads well")]
fn digest(name: impl ToString) -> Digest {
    Digest::of(&[name.to_string().as_bytes()])
}

/// The answer of a cache that has it at once.
fn ask(cache: &dyn ReplayCache, digest: Digest, until: u64) -> Result<bool, ReplayError> {
    match cache.first_use(digest, UnixTime(until)).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("the memory never waits"),
    }
}

fn cache(now: u64, capacity: usize) -> (MemoryReplayCache, ManualClock) {
    let clock = ManualClock::new(UnixTime(now));
    (MemoryReplayCache::new(Arc::new(clock.clone()), capacity), clock)
}

// spec: RS-28
#[test]
fn of_a_hundred_uses_at_once_one_is_the_first() {
    const DIGESTS: usize = 2_000;
    let (cache, _) = cache(1_000, 1 << 16);
    let barrier = Barrier::new(100);
    // All in the same order and in step, so that they meet again and again.
    let first_uses = || {
        let in_step = |i: &usize| {
            if i.is_multiple_of(10) {
                barrier.wait();
            }
        };
        (0..DIGESTS).inspect(in_step).filter(|i| ask(&cache, digest(i), 1_060).unwrap()).count()
    };
    let first = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..100).map(|_| scope.spawn(first_uses)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
    });
    assert_eq!(first, DIGESTS);
}

// spec: RS-28
#[test]
fn a_proof_is_refused_when_it_comes_again_within_the_window() {
    let (cache, clock) = cache(NOW.0, 1_024);
    let key = key();
    let proof = forge(&key, header(&key), claims());
    let used = |proof: &str| {
        let targets = [target(URL)];
        let now = clock.now();
        let verified = Proof::verify(proof, &ProofRequest::with_token("GET", &targets, TOKEN, now))?;
        Ok::<_, DpopError>(ask(&cache, verified.digest(), verified.good_until().0).unwrap())
    };
    assert_eq!(used(&proof), Ok(true));
    for _ in 0..60 {
        assert_eq!(used(&proof), Ok(false));
        clock.advance(1);
    }
    // To the last moment, at which the proof is good and still known; and
    // another one is good for the first time.
    assert_eq!(used(&proof), Ok(false));
    assert_eq!(used(&forge(&key, header(&key), with(claims(), json!({ "jti": "another" })))), Ok(true));
    clock.advance(1);
    assert_eq!(used(&proof), Err(DpopError::TooOld));
}

// spec: RS-28
#[test]
fn an_identifier_is_used_once_for_a_key_and_a_target() {
    let key = key();
    let digest_of = |key: &DpopKey, members: Value| {
        let claims = with(claims(), members);
        let proof = forge(key, header(key), &claims);
        let targets = [target(claims["htu"].as_str().unwrap())];
        let method = claims["htm"].as_str().unwrap();
        Proof::verify(&proof, &ProofRequest::with_token(method, &targets, TOKEN, NOW)).unwrap().digest()
    };
    let first = digest_of(&key, json!({}));
    // What a client may change and sign again without being taken for new.
    assert_eq!(digest_of(&key, json!({})), first);
    assert_eq!(digest_of(&key, json!({ "iat": NOW.0 - 30 })), first);
    assert_eq!(digest_of(&key, json!({ "htm": "POST" })), first);
    assert_eq!(digest_of(&key, json!({ "nonce": "x", "extra": 1 })), first);
    assert_eq!(digest_of(&key, json!({ "htu": "HTTPS://api.example:443/%70hotos?x" })), first);
    // What makes it another.
    assert_ne!(digest_of(&key, json!({ "jti": "another" })), first);
    assert_ne!(digest_of(&key, json!({ "htu": "https://api.example/photos/" })), first);
    assert_ne!(digest_of(&super::key(), json!({})), first);
}

#[test]
fn an_entry_lives_until_its_time_and_goes_after_it() {
    let (cache, clock) = cache(1_000, 64);
    assert!(ask(&cache, digest(1), 1_060).unwrap());
    clock.advance(59);
    assert!(!ask(&cache, digest(1), 1_060).unwrap());
    assert!(!ask(&cache, digest(1), 1_070).unwrap());
    clock.advance(1);
    assert!(!ask(&cache, digest(1), 1_060).unwrap(), "what may be forgotten is not new");
    assert!(ask(&cache, digest(1), 1_120).unwrap(), "another proof with the identifier, after the window");
    assert!(!ask(&cache, digest(1), 1_120).unwrap());
    clock.advance(59);
    assert!(!ask(&cache, digest(1), 1_120).unwrap());
}

#[test]
fn a_full_cache_fails_and_forgets_nothing_early() {
    let (cache, clock) = cache(1_000, 64);
    let answers: Vec<_> = (0..10_000).map(|i| ask(&cache, digest(i), 1_060)).collect();
    let taken = answers.iter().filter(|answer| matches!(answer, Ok(true))).count();
    assert_eq!(taken, 64);
    assert!(answers.iter().all(|answer| matches!(answer, Ok(true) | Err(ReplayError::Full))));
    for (i, answer) in answers.iter().enumerate() {
        let again = ask(&cache, digest(i), 1_060);
        match answer {
            Ok(_) => assert!(matches!(again, Ok(false))),
            Err(_) => assert!(matches!(again, Err(ReplayError::Full))),
        }
    }
    clock.advance(60);
    let taken = (0..10_000).filter(|i| matches!(ask(&cache, digest(i), 1_120), Ok(true))).count();
    assert_eq!(taken, 64, "room comes back with time");
}

#[test]
fn what_is_over_is_dropped_while_new_ones_come() {
    // Room for twice as many as live at a time, and for a tenth of all.
    let (cache, clock) = cache(1_000, 64 * 50);
    for second in 0..1_000 {
        for i in 0..30 {
            let until = 1_001 + second + (i * 7 + second) % 60;
            assert!(ask(&cache, digest(format!("{second}/{i}")), until).unwrap(), "{second}/{i}");
        }
        clock.advance(1);
    }
}

#[test]
fn an_entry_that_awaits_its_removal_is_neither_in_the_way_nor_taken_for_the_next() {
    let (cache, clock) = cache(1_000, 1 << 16);
    let answers = |until| (0..20_000).filter(|i| ask(&cache, digest(i), until).unwrap()).count();
    assert_eq!(answers(1_060), 20_000);
    clock.advance(60);
    assert_eq!(answers(1_120), 20_000);
    assert_eq!(answers(1_120), 0);
}

/// A clock that goes both ways.
#[derive(Clone, Debug)]
struct Wrong(Arc<AtomicU64>);

impl Clock for Wrong {
    fn now(&self) -> UnixTime {
        UnixTime(self.0.load(Ordering::SeqCst))
    }
}

#[test]
fn a_clock_that_steps_back_a_little_revives_nothing_and_a_lot_starts_over() {
    let clock = Wrong(Arc::new(2_000.into()));
    let cache = MemoryReplayCache::new(Arc::new(clock.clone()), 64 * 64);
    assert!(ask(&cache, digest(1), 2_060).unwrap());
    clock.0.store(2_100, Ordering::SeqCst);
    // Each shard has a look at the clock, and sweeps.
    assert!((0..1_000).all(|i| ask(&cache, digest(format!("x{i}")), 2_101).unwrap()));
    clock.0.store(2_050, Ordering::SeqCst);
    assert!(!ask(&cache, digest(1), 2_060).unwrap(), "it was forgotten, so it is not new");
    assert!(ask(&cache, digest(2), 2_110).unwrap());
    clock.0.store(1_000, Ordering::SeqCst);
    assert!(ask(&cache, digest(3), 1_060).unwrap(), "the clock was wrong before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_shared_cache_behind_the_trait_counts_as_one() {
    let cache: Arc<dyn ReplayCache> = Arc::new(MemoryReplayCache::default());
    let until = SystemClock.now().saturating_add(60);
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let cache = Arc::clone(&cache);
            tokio::spawn(async move { Arc::new(cache).first_use(digest("one"), until).await.unwrap() })
        })
        .collect();
    let mut first = 0;
    for task in tasks {
        first += usize::from(task.await.unwrap());
    }
    assert_eq!(first, 1);
}
