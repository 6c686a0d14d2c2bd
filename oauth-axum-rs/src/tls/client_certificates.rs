//! Certificates that clients show (RFC 8705).

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, UnixTime, pem::PemObject},
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};

use super::TlsError;

/// What is asked of clients: for
/// [`TlsConfig::client_certificates`](super::TlsConfig::client_certificates).
///
/// Whoever shows a certificate proves in the handshake that the private key is
/// theirs. Who made the certificate does not matter, nor until when it is good,
/// unless authorities are named: that is enough for tokens that are bound to one
/// (RFC 8705 section 3), which it has to be the same for, and for clients that have
/// registered the certificate itself (section 2.2). With authorities, what a
/// certificate says of its owner is believed (section 2.1): name those only that
/// vouch for your clients.
///
/// ```no_run
/// use oauth_axum_rs::{ClientCertificates, TlsConfig};
///
/// let certificates = ClientCertificates::required().verified_by("our-clients.pem");
/// let config = TlsConfig::from_pem_files("cert.pem", "key.pem")?.client_certificates(&certificates)?;
/// # drop(config);
/// # Ok::<_, oauth_axum_rs::TlsError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct ClientCertificates {
    required: bool,
    authorities: Option<PathBuf>,
}

impl ClientCertificates {
    /// A client may show one. Without, it is served as well.
    pub const fn optional() -> Self {
        Self { required: false, authorities: None }
    }

    /// A client that shows none is turned away in the handshake.
    pub const fn required() -> Self {
        Self { required: true, authorities: None }
    }

    /// Takes those only whose chain ends at one of the authorities in a PEM file,
    /// and which are good at the moment. Others are turned away in the handshake.
    pub fn verified_by(mut self, authorities: impl Into<PathBuf>) -> Self {
        self.authorities = Some(authorities.into());
        self
    }

    pub(super) const fn verifies_chains(&self) -> bool {
        self.authorities.is_some()
    }

    pub(super) fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        let chain = self.authorities.as_deref().map(|file| chain_verifier(file, provider)).transpose()?;
        let algorithms = provider.signature_verification_algorithms;
        Ok(Arc::new(Verifier { required: self.required, chain, algorithms }))
    }
}

fn chain_verifier(file: &Path, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let pem = fs::read(file).map_err(|source| TlsError::Read { path: file.into(), source })?;
    let wrong = || TlsError::Certificate(file.into());
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(&pem) {
        roots.add(root.map_err(|_| wrong())?).map_err(|_| wrong())?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(provider));
    // It fails without any root.
    builder.build().map_err(|_| wrong())
}

/// The chain is for somebody else to judge, or for nobody. The signature of the
/// handshake is verified always.
struct Verifier {
    required: bool,
    chain: Option<Arc<dyn ClientCertVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.as_deref().map_or(&[], ClientCertVerifier::root_hint_subjects)
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match &self.chain {
            Some(chain) => chain.verify_client_cert(certificate, intermediates, now),
            // RFC 8705 section 2.2: the chain is not validated.
            None => Ok(ClientCertVerified::assertion()),
        }
    }

    // RFC 8446 section 4.4.3, RFC 5246 section 7.4.8: the client proves that the
    // key is its own.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("required", &self.required).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
