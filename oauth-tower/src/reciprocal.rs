//! Reciprocal OAuth between two servers ([draft-ietf-oauth-reciprocal-04]): the
//! requests that party A and party B send each other. What they decide is in
//! [`oauth_core::engine::reciprocal`].
//!
//! * Party A makes a code for its user and B, and [`initiate`] sends it to B with
//!   the access token that says for whom it is.
//! * Party B queues it. A [`ReciprocalClient`] redeems what is queued at the peer's
//!   own token endpoint, and later hands out live tokens for calls to its API. It is
//!   a future that the host drives: nothing is spawned here.
//!
//! Requests go where the configuration says and nowhere else: no part of a
//! request that came in names a URL. Endpoints are https, and redirects are not
//! followed.
//!
//! [draft-ietf-oauth-reciprocal-04]: https://datatracker.ietf.org/doc/html/draft-ietf-oauth-reciprocal-04

mod initiate;
mod peers;
mod redeem;
#[cfg(test)]
mod tests;
mod tokens;

pub use self::{
    initiate::{Initiated, initiate},
    peers::{ReciprocalClient, ReciprocalClientBuilder},
    redeem::Redemption,
    tokens::LinkError,
};
