//! `Client-Cert`: one byte sequence, one certificate, one thumbprint.
#![no_main]

use base64::{Engine, engine::general_purpose::STANDARD};
use libfuzzer_sys::fuzz_target;
use oauth_core::{claims::Confirmation, mtls::ClientCertificate};

fuzz_target!(|data: &[u8]| {
    let direct = ClientCertificate::from_der(data.to_vec());
    let wrapped = ClientCertificate::from_client_cert_header(&format!(":{}:", STANDARD.encode(data)));
    assert_eq!(direct, wrapped);
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(certificate) = ClientCertificate::from_client_cert_header(text) else { return };
    let der = certificate.as_der();
    assert!(der.first() == Some(&0x30) && der.len() <= ClientCertificate::MAX_BYTES);
    assert!(text.trim_matches(' ').starts_with(':') && text.trim_matches(' ').ends_with(':'));
    assert_eq!(ClientCertificate::from_der(der.to_vec()).as_ref(), Ok(&certificate));
    assert!(certificate.is_bound_to(&Confirmation::certificate(certificate.thumbprint())));
    assert!(!certificate.is_bound_to(&Confirmation::certificate(text)) || text == certificate.thumbprint());
});
