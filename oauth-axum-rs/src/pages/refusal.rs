//! The page before a website that nobody vouches for (OAuth 2.1 section
//! 9.18.2).

use bytes::Bytes;
use http::{Response, request::Parts};
use oauth_core::{
    engine::interaction::{Interaction, Refusal, RefusalReason},
    error::OAuthError,
    params::Params,
};

use super::{
    flow::{Behind, Page, account_token, is_for, see_other},
    signed_in::SignedIn,
    users::Users,
    views::Leave,
    visit::Visit,
};

impl<U: Users> Visit<'_, U> {
    /// Sign-in for a stranger; then where it would lead.
    pub(super) fn show_refusal(&self, refusal: &Refusal, session: Option<&SignedIn>) -> Page {
        let (id, csrf, host) = (refusal.id(), refusal.csrf_token(), refusal.redirect_host());
        let Some(session) = session else {
            return self.to_sign_in(&Behind { id, csrf: &csrf, whom: &host, username: "", again: None });
        };
        Ok(self.leave_page((id, &csrf), session, &host, &refusal.error(), &refusal.redirect_origin()))
    }

    /// They have pressed the button.
    pub(super) async fn confirm_refusal(&self, parts: &Parts, refusal: Refusal, form: &Params) -> Page {
        match self.session(&parts.headers).await? {
            None => see_other(&self.url(refusal.id())),
            Some(session) if !is_for(form, &session) => Ok(self.out_of_date(refusal.id())),
            Some(session) => self.leave(refusal.confirmed_by(&session.subject).await?),
        }
    }

    /// Ends an interaction that no page can do more for: at once, or by the same
    /// page.
    pub(super) async fn give_up(&self, interaction: Interaction, session: &SignedIn, reason: RefusalReason) -> Page {
        if !interaction.must_not_redirect() {
            return self.leave(interaction.refuse(reason).await?);
        }
        let (csrf, host, origin) =
            (interaction.csrf_token(), interaction.redirect_host(), interaction.redirect_origin());
        Ok(self.leave_page((interaction.id(), &csrf), session, &host, &reason.error(), &origin))
    }

    fn leave_page(
        &self,
        (id, csrf): (&str, &str),
        session: &SignedIn,
        redirect_host: &str,
        error: &OAuthError,
        redirect_origin: &str,
    ) -> Response<Bytes> {
        let page = Leave {
            look: self.look,
            redirect_host,
            error: error.code().as_str(),
            description: error.description(),
            action: &self.url(id),
            csrf,
            account: &account_token(csrf, session),
        };
        page.page(redirect_origin)
    }
}
