//! How long calls take, by how they end.

use std::time::Duration;

use metrics::Histogram;

use super::upstream::{Outcome, What};

/// The histograms of one kind of call to one issuer.
#[derive(Clone, Debug)]
pub(super) struct Times {
    ok: Histogram,
    status: Histogram,
    timeout: Histogram,
    unreachable: Histogram,
    unusable: Histogram,
    abandoned: Histogram,
}

impl Times {
    pub(super) fn new(issuer: &str, what: What) -> Self {
        metrics::describe_histogram!(
            "oauth_resource_upstream_seconds",
            metrics::Unit::Seconds,
            "How long authorization servers took to answer."
        );
        let histogram = |outcome: Outcome| {
            metrics::histogram!(
                "oauth_resource_upstream_seconds",
                "issuer" => issuer.to_owned(), "what" => what.as_str(), "outcome" => outcome.as_str(),
            )
        };
        Self {
            ok: histogram(Outcome::Ok),
            status: histogram(Outcome::Status),
            timeout: histogram(Outcome::Timeout),
            unreachable: histogram(Outcome::Unreachable),
            unusable: histogram(Outcome::Unusable),
            abandoned: histogram(Outcome::Abandoned),
        }
    }

    pub(super) fn record(&self, outcome: Outcome, time: Duration) {
        let histogram = match outcome {
            Outcome::Ok => &self.ok,
            Outcome::Status => &self.status,
            Outcome::Timeout => &self.timeout,
            Outcome::Unreachable => &self.unreachable,
            Outcome::Unusable => &self.unusable,
            Outcome::Abandoned => &self.abandoned,
        };
        histogram.record(time);
    }
}
