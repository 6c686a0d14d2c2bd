//! Nonces: unguessable, short-lived, the same on every node.

use std::collections::HashSet;

use super::*;
use crate::secret::RootSecret;

const START: u64 = 1_562_262_600;

// spec: RS-31
#[test]
fn a_nonce_of_one_node_is_good_on_every_other() {
    let [one, other] = [(); 2].map(|()| DpopNonces::new(&RootSecret::new([7; 32])));
    let nonce = one.issue(UnixTime(START));
    assert_eq!(other.check(&nonce, UnixTime(START)), NonceCheck::Current);
    assert_eq!(other.issue(UnixTime(START)), nonce);
    assert_eq!(DpopNonces::from_bytes([7; 32]).check(&nonce, UnixTime(START)), NonceCheck::Current);
    assert_eq!(DpopNonces::from_bytes([8; 32]).check(&nonce, UnixTime(START)), NonceCheck::Unknown);
}

// spec: RS-31
#[test]
fn a_nonce_lives_for_its_step_and_the_next() {
    for step in [DpopNonces::MIN_STEP, 60, DpopNonces::DEFAULT_STEP, DpopNonces::MAX_STEP] {
        let nonces = DpopNonces::from_bytes([7; 32]).with_step(step).unwrap();
        let begin = START / step * step;
        for issued in [begin, begin + step - 1] {
            let nonce = nonces.issue(UnixTime(issued));
            let at = |now| nonces.check(&nonce, UnixTime(now));
            assert_eq!(at(issued), NonceCheck::Current);
            assert_eq!(at(begin + step - 1), NonceCheck::Current);
            assert_eq!(at(begin + step), NonceCheck::Previous);
            assert_eq!(at(begin + 2 * step - 1), NonceCheck::Previous);
            assert_eq!(at(begin + 2 * step), NonceCheck::Unknown);
            assert_eq!(at(begin + 1_000 * step), NonceCheck::Unknown);
            // A node whose clock is behind.
            assert_eq!(at(begin - 1), NonceCheck::Current);
            assert_eq!(at(begin - step), NonceCheck::Current);
            assert_eq!(at(begin - step - 1), NonceCheck::Unknown);
        }
    }
    for step in [0, 9, 3601, u64::MAX] {
        assert_eq!(DpopNonces::from_bytes([7; 32]).with_step(step).unwrap_err(), InvalidNonceStep);
    }
}

// spec: RS-31
#[test]
fn a_nonce_cannot_be_guessed_and_has_the_characters_the_rfc_allows() {
    let nonces = DpopNonces::from_bytes([7; 32]);
    let issued: Vec<_> = (0..100).map(|step| nonces.issue(UnixTime(START + 120 * step))).collect();
    assert_eq!(issued.iter().collect::<HashSet<_>>().len(), issued.len());
    let nonce = &issued[0];
    // 192 bits; RFC 9449 section 8.1: 1*NQCHAR.
    assert_eq!(nonce.len(), 32);
    assert!(nonce.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E)));
    let mut guesses = vec![String::new(), "AAAA".into(), nonce[1..].into(), format!("{nonce}A"), nonce.to_lowercase()];
    guesses.extend((0..nonce.len()).map(|index| {
        let mut bytes = nonce.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    }));
    for guess in guesses {
        assert_eq!(nonces.check(&guess, UnixTime(START)), NonceCheck::Unknown, "{guess}");
    }
}

#[test]
fn a_nonce_of_the_previous_root_secret_is_still_good_and_soon_replaced() {
    let old = DpopNonces::new(&RootSecret::new([1; 32]));
    let new = DpopNonces::new(&RootSecret::new([2; 32]).with_previous([1; 32]));
    let now = UnixTime(START);
    assert_eq!(new.check(&old.issue(now), now), NonceCheck::Previous);
    assert_eq!(new.check(&new.issue(now), now), NonceCheck::Current);
    assert_eq!(old.check(&new.issue(now), now), NonceCheck::Unknown);
}

#[test]
fn the_ends_of_time_are_no_trap() {
    let nonces = DpopNonces::from_bytes([7; 32]);
    for now in [UnixTime(0), UnixTime::MAX] {
        assert_eq!(nonces.check(&nonces.issue(now), now), NonceCheck::Current);
    }
    assert_eq!(nonces.check(&nonces.issue(UnixTime(0)), UnixTime::MAX), NonceCheck::Unknown);
}

// spec: RS-31
#[test]
fn where_a_nonce_is_demanded_none_or_an_old_one_asks_for_a_new_one() {
    let nonces = DpopNonces::from_bytes([7; 32]);
    let key = key();
    let check = |nonce: Option<&str>, later: u64| {
        let proof = forge(&key, header(&key), with(claims(), json!({ "nonce": nonce })));
        verdict(&proof).unwrap().check_nonce(&nonces, NOW.saturating_add(later))
    };
    let issued = nonces.issue(NOW);
    assert_eq!(check(Some(&issued), 0), Ok(NonceCheck::Current));
    assert_eq!(check(Some(&issued), 120), Ok(NonceCheck::Previous));
    for (nonce, later, error) in [
        (None, 0, DpopError::NonceMissing),
        (Some("guess"), 0, DpopError::NonceUnknown),
        (Some(&*issued), 240, DpopError::NonceUnknown),
    ] {
        assert_eq!(check(nonce, later), Err(error));
        assert_eq!(error.code().as_str(), "use_dpop_nonce");
    }
}
