//! Mutual TLS ([RFC 8705]): the client's certificate, and tokens bound to it.
//!
//! Where the certificate comes from is not decided here. It is either the one
//! of the TLS connection, or the one that a reverse proxy passes on in the
//! `Client-Cert` header ([RFC 9440]). Believe that header from the addresses of
//! your own proxies only, and drop it from everybody else: anyone can write it.
//!
//! ```
//! use oauth_core::{claims::Confirmation, mtls::ClientCertificate};
//! # let der = [&[0x30, 3][..], b"abc"].concat();
//! let certificate = ClientCertificate::from_der(der)?;
//! let cnf = Confirmation::certificate(certificate.thumbprint());
//! assert!(certificate.is_bound_to(&cnf));
//! # Ok::<_, oauth_core::mtls::InvalidCertificate>(())
//! ```
//!
//! [RFC 8705]: https://www.rfc-editor.org/rfc/rfc8705
//! [RFC 9440]: https://www.rfc-editor.org/rfc/rfc9440

use std::{fmt, sync::Arc};

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::URL_SAFE_NO_PAD},
};
use subtle::ConstantTimeEq;

use crate::{claims::Confirmation, secret::Digest};

/// The certificate a client has proven to own, in DER. Clones share it.
///
/// It is compared as bytes and never looked into: whether its chain is good is
/// for the TLS layer to say, and with self-signed certificates for nobody
/// (RFC 8705 section 3).
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    der: Arc<[u8]>,
    thumbprint: Box<str>,
}

/// Not one certificate in the form that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCertificate {
    /// Longer than [`ClientCertificate::MAX_BYTES`].
    #[error("the client certificate is too large")]
    TooLarge,
    /// Not exactly one DER sequence, which every certificate is (RFC 5280
    /// section 4.1).
    #[error("the client certificate is not in DER")]
    NotDer,
    /// Not a byte sequence between colons (RFC 9440 section 2.2, RFC 8941
    /// section 3.3.5).
    #[error("the header is not a byte sequence")]
    NotByteSequence,
}

/// RFC 8941 section 4.2.7: parsers "SHOULD NOT fail when "=" padding is not
/// present", nor "when non-zero pad bits are present".
static BYTE_SEQUENCE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

impl ClientCertificate {
    /// The longest certificate that is taken, in DER.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// The certificate of a TLS connection.
    ///
    /// # Errors
    /// [`InvalidCertificate::TooLarge`] or [`InvalidCertificate::NotDer`].
    pub fn from_der(der: impl Into<Arc<[u8]>>) -> Result<Self, InvalidCertificate> {
        let der = der.into();
        if der.len() > Self::MAX_BYTES {
            return Err(InvalidCertificate::TooLarge);
        }
        if !is_one_sequence(&der) {
            return Err(InvalidCertificate::NotDer);
        }
        let thumbprint = URL_SAFE_NO_PAD.encode(Digest::of(&[&der]).as_bytes()).into();
        Ok(Self { der, thumbprint })
    }

    /// The certificate in the value of a `Client-Cert` header (RFC 9440 section
    /// 2.2), from a trusted proxy: base64 between colons, without parameters.
    /// Two such headers in one request are none.
    ///
    /// # Errors
    /// [`InvalidCertificate`] says what is wrong.
    pub fn from_client_cert_header(value: &str) -> Result<Self, InvalidCertificate> {
        // RFC 8941 section 4.2: spaces around the item are discarded.
        let between = value.trim_matches(' ').strip_prefix(':').and_then(|rest| rest.strip_suffix(':'));
        let text = between.ok_or(InvalidCertificate::NotByteSequence)?;
        if text.len() > Self::MAX_BYTES.div_ceil(3) * 4 {
            return Err(InvalidCertificate::TooLarge);
        }
        let der = BYTE_SEQUENCE.decode(text).map_err(|_| InvalidCertificate::NotByteSequence)?;
        Self::from_der(der)
    }

    /// The DER bytes.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The base64url of the SHA-256 of the DER: what `x5t#S256` says
    /// (RFC 8705 section 3.1).
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// Whether `cnf` names this certificate, in constant time. A token without
    /// `x5t#S256` is bound to no certificate.
    #[must_use]
    pub fn is_bound_to(&self, cnf: &Confirmation) -> bool {
        cnf.x5t_s256.as_deref().is_some_and(|x5t| x5t.as_bytes().ct_eq(self.thumbprint.as_bytes()).into())
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate").field("thumbprint", &self.thumbprint).finish_non_exhaustive()
    }
}

/// ITU-T X.690 sections 8.1 and 10.1: tag 0x30, the length in its shortest
/// form, and as many bytes as it says.
fn is_one_sequence(der: &[u8]) -> bool {
    let (length, content) = match der {
        [0x30, length, content @ ..] if *length < 0x80 => (u16::from(*length), content),
        [0x30, 0x81, length, content @ ..] if *length >= 0x80 => (u16::from(*length), content),
        [0x30, 0x82, high, low, content @ ..] if *high > 0 => (u16::from_be_bytes([*high, *low]), content),
        _ => return false,
    };
    content.len() == usize::from(length)
}
