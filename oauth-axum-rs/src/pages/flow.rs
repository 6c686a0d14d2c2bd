//! The way through the pages: from a parked request to the person's decision.

use std::net::{IpAddr, SocketAddr};

use axum::{body::Body, extract::ConnectInfo};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{RETRY_AFTER, SET_COOKIE},
    request::Parts,
};
use oauth_core::{
    engine::{
        fault::Fault,
        interaction::{Approval, Interaction},
    },
    params::Params,
    secret::{Digest, Secret},
};
use oauth_tower::proxy::ClientAddress;

use super::{
    Inner, form,
    limit::Limited,
    session::{Session, Sessions},
    users::Users,
    views::{self, Consent, ScopeLine, SignIn},
};
use crate::Peer;

type Page = Result<Response<Bytes>, Fault>;

impl<U: Users> Inner<U> {
    /// `GET /interaction?id=`: sign-in for a stranger, consent for who is
    /// signed in.
    pub(super) async fn show(&self, parts: &Parts) -> Page {
        let Some(interaction) = self.interaction(parts).await? else {
            return Ok(views::ended(StatusCode::BAD_REQUEST, self.site()));
        };
        if let Some(user) = &self.auto_approve {
            let approval = Approval::new(user.subject()).auth_time(self.server.now());
            return self.leave(interaction.approve(approval).await?);
        }
        Ok(match self.session(&parts.headers).await? {
            None => self.sign_in_page(StatusCode::OK, &interaction, "", None),
            Some(session) => self.consent_page(&interaction, &session),
        })
    }

    /// `POST /interaction?id=`: what a form on one of these pages sent.
    pub(super) async fn decide(&self, parts: &Parts, body: Body) -> Page {
        let form = match form::read(parts, body).await {
            Ok(form) => form,
            Err(status) => return Ok(views::bad_request(status, self.site())),
        };
        let Some(interaction) = self.interaction(parts).await? else {
            return Ok(views::ended(StatusCode::FORBIDDEN, self.site()));
        };
        // OAuth 2.1 section 9.15: the token is tied to this interaction in
        // this browser, and nothing is done without it.
        if !interaction.csrf_matches(form.get("csrf").unwrap_or_default()) {
            return Ok(views::foreign_form(self.site(), Some((&self.path(), interaction.id()))));
        }
        match form.get("action") {
            Some("sign_in") => self.sign_in(parts, &interaction, &form).await,
            Some("approve") => self.approve(parts, interaction, &form).await,
            Some("deny") => self.leave(interaction.deny().await?),
            Some("sign_out") => self.go_on(&interaction, Sessions::end(&self.server)),
            _ => Ok(views::bad_request(StatusCode::BAD_REQUEST, self.site())),
        }
    }

    async fn sign_in(&self, parts: &Parts, interaction: &Interaction, form: &Params) -> Page {
        let username = form.get("username").unwrap_or_default().trim();
        let again = |status, problem| Ok(self.sign_in_page(status, interaction, username, Some(problem)));
        let Some(password) = form.get("password").map(Secret::new).filter(|_| !username.is_empty()) else {
            return again(StatusCode::UNPROCESSABLE_ENTITY, "Enter your user name and your password.");
        };
        let attempt = match self.limit.begin(username, address(parts), self.server.now()) {
            Ok(attempt) => attempt,
            Err(limited) => return Ok(self.limited_page(interaction, username, limited)),
        };
        let Some(user) = self.users.sign_in(username, &password).await? else {
            // One text for both, so that it does not tell which names exist.
            return again(StatusCode::UNPROCESSABLE_ENTITY, "The user name or the password is not right.");
        };
        self.limit.succeeded(&attempt);
        self.go_on(interaction, self.sessions.begin(&self.server, &user)?)
    }

    async fn approve(&self, parts: &Parts, interaction: Interaction, form: &Params) -> Page {
        let Some(session) = self.session(&parts.headers).await? else {
            // It ended while the page was open: back to the sign-in page.
            return see_other(&self.url(&interaction));
        };
        // Who is signed in now must be who saw the page.
        let account = account_token(form.get("csrf").unwrap_or_default(), &session);
        if Secret::new(account) != Secret::new(form.get("account").unwrap_or_default()) {
            return Ok(views::foreign_form(self.site(), Some((&self.path(), interaction.id()))));
        }
        let approval = Approval::new(session.subject).auth_time(session.auth_time);
        self.leave(interaction.approve(approval).await?)
    }

    /// `GET /interaction/sign-out`.
    pub(super) async fn show_sign_out(&self, parts: &Parts) -> Page {
        Ok(match self.session(&parts.headers).await? {
            None => views::signed_out(self.site()),
            Some(session) => {
                let token = self.sign_out_token(&parts.headers);
                views::sign_out(self.site(), &session.name, &self.sign_out_path(), &token)
            }
        })
    }

    /// `POST /interaction/sign-out`.
    pub(super) async fn sign_out(&self, parts: &Parts, body: Body) -> Page {
        let form = match form::read(parts, body).await {
            Ok(form) => form,
            Err(status) => return Ok(views::bad_request(status, self.site())),
        };
        let presented = Secret::new(form.get("csrf").unwrap_or_default());
        if presented != Secret::new(self.sign_out_token(&parts.headers)) {
            return Ok(views::foreign_form(self.site(), None));
        }
        let mut response = views::signed_out(self.site());
        response.headers_mut().append(SET_COOKIE, Sessions::end(&self.server));
        Ok(response)
    }

    /// The interaction that the address names, if it is this browser's.
    async fn interaction(&self, parts: &Parts) -> Result<Option<Interaction>, Fault> {
        let query = Params::parse(parts.uri.query().unwrap_or_default()).unwrap_or_default();
        match query.get("id") {
            Some(id) => self.server.interaction(id, &parts.headers).await,
            None => Ok(None),
        }
    }

    /// Who is signed in with this browser, and still may.
    async fn session(&self, headers: &HeaderMap) -> Result<Option<Session>, Fault> {
        match self.sessions.read(&self.server, headers) {
            Some(session) if self.users.is_active(&session.subject).await? => Ok(Some(session)),
            _ => Ok(None),
        }
    }

    fn sign_in_page(
        &self,
        status: StatusCode,
        interaction: &Interaction,
        username: &str,
        problem: Option<&str>,
    ) -> Response<Bytes> {
        let page = SignIn {
            site: self.site(),
            client: views::client_name(interaction),
            action: &self.url(interaction),
            csrf: &interaction.csrf_token(),
            username,
            problem,
        };
        page.page(status)
    }

    fn limited_page(&self, interaction: &Interaction, username: &str, limited: Limited) -> Response<Bytes> {
        let problem = format!("Too many attempts failed. Try again in {} seconds.", limited.seconds);
        let mut page = self.sign_in_page(StatusCode::TOO_MANY_REQUESTS, interaction, username, Some(&problem));
        page.headers_mut().insert(RETRY_AFTER, HeaderValue::from(limited.seconds));
        page
    }

    fn consent_page(&self, interaction: &Interaction, session: &Session) -> Response<Bytes> {
        let redirect_host = interaction.redirect_host();
        let line = |token| ScopeLine { token, text: self.scope_texts.get(token).map(String::as_str) };
        let page = Consent {
            site: self.site(),
            client: views::client_name(interaction),
            user: &session.name,
            local: ["127.0.0.1", "[::1]", "localhost"].contains(&redirect_host.as_str()),
            scopes: interaction.scope().iter().map(line).collect(),
            resources: interaction.resources(),
            redirect_host: &redirect_host,
            action: &self.url(interaction),
            csrf: &interaction.csrf_token(),
            account: &account_token(&interaction.csrf_token(), session),
        };
        page.page(&interaction.redirect_origin())
    }

    /// To the client with the decision, unless it was made before.
    fn leave(&self, url: Option<String>) -> Page {
        match url {
            Some(url) => see_other(&url),
            None => Ok(views::ended(StatusCode::CONFLICT, self.site())),
        }
    }

    /// Back to the interaction with another session.
    fn go_on(&self, interaction: &Interaction, session: HeaderValue) -> Page {
        let mut response = see_other(&self.url(interaction))?;
        response.headers_mut().append(SET_COOKIE, session);
        Ok(response)
    }

    /// The page's own address. Nothing in it comes from the request: the id is
    /// one that the engine made (OAuth 2.1 section 9.18.2).
    fn url(&self, interaction: &Interaction) -> String {
        format!("{}?id={}", self.path(), interaction.id())
    }

    fn sign_out_token(&self, headers: &HeaderMap) -> String {
        let cookie = Sessions::raw(&self.server, headers).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(Digest::of(&[b"sign out", cookie.as_bytes()]).as_bytes())
    }
}

/// Ties a consent form to the person who sees it. The form's CSRF token is
/// secret, and so is this.
fn account_token(csrf: &str, session: &Session) -> String {
    let digest = Digest::of(&[b"account", csrf.as_bytes(), session.subject.as_bytes()]);
    URL_SAFE_NO_PAD.encode(digest.as_bytes())
}

fn see_other(url: &str) -> Page {
    views::see_other(url).ok_or(Fault::Internal("a redirect does not fit into a header"))
}

fn address(parts: &Parts) -> Option<IpAddr> {
    let known = ClientAddress::of(&parts.extensions);
    let peer = || parts.extensions.get::<ConnectInfo<Peer>>().map(|ConnectInfo(peer)| peer.address().ip());
    let plain = || parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
    known.or_else(peer).or_else(plain)
}
