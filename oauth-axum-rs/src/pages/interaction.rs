//! What a request leads to: a sign-in, a question, or an answer at once.

use std::cmp::Ordering;

use bytes::Bytes;
use http::{Response, StatusCode, request::Parts};
use oauth_core::{
    clock::UnixTime,
    engine::{
        authorization::{Prompt, SignInReason},
        interaction::{Approval, ConsentNeed, Interaction, RefusalReason, WhatIsNew},
    },
    params::Params,
    scope::Scope,
};

use super::{
    about::About,
    flow::{Behind, Page, account_token, is_for, see_other},
    signed_in::SignedIn,
    users::Users,
    views::{self, Choose, Consent, ResourceLine, ScopeLine},
    visit::Visit,
};

impl<'v, U: Users> Visit<'v, U> {
    /// What there is to see for whoever comes with `session`.
    pub(super) async fn show_interaction(&self, interaction: Interaction, session: Option<SignedIn>) -> Page {
        if let Some(user) = &self.auto_approve {
            let approval = Approval::new(user.subject()).auth_time(self.server.now()).consent_not_needed();
            let approval = user.proven_by().iter().fold(approval, |approval, acr| approval.acr(*acr));
            return self.leave(interaction.approve(approval).await?);
        }
        let reason = session.as_ref().and_then(|session| why_sign_in(&interaction, session));
        if interaction.is_silent() {
            return self.answer_at_once(interaction, session.filter(|_| reason.is_none())).await;
        }
        let Some(session) = session else { return self.to_sign_in_for(&interaction, None) };
        // Nothing better can be had of who has signed in just for this.
        if reason == Some(SignInReason::AnotherWay) && is_fresh(&interaction, &session) {
            return self.give_up(interaction, &session, RefusalReason::UnmetAuthenticationRequirements).await;
        }
        if reason.is_some() {
            return self.to_sign_in_for(&interaction, Some(&session));
        }
        if interaction.prompt().contains(&Prompt::SelectAccount) && !is_fresh(&interaction, &session) {
            return Ok(self.choose_page(&interaction, &session));
        }
        self.ask(interaction, session).await
    }

    /// What somebody answered.
    pub(super) async fn decide_interaction(&self, parts: &Parts, interaction: Interaction, form: &Params) -> Page {
        let session = self.session(&parts.headers).await?;
        let action = form.get("action").unwrap_or_default();
        // A no needs nobody to be signed in, but where it leads to a stranger's website.
        if action == "deny" && !(interaction.must_not_redirect() && session.is_none()) {
            return self.leave(interaction.deny().await?);
        }
        let Some(session) = session else {
            // It ended while the page was open: back to the sign-in page.
            return see_other(&self.url(interaction.id()));
        };
        // Who is signed in now must be who saw the page.
        if !is_for(form, &session) {
            return Ok(self.out_of_date(interaction.id()));
        }
        let reason = why_sign_in(&interaction, &session);
        match action {
            "confirm" if reason == Some(SignInReason::AnotherWay) && is_fresh(&interaction, &session) => {
                self.leave(interaction.refuse(RefusalReason::UnmetAuthenticationRequirements).await?)
            }
            // It became too old while the page was open.
            "approve" | "continue" if reason.is_some() || interaction.is_silent() => {
                see_other(&self.url(interaction.id()))
            }
            "approve" if self.consent_path.is_none() => self.approve(interaction, session, true).await,
            "continue" => self.ask(interaction, session).await,
            _ => Ok(views::bad_request(StatusCode::BAD_REQUEST, self.look)),
        }
    }

    /// Where no page may be shown: by remembered consent, or not at all.
    async fn answer_at_once(&self, interaction: Interaction, session: Option<SignedIn>) -> Page {
        let no = match session {
            None => RefusalReason::LoginRequired,
            Some(session) => match interaction.consent(&session.subject).await? {
                ConsentNeed::Given => return self.approve(interaction, session, false).await,
                _ => RefusalReason::ConsentRequired,
            },
        };
        self.leave(interaction.refuse(no).await?)
    }

    /// The consent page, if there is something to ask.
    async fn ask(&self, interaction: Interaction, session: SignedIn) -> Page {
        match (interaction.consent(&session.subject).await?, &self.consent_path) {
            (ConsentNeed::Given, _) => self.approve(interaction, session, false).await,
            (_, Some(path)) => see_other(&format!("{path}?{}", id_parameter(&interaction))),
            (ConsentNeed::Ask(what), None) => Ok(self.consent_page(&interaction, &session, &what)),
            _ => Ok(self.consent_page(&interaction, &session, &WhatIsNew::default())),
        }
    }

    async fn approve(&self, interaction: Interaction, session: SignedIn, asked: bool) -> Page {
        let SignedIn { subject, auth_time, acr, .. } = session;
        let approval = Approval::new(subject).remember(asked);
        let approval = auth_time.into_iter().fold(approval, Approval::auth_time);
        let approval = acr.into_iter().fold(approval, Approval::acr);
        self.leave(interaction.approve(approval).await?)
    }

    fn to_sign_in_for(&self, interaction: &Interaction, session: Option<&SignedIn>) -> Page {
        let again = session.and_then(|session| self.why_again(interaction, session));
        // The name of who is signed in stays; otherwise the client may know one.
        let username = match session {
            Some(session) => session.username.as_str(),
            None => interaction.login_hint().unwrap_or_default(),
        };
        let (id, csrf, whom) = (interaction.id(), interaction.csrf_token(), views::client_name(interaction));
        self.to_sign_in(&Behind { id, csrf: &csrf, whom, username, again })
    }

    fn choose_page(&self, interaction: &Interaction, session: &SignedIn) -> Response<Bytes> {
        let csrf = interaction.csrf_token();
        let page = Choose {
            look: self.look,
            client: views::client_name(interaction),
            user: &session.name,
            action: &self.url(interaction.id()),
            csrf: &csrf,
            account: &account_token(&csrf, session),
        };
        page.page(&interaction.redirect_origin())
    }

    fn consent_page(&self, interaction: &Interaction, session: &SignedIn, what: &WhatIsNew) -> Response<Bytes> {
        let (redirect_host, document_host) = (interaction.redirect_host(), interaction.client_host());
        let is_new = |one: &str| what.new_resources.iter().any(|new| new == one);
        let resources = interaction.resources().iter().map(String::as_str);
        let page = Consent {
            look: self.look,
            client: views::client_name(interaction),
            user: &session.name,
            about: About::of(&interaction.client().profile),
            document_host: document_host.as_deref(),
            local: ["127.0.0.1", "[::1]", "localhost"].contains(&redirect_host.as_str()),
            agreed_before: what.agreed_before,
            scopes: self.lines(&what.new_scope),
            known: self.lines(&what.known_scope),
            details: interaction.authorization_details(),
            resources: resources.map(|one| ResourceLine { identifier: one, is_new: is_new(one) }).collect(),
            redirect_host: &redirect_host,
            action: &self.url(interaction.id()),
            csrf: &interaction.csrf_token(),
            account: &account_token(&interaction.csrf_token(), session),
        };
        page.page(&interaction.redirect_origin())
    }

    pub(super) fn lines<'a>(&'a self, scope: &'a Scope) -> Vec<ScopeLine<'a>> {
        let text = |token| self.look.texts.scopes.get(token).or_else(|| self.scope_texts.get(token));
        let line = |token| ScopeLine { token, text: text(token).map(String::as_str) };
        scope.iter().map(line).collect()
    }

    /// What to tell somebody who is signed in as `session` says, and has to sign in.
    pub(super) fn why_again(&self, interaction: &Interaction, session: &SignedIn) -> Option<&'v str> {
        let texts = &self.look.texts.sign_in;
        Some(match why_sign_in(interaction, session)? {
            SignInReason::AnotherWay => &texts.another_way,
            _ => &texts.again,
        })
    }
}

fn why_sign_in(interaction: &Interaction, session: &SignedIn) -> Option<SignInReason> {
    // A sign-in in the second of the request, but not for it, came before it.
    let before = |time: UnixTime| if is_fresh(interaction, session) { time } else { time.saturating_sub(1) };
    let in_that_second = |time: &UnixTime| *time == interaction.asked_at();
    let known = session.auth_time.map(|time| if in_that_second(&time) { before(time) } else { time });
    interaction.needs_sign_in(known, session.acr.as_deref())
}

/// Whether they have signed in for this request. Times are whole seconds, so within
/// one it counts for which request it was.
pub(super) fn is_fresh(interaction: &Interaction, session: &SignedIn) -> bool {
    let for_this = || session.signed_in_for.as_deref().is_none_or(|id| id == interaction.id());
    session.auth_time.is_some_and(|time| match time.cmp(&interaction.asked_at()) {
        Ordering::Less => false,
        Ordering::Equal => for_this(),
        Ordering::Greater => true,
    })
}

pub(super) fn id_parameter(interaction: &Interaction) -> String {
    oauth_core::params::encode([("id", interaction.id().into())])
}
