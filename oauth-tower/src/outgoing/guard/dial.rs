//! Connections, to addresses that were checked.

use std::{io, time::Duration};

use oauth_core::fetch::{FetchError, Stage};
use tokio::{net::TcpStream, time::timeout};

use super::address::Checked;

/// So many addresses of one name are tried, one after the other.
const TRIES: usize = 3;

/// Connects.
#[derive(Debug)]
pub(super) struct Dialer {
    /// For each address.
    pub(super) timeout: Duration,
    #[cfg(test)]
    pub(super) detour: Option<super::tests::Detour>,
}

impl Dialer {
    /// A connection to one of `addresses`.
    pub(super) async fn dial(&self, addresses: &[Checked]) -> Result<TcpStream, FetchError> {
        let mut last = io::Error::from(io::ErrorKind::NotConnected);
        for address in alternating(addresses).take(TRIES) {
            match timeout(self.timeout, self.connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = error,
                Err(_) => last = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(FetchError::unavailable(Stage::Connect, last))
    }

    async fn connect(&self, address: Checked) -> io::Result<TcpStream> {
        let address = address.get();
        #[cfg(test)]
        let address = match &self.detour {
            Some(detour) => detour.instead_of(address).await,
            None => address,
        };
        TcpStream::connect(address).await
    }
}

/// The first one's family and the other one by turns, so that one that is out of
/// order does not use up all tries (RFC 8305 section 4).
fn alternating(addresses: &[Checked]) -> impl Iterator<Item = Checked> {
    let is_v6 = |address: &Checked| address.get().is_ipv6();
    let first = addresses.first().is_some_and(is_v6);
    let (ones, others): (Vec<_>, Vec<_>) = addresses.iter().partition(|address| is_v6(address) == first);
    let length = ones.len().max(others.len());
    (0..length).flat_map(move |at| [ones.get(at).copied(), others.get(at).copied()]).flatten()
}
