//! [`GuardedFetch`]: what strangers name is asked for, and nothing of one's own
//! network.
//!
//! A name is resolved once. Every address it has is compared with the
//! special-use registries, and the connection is made to one of exactly these:
//! nobody looks the name up again in between. There is no redirect to follow, no
//! proxy to ask, nothing to unpack, and no connection that is kept.

mod address;
mod builder;
mod cache;
mod dial;
mod exchange;
mod limits;
mod metered;
mod resolve;
mod special;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use oauth_core::{
    clock::{Clock, UnixTime},
    fetch::{Fetch, FetchError, FetchFuture, FetchRequest, FetchUrl, Fetched, Refusal, lifetime},
};
use tokio::time::timeout;

pub use self::{
    builder::GuardedFetchBuilder,
    resolve::{Resolve, ResolveFuture, SystemResolver},
    special::is_special_use,
};
use self::{
    cache::{Documents, Key},
    exchange::Exchange,
    limits::Limits,
};
use crate::flight::Flights;

/// Fetches what clients name (`jwks_uri`, Client ID Metadata Documents,
/// `request_uri`), and cannot be led into one's own network by it (Client ID
/// Metadata Document draft section 8.6, RFC 9101 section 10.4). Clones share
/// everything.
///
/// ```
/// use oauth_core::server::AuthorizationServer;
/// use oauth_tower::outgoing::GuardedFetch;
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let server = AuthorizationServer::builder("https://auth.example")
///     .fetch(GuardedFetch::builder().build()?)
///     .build()
///     .await?;
/// assert!(server.fetch().check("https://app.example/jwks").is_ok());
/// assert!(server.fetch().check("https://169.254.169.254/").is_err());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// * **Whom it asks.** https, to a name whose every address is public: one in a
///   special-use registry ([`is_special_use`]) among others is enough to refuse
///   it. Proxies that the environment names are not used: they would look the
///   name up again.
/// * **What it reads.** Status 200, one of the media types of the purpose, not
///   compressed, in the limits of the purpose: 5 KiB for metadata, 64 KiB for
///   keys, 32 KiB for a request; 16 KiB of header. What is too large is not read
///   to its end, however it is sent.
/// * **How long it takes.** 5 seconds from the look-up to the last byte.
/// * **How often.** One URL once in 10 seconds, one host 60 times in a minute, all
///   together 600 times in a minute and 32 at once. Requests for one document that
///   come together are one.
/// * **What it keeps.** Valid documents, for as long as their headers say, but one
///   minute at least and one hour at most; 5 minutes if they say nothing. 16 MiB
///   in all. Errors are not kept, and neither is a document that its reader
///   refuses (Client ID Metadata Document draft section 5.2).
///
/// The limits are per process. It needs tokio's timer and network, and its clock
/// must be the server's.
#[derive(Clone)]
pub struct GuardedFetch {
    guard: Arc<Guard>,
}

struct Guard {
    clock: Arc<dyn Clock>,
    loopback: bool,
    ports: Option<Vec<u16>>,
    timeout: Duration,
    keep: Keep,
    exchange: Exchange,
    limits: Limits,
    documents: Documents,
    flights: Arc<Flights<Key, Result<Fetched, FetchError>>>,
}

/// For how many seconds documents are kept.
#[derive(Clone, Copy, Debug)]
struct Keep {
    /// However little their headers say.
    shortest: u64,
    /// If they say nothing.
    usual: u64,
    /// However much they say.
    longest: u64,
}

impl GuardedFetch {
    /// Starts with the settings that the type's documentation lists.
    pub fn builder() -> GuardedFetchBuilder {
        GuardedFetchBuilder::new()
    }
}

impl Fetch for GuardedFetch {
    fn fetch(&self, request: FetchRequest) -> FetchFuture<'_> {
        Box::pin(self.guard.fetch(request))
    }

    fn check(&self, url: &str) -> Result<(), FetchError> {
        self.guard.read(url).map(drop)
    }
}

impl Guard {
    fn read(&self, url: &str) -> Result<FetchUrl, FetchError> {
        let url = if self.loopback { FetchUrl::insecure_parse_loopback(url) } else { FetchUrl::parse(url) }?;
        match &self.ports {
            Some(ports) if !ports.contains(&url.port()) => Err(Refusal::Port(url.port()).into()),
            _ => Ok(url),
        }
    }

    async fn fetch(self: &Arc<Self>, request: FetchRequest) -> Result<Fetched, FetchError> {
        let url = self.read(request.url())?;
        let key = Key::of(&request);
        if let Some(kept) = self.documents.get(&key, &request, self.clock.now()) {
            return Ok(kept);
        }
        let (guard, asked) = (Arc::clone(self), request.clone());
        let flight = self.flights.join(&key, || Box::pin(guard.ask(url, asked)));
        let fetched = flight.await?;
        match () {
            // Somebody else's flight, that began before.
            () if fetched.asked < request.since() => Err(FetchError::Limited { retry_after: self.limits.interval() }),
            () if fetched.body.len() > request.limit() => Err(FetchError::TooLarge),
            () => Ok(fetched),
        }
    }

    async fn ask(self: Arc<Self>, url: FetchUrl, request: FetchRequest) -> Result<Fetched, FetchError> {
        let (key, now) = (Key::of(&request), self.clock.now());
        // A flight may have come down since the caller looked.
        if let Some(kept) = self.documents.get(&key, &request, now) {
            return Ok(kept);
        }
        let leave = self.limits.admit(request.url(), url.host(), now)?;
        let exchange = self.exchange.send(&url, &request);
        let outcome = timeout(self.timeout, exchange).await.unwrap_or(Err(FetchError::TimedOut));
        leave.used();
        let outcome = outcome.and_then(|response| {
            request.check(response.body())?;
            Ok(self.keep.fetched(response, now))
        });
        match &outcome {
            Ok(fetched) => self.documents.put(key, fetched.clone()),
            Err(error) => report(&url, &request, error),
        }
        outcome
    }
}

impl Keep {
    /// Counted from the request on, so that no time on the way makes it longer.
    fn fetched(self, response: http::Response<Vec<u8>>, asked: UnixTime) -> Fetched {
        let said = lifetime(response.headers()).unwrap_or(self.usual);
        let seconds = said.min(self.longest).max(self.shortest);
        Fetched::new(response.into_body(), asked).fresh_until(asked.saturating_add(seconds))
    }
}

/// For whoever runs the program. Strangers can bring it about, no oftener than
/// they can make this program ask.
fn report(url: &FetchUrl, request: &FetchRequest, error: &FetchError) {
    #[cfg(feature = "tracing")]
    {
        let (host, purpose) = (url.host(), request.purpose().as_str());
        tracing::info!(host, purpose, error = %error, "what a client names was not fetched");
    }
    #[cfg(not(feature = "tracing"))]
    let _ = (url, request, error);
}

impl fmt::Debug for GuardedFetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedFetch")
            .field("timeout", &self.guard.timeout)
            .field("keep", &self.guard.keep)
            .field("insecure_loopback", &self.guard.loopback)
            .finish_non_exhaustive()
    }
}
