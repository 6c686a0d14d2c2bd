//! What makes a record a client.

mod credentials;

use super::*;

fn confidential() -> Client {
    Client::builder("rs").secret(ClientSecret::new(&"one".into())).scope("a").build().unwrap()
}

// spec: REG-01
#[test]
fn a_record_without_a_credential_is_public_and_one_without_a_type_does_not_load() {
    assert!(Client::builder("app").redirect_uri("https://app.example/cb").build().unwrap().is_public());
    let mut record = serde_json::to_value(confidential()).unwrap();
    assert_eq!(serde_json::from_value::<Client>(record.clone()).unwrap(), confidential());
    record.as_object_mut().unwrap().remove("auth_method");
    assert!(serde_json::from_value::<Client>(record).is_err());
}

// spec: CAU-12
#[test]
fn an_expired_secret_is_refused_and_two_live_ones_both_work() {
    let client = Client::builder("rs")
        .secret(ClientSecret::new(&"old".into()).expires_at(UnixTime(100)))
        .secret(ClientSecret::new(&"new".into()))
        .build()
        .unwrap();
    let has = |secret: &str, now| client.has_secret(&secret.into(), UnixTime(now));
    assert!(has("old", 99) && has("new", 99) && has("new", 100));
    assert!(!has("old", 100) && !has("other", 99));
}

#[test]
fn a_contradictory_record_names_the_member_at_fault() {
    let secret = || ClientSecret::new(&"s".into());
    let build = |builder: ClientBuilder| builder.build().unwrap_err();
    assert_eq!(
        build(Client::builder("a").auth_method(AuthMethod::ClientSecretPost)),
        InvalidClient::SecretMissing("client_secret_post")
    );
    assert_eq!(build(Client::builder("a").secret(secret()).auth_method(AuthMethod::None)), InvalidClient::SecretUnused);
    assert_eq!(
        build(Client::builder("a").grant_type(GrantType::AUTHORIZATION_CODE)),
        InvalidClient::RedirectUriMissing
    );
    assert_eq!(
        build(Client::builder("a").grant_type(GrantType::CLIENT_CREDENTIALS)),
        InvalidClient::PublicClientCredentials
    );
    assert_eq!(build(Client::builder("é")), InvalidClient::Id(InvalidClientId));
}
