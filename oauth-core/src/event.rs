//! What happened, for those who watch: security events with stable names.
//!
//! The engine tells an [`EventSink`] what it did and what it refused. No event
//! carries a token, a code, a secret or anything a client sent unchecked.

use std::fmt;

use crate::{client::ClientId, token::GrantId};

/// Something the authorization server did or refused.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Tokens were issued under a grant.
    TokensIssued {
        /// The grant.
        grant: GrantId,
        /// The client.
        client: &'a ClientId,
        /// The `grant_type`.
        grant_type: &'a str,
    },
    /// A lost refresh response was answered again with the same successor.
    RefreshRetried {
        /// The grant.
        grant: GrantId,
        /// The client.
        client: &'a ClientId,
    },
    /// A replaced refresh token was presented: the grant is revoked. Someone
    /// else may hold the client's tokens.
    RefreshReused {
        /// The grant.
        grant: GrantId,
        /// The client that presented it.
        client: &'a ClientId,
    },
    /// A used authorization code was presented again: the grant is revoked.
    CodeReplayed {
        /// The grant.
        grant: GrantId,
        /// The client that presented it.
        client: &'a ClientId,
    },
    /// A grant was revoked on request.
    GrantRevoked {
        /// The grant.
        grant: GrantId,
    },
    /// One access token was revoked on request.
    AccessRevoked {
        /// Its grant.
        grant: GrantId,
    },
    /// A person approved a client's request.
    Approved {
        /// The grant it made.
        grant: GrantId,
        /// The client.
        client: &'a ClientId,
    },
    /// A person, or policy on their behalf, said no.
    Denied {
        /// The client.
        client: &'a ClientId,
    },
    /// Client authentication failed.
    ClientAuthenticationFailed {
        /// The identifier that was claimed, if a client of that name exists.
        client: Option<&'a ClientId>,
    },
    /// A fault of this server's own; the client heard 503 or `server_error`.
    Fault {
        /// What failed. For operators only.
        error: &'a (dyn std::error::Error + 'static),
    },
}

impl Event<'_> {
    /// The event's stable name, for logs and metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::TokensIssued { .. } => "tokens_issued",
            Self::RefreshRetried { .. } => "refresh_retried",
            Self::RefreshReused { .. } => "refresh_reused",
            Self::CodeReplayed { .. } => "code_replayed",
            Self::GrantRevoked { .. } => "grant_revoked",
            Self::AccessRevoked { .. } => "access_revoked",
            Self::Approved { .. } => "approved",
            Self::Denied { .. } => "denied",
            Self::ClientAuthenticationFailed { .. } => "client_authentication_failed",
            Self::Fault { .. } => "fault",
        }
    }
}

/// Receives events. Called on the request's path: return quickly.
///
/// ```
/// use oauth_core::event::{Event, EventSink};
/// #[derive(Debug)]
/// struct Print;
/// impl EventSink for Print {
///     fn event(&self, event: &Event<'_>) {
///         println!("{}: {event:?}", event.name());
///     }
/// }
/// ```
pub trait EventSink: fmt::Debug + Send + Sync + 'static {
    /// Something happened.
    fn event(&self, event: &Event<'_>);
}

/// For a sink that its owner keeps a handle of.
impl<S: EventSink + ?Sized> EventSink for std::sync::Arc<S> {
    fn event(&self, event: &Event<'_>) {
        (**self).event(event);
    }
}

/// Drops every event.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEvents;

impl EventSink for NoEvents {
    fn event(&self, _event: &Event<'_>) {}
}
