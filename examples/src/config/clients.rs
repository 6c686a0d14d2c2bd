//! `[[clients]]`.

use oauth_core::{
    client::{AuthMethod, Client, ClientBuilder, ClientId, GrantType, InvalidClient, RedirectUri},
    jwt::Algorithm,
    scope::Scope,
};

use super::{credentials, profile, reader::Reader, report::Report, value::Parsed};

const GRANT_TYPES: [(&str, Option<GrantType>); 7] = [
    ("authorization_code", Some(GrantType::AUTHORIZATION_CODE)),
    ("client_credentials", Some(GrantType::CLIENT_CREDENTIALS)),
    ("refresh_token", Some(GrantType::REFRESH_TOKEN)),
    ("urn:ietf:params:oauth:grant-type:device_code", Some(GrantType::DEVICE_CODE)),
    ("urn:ietf:params:oauth:grant-type:token-exchange", Some(GrantType::TOKEN_EXCHANGE)),
    ("urn:ietf:params:oauth:grant-type:jwt-bearer", Some(GrantType::JWT_BEARER)),
    ("urn:ietf:params:oauth:grant-type:reciprocal", Some(GrantType::RECIPROCAL)),
];

const ANSWERS: &str = "introspection_signed_response_alg";

/// The clients that are right, and what was written of the others: whoever
/// refers to one is judged by what was meant.
#[derive(Debug, Default)]
pub(super) struct Clients {
    pub(super) all: Vec<Client>,
    written: Vec<Written>,
}

#[derive(Debug)]
struct Written {
    scope_key: String,
    scope: Scope,
    answers_key: String,
    /// What its introspection responses are to be signed with.
    answers: Option<Algorithm>,
    /// `None` if it could not be read.
    id: Option<String>,
    /// `None` if that could not be found out.
    public: Option<bool>,
}

impl Clients {
    /// `offered`: how clients may authenticate.
    pub(super) fn read(top: &mut Reader<'_>, offered: &[AuthMethod]) -> Self {
        let mut clients = Self::default();
        top.sections("clients").iter_mut().for_each(|table| clients.add(table, offered));
        clients
    }

    fn add(&mut self, table: &mut Reader<'_>, offered: &[AuthMethod]) {
        let (written, builder) = read_client(table, offered);
        if written.id.is_some() && self.written.iter().any(|other| other.id == written.id) {
            table.wrong("client_id", "is the one of another client too");
        }
        self.written.push(written);
        if table.is_blamed() {
            return;
        }
        match builder.build() {
            Ok(client) => self.all.push(client),
            Err(error) => wrong_member(table, &error),
        }
    }

    pub(super) fn is_named(&self, name: &str) -> bool {
        self.written.iter().any(|client| client.id.as_deref() == Some(name))
    }

    /// RFC 7662 section 2.1: who introspects must be able to prove who they are.
    pub(super) fn check_caller(&self, table: &Reader<'_>, key: &str, caller: &ClientId) {
        match self.written.iter().find(|client| client.id.as_deref() == Some(caller.as_str())) {
            Some(client) if client.public == Some(true) => table.wrong(key, "is a client that has no secret"),
            Some(_) => {}
            None if self.written.iter().any(|client| client.id.is_none()) => {}
            None => table.wrong(key, "is not the client_id of one of `clients`"),
        }
    }

    /// Nobody is promised a signature that is not made (RFC 9701 section 6).
    pub(super) fn check_answers(&self, offered: &[Algorithm], report: &Report) {
        for client in &self.written {
            if client.answers.is_some_and(|algorithm| !offered.contains(&algorithm)) {
                report.wrong(&client.answers_key, "is not one of `introspection.signing_algorithms`");
            }
        }
    }

    /// Nobody gets a scope that no resource takes.
    pub(super) fn check_scopes(&self, served: &Scope, report: &Report) {
        for client in &self.written {
            if let Some(scope) = client.scope.iter().find(|scope| !served.contains(scope)) {
                report.wrong(&client.scope_key, format_args!("`{scope}` is a scope of none of `resources`"));
            }
        }
    }
}

/// The message of an invalid client begins with the member at fault.
pub(super) fn wrong_member(table: &Reader<'_>, error: &InvalidClient) {
    let message = error.to_string();
    let (member, what) = message.split_once(": ").unwrap_or(("client_id", &message));
    table.wrong(member, what);
}

fn read_client(table: &mut Reader<'_>, offered: &[AuthMethod]) -> (Written, ClientBuilder) {
    let id: Option<String> = table.require("client_id");
    if let Some(error) = id.as_deref().and_then(|id| ClientId::new(id).err()) {
        table.wrong("client_id", error);
    }
    let mut builder = Client::builder(id.as_deref().unwrap_or_default());
    if let Some(name) = table.take::<String>("client_name") {
        builder = builder.name(name);
    }
    let scope = table.take::<Parsed<Scope>>("scope").map_or(Scope::empty(), |Parsed(scope)| scope);
    builder = builder.scope(scope.to_string());
    let (credible, public) = credentials::read(table, builder, offered);
    builder = credible;
    // RFC 7591 section 2: absent, it is the code grant, for a client that can
    // receive a code.
    let grant_types = table.choices("grant_types", &GRANT_TYPES);
    let redirect_uris = read_redirect_uris(table, grant_types.contains(&GrantType::AUTHORIZATION_CODE));
    if public == Some(true) && grant_types.contains(&GrantType::CLIENT_CREDENTIALS) {
        wrong_member(table, &InvalidClient::PublicClientCredentials);
    }
    builder = redirect_uris.into_iter().fold(builder, ClientBuilder::redirect_uri);
    builder = grant_types.into_iter().fold(builder, ClientBuilder::grant_type);
    builder = builder.profile(profile::read(table));
    table.choices("response_types", &[("code", Some(()))]);
    builder = read_requests(table, builder);
    builder = builder.tokens(|tokens| {
        tokens.dpop_bound_access_tokens = table.or("dpop_bound_access_tokens", false);
        tokens.tls_client_certificate_bound_access_tokens =
            table.or("tls_client_certificate_bound_access_tokens", false);
        tokens.authorization_details_types = table.or("authorization_details_types", Vec::new());
    });
    let answers = table.take(ANSWERS).map(|Parsed(algorithm)| algorithm);
    builder = builder.tokens(|tokens| tokens.introspection_signed_response_alg = answers);
    let written =
        Written { scope_key: table.key("scope"), scope, answers_key: table.key(ANSWERS), answers, id, public };
    (written, builder)
}

/// How the client sends its authorization requests.
fn read_requests(table: &mut Reader<'_>, builder: ClientBuilder) -> ClientBuilder {
    let uris: Vec<(String, String)> = table.list("request_uris");
    builder.requests(|how| {
        how.require_pushed_authorization_requests = table.or("require_pushed_authorization_requests", false);
        how.require_signed_request_object = table.or("require_signed_request_object", false);
        how.request_object_signing_alg = table.take("request_object_signing_alg").map(|Parsed(algorithm)| algorithm);
        how.request_uris = uris.into_iter().map(|(_, uri)| uri).collect();
    })
}

/// Each is judged here, so that every wrong one is named.
fn read_redirect_uris(table: &mut Reader<'_>, needed: bool) -> Vec<String> {
    let uris: Vec<(String, String)> = table.list("redirect_uris");
    for (key, uri) in &uris {
        if let Err(error) = RedirectUri::parse(uri) {
            table.wrong(key, error);
        }
    }
    if needed && uris.is_empty() && !table.blames("redirect_uris") {
        wrong_member(table, &InvalidClient::RedirectUriMissing);
    }
    uris.into_iter().map(|(_, uri)| uri).collect()
}
