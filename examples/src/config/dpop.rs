//! `[dpop]`: proofs of possession.

use oauth_core::engine::dpop::DpopSettings;

use super::reader::Reader;

/// `[dpop]`.
pub(super) fn read(top: &mut Reader<'_>) -> DpopSettings {
    let mut section = top.section("dpop");
    let mut dpop = DpopSettings::default();
    dpop.required = section.or("required", dpop.required);
    dpop.nonces = section.or("nonce", dpop.nonces);
    dpop
}
