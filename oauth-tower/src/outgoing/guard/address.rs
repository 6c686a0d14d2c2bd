//! Which addresses are connected to.

use std::net::{IpAddr, SocketAddr};

use oauth_core::fetch::{FetchError, Refusal, Stage};

use super::special::{is_special_use, translated};
use crate::proxy::Cidr;

/// An address that was looked at. Nobody but [`Addresses::check`] makes one, and
/// nothing else is ever connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Checked(SocketAddr);

impl Checked {
    pub(super) const fn get(self) -> SocketAddr {
        self.0
    }
}

/// Which addresses are good.
#[derive(Clone, Debug, Default)]
pub(super) struct Addresses {
    pub(super) loopback: bool,
    pub(super) nat64: bool,
    pub(super) allowed: Vec<Cidr>,
    pub(super) refused: Vec<Cidr>,
}

impl Addresses {
    /// All of them are good, or none is used: whoever answers with a good and a
    /// bad one has the choice of which is tried first.
    pub(super) fn check(&self, addresses: &[IpAddr], port: u16) -> Result<Vec<Checked>, FetchError> {
        if let Some(bad) = addresses.iter().find(|address| !self.permit(**address)) {
            return Err(Refusal::Address(*bad).into());
        }
        if addresses.is_empty() {
            return Err(FetchError::Unavailable { stage: Stage::Resolve, source: None });
        }
        Ok(addresses.iter().map(|address| Checked(SocketAddr::new(*address, port))).collect())
    }

    fn permit(&self, address: IpAddr) -> bool {
        let among = |ranges: &[Cidr]| ranges.iter().any(|range| range.contains(address));
        match () {
            () if among(&self.refused) => false,
            () if among(&self.allowed) => true,
            () if address.is_loopback() => self.loopback,
            () => !is_special_use(address) || self.is_translated(address),
        }
    }

    /// Behind a translator is what counts, and a translator may well lead to the
    /// inside.
    fn is_translated(&self, address: IpAddr) -> bool {
        let IpAddr::V6(address) = address else { return false };
        self.nat64 && translated(address).is_some_and(|inside| self.permit_inside(inside.into()))
    }

    fn permit_inside(&self, inside: IpAddr) -> bool {
        !is_special_use(inside) && !self.refused.iter().any(|range| range.contains(inside))
    }
}
