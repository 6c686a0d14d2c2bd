//! `[[resources]]`.

use std::str::FromStr;

use oauth_core::{
    client::ClientId,
    engine::policy::{Resource, TokenFormat},
    scope::{InvalidScope, Scope},
};

use super::{clients::Clients, matrix::Profile, reader::Reader, report::Report, tokens::FORMATS, value::Parsed};
use crate::api;

/// The resources tokens are for. Without any, it is the API that this program
/// serves itself.
pub(super) fn read(
    top: &mut Reader<'_>,
    issuer: &str,
    format: TokenFormat,
    clients: &Clients,
    profile: Profile,
    report: &Report,
) -> Vec<Resource> {
    let mut resources: Vec<Resource> = Vec::new();
    // As long as every one says what it takes.
    let mut served = Some(profile.scope());
    for mut table in top.sections("resources") {
        let resource = read_resource(&mut table, format, clients);
        if !table.blames("identifier") && resources.iter().any(|other| other.identifier == resource.identifier) {
            table.wrong("identifier", "is the one of another resource too");
        }
        let says = !resource.scopes.is_empty() && !table.blames("scopes");
        served = served.filter(|_| says).map(|served| served.union(&resource.scopes));
        resources.push(resource);
    }
    if resources.is_empty() {
        let scopes = "albums:read albums:write".parse().unwrap_or_default();
        resources.push(Resource::new(format!("{issuer}/api")).scopes(scopes).format(format));
    } else if let Some(served) = served {
        clients.check_scopes(&served, report);
    }
    resources
}

fn read_resource(table: &mut Reader<'_>, format: TokenFormat, clients: &Clients) -> Resource {
    let identifier: Option<String> = table.require("identifier");
    if identifier.as_deref().is_some_and(|identifier| !api::is_identifier(identifier)) {
        table.wrong("identifier", "must be an absolute URI without a fragment");
    }
    let scopes: Vec<(String, Parsed<OneScope>)> = table.list("scopes");
    let scopes = scopes.iter().fold(Scope::empty(), |all, (_, Parsed(OneScope(scope)))| all.union(scope));
    let format = table.choice("format", &FORMATS).unwrap_or(format);
    let resource = Resource::new(identifier.unwrap_or_default()).scopes(scopes).format(format);
    match table.take::<Parsed<ClientId>>("introspection_caller") {
        Some(Parsed(caller)) => {
            clients.check_caller(table, "introspection_caller", &caller);
            resource.introspection_caller(caller)
        }
        None => resource,
    }
}

/// A scope of one token: in a list, a space is a mistake.
struct OneScope(Scope);

#[derive(Debug, thiserror::Error)]
enum NotOneScope {
    #[error(transparent)]
    Invalid(#[from] InvalidScope),
    #[error("must be one scope, without spaces")]
    Count,
}

impl FromStr for OneScope {
    type Err = NotOneScope;

    fn from_str(text: &str) -> Result<Self, NotOneScope> {
        if text.is_empty() || text.contains(' ') {
            return Err(NotOneScope::Count);
        }
        Ok(Self(text.parse()?))
    }
}
