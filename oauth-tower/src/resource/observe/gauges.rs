//! What has to be looked at, to be known.

use super::super::{ResourceServer, health::IssuerHealth};

impl ResourceServer {
    /// Sets the gauges: call it when metrics are collected, or every few seconds.
    ///
    /// | Gauge | Labels | What it is |
    /// |---|---|---|
    /// | `oauth_resource_key_age_seconds` | `resource`, `issuer` | how long ago the keys were asked for; absent while there are none |
    /// | `oauth_resource_issuer_ready` | `resource`, `issuer`, `kind` | 1, or 0 while its tokens cannot be judged |
    /// | `oauth_resource_cache_entries` | `resource`, `what` | how many `verdicts` and `denials` are remembered |
    ///
    /// The counters and the histogram need nobody's call: see
    /// [the module](crate::resource).
    ///
    /// ```
    /// use oauth_tower::resource::ResourceServer;
    ///
    /// async fn collect(api: ResourceServer) {
    ///     loop {
    ///         api.update_gauges();
    ///         tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    ///     }
    /// }
    /// # let _ = collect;
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
    pub fn update_gauges(&self) {
        describe();
        let health = self.health();
        let entries = |what: &'static str, count: u64| {
            gauge("oauth_resource_cache_entries", [("resource", self.resource()), ("what", what)]).set(float(count));
        };
        entries("verdicts", health.verdicts);
        entries("denials", health.denials);
        health.issuers.iter().for_each(|issuer| set(self.resource(), issuer));
    }
}

fn set(resource: &str, health: &IssuerHealth) {
    let labels = [("resource", resource), ("issuer", &*health.issuer)];
    if let Some(age) = health.key_age {
        gauge("oauth_resource_key_age_seconds", labels).set(float(age));
    }
    let [resource, issuer] = labels;
    let ready = gauge("oauth_resource_issuer_ready", [resource, issuer, ("kind", health.kind.as_str())]);
    ready.set(if health.is_ready() { 1.0 } else { 0.0 });
}

fn gauge<const N: usize>(name: &'static str, labels: [(&'static str, &str); N]) -> metrics::Gauge {
    let labels = labels.map(|(name, value)| metrics::Label::new(name, value.to_owned()));
    metrics::gauge!(name, labels.iter())
}

fn describe() {
    metrics::describe_gauge!("oauth_resource_key_age_seconds", metrics::Unit::Seconds, "How old an issuer's keys are.");
    metrics::describe_gauge!("oauth_resource_issuer_ready", "Whether the tokens of an issuer can be judged.");
    metrics::describe_gauge!("oauth_resource_cache_entries", "What is remembered of tokens.");
}

/// Beyond 2^53 a gauge is not exact, and nothing here comes near.
#[expect(clippy::cast_precision_loss, reason = "see above")]
const fn float(count: u64) -> f64 {
    count as f64
}
