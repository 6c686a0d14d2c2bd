//! `none`: a public client names itself ([OAuth 2.1 section 4.1.3]).
//!
//! [OAuth 2.1 section 4.1.3]: https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1-01#section-4.1.3

use super::{AuthFailure, Proof};
use crate::client::Client;

/// That there is nothing to prove.
pub(super) fn prove(client: &Client) -> Proof {
    match client.is_public() {
        true => Ok(()),
        false => Err(AuthFailure::OtherMethod.into()),
    }
}
