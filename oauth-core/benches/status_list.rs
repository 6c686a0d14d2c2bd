//! What a status list of a million tokens costs: bytes, making, reading, and one
//! revocation in a store.
//!
//! `cargo bench -p oauth-core --bench status_list --features sqlite`
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench is run by hand, and says what it found")]

use std::{hint::black_box, time::Instant};

use oauth_core::{
    clock::{Random, SystemRandom, UnixTime},
    jwk::JwkSet,
    jwt::Algorithm,
    keys::SigningKey,
    status_list::{StatusList, StatusListClaims, StatusListExpectations, sign_status_list, verify_status_list},
    store::{Store, memory::MemoryStore},
};

const PLACES: u32 = 1 << 20;
const ROUNDS: u32 = 20;
const ISSUER: &str = "https://as.example";
const URI: &str = "https://as.example/status/85899345920000";

fn main() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let keys: JwkSet = [&key].into_iter().collect();
    println!("of {PLACES} revoked | bytes | make and sign | verify and inflate | one look-up");
    for (share, revoked) in [("none", 0), ("0.1 %", PLACES / 1_000), ("1 %", PLACES / 100), ("10 %", PLACES / 10)] {
        let revoked = places(revoked);
        let says = StatusListClaims::new(ISSUER, URI, UnixTime(1_000)).ttl(15).expires_at(UnixTime(2_000));
        let make =
            || sign_status_list(&key, &says, &StatusList::with_revoked(PLACES, revoked.iter().copied())).unwrap();
        let token = make();
        let making = micros(ROUNDS, || drop(black_box(make())));
        let expected = StatusListExpectations::new(ISSUER, URI, UnixTime(1_001));
        let read = || verify_status_list(&token, &keys, &[Algorithm::ES256], &expected).unwrap().list;
        let reading = micros(ROUNDS, || drop(black_box(read())));
        let list = read();
        assert_eq!(list.revoked(), u64::try_from(revoked.len()).unwrap());
        let looking = micros(PLACES, || {
            black_box(list.is_valid(black_box(4_711)));
        });
        let bytes = token.len();
        println!("{share} | {bytes} | {making:.0} us | {reading:.0} us | {:.1} ns", looking * 1_000.0);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    runtime.block_on(revocations("memory", &MemoryStore::default()));
    #[cfg(feature = "sqlite")]
    runtime.block_on(async {
        let folder = std::env::temp_dir().join(format!("status-list-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let store = oauth_core::store::sqlite::SqliteStore::open(folder.join("store.db")).await.unwrap();
        revocations("SQLite", &store).await;
        drop(store);
        std::fs::remove_dir_all(folder).unwrap();
    });
}

/// One after the other, in a list of which 1 % is revoked.
async fn revocations(name: &str, store: &impl Store) {
    let until = UnixTime(4_000_000_000);
    store.revoke_statuses(1, places(PLACES / 100), until).await.unwrap();
    let more = places(1_000);
    let began = Instant::now();
    for place in &more {
        store.revoke_statuses(1, vec![*place], until).await.unwrap();
    }
    let each = began.elapsed().as_secs_f64() * 1e6 / 1_000.0;
    let began = Instant::now();
    let found = store.revoked_statuses(1, UnixTime(1_000)).await.unwrap().len();
    let reading = began.elapsed().as_secs_f64() * 1e6;
    println!("{name} | one revocation {each:.1} us | reading the {found} of a list {reading:.0} us");
}

/// So many different places, in no order.
fn places(count: u32) -> Vec<u32> {
    let mut places = std::collections::BTreeSet::new();
    while places.len() < usize::try_from(count).unwrap() {
        let mut bytes = [0; 4];
        SystemRandom.fill(&mut bytes).unwrap();
        places.insert(u32::from_be_bytes(bytes) % PLACES);
    }
    places.into_iter().collect()
}

fn micros(rounds: u32, mut run: impl FnMut()) -> f64 {
    let began = Instant::now();
    (0..rounds).for_each(|_| run());
    began.elapsed().as_secs_f64() * 1e6 / f64::from(rounds)
}
