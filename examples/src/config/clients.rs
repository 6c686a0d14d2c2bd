//! `[[clients]]`, `[[resources]]` and `[introspection]`.

use oauth_core::{
    client::{AuthMethod, Client, ClientBuilder, ClientId, ClientSecret, GrantType, RedirectUri},
    engine::policy::{Resource, TokenFormat},
    scope::Scope,
    secret::Secret,
};
use url::Url;

use super::{reader::Reader, tokens::FORMATS, value::Parsed};

const AUTH_METHODS: [(&str, Option<AuthMethod>); 7] = [
    ("client_secret_basic", Some(AuthMethod::ClientSecretBasic)),
    ("client_secret_post", Some(AuthMethod::ClientSecretPost)),
    ("none", Some(AuthMethod::None)),
    ("client_secret_jwt", None),
    ("private_key_jwt", None),
    ("tls_client_auth", None),
    ("self_signed_tls_client_auth", None),
];

const GRANT_TYPES: [(&str, Option<GrantType>); 6] = [
    ("authorization_code", Some(GrantType::AUTHORIZATION_CODE)),
    ("client_credentials", Some(GrantType::CLIENT_CREDENTIALS)),
    ("refresh_token", Some(GrantType::REFRESH_TOKEN)),
    ("urn:ietf:params:oauth:grant-type:device_code", None),
    ("urn:ietf:params:oauth:grant-type:token-exchange", None),
    ("urn:ietf:params:oauth:grant-type:jwt-bearer", None),
];

/// Members whose absence changes nothing and whose presence would.
const NOT_BUILT_MEMBERS: [&str; 15] = [
    "jwks",
    "jwks_uri",
    "client_uri",
    "logo_uri",
    "tos_uri",
    "policy_uri",
    "contacts",
    "software_id",
    "software_version",
    "tls_client_auth_subject_dn",
    "tls_client_auth_san_dns",
    "token_endpoint_auth_signing_alg",
    "request_object_signing_alg",
    "introspection_signed_response_alg",
    "authorization_details_types",
];

const NOT_BUILT_SWITCHES: [&str; 4] = [
    "dpop_bound_access_tokens",
    "require_pushed_authorization_requests",
    "require_signed_request_object",
    "tls_client_certificate_bound_access_tokens",
];

pub(super) fn read(top: &mut Reader<'_>) -> Vec<Client> {
    let mut clients: Vec<Client> = Vec::new();
    for mut table in top.sections("clients") {
        let builder = read_client(&mut table);
        // What is wrong in itself was reported; this is for members that
        // contradict each other.
        if table.blames(&format!("{}.", table.path())) {
            continue;
        }
        match builder.build() {
            Ok(client) if clients.iter().any(|other| other.id == client.id) => {
                table.wrong("client_id", "is the one of another client too");
            }
            Ok(client) => clients.push(client),
            Err(error) => wrong_member(&table, &error.to_string()),
        }
    }
    clients
}

/// The message of an invalid client begins with the member at fault.
fn wrong_member(table: &Reader<'_>, message: &str) {
    let (member, what) = message.split_once(": ").unwrap_or(("client_id", message));
    table.wrong(member, what);
}

fn read_client(table: &mut Reader<'_>) -> ClientBuilder {
    let id: Option<Parsed<ClientId>> = table.require("client_id");
    let mut builder = Client::builder(id.as_ref().map_or("", |Parsed(id)| id.as_str()));
    if let Some(secret) = table.take::<Secret>("client_secret") {
        builder = builder.secret(ClientSecret::new(&secret));
    }
    if let Some(name) = table.take::<String>("client_name") {
        builder = builder.name(name);
    }
    if let Some(Parsed(scope)) = table.take::<Parsed<Scope>>("scope") {
        builder = builder.scope(scope.to_string());
    }
    let auth_method = table.choice("token_endpoint_auth_method", &AUTH_METHODS);
    builder = auth_method.into_iter().fold(builder, ClientBuilder::auth_method);
    builder = read_redirect_uris(table).into_iter().fold(builder, ClientBuilder::redirect_uri);
    // RFC 7591 section 2: absent, it is the code grant, for a client that can
    // receive a code.
    let grant_types = table.choices("grant_types", &GRANT_TYPES).unwrap_or_default();
    builder = grant_types.into_iter().fold(builder, ClientBuilder::grant_type);
    table.choices("response_types", &[("code", Some(()))]);
    NOT_BUILT_MEMBERS.iter().for_each(|key| table.never(key));
    NOT_BUILT_SWITCHES.iter().for_each(|key| table.not_built(key, &[false]));
    builder
}

/// Each is judged here, so that every wrong one is named.
fn read_redirect_uris(table: &mut Reader<'_>) -> Vec<String> {
    let uris: Vec<String> = table.take("redirect_uris").unwrap_or_default();
    for (at, uri) in uris.iter().enumerate() {
        if let Err(error) = RedirectUri::parse(uri) {
            table.wrong(&format!("redirect_uris[{at}]"), error);
        }
    }
    uris
}

/// The resources tokens are for. Without any, it is the API that this program
/// serves itself.
pub(super) fn read_resources(
    top: &mut Reader<'_>,
    issuer: &str,
    format: TokenFormat,
    clients: &[Client],
) -> Vec<Resource> {
    let mut resources: Vec<Resource> = Vec::new();
    for mut table in top.sections("resources") {
        let resource = read_resource(&mut table, format, clients);
        if resources.iter().any(|other| other.identifier == resource.identifier) {
            table.wrong("identifier", "is the one of another resource too");
        }
        resources.push(resource);
    }
    if resources.is_empty() {
        let scopes = "albums:read albums:write".parse().unwrap_or_default();
        resources.push(Resource::new(format!("{issuer}/api")).scopes(scopes).format(format));
    }
    resources
}

fn read_resource(table: &mut Reader<'_>, format: TokenFormat, clients: &[Client]) -> Resource {
    let identifier: String = table.require("identifier").unwrap_or_default();
    // RFC 8707 section 2.
    let legal = Url::parse(&identifier).is_ok() && !identifier.contains('#');
    if !legal && !identifier.is_empty() {
        table.wrong("identifier", "must be an absolute URI without a fragment");
    }
    let scopes: Vec<Parsed<Scope>> = table.take("scopes").unwrap_or_default();
    let scopes = scopes.iter().fold(Scope::empty(), |all, Parsed(scope)| all.union(scope));
    let format = table.choice("format", &FORMATS).unwrap_or(format);
    let resource = Resource::new(identifier).scopes(scopes).format(format);
    match table.take::<Parsed<ClientId>>("introspection_caller") {
        Some(Parsed(caller)) => {
            check_caller(table, "introspection_caller", &caller, clients);
            resource.introspection_caller(caller)
        }
        None => resource,
    }
}

pub(super) fn read_callers(top: &mut Reader<'_>, clients: &[Client]) -> Vec<ClientId> {
    let mut introspection = top.section("introspection");
    let callers: Vec<Parsed<ClientId>> = introspection.take("callers").unwrap_or_default();
    let callers: Vec<ClientId> = callers.into_iter().map(|Parsed(id)| id).collect();
    for (at, caller) in callers.iter().enumerate() {
        check_caller(&introspection, &format!("callers[{at}]"), caller, clients);
    }
    callers
}

/// RFC 7662 section 2.1: who introspects must be able to prove who they are.
fn check_caller(table: &Reader<'_>, key: &str, caller: &ClientId, clients: &[Client]) {
    match clients.iter().find(|client| client.id == *caller) {
        // It may be one that could not be read.
        None if table.blames("clients[") => {}
        None => table.wrong(key, "is not the client_id of one of `clients`"),
        Some(client) if client.is_public() => table.wrong(key, "is a client that has no secret"),
        Some(_) => {}
    }
}
