//! `[token_exchange]` and `[jwt_bearer]`: tokens for what others have issued.

use oauth_core::{
    client::ClientId,
    grant::{ExchangeRule, JwtBearer, TokenExchange, TrustedIssuer},
    scope::Scope,
};

use super::{clients::Clients, credentials, reader::Reader, value::Parsed};

/// `[token_exchange]`; `None` if it is not enabled.
pub(super) fn read_exchange(top: &mut Reader<'_>, clients: &Clients) -> Option<TokenExchange> {
    let mut section = top.section("token_exchange");
    let enabled = section.or("enabled", false);
    let mut exchange = TokenExchange::default().issuers(read_issuers(&mut section));
    for mut table in section.sections("rules") {
        if let Some((client, rule)) = read_rule(&mut table, clients) {
            exchange = exchange.rule(client, rule);
        }
    }
    enabled.then_some(exchange)
}

/// `[jwt_bearer]`; `None` if it is not enabled.
pub(super) fn read_bearer(top: &mut Reader<'_>) -> Option<JwtBearer> {
    let mut section = top.section("jwt_bearer");
    let enabled = section.or("enabled", false);
    let issuers = read_issuers(&mut section);
    if enabled && issuers.is_empty() && !section.blames("issuers") {
        section.wrong("issuers", "must have one at least");
    }
    let bearer = JwtBearer::new(issuers);
    let bearer = if section.or("client_required", false) { bearer.authenticated_only() } else { bearer };
    enabled.then_some(bearer)
}

fn read_issuers(section: &mut Reader<'_>) -> Vec<TrustedIssuer> {
    section.sections("issuers").iter_mut().filter_map(read_issuer).collect()
}

fn read_issuer(table: &mut Reader<'_>) -> Option<TrustedIssuer> {
    let issuer: Option<String> = table.require("issuer");
    let scope = table.take::<Parsed<Scope>>("scope");
    if table.has("jwks") == table.has("jwks_uri") {
        table.wrong("jwks_uri", "is the one way to name keys, and `jwks` the other");
    }
    let (jwks, uri) = (credentials::read_jwks(table), table.take::<String>("jwks_uri"));
    let issuer = match (jwks, uri) {
        (Some(jwks), None) => TrustedIssuer::new(issuer?, jwks),
        (None, Some(uri)) => TrustedIssuer::at(issuer?, uri),
        _ => return None,
    };
    Some(scope.into_iter().fold(issuer, |issuer, Parsed(scope)| issuer.scope(scope)))
}

/// What less than everything one client may exchange.
fn read_rule(table: &mut Reader<'_>, clients: &Clients) -> Option<(ClientId, ExchangeRule)> {
    let client = table.require::<Parsed<ClientId>>("client_id");
    if let Some(Parsed(client)) = &client {
        clients.check_caller(table, "client_id", client);
    }
    let mut rule = ExchangeRule::default();
    if table.has("resources") {
        rule = rule.resources(table.list::<String>("resources").into_iter().map(|(_, resource)| resource));
    }
    if table.has("subject_clients") {
        let clients: Vec<(String, Parsed<ClientId>)> = table.list("subject_clients");
        rule = rule.subject_clients(clients.into_iter().map(|(_, Parsed(client))| client));
    }
    if let Some(Parsed(scope)) = table.take::<Parsed<Scope>>("scope") {
        rule = rule.scope(scope);
    }
    if table.or("delegation_only", false) {
        rule = rule.delegation_only();
    }
    client.map(|Parsed(client)| (client, rule))
}
