//! A client certificate that nobody looks into.

use oauth_core::{mtls::ClientCertificate, secret::Digest};

use super::must;

/// Something to stand for the certificate of the client `name` (RFC 8705), for
/// the extensions of a request and for
/// [`MockToken::bound_to_certificate`](super::MockToken::bound_to_certificate):
/// the same for the same name. No TLS connection can be made with it.
///
/// ```
/// use oauth_tower::testing::client_certificate;
/// assert_eq!(client_certificate("app"), client_certificate("app"));
/// assert_ne!(client_certificate("app"), client_certificate("another"));
/// ```
#[must_use]
pub fn client_certificate(name: &str) -> ClientCertificate {
    let content = Digest::of(&[name.as_bytes()]);
    // All that is looked at is whether it is one DER sequence.
    let der = [&[0x30, 32][..], content.as_bytes()].concat();
    must(ClientCertificate::from_der(der), "a certificate cannot be made")
}
