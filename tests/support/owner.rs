//! Whoever shows a certificate.

use base64::{Engine, engine::general_purpose::STANDARD};
use oauth_core::mtls::ClientCertificate;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use reqwest::Identity;
use serde_json::{Value, json};

/// Whoever has a certificate and its key.
pub(crate) struct Owner {
    pem: String,
    certificate: ClientCertificate,
}

impl Owner {
    pub(crate) fn self_signed() -> Self {
        let key = KeyPair::generate().unwrap();
        Self::of(&CertificateParams::default().self_signed(&key).unwrap(), &key)
    }

    /// One that an authority vouches for, and that authority.
    pub(crate) fn vouched_for() -> (Self, String) {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "An authority for clients");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::default().signed_by(&key, &authority).unwrap();
        (Self::of(&certificate, &key), authority.pem())
    }

    fn of(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        let pem = certificate.pem() + &key.serialize_pem();
        Self { pem, certificate: ClientCertificate::from_der(certificate.der().as_ref()).unwrap() }
    }

    pub(crate) fn cnf(&self) -> Value {
        json!({ "x5t#S256": self.certificate.thumbprint() })
    }

    /// What a client needs to show it.
    pub(crate) fn identity(&self) -> Identity {
        Identity::from_pem(self.pem.as_bytes()).unwrap()
    }

    /// RFC 9440 section 2.2.
    pub(crate) fn header(&self) -> String {
        format!(":{}:", STANDARD.encode(self.certificate.as_der()))
    }
}
