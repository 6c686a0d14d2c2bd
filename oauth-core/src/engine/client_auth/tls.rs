//! `tls_client_auth` and `self_signed_tls_client_auth`: the certificate of the
//! connection ([RFC 8705 section 2]).
//!
//! The request names the client (`client_id`, section 2); the handshake, here or
//! at a proxy that is trusted, has proven that the private key is the caller's.
//!
//! [RFC 8705 section 2]: https://www.rfc-editor.org/rfc/rfc8705#section-2

use std::net::IpAddr;

use x509_parser::{
    certificate::X509Certificate,
    extensions::GeneralName,
    prelude::FromDer,
    x509::{RelativeDistinguishedName, X509Name},
};

use super::{AuthFailure, Proof, keys};
use crate::{
    client::{AttributeValue, Client, Part, TlsSubject},
    mtls::ClientCertificate,
    server::AuthorizationServer,
};

/// Section 2.1: the chain is good, and the certificate has the subject that was
/// registered.
pub(super) fn prove_subject(client: &Client, shown: Option<&ClientCertificate>) -> Proof {
    let shown = shown.ok_or(AuthFailure::NoCertificate)?;
    // Anybody can make a certificate with any subject.
    if !shown.has_verified_chain() {
        return Err(AuthFailure::UnverifiedCertificate.into());
    }
    match client.tls_subject.as_ref().is_some_and(|subject| names(shown, subject)) {
        true => Ok(()),
        false => Err(AuthFailure::WrongCertificate.into()),
    }
}

/// Section 2.2: the certificate is one that was registered. Whoever has made it,
/// and until when it is good, is not asked.
pub(super) async fn prove_registered(
    server: &AuthorizationServer,
    client: &Client,
    shown: Option<&ClientCertificate>,
) -> Proof {
    let shown = shown.ok_or(AuthFailure::NoCertificate)?;
    let registered = keys::with_certificate(server, client, shown).await?;
    match registered.certificates().contains(shown) {
        true => Ok(()),
        false => Err(AuthFailure::WrongCertificate.into()),
    }
}

/// Whether the certificate says `subject` of itself (RFC 8705 section 2.1.2).
/// One that cannot be read says nothing.
pub(super) fn names(certificate: &ClientCertificate, subject: &TlsSubject) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate.as_der()) else { return false };
    if let TlsSubject::Dn(name) = subject {
        return parts(parsed.subject()).is_some_and(|parts| name.has_parts(&parts));
    }
    let Ok(Some(alternatives)) = parsed.subject_alternative_name() else { return false };
    alternatives.value.general_names.iter().any(|name| is_named(name, subject))
}

fn is_named(name: &GeneralName<'_>, subject: &TlsSubject) -> bool {
    match (name, subject) {
        // RFC 5280 section 7.2: "a case-insensitive comparison".
        (GeneralName::DNSName(name), TlsSubject::Dns(own)) => name.eq_ignore_ascii_case(own),
        (GeneralName::URI(uri), TlsSubject::Uri(own)) => uri == own,
        (GeneralName::IPAddress(octets), TlsSubject::Ip(own)) => match own {
            IpAddr::V4(own) => *octets == own.octets(),
            IpAddr::V6(own) => *octets == own.octets(),
        },
        (GeneralName::RFC822Name(address), TlsSubject::Email(own)) => address == own,
        _ => false,
    }
}

fn parts(name: &X509Name<'_>) -> Option<Vec<Part>> {
    name.iter_rdn().map(part).collect()
}

fn part(part: &RelativeDistinguishedName<'_>) -> Option<Part> {
    let attribute = |attribute: &x509_parser::x509::AttributeTypeAndValue<'_>| {
        let (oid, value) = (attribute.attr_type().to_id_string(), attribute.attr_value());
        // Universal and primitive, as strings are in DER.
        let tag = u8::try_from(value.tag().0).ok().filter(|tag| *tag < 0x1F && !value.header.constructed())?;
        let value = AttributeValue::of_parts(&oid, tag, value.data)?;
        Some((oid, value))
    };
    part.iter().map(attribute).collect()
}
