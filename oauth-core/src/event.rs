//! What happened, for those who watch: security events with stable names.
//!
//! The engine tells an [`EventSink`] what it did and what it refused. No event
//! carries a token, a code, a secret or anything a client sent unchecked.

use std::fmt;

use crate::{
    client::ClientId,
    clock::UnixTime,
    engine::{client_auth::AuthFailure, reciprocal::ReciprocalEnd},
    fetch::{FetchError, Purpose},
    store::ReciprocalLink,
    token::GrantId,
};

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
    /// An authorization code came with so many wrong verifiers that it is void: whoever
    /// has it is not its client.
    CodeVoided {
        /// The grant that was to come of it, which is revoked.
        grant: GrantId,
        /// The client that presented it.
        client: &'a ClientId,
    },
    /// A grant was revoked on request.
    GrantRevoked {
        /// The grant.
        grant: GrantId,
    },
    /// A bulk revocation is done: [`revoke_all`](crate::server::AuthorizationServer::revoke_all).
    RevokedInBulk {
        /// How many grants it has looked at.
        examined: u64,
        /// How many of them it has revoked; each has its own event, too.
        revoked: u64,
    },
    /// One access token was revoked on request.
    AccessRevoked {
        /// Its grant.
        grant: GrantId,
    },
    /// A token was revoked by somebody who is not known to be its client: the mode or
    /// the host allows it. Tell the owner, perhaps: the token may have leaked. Comes
    /// after the event that says what ended.
    ForeignRevocation {
        /// The grant.
        grant: GrantId,
        /// The client whose token it was.
        owner: &'a ClientId,
        /// The client that asked; `None` if that is not certain.
        by: Option<&'a ClientId>,
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
        /// Why. For operators only: the client hears the same of all.
        why: &'a AuthFailure,
    },
    /// A client failed to authenticate too often, there or from everywhere, and
    /// heard 429. Or too many wrong tokens were shown where clients register.
    ClientAuthenticationLimited,
    /// A client was registered (RFC 7591).
    ClientRegistered {
        /// Its identifier.
        client: &'a ClientId,
    },
    /// What a client names was not fetched: its keys, its metadata document or its
    /// request. Strangers can bring it about.
    FetchFailed {
        /// The host of the URL, as a client wrote it. No more of it: a query may hold
        /// anything.
        host: &'a str,
        /// What it is.
        purpose: Purpose,
        /// Why. For operators only: it may name addresses.
        error: &'a FetchError,
    },
    /// A client's metadata document was read whose URL has a query, which it
    /// "SHOULD NOT" have (Client ID Metadata Document draft section 3).
    ClientIdHasQuery {
        /// The URL.
        client: &'a ClientId,
    },
    /// A registration was refused.
    RegistrationRefused {
        /// The error code that was answered.
        error: &'a str,
    },
    /// A client has replaced its registration (RFC 7592 section 2.2).
    ClientUpdated {
        /// Its identifier.
        client: &'a ClientId,
    },
    /// A client has deleted itself, and with it all that it was given (RFC 7592
    /// section 2.3).
    ClientDeleted {
        /// Its identifier.
        client: &'a ClientId,
    },
    /// Another party's code was taken in, and waits to be redeemed there
    /// (draft-ietf-oauth-reciprocal-04).
    ReciprocalQueued {
        /// The other party, and for whom.
        link: &'a ReciprocalLink,
    },
    /// It was redeemed: there are tokens for a link that had none.
    ReciprocalRedeemed {
        /// The other party, and for whom.
        link: &'a ReciprocalLink,
    },
    /// It was redeemed, and its tokens have taken the place of those before.
    ReciprocalUpdated {
        /// The other party, and for whom.
        link: &'a ReciprocalLink,
    },
    /// The other party could not be asked, and will be again.
    ReciprocalDeferred {
        /// The other party, and for whom.
        link: &'a ReciprocalLink,
        /// How often it was tried.
        attempts: u32,
        /// When it will be.
        due_at: UnixTime,
    },
    /// Another party's code was discarded without being redeemed: what its user has
    /// agreed to there has not come about.
    ReciprocalAbandoned {
        /// The other party, and for whom.
        link: &'a ReciprocalLink,
        /// Why.
        why: ReciprocalEnd,
    },
    /// The bus can be reached, for the first time or again. Whoever has missed
    /// something has dropped what they remember.
    BusFound,
    /// The bus cannot be reached: until it can, other processes learn of
    /// revocations when what they remember ends. Said once.
    BusLost {
        /// What failed. For operators only.
        error: &'a (dyn std::error::Error + 'static),
    },
    /// More was revoked than the bus could carry: everyone on it has been told
    /// to drop what they remember.
    BusOverflowed,
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
            Self::CodeVoided { .. } => "code_voided",
            Self::GrantRevoked { .. } => "grant_revoked",
            Self::RevokedInBulk { .. } => "revoked_in_bulk",
            Self::AccessRevoked { .. } => "access_revoked",
            Self::ForeignRevocation { .. } => "foreign_revocation",
            Self::Approved { .. } => "approved",
            Self::Denied { .. } => "denied",
            Self::ClientAuthenticationFailed { .. } => "client_authentication_failed",
            Self::ClientAuthenticationLimited => "client_authentication_limited",
            Self::ClientRegistered { .. } => "client_registered",
            Self::FetchFailed { .. } => "fetch_failed",
            Self::ClientIdHasQuery { .. } => "client_id_has_query",
            Self::RegistrationRefused { .. } => "registration_refused",
            Self::ClientUpdated { .. } => "client_updated",
            Self::ClientDeleted { .. } => "client_deleted",
            Self::ReciprocalQueued { .. } => "reciprocal_queued",
            Self::ReciprocalRedeemed { .. } => "reciprocal_redeemed",
            Self::ReciprocalUpdated { .. } => "reciprocal_updated",
            Self::ReciprocalDeferred { .. } => "reciprocal_deferred",
            Self::ReciprocalAbandoned { .. } => "reciprocal_abandoned",
            Self::BusFound => "bus_found",
            Self::BusLost { .. } => "bus_lost",
            Self::BusOverflowed => "bus_overflowed",
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
