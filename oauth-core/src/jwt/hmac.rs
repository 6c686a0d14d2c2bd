//! A token that two parties share a secret for: `client_secret_jwt` alone.
//!
//! It is a type of its own. Whoever verifies signatures cannot be handed an
//! HMAC (RFC 8725 section 3.1), and whoever verifies this asks for the secret.

use std::{fmt, str::FromStr};

use super::UnsupportedAlgorithm;
#[cfg(feature = "server")]
use super::{
    JwtError, MAX_HEADER_BYTES, MAX_TOKEN_BYTES,
    header::Header,
    jws::{decode, split},
};

/// An HMAC of JWS (RFC 7518 section 3.2): for assertions of a client under its
/// secret, and for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HmacAlgorithm {
    /// HMAC with SHA-256.
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
}

impl HmacAlgorithm {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::HS256, Self::HS384, Self::HS512];

    /// The `alg` value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
        }
    }

    /// RFC 7518 section 3.2: "A key of the same size as the hash output [...] or
    /// larger MUST be used". In bytes.
    #[must_use]
    pub const fn least_secret_bytes(self) -> usize {
        match self {
            Self::HS256 => 32,
            Self::HS384 => 48,
            Self::HS512 => 64,
        }
    }

    #[cfg(feature = "server")]
    fn mac(self) -> aws_lc_rs::hmac::Algorithm {
        match self {
            Self::HS256 => aws_lc_rs::hmac::HMAC_SHA256,
            Self::HS384 => aws_lc_rs::hmac::HMAC_SHA384,
            Self::HS512 => aws_lc_rs::hmac::HMAC_SHA512,
        }
    }
}

impl FromStr for HmacAlgorithm {
    type Err = UnsupportedAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnsupportedAlgorithm> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name).ok_or(UnsupportedAlgorithm)
    }
}

impl fmt::Display for HmacAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A well-formed compact JWS with an HMAC that nobody has checked yet. As
/// [`Jws`](super::Jws) in all else.
#[cfg(feature = "server")]
pub(crate) struct HmacJws<'a> {
    signing_input: &'a str,
    header: Header<HmacAlgorithm>,
    payload: Vec<u8>,
    tag: Vec<u8>,
}

#[cfg(feature = "server")]
impl<'a> HmacJws<'a> {
    /// Reads `token`, within the limits of [`Jws::parse`](super::Jws::parse).
    pub(crate) fn parse(token: &'a str) -> Result<Self, JwtError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(JwtError::TooLarge);
        }
        let (signing_input, tag) = split(token, token.rfind('.'))?;
        let (header, payload) = split(signing_input, signing_input.find('.'))?;
        let header = octets(header)?;
        if header.len() > MAX_HEADER_BYTES {
            return Err(JwtError::TooLarge);
        }
        Ok(Self { signing_input, header: Header::parse(&header)?, payload: octets(payload)?, tag: octets(tag)? })
    }

    pub(crate) const fn alg(&self) -> HmacAlgorithm {
        self.header.alg
    }

    pub(crate) fn typ(&self) -> Option<&str> {
        self.header.typ.as_deref()
    }

    /// The payload, if `secret` made the tag; in constant time. A secret that
    /// is too short for the algorithm made none.
    pub(crate) fn verify(&self, secret: &[u8]) -> Result<&[u8], JwtError> {
        let key = aws_lc_rs::hmac::Key::new(self.alg().mac(), secret);
        let good = aws_lc_rs::hmac::verify(&key, self.signing_input.as_bytes(), &self.tag).is_ok();
        if good && secret.len() >= self.alg().least_secret_bytes() {
            return Ok(&self.payload);
        }
        Err(JwtError::InvalidSignature)
    }
}

#[cfg(feature = "server")]
fn octets(part: &str) -> Result<Vec<u8>, JwtError> {
    let mut decoded = Vec::new();
    decode(part, &mut decoded)?;
    Ok(decoded)
}

#[cfg(test)]
#[cfg(feature = "server")]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    /// RFC 7515 appendix A.1.
    const RFC_7515: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQog\
        Imh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const RFC_7515_KEY: &str = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

    fn key() -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(RFC_7515_KEY).unwrap()
    }

    #[test]
    fn the_example_of_rfc_7515_is_verified_with_its_key_and_no_other() {
        let jws = HmacJws::parse(RFC_7515).unwrap();
        assert_eq!((jws.alg(), jws.typ()), (HmacAlgorithm::HS256, Some("JWT")));
        assert!(jws.verify(&key()).unwrap().starts_with(b"{\"iss\":\"joe\""));
        for bit in 0..key().len() * 8 {
            let mut other = key();
            other[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(jws.verify(&other), Err(JwtError::InvalidSignature));
        }
        for cut in [0, 31, 32, 63] {
            assert!(jws.verify(&key()[..cut]).is_err());
        }
    }

    // spec: CAU-18
    #[test]
    fn what_is_not_one_of_three_hmacs_is_not_read() {
        for header in [r#"{"alg":"none"}"#, r#"{"alg":"RS256"}"#, r#"{"alg":"hs256"}"#, "{}", r#"{"alg":["HS256"]}"#] {
            let token = format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(header));
            assert!(HmacJws::parse(&token).is_err(), "{header}");
        }
        let with = |header: &str| HmacJws::parse(&format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(header))).err();
        assert_eq!(with(r#"{"alg":"HS256","crit":["x"]}"#), Some(JwtError::CriticalExtension));
        assert_eq!(with(r#"{"alg":"HS256","alg":"HS512"}"#), Some(JwtError::MalformedHeader));
        for token in ["", "..", "e30.e30.", "a.b", "eyJhbGciOiJIUzI1NiJ9.e30.AA.AA", "eyJhbGciOiJIUzI1NiJ9.e3 0.AA"] {
            assert!(HmacJws::parse(token).is_err(), "{token}");
        }
    }

    // spec: CAU-18
    #[test]
    fn a_secret_shorter_than_the_hash_verifies_nothing() {
        for (algorithm, least) in [(HmacAlgorithm::HS256, 32), (HmacAlgorithm::HS384, 48), (HmacAlgorithm::HS512, 64)] {
            for bytes in [least - 1, least] {
                let secret = vec![7; bytes];
                let input = format!("{}.e30", URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{algorithm}"}}"#)));
                let tag = aws_lc_rs::hmac::sign(&aws_lc_rs::hmac::Key::new(algorithm.mac(), &secret), input.as_bytes());
                let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag));
                assert_eq!(HmacJws::parse(&token).unwrap().verify(&secret).is_ok(), bytes == least);
            }
        }
    }
}
