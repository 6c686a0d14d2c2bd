//! The way through the pages: from what waits to the person's decision.

use std::net::{IpAddr, SocketAddr};

use axum::{body::Body, extract::ConnectInfo};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header::SET_COOKIE, request::Parts};
use oauth_core::{
    engine::{authorization::AuthorizationResponse, fault::Fault, interaction::Pending},
    params::{self, Params},
    secret::{Digest, Secret},
};
use oauth_tower::proxy::ClientAddress;

use super::{
    form,
    session::{Session, Sessions},
    signed_in::SignedIn,
    users::{User, Users},
    views::{self, SignIn},
    visit::Visit,
};
use crate::Peer;

pub(super) type Page = Result<Response<Bytes>, Fault>;

/// What a sign-in page needs to know of what waits behind it.
pub(super) struct Behind<'a> {
    pub(super) id: &'a str,
    pub(super) csrf: &'a str,
    /// What to call whom it leads to.
    pub(super) whom: &'a str,
    /// The name to fill in.
    pub(super) username: &'a str,
    /// Why somebody who is signed in must prove it again.
    pub(super) again: Option<&'a str>,
}

impl<U: Users> Visit<'_, U> {
    /// `GET /interaction?id=`.
    pub(super) async fn show(&mut self, parts: &Parts) -> Page {
        let Some(pending) = self.pending(parts).await? else {
            return Ok(views::ended(StatusCode::BAD_REQUEST, self.look));
        };
        self.speak_for(&pending, parts);
        let session = self.session(&parts.headers).await?;
        match pending {
            Pending::Interaction(interaction) => match self.registration_for(&interaction, session.as_ref(), parts) {
                Some(url) => see_other(&url),
                None => self.show_interaction(*interaction, session).await,
            },
            Pending::Refusal(refusal) => self.show_refusal(&refusal, session.as_ref()),
            _ => Err(Fault::Internal("what waits is of an unknown kind")),
        }
    }

    /// `POST /interaction?id=`: what a form on one of these pages sent.
    pub(super) async fn decide(&mut self, parts: &Parts, body: Body) -> Page {
        let form = match form::read(parts, body).await {
            Ok(form) => form,
            Err(status) => return Ok(views::bad_request(status, self.look)),
        };
        let Some(pending) = self.pending(parts).await? else {
            return Ok(views::ended(StatusCode::FORBIDDEN, self.look));
        };
        self.speak_for(&pending, parts);
        let csrf = form.get("csrf").unwrap_or_default();
        let (id, good) = match &pending {
            Pending::Interaction(interaction) => (interaction.id(), interaction.csrf_matches(csrf)),
            Pending::Refusal(refusal) => (refusal.id(), refusal.csrf_matches(csrf)),
            _ => return Err(Fault::Internal("what waits is of an unknown kind")),
        };
        // OAuth 2.1 section 9.15: the token is tied to this interaction in
        // this browser, and nothing is done without it.
        if !good {
            return Ok(self.out_of_date(id));
        }
        match (form.get("action"), pending) {
            (Some("sign_in"), pending) if self.host_sign_in.is_none() => self.sign_in(parts, &pending, &form).await,
            (Some("sign_out"), pending) => self.sign_out_of_interaction(&parts.headers, &pending).await,
            (_, Pending::Interaction(interaction)) => self.decide_interaction(parts, *interaction, &form).await,
            (Some("confirm"), Pending::Refusal(refusal)) => self.confirm_refusal(parts, *refusal, &form).await,
            _ => Ok(views::bad_request(StatusCode::BAD_REQUEST, self.look)),
        }
    }

    async fn sign_in(&self, parts: &Parts, pending: &Pending, form: &Params) -> Page {
        let no = match self.check_sign_in(parts, form).await? {
            Ok(user) => {
                let session = self.begin_session(&parts.headers, &user, form, id_of(pending)).await?;
                return self.go_on(id_of(pending), session);
            }
            Err(no) => no,
        };
        let again = match (pending, self.session(&parts.headers).await?) {
            // Who has to prove it again is the same until they say otherwise.
            (Pending::Interaction(interaction), Some(session)) if session.username == no.username => {
                self.why_again(interaction, &session)
            }
            _ => None,
        };
        let csrf = form.get("csrf").unwrap_or_default();
        let whom = match pending {
            Pending::Interaction(interaction) => views::client_name(interaction).to_owned(),
            Pending::Refusal(refusal) => refusal.redirect_host(),
            _ => String::new(),
        };
        let behind = Behind { id: id_of(pending), csrf, whom: &whom, username: &no.username, again };
        Ok(no.answer(self.sign_in_page(no.status, &behind, Some(&no.problem))))
    }

    /// Lets somebody else sign in.
    async fn sign_out_of_interaction(&self, headers: &HeaderMap, pending: &Pending) -> Page {
        match &self.host_sign_in {
            Some(_) => see_other(&self.host_sign_in_url(id_of(pending), true)),
            None => self.go_on(id_of(pending), self.end_session(headers).await?),
        }
    }

    /// The session of `user`, who has just signed in by `form` for the request
    /// with this id, or for none, in a cookie; in place of the one that the browser had, which ends.
    pub(super) async fn begin_session(
        &self,
        headers: &HeaderMap,
        user: &User,
        form: &Params,
        signed_in_for: &str,
    ) -> Result<HeaderValue, Fault> {
        let username = form.get("username").unwrap_or_default().trim();
        let session = self.sessions.begin(&self.server, user, username, signed_in_for).await?;
        self.sessions.end(&self.server, headers).await?;
        Ok(session)
    }

    /// Ends the session of the browser that sent `headers`: the cookie that tells
    /// it so.
    pub(super) async fn end_session(&self, headers: &HeaderMap) -> Result<HeaderValue, Fault> {
        self.sessions.end(&self.server, headers).await?;
        Ok(Sessions::none(&self.server))
    }

    /// `GET /interaction/sign-out`.
    pub(super) async fn show_sign_out(&self, parts: &Parts) -> Page {
        Ok(match self.own_session(&parts.headers).await? {
            None => views::signed_out(self.look),
            Some(session) => {
                views::sign_out(self.look, &session.name, &self.sign_out_path(), &session.sign_out_token())
            }
        })
    }

    /// `POST /interaction/sign-out`.
    pub(super) async fn sign_out(&self, parts: &Parts, body: Body) -> Page {
        let form = match form::read(parts, body).await {
            Ok(form) => form,
            Err(status) => return Ok(views::bad_request(status, self.look)),
        };
        let presented = Secret::new(form.get("csrf").unwrap_or_default());
        let session = self.sessions.read(&self.server, &parts.headers).await?;
        if session.is_none_or(|session| presented != Secret::new(session.sign_out_token())) {
            return Ok(views::foreign_form(self.look, None));
        }
        let none = self.end_session(&parts.headers).await?;
        let mut response = views::signed_out(self.look);
        response.headers_mut().append(SET_COOKIE, none);
        Ok(response)
    }

    /// In a language that the client has named, if there is one.
    fn speak_for(&mut self, pending: &Pending, parts: &Parts) {
        if let Pending::Interaction(interaction) = pending {
            self.speak(interaction.ui_locales(), parts);
        }
    }

    /// What the address names, if it is this browser's.
    async fn pending(&self, parts: &Parts) -> Result<Option<Pending>, Fault> {
        let query = Params::parse(parts.uri.query().unwrap_or_default()).unwrap_or_default();
        match query.get("id") {
            Some(id) => self.server.pending(id, &parts.headers).await,
            None => Ok(None),
        }
    }

    /// Who is signed in with this browser, and still may.
    pub(super) async fn session(&self, headers: &HeaderMap) -> Result<Option<SignedIn>, Fault> {
        if let Some(host) = &self.host_sign_in {
            return host.sessions.signed_in(headers).await;
        }
        Ok(self.own_session(headers).await?.map(SignedIn::from))
    }

    /// The same, where these pages sign people in.
    async fn own_session(&self, headers: &HeaderMap) -> Result<Option<Session>, Fault> {
        match self.sessions.read(&self.server, headers).await? {
            Some(session) if self.users.is_active(&session.subject).await? => Ok(Some(session)),
            _ => Ok(None),
        }
    }

    /// `page`, with which the session that it was asked for with stays in use.
    pub(super) fn in_use(&self, headers: &HeaderMap, page: Page) -> Page {
        let mut page = page?;
        if !page.headers().contains_key(SET_COOKIE)
            && let Some(cookie) = self.sessions.renew(&self.server, headers)
        {
            page.headers_mut().insert(SET_COOKIE, cookie);
        }
        Ok(page)
    }

    /// The sign-in page, or the way to the host's.
    pub(super) fn to_sign_in(&self, behind: &Behind<'_>) -> Page {
        match &self.host_sign_in {
            Some(_) => see_other(&self.host_sign_in_url(behind.id, behind.again.is_some())),
            None => Ok(self.sign_in_page(StatusCode::OK, behind, None)),
        }
    }

    fn sign_in_page(&self, status: StatusCode, behind: &Behind<'_>, problem: Option<&str>) -> Response<Bytes> {
        let Behind { id, csrf, whom, username, again } = *behind;
        let look = self.look;
        SignIn { look, client: whom, action: &self.url(id), csrf, username, again, problem }.page(status)
    }

    /// `again` tells the host's page not to rest on the session there is.
    fn host_sign_in_url(&self, id: &str, again: bool) -> String {
        let path = self.host_sign_in.as_ref().map_or("", |host| host.path.as_str());
        let again = again.then_some(("again", "1".into()));
        format!("{path}?{}", params::encode([("id", id.into())].into_iter().chain(again)))
    }

    pub(super) fn out_of_date(&self, id: &str) -> Response<Bytes> {
        views::foreign_form(self.look, Some((&self.path(), id)))
    }

    /// To the client with the answer, unless it was given before.
    pub(super) fn leave(&self, answer: Option<AuthorizationResponse>) -> Page {
        match answer {
            Some(answer) => Ok(answer.into_http()),
            None => Ok(views::ended(StatusCode::CONFLICT, self.look)),
        }
    }

    /// Back to the interaction with another session.
    fn go_on(&self, id: &str, session: HeaderValue) -> Page {
        let mut response = see_other(&self.url(id))?;
        response.headers_mut().append(SET_COOKIE, session);
        Ok(response)
    }

    /// The page's own address. Nothing in it comes from the request: the id is
    /// one that the engine made (OAuth 2.1 section 9.18.2).
    pub(super) fn url(&self, id: &str) -> String {
        self.server.interaction_url(id)
    }
}

fn id_of(pending: &Pending) -> &str {
    match pending {
        Pending::Interaction(interaction) => interaction.id(),
        Pending::Refusal(refusal) => refusal.id(),
        _ => "",
    }
}

/// Ties a form to the person who sees it. The form's CSRF token is secret, and
/// so is this.
pub(super) fn account_token(csrf: &str, session: &SignedIn) -> String {
    let digest = Digest::of(&[b"account", csrf.as_bytes(), session.subject.as_bytes()]);
    URL_SAFE_NO_PAD.encode(digest.as_bytes())
}

/// Whether who is signed in now is who saw the page with `form`.
pub(super) fn is_for(form: &Params, session: &SignedIn) -> bool {
    let account = account_token(form.get("csrf").unwrap_or_default(), session);
    Secret::new(account) == Secret::new(form.get("account").unwrap_or_default())
}

pub(super) fn see_other(url: &str) -> Page {
    views::see_other(url).ok_or(Fault::Internal("a redirect does not fit into a header"))
}

pub(super) fn address(parts: &Parts) -> Option<IpAddr> {
    let known = ClientAddress::of(&parts.extensions);
    let peer = || parts.extensions.get::<ConnectInfo<Peer>>().map(|ConnectInfo(peer)| peer.address().ip());
    let plain = || parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
    known.or_else(peer).or_else(plain)
}
