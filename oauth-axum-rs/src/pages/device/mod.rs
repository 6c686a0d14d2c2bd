//! The page where somebody types the code that their device shows (RFC 8628
//! section 3.3).
//!
//! First the code, which is never taken from a link without a button being
//! pressed; then a sign-in, if there is none; then the question. Between the
//! steps the address names the request by a ticket, sealed for this browser: so a
//! link that somebody sends leads to the first step at the most.

mod views;

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
    routing::get,
};
use http::{StatusCode, header::SET_COOKIE, request::Parts};
use oauth_core::{
    endpoint::RemoteAddress,
    engine::{
        device::{DeviceDecision, DeviceLookup, DeviceRequest, Guesser},
        interaction::Approval,
    },
    params::{self, Params},
};

use self::views::{Code, Consent};
use super::{
    Inner,
    about::About,
    flow::{self, Page, see_other},
    form,
    form_token::{Browser, FormToken, FormTokens},
    outside::Place,
    signed_in::SignedIn,
    texts::Fill,
    users::{User, Users},
    visit::Visit,
};

/// The page, where devices may ask.
pub(super) struct DevicePage<U> {
    inner: Arc<Inner<U>>,
    path: String,
}

/// What somebody has sent from a page about one request.
struct Sent<'a> {
    browser: &'a Browser,
    ticket: &'a str,
    token: &'a FormToken,
    form: &'a Params,
}

impl<U: Users> DevicePage<U> {
    /// `None` where no device may ask.
    pub(super) fn new(inner: &Arc<Inner<U>>) -> Option<Self> {
        let path = inner.server.device_path()?;
        Some(Self { inner: Arc::clone(inner), path })
    }

    pub(super) fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let path = self.path.clone();
        let router = Router::new().without_v07_checks();
        router.route(&path, get(show::<U>).post(submit::<U>)).with_state(Arc::new(self))
    }

    /// `GET /device`: the form for a code, or what a ticket names.
    async fn show(&self, visit: &Visit<'_, U>, parts: &Parts) -> Page {
        let query = Params::parse(parts.uri.query().unwrap_or_default()).unwrap_or_default();
        let browser = Browser::known_or_new(&self.inner.server, &parts.headers)?;
        let typed = query.get("user_code").unwrap_or_default();
        let page = match (query.get("request"), &self.inner.auto_approve) {
            (Some(ticket), _) => self.show_request(visit, parts, &browser, ticket).await,
            (None, Some(user)) if !typed.is_empty() => self.look_up(visit, parts, &browser, typed, Some(user)).await,
            (None, _) => self.ask_for_code(visit, &browser, StatusCode::OK, typed, None),
        };
        self.known_again(&browser, page)
    }

    /// `POST /device`: what a form on one of these pages sent.
    async fn submit(&self, visit: &Visit<'_, U>, parts: &Parts, body: Body) -> Page {
        let form = match form::read(parts, body).await {
            Ok(form) => form,
            Err(status) => return Ok(views::unreadable(status, visit.look, &self.path)),
        };
        let query = Params::parse(parts.uri.query().unwrap_or_default()).unwrap_or_default();
        let server = &self.inner.server;
        // OAuth 2.1 section 9.15: nothing is done without a token that was made
        // for this page in this browser.
        let Some(browser) = Browser::of(server, &parts.headers) else {
            return Ok(views::out_of_date(visit.look, &self.path));
        };
        let ticket = query.get("request");
        let token = self.tokens(ticket).open(server, &browser, form.get("csrf").unwrap_or_default());
        let Some(token) = token.filter(|token| token.is_live(server.now())) else {
            return Ok(views::out_of_date(visit.look, &self.path));
        };
        match (form.get("action"), ticket) {
            (Some("confirm"), None) => {
                let typed = form.get("user_code").unwrap_or_default();
                self.look_up(visit, parts, &browser, typed, self.inner.auto_approve.as_ref()).await
            }
            (Some(_), Some(ticket)) => {
                let sent = Sent { browser: &browser, ticket, token: &token, form: &form };
                self.go_on(visit, parts, &sent).await
            }
            _ => Ok(views::unreadable(StatusCode::BAD_REQUEST, visit.look, &self.path)),
        }
    }

    /// Looks up what somebody typed, and goes on to what it leads to.
    async fn look_up(
        &self,
        visit: &Visit<'_, U>,
        parts: &Parts,
        browser: &Browser,
        typed: &str,
        auto_approve: Option<&User>,
    ) -> Page {
        let session = visit.session(&parts.headers).await?;
        let by = Guesser::at(address(parts));
        let by = session.as_ref().map_or(by, |session| by.signed_in_as(&session.subject));
        match self.inner.server.device(typed, by).await? {
            DeviceLookup::Found(request) => match auto_approve {
                Some(user) => {
                    self.decide(visit, *request, Some(approval_of(user).auth_time(self.inner.server.now()))).await
                }
                None => see_other(&self.address_of(&request.ticket(browser.secret())?)),
            },
            DeviceLookup::Limited { retry_after } => {
                let text = &visit.look.texts.device.limited;
                let problem = Fill::new(text).with("seconds", &retry_after.to_string()).plain();
                let page = self.ask_for_code(visit, browser, StatusCode::TOO_MANY_REQUESTS, typed, Some(&problem))?;
                Ok(views::retry_after(page, retry_after))
            }
            _ => {
                let problem = &visit.look.texts.device.unknown;
                self.ask_for_code(visit, browser, StatusCode::UNPROCESSABLE_ENTITY, typed, Some(problem))
            }
        }
    }

    /// The question, or the sign-in before it.
    async fn show_request(&self, visit: &Visit<'_, U>, parts: &Parts, browser: &Browser, ticket: &str) -> Page {
        let Some(request) = self.inner.server.device_by_ticket(ticket, browser.secret()).await? else {
            return Ok(views::ended(StatusCode::GONE, visit.look, &self.path));
        };
        match visit.session(&parts.headers).await? {
            Some(session) if !needs_sign_in(&request, &session) => self.ask(visit, browser, ticket, &request, &session),
            session => self.to_sign_in(visit, browser, ticket, session.is_some()),
        }
    }

    /// What was sent from there.
    async fn go_on(&self, visit: &Visit<'_, U>, parts: &Parts, sent: &Sent<'_>) -> Page {
        let Sent { browser, ticket, token, form } = sent;
        let Some(request) = self.inner.server.device_by_ticket(ticket, browser.secret()).await? else {
            return Ok(views::ended(StatusCode::GONE, visit.look, &self.path));
        };
        let action = form.get("action").unwrap_or_default();
        let place = self.place(ticket);
        match (action, &token.subject) {
            ("sign_in", None) if self.inner.host_sign_in.is_none() => {
                let csrf = form.get("csrf").unwrap_or_default();
                return visit.sign_in_to(&place, parts, csrf, form).await;
            }
            ("sign_out", Some(_)) if self.inner.host_sign_in.is_none() => {
                return visit.sign_out_of(&place, &parts.headers).await;
            }
            ("approve" | "deny", Some(_)) => {}
            _ => return Ok(views::unreadable(StatusCode::BAD_REQUEST, visit.look, &self.path)),
        }
        // It ended, or became too old, while the page was open: back to the sign-in.
        let session = visit.session(&parts.headers).await?;
        let Some(session) = session.filter(|session| !needs_sign_in(&request, session)) else {
            return see_other(&place.path);
        };
        // Who is signed in now must be who saw the page.
        if token.subject.as_ref() != Some(&session.subject) {
            return Ok(views::out_of_date(visit.look, &self.path));
        }
        self.decide(visit, request, (action == "approve").then(|| approval_by(session))).await
    }

    /// Ends it, with a yes or a no.
    async fn decide(&self, visit: &Visit<'_, U>, request: DeviceRequest, yes: Option<Approval>) -> Page {
        let (page, decision) = match yes {
            Some(approval) => (views::allowed(visit.look), request.approve(approval).await?),
            None => (views::denied(visit.look), request.deny().await?),
        };
        Ok(match decision {
            DeviceDecision::Decided => page,
            _ => views::ended(StatusCode::CONFLICT, visit.look, &self.path),
        })
    }

    fn ask_for_code(
        &self,
        visit: &Visit<'_, U>,
        browser: &Browser,
        status: StatusCode,
        typed: &str,
        problem: Option<&str>,
    ) -> Page {
        let csrf = self.tokens(None).issue(&self.inner.server, browser, None)?;
        // No more of it can be a code.
        let user_code: String = typed.chars().take(32).collect();
        let page = Code { look: visit.look, action: &self.path, csrf: &csrf, user_code: &user_code, problem };
        Ok(page.page(status))
    }

    fn to_sign_in(&self, visit: &Visit<'_, U>, browser: &Browser, ticket: &str, again: bool) -> Page {
        if let Some(host) = &self.inner.host_sign_in {
            let again = again.then_some(("again", "1".into()));
            let query = params::encode([("device", ticket.into())].into_iter().chain(again));
            return see_other(&format!("{}?{query}", host.path));
        }
        let csrf = self.tokens(Some(ticket)).issue(&self.inner.server, browser, None)?;
        Ok(visit.sign_in_before(&self.place(ticket), &csrf))
    }

    fn ask(
        &self,
        visit: &Visit<'_, U>,
        browser: &Browser,
        ticket: &str,
        request: &DeviceRequest,
        session: &SignedIn,
    ) -> Page {
        let csrf = self.tokens(Some(ticket)).issue(&self.inner.server, browser, Some(&session.subject))?;
        let (client, document_host) = (request.client(), request.client_host());
        let page = Consent {
            look: visit.look,
            client: client.name.as_deref().unwrap_or(client.id.as_str()),
            user: &session.name,
            user_code: &request.user_code(),
            about: About::of(&client.profile),
            document_host: document_host.as_deref(),
            scopes: visit.lines(request.scope()),
            details: request.authorization_details(),
            resources: request.resources(),
            action: &self.address_of(ticket),
            csrf: &csrf,
            can_sign_out: self.inner.host_sign_in.is_none(),
        };
        Ok(page.page())
    }

    /// Tokens for the form that asks for a code, or for those of one request.
    fn tokens(&self, ticket: Option<&str>) -> FormTokens {
        let ticket = ticket.map(|ticket| format!("\n{ticket}")).unwrap_or_default();
        FormTokens::new(&self.inner.server, format!("{}{ticket}", self.path))
    }

    fn place(&self, ticket: &str) -> Place {
        Place { path: self.address_of(ticket), name: |texts| &texts.device.place }
    }

    fn address_of(&self, ticket: &str) -> String {
        format!("{}?{}", self.path, params::encode([("request", ticket.into())]))
    }

    /// `page`, after which the browser is known.
    fn known_again(&self, browser: &Browser, page: Page) -> Page {
        let mut page = page?;
        if let Some(cookie) = browser.cookie(&self.inner.server) {
            page.headers_mut().append(SET_COOKIE, cookie);
        }
        Ok(page)
    }
}

fn needs_sign_in(request: &DeviceRequest, session: &SignedIn) -> bool {
    request.needs_sign_in(session.auth_time, session.acr.as_deref()).is_some()
}

fn approval_by(session: SignedIn) -> Approval {
    let SignedIn { subject, auth_time, acr, .. } = session;
    let approval = auth_time.into_iter().fold(Approval::new(subject), Approval::auth_time);
    acr.into_iter().fold(approval, Approval::acr)
}

fn approval_of(user: &User) -> Approval {
    user.proven_by().iter().fold(Approval::new(user.subject()), |approval, acr| approval.acr(*acr))
}

/// Counted as the endpoints count it.
fn address(parts: &Parts) -> Option<IpAddr> {
    RemoteAddress::of(&parts.extensions).or_else(|| flow::address(parts))
}

async fn show<U: Users>(State(page): State<Arc<DevicePage<U>>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let visit = page.inner.visit(&parts.headers);
    visit.answer(visit.in_use(&parts.headers, page.show(&visit, &parts).await))
}

async fn submit<U: Users>(State(page): State<Arc<DevicePage<U>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let visit = page.inner.visit(&parts.headers);
    visit.answer(visit.in_use(&parts.headers, page.submit(&visit, &parts, body).await))
}
