//! The format: what is written is what the module says, to the letter.

use proptest::prelude::*;

use super::*;

/// What is written. A change here is a new version.
const GOLDEN: &str = include_str!("golden.jsonl");

/// What was written before there were consents, and before there were links.
const VERSION_1: &str = include_str!("golden_1.jsonl");
const VERSION_2: &str = include_str!("golden_2.jsonl");

#[test]
fn version_3_is_written_as_it_always_was() {
    let file = String::from_utf8(exported(&store())).unwrap();
    let (found, golden): (Vec<_>, Vec<_>) = (file.lines().collect(), GOLDEN.lines().collect());
    assert_eq!(found, golden);
    assert_eq!(file, GOLDEN);
}

#[test]
fn version_3_is_read_as_it_always_was() {
    let store = MemoryStore::default();
    let done = imported(GOLDEN.as_bytes(), &store).unwrap();
    assert_eq!((done.inserted.total(), done.left.total()), (8, 0));
    holds(&store, &grant(1), &access(6));
    let found = now(store.consent(consent().subject, consent().client, NOW)).unwrap();
    assert_eq!(found, Some(consent()));
    assert_eq!(now(store.list_links(None, 9)).unwrap().items, [link()]);
}

/// The grant as versions 1 and 2 have it.
fn earlier_grant() -> Grant {
    let mut grant = grant(1);
    grant.refresh.as_mut().unwrap().retry.as_mut().unwrap().access = None;
    grant
}

#[test]
fn version_2_is_read_as_it_always_was() {
    let store = MemoryStore::default();
    let done = imported(VERSION_2.as_bytes(), &store).unwrap();
    assert_eq!((done.inserted.total(), done.left.total()), (5, 0));
    holds(&store, &earlier_grant(), &AccessToken { exchanged: None, ..access(6) });
    let found = now(store.consent(consent().subject, consent().client, NOW)).unwrap();
    assert_eq!(found, Some(consent()));
}

fn holds(store: &MemoryStore, grant: &Grant, access: &AccessToken) {
    assert_eq!(now(store.signing_keys()).unwrap(), [key()]);
    assert_eq!(now(store.client(client().id)).unwrap().as_deref(), Some(&client()));
    assert_eq!(now(store.grant(grant.id)).unwrap().as_ref(), Some(grant));
    assert_eq!(now(store.access(grant.id, access.digest)).unwrap(), Some((grant.clone(), access.clone())));
}

#[test]
fn version_1_is_read_as_it_always_was() {
    let store = MemoryStore::default();
    let done = imported(VERSION_1.as_bytes(), &store).unwrap();
    assert_eq!((done.inserted.total(), done.left.total()), (4, 0));
    let facts = GrantFacts { authorization_details: Default::default(), dpop_jkt: None, ..grant(1).facts };
    let access =
        AccessToken { authorization_details: Default::default(), confirmation: None, exchanged: None, ..access(6) };
    holds(&store, &Grant { facts, ..earlier_grant() }, &access);
}

#[test]
fn what_may_be_absent_is_left_out() {
    let store = MemoryStore::default();
    let mut bare = grant(1);
    (bare.facts.subject, bare.facts.auth_time, bare.facts.acr) = (None, None, None);
    (bare.facts.authorization_details, bare.facts.dpop_jkt) = (Default::default(), None);
    (bare.code, bare.refresh) = (None, None);
    now(store.insert_grant(bare, None)).unwrap();
    let file = String::from_utf8(exported(&store)).unwrap();
    let line = file.lines().nth(1).unwrap();
    let expected = concat!(
        r#"{"grant":{"id":"AQEBAQEBAQEBAQEBAQEBAQ","facts":{"client":"web","scope":"a b","#,
        r#""resources":["https://api.example"]},"created_at":1700000000,"expires_at":1900000000}}"#
    );
    assert_eq!(line, expected);
}

#[test]
fn no_secret_is_in_a_file() {
    let file = String::from_utf8(exported(&store())).unwrap();
    assert!(!file.contains("hunter2-secret") && !file.contains(&"7".repeat(8)), "{file}");
}

fn some_grant() -> impl Strategy<Value = Grant> {
    let times = (0..=u64::MAX, 0..=u64::MAX, 1_800_000_001..=u64::MAX, proptest::option::of(0..=u64::MAX));
    let code = proptest::option::of(("\\PC{0,20}", any::<bool>(), any::<bool>(), proptest::option::of(0..=u64::MAX)));
    let refresh = (0..=u64::MAX, proptest::option::of(proptest::collection::vec(any::<u8>(), 0..40)));
    let texts = (proptest::option::of("\\PC{0,20}"), proptest::collection::vec("\\PC{0,20}", 0..3));
    (1..=255_u8, times, code, proptest::option::of(refresh), texts).prop_map(|(number, times, code, refresh, texts)| {
        let mut grant = grant(number);
        let (created, used, expires, revoked) = times;
        (grant.created_at, grant.expires_at, grant.revoked_at) =
            (UnixTime(created), UnixTime(expires), revoked.map(UnixTime));
        (grant.facts.subject, grant.facts.resources) = texts;
        grant.code = code.map(|(redirect_uri, redirect_uri_required, challenged, redeemed)| Code {
            redirect_uri,
            redirect_uri_required,
            challenge: challenged.then(|| CodeChallenge::from_bytes([number; 32])),
            // One that was never redeemed lives on.
            expires_at: UnixTime(if redeemed.is_some() { created } else { expires }),
            redeemed_at: redeemed.map(UnixTime),
            digest: Digest::from_bytes([number; 32]),
        });
        grant.refresh = refresh.map(|(generation, retry)| Refresh {
            digest: Digest::from_bytes([number; 32]),
            generation,
            used_at: UnixTime(used),
            retry: retry.map(|sealed| Retry {
                digest: Digest::from_bytes([9; 32]),
                sealed,
                until: UnixTime(expires),
                access: None,
            }),
        });
        grant
    })
}

proptest! {
    #[test]
    fn any_consent_arrives_as_it_was(
        granted in proptest::collection::btree_map("\\PC{0,20}", "([!#-Z]{1,9}( [a-z]{1,9}){0,3})?", 0..5),
        subject in "\\PC{0,20}",
        (given, more, revision) in (0..=u64::MAX, 1_800_000_001..=u64::MAX, 0..=u64::MAX),
    ) {
        let granted = granted.into_iter().map(|(place, scope)| (place, scope.parse().unwrap())).collect();
        let (given_at, expires_at) = (UnixTime(given), UnixTime(more));
        let consent = Consent { granted, subject, given_at, expires_at, revision, ..consent() };
        let (old, new) = (MemoryStore::default(), MemoryStore::default());
        prop_assert!(now(old.replace_consent(consent.clone(), None, NOW)).unwrap());
        imported(&exported(&old), &new).unwrap();
        let found = now(new.consent(consent.subject.clone(), consent.client.clone(), NOW)).unwrap();
        prop_assert_eq!(found, Some(consent));
    }

    #[test]
    fn any_grant_arrives_as_it_was(grant in some_grant()) {
        let (old, new) = (MemoryStore::default(), MemoryStore::default());
        now(old.insert_grant(grant.clone(), None)).unwrap();
        imported(&exported(&old), &new).unwrap();
        prop_assert_eq!(now(new.grant(grant.id)).unwrap(), Some(grant));
    }
}
