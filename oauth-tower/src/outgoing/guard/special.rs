//! The special-use registries of IANA ([RFC 6890]): addresses that are not
//! somewhere on the public network, or not one place on it.
//!
//! [RFC 6890]: https://www.rfc-editor.org/rfc/rfc6890

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether `address` has a special use, and so does not lead to somebody on the
/// public network: the registries of RFC 6890, multicast, what is reserved and
/// what was never given out.
///
/// An IPv6 address that carries an IPv4 address is one, whichever that is.
///
/// ```
/// use oauth_tower::outgoing::is_special_use;
/// assert!(is_special_use([169, 254, 169, 254].into()));
/// assert!(is_special_use("::ffff:93.184.216.34".parse()?));
/// assert!(!is_special_use([93, 184, 216, 34].into()));
/// # Ok::<_, std::net::AddrParseError>(())
/// ```
#[must_use]
pub const fn is_special_use(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => within_v4(address.to_bits(), V4),
        // Of all else, nothing was ever given out (RFC 4291 section 2.4).
        IpAddr::V6(address) => address.to_bits() >> 125 != 0b001 || within_v6(address.to_bits(), V6),
    }
}

/// The IPv4 address that a translator stands before, in 64:ff9b::/96 (RFC 6052
/// section 2.1).
pub(super) const fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    }
}

type V4Block = (Ipv4Addr, u32);
type V6Block = (Ipv6Addr, u32);

const fn v4(a: u8, b: u8, c: u8, prefix: u32) -> V4Block {
    (Ipv4Addr::new(a, b, c, 0), prefix)
}

const fn v6(a: u16, b: u16, c: u16, prefix: u32) -> V6Block {
    (Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// <https://www.iana.org/assignments/iana-ipv4-special-registry>, and multicast.
pub(super) const V4: &[V4Block] = &[
    v4(0, 0, 0, 8),       // this network
    v4(10, 0, 0, 8),      // private
    v4(100, 64, 0, 10),   // shared, behind a carrier's translator
    v4(127, 0, 0, 8),     // loopback
    v4(169, 254, 0, 16),  // link-local, where clouds keep their metadata
    v4(172, 16, 0, 12),   // private
    v4(192, 0, 0, 24),    // protocol assignments
    v4(192, 0, 2, 24),    // documentation
    v4(192, 31, 196, 24), // AS112
    v4(192, 52, 193, 24), // AMT
    v4(192, 88, 99, 24),  // 6to4 relays, once
    v4(192, 168, 0, 16),  // private
    v4(192, 175, 48, 24), // AS112
    v4(198, 18, 0, 15),   // benchmarks
    v4(198, 51, 100, 24), // documentation
    v4(203, 0, 113, 24),  // documentation
    v4(224, 0, 0, 4),     // multicast
    v4(240, 0, 0, 4),     // reserved, and broadcast
    // In no registry: inside that cloud, its machines' host answers here.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
];

/// <https://www.iana.org/assignments/iana-ipv6-special-registry>, as far as it
/// lies in 2000::/3. Outside are loopback, mapped and compatible, translated,
/// discard, segment routing, unique local, link-local, site-local, multicast.
pub(super) const V6: &[V6Block] = &[
    v6(0x2001, 0, 0, 23),         // protocol assignments: Teredo, benchmarks, ORCHID and others
    v6(0x2001, 0xdb8, 0, 32),     // documentation
    v6(0x2002, 0, 0, 16),         // 6to4
    v6(0x2620, 0x4f, 0x8000, 48), // AS112
    v6(0x3fff, 0, 0, 20),         // documentation
];

const fn within_v4(address: u32, blocks: &[V4Block]) -> bool {
    let mut rest = blocks;
    while let [(base, prefix), others @ ..] = rest {
        if (address ^ base.to_bits()) >> (32 - *prefix) == 0 {
            return true;
        }
        rest = others;
    }
    false
}

const fn within_v6(address: u128, blocks: &[V6Block]) -> bool {
    let mut rest = blocks;
    while let [(base, prefix), others @ ..] = rest {
        if (address ^ base.to_bits()) >> (128 - *prefix) == 0 {
            return true;
        }
        rest = others;
    }
    false
}
