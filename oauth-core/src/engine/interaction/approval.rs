//! A person's yes.

use crate::{authorization_details::AuthorizationDetails, clock::UnixTime, scope::Scope};

/// A person's yes.
#[derive(Clone, Debug)]
pub struct Approval {
    pub(super) subject: String,
    pub(super) auth_time: Option<UnixTime>,
    pub(super) acr: Option<String>,
    pub(super) scope: Option<Scope>,
    pub(super) authorization_details: Option<AuthorizationDetails>,
    pub(super) remember: bool,
    pub(super) consent_not_needed: bool,
}

impl Approval {
    /// Approval by the user `subject`: the host's stable identifier of them,
    /// which becomes the token's `sub`.
    pub fn new(subject: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            auth_time: None,
            acr: None,
            scope: None,
            authorization_details: None,
            remember: false,
            consent_not_needed: false,
        }
    }

    /// Sets when the user last proved who they are. Without it, no request that
    /// wants a fresh sign-in can be approved.
    #[must_use]
    pub const fn auth_time(mut self, time: UnixTime) -> Self {
        self.auth_time = Some(time);
        self
    }

    /// Sets how well they did: an authentication context class reference, one of
    /// [`AuthorizationSettings::acr_values`].
    ///
    /// [`AuthorizationSettings::acr_values`]: crate::engine::authorization::AuthorizationSettings::acr_values
    #[must_use]
    pub fn acr(mut self, acr: impl Into<String>) -> Self {
        self.acr = Some(acr.into());
        self
    }

    /// Grants only these of the scopes that were asked for.
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Grants these details instead of those that were asked for. What is not
    /// within one of those is left out.
    #[must_use]
    pub fn authorization_details(mut self, details: AuthorizationDetails) -> Self {
        self.authorization_details = Some(details);
        self
    }

    /// Whether to remember it, for as long as
    /// [`AuthorizationSettings::consent_lifetime`] says: the person was shown
    /// what the client asks for, and agreed. What it is good for the next time,
    /// [`Interaction::consent`] says.
    ///
    /// [`AuthorizationSettings::consent_lifetime`]: crate::engine::authorization::AuthorizationSettings::consent_lifetime
    /// [`Interaction::consent`]: super::Interaction::consent
    #[must_use]
    pub const fn remember(mut self, remember: bool) -> Self {
        self.remember = remember;
        self
    }

    /// Says that this client needs nobody's consent: it is the operator's own.
    /// Without it, a request that forbids pages (`prompt=none`) is approved only
    /// by someone whose consent is remembered.
    #[must_use]
    pub const fn consent_not_needed(mut self) -> Self {
        self.consent_not_needed = true;
        self
    }
}
