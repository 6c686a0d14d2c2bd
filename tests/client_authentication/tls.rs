//! `tls_client_auth` and `self_signed_tls_client_auth` (RFC 8705 section 2), over TLS.

use std::fs;

use base64::{Engine, engine::general_purpose::STANDARD};
use oauth_axum_rs::{AuthorizationServerExt, ClientCertificates, PeerExt, TlsConfig, TlsListener};
use oauth_core::client::{AuthMethod, Client, ClientBuilder, ClientJwks, GrantType, TlsSubject};
use oauth_tower::proxy::{CLIENT_CERT, PeerAddress, ProxyLayer, TrustedProxies};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, SanType,
};
use reqwest::Identity;
use serde_json::json;
use tokio::net::TcpListener;
use tower::ServiceExt;

use super::assertion::{JWT_BEARER, why};
use crate::support::*;

const PARAMS: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("token", "x")];

/// A certificate with its key.
struct Shown {
    pem: String,
    der: Vec<u8>,
}

impl Shown {
    fn of(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        Self { pem: certificate.pem() + &key.serialize_pem(), der: certificate.der().to_vec() }
    }

    fn self_signed(params: &CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        Self::of(&params.self_signed(&key).unwrap(), &key)
    }

    /// A JWK Set with the certificate in it (RFC 8705 section 2.2.2).
    fn jwks(&self) -> ClientJwks {
        let key = json!({ "kty": "EC", "x5c": [STANDARD.encode(&self.der)] });
        ClientJwks::parse(json!({ "keys": [key] }).to_string().as_bytes()).unwrap()
    }

    /// RFC 9440 section 2.2.
    fn header(&self) -> String {
        format!(":{}:", STANDARD.encode(&self.der))
    }
}

/// `CN=app,O=Example` and alternative names of each kind.
fn app() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Example");
    params.distinguished_name.push(DnType::CommonName, "app");
    params.subject_alt_names = vec![
        SanType::DnsName("app.example".try_into().unwrap()),
        SanType::URI("spiffe://example/app".try_into().unwrap()),
        SanType::IpAddress("192.0.2.1".parse().unwrap()),
        SanType::Rfc822Name("app@mail.example".try_into().unwrap()),
    ];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

/// An authority that vouches for clients.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "An authority for clients");
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn issued(by: &CertifiedIssuer<'static, KeyPair>, params: &CertificateParams) -> Shown {
    let key = KeyPair::generate().unwrap();
    Shown::of(&params.signed_by(&key, by).unwrap(), &key)
}

fn by(method: AuthMethod, id: &str) -> ClientBuilder {
    Client::builder(id).auth_method(method).grant_type(GrantType::CLIENT_CREDENTIALS)
}

fn with_subject(id: &str, member: &str, value: &str) -> Client {
    let subject = TlsSubject::parse(&format!("tls_client_auth_{member}"), value).unwrap().unwrap();
    by(AuthMethod::TlsClientAuth, id).tls_subject(subject).build().unwrap()
}

fn with_certificate(id: &str, shown: &Shown) -> Client {
    by(AuthMethod::SelfSignedTlsClientAuth, id).jwks(shown.jwks()).build().unwrap()
}

/// An authorization server behind TLS that asks for certificates.
struct Site {
    authority: Authority,
    w: World,
    url: String,
}

impl Site {
    async fn new(clients: &[Client], vouching: Option<&CertifiedIssuer<'static, KeyPair>>) -> Self {
        let authority = Authority::new();
        let w = on_memory_with(|builder| {
            let builder = builder.client_authentication(|how| {
                how.offer(AuthMethod::TlsClientAuth);
                how.offer(AuthMethod::SelfSignedTlsClientAuth);
                how.failures_per_minute = 0;
            });
            clients.iter().cloned().fold(builder, oauth_core::server::AuthorizationServerBuilder::client)
        })
        .await;
        let mut asked = ClientCertificates::optional();
        if let Some(vouching) = vouching {
            fs::write(authority.file("clients.pem"), vouching.pem()).unwrap();
            asked = asked.verified_by(authority.file("clients.pem"));
        }
        let tls = TlsConfig::from_pem_files(authority.file("cert.pem"), authority.file("key.pem")).unwrap();
        let tls = tls.client_certificates(&asked).unwrap();
        let listener = TlsListener::new(TcpListener::bind("127.0.0.1:0").await.unwrap(), &tls);
        let port = axum::serve::Listener::local_addr(&listener).unwrap().port();
        let app = w.server.router();
        tokio::spawn(async move { axum::serve(listener, app.into_make_service_with_peer()).await });
        Self { authority, w, url: format!("https://localhost:{port}") }
    }

    /// Whoever shows this.
    fn client(&self, shown: Option<&Shown>) -> Remote {
        let builder = self.authority.client_builder();
        let builder = match shown {
            Some(shown) => builder.identity(Identity::from_pem(shown.pem.as_bytes()).unwrap()),
            None => builder,
        };
        Remote::new(builder.build().unwrap(), self.url.as_str())
    }

    async fn ask(&self, shown: Option<&Shown>, id: &'static str) -> Answer {
        self.client(shown).post("/token", Caller::Public(id), &PARAMS).await
    }
}

// spec: CAU-21, CAU-23
#[tokio::test]
async fn a_subject_that_was_registered_proves_the_client_if_its_chain_is_good() {
    let ca = authority();
    let clients = [
        with_subject("dn", "subject_dn", "cn=app, o=Example"),
        with_subject("dns", "san_dns", "app.example"),
        with_subject("uri", "san_uri", "spiffe://example/app"),
        with_subject("ip", "san_ip", "192.0.2.1"),
        with_subject("email", "san_email", "app@mail.example"),
        with_subject("other", "subject_dn", "CN=other,O=Example"),
        with_subject("reversed", "subject_dn", "O=Example,CN=app"),
        with_subject("parent", "san_dns", "example"),
    ];
    let site = Site::new(&clients, Some(&ca)).await;
    let shown = issued(&ca, &app());
    for id in ["dn", "dns", "uri", "ip", "email"] {
        for endpoint in super::ENDPOINTS {
            let answer = site.client(Some(&shown)).post(endpoint, Caller::Public(id), &PARAMS).await;
            assert_eq!(answer.status, 200, "{id} {endpoint} {answer} {:?}", site.w.events.all().last());
        }
        site.ask(None, id).await.is_refused(401, "invalid_client");
        assert_eq!(why(&site.w), "NoCertificate");
    }
    for id in ["other", "reversed", "parent"] {
        site.ask(Some(&shown), id).await.is_refused(401, "invalid_client");
        assert_eq!(why(&site.w), "WrongCertificate", "{id}");
    }
    let nobodys = issued(&ca, &CertificateParams::default());
    for id in ["dn", "dns", "uri", "ip", "email"] {
        site.ask(Some(&nobodys), id).await.is_refused(401, "invalid_client");
    }
    // The right names from nobody: the handshake ends it.
    let forged = Shown::self_signed(&app());
    let request = post("/token", Caller::Public("dn"), &PARAMS);
    assert!(site.client(Some(&forged)).try_send(request).await.is_err());
    let strangers = issued(&authority(), &app());
    let request = post("/token", Caller::Public("dn"), &PARAMS);
    assert!(site.client(Some(&strangers)).try_send(request).await.is_err());
}

// spec: CAU-21
#[tokio::test]
async fn where_any_certificate_is_taken_no_subject_proves_anything() {
    let ca = authority();
    let site = Site::new(&[with_subject("dn", "subject_dn", "CN=app,O=Example")], None).await;
    for shown in [Shown::self_signed(&app()), issued(&ca, &app())] {
        site.ask(Some(&shown), "dn").await.is_refused(401, "invalid_client");
        assert_eq!(why(&site.w), "UnverifiedCertificate");
    }
}

// spec: CAU-22, CAU-23
#[tokio::test]
async fn a_certificate_that_was_registered_proves_the_client_and_no_other_does() {
    let mut ended = app();
    ended.not_after = rcgen::date_time_ymd(2001, 1, 1);
    let (own, ended, ca) = (Shown::self_signed(&app()), Shown::self_signed(&ended), authority());
    let site = Site::new(&[with_certificate("own", &own), with_certificate("ended", &ended)], None).await;
    for endpoint in super::ENDPOINTS {
        for (shown, id) in [(&own, "own"), (&ended, "ended")] {
            let answer = site.client(Some(shown)).post(endpoint, Caller::Public(id), &PARAMS).await;
            assert_eq!(answer.status, 200, "{answer} {:?}", site.w.events.all().last());
        }
    }
    // Another with the same names, from wherever; or somebody else's.
    for (shown, id) in
        [(&Shown::self_signed(&app()), "own"), (&issued(&ca, &app()), "own"), (&ended, "own"), (&own, "ended")]
    {
        site.ask(Some(shown), id).await.is_refused(401, "invalid_client");
        assert_eq!(why(&site.w), "WrongCertificate");
    }
    site.ask(None, "own").await.is_refused(401, "invalid_client");
    assert_eq!(why(&site.w), "NoCertificate");
}

// spec: CAU-07, CAU-08, CAU-10, CAU-23
#[tokio::test]
async fn the_request_names_the_client_and_sends_nothing_else() {
    let (own, other) = (Shown::self_signed(&app()), Shown::self_signed(&app()));
    let site = Site::new(&[with_certificate("own", &own), with_certificate("other", &other)], None).await;
    let client = site.client(Some(&own));
    // Whose certificate it is does not name anybody.
    client.post("/token", Caller::Nobody, &PARAMS).await.is_refused(401, "invalid_client");
    client.post("/token", Caller::Nobody, &[PARAMS[0], ("client_id", "")]).await.is_refused(401, "invalid_client");
    for caller in [Caller::Basic("own", "x"), Caller::Basic("own", ""), Caller::Post("own", "x")] {
        client.post("/token", caller, &PARAMS).await.is_refused(401, "invalid_client");
        assert_eq!(why(&site.w), "OtherMethod");
    }
    let assertion = [PARAMS[0], ("client_assertion_type", JWT_BEARER), ("client_assertion", "a.b.c")];
    client.post("/token", Caller::Public("own"), &assertion).await.is_refused(401, "invalid_client");
    // A client that does not exist, and one whose certificate is another.
    let unknown = client.post("/token", Caller::Public("who"), &PARAMS).await;
    let wrong = client.post("/token", Caller::Public("other"), &PARAMS).await;
    unknown.is_refused(401, "invalid_client");
    assert_eq!((unknown.status, &unknown.body), (wrong.status, &wrong.body));
    // A certificate is no reason to refuse those who prove themselves otherwise.
    assert_eq!(client.post("/token", WEB, &PARAMS).await.status, 200);
    assert_eq!(client.post("/revoke", APP, &PARAMS).await.status, 200);
    assert_eq!(site.client(Some(&own)).post("/token", Caller::Public("own"), &PARAMS).await.status, 200);
}

/// `[[clients]]` of the program.
fn sections(own: &Shown) -> String {
    let x5c = STANDARD.encode(&own.der);
    format!(
        "[[clients]]\nclient_id = \"own\"\ntoken_endpoint_auth_method = \"self_signed_tls_client_auth\"\n\
         grant_types = [\"client_credentials\"]\njwks = {{ keys = [{{ kty = \"EC\", x5c = [\"{x5c}\"] }}] }}\n"
    )
}

const BY_SUBJECT: &str = "[[clients]]\nclient_id = \"dn\"\ntoken_endpoint_auth_method = \"tls_client_auth\"\n\
    grant_types = [\"client_credentials\"]\ntls_client_auth_subject_dn = \"CN=app,O=Example\"\n";

// spec: CAU-21, CAU-22, CAU-23
#[tokio::test]
async fn the_program_takes_certificates_from_tls_and_from_no_header() {
    let (ca, thief) = (authority(), issued(&authority(), &app()));
    let own = issued(&ca, &app());
    let reference = Reference::with(&format!("{}{BY_SUBJECT}", sections(&own)));
    let text = fs::read_to_string(reference.config()).unwrap();
    let asking = "private_key = \"key.pem\"\nclient_certificates = \"optional\"\nclient_ca = \"clients.pem\"\n\
                  certificate_header = \"Client-Cert\"\n";
    fs::write(reference.config(), text.replace("private_key = \"key.pem\"\n", asking)).unwrap();
    fs::write(reference.authority.file("clients.pem"), ca.pem()).unwrap();
    let _program = reference.start();
    let builder = || reference.authority.client_builder();
    let with = builder().identity(Identity::from_pem(own.pem.as_bytes()).unwrap()).build().unwrap();
    let (with, without) =
        (Remote::new(with, &*reference.issuer), Remote::new(builder().build().unwrap(), &*reference.issuer));
    let methods =
        with.get("/.well-known/oauth-authorization-server").await.member("token_endpoint_auth_methods_supported");
    for id in ["own", "dn"] {
        assert_eq!(with.post("/token", Caller::Public(id), &PARAMS).await.status, 200, "{id}");
        for lie in [&own, &thief] {
            // From anybody, it is dropped; and it takes nothing from who has shown one.
            let mut request = post("/token", Caller::Public(id), &PARAMS);
            request.headers_mut().insert("client-cert", lie.header().parse().unwrap());
            without.send(request).await.is_refused(401, "invalid_client");
            let mut request = post("/token", Caller::Public(id), &PARAMS);
            request.headers_mut().insert("client-cert", lie.header().parse().unwrap());
            assert_eq!(with.send(request).await.status, 200);
        }
    }
    for method in ["tls_client_auth", "self_signed_tls_client_auth"] {
        assert!(methods.as_array().unwrap().contains(&method.into()));
    }
}

// spec: CAU-23
#[tokio::test]
async fn the_program_believes_a_proxy_that_is_listed_and_its_chains_only_if_told_so() {
    let own = Shown::self_signed(&app());
    for (proxy, verifies, good) in
        [("127.0.0.1/32", true, &["own", "dn"][..]), ("127.0.0.1/32", false, &["own"]), ("10.0.0.0/8", true, &[])]
    {
        let by_subject = if verifies { BY_SUBJECT } else { "" };
        let tls = format!("[tls]\ncertificate_header = \"Client-Cert\"\nproxy_verifies_certificates = {verifies}\n");
        let reference = Reference::behind(proxy);
        let text = fs::read_to_string(reference.config()).unwrap();
        fs::write(reference.config(), format!("{text}{tls}{}{by_subject}", sections(&own))).unwrap();
        let _program = reference.started_by(reference.command());
        let remote = Remote::new(plain_client(), format!("http://127.0.0.1:{}", reference.port));
        for id in ["own", "dn"] {
            let mut request = post("/token", Caller::Public(id), &PARAMS);
            request.headers_mut().insert("client-cert", own.header().parse().unwrap());
            request.headers_mut().insert("x-forwarded-proto", "https".parse().unwrap());
            let answer = remote.send(request).await;
            assert_eq!(answer.status == 200, good.contains(&id), "{proxy} {verifies} {id} {answer}");
            // Two are none.
            let mut request = post("/token", Caller::Public(id), &PARAMS);
            request.headers_mut().append("client-cert", own.header().parse().unwrap());
            request.headers_mut().append("client-cert", own.header().parse().unwrap());
            assert_ne!(remote.send(request).await.status, 200);
        }
    }
}

// spec: CAU-21, CAU-23
#[tokio::test]
async fn what_a_certificate_in_a_header_says_of_its_owner_is_believed_if_the_proxy_verifies_chains() {
    let (shown, site) =
        (Shown::self_signed(&app()), Site::new(&[with_subject("dn", "san_dns", "app.example")], None).await);
    let proxies: TrustedProxies = ["127.0.0.1".parse().unwrap()].into_iter().collect();
    let believed = ProxyLayer::new(proxies).certificate_header(CLIENT_CERT);
    for (layer, status) in [(believed.clone(), 401), (believed.verifies_certificates(), 200)] {
        let app = site.w.server.router().layer(layer);
        let mut request = post("/token", Caller::Public("dn"), &PARAMS);
        request.headers_mut().insert("client-cert", shown.header().parse().unwrap());
        request.extensions_mut().insert(PeerAddress(([127, 0, 0, 1], 50_000).into()));
        let answer = app.oneshot(request.map(axum::body::Body::from)).await.unwrap();
        assert_eq!(answer.status(), status);
    }
    assert_eq!(why(&site.w), "UnverifiedCertificate");
}

// spec: CAU-21
#[test]
fn a_file_that_registers_two_subjects_or_none_is_refused_by_the_member() {
    let none = BY_SUBJECT.replace("tls_client_auth_subject_dn = \"CN=app,O=Example\"\n", "");
    let two = format!("{BY_SUBJECT}tls_client_auth_san_dns = \"app.example\"\n");
    for (section, member) in [(none, "tls_client_auth_subject_dn"), (two, "tls_client_auth_san_dns")] {
        let reference = Reference::behind("127.0.0.1/32");
        let tls = "[tls]\ncertificate_header = \"Client-Cert\"\nproxy_verifies_certificates = true\n";
        let text = fs::read_to_string(reference.config()).unwrap();
        fs::write(reference.config(), format!("{text}{tls}{section}")).unwrap();
        let ended = Program::run(reference.command());
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(&format!("clients[3].{member}: ")), "{ended:?}");
    }
}
