//! Tokens that are bound to a client's certificate (RFC 8705), and what proxies and liars say of clients.

use std::fmt::Write;

use axum::{Json, Router, extract::Request as AxumRequest, routing::get};
use bytes::Bytes;
use http::{Request, StatusCode, header::AUTHORIZATION};
use oauth_axum_rs::{
    ClientCertificates, Issuer, PeerExt, ResourceServer, TlsConfig, TlsListener, oauth_tower::proxy::ClientAddress,
};
use oauth_core::{
    clock::{Clock, SystemClock, SystemRandom},
    dpop::DpopKey,
    jwk::JwkDocument,
    jwt::{self, Algorithm},
    keys::SigningKey,
};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Answer, Authority, Owner, Program, Reference, Remote, WEB, plain_client, program};

const API: &str = "https://api.example";

/// An authorization server that issues whatever a test wants, and the authority of all servers in it.
struct Issuing {
    authority: Authority,
    key: SigningKey,
    url: String,
}

impl Issuing {
    async fn new() -> Self {
        let authority = Authority::new();
        let listener = TlsListener::new(TcpListener::bind("127.0.0.1:0").await.unwrap(), &tls(&authority));
        let port = axum::serve::Listener::local_addr(&listener).unwrap().port();
        let (url, key) = (format!("https://localhost:{port}"), SigningKey::generate(Algorithm::EdDSA).unwrap());
        let metadata = json!({
            "issuer": url,
            "jwks_uri": format!("{url}/jwks"),
            "token_endpoint": format!("{url}/token"),
            "response_types_supported": ["code"],
        });
        let keys = serde_json::to_value(JwkDocument::of([&key])).unwrap();
        let app = Router::new()
            .route("/.well-known/oauth-authorization-server", get(async move || Json(metadata)))
            .route("/jwks", get(async move || Json(keys)));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { authority, key, url }
    }

    /// A good token that is bound like this.
    fn token(&self, cnf: &Value) -> String {
        let now = SystemClock.now().0;
        let mut claims = json!({
            "iss": self.url, "aud": API, "sub": "ada", "client_id": "app", "jti": "1",
            "iat": now, "exp": now + 300, "scope": "albums:read",
        });
        if !cnf.is_null() {
            claims["cnf"] = cnf.clone();
        }
        jwt::sign(&self.key, "at+jwt", &claims).unwrap()
    }

    /// The program `resource-server`, which believes this issuer, and where it listens.
    fn resource_server(&self, options: &[&str]) -> (Program, String) {
        let mut command = program("resource-server");
        command.args(["--listen", "127.0.0.1:0", "--resource", API, "--issuer", &self.url]).args(options);
        command.arg("--ca").arg(self.authority.file("ca.pem"));
        let program = Program::start(command);
        let address = program.says("listening on ");
        (program, address)
    }

    /// The same with TLS.
    fn with_tls(&self, options: &[&str]) -> (Program, String) {
        let [certificate, key] = ["cert.pem", "key.pem"].map(|name| self.authority.file(name));
        let tls = ["--tls-certificate", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
        let (program, address) = self.resource_server(&[&tls[..], options].concat());
        (program, format!("https://{address}"))
    }

    /// A client that shows the certificate of `owner`.
    fn client(&self, owner: Option<&Owner>) -> Client {
        let builder = self.authority.client_builder();
        match owner {
            Some(owner) => builder.identity(owner.identity()),
            None => builder,
        }
        .build()
        .unwrap()
    }
}

fn tls(authority: &Authority) -> TlsConfig {
    TlsConfig::from_pem_files(authority.file("cert.pem"), authority.file("key.pem")).unwrap()
}

/// What `/api/whoami` answers to a token that comes with these headers.
async fn ask(client: &Client, url: &str, token: &str, headers: &[(&str, &str)]) -> Answer {
    let request = Request::get("/api/whoami").header(AUTHORIZATION, format!("Bearer {token}"));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    Remote::new(client.clone(), url).send(request.body(Bytes::new()).unwrap()).await
}

/// Whether it was taken; else it is 401 `invalid_token`, and nothing else (RFC 8705 section 3).
#[track_caller]
fn is_taken(answer: &Answer) -> bool {
    if answer.status == StatusCode::OK {
        return true;
    }
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer}");
    assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""), "{answer}");
    false
}

/// Whether a connection comes about.
async fn connects(client: &Client, url: &str) -> bool {
    let request = Request::get("/api/whoami").body(Bytes::new()).unwrap();
    Remote::new(client.clone(), url).try_send(request).await.is_ok()
}

// spec: RS-34
#[tokio::test]
async fn a_token_is_taken_with_the_certificate_it_is_bound_to_and_with_no_other() {
    let (issuing, owner, thief) = (Issuing::new().await, Owner::self_signed(), Owner::self_signed());
    let (_program, url) = issuing.with_tls(&["--client-certificates", "optional"]);
    let [with, with_other, without] = [Some(&owner), Some(&thief), None].map(|owner| issuing.client(owner));
    let (bound, free) = (issuing.token(&owner.cnf()), issuing.token(&Value::Null));
    // Twice: the verdict on the token is known by then, and the certificate is looked at all the same.
    for _ in 0..2 {
        let answer = ask(&with, &url, &bound, &[]).await;
        assert!(is_taken(&answer));
        assert_eq!(answer.member("cnf"), owner.cnf());
        for client in [&with_other, &without] {
            assert!(!is_taken(&ask(client, &url, &bound, &[]).await));
            // What it only writes is no certificate.
            assert!(!is_taken(&ask(client, &url, &bound, &[("client-cert", &owner.header())]).await));
        }
        for client in [&with, &with_other, &without] {
            assert!(is_taken(&ask(client, &url, &free, &[]).await));
        }
    }
}

#[tokio::test]
async fn where_a_certificate_is_required_nobody_else_connects() {
    let (issuing, owner) = (Issuing::new().await, Owner::self_signed());
    let (_program, url) = issuing.with_tls(&["--client-certificates", "required"]);
    assert!(is_taken(&ask(&issuing.client(Some(&owner)), &url, &issuing.token(&owner.cnf()), &[]).await));
    assert!(!connects(&issuing.client(None), &url).await);
}

#[tokio::test]
async fn with_an_authority_for_clients_a_self_signed_certificate_is_refused_by_the_handshake() {
    let issuing = Issuing::new().await;
    let ((owner, authority), stranger) = (Owner::vouched_for(), Owner::self_signed());
    let file = issuing.authority.file("clients.pem");
    std::fs::write(&file, authority).unwrap();
    let options = ["--client-certificates", "optional", "--client-ca", file.to_str().unwrap()];
    let (_program, url) = issuing.with_tls(&options);
    assert!(is_taken(&ask(&issuing.client(Some(&owner)), &url, &issuing.token(&owner.cnf()), &[]).await));
    assert!(!connects(&issuing.client(Some(&stranger)), &url).await);
    assert!(is_taken(&ask(&issuing.client(None), &url, &issuing.token(&Value::Null), &[]).await));
}

// spec: RS-34
#[tokio::test]
async fn a_proxy_that_is_listed_passes_on_one_certificate() {
    let (issuing, owner, other) = (Issuing::new().await, Owner::self_signed(), Owner::self_signed());
    let options = ["--trusted-proxy", "127.0.0.1/32", "--certificate-header", "Client-Cert"];
    let (_program, address) = issuing.resource_server(&options);
    let (url, bound) = (format!("http://{address}"), issuing.token(&owner.cnf()));
    let (own, others) = (owner.header(), other.header());
    let both = format!("{own}, {others}");
    for (headers, taken) in [
        (&[("client-cert", &*own)][..], true),
        (&[("client-cert", &*own), ("x-forwarded-proto", "https"), ("x-forwarded-for", "192.0.2.7")], true),
        (&[("client-cert", &*others)], false),
        (&[("client-cert", &*own), ("client-cert", &*own)], false),
        (&[("client-cert", &*own), ("client-cert", &*others)], false),
        (&[("client-cert", &*both)], false),
        (&[("client-cert", "::")], false),
        (&[("client-cert-chain", &*own)], false),
        (&[("x-client-cert", &*own)], false),
        (&[], false),
    ] {
        assert_eq!(is_taken(&ask(&plain_client(), &url, &bound, headers).await), taken, "{headers:?}");
    }
}

// spec: RS-34
// spec: SEC-03
#[tokio::test]
async fn from_an_address_that_is_not_listed_the_header_is_dropped() {
    let (issuing, owner, liar) = (Issuing::new().await, Owner::self_signed(), Owner::self_signed());
    let proxies = ["--trusted-proxy", "10.0.0.0/8", "--certificate-header", "X-Client-Cert"];
    let (_program, url) = issuing.with_tls(&[&proxies[..], &["--client-certificates", "optional"]].concat());
    let bound = issuing.token(&owner.cnf());
    let forwarded = "for=10.0.0.1;proto=https;host=api.example";
    for header in ["x-client-cert", "client-cert"] {
        let lies = [(header, &*owner.header()), ("forwarded", forwarded), ("x-forwarded-for", "10.0.0.1")];
        assert!(!is_taken(&ask(&issuing.client(None), &url, &bound, &lies).await));
        assert!(!is_taken(&ask(&issuing.client(Some(&liar)), &url, &bound, &lies).await));
        // Nor does it take the place of the certificate that was shown.
        let lies = [(header, &*liar.header()), ("forwarded", forwarded)];
        assert!(is_taken(&ask(&issuing.client(Some(&owner)), &url, &bound, &lies).await));
    }
}

// spec: RS-34
#[tokio::test]
async fn the_certificate_of_a_proxy_is_not_that_of_its_clients() {
    let (issuing, proxy, owner) = (Issuing::new().await, Owner::self_signed(), Owner::self_signed());
    let proxies = ["--trusted-proxy", "127.0.0.1/32", "--certificate-header", "Client-Cert"];
    let (_program, url) = issuing.with_tls(&[&proxies[..], &["--client-certificates", "required"]].concat());
    let client = issuing.client(Some(&proxy));
    assert!(is_taken(&ask(&client, &url, &issuing.token(&owner.cnf()), &[("client-cert", &owner.header())]).await));
    assert!(!is_taken(&ask(&client, &url, &issuing.token(&proxy.cnf()), &[]).await));
    assert!(!is_taken(&ask(&client, &url, &issuing.token(&proxy.cnf()), &[("client-cert", &owner.header())]).await));
}

// spec: SEC-02
#[tokio::test]
async fn a_bearer_token_in_the_clear_is_refused_unless_a_proxy_has_ended_tls() {
    let issuing = Issuing::new().await;
    let token = issuing.token(&Value::Null);
    for (proxies, says, status) in [
        ("10.0.0.0/8", &[][..], StatusCode::FORBIDDEN),
        ("10.0.0.0/8", &[("x-forwarded-proto", "https"), ("x-forwarded-for", "10.0.0.1")], StatusCode::FORBIDDEN),
        ("10.0.0.0/8", &[("forwarded", "for=10.0.0.1;proto=https")], StatusCode::FORBIDDEN),
        ("127.0.0.1", &[], StatusCode::OK),
        ("127.0.0.1", &[("x-forwarded-proto", "https")], StatusCode::OK),
        ("127.0.0.1", &[("x-forwarded-proto", "http")], StatusCode::FORBIDDEN),
        ("127.0.0.1", &[("forwarded", "for=192.0.2.7;proto=http")], StatusCode::FORBIDDEN),
        ("127.0.0.1", &[("forwarded", "for=\"192.0.2.7")], StatusCode::FORBIDDEN),
    ] {
        let (_program, address) = issuing.resource_server(&["--trusted-proxy", proxies]);
        let url = format!("http://{address}");
        let answer = ask(&plain_client(), &url, &token, says).await;
        assert_eq!(answer.status, status, "{proxies} {says:?} {answer}");
        if status == StatusCode::FORBIDDEN {
            // Nobody looks at the token.
            let bad = ask(&plain_client(), &url, "bad", says).await;
            assert_eq!((bad.status, bad.body.as_str(), bad.header("www-authenticate")), (status, "", ""));
            assert_eq!((answer.body.as_str(), answer.header("www-authenticate")), ("", ""));
        }
    }
}

/// What a client may say of itself.
const LIES: [(&str, &str); 5] = [
    ("forwarded", "for=127.0.0.1;host=evil.example;proto=http"),
    ("x-forwarded-host", "evil.example"),
    ("x-forwarded-proto", "http"),
    ("x-forwarded-prefix", "/evil"),
    ("x-forwarded-port", "1"),
];

fn with_lies(mut request: Request<Bytes>) -> Request<Bytes> {
    for (name, value) in LIES {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    request
}

// spec: SEC-03
#[tokio::test]
async fn what_a_proof_must_name_is_not_for_headers_to_say() {
    let issuing = Issuing::new().await;
    let (_program, url) = issuing.with_tls(&["--dpop", "required"]);
    let remote = Remote::new(issuing.client(None), &*url);
    let key = DpopKey::generate(Algorithm::ES256).unwrap();
    let token = issuing.token(&json!({ "jkt": key.jkt() }));
    for (target, status) in [
        ("https://evil.example/api/whoami", StatusCode::UNAUTHORIZED),
        ("http://evil.example/evil/api/whoami", StatusCode::UNAUTHORIZED),
        ("http://api.example/api/whoami", StatusCode::UNAUTHORIZED),
        ("https://api.example:1/api/whoami", StatusCode::UNAUTHORIZED),
        ("https://api.example/api/whoami", StatusCode::OK),
    ] {
        let proof = key.proof("GET", target, Some(&token), None, SystemClock.now(), &SystemRandom).unwrap();
        let request = Request::get("/api/whoami").header(AUTHORIZATION, format!("DPoP {token}")).header("dpop", proof);
        let answer = remote.send(with_lies(request.body(Bytes::new()).unwrap())).await;
        assert_eq!(answer.status, status, "{target} {answer}");
        assert!(!answer.to_string().contains("evil"), "{answer}");
    }
}

// spec: SEC-03
#[tokio::test]
async fn neither_metadata_nor_challenge_nor_redirect_says_what_a_liar_wants() {
    let reference = Reference::new();
    let _server = reference.start();
    let remote = Remote::new(reference.authority.client(), reference.issuer.as_str());
    let paths = [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-protected-resource",
        "/api/whoami",
        "/authorize?client_id=app&response_type=code&redirect_uri=x",
    ];
    for path in paths {
        let honest = remote.get(path).await;
        let request = with_lies(Request::get(path).body(Bytes::new()).unwrap());
        let answer = remote.send(request).await;
        let differing = |answer: &Answer| {
            let mut text = String::new();
            for name in ["www-authenticate", "location", "content-type"] {
                writeln!(text, "{}", answer.header(name)).unwrap();
            }
            (answer.status, text, answer.body.clone())
        };
        assert_eq!(differing(&answer), differing(&honest), "{path}");
        assert!(!answer.to_string().contains("evil"), "{answer}");
    }
}

#[tokio::test]
async fn the_authorization_server_asks_for_certificates_too() {
    let reference = Reference::new();
    let text = std::fs::read_to_string(reference.config()).unwrap();
    let asking = "private_key = \"key.pem\"\nclient_certificates = \"required\"\nclient_ca = \"clients.pem\"\n";
    std::fs::write(reference.config(), text.replace("private_key = \"key.pem\"\n", asking)).unwrap();
    let ((owner, authority), stranger) = (Owner::vouched_for(), Owner::self_signed());
    std::fs::write(reference.authority.file("clients.pem"), authority).unwrap();
    let _server = reference.start();
    let client = |owner: &Owner| reference.authority.client_builder().identity(owner.identity()).build().unwrap();

    let remote = Remote::new(client(&owner), reference.issuer.as_str());
    let issued = remote.token(WEB, &[("grant_type", "client_credentials")]).await.tokens();
    assert_eq!(remote.call("/api/whoami", &issued.access).await.status, StatusCode::OK);
    let metadata = remote.get("/.well-known/oauth-protected-resource").await;
    assert_eq!(metadata.member("tls_client_certificate_bound_access_tokens"), true);
    assert!(!connects(&client(&stranger), &reference.issuer).await);
    assert!(!connects(&reference.authority.client(), &reference.issuer).await);
}

// spec: RS-34
#[tokio::test]
async fn an_app_of_axum_knows_who_is_on_the_other_end() {
    let (issuing, owner) = (Issuing::new().await, Owner::self_signed());
    let keys = [&issuing.key].into_iter().collect();
    let api = ResourceServer::builder(API).issuer(Issuer::jwt(&*issuing.url).keys(keys)).mutual_tls().build().unwrap();
    let client = async |request: AxumRequest| ClientAddress::of(request.extensions()).unwrap().to_string();
    let app = Router::new().route("/api/whoami", get(client)).layer(api.layer());
    let tls = tls(&issuing.authority).client_certificates(&ClientCertificates::optional()).unwrap();
    let listener = TlsListener::new(TcpListener::bind("127.0.0.1:0").await.unwrap(), &tls);
    let url = format!("https://{}", axum::serve::Listener::local_addr(&listener).unwrap());
    tokio::spawn(async move { axum::serve(listener, app.into_make_service_with_peer()).await });

    let bound = issuing.token(&owner.cnf());
    let answer = ask(&issuing.client(Some(&owner)), &url, &bound, &[("x-forwarded-for", "192.0.2.7")]).await;
    assert!(is_taken(&answer) && answer.body == "127.0.0.1", "{answer}");
    assert!(!is_taken(&ask(&issuing.client(None), &url, &bound, &[("client-cert", &owner.header())]).await));
}

#[test]
fn options_that_contradict_each_other_are_named() {
    let authority = Authority::new();
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| authority.file(name));
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let tls = ["--tls-certificate", certificate, "--tls-key", key];
    let with_tls = |options: &[&'static str]| [&tls[..], options].concat();
    for (options, blamed) in [
        (vec![], "--tls-certificate"),
        (vec!["--development", "--client-certificates", "optional"], "--client-certificates"),
        (with_tls(&["--client-ca", "ca.pem"]), "--client-ca"),
        (with_tls(&["--client-certificates", "required", "--client-ca", "/nowhere.pem"]), "--client-ca"),
    ] {
        let mut command = program("resource-server");
        command.args(["--listen", "127.0.0.1:0", "--resource", API, "--issuer", "https://localhost:1"]).args(&options);
        let ended = Program::run(command);
        assert_eq!((ended.code, &*ended.stdout), (Some(2), ""), "{options:?} {ended:?}");
        assert!(ended.stderr.starts_with(&format!("{blamed}: ")), "{options:?} {ended:?}");
    }
}
