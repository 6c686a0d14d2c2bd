//! URLs that a stranger may have this server ask.

use std::{fmt, net::IpAddr};

use url::{Host, Url};

/// A URL that is asked: https, to a host that has a name.
///
/// It is accepted only where it is spelled in the one way that every reader
/// takes alike: nothing in it is decoded, normalized or left out. Whether the
/// name may be asked is not decided here, but by the addresses it turns out to
/// have.
///
/// ```
/// use oauth_core::fetch::{FetchUrl, InvalidFetchUrl};
/// let url = FetchUrl::parse("https://app.example:8443/client.json?v=2")?;
/// assert_eq!((url.host(), url.port(), url.target()), ("app.example", 8443, "/client.json?v=2"));
/// assert_eq!(FetchUrl::parse("https://127.0.0.1/"), Err(InvalidFetchUrl::Host));
/// # Ok::<_, InvalidFetchUrl>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct FetchUrl {
    is_https: bool,
    host: Box<str>,
    /// An address that stands in the URL itself; loopback only.
    address: Option<IpAddr>,
    port: u16,
    target: Box<str>,
}

/// Why a URL is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidFetchUrl {
    /// Too long, not an absolute URL, not all printable ASCII, or spelled in
    /// another way than it is sent: with dot segments, an encoded host, port 0.
    #[error("not an absolute URL in its normal form")]
    Malformed,
    /// Not https.
    #[error("not an https URL")]
    NotHttps,
    /// It carries a user name or a password.
    #[error("a URL with credentials in it")]
    HasCredentials,
    /// It has a fragment.
    #[error("a URL with a fragment")]
    HasFragment,
    /// The host is not a public name: an address, `localhost`, a single word, or
    /// a name that ends in a dot.
    #[error("the host is not a public name")]
    Host,
}

impl FetchUrl {
    /// The longest URL that is looked at, in bytes.
    pub const MAX_BYTES: usize = 2048;

    /// Reads `text`.
    ///
    /// # Errors
    /// [`InvalidFetchUrl`] says which rule it breaks.
    pub fn parse(text: &str) -> Result<Self, InvalidFetchUrl> {
        Self::read(text, false)
    }

    /// Reads `text`; accepts `localhost` and loopback addresses too, and plain
    /// http to these. For development on one's own machine, never for more.
    ///
    /// # Errors
    /// [`InvalidFetchUrl`] says which rule it breaks.
    pub fn insecure_parse_loopback(text: &str) -> Result<Self, InvalidFetchUrl> {
        Self::read(text, true)
    }

    /// Whether it is https; else it is http, to loopback.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.is_https
    }

    /// The host, in lower case; an IPv6 address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The address, if the host is one. It is a loopback address then.
    #[must_use]
    pub const fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Whether the host is `localhost` or below it (RFC 6761 section 6.3).
    #[must_use]
    pub fn is_localhost(&self) -> bool {
        is_localhost(&self.host)
    }

    /// The port; 443 if the URL does not say (80 for http).
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// What `Host` says (RFC 9110 section 7.2).
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.to_string() };
        let usual = if self.is_https { 443 } else { 80 };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }

    /// The path and the query, as they are sent.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    fn read(text: &str, loopback: bool) -> Result<Self, InvalidFetchUrl> {
        // Line feeds and tabs a lenient parser would drop, a backslash it would
        // turn over.
        let plain = |b: u8| b.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&b);
        if text.len() > Self::MAX_BYTES || !text.bytes().all(plain) {
            return Err(InvalidFetchUrl::Malformed);
        }
        if text.contains('#') {
            return Err(InvalidFetchUrl::HasFragment);
        }
        let (scheme, rest) = text.split_once("://").ok_or(InvalidFetchUrl::Malformed)?;
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(InvalidFetchUrl::HasCredentials);
        }
        let url = Url::parse(text).map_err(|_| InvalidFetchUrl::Malformed)?;
        let is_https = scheme.eq_ignore_ascii_case("https");
        let (host, port) = host_and_port(authority, &url)?;
        let is_local = loopback && is_loopback(&url);
        if !is_local && !is_public_name(&host) {
            return Err(if is_https { InvalidFetchUrl::Host } else { InvalidFetchUrl::NotHttps });
        }
        if !(is_https || is_local && scheme.eq_ignore_ascii_case("http")) {
            return Err(InvalidFetchUrl::NotHttps);
        }
        let address = host.parse().ok();
        Ok(Self { is_https, host: host.into(), address, port, target: same_target(target, &url)? })
    }
}

/// The host in lower case and the port, if parsing has not changed them: then
/// nobody has read `%31`, `0x7f.1` or a full stop of another script into them.
fn host_and_port(authority: &str, url: &Url) -> Result<(String, u16), InvalidFetchUrl> {
    let host = url.host_str().ok_or(InvalidFetchUrl::Malformed)?;
    let written = authority.to_ascii_lowercase();
    let port = url.port_or_known_default().filter(|port| *port != 0).ok_or(InvalidFetchUrl::Malformed)?;
    let rest = written.strip_prefix(host).ok_or_else(|| odd_host(url))?;
    if !rest.is_empty() && rest.strip_prefix(':') != Some(port.to_string().as_str()) {
        return Err(odd_host(url));
    }
    Ok((host.trim_start_matches('[').trim_end_matches(']').to_owned(), port))
}

/// An address under another spelling is an address all the same.
fn odd_host(url: &Url) -> InvalidFetchUrl {
    match url.host() {
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => InvalidFetchUrl::Host,
        _ => InvalidFetchUrl::Malformed,
    }
}

/// A path with dot segments would be sent as another one; some readers decode
/// `%2e` first.
fn same_target(target: &str, url: &Url) -> Result<Box<str>, InvalidFetchUrl> {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let path = if path.is_empty() { "/" } else { path };
    if url.path() != path || url.query() != query {
        return Err(InvalidFetchUrl::Malformed);
    }
    Ok(query.map_or_else(|| path.into(), |query| format!("{path}?{query}").into()))
}

/// A name of two labels or more: a single one is completed by the search list of
/// whoever looks it up, and so is in somebody's own network.
fn is_public_name(host: &str) -> bool {
    let label = |label: &str| {
        let legal = label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        legal && (1..=63).contains(&label.len())
    };
    let is_name = host.split('.').all(label) && host.contains('.') && host.len() <= 253;
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_address = last.bytes().all(|b| b.is_ascii_digit());
    is_name && !is_address && !is_localhost(host)
}

fn is_localhost(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_localhost(name),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Display for FetchUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.target)
    }
}

/// Without the query: a `request_uri` can be a secret of its client.
impl fmt::Debug for FetchUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.target.split('?').next().unwrap_or_default();
        write!(f, "FetchUrl({}{path})", self.authority())
    }
}
