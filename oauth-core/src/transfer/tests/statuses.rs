//! Status lists: what was revoked stays revoked, and no place is given twice.

use super::*;
use crate::engine::status_list::moved::Group;

/// The lists of the day of [`NOW`].
pub(super) fn today() -> Group {
    let mut groups = moved::groups(ISSUER, &root(), NOW);
    groups.retain(|group| group.first >> 32 == NOW.0 / 86_400);
    groups.pop().unwrap()
}

/// So many blocks given, and these places revoked.
fn with(blocks: u64, revoked: &[(u64, Vec<u32>)]) -> MemoryStore {
    let (store, group) = (MemoryStore::default(), today());
    for _ in 0..blocks {
        now(store.claim_statuses(group.digest, moved::counted_until(group.first), NOW)).unwrap();
    }
    for (list, places) in revoked {
        now(store.revoke_statuses(group.first + list, places.clone(), moved::until(group.first))).unwrap();
    }
    store
}

fn revoked(store: &MemoryStore, list: u64) -> Vec<u32> {
    now(store.revoked_statuses(today().first + list, NOW)).unwrap()
}

fn claimed(store: &MemoryStore) -> u64 {
    now(store.claimed_statuses(today().digest, NOW)).unwrap()
}

#[test]
fn a_list_arrives_whole_and_twice_is_once() {
    let all: Vec<u32> = (0..20_000).map(|place| place * 52).collect();
    // A list is 4096 blocks.
    let (file, new) = (exported(&with(4_097, &[(0, all.clone()), (1, vec![0, 7])])), MemoryStore::default());
    // What was given, three chunks of the first list, and one of the second.
    assert_eq!(imported(&file, &new).unwrap().inserted.statuses, 5);
    for _ in 0..2 {
        assert_eq!((revoked(&new, 0), revoked(&new, 1), claimed(&new)), (all.clone(), vec![0, 7], 4_097));
        let again = imported(&file, &new).unwrap();
        assert_eq!((again.inserted.statuses, again.left.statuses), (0, 5));
    }
    let next = now(new.claim_statuses(today().digest, UnixTime::MAX, NOW)).unwrap();
    assert_eq!(next, 4_098, "the first that nobody has");
    assert_eq!(exported(&new).len(), exported(&with(4_098, &[(0, all), (1, vec![0, 7])])).len());
}

#[test]
fn what_is_revoked_there_stays_and_what_was_given_there_is_not_given_again() {
    let file = exported(&with(2, &[(0, vec![1, 2])]));
    let store = with(5, &[(0, vec![2, 9])]);
    let done = imported(&file, &store).unwrap();
    assert_eq!((done.inserted.statuses, done.left.statuses), (1, 1));
    assert_eq!((revoked(&store, 0), claimed(&store)), (vec![1, 2, 9], 5));
}

#[test]
fn lists_of_the_longest_lifetime_are_moved_and_older_ones_are_not() {
    let last = moved::until(today().first);
    for (at, pieces) in [(last.0 - 1, 2), (last.0, 0)] {
        let store = with(1, &[(0, vec![1])]);
        let counts = now(Export::new(ISSUER, &root(), UnixTime(at)).run(&store, Vec::new(), |_| {})).unwrap();
        assert_eq!(counts.statuses, pieces, "{at}");
    }
}

#[test]
fn a_place_that_there_is_not_is_no_record() {
    let (first, group) = (today().first, "A".repeat(43));
    let header = String::from_utf8(exported(&MemoryStore::default())).unwrap();
    let header = header.lines().next().unwrap();
    for wrong in [
        format!(r#"{{"list":{first},"revoked":[1048576]}}"#),
        format!(r#"{{"list":{first},"revoked":[-1]}}"#),
        r#"{"list":9007199254740992,"revoked":[1]}"#.to_owned(),
        format!(r#"{{"list":{first},"claimed":{{"group":"{group}","blocks":268435457}}}}"#),
    ] {
        let file = sealed(&[header, &format!(r#"{{"statuses":{wrong}}}"#)]);
        let error = imported(&file, &MemoryStore::default()).unwrap_err();
        assert!(matches!(error.fault(), ImportFault::Record { .. }), "{wrong}: {error}");
    }
}

fn placed(number: u8) -> AccessToken {
    let index = u32::from(number);
    AccessToken { status: Some(StatusPlace::new(today().first, index)), ..access(number) }
}

#[test]
fn an_import_that_ends_a_grant_marks_its_tokens() {
    let ended = Grant { revoked_at: Some(NOW), ..grant(1) };
    let (old, new) = (MemoryStore::default(), MemoryStore::default());
    now(old.insert_grant(ended, None)).unwrap();
    now(new.insert_grant(grant(1), Some(placed(6)))).unwrap();
    now(new.insert_grant(grant(2), Some(placed(7)))).unwrap();
    imported(&exported(&old), &new).unwrap();
    assert_eq!(revoked(&new, 0), [6]);
}

#[test]
fn a_token_of_a_revoked_grant_is_marked_where_whoever_revoked_it_broke_off() {
    let (old, new) = (MemoryStore::default(), MemoryStore::default());
    now(old.insert_grant(grant(1), Some(placed(6)))).unwrap();
    now(old.insert_grant(grant(2), Some(placed(7)))).unwrap();
    now(old.revoke_grant(grant(1).id, NOW)).unwrap();
    assert!(revoked(&old, 0).is_empty());
    imported(&exported(&old), &new).unwrap();
    assert_eq!(revoked(&new, 0), [6]);
}
