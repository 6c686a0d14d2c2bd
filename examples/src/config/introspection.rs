//! `[introspection]`.

use oauth_core::{client::ClientId, engine::introspection::IntrospectionSettings, jwt::Algorithm};

use super::{clients::Clients, reader::Reader, report::Report, value::Parsed};

/// `[introspection]`.
#[derive(Debug)]
pub struct Introspection {
    /// `callers`: who may introspect any token.
    pub callers: Vec<ClientId>,
    /// How it is answered.
    pub settings: IntrospectionSettings,
}

impl Introspection {
    /// `of_tokens`: what access tokens are signed with.
    pub(super) fn read(top: &mut Reader<'_>, of_tokens: Algorithm, clients: &Clients, report: &Report) -> Self {
        let mut introspection = top.section("introspection");
        let mut settings = IntrospectionSettings::default();
        settings.signing_algorithms = read_algorithms(&mut introspection, of_tokens);
        clients.check_answers(&settings.signing_algorithms, report);
        let callers: Vec<(String, Parsed<ClientId>)> = introspection.list("callers");
        for (key, Parsed(caller)) in &callers {
            clients.check_caller(&introspection, key, caller);
        }
        Self { callers: callers.into_iter().map(|(_, Parsed(caller))| caller).collect(), settings }
    }
}

/// RFC 9701 section 6: RS256 is what resource servers expect that say nothing.
fn read_algorithms(introspection: &mut Reader<'_>, of_tokens: Algorithm) -> Vec<Algorithm> {
    const KEY: &str = "signing_algorithms";
    if !introspection.has(KEY) {
        return [Algorithm::RS256].into_iter().chain(Some(of_tokens).filter(|one| *one != Algorithm::RS256)).collect();
    }
    let given: Vec<(String, Parsed<Algorithm>)> = introspection.list(KEY);
    given.into_iter().map(|(_, Parsed(algorithm))| algorithm).collect()
}
