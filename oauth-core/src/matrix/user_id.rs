//! User ids: `@localpart:server` ("User Identifiers").

use std::{fmt, net::Ipv6Addr};

/// The name of a homeserver, as in user ids: a host name or an address, and perhaps
/// a port.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ServerName(Box<str>);

/// A user's id: `@localpart:server`. Compared byte for byte.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId {
    text: Box<str>,
    /// Where the colon stands.
    colon: usize,
}

/// No user id, or no name of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a user id is @localpart:server, of at most 255 bytes")]
pub struct InvalidUserId;

impl ServerName {
    /// Reads the name of a server.
    ///
    /// # Errors
    /// [`InvalidUserId`] if it is none: a name of letters, digits, dots and hyphens, or an address, with a port
    /// or without one.
    pub fn new(name: &str) -> Result<Self, InvalidUserId> {
        if is_server_name(name) && name.len() <= UserId::MAX_BYTES { Ok(Self(name.into())) } else { Err(InvalidUserId) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// By the grammar under "Server Name".
fn is_server_name(name: &str) -> bool {
    let (host, port) = match name.rsplit_once(':') {
        Some((host, port)) if !name.ends_with(']') => (host, Some(port)),
        _ => (name, None),
    };
    let is_port = |port: &str| matches!(port.len(), 1..=5) && port.bytes().all(|byte| byte.is_ascii_digit());
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let is_host = match host.strip_prefix('[') {
        Some(address) => address.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => !host.is_empty() && host.bytes().all(legal),
    };
    is_host && port.is_none_or(is_port)
}

impl UserId {
    /// The longest id, with `@` and the server.
    pub const MAX_BYTES: usize = 255;

    /// The id of `localpart` at `server`.
    ///
    /// # Errors
    /// [`InvalidUserId`]: a whole user id is no localpart, for one.
    pub fn new(localpart: &str, server: &str) -> Result<Self, InvalidUserId> {
        ServerName::new(server)?;
        // "Historical User IDs": anything that is printable, but for the colon, is
        // to be accepted.
        let legal = |byte: u8| matches!(byte, 0x21..=0x39 | 0x3B..=0x7E);
        if localpart.is_empty() || !localpart.bytes().all(legal) {
            return Err(InvalidUserId);
        }
        let text = format!("@{localpart}:{server}");
        let colon = localpart.len() + 1;
        if text.len() <= Self::MAX_BYTES { Ok(Self { text: text.into(), colon }) } else { Err(InvalidUserId) }
    }

    /// Reads a whole id.
    ///
    /// # Errors
    /// [`InvalidUserId`].
    pub fn parse(id: &str) -> Result<Self, InvalidUserId> {
        let (localpart, server) = id.strip_prefix('@').and_then(|rest| rest.split_once(':')).ok_or(InvalidUserId)?;
        Self::new(localpart, server)
    }

    /// The whole id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands between `@` and `:`.
    #[must_use]
    pub fn localpart(&self) -> &str {
        self.text.get(1..self.colon).unwrap_or_default()
    }

    /// The server.
    #[must_use]
    pub fn server(&self) -> &str {
        self.text.get(self.colon + 1..).unwrap_or_default()
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl fmt::Debug for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_server_is_a_host_and_perhaps_a_port() {
        for good in ["example.org", "a:8448", "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]", "[::1]:8448", "localhost"] {
            assert!(ServerName::new(good).is_ok(), "{good}");
        }
        for bad in
            ["", ":1", "[::1", "::1", "[::1]x", "[]", "[a]:1", "a]", "a:", "a:x", "a:123456", "a b", "a_b", "a:1:2"]
        {
            assert!(ServerName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_id_has_a_localpart_and_a_server() {
        for id in ["@alice:example.org", "@a:localhost:8448", "@A!b=_/+:[::1]:80"] {
            let read = UserId::parse(id).unwrap();
            assert_eq!(read.as_str(), id);
            assert_eq!(format!("@{}:{}", read.localpart(), read.server()), id);
            assert_eq!(UserId::new(read.localpart(), read.server()), Ok(read));
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        let long = format!("@{}:example.org", "a".repeat(255));
        for id in
            ["", "alice", "@alice", "@:example.org", "@alice:", "@al ice:x", "@al\u{e9}:x", "@a:x/y", "@a::x", &long]
        {
            assert_eq!(UserId::parse(id), Err(InvalidUserId), "{id}");
        }
        assert_eq!(UserId::new("@alice:example.org", "example.org"), Err(InvalidUserId));
    }
}
