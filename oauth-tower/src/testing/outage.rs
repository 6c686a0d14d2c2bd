//! How a mock issuer fails.

use std::collections::HashMap;

use http::StatusCode;

use super::{Endpoint, MockIssuer};

/// How an endpoint fails, for [`MockIssuer::outage`].
/// A resource server answers 503 to all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outage {
    /// No answer: the connection breaks.
    Down,
    /// No answer yet: requests hang until [`MockIssuer::recover`], and are
    /// answered then.
    ///
    /// Whoever asks gives up when its own timeout ends, which is by tokio's
    /// clock: under `#[tokio::test(start_paused = true)]` that takes no time.
    Slow,
    /// 200, and a body that means nothing.
    Garbage,
    /// This status, without a body.
    Status(StatusCode),
}

impl MockIssuer {
    /// From now on until [`MockIssuer::recover`], every endpoint fails like this.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use oauth_tower::{resource::{Issuer, ResourceServer}, testing::{MockIssuer, Outage}};
    ///
    /// let issuer = MockIssuer::new("https://as.example");
    /// let api = ResourceServer::builder("https://api.example")
    ///     .issuer(Issuer::jwt(issuer.url()))
    ///     .http(issuer.http())
    ///     .clock(issuer.clock())
    ///     .build()?;
    /// issuer.outage(Outage::Down);
    /// assert!(api.warm_up().await.is_err());
    /// issuer.recover();
    /// issuer.clock().advance(5); // nobody asks again at once
    /// assert!(api.warm_up().await.is_ok());
    /// # Ok(())
    /// # }
    /// ```
    pub fn outage(&self, outage: Outage) {
        self.inner.outages.send_modify(|outages| outages.everywhere(outage));
    }

    /// As [`MockIssuer::outage`], for one endpoint; the others do as before.
    pub fn outage_of(&self, endpoint: Endpoint, outage: Outage) {
        self.inner.outages.send_modify(|outages| outages.of(endpoint, outage));
    }

    /// Ends every outage. Requests that hang in [`Outage::Slow`] are answered.
    pub fn recover(&self) {
        self.inner.outages.send_modify(Outages::end);
    }
}

/// What fails at the moment.
#[derive(Default)]
pub(super) struct Outages {
    everywhere: Option<Outage>,
    single: HashMap<Endpoint, Outage>,
}

impl Outages {
    pub(super) fn everywhere(&mut self, outage: Outage) {
        self.single.clear();
        self.everywhere = Some(outage);
    }

    pub(super) fn of(&mut self, endpoint: Endpoint, outage: Outage) {
        self.single.insert(endpoint, outage);
    }

    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    pub(super) fn at(&self, endpoint: Endpoint) -> Option<Outage> {
        self.single.get(&endpoint).copied().or(self.everywhere)
    }
}
