//! How many questions each client address may cause.
//!
//! Whoever sends random tokens makes us ask about each of them. So every address
//! has a budget, and a question takes one from it. A question about a good token
//! gives it back: however many users stand behind one address, they do not
//! notice.

use std::net::IpAddr;

use crate::budget;

/// The budgets of all addresses.
pub(super) type Budgets = budget::Budgets<Network>;

/// What a question took, and from whom.
pub(super) type Charge = budget::Charge<Network>;

/// What counts as one address: a network of IPv6 that one customer gets has 2^64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Network {
    V4([u8; 4]),
    V6([u8; 8]),
}

impl Network {
    pub(super) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                Self::V6([a, b, c, d, e, f, g, h])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv6Addr, time::Duration};

    use oauth_core::clock::UnixTime;

    use super::*;

    #[test]
    fn a_network_of_one_customer_is_one_address() {
        let budgets = Budgets::new(1, Duration::from_secs(60));
        let taken = |address: IpAddr| budgets.take(Network::of(address), UnixTime(1_700_000_000)).map(drop);
        let address = |text: &str| text.parse::<Ipv6Addr>().unwrap().into();
        assert_eq!(taken(address("2001:db8:0:1::1")), Ok(()));
        assert_eq!(taken(address("2001:db8:0:1:ffff::9")), Err(60));
        assert_eq!(taken(address("2001:db8:0:2::1")), Ok(()));
        // The same host, however the socket writes it.
        assert_eq!(taken([0, 0, 0, 7].into()), Ok(()));
        assert_eq!(taken(address("::ffff:0.0.0.7")), Err(60));
    }
}
