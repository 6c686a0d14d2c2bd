//! Lists of what was revoked, published by the authorization server so that
//! whoever verifies a JWT need not ask about each (Token Status List,
//! [draft-ietf-oauth-status-list-18]).
//!
//! A token says where in which list its status stands ([`StatusReference`]).
//! The list is a row of bits, compressed ([`StatusList`]) and signed
//! ([`sign_status_list`], [`verify_status_list`]). What comes from others is
//! bounded before and after it is inflated.
//!
//! ```
//! use oauth_core::{clock::UnixTime, jwk::JwkSet, jwt::Algorithm, keys::SigningKey, status_list::*};
//! let key = SigningKey::generate(Algorithm::ES256)?;
//! let list = StatusList::with_revoked(1 << 20, [7, 4_711]);
//! let says = StatusListClaims::new("https://as.example", "https://as.example/status/1", UnixTime(1_000)).ttl(15);
//! let token = sign_status_list(&key, &says, &list)?;
//!
//! let keys: JwkSet = [&key].into_iter().collect();
//! let expected = StatusListExpectations::new("https://as.example", "https://as.example/status/1", UnixTime(1_001));
//! let read = verify_status_list(&token, &keys, &[Algorithm::ES256], &expected)?;
//! assert_eq!((read.list.is_valid(4_711), read.list.is_valid(4_712)), (Some(false), Some(true)));
//! assert_eq!(read.list.is_valid(1 << 20), None);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! [draft-ietf-oauth-status-list-18]: https://datatracker.ietf.org/doc/draft-ietf-oauth-status-list/18/

mod bits;
mod reference;
mod token;

#[cfg(test)]
mod tests;

pub use self::{
    bits::{MAX_STATUS_LIST_BYTES, StatusList, StatusListError},
    reference::StatusReference,
    token::{
        STATUS_LIST_TYPE, StatusListClaims, StatusListExpectations, VerifiedStatusList, sign_status_list,
        verify_status_list,
    },
};
