//! What goes on between the resource server and a bus.

use oauth_core::bus::BusError;

/// What happened on a bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::resource) enum BusEvent {
    /// A message.
    Heard,
    /// Messages may have been missed: it was found, for the first time or
    /// again, or there were too many.
    Gap,
    /// It cannot be reached.
    Lost,
    /// A message that makes no sense.
    Unreadable,
    /// A revocation had to be forgotten for another.
    Forgotten,
}

/// Watches the buses of one resource server.
#[derive(Debug)]
pub(in crate::resource) struct Buses {
    #[cfg(any(feature = "metrics", feature = "tracing"))]
    resource: Box<str>,
}

impl Buses {
    pub(in crate::resource) fn new(resource: &str) -> Self {
        let _ = resource;
        Self {
            #[cfg(any(feature = "metrics", feature = "tracing"))]
            resource: resource.into(),
        }
    }

    #[cfg_attr(not(any(feature = "metrics", feature = "tracing")), expect(clippy::unused_self))]
    pub(in crate::resource) fn count(&self, event: BusEvent) {
        #[cfg(feature = "metrics")]
        metrics::counter!(
            "oauth_resource_bus_total",
            "resource" => self.resource.to_string(),
            "event" => event.as_str()
        )
        .increment(1);
        #[cfg(feature = "tracing")]
        let resource = &*self.resource;
        #[cfg(feature = "tracing")]
        match event {
            BusEvent::Gap => tracing::info!(resource, "revocations are heard from here on; verdicts were dropped"),
            BusEvent::Unreadable => tracing::warn!(resource, "a message on the bus cannot be read"),
            BusEvent::Forgotten => tracing::warn!(resource, "more JWTs were revoked than can be remembered"),
            BusEvent::Heard | BusEvent::Lost => {}
        }
        let _ = event;
    }

    pub(in crate::resource) fn lost(&self, error: &BusError) {
        self.count(BusEvent::Lost);
        #[cfg(feature = "tracing")]
        tracing::warn!(resource = &*self.resource, %error, "revocations are not heard");
        let _ = error;
    }
}

#[cfg(feature = "metrics")]
impl BusEvent {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Heard => "heard",
            Self::Gap => "gap",
            Self::Lost => "lost",
            Self::Unreadable => "unreadable",
            Self::Forgotten => "forgotten",
        }
    }
}
