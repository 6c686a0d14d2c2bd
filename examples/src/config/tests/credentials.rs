//! How clients prove themselves.

use oauth_core::engine::client_auth::AssertionAudience;

use super::{GOOD, blamed, parse};

#[test]
fn a_client_may_prove_itself_by_every_method_that_there_is() {
    let client = |rest: &str| format!("[[clients]]\nclient_id = \"a\"\n{rest}\n");
    let method = |name: &str| format!("token_endpoint_auth_method = \"{name}\"\n");
    let key = r#"{ kty = "OKP", crv = "Ed25519", x = "sVrTBQAB94cfYG1EK-eSuwgn9S8hHPEx6jsC627IQvc", x5c = ["MAA="] }"#;
    let header = "[tls]\ncertificate_header = \"Client-Cert\"\n";
    let verified = format!("{header}proxy_verifies_certificates = true\n");
    let dn = "tls_client_auth_subject_dn = \"CN=a,O=Example\"";
    let long = "client_secret = \"a-secret-of-more-than-thirty-two-bytes\"";
    for (tls, name, rest) in [
        ("", "private_key_jwt", &*format!("jwks = {{ keys = [{key}] }}")),
        ("", "private_key_jwt", "jwks_uri = \"https://a.example/jwks\"\ntoken_endpoint_auth_signing_alg = \"ES256\""),
        ("", "client_secret_jwt", &format!("{long}\ntoken_endpoint_auth_signing_alg = \"HS256\"")),
        (header, "self_signed_tls_client_auth", &format!("jwks = {{ keys = [{key}] }}")),
        (&*verified, "tls_client_auth", dn),
        (&verified, "tls_client_auth", "tls_client_auth_san_email = \"a@example\""),
    ] {
        let config = parse(&format!("{GOOD}{tls}{}", client(&(method(name) + rest))));
        assert_eq!(config.clients[0].auth_method.as_str(), name);
        assert!(config.client_authentication.methods.contains(&config.clients[0].auth_method));
    }
    for (tls, name, rest, keys) in [
        ("", "private_key_jwt", "", "jwks"),
        ("", "private_key_jwt", &*format!("{long}\njwks = {{ keys = [{key}] }}"), "token_endpoint_auth_method"),
        ("", "client_secret_jwt", "client_secret = \"short\"", "client_secret"),
        (
            "",
            "client_secret_jwt",
            &format!("{long}\ntoken_endpoint_auth_signing_alg = \"none\""),
            "token_endpoint_auth_signing_alg",
        ),
        ("", "self_signed_tls_client_auth", &format!("jwks = {{ keys = [{key}] }}"), "token_endpoint_auth_method"),
        (header, "tls_client_auth", dn, "token_endpoint_auth_method"),
        (&*verified, "tls_client_auth", "", "tls_client_auth_subject_dn"),
        (
            &verified,
            "tls_client_auth",
            &format!("{dn}\ntls_client_auth_san_dns = \"a.example\""),
            "tls_client_auth_san_dns",
        ),
    ] {
        let text = format!("{GOOD}{tls}{}", client(&(method(name) + rest)));
        assert_eq!(blamed(&text), [format!("clients[0].{keys}")], "{name} {rest}");
    }
    let alone = format!("{GOOD}[tls]\nproxy_verifies_certificates = true\n");
    assert!(blamed(&alone).contains(&"tls.proxy_verifies_certificates".to_owned()));
}

#[test]
fn what_an_assertion_must_name_and_how_often_clients_may_fail() {
    let config = parse(GOOD).client_authentication;
    assert_eq!(config.assertion_audience, AssertionAudience::IssuerOrTokenEndpoint);
    assert_eq!(config.failures_per_minute, 30);
    let text =
        "[client_authentication]\nassertion_audience = \"issuer\"\n[limits]\nclient_auth_failures_per_minute = 0";
    let config = parse(&format!("{GOOD}{text}")).client_authentication;
    assert_eq!((config.assertion_audience, config.failures_per_minute), (AssertionAudience::Issuer, 0));
    let text = "[client_authentication]\nassertion_audience = \"token_endpoint\"\n[limits]\nclient_auth_failures_per_minute = -1";
    let keys = ["client_authentication.assertion_audience", "limits.client_auth_failures_per_minute"];
    assert_eq!(blamed(&format!("{GOOD}{text}")), keys);
}
