//! The TLS listener, and who meets it: other implementations, old ones, slow ones and lost ones.

use std::process::Command;

use axum::{Router, routing::get};
use oauth_axum_rs::{TlsConfig, TlsListener};
use reqwest::tls::Version;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::support::{ALBUMS, Authority, Program, Reference, Remote, program};

/// Says hello, behind TLS.
struct Site {
    authority: Authority,
    address: String,
}

impl Site {
    async fn new() -> Self {
        let authority = Authority::new();
        let tls = TlsConfig::from_pem_files(authority.file("cert.pem"), authority.file("key.pem")).unwrap();
        let listener = TlsListener::new(TcpListener::bind("127.0.0.1:0").await.unwrap(), &tls);
        let address = axum::serve::Listener::local_addr(&listener).unwrap().to_string();
        let app = Router::new().route("/", get(async || "hello"));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { authority, address }
    }

    /// A connection below TLS.
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).await.unwrap()
    }

    /// That somebody who connects now is served.
    async fn serves(&self) {
        let site = Remote::new(self.authority.client(), format!("https://{}", self.address));
        assert_eq!(site.get("/").await.body, "hello");
    }

    /// What comes back when `bytes` are sent, up to the end of the connection.
    async fn answer(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        // It may be reset instead of closed.
        drop(stream.read_to_end(&mut answer).await);
        answer
    }
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken() {
    let site = Site::new().await;
    for version in [Version::TLS_1_2, Version::TLS_1_3] {
        let client = site.authority.client_builder().tls_version_min(version).tls_version_max(version).build().unwrap();
        let answer = Remote::new(client, format!("https://{}", site.address)).get("/").await;
        assert_eq!(answer.body, "hello", "{version:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_which_has_another_implementation_of_tls_is_served() {
    let site = Site::new().await;
    for version in ["1.2", "1.3"] {
        let curl = Command::new("curl")
            .args(["-sS", &format!("--tlsv{version}"), "--tls-max", version, "--cacert"])
            .arg(site.authority.file("ca.pem"))
            .args([&format!("https://{}/", site.address), "-w", " %{http_code} %{ssl_verify_result}"])
            .output()
            .expect("curl is lacking: ./tests/run --install");
        assert_eq!(String::from_utf8_lossy(&curl.stdout), "hello 200 0", "{version}: {curl:?}");
    }
}

#[tokio::test]
async fn a_client_without_the_authority_does_not_talk_to_it() {
    let (site, other) = (Site::new().await, Authority::new());
    let client = Remote::new(other.client(), format!("https://{}", site.address));
    let request = http::Request::get("/").body(bytes::Bytes::new()).unwrap();
    assert!(client.try_send(request).await.err().unwrap().is_connect());
    site.serves().await;
}

// spec: SEC-01
#[tokio::test]
async fn tls_1_1_is_answered_with_an_alert_and_others_are_served_meanwhile() {
    let site = Site::new().await;
    let suites = [0xc0, 0x13, 0xc0, 0x14, 0x00, 0x2f];
    let body = [&[3, 2][..], &[7; 32], &[0], &[0, 6], &suites, &[1, 0]].concat();
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap();
    let hello = [&[1, 0, 0, length(&body)], &body[..]].concat();
    let record = [&[22, 3, 1, 0, length(&hello)], &hello[..]].concat();
    let answer = site.answer(&record).await;
    // RFC 8446 section 6: a fatal alert, and nothing else.
    assert_eq!((answer[0], answer[5], answer.len()), (21, 2, 7), "{answer:?}");
    site.serves().await;
}

#[tokio::test]
async fn plain_http_gets_no_http_back_and_others_are_served_meanwhile() {
    let site = Site::new().await;
    let answer = site.answer(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP"), "{answer:?}");
    site.serves().await;
}

#[tokio::test]
async fn whoever_connects_and_says_nothing_keeps_nobody_waiting() {
    let site = Site::new().await;
    let mut silent = Vec::new();
    for _ in 0..10 {
        silent.push(site.connect().await);
    }
    // Some of them begin.
    for stream in &mut silent[..5] {
        stream.write_all(&[22, 3, 1]).await.unwrap();
    }
    for _ in 0..5 {
        site.serves().await;
    }
    // None of them was sent away for that: they are still within their time.
    for stream in &silent {
        let would_block = stream.try_read(&mut [0; 1]).unwrap_err();
        assert_eq!(would_block.kind(), std::io::ErrorKind::WouldBlock);
    }
}

#[tokio::test]
async fn whoever_leaves_in_the_middle_of_the_handshake_disturbs_nobody() {
    let site = Site::new().await;
    for _ in 0..20 {
        let mut stream = site.connect().await;
        stream.write_all(&[22, 3, 1, 0, 200, 1]).await.unwrap();
        drop(stream);
        site.serves().await;
    }
}

#[test]
fn a_key_of_another_certificate_or_none_is_an_error_that_names_its_file() {
    let reference = Reference::new();
    let config = std::fs::read_to_string(reference.config()).unwrap();
    for (file, arguments) in
        [("foreign.pem", &["--check"][..]), ("foreign.pem", &[]), ("cert.pem", &[]), ("none.pem", &[])]
    {
        let text = config.replace("private_key = \"key.pem\"", &format!("private_key = \"{file}\""));
        std::fs::write(reference.config(), text).unwrap();
        let mut command = reference.command();
        command.args(arguments);
        let ended = Program::run(command);
        assert_eq!((ended.code, &*ended.stdout), (Some(2), ""), "{ended:?}");
        let path = reference.authority.file(file);
        assert!(ended.stderr.starts_with(&format!("tls.private_key: {}: ", path.display())), "{ended:?}");
    }
}

#[test]
fn resource_server_names_the_key_that_does_not_fit() {
    let authority = Authority::new();
    let mut command = program("resource-server");
    command.args(["--listen", "127.0.0.1:0", "--resource", ALBUMS, "--issuer", "https://localhost:1"]);
    command.arg("--tls-certificate").arg(authority.file("cert.pem"));
    command.arg("--tls-key").arg(authority.file("foreign.pem"));
    let ended = Program::run(command);
    assert_eq!((ended.code, &*ended.stdout), (Some(2), ""), "{ended:?}");
    assert!(ended.stderr.contains("foreign.pem"), "{ended:?}");
}
