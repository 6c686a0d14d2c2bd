//! Hostile documents and hostile names, over real sockets. A public address leads
//! to a site of the test's own, but only behind the check of addresses, which
//! knows nothing of that.

mod addresses;
mod caching;
mod development;
mod names;
mod rates;
mod responses;
mod site;
mod sizes;
mod times;

use std::{
    collections::VecDeque,
    future::pending,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use oauth_core::{
    clock::ManualClock,
    fetch::{FetchError, Purpose, Stage},
};

use self::site::{Reply, Site};
use super::{address::Addresses, *};

/// Somebody public. No test ever sends anything there.
const PUBLIC: &str = "93.184.216.34";
const HOST: &str = "app.example";
const URL: &str = "https://app.example/keys?x=1";
const KEYS: &str = r#"{"keys":[]}"#;
const NOW: UnixTime = UnixTime(1_700_000_000);

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn keys_at(url: &str) -> FetchRequest {
    FetchRequest::new(url, Purpose::JwkSet)
}

/// Behind the check: whatever address is dialed, the site answers. It remembers
/// which addresses were.
#[derive(Clone, Debug)]
pub(super) struct Detour {
    to: Option<SocketAddr>,
    dialed: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Detour {
    /// To `None`, no connection ever comes about.
    fn to(address: Option<SocketAddr>) -> Self {
        Self { to: address, dialed: Arc::default() }
    }

    pub(super) async fn instead_of(&self, address: SocketAddr) -> SocketAddr {
        self.dialed.lock().unwrap().push(address);
        match self.to {
            Some(site) => site,
            None => pending().await,
        }
    }

    fn dialed(&self) -> Vec<String> {
        self.dialed.lock().unwrap().iter().map(ToString::to_string).collect()
    }
}

/// A resolver whose answer changes with every question; the last one stays.
#[derive(Clone, Debug)]
struct Names {
    answers: Arc<Mutex<VecDeque<Vec<IpAddr>>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Names {
    fn answering(answers: &[&[&str]]) -> Self {
        let answers = answers.iter().map(|answer| answer.iter().map(|text| ip(text)).collect());
        Self { answers: Arc::new(Mutex::new(answers.collect())), asked: Arc::default() }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, host: &'a str) -> ResolveFuture<'a> {
        self.asked.lock().unwrap().push(host.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(std::future::ready(answer.ok_or_else(|| io::ErrorKind::NotFound.into())))
    }
}

/// A fetcher, and everything that it meets.
struct World {
    fetch: GuardedFetch,
    site: Site,
    names: Names,
    detour: Detour,
    clock: ManualClock,
}

impl World {
    /// Everybody has one public address, and the site answers there.
    async fn new(reply: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::with(reply, |builder| builder).await
    }

    async fn with(
        reply: impl Fn(usize) -> Reply + Send + Sync + 'static,
        set: impl FnOnce(GuardedFetchBuilder) -> GuardedFetchBuilder,
    ) -> Self {
        Self::of(Site::start(reply).await, Names::answering(&[&[PUBLIC]]), set)
    }

    fn of(site: Site, names: Names, set: impl FnOnce(GuardedFetchBuilder) -> GuardedFetchBuilder) -> Self {
        let (detour, clock) = (Detour::to(Some(site.address)), ManualClock::new(NOW));
        let builder = GuardedFetch::builder()
            .clock(clock.clone())
            .resolver(names.clone())
            .root_certificates(site.certificate.clone())
            .detour(detour.clone())
            // Nothing here is about a slow machine.
            .timeout(Duration::from_secs(60))
            .connect_timeout(Duration::from_secs(60));
        Self { fetch: set(builder).build().unwrap(), site, names, detour, clock }
    }

    async fn keys(&self) -> Result<Fetched, FetchError> {
        self.fetch.fetch(keys_at(URL)).await
    }
}

fn is_unavailable(outcome: &Result<Fetched, FetchError>, at: Stage) -> bool {
    matches!(outcome, Err(FetchError::Unavailable { stage, .. }) if *stage == at)
}

fn retry_after(outcome: &Result<Fetched, FetchError>) -> Option<u64> {
    outcome.as_ref().err().and_then(FetchError::retry_after)
}
