//! Each request counts once, by where the verdict on its token came from.

#[cfg(feature = "metrics")]
use metrics::Counter;

/// Where a verdict came from, good or bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::resource) enum Source {
    /// The cache.
    Hit,
    /// The token was verified here, with keys at hand or fetched for it.
    Verified,
    /// Its issuer or the store was asked, for this request or one beside it.
    Asked,
    /// Nothing had to be found out: no credentials, or none that could be good.
    None,
}

impl Source {
    #[cfg(any(feature = "metrics", feature = "tracing"))]
    const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Verified => "verified",
            Self::Asked => "asked",
            Self::None => "none",
        }
    }
}

/// Counts the requests of one resource server. The handles are made once: a
/// request costs one increment.
#[derive(Debug)]
pub(in crate::resource) struct Requests {
    #[cfg(feature = "metrics")]
    hit: Counter,
    #[cfg(feature = "metrics")]
    verified: Counter,
    #[cfg(feature = "metrics")]
    asked: Counter,
    #[cfg(feature = "metrics")]
    none: Counter,
}

impl Requests {
    #[cfg(feature = "metrics")]
    pub(in crate::resource) fn new(resource: &str) -> Self {
        metrics::describe_counter!(
            "oauth_resource_requests_total",
            "Requests, by where the verdict on their token came from."
        );
        let counter = |source: Source| metrics::counter!("oauth_resource_requests_total", "resource" => resource.to_owned(), "verdict" => source.as_str());
        Self {
            hit: counter(Source::Hit),
            verified: counter(Source::Verified),
            asked: counter(Source::Asked),
            none: counter(Source::None),
        }
    }

    #[cfg(not(feature = "metrics"))]
    pub(in crate::resource) const fn new(_resource: &str) -> Self {
        Self {}
    }

    #[inline]
    pub(in crate::resource) fn count(&self, source: Source) {
        #[cfg(feature = "metrics")]
        self.counter(source).increment(1);
        // Unless somebody listens, this costs the look at one atomic.
        #[cfg(feature = "tracing")]
        tracing::trace!(verdict = source.as_str(), "a request came");
        let _ = (self, source);
    }

    #[cfg(feature = "metrics")]
    const fn counter(&self, source: Source) -> &Counter {
        match source {
            Source::Hit => &self.hit,
            Source::Verified => &self.verified,
            Source::Asked => &self.asked,
            Source::None => &self.none,
        }
    }
}
