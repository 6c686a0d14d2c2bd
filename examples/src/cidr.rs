//! Ranges of addresses, as in `10.0.0.0/8`.

use std::{net::IpAddr, str::FromStr};

/// A range of addresses that share a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    base: IpAddr,
    prefix: u8,
}

/// Not a range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a range of addresses such as 10.0.0.0/8 or fd00::/8, or one address")]
pub struct InvalidCidr;

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
        let prefix = prefix.map_or(Ok(width), str::parse).map_err(|_| InvalidCidr)?;
        (prefix <= width).then_some(Self { base, prefix }).ok_or(InvalidCidr)
    }
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
        assert!(contains("0.0.0.0/0", "255.255.255.255"));
        assert!(contains("fd00::/8", "fdff::1") && !contains("fd00::/8", "fe00::1"));
        assert!(contains("::/0", "fe00::1"));
    }

    #[test]
    fn the_families_are_apart_but_a_mapped_address_is_the_address() {
        assert!(!contains("::/0", "10.0.0.1") && !contains("0.0.0.0/0", "::1"));
        assert!(contains("127.0.0.0/8", "::ffff:127.0.0.1"));
    }

    #[test]
    fn anything_else_is_not_a_range() {
        for bad in ["", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "::/129", "localhost", "10.0.0.0/-1", "*"] {
            assert_eq!(bad.parse::<Cidr>(), Err(InvalidCidr), "{bad}");
        }
    }
}
