//! What clients may register ("Client metadata", "Redirect URI validation").

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use url::{Host, Url};

use super::MatrixSettings;
use crate::{
    client::{
        ApplicationType, Client, ClientId,
        metadata::{ClientMetadata, RegistrationError, describe},
    },
    secret::Digest,
    server::AuthorizationServer,
};

/// What redirect URIs there are ("Redirect URI validation").
const WEB: &str = "must be https, at the host of the client_uri or below it, as application_type is web";
const NATIVE: &str = "must be https at the host of the client_uri or below it, or have that host the other way round \
                      for a scheme as in com.example.app:/cb, or be http://localhost, http://127.0.0.1 or http://[::1] \
                      without a port";

/// Holds what a client says of itself to the rules, which all hang on its `client_uri`.
pub(crate) fn check(metadata: &ClientMetadata) -> Result<(), RegistrationError> {
    let profile = &metadata.profile;
    let wrong = |name: &str, what: &str| RegistrationError::ClientMetadata(format!("{name}: {what}"));
    let page = profile.client_uri.as_deref().ok_or_else(|| wrong("client_uri", "is missing"))?;
    let base = Base::read(page).map_err(|what| wrong("client_uri", what))?;
    for (name, uri) in
        [("logo_uri", &profile.logo_uri), ("tos_uri", &profile.tos_uri), ("policy_uri", &profile.policy_uri)]
    {
        if uri.as_deref().is_some_and(|uri| !base.covers(uri)) {
            return Err(wrong(name, "must be https, at the host of the client_uri or below it"));
        }
    }
    let native = profile.application_type == Some(ApplicationType::Native);
    for uri in &metadata.redirect_uris {
        let text = uri.as_str();
        if !(base.covers(text) || native && (base.owns_scheme(text) || is_loopback(text))) {
            let what = if native { NATIVE } else { WEB };
            return Err(RegistrationError::RedirectUri(format!("redirect_uris: `{text}` {what}")));
        }
    }
    Ok(())
}

/// What is registered where a client leaves it out.
pub(crate) fn adjust(metadata: &mut ClientMetadata) {
    let _type = metadata.profile.application_type.get_or_insert(ApplicationType::Web);
    MatrixSettings::complete(&mut metadata.grant_types);
}

/// The identifier that all clients share which say the same of themselves: they "MUST
/// register anew at each authorization flow" ("Dynamic client registration flow"). It is
/// for clients that have no secrets.
pub(crate) fn shared_id(server: &AuthorizationServer, client: &Client) -> Option<ClientId> {
    let members: BTreeMap<String, Value> = describe(client).into_iter().collect();
    let said = members.into_iter().filter(|(name, _)| !matches!(&**name, "client_id" | "client_id_issued_at"));
    let said = serde_json::to_vec(&said.collect::<BTreeMap<_, _>>()).ok()?;
    let digest = Digest::of(&[b"matrix client\n", server.issuer().as_bytes(), b"\n", &said]);
    ClientId::new(&format!("dyn-{}", URL_SAFE_NO_PAD.encode(digest.as_bytes()))).ok()
}

/// The host that a client's addresses have in common.
struct Base(Host<String>);

impl Base {
    /// Reads it; the error says what it must be ("Client metadata": https, and no user information).
    fn read(client_uri: &str) -> Result<Self, &'static str> {
        let url = Url::parse(client_uri).map_err(|_| "must be an https URL")?;
        if url.scheme() != "https" {
            return Err("must be https, whatever its host: http is for redirect_uris of native clients on localhost");
        }
        if has_user(&url) {
            return Err("must have no user name and no password");
        }
        let host = url.host().ok_or("must have a host")?.to_owned();
        match &host {
            Host::Domain(name) if name.ends_with('.') => Err("must have a host without a dot at its end"),
            // Whoever has `co.uk` for a base would have all of its customers for one.
            Host::Domain(name) if psl::domain(name.as_bytes()).is_none() => {
                Err("must have a host of the client's own, as in app.example.org: localhost and co.uk are nobody's")
            }
            Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_) => Ok(Self(host)),
        }
    }

    /// Whether `uri` is https, at this host or below it.
    fn covers(&self, uri: &str) -> bool {
        let Some(host) = https(uri).and_then(|url| url.host().map(|host| host.to_owned())) else { return false };
        let below = |base: &str, name: &str| name.strip_suffix(base).is_some_and(|more| more.ends_with('.'));
        host == self.0 || matches!((&self.0, &host), (Host::Domain(base), Host::Domain(name)) if below(base, name))
    }

    /// Whether the scheme of `uri` begins with this host, its labels the other way round.
    fn owns_scheme(&self, uri: &str) -> bool {
        let Host::Domain(name) = &self.0 else { return false };
        let Some((scheme, rest)) = uri.split_once(':') else { return false };
        let scheme = scheme.to_ascii_lowercase();
        let mut labels = scheme.split('.');
        name.rsplit('.').all(|label| labels.next() == Some(label)) && !rest.starts_with("//")
    }
}

/// An https URL without user information.
fn https(uri: &str) -> Option<Url> {
    Url::parse(uri).ok().filter(|url| url.scheme() == "https" && !has_user(url))
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// "MUST NOT have a port at registration".
fn is_loopback(uri: &str) -> bool {
    let rest = uri.strip_prefix("http://").unwrap_or_default();
    let host = rest.split(['/', '?']).next();
    matches!(host, Some("localhost" | "127.0.0.1" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(uri: &str) -> Option<Base> {
        Base::read(uri).ok()
    }

    #[test]
    fn what_is_wrong_with_the_page_of_a_client_is_said_and_what_would_be_right() {
        for (uri, said) in [
            ("http://localhost/", "must be https, whatever its host: http is for redirect_uris of native clients"),
            ("http://example.com/", "must be https, "),
            ("https://u:p@example.com/", "must have no user name and no password"),
            ("https://localhost/", "must have a host of the client's own, as in app.example.org: localhost"),
            ("https://co.uk/", "must have a host of the client's own"),
            ("https://example.com./", "must have a host without a dot at its end"),
        ] {
            let what = Base::read(uri).err().unwrap();
            assert!(what.starts_with(said) && what.is_ascii() && !what.contains(['"', '\\']), "{uri}: {what}");
        }
    }

    // spec: MTX-04
    #[test]
    fn a_client_has_a_host_of_its_own() {
        for good in
            ["https://example.com/", "https://app.example.co.uk/x?y", "https://192.0.2.1/", "https://a.github.io/"]
        {
            assert!(base(good).is_some(), "{good}");
        }
        for bad in ["http://example.com/", "https://com/", "https://co.uk/", "https://github.io/", "https://localhost/"]
        {
            assert!(base(bad).is_none(), "{bad}");
        }
        assert!(base("https://u@example.com/").is_none() && base("https://example.com./").is_none());
    }

    // spec: MTX-05
    #[test]
    fn other_addresses_are_at_that_host_or_below_it() {
        let base = base("https://example.com/").unwrap();
        for good in ["https://example.com/x", "https://a.b.example.com:1/?q"] {
            assert!(base.covers(good), "{good}");
        }
        for bad in
            ["https://evilexample.com/", "https://com/", "http://example.com/", "https://example.com.evil.example/"]
        {
            assert!(!base.covers(bad), "{bad}");
        }
        assert!(!self::base("https://192.0.2.1/").unwrap().covers("https://2.0.2.1/"));
    }

    // spec: MTX-07
    #[test]
    fn a_scheme_begins_with_the_whole_host() {
        let base = base("https://example.com/").unwrap();
        for good in ["com.example:/x", "com.example.app:/x", "com.example:x", "COM.Example.app:/x"] {
            assert!(base.owns_scheme(good), "{good}");
        }
        for bad in ["com.examplevil:/x", "example:/x", "com:/x", "com.example.app://x", "net.example:/x"] {
            assert!(!base.owns_scheme(bad), "{bad}");
        }
    }

    // spec: MTX-08
    #[test]
    fn this_machine_is_registered_without_a_port() {
        for good in ["http://localhost/", "http://127.0.0.1/cb", "http://[::1]/cb?x"] {
            assert!(is_loopback(good), "{good}");
        }
        for bad in ["http://localhost:1234/", "http://127.0.0.1:80/cb", "https://localhost/cb", "http://127.0.0.2/"] {
            assert!(!is_loopback(bad), "{bad}");
        }
    }
}
