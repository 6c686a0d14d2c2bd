//! `[reciprocal]`: services that call each other, as either party.

use std::{fs, path::Path};

use oauth_axum_rs::{
    Secret,
    oauth_tower::{
        client::{TokenClient, TokenClientBuilder},
        outgoing::{ClientAuth, HttpClient, HttpClientBuilder},
    },
};
use oauth_core::{
    client::{ClientId, GrantType},
    engine::reciprocal::ReciprocalSettings,
    scope::Scope,
};

use super::{clients::Clients, reader::Reader, value::Parsed};

/// `[reciprocal]`.
#[derive(Clone, Debug)]
pub struct Reciprocal {
    /// `code_lifetime`, in seconds.
    pub code_lifetime: u64,
    /// `retries`.
    pub retries: u32,
    /// `retry_seconds`.
    pub retry_seconds: u64,
    /// `[[reciprocal.peers]]`: who may send codes here, where this server is party B.
    pub peers: Vec<Peer>,
    /// `[[reciprocal.initiators]]`: to whom codes are sent, where it is party A.
    pub initiators: Vec<Initiator>,
}

/// A party A, as this server sees it.
#[derive(Clone, Debug)]
pub struct Peer {
    /// `client_id`: the client that it is here.
    pub client: ClientId,
    /// `scope`: what is asked of it.
    pub scope: Scope,
    /// This server as a client there.
    pub at: TokenClient,
}

/// A party B, as this server sees it.
#[derive(Clone, Debug)]
pub struct Initiator {
    /// `name`.
    pub name: String,
    /// `client_id`: the client that it is here.
    pub client: ClientId,
    /// This server as a client there.
    pub at: TokenClient,
    /// What `/reciprocal/connect/NAME` needs; `None` without `issuer`.
    pub connect: Option<Connect>,
}

/// How a person's browser is sent to a party B.
#[derive(Clone, Debug)]
pub struct Connect {
    /// `issuer`, whose metadata say where.
    pub issuer: String,
    /// `our_client_id`.
    pub our_client_id: String,
    /// `our_scope`: what to ask for there.
    pub our_scope: Option<String>,
    /// `agreed_scope`: what B may have here if it does not say.
    pub agreed_scope: Scope,
    /// Sends the requests.
    pub http: HttpClient,
}

/// What both kinds of entries rest on.
struct Entries<'a> {
    clients: &'a Clients,
    development: bool,
    http: Option<HttpClient>,
}

impl Reciprocal {
    /// `None` where it is off.
    pub(super) fn read(top: &mut Reader<'_>, clients: &Clients, development: bool, folder: &Path) -> Option<Self> {
        let mut section = top.section("reciprocal");
        let default = ReciprocalSettings::default();
        let enabled = section.or("enabled", false);
        let code_lifetime = section.number("code_lifetime", default.code_lifetime, 1..=600);
        let retries = section.number("retries", default.retries.into(), 0..=20);
        let retry_seconds = section.number("retry_seconds", default.retry_seconds, 1..=3600);
        let entries = Entries { clients, development, http: read_http(&mut section, folder) };
        let mut found = Self {
            code_lifetime,
            retries: u32::try_from(retries).unwrap_or(default.retries),
            retry_seconds,
            peers: Vec::new(),
            initiators: Vec::new(),
        };
        for mut table in section.sections("peers") {
            let known = found.peers.iter().map(|peer| peer.client.as_str()).collect::<Vec<_>>();
            found.peers.extend(entries.peer(&mut table, &known));
        }
        for mut table in section.sections("initiators") {
            let known = found.initiators.iter().map(|one| one.name.as_str()).collect::<Vec<_>>();
            found.initiators.extend(entries.initiator(&mut table, &known));
        }
        enabled.then_some(found)
    }
}

impl Entries<'_> {
    fn peer(&self, table: &mut Reader<'_>, known: &[&str]) -> Option<Peer> {
        let client = self.client(table, &GrantType::RECIPROCAL);
        if client.as_ref().is_some_and(|client| known.contains(&client.as_str())) {
            table.wrong("client_id", "is the one of another peer too");
        }
        let scope = table.take::<Parsed<Scope>>("scope").map_or(Scope::empty(), |Parsed(scope)| scope);
        let revocation: Option<String> = table.take("revocation_endpoint").filter(|url: &String| !url.is_empty());
        let (at, _) = self.at(table, revocation)?;
        Some(Peer { client: client?, scope, at })
    }

    fn initiator(&self, table: &mut Reader<'_>, known: &[&str]) -> Option<Initiator> {
        let name: Option<String> = table.require("name");
        match &name {
            Some(name) if !is_path_segment(name) => table.wrong("name", "must be letters, digits, `-` and `_`"),
            Some(name) if known.contains(&name.as_str()) => table.wrong("name", "is the name of another initiator too"),
            _ => {}
        }
        let client = self.client(table, &GrantType::AUTHORIZATION_CODE);
        let issuer: Option<String> = table.take("issuer");
        if let Some(issuer) = &issuer {
            self.check_url(table, "issuer", issuer);
        }
        let our_scope: Option<String> = table.take("our_scope");
        let agreed_scope = table.take::<Parsed<Scope>>("agreed_scope").map_or(Scope::empty(), |Parsed(scope)| scope);
        let (at, our_client_id) = self.at(table, None)?;
        let http = self.http.clone()?;
        let connect = issuer.map(|issuer| Connect { issuer, our_client_id, our_scope, agreed_scope, http });
        Some(Initiator { name: name?, client: client?, at, connect })
    }

    /// The other party, as a client here: a confidential one, which may use
    /// `grant`.
    fn client(&self, table: &mut Reader<'_>, grant: &GrantType) -> Option<ClientId> {
        let Parsed(client) = table.require::<Parsed<ClientId>>("client_id")?;
        self.clients.check_caller(table, "client_id", &client);
        let found = self.clients.all.iter().find(|known| known.id == client);
        if let Some(found) = found
            && !found.is_public()
            && !found.may_use(grant)
        {
            table.wrong("client_id", format_args!("is a client without `{}` in its `grant_types`", grant.as_str()));
        }
        Some(client)
    }

    /// This server as a client of the other party, and its name there.
    fn at(&self, table: &mut Reader<'_>, revocation: Option<String>) -> Option<(TokenClient, String)> {
        let endpoint: Option<String> = table.require("token_endpoint");
        let (id, secret) = (table.require::<String>("our_client_id"), table.require::<Secret>("our_client_secret"));
        let endpoint = endpoint.filter(|url| self.check_url(table, "token_endpoint", url));
        let revocation = match revocation {
            Some(url) => Some(Some(url).filter(|url| self.check_url(table, "revocation_endpoint", url))?),
            None => None,
        };
        let (endpoint, id) = (endpoint?, id?);
        let client = TokenClient::builder(endpoint, ClientAuth::Basic { id: id.clone(), secret: secret? });
        let client = if self.development { client.insecure_http() } else { client };
        let client = revocation.into_iter().fold(client, TokenClientBuilder::revocation_endpoint);
        Some((client.build(self.http.clone()?).ok()?, id))
    }

    /// Whether credentials may go there: https, or this machine in development.
    fn check_url(&self, table: &Reader<'_>, key: &str, url: &str) -> bool {
        let Some(http) = self.http.clone() else { return true };
        let client = TokenClient::builder(url, ClientAuth::None { id: String::new() });
        let client = if self.development { client.insecure_http() } else { client };
        match client.build(http) {
            Ok(_) => true,
            Err(error) => {
                table.wrong(key, format_args!("is {error}"));
                false
            }
        }
    }
}

/// `root_certificates`: whom to trust besides the system's, in PEM. Nothing is
/// made where nobody is to be asked.
fn read_http(section: &mut Reader<'_>, folder: &Path) -> Option<HttpClient> {
    let file: Option<String> = section.take("root_certificates");
    let pem = match file.map(|file| fs::read(folder.join(file))) {
        None => None,
        Some(Ok(pem)) => Some(pem),
        Some(Err(error)) => {
            section.wrong("root_certificates", error);
            return None;
        }
    };
    if !section.has("peers") && !section.has("initiators") {
        return None;
    }
    match pem.into_iter().fold(HttpClient::builder(), HttpClientBuilder::root_certificates).build() {
        Ok(http) => Some(http),
        Err(error) => {
            section.wrong("root_certificates", error);
            None
        }
    }
}

/// RFC 3986 section 3.3: needs no escaping in any path.
fn is_path_segment(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    const PEER: &str = "client_id = \"a\"\ntoken_endpoint = \"https://a.example/token\"\nour_client_id = \"b-at-a\"\n\
                        our_client_secret = \"hunter2\"\n";

    /// A file of a server with a client, in development or not, and what is wrong with it.
    fn mistakes(development: bool, entries: &str) -> Vec<String> {
        let own = "issuer = \"http://127.0.0.1:9400\"\nlisten = \"127.0.0.1:9400\"\ndevelopment = true\n";
        let proxied = "issuer = \"https://as.example\"\ntrusted_proxies = [\"10.0.0.0/8\"]\n";
        let text = format!(
            "{}[[clients]]\nclient_id = \"a\"\nclient_secret = \"s\"\nredirect_uris = [\"https://a.example/cb\"]\n\
             grant_types = [\"authorization_code\", \"urn:ietf:params:oauth:grant-type:reciprocal\"]\n\
             [[clients]]\nclient_id = \"less\"\nclient_secret = \"s\"\ngrant_types = [\"client_credentials\"]\n\
             [[clients]]\nclient_id = \"public\"\nredirect_uris = [\"https://a.example/cb\"]\n\
             [reciprocal]\nenabled = true\n{entries}",
            if development { own } else { proxied }
        );
        let found = Config::parse(&text, std::path::Path::new(""));
        found.err().map_or_else(Vec::new, |error| error.to_string().lines().map(str::to_owned).collect())
    }

    // spec: TOK-54
    #[test]
    fn every_mistake_of_a_peer_is_named_by_its_key_and_no_secret_is_shown() {
        assert!(mistakes(false, &format!("[[reciprocal.peers]]\n{PEER}")).is_empty());
        let changed = |from: &str, to: &str| {
            let found = mistakes(false, &format!("[[reciprocal.peers]]\n{}", PEER.replace(from, to)));
            assert!(!found.iter().any(|line| line.contains("hunter2")));
            found
        };
        let key = |name: &str| format!("reciprocal.peers[0].{name}");
        for (from, to, name) in [
            ("\"a\"", "\"unknown\"", "client_id"),
            ("\"a\"", "\"less\"", "client_id"),
            ("\"a\"", "\"public\"", "client_id"),
            ("https://a.example/token", "http://a.example/token", "token_endpoint"),
            ("https://a.example/token", "http://127.0.0.1/token", "token_endpoint"),
            ("https://a.example/token", "a.example", "token_endpoint"),
            ("token_endpoint =", "revocation_endpoint =", "token_endpoint"),
            ("our_client_secret", "our_secret", "our_secret"),
            ("our_client_id =", "scope = \"a\\\"b\"\nour_client_id =", "scope"),
            ("our_client_id =", "revocation_endpoint = \"http://a.example/r\"\nour_client_id =", "revocation_endpoint"),
        ] {
            let found = changed(from, to);
            assert!(found.iter().any(|line| line.starts_with(&format!("{}: ", key(name)))), "{name}: {found:?}");
        }
        let twice = mistakes(false, &format!("[[reciprocal.peers]]\n{PEER}[[reciprocal.peers]]\n{PEER}"));
        assert_eq!(twice, ["reciprocal.peers[1].client_id: is the one of another peer too"]);
    }

    #[test]
    fn an_initiator_needs_a_name_for_its_path_and_an_issuer_may_be_on_this_machine_in_development_alone() {
        let entry = |name: &str, issuer: &str| {
            format!("[[reciprocal.initiators]]\nname = \"{name}\"\nissuer = \"{issuer}\"\n{PEER}")
        };
        assert!(mistakes(false, &entry("music", "https://a.example")).is_empty());
        assert!(mistakes(true, &entry("music", "http://127.0.0.1:9500")).is_empty());
        let wrong = mistakes(false, &entry("music", "http://127.0.0.1:9500"));
        assert_eq!(wrong, ["reciprocal.initiators[0].issuer: is not an https URL"]);
        let wrong = mistakes(false, &entry("a/b", "https://a.example"));
        assert_eq!(wrong, ["reciprocal.initiators[0].name: must be letters, digits, `-` and `_`"]);
        let two = entry("music", "https://a.example").repeat(2);
        assert_eq!(mistakes(false, &two), ["reciprocal.initiators[1].name: is the name of another initiator too"]);
    }

    #[test]
    fn numbers_have_their_ranges() {
        for (key, bad) in [("code_lifetime", 601), ("retries", 21), ("retry_seconds", 0)] {
            let found = mistakes(false, &format!("{key} = {bad}\n"));
            assert!(found.len() == 1 && found[0].starts_with(&format!("reciprocal.{key}: must be from")), "{found:?}");
        }
    }
}
