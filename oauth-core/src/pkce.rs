//! Proof Key for Code Exchange ([RFC 7636]), method `S256` only.
//!
//! `plain` does not exist here: OAuth 2.1 (draft-16 section 7.5.2) forbids it.
//!
//! [RFC 7636]: https://www.rfc-editor.org/rfc/rfc7636

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// The `code_challenge` of an authorization request: the SHA-256 of a verifier
/// that only the client knows.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeChallenge([u8; 32]);

impl CodeChallenge {
    /// Reads the `code_challenge` parameter: exactly 43 base64url characters
    /// (RFC 7636 section 4.2). `None` for anything else.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let length = URL_SAFE_NO_PAD.decode_slice(value, &mut bytes).ok()?;
        (value.len() == 43 && length == 32).then_some(Self(bytes))
    }

    /// The challenge that `verifier` answers.
    #[must_use]
    pub fn of(verifier: &CodeVerifier<'_>) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, verifier.0.as_bytes()).as_ref());
        Self(bytes)
    }

    /// Whether `verifier` answers this challenge, in constant time.
    ///
    /// ```
    /// use oauth_core::pkce::{CodeChallenge, CodeVerifier};
    /// // RFC 7636 appendix B.
    /// let verifier = CodeVerifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
    /// let challenge = CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap();
    /// assert!(challenge.is_answered_by(&verifier));
    /// ```
    #[must_use]
    pub fn is_answered_by(&self, verifier: &CodeVerifier<'_>) -> bool {
        Self::of(verifier).0.ct_eq(&self.0).into()
    }

    /// The SHA-256 itself, as a store keeps it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A challenge read back from a store.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for CodeChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeChallenge(..)")
    }
}

/// A well-formed `code_verifier`, borrowed from the request.
pub struct CodeVerifier<'a>(&'a str);

impl<'a> CodeVerifier<'a> {
    /// Reads the parameter: 43 to 128 unreserved characters (RFC 7636 section
    /// 4.1). `None` for anything else.
    #[must_use]
    pub fn parse(value: &'a str) -> Option<Self> {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
        ((43..=128).contains(&value.len()) && value.bytes().all(unreserved)).then_some(Self(value))
    }
}

impl fmt::Debug for CodeVerifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeVerifier(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_exactly_43_base64url_characters() {
        let good = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(CodeChallenge::parse(good).is_some());
        for bad in ["", &good[..42], &format!("{good}A"), &good.replace('-', "+"), &format!("{good}=")] {
            assert!(CodeChallenge::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_verifier_is_43_to_128_unreserved_characters() {
        assert!(CodeVerifier::parse(&"a".repeat(43)).is_some());
        assert!(CodeVerifier::parse(&"~".repeat(128)).is_some());
        for bad in ["a".repeat(42), "a".repeat(129), format!("{}+", "a".repeat(43)), "é".repeat(30)] {
            assert!(CodeVerifier::parse(&bad).is_none(), "{bad}");
        }
    }
}
