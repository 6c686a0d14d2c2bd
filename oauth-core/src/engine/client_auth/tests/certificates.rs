//! What a certificate says, and what counts of it (RFC 8705 section 2.1.2).

use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;

use super::super::{
    AuthFailure, NotProven,
    tls::{names, prove_subject},
};
use crate::{
    client::{AuthMethod, Client, TlsSubject},
    mtls::ClientCertificate,
};

/// `CN=App One,OU=Sales,O=Example\, Inc.,C=US`, with an alternative name of each kind.
const FULL: &str = "MIICHjCCAcOgAwIBAgIUWR3N7DRh7y/ZxLF47xAQqD1/8tEwCgYIKoZIzj0EAwIwRzELMAkGA1UEBhMCVVMxFjAUBgNVBAoMDUV4YW1wbGUs\
    IEluYy4xDjAMBgNVBAsMBVNhbGVzMRAwDgYDVQQDDAdBcHAgT25lMCAXDTI2MTEyMjE1MzYyMVoYDzIxMjYxMDI5MTUzNjIxWjBHMQswCQYD\
    VQQGEwJVUzEWMBQGA1UECgwNRXhhbXBsZSwgSW5jLjEOMAwGA1UECwwFU2FsZXMxEDAOBgNVBAMMB0FwcCBPbmUwWTATBgcqhkjOPQIBBggq\
    hkjOPQMBBwNCAARtSkH3pGrWtyEiseFTHEdbtfxtnkdzvb/R8JmSaEL6XcMpuAYHG/aBJA9od33XA1ti3CZLp/uy8arj5s3xPoyVo4GKMIGH\
    MGYGA1UdEQRfMF2CC2FwcC5leGFtcGxlgg4qLndpbGQuZXhhbXBsZYYUc3BpZmZlOi8vZXhhbXBsZS9hcHCHBMAAAgGHECABDbgAAAAAAAAA\
    AAAAAAGBEGFwcEBtYWlsLmV4YW1wbGUwHQYDVR0OBBYEFLQC7/AGd2VeDDcMvudwf6+3vjh1MAoGCCqGSM49BAMCA0kAMEYCIQDTAYU5vbkt\
    eoL8HQc+SFgc+tGoZRXIGvdbsCFYX7mQSAIhAO3x6MLR3HaP23vE+EoItBmCrDYep6rvBfkf7+k00F8G";

/// `CN=app.example`, without alternative names.
const NAMED: &str = "MIIBKDCBzwIUVyN8si8gxFRXlHlEIPjoBYRwzKAwCgYIKoZIzj0EAwIwFjEUMBIGA1UEAwwLYXBwLmV4YW1wbGUwIBcNMjYxMTIyMTUzNjIx\
    WhgPMjEyNjEwMjkxNTM2MjFaMBYxFDASBgNVBAMMC2FwcC5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEFzrZVhIVKhzanAvr\
    m3sTvjnhwJAtv0AoyaE+V2N2gB22SzGTCu+fclM2Vs+gGbcmdu/c+JJqts0zsLDmzt50vzAKBggqhkjOPQQDAgNIADBFAiAZbQXHfeSvaF5B\
    BbpuDXmmn97BxpmJZagf0Bg4+EAyzQIhAPKe/TwvWxcaw2wJ9NrbRtrT9Fc1/u4qeIfgZoN45RbC";

fn certificate(base64: &str) -> ClientCertificate {
    ClientCertificate::from_der(STANDARD.decode(base64).unwrap()).unwrap()
}

fn subject(member: &str, value: &str) -> TlsSubject {
    TlsSubject::parse(&format!("tls_client_auth_{member}"), value).unwrap().unwrap()
}

// spec: CAU-21
#[test]
fn the_subject_is_compared_part_by_part_and_alternative_names_as_what_they_are() {
    let certificate = certificate(FULL);
    for (member, value) in [
        ("subject_dn", r"CN=App One,OU=Sales,O=Example\, Inc.,C=US"),
        ("subject_dn", r"cn=app one, 2.5.4.11=#0c0553616c6573, o=Example\2C  Inc., c=us"),
        ("san_dns", "app.example"),
        ("san_dns", "APP.example"),
        ("san_uri", "spiffe://example/app"),
        ("san_ip", "192.0.2.1"),
        ("san_ip", "2001:db8::1"),
        ("san_ip", "2001:0DB8:0:0::0001"),
        ("san_email", "app@mail.example"),
    ] {
        assert!(names(&certificate, &subject(member, value)), "{member} {value}");
    }
    for (member, value) in [
        ("subject_dn", "CN=App One"),
        ("subject_dn", r"C=US,O=Example\, Inc.,OU=Sales,CN=App One"),
        ("subject_dn", r"CN=App One,OU=Sales,O=Example\, Inc."),
        ("subject_dn", r"CN=App One+OU=Sales,O=Example\, Inc.,C=US"),
        ("subject_dn", r"CN=App One\,OU\=Sales,O=Example\, Inc.,C=US"),
        ("subject_dn", r"CN=App One,OU=Sales,O=Example\, Inc.,C=US,C=US"),
        ("san_dns", "wild.example"),
        ("san_dns", "x.wild.example"),
        ("san_dns", "example"),
        ("san_dns", "app.example.evil.example"),
        ("san_uri", "spiffe://example/app/"),
        ("san_uri", "spiffe://example/APP"),
        ("san_uri", "app.example:x"),
        ("san_ip", "192.0.2.2"),
        ("san_ip", "::ffff:192.0.2.1"),
        ("san_email", "App@mail.example"),
        ("san_email", "x.app@mail.example"),
    ] {
        assert!(!names(&certificate, &subject(member, value)), "{member} {value}");
    }
}

// spec: CAU-21
#[test]
fn a_common_name_is_no_alternative_name() {
    let certificate = certificate(NAMED);
    assert!(names(&certificate, &subject("subject_dn", "CN=app.example")));
    assert!(!names(&certificate, &subject("san_dns", "app.example")));
}

// spec: CAU-21
#[test]
fn a_certificate_whose_chain_nobody_has_verified_proves_nothing() {
    let client = Client::builder("app").auth_method(AuthMethod::TlsClientAuth);
    let client = client.tls_subject(subject("subject_dn", "CN=app.example")).build().unwrap();
    let why = |shown: Option<&ClientCertificate>| match prove_subject(&client, shown) {
        Ok(()) => None,
        Err(NotProven::Because(why)) => Some(why),
        Err(NotProven::Fault(fault)) => panic!("{fault}"),
    };
    assert_eq!(why(Some(&certificate(NAMED).with_verified_chain())), None);
    assert_eq!(why(Some(&certificate(NAMED))), Some(AuthFailure::UnverifiedCertificate));
    assert_eq!(why(Some(&certificate(FULL).with_verified_chain())), Some(AuthFailure::WrongCertificate));
    assert_eq!(why(None), Some(AuthFailure::NoCertificate));
}

proptest! {
    #[test]
    fn a_damaged_certificate_is_read_without_a_panic(at in 0..500_usize, with in any::<u8>()) {
        let mut der = STANDARD.decode(FULL).unwrap();
        der[at] = with;
        if let Ok(certificate) = ClientCertificate::from_der(der) {
            names(&certificate, &subject("subject_dn", "CN=app"));
            names(&certificate, &subject("san_dns", "app.example"));
        }
    }
}
