//! Keys, sealed secrets and certificates.

use serde_json::{Value, json};

use super::{super::secret::sealer, *};
use crate::{clock::SystemRandom, jwt::HmacAlgorithm, keys::SigningKey, secret::RootSecret};

const ROOT: [u8; 32] = [7; 32];

fn id() -> ClientId {
    ClientId::new("app").unwrap()
}

fn with(method: AuthMethod) -> ClientBuilder {
    Client::builder("app").auth_method(method)
}

fn sealed(secret: &str) -> ClientSecret {
    ClientSecret::sealed(&secret.into(), &id(), &RootSecret::new(ROOT), &SystemRandom).unwrap()
}

fn key(algorithm: Algorithm) -> ClientJwks {
    ClientJwks::of([&SigningKey::generate(algorithm).unwrap()])
}

fn certificate() -> ClientJwks {
    ClientJwks::parse(br#"{"keys":[{"kty":"EC","x5c":["MAA="]}]}"#).unwrap()
}

fn subject() -> TlsSubject {
    TlsSubject::parse("tls_client_auth_san_dns", "app.example").unwrap().unwrap()
}

fn hmac(algorithm: HmacAlgorithm) -> AssertionAlgorithm {
    AssertionAlgorithm::Hmac(algorithm)
}

fn one_of_each() -> Vec<Client> {
    [
        with(AuthMethod::ClientSecretJwt).secret(sealed(&"s".repeat(64))).signing_algorithm(hmac(HmacAlgorithm::HS512)),
        with(AuthMethod::PrivateKeyJwt).jwks(key(Algorithm::ES256)),
        with(AuthMethod::PrivateKeyJwt).jwks_uri("https://app.example/keys?a=b"),
        with(AuthMethod::TlsClientAuth).tls_subject(subject()),
        with(AuthMethod::SelfSignedTlsClientAuth).jwks(certificate()),
    ]
    .map(|builder| builder.build().unwrap())
    .into()
}

#[test]
fn every_client_comes_back_from_its_record_as_it_was() {
    for client in one_of_each() {
        let record = serde_json::to_string(&client).unwrap();
        assert_eq!(serde_json::from_str::<Client>(&record).unwrap(), client, "{record}");
        assert!(!client.is_public());
    }
}

#[test]
fn a_record_that_was_made_before_there_were_keys_loads() {
    let record = json!({
        "client_id": "app", "auth_method": "client_secret_basic", "redirect_uris": [], "grant_types": [], "scope": "a",
        "secrets": [{ "sha256": secret::digest_of(&"one".into()).as_bytes() }],
    });
    let client: Client = serde_json::from_value(record.clone()).unwrap();
    assert!(client.has_secret(&"one".into(), UnixTime(0)) && client.keys.is_none());
    // What is written now is what was written then.
    assert_eq!(serde_json::to_value(&client).unwrap(), record);
}

// spec: CAU-21
#[test]
fn each_method_needs_its_own_credential_and_takes_no_other() {
    use AuthMethod::{ClientSecretBasic, ClientSecretJwt, PrivateKeyJwt, SelfSignedTlsClientAuth, TlsClientAuth};
    let long = || sealed(&"s".repeat(32));
    let uri = |uri: &str| with(PrivateKeyJwt).jwks_uri(uri);
    let dn = TlsSubject::parse("tls_client_auth_subject_dn", "CN=app").unwrap().unwrap();
    for (builder, member, error) in [
        (with(ClientSecretJwt), "token_endpoint_auth_method", InvalidClient::SecretMissing("client_secret_jwt")),
        (
            with(PrivateKeyJwt).jwks(key(Algorithm::ES256)).secret(long()),
            "token_endpoint_auth_method",
            InvalidClient::SecretUnused,
        ),
        (
            with(ClientSecretJwt).secret(ClientSecret::new(&"s".repeat(64).as_str().into())),
            "client_secret",
            InvalidClient::SecretForm("client_secret_jwt"),
        ),
        (with(ClientSecretBasic).secret(long()), "client_secret", InvalidClient::SecretForm("client_secret_basic")),
        (
            with(ClientSecretJwt).secret(long()).secret(long()).secret(long()),
            "client_secret",
            InvalidClient::TooManySecrets,
        ),
        (with(PrivateKeyJwt), "jwks", InvalidClient::KeysMissing("private_key_jwt")),
        (with(SelfSignedTlsClientAuth), "jwks", InvalidClient::KeysMissing("self_signed_tls_client_auth")),
        (with(PrivateKeyJwt).jwks(certificate()), "jwks", InvalidClient::NoUsableKey("private_key_jwt")),
        (
            with(SelfSignedTlsClientAuth).jwks(key(Algorithm::ES256)),
            "jwks",
            InvalidClient::NoUsableKey("self_signed_tls_client_auth"),
        ),
        (uri("https://app.example/keys").jwks(key(Algorithm::ES256)), "jwks_uri", InvalidClient::TwoKeySources),
        (uri("http://app.example/keys"), "jwks_uri", InvalidClient::JwksUri),
        (uri("https://a@app.example/keys"), "jwks_uri", InvalidClient::JwksUri),
        (uri("https://app.example/keys#x"), "jwks_uri", InvalidClient::JwksUri),
        (uri("https://app.example\\keys"), "jwks_uri", InvalidClient::JwksUri),
        (uri("file:///etc/passwd"), "jwks_uri", InvalidClient::JwksUri),
        (uri("/keys"), "jwks_uri", InvalidClient::JwksUri),
        (with(TlsClientAuth), "tls_client_auth_subject_dn", InvalidClient::TlsSubjectMissing),
        (
            with(TlsClientAuth).tls_subject(subject()).tls_subject(dn),
            "tls_client_auth_subject_dn",
            InvalidClient::TooManyTlsSubjects("tls_client_auth_subject_dn"),
        ),
        (
            with(SelfSignedTlsClientAuth).jwks(certificate()).tls_subject(subject()),
            "tls_client_auth_san_dns",
            InvalidClient::TlsSubjectUnused("tls_client_auth_san_dns"),
        ),
    ] {
        let found = builder.build().unwrap_err();
        assert_eq!(found, error);
        assert!(found.to_string().starts_with(&format!("{member}: ")), "{found}");
    }
}

// spec: CAU-18
#[test]
fn an_algorithm_is_one_of_its_method_and_of_a_key_and_a_secret_is_as_long_as_its_hash() {
    use AssertionAlgorithm::Signature;
    let build = |builder: ClientBuilder| builder.build();
    let jwt = |bytes: usize| with(AuthMethod::ClientSecretJwt).secret(sealed(&"s".repeat(bytes)));
    let es256 = || with(AuthMethod::PrivateKeyJwt).jwks(key(Algorithm::ES256));
    for (algorithm, least) in [(HmacAlgorithm::HS256, 32), (HmacAlgorithm::HS384, 48), (HmacAlgorithm::HS512, 64)] {
        assert!(build(jwt(least).signing_algorithm(hmac(algorithm))).is_ok());
        let short = build(jwt(least - 1).signing_algorithm(hmac(algorithm)));
        assert_eq!(short, Err(InvalidClient::SecretTooShort(algorithm.as_str())));
    }
    assert_eq!(build(jwt(31)), Err(InvalidClient::SecretTooShort("HS256")));
    let in_memory = with(AuthMethod::ClientSecretJwt).secret(ClientSecret::in_memory("short".into()));
    assert_eq!(build(in_memory), Err(InvalidClient::SecretTooShort("HS256")));

    let wrong = build(jwt(64).signing_algorithm(Signature(Algorithm::ES256)));
    assert_eq!(wrong, Err(InvalidClient::SigningAlgorithm("client_secret_jwt")));
    let wrong = build(es256().signing_algorithm(hmac(HmacAlgorithm::HS256)));
    assert_eq!(wrong, Err(InvalidClient::SigningAlgorithm("private_key_jwt")));
    let wrong = build(es256().signing_algorithm(Signature(Algorithm::PS256)));
    assert_eq!(wrong, Err(InvalidClient::NoUsableKey("private_key_jwt")));
    assert!(build(es256().signing_algorithm(Signature(Algorithm::ES256))).is_ok());
    assert!("none".parse::<AssertionAlgorithm>().is_err());
}

// spec: SEC-07
#[test]
fn a_secret_that_is_kept_is_sealed_for_its_client_before_it_is_stored() {
    let secret = "a-secret-of-more-than-thirty-two-bytes";
    let client = with(AuthMethod::ClientSecretJwt).secret(sealed(secret)).build().unwrap();
    let record = serde_json::to_string(&client).unwrap();
    assert!(!record.contains(secret) && !format!("{client:?}").contains(secret), "{record}");

    let open = |root, id: &str| {
        let sealer = sealer(&RootSecret::new(root));
        client.secrets[0].open(&sealer, &ClientId::new(id).unwrap())
    };
    assert_eq!(open(ROOT, "app"), Some(secret.into()));
    assert_eq!(open(ROOT, "other"), None);
    assert_eq!(open([8; 32], "app"), None);

    let in_memory = ClientSecret::in_memory(secret.into());
    let client = with(AuthMethod::ClientSecretJwt).secret(in_memory).build().unwrap();
    assert!(!format!("{client:?}").contains(secret));
    let refused = serde_json::to_string(&client).unwrap_err().to_string();
    assert_eq!(refused, "client_secret: must be sealed before it is stored");
}

#[test]
fn a_damaged_record_is_not_a_client() {
    let good = |at: usize| serde_json::to_value(&one_of_each()[at]).unwrap();
    let change = |at, change: &dyn Fn(&mut Value)| {
        let mut record = good(at);
        change(&mut record);
        serde_json::from_value::<Client>(record.clone()).is_err()
    };
    assert!(change(0, &|record| record["secrets"] = json!([{}])));
    assert!(change(0, &|record| record["secrets"][0]["sealed"] = json!("!")));
    assert!(change(0, &|record| record["secrets"][0]["sha256"] = Value::from(vec![0; 32])));
    assert!(change(0, &|record| record["token_endpoint_auth_signing_alg"] = json!("none")));
    assert!(change(1, &|record| record["jwks"]["keys"][0]["d"] = json!("AA")));
    assert!(change(1, &|record| record["jwks_uri"] = json!("https://app.example/keys")));
    assert!(change(2, &|record| record["jwks_uri"] = json!("http://app.example/keys")));
    assert!(change(3, &|record| record["tls_subject"] = json!(["tls_client_auth_san_ip", "here"])));
    assert!(change(3, &|record| record["tls_subject"] = json!(["subject", "here"])));
    assert!(!change(3, &|_| {}));
}
