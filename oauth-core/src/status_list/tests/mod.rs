//! Lists of the draft's own making, of ours, and of somebody who means harm.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use miniz_oxide::deflate::compress_to_vec_zlib;
use serde_json::{Value, json};

use super::*;
use crate::{
    claims::ClaimsError,
    clock::UnixTime,
    jwk::JwkSet,
    jwt::{self, Algorithm, JwtError},
    keys::SigningKey,
};

const ISSUER: &str = "https://as.example";
const URI: &str = "https://as.example/status/1";
const NOW: UnixTime = UnixTime(1_800_000_000);

fn valid(list: &StatusList) -> Vec<bool> {
    (0..list.entries()).map(|index| list.is_valid(index).unwrap()).collect()
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::ES256).unwrap()
}

fn read(token: &str, key: &SigningKey) -> Result<StatusList, JwtError> {
    let keys: JwkSet = [key].into_iter().collect();
    let expected = StatusListExpectations::new(ISSUER, URI, NOW);
    verify_status_list(token, &keys, &[Algorithm::ES256], &expected).map(|read| read.list)
}

/// A list of one byte, with other claims in place of its own; `null` is none.
fn with(changes: &Value) -> Result<StatusList, JwtError> {
    let lst = StatusList::with_revoked(8, [3]).to_lst();
    let mut claims = json!({ "iss": ISSUER, "sub": URI, "iat": NOW.0, "exp": NOW.0 + 60, "ttl": 15,
        "status_list": { "bits": 1, "lst": lst } });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let key = key();
    read(&jwt::sign(&key, STATUS_LIST_TYPE, &claims).unwrap(), &key)
}

/// What is read of a `ttl`.
fn ttl_of(ttl: &Value) -> Option<u64> {
    let (key, lst) = (key(), StatusList::with_revoked(8, []).to_lst());
    let mut claims = json!({ "sub": URI, "iat": NOW.0, "ttl": ttl, "status_list": { "bits": 1, "lst": lst } });
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let token = jwt::sign(&key, STATUS_LIST_TYPE, &claims).unwrap();
    let keys: JwkSet = [&key].into_iter().collect();
    let expected = StatusListExpectations::new(ISSUER, URI, NOW);
    verify_status_list(&token, &keys, &[Algorithm::ES256], &expected).unwrap().ttl
}

#[test]
fn the_lists_of_the_draft_are_read_as_the_draft_says() {
    // Section 4.2.
    let one = StatusList::from_lst(1, "eNrbuRgAAhcBXQ").unwrap();
    let statuses = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1];
    assert_eq!(valid(&one), statuses.map(|status| status == 0));
    let two = StatusList::from_lst(2, "eNo76fITAAPfAgc").unwrap();
    let statuses = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3];
    assert_eq!(valid(&two), statuses.map(|status| status == 0));
    assert_eq!((two.entries(), two.is_valid(12)), (12, None));
    let wide = URL_SAFE_NO_PAD.encode(compress_to_vec_zlib(&[0x10, 0x02], 6));
    assert_eq!(valid(&StatusList::from_lst(4, &wide).unwrap()), [true, false, false, true]);
    assert_eq!(valid(&StatusList::from_lst(8, &wide).unwrap()), [false, false]);
    for bits in [0, 3, 5, 16] {
        assert_eq!(StatusList::from_lst(bits, "eNrbuRgAAhcBXQ"), Err(StatusListError::Width));
    }
}

#[test]
fn what_is_written_is_read_back_and_nobody_else_is_revoked() {
    let revoked = [0, 7, 8, 4_711, (1 << 20) - 1];
    let list = StatusList::with_revoked(1 << 20, revoked.into_iter().chain([1 << 20, u32::MAX]));
    let back = StatusList::from_lst(1, &list.to_lst()).unwrap();
    assert_eq!((back.entries(), back.revoked()), (1 << 20, 5));
    assert!(revoked.iter().all(|index| back.is_valid(u64::from(*index)) == Some(false)));
    assert_eq!([1, 6, 9, 4_710].map(|index| back.is_valid(index)), [Some(true); 4]);
    assert_eq!([1 << 20, u64::MAX].map(|index| back.is_valid(index)), [None; 2]);
    assert!(StatusList::with_revoked(1 << 20, []).to_lst().len() < 300);
}

#[test]
fn a_list_that_inflates_beyond_the_limit_is_refused_and_never_held() {
    let bomb = |bytes: usize| URL_SAFE_NO_PAD.encode(compress_to_vec_zlib(&vec![0; bytes], 9));
    assert!(StatusList::from_lst(1, &bomb(MAX_STATUS_LIST_BYTES)).is_ok());
    assert_eq!(StatusList::from_lst(1, &bomb(MAX_STATUS_LIST_BYTES + 1)), Err(StatusListError::TooLong));
    assert_eq!(StatusList::from_lst(1, &bomb(40 * MAX_STATUS_LIST_BYTES)), Err(StatusListError::TooLong));
}

#[test]
fn what_is_no_zlib_is_no_list() {
    let good = compress_to_vec_zlib(&[1; 64], 6);
    let cut = good.get(..good.len() - 1).unwrap();
    let mut changed = good.clone();
    *changed.last_mut().unwrap() ^= 1;
    for bytes in [&[][..], &[0; 8], cut, &changed] {
        assert_eq!(StatusList::from_lst(1, &URL_SAFE_NO_PAD.encode(bytes)), Err(StatusListError::NotZlib));
    }
    assert_eq!(StatusList::from_lst(1, "eNrbuRgAAhcBXQ=="), Err(StatusListError::NotBase64Url));
}

#[test]
fn a_signed_list_is_for_its_own_uri_and_its_own_issuer_until_its_end() {
    assert_eq!(with(&json!({})).unwrap().is_valid(3), Some(false));
    assert!(with(&json!({ "iss": null, "exp": null, "ttl": null })).is_ok());
    for (says, ttl) in [(json!(15), Some(15)), (json!(15.9), Some(15)), (json!(0), None), (json!(null), None)] {
        assert_eq!(ttl_of(&says), ttl, "{says}");
    }
    let claims = |error| Err(JwtError::Claims(error));
    for (changes, error) in [
        (json!({ "sub": "https://as.example/status/2" }), ClaimsError::Malformed("sub")),
        (json!({ "sub": null }), ClaimsError::Missing("sub")),
        (json!({ "iss": "https://other.example" }), ClaimsError::WrongIssuer),
        (json!({ "iat": null }), ClaimsError::Missing("iat")),
        (json!({ "iat": NOW.0 + 31 }), ClaimsError::NotYetValid),
        (json!({ "nbf": NOW.0 + 31 }), ClaimsError::NotYetValid),
        (json!({ "exp": NOW.0 - 30 }), ClaimsError::Expired),
        (json!({ "exp": "soon" }), ClaimsError::Malformed("exp")),
        (json!({ "ttl": "soon" }), ClaimsError::Malformed("ttl")),
        (json!({ "status_list": null }), ClaimsError::Missing("status_list")),
        (json!({ "status_list": { "bits": 3, "lst": "eNrbuRgAAhcBXQ" } }), ClaimsError::Malformed("status_list")),
        (json!({ "status_list": { "bits": 1, "lst": "eNrb" } }), ClaimsError::Malformed("status_list")),
    ] {
        assert_eq!(with(&changes).map(drop), claims(error), "{changes}");
    }
    assert_eq!(with(&json!({ "status_list": { "lst": "eNrbuRgAAhcBXQ" } })).map(drop), Err(JwtError::MalformedPayload));
}

#[test]
fn no_other_jwt_passes_for_a_list_and_no_other_key_signs_one() {
    let (own, other) = (key(), key());
    let says = StatusListClaims::new(ISSUER, URI, NOW).ttl(15).expires_at(UnixTime(NOW.0 + 60));
    let list = StatusList::with_revoked(8, []);
    let token = sign_status_list(&own, &says, &list).unwrap();
    assert!(read(&token, &own).is_ok());
    assert_eq!(read(&token, &other), Err(JwtError::UnknownKey));
    let claims = json!({ "sub": URI, "iat": NOW.0, "status_list": { "bits": 1, "lst": list.to_lst() } });
    for typ in ["at+jwt", "JWT", "statuslist+cwt"] {
        assert_eq!(read(&jwt::sign(&own, typ, &claims).unwrap(), &own), Err(JwtError::WrongType));
    }
    assert!(read(&jwt::sign(&own, "application/statuslist+jwt", &claims).unwrap(), &own).is_ok());
    let keys: JwkSet = [&own].into_iter().collect();
    let expected = StatusListExpectations::new(ISSUER, URI, NOW);
    let refused = verify_status_list(&token, &keys, &[Algorithm::EdDSA], &expected).map(drop);
    assert_eq!(refused, Err(JwtError::AlgorithmNotAllowed));
}

#[test]
fn a_claim_that_cannot_be_read_is_not_the_same_as_none() {
    let of = |claims: Value| StatusReference::of(claims.as_object().unwrap());
    assert_eq!(of(json!({})), None);
    assert_eq!(of(json!({ "status": { "other": {} } })), None);
    let good = of(json!({ "status": { "status_list": { "idx": 0, "uri": "u", "more": 1 } } }));
    assert_eq!(good, Some(Ok(StatusReference::new(0, "u"))));
    for bad in [
        json!({ "status": 1 }),
        json!({ "status": { "status_list": [0, "u"] } }),
        json!({ "status": { "status_list": { "idx": -1, "uri": "u" } } }),
        json!({ "status": { "status_list": { "idx": 1.5, "uri": "u" } } }),
        json!({ "status": { "status_list": { "idx": "1", "uri": "u" } } }),
        json!({ "status": { "status_list": { "uri": "u" } } }),
        json!({ "status": { "status_list": { "idx": 1 } } }),
    ] {
        assert_eq!(of(bad.clone()), Some(Err(ClaimsError::Malformed("status"))), "{bad}");
    }
}
