//! `htu`: the target URI, normalized so that equal means equivalent.

use std::{fmt::Write, net::Ipv6Addr};

/// The target URI of a request (RFC 9110 section 7.1) without query and
/// fragment, normalized by syntax and scheme (RFC 3986 sections 6.2.2 and
/// 6.2.3): case of scheme and host, default port, dot segments, case of
/// percent-encodings, and those that need not be.
///
/// RFC 9449 section 4.3, item 9 has `htu` compared "ignoring any query and
/// fragment parts": so a query or fragment is dropped here on both sides,
/// although a well-behaved client leaves them out (section 4.2).
///
/// ```
/// use oauth_core::dpop::TargetUri;
/// let same = TargetUri::parse("https://api.example/~ada/")?;
/// assert_eq!(TargetUri::parse("HTTPS://API.Example:443/x/../%7eada/?page=2#top")?, same);
/// assert_ne!(TargetUri::parse("https://api.example/~ada")?, same);
/// assert!(TargetUri::parse("/~ada/").is_err());
/// # Ok::<_, oauth_core::dpop::InvalidTargetUri>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TargetUri(Box<str>);

/// Not an absolute `http` or `https` URI, or with user information, or longer
/// than [`TargetUri::MAX_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an absolute http or https URI")]
pub struct InvalidTargetUri;

impl TargetUri {
    /// The longest URI that is looked at.
    pub const MAX_BYTES: usize = 8 * 1024;

    /// Reads and normalizes `uri`.
    ///
    /// Visible characters that no URI may have, as `|`, count as their
    /// percent-encoding: browsers send them as they are. Anything else that
    /// RFC 3986 does not allow is refused, not repaired.
    ///
    /// # Errors
    /// [`InvalidTargetUri`] if `uri` is no such URI.
    pub fn parse(uri: &str) -> Result<Self, InvalidTargetUri> {
        if uri.len() > Self::MAX_BYTES {
            return Err(InvalidTargetUri);
        }
        normalize(uri).map(Self).ok_or(InvalidTargetUri)
    }

    /// The normalized URI.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn normalize(uri: &str) -> Option<Box<str>> {
    let uri = uri.split(['?', '#']).next()?;
    let (scheme, rest) = uri.split_once("://")?;
    let (scheme, default_port) = known_scheme(scheme)?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = host_and_port(authority)?;
    let mut text = String::with_capacity(uri.len() + 1);
    text.push_str(scheme);
    text.push_str("://");
    text.push_str(&host);
    if let Some(port) = port.filter(|port| *port != default_port) {
        write!(text, ":{port}").ok()?;
    }
    push_path(&percent_normalized(path)?, &mut text);
    Some(text.into())
}

fn known_scheme(scheme: &str) -> Option<(&'static str, u16)> {
    match () {
        () if scheme.eq_ignore_ascii_case("https") => Some(("https", 443)),
        () if scheme.eq_ignore_ascii_case("http") => Some(("http", 80)),
        () => None,
    }
}

/// RFC 9110 section 4.2.4: user information in a URI from an untrusted source
/// is an error; RFC 3986 section 3.2.3: an empty port is none.
fn host_and_port(authority: &str) -> Option<(String, Option<u16>)> {
    let (host, rest) = match authority.strip_prefix('[') {
        Some(literal) => {
            let (address, rest) = literal.split_once(']')?;
            (format!("[{}]", address.parse::<Ipv6Addr>().ok()?), rest)
        }
        None => {
            let (host, rest) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            let allowed = |byte: u8| is_unreserved(byte) || is_sub_delimiter(byte);
            if host.is_empty() || !host.bytes().all(allowed) {
                return None;
            }
            (host.to_ascii_lowercase(), rest)
        }
    };
    match rest.strip_prefix(':') {
        Some("") => Some((host, None)),
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => Some((host, Some(port.parse().ok()?))),
        None if rest.is_empty() => Some((host, None)),
        _ => None,
    }
}

/// RFC 3986 sections 6.2.2.1 and 6.2.2.2: upper case, and none that is not
/// needed.
fn percent_normalized(path: &str) -> Option<String> {
    let mut text = String::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let decoded = hex(bytes.next()?)? << 4 | hex(bytes.next()?)?;
                if is_unreserved(decoded) {
                    text.push(char::from(decoded));
                } else {
                    write!(text, "%{decoded:02X}").ok()?;
                }
            }
            b'/' | b':' | b'@' => text.push(char::from(byte)),
            _ if is_unreserved(byte) || is_sub_delimiter(byte) => text.push(char::from(byte)),
            b'!'..=b'~' => write!(text, "%{byte:02X}").ok()?,
            _ => return None,
        }
    }
    Some(text)
}

/// RFC 3986 section 6.2.2.3; an empty path is `/` (section 6.2.3).
fn push_path(path: &str, text: &mut String) {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            _ => {
                kept.push(segment);
                continue;
            }
        }
        if segments.peek().is_none() {
            kept.push("");
        }
    }
    text.push('/');
    text.push_str(&kept.join("/"));
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

const fn is_sub_delimiter(byte: u8) -> bool {
    matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=')
}
