//! What the server shows of itself: its certificate, and the protocols.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ConfigBuilder, ServerConfig, WantsVerifier,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio_rustls::TlsAcceptor;

use super::ClientCertificates;

/// A server certificate with its private key, ready to be used: TLS 1.2 and
/// 1.3 with rustls' suites, as BCP 195 asks (RFC 9325).
#[derive(Clone)]
pub struct TlsConfig {
    builder: ConfigBuilder<ServerConfig, WantsVerifier>,
    config: Arc<ServerConfig>,
    /// Client certificates without a good chain do not get through.
    verifies_chains: bool,
}

/// Why a certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no certificate, or one that cannot be used.
    #[error("{}: holds no certificate in PEM form, or a malformed one", .0.display())]
    Certificate(PathBuf),
    /// There is no private key, or one of an unknown kind.
    #[error("{}: holds no usable private key in PEM form", .0.display())]
    PrivateKey(PathBuf),
    /// The key is of another certificate.
    #[error("{}: is not the private key of the certificate in {}", private_key.display(), certificate.display())]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        private_key: PathBuf,
    },
}

impl TlsConfig {
    /// Reads a certificate, the intermediate ones after it, and its private
    /// key (PKCS#8, PKCS#1 or SEC1) from PEM files.
    ///
    /// # Errors
    /// [`TlsError`] names the file at fault.
    pub fn from_pem_files(certificate: impl AsRef<Path>, private_key: impl AsRef<Path>) -> Result<Self, TlsError> {
        let (certificate, private_key) = (certificate.as_ref(), private_key.as_ref());
        let chain = chain(&read(certificate)?).ok_or_else(|| TlsError::Certificate(certificate.into()))?;
        let key =
            PrivateKeyDer::from_pem_slice(&read(private_key)?).map_err(|_| TlsError::PrivateKey(private_key.into()))?;
        let own = |(builder, config)| Self { builder, config: Arc::new(config), verifies_chains: false };
        server_config(chain, key).map(own).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                TlsError::Mismatch { certificate: certificate.into(), private_key: private_key.into() }
            }
            rustls::Error::InvalidCertificate(_) => TlsError::Certificate(certificate.into()),
            _ => TlsError::PrivateKey(private_key.into()),
        })
    }

    /// Offers HTTP/2 beside HTTP/1.1. Needs the feature `http2` of axum, or
    /// connections that agree on it will fail.
    #[must_use]
    pub fn http2(mut self) -> Self {
        Arc::make_mut(&mut self.config).alpn_protocols.insert(0, b"h2".to_vec());
        self
    }

    /// Asks clients for certificates. The one of a connection reaches the
    /// service as a [`ClientCertificate`](oauth_core::mtls::ClientCertificate) in
    /// the extensions of each request, if the app is served with
    /// [`PeerExt::into_make_service_with_peer`](crate::PeerExt::into_make_service_with_peer).
    ///
    /// # Errors
    /// [`TlsError`] if the file of the authorities cannot be used.
    pub fn client_certificates(self, certificates: &ClientCertificates) -> Result<Self, TlsError> {
        let verifier = certificates.verifier(self.config.crypto_provider())?;
        let resolver = Arc::clone(&self.config.cert_resolver);
        // Sessions are not carried over: in those, nobody was asked.
        let mut config = self.builder.clone().with_client_cert_verifier(verifier).with_cert_resolver(resolver);
        config.alpn_protocols.clone_from(&self.config.alpn_protocols);
        let verifies_chains = certificates.verifies_chains();
        Ok(Self { builder: self.builder, config: Arc::new(config), verifies_chains })
    }

    pub(super) const fn verifies_chains(&self) -> bool {
        self.verifies_chains
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig").finish_non_exhaustive()
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read { path: path.into(), source })
}

fn chain(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().ok()?;
    (!chain.is_empty()).then_some(chain)
}

fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<(ConfigBuilder<ServerConfig, WantsVerifier>, ServerConfig), rustls::Error> {
    // The provider is named, so that no other crate's choice of a process-wide
    // one can change or break it.
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = builder.clone().with_no_client_auth().with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((builder, config))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that is gone at the end of the test.
    struct File(PathBuf);

    impl File {
        fn new(name: &str, content: &str) -> Self {
            let path = std::env::temp_dir().join(format!("oauth-axum-rs-{}-{name}", std::process::id()));
            fs::write(&path, content).unwrap();
            Self(path)
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            fs::remove_file(&self.0).unwrap();
        }
    }

    #[test]
    fn every_error_names_the_file_at_fault() {
        let (one, other) = (rcgen::generate_simple_self_signed([]).unwrap(), rcgen::KeyPair::generate().unwrap());
        let certificate = File::new("cert.pem", &one.cert.pem());
        let key = File::new("key.pem", &one.signing_key.serialize_pem());
        let foreign = File::new("foreign.pem", &other.serialize_pem());
        let junk = File::new("junk.pem", "-----BEGIN NONSENSE-----\n");
        let error =
            |certificate: &Path, key: &Path| TlsConfig::from_pem_files(certificate, key).unwrap_err().to_string();

        assert!(TlsConfig::from_pem_files(&certificate.0, &key.0).is_ok());
        assert!(error(Path::new("/nowhere.pem"), &key.0).starts_with("/nowhere.pem: "));
        assert!(error(&junk.0, &key.0).starts_with(junk.0.to_str().unwrap()));
        assert!(error(&key.0, &key.0).starts_with(key.0.to_str().unwrap()));
        assert!(error(&certificate.0, &certificate.0).starts_with(certificate.0.to_str().unwrap()));
        assert!(error(&certificate.0, &foreign.0).starts_with(foreign.0.to_str().unwrap()));
    }

    // spec: SEC-07
    #[test]
    fn the_private_key_does_not_show_in_debug_output() {
        let one = rcgen::generate_simple_self_signed([]).unwrap();
        let certificate = File::new("debug-cert.pem", &one.cert.pem());
        let key = File::new("debug-key.pem", &one.signing_key.serialize_pem());
        let config = TlsConfig::from_pem_files(&certificate.0, &key.0).unwrap();
        assert_eq!(format!("{config:?}"), "TlsConfig { .. }");
    }
}
