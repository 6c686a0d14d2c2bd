//! What a client of `[[clients]]` proves itself with.

use oauth_core::{
    client::{AssertionAlgorithm, AuthMethod, ClientBuilder, ClientJwks, ClientSecret, InvalidClient, TlsSubject},
    clock::UnixTime,
    secret::Secret,
};
use toml::Value;

use super::{clients::wrong_member, reader::Reader, value::Parsed};

/// The end of the year 9999: later is a mistake in the unit.
const LAST_SECOND: u64 = 253_402_300_799;

const AUTH_METHODS: [(&str, Option<AuthMethod>); 7] = [
    ("client_secret_basic", Some(AuthMethod::ClientSecretBasic)),
    ("client_secret_post", Some(AuthMethod::ClientSecretPost)),
    ("client_secret_jwt", Some(AuthMethod::ClientSecretJwt)),
    ("private_key_jwt", Some(AuthMethod::PrivateKeyJwt)),
    ("tls_client_auth", Some(AuthMethod::TlsClientAuth)),
    ("self_signed_tls_client_auth", Some(AuthMethod::SelfSignedTlsClientAuth)),
    ("none", Some(AuthMethod::None)),
];

/// Reads every credential into `builder`. Whether the client is public is `None`
/// if that cannot be told, or its members contradict each other.
pub(super) fn read(
    table: &mut Reader<'_>,
    builder: ClientBuilder,
    offered: &[AuthMethod],
) -> (ClientBuilder, Option<bool>) {
    let method = read_method(table, offered);
    let has_secret = table.has("client_secret");
    if table.has("previous_client_secret") && !has_secret {
        table.wrong("previous_client_secret", "needs a `client_secret` that takes its place");
    }
    let secret = read_secret(table, method);
    let public = read_public(table, has_secret, method);
    let mut builder = method.into_iter().fold(builder, ClientBuilder::auth_method);
    builder = secret.into_iter().fold(builder, ClientBuilder::secret);
    builder = read_previous(table, method).into_iter().fold(builder, ClientBuilder::secret);
    builder = read_jwks(table).into_iter().fold(builder, ClientBuilder::jwks);
    builder = table.take::<String>("jwks_uri").into_iter().fold(builder, ClientBuilder::jwks_uri);
    let algorithm = table.take::<Parsed<AssertionAlgorithm>>("token_endpoint_auth_signing_alg");
    builder = algorithm.into_iter().fold(builder, |builder, Parsed(algorithm)| builder.signing_algorithm(algorithm));
    builder = read_tls_subjects(table).into_iter().fold(builder, ClientBuilder::tls_subject);
    (builder, public)
}

fn read_method(table: &mut Reader<'_>, offered: &[AuthMethod]) -> Option<AuthMethod> {
    let method = table.choice("token_endpoint_auth_method", &AUTH_METHODS)?;
    if !offered.contains(&method) {
        let needs = match method {
            AuthMethod::TlsClientAuth => "needs `tls.client_ca`, or a proxy with `tls.proxy_verifies_certificates`",
            _ => "needs `tls.client_certificates` or `tls.certificate_header`",
        };
        table.wrong("token_endpoint_auth_method", needs);
    }
    Some(method)
}

/// `client_secret`, and until when it is one.
fn read_secret(table: &mut Reader<'_>, method: Option<AuthMethod>) -> Option<ClientSecret> {
    if table.has("client_secret_expires_at") && !table.has("client_secret") {
        table.wrong("client_secret_expires_at", "needs a `client_secret`");
    }
    read_one(table, ["client_secret", "client_secret_expires_at"], method)
}

/// The one before, which is good beside it while the client is moving.
fn read_previous(table: &mut Reader<'_>, method: Option<AuthMethod>) -> Option<ClientSecret> {
    let [secret, end] = ["previous_client_secret", "previous_client_secret_expires_at"];
    if table.has(end) && !table.has(secret) {
        table.wrong(end, "needs a `previous_client_secret`");
    }
    read_one(table, [secret, end], method)
}

fn read_one(table: &mut Reader<'_>, [key, end]: [&str; 2], method: Option<AuthMethod>) -> Option<ClientSecret> {
    let end = table.number(end, 0, 0..=LAST_SECOND);
    let secret: Secret = table.take(key)?;
    // OAuth 2.1 appendix A.2.
    if !secret.expose().bytes().all(|byte| (0x20..=0x7E).contains(&byte)) {
        table.wrong(key, "must be printable ASCII");
    }
    let secret = match method {
        // It stands in the file as it is.
        Some(AuthMethod::ClientSecretJwt) => ClientSecret::in_memory(secret),
        _ => ClientSecret::new(&secret),
    };
    // RFC 7591 section 3.2.1: "0 if it will not expire".
    Some(if end == 0 { secret } else { secret.expires_at(UnixTime(end)) })
}

fn read_public(table: &Reader<'_>, has_secret: bool, method: Option<AuthMethod>) -> Option<bool> {
    match (method, has_secret) {
        (None, _) if table.blames("token_endpoint_auth_method") => None,
        (None, has_secret) => Some(!has_secret),
        (Some(method), true) if !method.uses_secret() => {
            wrong_member(table, &InvalidClient::SecretUnused);
            None
        }
        (Some(method), false) if method.uses_secret() => {
            wrong_member(table, &InvalidClient::SecretMissing(method.as_str()));
            None
        }
        (Some(method), _) => Some(method == AuthMethod::None),
    }
}

/// `jwks`, as RFC 7517 has it: a table with the list `keys`.
pub(super) fn read_jwks(table: &mut Reader<'_>) -> Option<ClientJwks> {
    let document: Value = table.take("jwks")?;
    let jwks = serde_json::to_vec(&document).ok().map(|document| ClientJwks::parse(&document));
    match jwks {
        Some(Ok(jwks)) => return Some(jwks),
        Some(Err(error)) => wrong_member(table, &error.into()),
        None => table.wrong("jwks", "must be a JWK Set"),
    }
    None
}

fn read_tls_subjects(table: &mut Reader<'_>) -> Vec<TlsSubject> {
    let mut subjects = Vec::new();
    for member in TlsSubject::MEMBERS {
        let Some(value) = table.take::<String>(member) else { continue };
        match TlsSubject::parse(member, &value) {
            Ok(subject) => subjects.extend(subject),
            Err(error) => wrong_member(table, &error.into()),
        }
    }
    subjects
}
