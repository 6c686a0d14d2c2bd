use std::{fs, io, net::SocketAddr, path::PathBuf, sync::Arc};

use axum::{Extension, Router, routing::get};
use oauth_core::mtls::ClientCertificate;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType, IsCa, KeyPair};
use rustls::{
    ClientConfig, HandshakeKind, RootCertStore, SignatureScheme, SupportedProtocolVersion,
    client::ResolvesClientCert,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::*;
use crate::{PeerExt, TlsConfig, TlsListener};

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// Says which certificate a request came with.
struct Site {
    address: SocketAddr,
    own: CertificateDer<'static>,
}

/// What a client shows: some certificate, and some key.
#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// A file that is gone at the end of the test.
struct File(PathBuf);

impl File {
    fn new(content: &str) -> Self {
        static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("oauth-axum-rs-clients-{}-{number}.pem", std::process::id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

impl Site {
    async fn new(certificates: Option<ClientCertificates>) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (certificate, key) = (File::new(&made.cert.pem()), File::new(&made.signing_key.serialize_pem()));
        let mut config = TlsConfig::from_pem_files(&certificate.0, &key.0).unwrap();
        if let Some(certificates) = certificates {
            config = config.client_certificates(&certificates).unwrap();
        }
        let listener = TlsListener::new(TcpListener::bind("127.0.0.1:0").await.unwrap(), &config);
        let address = axum::serve::Listener::local_addr(&listener).unwrap();
        let shown = async |certificate: Option<Extension<ClientCertificate>>| {
            certificate.map_or("none".to_owned(), |Extension(certificate)| certificate.thumbprint().to_owned())
        };
        let app = Router::new().route("/", get(shown)).into_make_service_with_peer();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, own: made.cert.der().clone() }
    }

    fn client(&self, version: &'static SupportedProtocolVersion, shown: Option<Shown>) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.own.clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_protocol_versions(&[version]).unwrap().with_root_certificates(roots);
        Arc::new(match shown {
            Some(shown) => builder.with_client_cert_resolver(Arc::new(shown)),
            None => builder.with_no_client_auth(),
        })
    }

    async fn connect(&self, config: &Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::clone(config)).connect(name, stream).await
    }

    /// The certificate that the service saw; an error if the connection fails.
    async fn ask(&self, config: &Arc<ClientConfig>) -> io::Result<String> {
        let mut stream = self.connect(config).await?;
        let lie = "client-cert: :MAA=:\r\nx-forwarded-client-cert: :MAA=:";
        stream.write_all(format!("GET / HTTP/1.1\r\nhost: a\r\n{lie}\r\nconnection: close\r\n\r\n").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        Ok(answer.rsplit("\r\n").next().unwrap().to_owned())
    }

    /// For both versions of TLS; `None` for a connection that fails.
    async fn sees(&self, shown: impl Fn() -> Option<Shown>) -> [Option<String>; 2] {
        let [old, new] = VERSIONS.map(|version| self.client(version, shown()));
        [self.ask(&old).await.ok(), self.ask(&new).await.ok()]
    }
}

fn shown(certificate: &CertificateDer<'static>, key: &KeyPair) -> Shown {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let key = aws_lc_rs::sign::any_supported_type(&key).unwrap();
    Shown(Arc::new(CertifiedKey::new(vec![certificate.clone()], key)))
}

fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> (CertificateDer<'static>, KeyPair) {
    let (mut params, key) = (CertificateParams::default(), KeyPair::generate().unwrap());
    change(&mut params);
    (params.self_signed(&key).unwrap().der().clone(), key)
}

fn thumbprint(certificate: &CertificateDer<'_>) -> String {
    ClientCertificate::from_der(certificate.as_ref()).unwrap().thumbprint().to_owned()
}

fn both(seen: &str) -> [Option<String>; 2] {
    [Some(seen.to_owned()), Some(seen.to_owned())]
}

const REFUSED: [Option<String>; 2] = [None, None];

// spec: RS-34
#[tokio::test]
async fn without_authorities_any_certificate_reaches_the_service() {
    let (certificate, key) = self_signed(|_| {});
    let (expired, expired_key) = self_signed(|params| params.not_after = rcgen::date_time_ymd(2001, 1, 1));
    for certificates in [ClientCertificates::optional(), ClientCertificates::required()] {
        let site = Site::new(Some(certificates)).await;
        assert_eq!(site.sees(|| Some(shown(&certificate, &key))).await, both(&thumbprint(&certificate)));
        assert_eq!(site.sees(|| Some(shown(&expired, &expired_key))).await, both(&thumbprint(&expired)));
    }
}

// spec: RS-34
#[tokio::test]
async fn whoever_shows_a_certificate_has_its_key() {
    let (certificate, _) = self_signed(|_| {});
    let (_, other_key) = self_signed(|_| {});
    let site = Site::new(Some(ClientCertificates::optional())).await;
    assert_eq!(site.sees(|| Some(shown(&certificate, &other_key))).await, REFUSED);
    assert_eq!(site.sees(|| None).await, both("none"));
}

#[tokio::test]
async fn a_certificate_may_be_asked_for_or_required_or_not_asked_for() {
    let (certificate, key) = self_signed(|_| {});
    let optional = Site::new(Some(ClientCertificates::optional())).await;
    assert_eq!(optional.sees(|| None).await, both("none"));
    let required = Site::new(Some(ClientCertificates::required())).await;
    assert_eq!(required.sees(|| None).await, REFUSED);
    let off = Site::new(None).await;
    assert_eq!(off.sees(|| Some(shown(&certificate, &key))).await, both("none"));
}

#[tokio::test]
async fn an_authority_vouches_for_its_own_and_nobody_else_gets_in() {
    let authority = |name| {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let (ours, theirs) = (authority("ours"), authority("theirs"));
    let file = File::new(&ours.pem());
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::default();
    let certificate = params.signed_by(&key, &ours).unwrap().der().clone();
    let foreign = params.signed_by(&key, &theirs).unwrap().der().clone();
    let own = params.self_signed(&key).unwrap().der().clone();
    let mut expired = CertificateParams::default();
    expired.not_after = rcgen::date_time_ymd(2001, 1, 1);
    let expired = expired.signed_by(&key, &ours).unwrap().der().clone();
    for certificates in [ClientCertificates::optional(), ClientCertificates::required()] {
        let site = Site::new(Some(certificates.verified_by(&file.0))).await;
        assert_eq!(site.sees(|| Some(shown(&certificate, &key))).await, both(&thumbprint(&certificate)));
        for bad in [&foreign, &own, &expired] {
            assert_eq!(site.sees(|| Some(shown(bad, &key))).await, REFUSED);
        }
        let other_key = KeyPair::generate().unwrap();
        assert_eq!(site.sees(|| Some(shown(&certificate, &other_key))).await, REFUSED);
    }
}

#[tokio::test]
async fn a_session_that_goes_on_has_the_certificate_it_began_with() {
    let (certificate, key) = self_signed(|_| {});
    let site = Site::new(Some(ClientCertificates::required())).await;
    for version in VERSIONS {
        let config = site.client(version, Some(shown(&certificate, &key)));
        for _ in 0..3 {
            assert_eq!(site.ask(&config).await.unwrap(), thumbprint(&certificate));
        }
        let kind = site.connect(&config).await.unwrap().get_ref().1.handshake_kind();
        assert_eq!(kind, Some(HandshakeKind::Resumed), "{version:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_too_large_to_be_told_of_is_not_taken_for_none() {
    let large = |params: &mut CertificateParams| {
        let extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999, 1], vec![0; 17 * 1024]);
        params.custom_extensions.push(extension);
    };
    let (certificate, key) = self_signed(large);
    let site = Site::new(Some(ClientCertificates::optional())).await;
    assert_eq!(site.sees(|| Some(shown(&certificate, &key))).await, REFUSED);
}

#[test]
fn an_authority_that_cannot_be_used_is_named_by_its_file() {
    let made = rcgen::generate_simple_self_signed([]).unwrap();
    let (certificate, key) = (File::new(&made.cert.pem()), File::new(&made.signing_key.serialize_pem()));
    let config = TlsConfig::from_pem_files(&certificate.0, &key.0).unwrap();
    let broken = File::new("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    for file in [&key.0, &broken.0, &PathBuf::from("/nowhere.pem")] {
        let certificates = ClientCertificates::required().verified_by(file);
        let error = config.clone().client_certificates(&certificates).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: ", file.display())), "{error}");
    }
    assert!(config.client_certificates(&ClientCertificates::optional().verified_by(&certificate.0)).is_ok());
}
