//! What the authorization server tells of itself: logged and counted.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Arc, Mutex, PoisonError},
};

use oauth_core::event::{Event, EventSink};

/// Logs each event and counts it by its name. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct EventLog {
    counts: Arc<Mutex<BTreeMap<&'static str, u64>>>,
}

impl EventLog {
    /// The counts, in the text format of Prometheus.
    #[must_use]
    pub fn metrics(&self) -> String {
        let mut text = "# HELP oauth_events_total What the authorization server did and refused.\n\
                        # TYPE oauth_events_total counter\n"
            .to_owned();
        for (name, count) in &*self.counts.lock().unwrap_or_else(PoisonError::into_inner) {
            // Writing into a string does not fail.
            writeln!(text, "oauth_events_total{{event=\"{name}\"}} {count}").unwrap_or_default();
        }
        text
    }
}

impl EventSink for EventLog {
    fn event(&self, event: &Event<'_>) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(event.name()).or_default() += 1;
        log(event);
    }
}

/// No event holds a secret, so all of it can be logged.
fn log(event: &Event<'_>) {
    let name = event.name();
    match event {
        Event::TokensIssued { grant, client, grant_type } => {
            tracing::info!(event = name, %grant, %client, grant_type, "tokens were issued");
        }
        Event::RefreshRetried { grant, client } => {
            tracing::info!(event = name, %grant, %client, "a lost refresh response was repeated");
        }
        Event::RefreshReused { grant, client } => {
            tracing::warn!(event = name, %grant, %client, "a replaced refresh token came back: the grant is revoked");
        }
        Event::CodeReplayed { grant, client } => {
            tracing::warn!(event = name, %grant, %client, "a used code came back: the grant is revoked");
        }
        Event::CodeVoided { grant, client } => {
            tracing::warn!(event = name, %grant, %client, "a code came with too many wrong verifiers: it is void");
        }
        Event::GrantRevoked { grant } => tracing::info!(event = name, %grant, "a grant was revoked"),
        Event::RevokedInBulk { examined, revoked } => {
            tracing::warn!(event = name, examined, revoked, "a bulk revocation is done");
        }
        Event::AccessRevoked { grant } => tracing::info!(event = name, %grant, "an access token was revoked"),
        Event::ForeignRevocation { grant, owner, by } => {
            let by = by.map_or("(unknown)", |client| client.as_str());
            tracing::warn!(event = name, %grant, %owner, by, "a token was revoked by somebody else than its client");
        }
        Event::Approved { grant, client } => tracing::info!(event = name, %grant, %client, "a person approved"),
        Event::Denied { client } => tracing::info!(event = name, %client, "a person denied"),
        Event::ClientAuthenticationFailed { client, why } => {
            let client = client.map_or("(unknown)", |client| client.as_str());
            tracing::warn!(event = name, client, %why, "a client did not prove itself");
        }
        Event::ClientRegistered { client } => tracing::info!(event = name, %client, "a client was registered"),
        Event::RegistrationRefused { error } => tracing::warn!(event = name, error, "a registration was refused"),
        Event::FetchFailed { host, purpose, error } => {
            let purpose = purpose.as_str();
            tracing::info!(event = name, host, purpose, %error, "what a client names was not fetched");
        }
        Event::ClientIdHasQuery { client } => tracing::warn!(event = name, %client, "a client's URL has a query"),
        Event::ClientUpdated { client } => tracing::info!(event = name, %client, "a client replaced its registration"),
        Event::ClientDeleted { client } => tracing::info!(event = name, %client, "a client deleted itself"),
        Event::ReciprocalAbandoned { link, why } => {
            let (client, user) = (&link.client, link.subject.as_deref().unwrap_or("(none)"));
            tracing::warn!(event = name, %client, user, ?why, "another party's code was discarded: nothing came of it");
        }
        Event::BusFound => tracing::info!(event = name, "the bus can be reached"),
        Event::BusLost { error } => {
            tracing::warn!(event = name, %error, "the bus cannot be reached: others hear of revocations later");
        }
        Event::BusOverflowed => tracing::warn!(event = name, "more was revoked than the bus can carry"),
        Event::Fault { error } => tracing::error!(event = name, %error, "a request could not be served"),
        other => tracing::info!(event = name, "{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use oauth_core::engine::client_auth::AuthFailure;

    use super::*;

    #[test]
    fn events_are_counted_by_their_stable_names() {
        let log = EventLog::default();
        let id = oauth_core::client::ClientId::new("app").unwrap();
        log.event(&Event::Denied { client: &id });
        log.clone().event(&Event::Denied { client: &id });
        log.event(&Event::ClientAuthenticationFailed { client: None, why: &AuthFailure::UnknownClient });
        let text = log.metrics();
        assert!(text.ends_with(
            "oauth_events_total{event=\"client_authentication_failed\"} 1\noauth_events_total{event=\"denied\"} 2\n"
        ));
    }
}
