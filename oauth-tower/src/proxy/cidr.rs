//! Ranges of addresses, as in `10.0.0.0/8` ([RFC 4632], [RFC 4291]).
//!
//! [RFC 4632]: https://www.rfc-editor.org/rfc/rfc4632#section-3.1
//! [RFC 4291]: https://www.rfc-editor.org/rfc/rfc4291#section-2.3

use std::{fmt, net::IpAddr, str::FromStr, sync::Arc};

/// A range of addresses that share a prefix; one address is a range too.
///
/// ```
/// use oauth_tower::proxy::Cidr;
///
/// let range: Cidr = "10.0.0.0/8".parse()?;
/// assert!(range.contains([10, 1, 2, 3].into()));
/// assert!(!range.contains([192, 0, 2, 1].into()));
/// # Ok::<_, oauth_tower::proxy::InvalidCidr>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cidr {
    base: IpAddr,
    prefix: u8,
}

/// Not a range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a range of addresses such as 10.0.0.0/8 or fd00::/8, or one address")]
pub struct InvalidCidr;

/// The addresses of the proxies that are believed. Clones share them.
///
/// List your own proxies and nothing else: whoever can connect from one of these
/// addresses can say of any request that it comes from anybody. The default is
/// nobody.
///
/// ```
/// use oauth_tower::proxy::{Cidr, TrustedProxies};
///
/// let proxies = ["10.0.0.0/8", "fd00::/8", "192.0.2.1"].map(str::parse::<Cidr>);
/// let proxies: TrustedProxies = proxies.into_iter().collect::<Result<_, _>>()?;
/// assert!(proxies.contains([192, 0, 2, 1].into()));
/// # Ok::<_, oauth_tower::proxy::InvalidCidr>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    ranges: Arc<[Cidr]>,
}

impl TrustedProxies {
    /// Whether `address` is one of theirs.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.ranges.iter().any(|range| range.contains(address))
    }

    /// Whether nobody is believed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }
}

impl FromIterator<Cidr> for TrustedProxies {
    fn from_iter<I: IntoIterator<Item = Cidr>>(ranges: I) -> Self {
        Self { ranges: ranges.into_iter().collect() }
    }
}

impl Cidr {
    /// Whether `address` lies in the range. An IPv4 address is the same
    /// whether or not it comes mapped into IPv6, as it does to a socket that
    /// listens to both.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let (base, width) = bits(self.base);
        let (other, other_width) = bits(address.to_canonical());
        let differing = (base ^ other).checked_shr(u32::from(width - self.prefix)).unwrap_or(0);
        width == other_width && differing == 0
    }
}

impl FromStr for Cidr {
    type Err = InvalidCidr;

    fn from_str(text: &str) -> Result<Self, InvalidCidr> {
        let (base, prefix) = text.split_once('/').map_or((text, None), |(base, prefix)| (base, Some(prefix)));
        let base: IpAddr = base.parse().map_err(|_| InvalidCidr)?;
        let (_, width) = bits(base);
        let prefix = prefix.map_or(Some(width), length).filter(|prefix| *prefix <= width).ok_or(InvalidCidr)?;
        Ok(Self { base, prefix }.canonical())
    }
}

impl Cidr {
    /// RFC 4291 section 2.5.5.2: `::ffff:10.0.0.0/104` is `10.0.0.0/8`.
    fn canonical(self) -> Self {
        match (self.base.to_canonical(), self.prefix.checked_sub(96)) {
            (base @ IpAddr::V4(_), Some(prefix)) if self.base.is_ipv6() => Self { base, prefix },
            _ => self,
        }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

/// Digits alone: no sign.
fn length(text: &str) -> Option<u8> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// The address as a number, and how many bits it has.
fn bits(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(v4) => (v4.to_bits().into(), 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(range: &str, address: &str) -> bool {
        range.parse::<Cidr>().unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn a_range_holds_what_shares_its_prefix() {
        assert!(contains("10.0.0.0/8", "10.255.1.2") && !contains("10.0.0.0/8", "11.0.0.0"));
        assert!(contains("10.1.2.3", "10.1.2.3") && !contains("10.1.2.3", "10.1.2.4"));
        assert!(contains("10.1.2.3/31", "10.1.2.2") && !contains("10.1.2.3/31", "10.1.2.4"));
        assert!(contains("0.0.0.0/0", "255.255.255.255"));
        assert!(contains("fd00::/8", "fdff::1") && !contains("fd00::/8", "fe00::1"));
        assert!(contains("::/0", "fe00::1"));
    }

    #[test]
    fn the_families_are_apart_but_a_mapped_address_is_the_address() {
        assert!(!contains("::/0", "10.0.0.1") && !contains("0.0.0.0/0", "::1"));
        assert!(contains("127.0.0.0/8", "::ffff:127.0.0.1"));
        assert!(contains("::ffff:10.0.0.0/104", "10.1.2.3") && !contains("::ffff:10.0.0.0/104", "11.1.2.3"));
        assert!(contains("::ffff:10.0.0.1", "10.0.0.1") && contains("::ffff:10.0.0.1", "::ffff:10.0.0.1"));
        assert!(!contains("::ffff:10.0.0.0/95", "10.0.0.1"));
    }

    #[test]
    fn anything_else_is_not_a_range() {
        let bad = ["", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "::/129", "localhost", "10.0.0.0/-1", "*"];
        let worse = ["10.0.0.0/+8", "10.0.0.0/8/8", " 10.0.0.0/8", "10.0.0.0/ 8", "[::1]/128", "fe80::1%eth0", "/8"];
        for bad in bad.into_iter().chain(worse) {
            assert_eq!(bad.parse::<Cidr>(), Err(InvalidCidr), "{bad}");
        }
    }

    #[test]
    fn nobody_is_believed_unless_listed() {
        let nobody = TrustedProxies::default();
        assert!(nobody.is_empty() && !nobody.contains([127, 0, 0, 1].into()));
        let some: TrustedProxies = ["10.0.0.0/8", "fd00::/8"].iter().map(|range| range.parse().unwrap()).collect();
        assert!(some.contains([10, 0, 0, 1].into()) && some.contains("fd00::1".parse().unwrap()));
        assert!(!some.is_empty() && !some.contains([127, 0, 0, 1].into()));
    }

    #[test]
    fn a_range_reads_back_as_it_was_written() {
        for (given, written) in [
            ("10.1.2.3/8", "10.1.2.3/8"),
            ("10.1.2.3", "10.1.2.3/32"),
            ("fd00::/8", "fd00::/8"),
            ("::1", "::1/128"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ] {
            let range: Cidr = given.parse().unwrap();
            assert_eq!(range.to_string(), written);
            assert_eq!(written.parse(), Ok(range));
        }
    }
}
