//! What a request wants of its person's sign-in.

use super::Interaction;
use crate::{
    clock::UnixTime,
    engine::authorization::{Prompt, SignInReason},
};

impl Interaction {
    /// When the request was made, by this server's clock. A sign-in since then
    /// was for this request.
    #[must_use]
    pub const fn asked_at(&self) -> UnixTime {
        self.request.wanted.asked_at
    }

    /// `prompt`: what the client wants its person to see.
    #[must_use]
    pub fn prompt(&self) -> &[Prompt] {
        &self.request.wanted.prompts
    }

    /// Whether no page may be shown (`prompt=none`): answer at once, with
    /// [`approve`](Self::approve) or [`refuse`](Self::refuse). `login_required`
    /// if nobody is signed in or [`needs_sign_in`](Self::needs_sign_in) says
    /// why, `consent_required` if [`consent`](Self::consent) says to ask.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.request.wanted.has(Prompt::None)
    }

    /// `acr_values`: the ways to sign in that the client accepts, the best one
    /// first. They are as the client wrote them: ten at most, and some may not
    /// be of this server.
    #[must_use]
    pub fn acr_values(&self) -> &[String] {
        &self.request.wanted.acr_values
    }

    /// `login_hint`: the name under which the person may sign in. Anybody can
    /// have written it, so it may fill in a field, and nothing else. At most
    /// 256 bytes, without control characters; to be escaped like any text.
    #[must_use]
    pub fn login_hint(&self) -> Option<&str> {
        self.request.wanted.login_hint.as_deref()
    }

    /// `ui_locales`: the languages that the person reads, the best one first; at
    /// most ten tags (RFC 5646), not checked against any list.
    #[must_use]
    pub fn ui_locales(&self) -> &[String] {
        &self.request.wanted.ui_locales
    }

    /// Why somebody who is signed in since `auth_time`, in the way `acr`, has to
    /// sign in once more for this request; `None` if they need not.
    /// [`approve`](Self::approve) asks the same again.
    ///
    /// Whoever has signed in since [`asked_at`](Self::asked_at) and still hears
    /// [`SignInReason::AnotherWay`] has no better way: refuse with
    /// [`RefusalReason::UnmetAuthenticationRequirements`].
    ///
    /// [`RefusalReason::UnmetAuthenticationRequirements`]: super::RefusalReason::UnmetAuthenticationRequirements
    #[must_use]
    pub fn needs_sign_in(&self, auth_time: Option<UnixTime>, acr: Option<&str>) -> Option<SignInReason> {
        let server = &self.held.server;
        self.request.wanted.missing(server.authorization(), auth_time, acr, server.now())
    }
}
