//! Whoever shows a certificate.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use oauth_core::mtls::ClientCertificate;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use reqwest::Identity;
use serde_json::{Value, json};

/// Whoever has a certificate and its key.
pub(crate) struct Owner {
    pem: String,
    certificate: ClientCertificate,
    /// SEC 1 section 2.3.3: a 4, then both coordinates.
    point: Vec<u8>,
}

impl Owner {
    /// The DNS name in a certificate that an authority vouches for.
    pub(crate) const NAME: &str = "client.example";

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
        let certificate = CertificateParams::new([Self::NAME.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        (Self::of(&certificate, &key), authority.pem())
    }

    fn of(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        let pem = certificate.pem() + &key.serialize_pem();
        let certificate = ClientCertificate::from_der(certificate.der().as_ref()).unwrap();
        Self { pem, certificate, point: key.public_key_raw().to_vec() }
    }

    pub(crate) fn cnf(&self) -> Value {
        json!({ "x5t#S256": self.certificate.thumbprint() })
    }

    /// The certificate and its key.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// The certificate as a JWK Set has it (RFC 8705 section 2.2.2).
    pub(crate) fn jwk(&self) -> Value {
        let [x, y] = [&self.point[1..33], &self.point[33..]].map(|number| URL_SAFE_NO_PAD.encode(number));
        let x5c = STANDARD.encode(self.certificate.as_der());
        json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "x5c": [x5c] })
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
