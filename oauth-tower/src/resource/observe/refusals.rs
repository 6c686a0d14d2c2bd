//! Each refusal counts once, by its reason.

use super::super::RefusalKind;

/// Counts the refusals of one resource server. The default belongs to none, and
/// counts nothing.
#[derive(Debug, Default)]
pub(in crate::resource) struct Refusals {
    #[cfg(feature = "tracing")]
    resource: Box<str>,
    /// In the order of their words, as in [`RefusalKind::REASONS`].
    #[cfg(feature = "metrics")]
    counters: Box<[(&'static str, metrics::Counter)]>,
}

impl Refusals {
    pub(in crate::resource) fn new(resource: &str) -> Self {
        let _ = resource;
        Self {
            #[cfg(feature = "tracing")]
            resource: resource.into(),
            #[cfg(feature = "metrics")]
            counters: counters(resource),
        }
    }

    pub(in crate::resource) fn count(&self, kind: &RefusalKind) {
        #[cfg(feature = "metrics")]
        if let Ok(place) = self.counters.binary_search_by_key(&kind.reason(), |(word, _)| word)
            && let Some((_, counter)) = self.counters.get(place)
        {
            counter.increment(1);
        }
        #[cfg(feature = "tracing")]
        self.tell(kind);
        let _ = (self, kind);
    }

    #[cfg(feature = "tracing")]
    fn tell(&self, kind: &RefusalKind) {
        match kind {
            // Only the program can mend this.
            RefusalKind::NotValidated => tracing::error!("no resource server layer has seen the request"),
            kind => tracing::debug!(resource = &*self.resource, reason = kind.reason(), "a request was refused"),
        }
    }
}

/// One for each word there is: few, and none that a request could invent.
#[cfg(feature = "metrics")]
fn counters(resource: &str) -> Box<[(&'static str, metrics::Counter)]> {
    metrics::describe_counter!("oauth_resource_refusals_total", "Requests that were refused, by the reason.");
    let counter = |reason: &'static str| metrics::counter!("oauth_resource_refusals_total", "resource" => resource.to_owned(), "reason" => reason);
    RefusalKind::REASONS.iter().map(|word| (*word, counter(word))).collect()
}
