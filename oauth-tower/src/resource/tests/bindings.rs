//! Tokens that are bound to a client certificate, or in ways nobody knows.

use oauth_core::mtls::ClientCertificate;

use super::*;
use crate::resource::{Dpop, Policy};

fn certificate(content: &[u8; 3]) -> ClientCertificate {
    ClientCertificate::from_der([&[0x30, 3][..], content].concat()).unwrap()
}

fn over(certificate: Option<ClientCertificate>, token: &str) -> Request<String> {
    let mut request = request(token);
    if let Some(certificate) = certificate {
        request.extensions_mut().insert(certificate);
    }
    request
}

// spec: RS-34
#[tokio::test]
async fn a_token_that_is_bound_to_a_certificate_passes_over_its_connection_alone() {
    let key = Key::es256();
    let (own, other) = (certificate(b"own"), certificate(b"oth"));
    let token = key.token(json!({ "cnf": { "x5t#S256": own.thumbprint() } }));
    let server = builder(fixed(&key)).mutual_tls().build().unwrap();
    assert!(server.metadata().tls_client_certificate_bound_access_tokens);
    // A miss, then hits.
    for (certificate, status) in [(Some(own.clone()), 200), (Some(other), 401), (None, 401), (Some(own.clone()), 200)] {
        let (response, served) = send(&server.layer(), over(certificate, &token)).await;
        assert_eq!((response.status().as_u16(), served), (status, status == 200));
        if !served {
            assert!(challenge(&response).contains(r#"error="invalid_token""#));
        }
    }
    let parts = over(Some(own.clone()), &token).into_parts().0;
    assert!(server.validate(&parts).await.is_ok());
    assert!(server.validate_headers(&parts.headers).await.is_err());
    // Where certificates do not count, it is no good.
    let (response, _) = send(&self::server(&key).layer(), over(Some(own), &token)).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

// spec: RS-35
#[tokio::test]
async fn a_token_that_is_bound_in_an_unknown_way_is_refused_whatever_is_served() {
    let key = Key::es256();
    let own = certificate(b"own");
    let server = builder(fixed(&key)).mutual_tls().dpop(Dpop::optional()).build().unwrap();
    let x5t = own.thumbprint();
    for cnf in [
        json!({}),
        json!({ "kid": "1" }),
        json!({ "x5t#S256": x5t, "kid": "1" }),
        json!({ "x5t#S256": x5t, "jkt": "1" }),
    ] {
        let token = key.token(json!({ "cnf": cnf }));
        let (response, served) = send(&server.layer(), over(Some(own.clone()), &token)).await;
        assert_eq!((response.status(), served), (StatusCode::UNAUTHORIZED, false), "{cnf}");
    }
}

#[tokio::test]
async fn a_certificate_or_a_key_is_what_a_policy_may_ask_a_token_to_be_bound_to() {
    let (key, own) = (Key::es256(), certificate(b"own"));
    let server = builder(fixed(&key)).mutual_tls().build().unwrap();
    let layer = server.layer().require(Policy::new().sender_constrained());
    let bound = key.token(json!({ "cnf": { "x5t#S256": own.thumbprint() } }));
    assert!(send(&layer, over(Some(own.clone()), &bound)).await.1);
    assert!(!send(&layer, over(Some(own), &key.good())).await.1, "not bound, whoever sends it");
}
