//! A certificate authority of one test, and clients that trust nobody else.

use std::{fs, path::PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use reqwest::{Certificate, Client, ClientBuilder, redirect};

use super::Folder;

/// A folder with `ca.pem`, and with `cert.pem` and `key.pem` of localhost, which the authority vouches for.
pub(crate) struct Authority {
    pub(crate) folder: Folder,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut ca = CertificateParams::default();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        ca.distinguished_name.push(DnType::CommonName, "An authority of one test");
        let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let localhost = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let certificate = localhost.signed_by(&key, &ca).unwrap();

        let authority = Self { folder: Folder::new() };
        authority.write("ca.pem", &ca.pem());
        authority.write("cert.pem", &certificate.pem());
        authority.write("key.pem", &key.serialize_pem());
        authority.write("foreign.pem", &KeyPair::generate().unwrap().serialize_pem());
        authority
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A client of whoever the authority vouches for. It goes nowhere by itself.
    pub(crate) fn client(&self) -> Client {
        self.client_builder().build().unwrap()
    }

    pub(crate) fn client_builder(&self) -> ClientBuilder {
        let ca = Certificate::from_pem(&fs::read(self.file("ca.pem")).unwrap()).unwrap();
        plain_client_builder().tls_certs_only([ca])
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.file(name), content).unwrap();
    }
}

/// A client for plain http.
pub(crate) fn plain_client() -> Client {
    plain_client_builder().build().unwrap()
}

fn plain_client_builder() -> ClientBuilder {
    Client::builder().redirect(redirect::Policy::none()).no_proxy()
}
