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
/// It is compared as bytes: whether its chain is good is for the TLS layer to
/// say ([`ClientCertificate::with_verified_chain`]), and with self-signed
/// certificates for nobody (RFC 8705 section 3).
#[derive(Clone)]
pub struct ClientCertificate {
    der: Arc<[u8]>,
    thumbprint: Arc<str>,
    chain_verified: bool,
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
        Ok(Self { der, thumbprint, chain_verified: false })
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

    /// The same, of which is known that its chain ends at an authority that the
    /// operator trusts to name clients, and that it is good at the moment (RFC
    /// 8705 section 2.1). Whoever has verified that says so, and nobody else:
    /// what the certificate says of its owner is believed from then on.
    #[must_use]
    pub fn with_verified_chain(mut self) -> Self {
        self.chain_verified = true;
        self
    }

    /// Whether its chain is known to be good.
    #[must_use]
    pub const fn has_verified_chain(&self) -> bool {
        self.chain_verified
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

/// The same bytes, whatever is known of the chain.
impl PartialEq for ClientCertificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for ClientCertificate {}

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

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    /// RFC 8705 appendix A, figure 6.
    const RFC_8705: &str = "MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAxODEyMzcwOVoXDTIyMDUwMjEyMzc\
        wOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ/Au08/coZwx\
        S7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwIDSQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2\
        eXZOVbUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=";
    const RFC_8705_X5T: &str = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";

    /// RFC 9440 appendix A, figure 2.
    const RFC_9440: &str = ":MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNVBAMMEkx\
        BIEludGVybWVkaWF0ZSBDQTAeFw0yMDAxMTQyMjU1MzNaFw0yMTAxMjMyMjU1MzNaMA0xCzAJBgNVBAMMAkJDMFkwEwYHKoZIzj0CAQYIKoZIzj0\
        DAQcDQgAE8YnXXfaUgmnMtOXU/IncWalRhebrXmckC8vdgJ1p5Be5F/3YC8OthxM4+k1M6aEAEFcGzkJiNy6J84y7uzo9M6NyMHAwCQYDVR0TBAI\
        wADAfBgNVHSMEGDAWgBRm3WjLa38lbEYCuiCPct0ZaSED2DAOBgNVHQ8BAf8EBAMCBsAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQYDVR0RAQH/BBM\
        wEYEPYmRjQGV4YW1wbGUuY29tMAoGCCqGSM49BAMCA0gAMEUCIBHda/r1vaL6G3VliL4/Di6YK0Q6bMjeSkC3dFCOOB8TAiEAx/kHSB4urmiZ0NX\
        5r5XarmPk0wmuydBVoU4hBVZ1yhk=:";

    fn example() -> ClientCertificate {
        ClientCertificate::from_der(STANDARD.decode(RFC_8705).unwrap()).unwrap()
    }

    fn sequence(content: u16) -> Vec<u8> {
        let [high, low] = content.to_be_bytes();
        let mut der = match content {
            0..0x80 => vec![0x30, low],
            0x80..0x100 => vec![0x30, 0x81, low],
            _ => vec![0x30, 0x82, high, low],
        };
        der.resize(der.len() + usize::from(content), 0);
        der
    }

    fn refusal(header: &str) -> InvalidCertificate {
        ClientCertificate::from_client_cert_header(header).unwrap_err()
    }

    // spec: RS-34
    #[test]
    fn the_thumbprint_is_that_of_the_example_in_rfc_8705() {
        assert_eq!(example().thumbprint(), RFC_8705_X5T);
    }

    // spec: RS-34
    #[test]
    fn a_token_is_bound_to_the_certificate_that_its_confirmation_names_and_to_no_other() {
        let other = ClientCertificate::from_client_cert_header(RFC_9440).unwrap();
        let cnf: Confirmation = serde_json::from_value(serde_json::json!({ "x5t#S256": RFC_8705_X5T })).unwrap();
        assert!(example().is_bound_to(&cnf));
        assert!(!other.is_bound_to(&cnf));
        assert!(!example().is_bound_to(&Confirmation::default()));
        assert!(!example().is_bound_to(&Confirmation::dpop(RFC_8705_X5T)));
        let [padded, shorter, other_case] =
            [format!("{RFC_8705_X5T}="), RFC_8705_X5T[1..].to_owned(), RFC_8705_X5T.to_lowercase()];
        for x5t in ["", &padded, &shorter, &other_case] {
            assert!(!example().is_bound_to(&Confirmation::certificate(x5t)), "{x5t}");
        }
    }

    #[test]
    fn the_header_of_the_example_in_rfc_9440_is_read() {
        let certificate = ClientCertificate::from_client_cert_header(RFC_9440).unwrap();
        assert_eq!(STANDARD.encode(certificate.as_der()), RFC_9440.trim_matches(':'));
        let spaced = ClientCertificate::from_client_cert_header(&format!("  {RFC_9440} ")).unwrap();
        assert_eq!(spaced, certificate);
        // RFC 8941 section 4.2.7: padding may be missing, and its bits may be set.
        let empty = [":MAA=:", ":MAB=:"].map(|header| ClientCertificate::from_client_cert_header(header).unwrap());
        assert_eq!(empty[0], empty[1]);
        let unpadded = ClientCertificate::from_client_cert_header(&RFC_9440.replace('=', "")).unwrap();
        assert_eq!(unpadded.thumbprint(), certificate.thumbprint());
    }

    #[test]
    fn a_header_is_one_byte_sequence_and_nothing_else() {
        let base64 = RFC_9440.trim_matches(':');
        let pem = format!("-----BEGIN CERTIFICATE----- {base64} -----END CERTIFICATE-----");
        let url_safe = RFC_9440.replace('+', "-").replace('/', "_");
        for header in [
            "",
            ":",
            base64,
            &format!(":{base64}"),
            &format!("{base64}:"),
            &format!("{RFC_9440};a=1"),
            &format!("{RFC_9440}, {RFC_9440}"),
            &format!("({RFC_9440})"),
            &format!("\"{base64}\""),
            &format!(":{pem}:"),
            &url_safe,
            &pem.replace(' ', "%0A"),
            &format!("{RFC_9440}\n"),
            &format!("\t{RFC_9440}"),
            ":=:",
            ":é:",
        ] {
            assert_eq!(refusal(header), InvalidCertificate::NotByteSequence, "{header}");
        }
        assert_eq!(refusal("::"), InvalidCertificate::NotDer);
        assert_eq!(refusal(&format!(":{}:", STANDARD.encode(&pem))), InvalidCertificate::NotDer);
    }

    #[test]
    fn a_certificate_is_exactly_one_der_sequence() {
        let good = example().as_der().to_vec();
        for content in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x1234] {
            assert!(ClientCertificate::from_der(sequence(content)).is_ok(), "{content}");
        }
        let two = [good.clone(), good.clone()].concat();
        let trailing = [good.clone(), vec![0]].concat();
        let cut = good[..good.len() - 1].to_vec();
        let set = [vec![0x31], good[1..].to_vec()].concat();
        let long_form = [&[0x30, 0x81, 3][..], b"abc"].concat();
        let longer_form = [&[0x30, 0x82, 0, 0x80][..], &[0; 0x80]].concat();
        let indefinite = [&[0x30, 0x80][..], b"abc", &[0, 0]].concat();
        for der in [vec![], vec![0x30], two, trailing, cut, set, long_form, longer_form, indefinite] {
            assert_eq!(ClientCertificate::from_der(der).unwrap_err(), InvalidCertificate::NotDer);
        }
    }

    #[test]
    fn a_certificate_is_bounded_in_der_and_in_the_header() {
        let largest = sequence(16 * 1024 - 4);
        assert!(ClientCertificate::from_client_cert_header(&format!(":{}:", STANDARD.encode(&largest))).is_ok());
        assert!(ClientCertificate::from_der(largest).is_ok());
        let larger = sequence(16 * 1024 - 3);
        assert_eq!(refusal(&format!(":{}:", STANDARD.encode(&larger))), InvalidCertificate::TooLarge);
        assert_eq!(ClientCertificate::from_der(larger).unwrap_err(), InvalidCertificate::TooLarge);
        assert_eq!(refusal(&format!(":{}:", "!".repeat(30_000))), InvalidCertificate::TooLarge);
    }

    #[test]
    fn debug_output_names_the_certificate_by_its_thumbprint() {
        let shown = format!("{:?}", example());
        assert_eq!(shown, format!("ClientCertificate {{ thumbprint: {RFC_8705_X5T:?}, .. }}"));
    }

    proptest! {
        #[test]
        fn nothing_that_comes_in_panics(header in ".*", der in any::<Vec<u8>>()) {
            drop(ClientCertificate::from_client_cert_header(&header));
            drop(ClientCertificate::from_client_cert_header(&format!(":{}:", STANDARD.encode(&der))));
            drop(ClientCertificate::from_der(der));
        }
    }
}
