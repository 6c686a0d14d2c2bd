//! Redirect URIs: whole, exact, and compared byte for byte.

use std::net::IpAddr;

use url::{Host, Url};

use super::host_name;

/// A registered redirect URI, kept as it was written: comparing parsed URLs
/// would let two spellings pass as one (RFC 9700 section 2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUri {
    text: Box<str>,
    /// For loopback entries, the text around the port: `http://127.0.0.1` and
    /// `/cb?x`.
    loopback: Option<(Box<str>, Box<str>)>,
}

/// Why a URI cannot be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRedirectUri {
    /// Not an absolute URI.
    #[error("a redirect URI is one whole absolute URI")]
    NotAbsolute,
    /// Longer than 2048 characters, or with a character or an escape that readers
    /// read differently.
    #[error(
        "a redirect URI is of at most 2048 plain ASCII characters, without a wildcard or an escaped control character"
    )]
    Characters,
    /// No path (draft-16 section 2.3.1: "including the path component").
    #[error("a redirect URI has a path after the host, at least a slash")]
    PathMissing,
    /// `.` or `..` as a segment of the path.
    #[error("a redirect URI has no segment that is . or ..")]
    DotSegment,
    /// A host or a port that is not spelled as every reader spells it, or a host that nobody can have.
    #[error(
        "the host of a redirect URI is spelled out, each label of it of letters, digits and inner hyphens, and its \
         port is a plain number"
    )]
    Host,
    /// A parameter that the answer has too (OAuth 2.1 section 3.1: none may be
    /// there twice).
    #[error("a redirect URI has no parameter that the answer has too, such as code, state, iss or error")]
    ResponseParameter,
    /// It has a fragment (OAuth 2.1 section 3.1.2).
    #[error("a redirect URI has no fragment")]
    Fragment,
    /// It has a user name or password.
    #[error("a redirect URI has no user information")]
    UserInformation,
    /// Plain http to another machine (OAuth 2.1 section 9.7.1).
    #[error("http redirect URIs are for 127.0.0.1 and [::1] only")]
    Cleartext,
    /// A scheme that runs or reads something in the browser.
    #[error("this scheme can never be redirected to")]
    Scheme,
    /// A private-use scheme without a dot, or with an authority
    /// (RFC 8252 section 7.1).
    #[error("a private-use scheme is a reversed domain name, as in com.example.app:/callback")]
    PrivateUse,
}

/// Which redirect URIs may be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RedirectRules {
    /// Those of OAuth 2.1.
    Strict,
    /// `http://localhost` too.
    Localhost,
    /// The same, and private-use schemes without a slash after them, as Matrix has them.
    #[cfg_attr(not(any(feature = "server", test)), expect(dead_code, reason = "only a server registers clients"))]
    Native,
    /// What a store has kept: all of these, and hosts that are none. What may be registered was decided
    /// when it was, and a record that cannot be read would be in everybody's way.
    Kept,
}

impl From<bool> for RedirectRules {
    fn from(localhost: bool) -> Self {
        if localhost { Self::Localhost } else { Self::Strict }
    }
}

impl RedirectRules {
    const fn takes_no_slash(self) -> bool {
        matches!(self, Self::Native | Self::Kept)
    }
}

/// What an answer may add to the query (OAuth 2.1 section 4.1.2, RFC 9207, JARM).
const RESPONSE_PARAMETERS: [&str; 7] = ["code", "state", "iss", "error", "error_description", "error_uri", "response"];

impl RedirectUri {
    /// Checks `text` as a redirect URI to register.
    ///
    /// ```
    /// use oauth_core::client::RedirectUri;
    /// assert!(RedirectUri::parse("https://app.example/cb").is_ok());
    /// assert!(RedirectUri::parse("com.example.app:/cb").is_ok());
    /// assert!(RedirectUri::parse("http://app.example/cb").is_err());
    /// ```
    ///
    /// # Errors
    /// [`InvalidRedirectUri`] says which rule it breaks.
    pub fn parse(text: &str) -> Result<Self, InvalidRedirectUri> {
        Self::check(text, RedirectRules::Strict)
    }

    /// The same, but `http://localhost` passes as well, where the operator
    /// says so. Any program may listen there under an address of its own, so
    /// OAuth 2.1 section 10.3.3 does not recommend it; its port is not free.
    ///
    /// ```
    /// use oauth_core::client::RedirectUri;
    /// assert!(RedirectUri::parse("http://localhost:3000/cb").is_err());
    /// assert!(RedirectUri::parse_or_localhost("http://localhost:3000/cb").is_ok());
    /// ```
    ///
    /// # Errors
    /// [`InvalidRedirectUri`] says which rule it breaks.
    pub fn parse_or_localhost(text: &str) -> Result<Self, InvalidRedirectUri> {
        Self::check(text, RedirectRules::Localhost)
    }

    /// Checks `text` by `rules`.
    pub(crate) fn check(text: &str, rules: RedirectRules) -> Result<Self, InvalidRedirectUri> {
        if !is_written_plainly(text) {
            return Err(InvalidRedirectUri::Characters);
        }
        let url = Url::parse(text).map_err(|_| InvalidRedirectUri::NotAbsolute)?;
        if text.contains('#') {
            return Err(InvalidRedirectUri::Fragment);
        }
        match url.scheme() {
            "https" => check_authority(text, &url, rules)?,
            "http" => {
                check_authority(text, &url, rules)?;
                if !(is_loopback(&url) || rules != RedirectRules::Strict && url.host_str() == Some("localhost")) {
                    return Err(InvalidRedirectUri::Cleartext);
                }
            }
            "javascript" | "data" | "file" | "vbscript" | "about" | "blob" | "ws" | "wss" | "ftp" | "view-source" => {
                return Err(InvalidRedirectUri::Scheme);
            }
            private => check_private_use(text, private, rules)?,
        }
        if has_dot_segment(text) {
            return Err(InvalidRedirectUri::DotSegment);
        }
        if url.query_pairs().any(|(name, _)| RESPONSE_PARAMETERS.contains(&&*name)) {
            return Err(InvalidRedirectUri::ResponseParameter);
        }
        Ok(Self { text: text.into(), loopback: around_port(text) })
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url().is_some_and(|url| url.scheme() == "https")
    }

    /// Whether it leads to the machine that the browser runs on.
    pub(crate) fn is_on_this_machine(&self) -> bool {
        let host = self.url().and_then(|url| url.host().map(|host| host.to_owned()));
        match host {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
            Some(Host::Ipv6(ip)) => IpAddr::V6(ip).to_canonical().is_loopback(),
            None => false,
        }
    }

    fn url(&self) -> Option<Url> {
        Url::parse(&self.text).ok()
    }

    /// The URI as it was registered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `requested` is this URI: byte for byte, save for the port of a
    /// loopback address, which a native app cannot know ahead (RFC 8252
    /// section 7.3).
    ///
    /// ```
    /// use oauth_core::client::RedirectUri;
    /// let app = RedirectUri::parse("http://127.0.0.1/cb")?;
    /// assert!(app.matches("http://127.0.0.1:51004/cb"));
    /// assert!(!app.matches("http://127.0.0.1:51004/cb/"));
    /// assert!(!app.matches("http://127.0.0.1@evil.example/cb"));
    /// # Ok::<_, oauth_core::client::InvalidRedirectUri>(())
    /// ```
    #[must_use]
    pub fn matches(&self, requested: &str) -> bool {
        if *self.text == *requested {
            return true;
        }
        self.loopback.is_some() && around_port(requested) == self.loopback
    }

    /// The host a person should see on the consent page; the scheme for a
    /// private-use URI.
    #[must_use]
    pub fn shown_host(&self) -> String {
        let url = Url::parse(&self.text).ok();
        let host = url.as_ref().and_then(|url| url.host_str());
        host.or(url.as_ref().map(Url::scheme)).unwrap_or_default().to_owned()
    }
}

/// Printable ASCII that no browser rewrites, with no wildcard, and nothing
/// hidden in an escape: a URI that two readers read alike.
fn is_written_plainly(text: &str) -> bool {
    let legal = |b: u8| (0x21..=0x7E).contains(&b) && !b"*\\\"<>{}|^`".contains(&b);
    text.len() <= 2048 && text.bytes().all(legal) && text.split('%').skip(1).all(is_plain_escape)
}

/// Two hexadecimal digits, and not those of a control character.
fn is_plain_escape(rest: &str) -> bool {
    let digits = rest.get(..2).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
    byte.is_some_and(|byte| !byte.is_ascii_control())
}

/// Browsers leave out `/../` and `/%2e/`, so the code would go elsewhere.
fn has_dot_segment(text: &str) -> bool {
    let path = text.split('?').next().unwrap_or_default().to_ascii_lowercase().replace("%2e", ".");
    path.split('/').any(|segment| matches!(segment, "." | ".."))
}

/// RFC 8252 section 7.1: a reversed domain name, and "only a single slash"
/// after it, for there is no authority.
///
/// Matrix has some without a slash ("Redirect URI validation").
fn check_private_use(text: &str, scheme: &str, rules: RedirectRules) -> Result<(), InvalidRedirectUri> {
    let rest = text.get(scheme.len()..).and_then(|rest| rest.strip_prefix(':'));
    let rest = match rest.and_then(|rest| rest.strip_prefix('/')) {
        None => rest.filter(|rest| rules.takes_no_slash() && !rest.is_empty()),
        path => path,
    };
    let reversed_domain = scheme.contains('.') && scheme.split('.').all(|label| !label.is_empty());
    match rest {
        Some(path) if reversed_domain && !path.starts_with('/') => Ok(()),
        _ => Err(InvalidRedirectUri::PrivateUse),
    }
}

/// The host must be spelled out as every reader reads it, and nothing may hide
/// before an `@`.
fn check_authority(text: &str, url: &Url, rules: RedirectRules) -> Result<(), InvalidRedirectUri> {
    // Right after the scheme: the URL parser takes `https:ada@evil.example/://` for an authority too.
    let rest = text.get(url.scheme().len()..).and_then(|rest| rest.strip_prefix("://"));
    // Draft-16 section 2.3.1: "including the path component".
    let authority = rest.and_then(|rest| rest.split_once('/')).map(|(authority, _)| authority);
    match (authority, url.host_str()) {
        (None, Some(_)) if rest.is_some_and(|rest| !rest.is_empty()) => Err(InvalidRedirectUri::PathMissing),
        (Some(authority), Some(_)) if authority.contains('?') => Err(InvalidRedirectUri::PathMissing),
        (None | Some(""), _) | (_, None) => Err(InvalidRedirectUri::NotAbsolute),
        (Some(authority), _) if authority.contains('@') => Err(InvalidRedirectUri::UserInformation),
        (Some(authority), Some(host)) => match authority.to_ascii_lowercase().strip_prefix(host) {
            Some(port) if is_port(port) && (rules == RedirectRules::Kept || host_name::has_host(url)) => Ok(()),
            _ => Err(InvalidRedirectUri::Host),
        },
    }
}

/// Nothing, or a colon and a number as everybody writes it.
fn is_port(text: &str) -> bool {
    let number = text.strip_prefix(':');
    text.is_empty()
        || number.is_some_and(|number| number.parse::<u16>().is_ok_and(|port| port > 0 && port.to_string() == number))
}

/// OAuth 2.1 section 10.3.3: the loopback IP literals. Any other way to write
/// them has been refused.
fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("127.0.0.1" | "[::1]"))
}

/// Splits a loopback URI around its port; `None` if it is not exactly
/// `http://` + `127.0.0.1` or `[::1]` + an optional port + path and query.
fn around_port(text: &str) -> Option<(Box<str>, Box<str>)> {
    let origin = ["http://127.0.0.1", "http://[::1]"].into_iter().find(|origin| text.starts_with(origin))?;
    let rest = text.strip_prefix(origin)?;
    let rest = match rest.strip_prefix(':') {
        None => rest,
        Some(after) => {
            let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
            let (port, path) = after.split_at(end);
            port.parse::<u16>().ok().filter(|_| !port.starts_with('0'))?;
            path
        }
    };
    // What follows the port must be a path or a query, not more authority.
    (rest.is_empty() || rest.starts_with(['/', '?'])).then(|| (origin.into(), rest.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // spec: REG-06, REG-07, REG-08, REG-09
    #[test]
    fn only_whole_safe_uris_can_be_registered() {
        use InvalidRedirectUri::*;
        for good in ["https://a.example/cb?x=1", "http://127.0.0.1:80/cb", "http://[::1]/cb", "com.example.app:/cb"] {
            assert!(RedirectUri::parse(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("/cb", NotAbsolute),
            ("https://", NotAbsolute),
            ("https://a.example", PathMissing),
            ("https://a.example?x=/", PathMissing),
            ("https:a.example/cb", NotAbsolute),
            ("https:a@b.example/://x", NotAbsolute),
            ("http:127.0.0.1/cb?x=://y", NotAbsolute),
            ("https://*.example/cb", Characters),
            ("https://a.example/\r\n", Characters),
            ("https://a.example/cb#x", Fragment),
            ("https://a@b.example/cb", UserInformation),
            ("http://a.example/cb", Cleartext),
            ("http://localhost/cb", Cleartext),
            ("http://127.0.0.1.evil.example/cb", Cleartext),
            ("javascript:alert(1)", Scheme),
            ("data:text/html,x", Scheme),
            ("myapp:/cb", PrivateUse),
            ("com.example.app://cb", PrivateUse),
            ("com.example.app:cb", PrivateUse),
            ("com.example.app:", PrivateUse),
            ("https://a.example/%2e%2E/cb", DotSegment),
            ("http://2130706433/cb", Host),
            ("https://a.example:0/cb", Host),
            ("https://.example.com/cb", Host),
            ("https://a..example.com/cb", Host),
            ("https://-a.example.com/cb", Host),
            ("https://a-.example.com:8443/cb", Host),
            ("https://a.example/cb?a=1&%63ode=x", ResponseParameter),
            ("com.example.app:/cb?state=x", ResponseParameter),
            ("http://127.0.0.2/cb", Cleartext),
        ] {
            assert_eq!(RedirectUri::parse(bad), Err(why), "{bad}");
            assert!(RedirectUri::parse_or_localhost(bad).is_ok() == bad.contains("//localhost/"), "{bad}");
        }
    }

    // spec: MTX-07
    #[test]
    fn a_private_use_scheme_of_matrix_needs_no_slash() {
        let check = |text| RedirectUri::check(text, RedirectRules::Native);
        for good in ["com.example:cb", "com.example.app:/cb", "com.example:/", "http://localhost/cb"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["example:cb", "com.example://cb", "com.example:", "javascript:x", "https://a..example/cb"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_was_registered_before_hosts_were_looked_at_can_still_be_read() {
        let check = |text| RedirectUri::check(text, RedirectRules::Kept);
        for kept in ["https://-a.example/cb", "https://a..example/cb", "com.example:cb", "http://localhost/cb"] {
            assert!(check(kept).is_ok(), "{kept}");
        }
        for bad in ["https://a@b.example/cb", "https://a.example:0/cb", "javascript:x", "/cb"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    // spec: AUZ-06
    #[test]
    fn comparison_is_byte_equality() {
        let registered = RedirectUri::parse("https://a.example/cb").unwrap();
        assert!(registered.matches("https://a.example/cb"));
        for other in [
            "https://A.example/cb",
            "https://a.example/cb/",
            "https://a.example:443/cb",
            "https://a.example/%63b",
            "https://a.example/x/../cb",
            "https://a.example/cb?x=1",
            "https://a.example/cb#",
            "https://a.example/cb ",
        ] {
            assert!(!registered.matches(other), "{other}");
        }
    }

    // spec: AUZ-07
    #[test]
    fn only_the_port_of_a_loopback_address_is_free() {
        let registered = RedirectUri::parse("http://127.0.0.1:8000/cb?x=1").unwrap();
        for good in ["http://127.0.0.1/cb?x=1", "http://127.0.0.1:1/cb?x=1", "http://127.0.0.1:65535/cb?x=1"] {
            assert!(registered.matches(good), "{good}");
        }
        for other in [
            "https://127.0.0.1:8000/cb?x=1",
            "http://127.0.0.2:8000/cb?x=1",
            "http://[::1]:8000/cb?x=1",
            "http://127.0.0.1:8000/CB?x=1",
            "http://127.0.0.1:8000/cb",
            "http://127.0.0.1:65536/cb?x=1",
            "http://127.0.0.1:/cb?x=1",
            "http://127.0.0.1:08000/cb?x=1",
            "http://127.0.0.1@evil.example/cb?x=1",
            "http://127.0.0.1:80@evil.example/cb?x=1",
            "http://127.0.0.1.evil.example/cb?x=1",
        ] {
            assert!(!registered.matches(other), "{other}");
        }
        assert!(!RedirectUri::parse("https://127.0.0.1/cb").unwrap().matches("https://127.0.0.1:8443/cb"));
    }
}
