//! What the revocation endpoint does, in each of its modes ([RFC 7009], its draft
//! of 2011, Matrix).
//!
//! [RFC 7009]: https://www.rfc-editor.org/rfc/rfc7009

mod authority;
mod caller;
mod mode;
mod policy;
mod revoke;
mod target;

pub use self::{
    authority::{ForeignToken, RevocationAuthority},
    mode::{Identification, RevocationMode, RevocationRules, Said},
    policy::RevocationPolicy,
};
pub(crate) use self::{
    caller::{identify, identify_script},
    revoke::revoke,
};
