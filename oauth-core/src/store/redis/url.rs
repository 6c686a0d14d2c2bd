//! The URL of a server: what it means, and what of it may be shown.

use std::fmt;

use percent_encoding::percent_decode_str;
use url::Url;

use super::error::Cause;

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

impl Address {
    /// Reads `host:port` as servers write it: an IPv6 address has no brackets.
    pub(super) fn parse(text: &str) -> Option<Self> {
        // Newer servers append their name after a comma.
        let (host, port) = text.split(',').next()?.rsplit_once(':')?;
        Some(Self { host: host.to_owned(), port: port.parse().ok()? })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = (&self.host, self.port);
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// How to speak to a server: the same for all of a cluster.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) tls: bool,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: i64,
    /// How many replicas to wait for: the parameter `replicas`.
    pub(super) replicas: u32,
}

/// Reads the URLs of one server, or of some of a cluster's.
pub(super) fn parse(urls: &[&str]) -> Result<(Vec<Address>, Access), Cause> {
    let mut servers = urls.iter().map(|url| one(url)).collect::<Result<Vec<_>, _>>()?.into_iter();
    let (first, access) = servers.next().ok_or_else(|| Cause::new("there is no URL"))?;
    let mut addresses = vec![first];
    for (address, other) in servers {
        if other != access {
            return Err(Cause::new("the URLs of one cluster must differ in host and port alone"));
        }
        addresses.push(address);
    }
    Ok((addresses, access))
}

fn one(text: &str) -> Result<(Address, Access), Cause> {
    // None of the messages may quote the URL: it can have a password in it.
    let url = Url::parse(text.trim()).map_err(|error| Cause::new(format!("the URL is wrong: {error}")))?;
    let tls = match url.scheme() {
        "redis" | "valkey" => false,
        "rediss" | "valkeys" => true,
        _ => return Err(Cause::new("the URL must begin with redis:// or rediss://")),
    };
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| Cause::new("the URL has no host"))?;
    if url.fragment().is_some() {
        return Err(Cause::new("the URL must not have a fragment"));
    }
    let replicas = replicas(&url)?;
    let decode = |text: &str| percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned);
    let decoded = |text: Option<&str>| {
        let wrong = |_| Cause::new("the URL's user or password is not UTF-8");
        text.filter(|text| !text.is_empty()).map(decode).transpose().map_err(wrong)
    };
    let database = match url.path().trim_start_matches('/') {
        "" => 0,
        number => number.parse().map_err(|_| Cause::new("the URL's path must be the number of a database"))?,
    };
    let address = Address { host: host.trim_matches(['[', ']']).to_owned(), port: url.port().unwrap_or(6379) };
    let (user, password) = (decoded(Some(url.username()))?, decoded(url.password())?);
    Ok((address, Access { tls, user, password, database, replicas }))
}

/// The one parameter there is, at most once.
fn replicas(url: &Url) -> Result<u32, Cause> {
    let mut found = None;
    for (name, value) in url.query_pairs() {
        if name != "replicas" || found.is_some() {
            return Err(Cause::new("the URL must not have parameters but one `replicas`"));
        }
        found = Some(value.parse().map_err(|_| Cause::new("`replicas` in the URL must be a number"))?);
    }
    Ok(found.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_and_how() {
        let (addresses, access) = parse(&["rediss://me:a%40b@one.example", "rediss://me:a%40b@[::1]:7000/"]).unwrap();
        let shown: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["one.example:6379", "[::1]:7000"]);
        assert!(access.tls && access.user.as_deref() == Some("me") && access.password.as_deref() == Some("a@b"));
        assert_eq!(parse(&["redis://:x@one/3"]).unwrap().1.database, 3);
        assert_eq!(parse(&["redis://:x@one/3"]).unwrap().1.replicas, 0);
        let both = ["redis://one?replicas=2", "redis://two/?replicas=2"];
        assert_eq!(parse(&both).unwrap().1.replicas, 2);
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        let wrong: [&[&str]; 12] = [
            &[],
            &["http://me:hunter2@one"],
            &["redis://me:hunter2@"],
            &["redis://me:hunter2@one/db"],
            &["redis://me:hunter2@one?db=1"],
            &["redis://me:hunter2@one?replicas=hunter2"],
            &["redis://me:hunter2@one?replicas=1&replicas=1"],
            &["redis://me:hunter2@one?replicas=-1"],
            &["redis://me:hunter2@one?replicas=1", "redis://me:hunter2@two"],
            &["redis://me:hunter2@one#insecure"],
            &["redis://me:hunter2@one:port"],
            &["redis://me:hunter2@one", "redis://me:hunter3@two"],
        ];
        for urls in wrong {
            let said = parse(urls).err().unwrap().to_string();
            assert!(!said.contains("hunter"), "{said}");
        }
    }

    #[test]
    fn an_address_is_read_as_servers_write_it() {
        for (text, shown) in
            [("10.0.0.1:6379", "10.0.0.1:6379"), ("::1:7000", "[::1]:7000"), ("h:1,other", "h:1"), (":6379", ":6379")]
        {
            assert_eq!(Address::parse(text).unwrap().to_string(), shown);
        }
        assert_eq!(Address::parse("nowhere"), None);
    }
}
