//! So often in a minute, and not more.
//!
//! Counted in the store, so all nodes count together. Windows are whole minutes,
//! so that everybody knows when one ends.

use std::net::IpAddr;

use super::{fault::Fault, remote_address::RemoteAddress};
use crate::{clock::UnixTime, secret::Digest, server::AuthorizationServer};

/// The minute that it is.
pub(crate) struct Minute<'a> {
    server: &'a AuthorizationServer,
    now: UnixTime,
}

impl<'a> Minute<'a> {
    pub(crate) fn of(server: &'a AuthorizationServer) -> Self {
        Self { server, now: server.now() }
    }

    /// Counts one `what` from `address` by `who`. When to come back, in seconds, if
    /// there were more than `most`, which is 0 where nothing is counted.
    pub(crate) async fn count_from(
        &self,
        what: &str,
        address: Option<IpAddr>,
        who: &str,
        most: u64,
    ) -> Result<Option<u64>, Fault> {
        // Of a fixed length, so that it runs into nothing.
        let network = address.map(|address| RemoteAddress(address).network()).unwrap_or_default();
        self.count(&[what.as_bytes(), b" from ", &self.number(), &network, who.as_bytes()], most).await
    }

    /// The same, from whatever address and by whomever.
    pub(crate) async fn count_all(&self, what: &str, most: u64) -> Result<Option<u64>, Fault> {
        self.count(&[what.as_bytes(), b" in all ", &self.number()], most).await
    }

    async fn count(&self, whose: &[&[u8]], most: u64) -> Result<Option<u64>, Fault> {
        if most == 0 {
            return Ok(None);
        }
        let end = UnixTime((self.now.0 / 60).saturating_add(1).saturating_mul(60));
        let count = self.server.store().count_use(Digest::of(whose), end, self.now).await?;
        Ok((count > most).then(|| self.now.until(end).max(1)))
    }

    fn number(&self) -> [u8; 8] {
        (self.now.0 / 60).to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    async fn server(clock: &ManualClock) -> AuthorizationServer {
        AuthorizationServer::builder("https://as.example").clock(clock.clone()).build().await.unwrap()
    }

    #[tokio::test]
    async fn each_address_and_each_asker_has_a_count_of_its_own_that_ends_with_the_minute() {
        let clock = ManualClock::new(UnixTime(1_800_000_030));
        let server = server(&clock).await;
        let count = async |address: Option<&str>, who: &str| {
            let address = address.map(|address| address.parse().unwrap());
            Minute::of(&server).count_from("calls", address, who, 1).await.unwrap()
        };
        assert_eq!(count(Some("192.0.2.1"), "a").await, None);
        assert_eq!(count(Some("192.0.2.1"), "a").await, Some(30));
        for (address, who) in [(Some("192.0.2.2"), "a"), (Some("192.0.2.1"), "b"), (None, "a")] {
            assert_eq!(count(address, who).await, None, "{address:?} {who}");
            assert_eq!(count(address, who).await, Some(30), "{address:?} {who}");
        }
        clock.advance(30);
        assert_eq!(count(Some("192.0.2.1"), "a").await, None);
        assert_eq!(count(Some("192.0.2.1"), "a").await, Some(60));
    }

    #[tokio::test]
    async fn what_is_counted_in_all_is_not_what_comes_from_somewhere_and_nothing_is_counted_against_zero() {
        let clock = ManualClock::new(UnixTime(1_800_000_000));
        let server = server(&clock).await;
        let minute = Minute::of(&server);
        assert_eq!(minute.count_from("calls", None, "", 1).await.unwrap(), None);
        assert_eq!(minute.count_all("calls", 1).await.unwrap(), None);
        assert_eq!(minute.count_all("calls", 1).await.unwrap(), Some(60));
        assert_eq!(minute.count_all("other calls", 1).await.unwrap(), None);
        assert_eq!(minute.count_all("calls", 0).await.unwrap(), None);
    }
}
