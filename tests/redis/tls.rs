//! TLS between the store and its server.

use std::fs;

use oauth_core::store::Store;

use super::faults::is_unavailable;
use crate::support::*;

/// A server that speaks nothing but TLS, and whose clients need a certificate if `mutual`.
fn server(authority: &Authority, mutual: bool) -> (Redis, String) {
    let (port, file) = (free_port(), |name: &str| authority.file(name).display().to_string());
    let settings = format!(
        "tls-port {port}\ntls-cert-file {}\ntls-key-file {}\ntls-ca-cert-file {}\ntls-auth-clients {}",
        file("cert.pem"),
        file("key.pem"),
        file("ca.pem"),
        if mutual { "yes" } else { "no" },
    );
    (Redis::start(&settings), format!("rediss://:{REDIS_PASSWORD}@127.0.0.1:{port}"))
}

#[tokio::test]
async fn a_server_is_who_the_authority_says() {
    let authority = Authority::new();
    let (_server, url) = server(&authority, false);
    let roots = fs::read(authority.file("ca.pem")).unwrap();
    let store = patient_redis([&url]).root_certificates(roots).build().await.unwrap();
    store.check().await.unwrap();
    // Nobody knows the authority, or another one is trusted.
    assert!(is_unavailable(&patient_redis([&url]).build().await));
    let other = fs::read(Authority::new().file("ca.pem")).unwrap();
    assert!(is_unavailable(&patient_redis([&url]).root_certificates(other).build().await));
}

#[tokio::test]
async fn a_client_shows_its_certificate_where_it_is_asked_for() {
    let authority = Authority::new();
    let (_server, url) = server(&authority, true);
    let read = |name: &str| fs::read(authority.file(name)).unwrap();
    let known = || patient_redis([&url]).root_certificates(read("ca.pem"));
    assert!(is_unavailable(&known().build().await));
    let key = String::from_utf8(read("key.pem")).unwrap();
    known().client_certificate(read("cert.pem"), key).build().await.unwrap().check().await.unwrap();
}
