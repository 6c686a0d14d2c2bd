//! Base64url without padding (RFC 7515 section 2), as fast as the machine can.
//!
//! Strict: no padding, no white space, and one spelling for each byte string.
//! On the path of every unseen token decoding would otherwise be a third of
//! all that is not the signature check.

use base64::{DecodeError, Engine};

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static ENGINE: std::sync::LazyLock<base64::engine::Simd> =
    std::sync::LazyLock::new(|| base64::engine::Simd::url_safe(base64::engine::general_purpose::NO_PAD));

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
static ENGINE: &base64::engine::GeneralPurpose = &base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Appends the bytes that `text` spells to `bytes`.
pub(super) fn decode(text: &str, bytes: &mut Vec<u8>) -> Result<(), DecodeError> {
    ENGINE.decode_vec(text, bytes)
}

/// Appends the spelling of `bytes` to `text`.
pub(super) fn encode(bytes: &[u8], text: &mut String) {
    ENGINE.encode_string(bytes, text);
}
