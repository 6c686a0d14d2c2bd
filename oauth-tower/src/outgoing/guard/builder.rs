//! Settings of a [`GuardedFetch`].

use std::{sync::Arc, time::Duration};

use oauth_core::clock::{Clock, SystemClock};
use rustls::{
    ClientConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::Verifier;

use super::{
    Guard, GuardedFetch, Keep,
    address::Addresses,
    cache::Documents,
    dial::Dialer,
    exchange::Exchange,
    limits::{Limits, Rate},
    resolve::{Resolve, SystemResolver},
};
use crate::{flight::Flights, outgoing::HttpError, proxy::Cidr, seconds};

/// Builds a [`GuardedFetch`]; made by [`GuardedFetch::builder`].
///
/// ```
/// use oauth_tower::outgoing::GuardedFetch;
/// use std::time::Duration;
/// let fetch = GuardedFetch::builder()
///     .timeout(Duration::from_secs(3))
///     .ports([443, 8443])
///     // One's own, although the world can reach it.
///     .refuse_network("93.184.216.0/24".parse()?)
///     .build()?;
/// # drop(fetch);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct GuardedFetchBuilder {
    clock: Arc<dyn Clock>,
    resolver: Arc<dyn Resolve>,
    addresses: Addresses,
    ports: Option<Vec<u16>>,
    roots: Vec<Vec<u8>>,
    timeout: Duration,
    connect_timeout: Duration,
    at_once: usize,
    interval: Duration,
    host: Rate,
    all: Rate,
    keep: Keep,
    cache_bytes: u64,
    #[cfg(test)]
    detour: Option<super::tests::Detour>,
}

impl GuardedFetchBuilder {
    pub(super) fn new() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            resolver: Arc::new(SystemResolver::default()),
            addresses: Addresses::default(),
            ports: None,
            roots: Vec::new(),
            timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(2),
            at_once: 32,
            interval: Duration::from_secs(10),
            host: (60, Duration::from_secs(60)),
            all: (600, Duration::from_secs(60)),
            keep: Keep { shortest: 60, usual: 300, longest: 3_600 },
            cache_bytes: 16 * 1024 * 1024,
            #[cfg(test)]
            detour: None,
        }
    }

    /// Sets the clock: the same as the server's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets who looks names up; [`SystemResolver`] if not called.
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.resolver = Arc::new(resolver);
        self
    }

    /// Trusts these certificates too: PEM, one or more.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Asks at these ports and at no others; at all of them if not called.
    pub fn ports(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.ports = Some(ports.into_iter().collect());
        self
    }

    /// Refuses these addresses too: public ones of one's own that grant this
    /// machine more than they grant the world.
    pub fn refuse_network(mut self, network: Cidr) -> Self {
        self.addresses.refused.push(network);
        self
    }

    /// Allows these addresses, whatever the registries say: clients that are
    /// inside, say. Every client can then make this server ask there, any path at
    /// any allowed port, as long as a certificate is shown.
    pub fn insecure_allow_network(mut self, network: Cidr) -> Self {
        self.addresses.allowed.push(network);
        self
    }

    /// Allows addresses in 64:ff9b::/96 (RFC 6052) if the IPv4 address in them is
    /// public: for machines that have IPv6 alone, and DNS64. Not by default, since
    /// the registry lists that block.
    pub const fn allow_nat64(mut self) -> Self {
        self.addresses.nat64 = true;
        self
    }

    /// Allows loopback addresses and `localhost`, and plain http to these. For
    /// development on one's own machine, never for more.
    pub const fn insecure_allow_loopback(mut self) -> Self {
        self.addresses.loopback = true;
        self
    }

    /// How long it may take from the look-up to the last byte; 5 seconds by
    /// default.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long a connection to one address may take, within the above; 2 seconds
    /// by default. Three addresses are tried.
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How many requests may be under way at once; 32 by default.
    pub const fn at_once(mut self, requests: usize) -> Self {
        self.at_once = requests;
        self
    }

    /// How long one URL is left alone after it was asked, in whole seconds,
    /// rounded up; 10 by default. It bounds how often a stranger makes keys be
    /// fetched again (RFC 8725 section 3.10) and a failing document be tried.
    pub const fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// How often one host is asked: so many times at once, and as often again in
    /// each period of whole seconds, steadily. 60 a minute by default.
    pub const fn per_host(mut self, requests: u32, period: Duration) -> Self {
        self.host = (requests, period);
        self
    }

    /// How often all hosts together are asked, likewise. 600 a minute by default.
    pub const fn overall(mut self, requests: u32, period: Duration) -> Self {
        self.all = (requests, period);
        self
    }

    /// For how long a valid document is kept, in whole seconds, rounded up: what
    /// its headers say (RFC 9111), but at least `shortest` and at most `longest`.
    /// 1 minute and 1 hour by default. Let `shortest` be no less than the interval.
    pub fn keep(mut self, shortest: Duration, longest: Duration) -> Self {
        let longest = seconds::whole(longest);
        self.keep = Keep { shortest: seconds::whole(shortest).min(longest), longest, ..self.keep };
        self
    }

    /// For how long a valid document is kept whose headers say nothing, within
    /// the bounds; 5 minutes by default.
    pub const fn keep_usually(mut self, duration: Duration) -> Self {
        self.keep.usual = seconds::whole(duration);
        self
    }

    /// How many bytes of documents are kept; 16 MiB by default.
    pub const fn cache_bytes(mut self, bytes: u64) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// The fetcher.
    ///
    /// # Errors
    /// [`HttpError::Setup`] if a certificate cannot be read, or there is none to
    /// trust.
    pub fn build(self) -> Result<GuardedFetch, HttpError> {
        let tls = Arc::new(tls(&self.roots)?);
        let dialer = Dialer {
            timeout: self.connect_timeout,
            #[cfg(test)]
            detour: self.detour,
        };
        let guard = Guard {
            clock: self.clock,
            loopback: self.addresses.loopback,
            ports: self.ports,
            timeout: self.timeout,
            keep: self.keep,
            exchange: Exchange { resolver: self.resolver, addresses: self.addresses, dialer, tls },
            limits: Limits::new(self.at_once, self.interval, self.host, self.all),
            documents: Documents::new(self.cache_bytes),
            flights: Arc::<Flights<_, _>>::default(),
        };
        Ok(GuardedFetch { guard: Arc::new(guard) })
    }

    #[cfg(test)]
    pub(super) fn detour(mut self, detour: super::tests::Detour) -> Self {
        self.detour = Some(detour);
        self
    }
}

/// Servers prove their name to the platform's roots and to `roots`.
fn tls(roots: &[Vec<u8>]) -> Result<ClientConfig, HttpError> {
    let mut extra = Vec::new();
    for pem in roots {
        let before = extra.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            extra.push(certificate.map_err(|error| HttpError::Setup(error.into()))?);
        }
        if extra.len() == before {
            return Err(HttpError::Setup("there is no certificate in it".into()));
        }
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider)).map_err(setup)?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(setup)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn setup(error: rustls::Error) -> HttpError {
    HttpError::Setup(error.into())
}
