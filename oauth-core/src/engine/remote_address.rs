//! Where a request comes from, for limits.

use std::net::IpAddr;

use http::Extensions;

/// Where a request comes from, in its extensions: for limits. `oauth-tower` puts
/// it there; whoever calls an endpoint without, says it. It proves nothing, and
/// must not come from a header that anybody can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteAddress(pub IpAddr);

impl RemoteAddress {
    /// The address; `None` if nobody has put it there.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<IpAddr> {
        extensions.get::<Self>().map(|address| address.0)
    }

    /// Whom a limit counts as one: an IPv4 address, or the /64 network that one
    /// IPv6 host usually has.
    #[must_use]
    pub fn network(self) -> [u8; 8] {
        match self.0.to_canonical() {
            IpAddr::V4(ip) => {
                let [a, b, c, d] = ip.octets();
                [0, 0, 0, 0, a, b, c, d]
            }
            IpAddr::V6(ip) => {
                let [a, b, c, d, e, f, g, h, ..] = ip.octets();
                [a, b, c, d, e, f, g, h]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_counts_as_one_however_it_writes_its_address() {
        let network = |address: &str| RemoteAddress(address.parse().unwrap()).network();
        assert_eq!(network("192.0.2.1"), network("::ffff:192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:ffff:ffff:ffff"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
    }
}
