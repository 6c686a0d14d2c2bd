//! A no, and its reasons ([OpenID Connect Core] section 3.1.2.6).
//!
//! [OpenID Connect Core]: https://openid.net/specs/openid-connect-core-1_0.html

use super::Interaction;
use crate::{
    engine::{
        authorization::{AuthorizationResponse, unmet},
        fault::Fault,
    },
    error::{ErrorCode, OAuthError},
    event::Event,
};

/// Why a request gets no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalReason {
    /// `access_denied`: the person, or a policy, said no.
    AccessDenied,
    /// `login_required`: nobody is signed in as is wanted, and no page may be
    /// shown.
    LoginRequired,
    /// `consent_required`: somebody would have to be asked, and no page may be
    /// shown.
    ConsentRequired,
    /// `account_selection_required`: it is not known which account it is to be,
    /// and no page may be shown.
    AccountSelectionRequired,
    /// `interaction_required`: something else would have to be shown, and no
    /// page may be.
    InteractionRequired,
    /// `unmet_authentication_requirements`: nobody can sign in as is wanted
    /// (OpenID Connect Unmet Authentication Requirements 1.0).
    UnmetAuthenticationRequirements,
}

impl RefusalReason {
    /// What the client hears.
    #[must_use]
    pub fn error(self) -> OAuthError {
        let other = |code: &'static str, text: &'static str| OAuthError::new(ErrorCode::Other(code.into()), text);
        match self {
            Self::AccessDenied => OAuthError::new(ErrorCode::AccessDenied, "the request was denied"),
            Self::LoginRequired => other("login_required", "the user must sign in"),
            Self::ConsentRequired => other("consent_required", "the user must be asked"),
            Self::AccountSelectionRequired => other("account_selection_required", "the user must choose an account"),
            Self::InteractionRequired => other("interaction_required", "the user must be shown a page"),
            Self::UnmetAuthenticationRequirements => unmet("the user cannot sign in as the request demands"),
        }
    }
}

impl Interaction {
    /// Ends it with a no: `access_denied` goes to the client. Returns the
    /// answer for the browser; `None` if it had been decided before.
    ///
    /// # Errors
    /// [`Fault`] if the store fails; nothing was decided then.
    pub async fn deny(self) -> Result<Option<AuthorizationResponse>, Fault> {
        self.refuse(RefusalReason::AccessDenied).await
    }

    /// Ends it without a code, and tells the client why. Returns the answer for
    /// the browser; `None` if it had been decided before.
    ///
    /// Where [`must_not_redirect`](Self::must_not_redirect) says so, let the
    /// person press a button first.
    ///
    /// # Errors
    /// [`Fault`] if the store fails; nothing was decided then.
    pub async fn refuse(self, reason: RefusalReason) -> Result<Option<AuthorizationResponse>, Fault> {
        if !self.held.finish(None).await? {
            return Ok(None);
        }
        let server = &self.held.server;
        server.tell(&Event::Denied { client: &self.client.id });
        Ok(Some(self.request.reply.refuse(server, &reason.error())))
    }

    /// Whether nobody is to be sent to this client without having signed in and
    /// pressed a button that says where it leads: the operator does not vouch
    /// for it, and it has not forbidden pages (OAuth 2.1 section 9.18.2).
    #[must_use]
    pub fn must_not_redirect(&self) -> bool {
        !self.client.is_vouched_for() && !self.is_silent()
    }
}
