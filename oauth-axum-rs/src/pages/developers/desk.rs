//! The way through the page: from a form to a client.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
    routing::get,
};
use bytes::Bytes;
use http::{
    HeaderValue, StatusCode,
    header::{RETRY_AFTER, SET_COOKIE},
    request::Parts,
};
use oauth_core::{
    client::{Developer, metadata::ClientMetadata},
    endpoint::RemoteAddress,
    engine::{
        fault::Fault,
        registration::{Registered, RegistrationFailure},
    },
    event::Event,
    params::Params,
};

use super::{
    Developers,
    application::{Problem, Typed},
    views::{self, Sheet},
};
use crate::pages::{
    Inner,
    flow::{self, Page},
    form,
    form_token::{Browser, FormToken, FormTokens},
    outside::{Person, Place},
    texts::Fill,
    users::Users,
    visit::{Look, Visit},
};

/// The most bytes that the form may have: as many as the registration endpoint
/// reads.
const LIMIT: usize = ClientMetadata::MAX_BYTES;

/// The page, where developers are served.
pub(in crate::pages) struct Desk<U> {
    inner: Arc<Inner<U>>,
    developers: Developers,
    tokens: FormTokens,
    place: Place,
}

/// What somebody has sent.
struct Sent<'a> {
    look: Look<'a>,
    person: Person,
    browser: &'a Browser,
    csrf: &'a str,
    typed: Typed,
}

/// What came of a form that has no mistakes.
enum Outcome {
    Registered(Box<Registered>),
    /// The form was sent before.
    Repeated,
    /// When to come back, in seconds.
    Limited(u64),
}

impl<U: Users> Desk<U> {
    pub(in crate::pages) fn new(inner: &Arc<Inner<U>>, developers: Developers) -> Self {
        let path = format!("{}/developers/register", inner.server.issuer_path());
        // Whoever was shown other terms has accepted those.
        let version = developers.terms.as_ref().map_or("", |terms| &terms.version);
        let tokens = FormTokens::new(&inner.server, format!("{path}\n{version}"));
        Self {
            inner: Arc::clone(inner),
            developers,
            tokens,
            place: Place { path, name: |texts| &texts.developers.title },
        }
    }

    pub(in crate::pages) fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let path = self.place.path.clone();
        let router = Router::new().without_v07_checks();
        router.route(&path, get(show::<U>).post(submit::<U>)).with_state(Arc::new(self))
    }

    async fn show(&self, visit: &Visit<'_, U>, parts: &Parts) -> Page {
        let browser = Browser::known_or_new(&self.inner.server, &parts.headers)?;
        let mut page = match visit.person(&parts.headers).await? {
            None => {
                let csrf = self.tokens.issue(&self.inner.server, &browser, None)?;
                visit.sign_in_before(&self.place, &csrf)
            }
            Some(person) => {
                let csrf = self.tokens.issue(&self.inner.server, &browser, Some(&person.subject))?;
                match self.may_register(&person).await? {
                    true => self.sheet(visit.look, &person, &csrf, &Typed::default(), &[]).page(StatusCode::OK),
                    false => views::not_for_you(visit.look, &self.place.path, &person.name, &csrf),
                }
            }
        };
        if let Some(cookie) = browser.cookie(&self.inner.server) {
            page.headers_mut().append(SET_COOKIE, cookie);
        }
        Ok(page)
    }

    async fn submit(&self, visit: &Visit<'_, U>, parts: &Parts, body: Body) -> Page {
        let out_of_date = || Ok(views::out_of_date(visit.look, &self.place.path));
        let form = match form::read_up_to(LIMIT, parts, body).await {
            Ok(form) => form,
            Err(status) => return Ok(views::unreadable(status, visit.look, &self.place.path)),
        };
        // OAuth 2.1 section 9.15: nothing is done without a token that was made
        // for this page in this browser.
        let server = &self.inner.server;
        let Some(browser) = Browser::of(server, &parts.headers) else { return out_of_date() };
        let csrf = form.get("csrf").unwrap_or_default();
        let Some(token) = self.tokens.open(server, &browser, csrf) else { return out_of_date() };
        let live = token.is_live(server.now());
        match (form.get("action"), &token.subject) {
            (Some("sign_in"), None) if live => visit.sign_in_to(&self.place, parts, csrf, &form).await,
            (Some("sign_out"), Some(_)) if live => visit.sign_out_of(&self.place, &parts.headers).await,
            (Some("register"), Some(_)) => self.register(visit, parts, &browser, &token, &form).await,
            _ => out_of_date(),
        }
    }

    /// For whoever is signed in, if that is who saw the form.
    async fn register(
        &self,
        visit: &Visit<'_, U>,
        parts: &Parts,
        browser: &Browser,
        token: &FormToken,
        form: &Params,
    ) -> Page {
        let texts = visit.look.texts;
        // The session ended while the page was open: back to signing in.
        let Some(person) = visit.person(&parts.headers).await? else { return flow::see_other(&self.place.path) };
        if token.subject.as_ref() != Some(&person.subject) || !self.may_register(&person).await? {
            return Ok(views::out_of_date(visit.look, &self.place.path));
        }
        let csrf = form.get("csrf").unwrap_or_default();
        let sent = Sent { look: visit.look, person, browser, csrf, typed: Typed::read(form) };
        if !token.is_live(self.inner.server.now()) {
            return self.anew(&sent, StatusCode::FORBIDDEN, Problem::general(&*texts.developer_problems.late));
        }
        let terms = self.developers.terms.as_ref();
        match sent.typed.judge(&self.inner.server, &texts.developer_problems, terms, &sent.person.subject) {
            Err(problems) => Ok(self.again(&sent, StatusCode::UNPROCESSABLE_ENTITY, &problems)),
            Ok((metadata, developer)) => {
                let outcome = self.enter(token, metadata, developer, address(parts)).await;
                self.tell(&sent, outcome)
            }
        }
    }

    /// What the developer hears.
    fn tell(&self, sent: &Sent<'_>, outcome: Result<Outcome, RegistrationFailure>) -> Page {
        let (server, look, path) = (&self.inner.server, sent.look, &self.place.path);
        let texts = &look.texts.developer_problems;
        match outcome {
            Ok(Outcome::Registered(registered)) => Ok(views::registered(look, path, &registered, server.now())),
            Ok(Outcome::Repeated) => Ok(views::repeated(look, path)),
            Ok(Outcome::Limited(seconds)) => {
                let text = Fill::new(&texts.limited).with("seconds", &seconds.to_string()).plain();
                let page = self.again(sent, StatusCode::TOO_MANY_REQUESTS, &[Problem::general(text)]);
                Ok(retry_after(page, seconds))
            }
            Err(RegistrationFailure::Refused(error)) => {
                server.tell(&Event::RegistrationRefused { error: error.code().as_str() });
                self.anew(sent, StatusCode::UNPROCESSABLE_ENTITY, Problem::refused(texts, &error))
            }
            Err(failure) => {
                server.tell(&Event::Fault { error: &failure });
                let problem = Problem::general(&*texts.unavailable);
                let page = self.anew(sent, StatusCode::SERVICE_UNAVAILABLE, problem)?;
                Ok(retry_after(page, 5))
            }
        }
    }

    /// The form with what was typed: the same form, which is sent once.
    fn again(&self, sent: &Sent<'_>, status: StatusCode, problems: &[Problem]) -> http::Response<Bytes> {
        self.sheet(sent.look, &sent.person, sent.csrf, &sent.typed, problems).page(status)
    }

    /// The same as a new form, where the old one is of no use any more.
    fn anew(&self, sent: &Sent<'_>, status: StatusCode, problem: Problem) -> Page {
        let csrf = self.tokens.issue(&self.inner.server, sent.browser, Some(&sent.person.subject))?;
        Ok(self.sheet(sent.look, &sent.person, &csrf, &sent.typed, &[problem]).page(status))
    }

    /// The limit first: a form that has to wait can be sent again.
    async fn enter(
        &self,
        token: &FormToken,
        metadata: ClientMetadata,
        developer: Developer,
        address: Option<IpAddr>,
    ) -> Result<Outcome, RegistrationFailure> {
        let server = &self.inner.server;
        if let Some(seconds) = server.count_registration(address).await? {
            return Ok(Outcome::Limited(seconds));
        }
        if !token.first_use(server).await? {
            return Ok(Outcome::Repeated);
        }
        let registered = server.register_for(metadata, developer).await?;
        Ok(Outcome::Registered(Box::new(registered)))
    }

    async fn may_register(&self, person: &Person) -> Result<bool, Fault> {
        match &self.developers.who {
            Some(who) => who.may_register(&person.subject).await,
            None => Ok(true),
        }
    }

    fn sheet<'a>(
        &'a self,
        look: Look<'a>,
        person: &'a Person,
        csrf: &'a str,
        typed: &'a Typed,
        problems: &'a [Problem],
    ) -> Sheet<'a> {
        Sheet {
            look,
            user: &person.name,
            action: &self.place.path,
            csrf,
            typed,
            problems,
            terms: self.developers.terms.as_ref(),
        }
    }
}

fn retry_after(mut page: http::Response<Bytes>, seconds: u64) -> http::Response<Bytes> {
    page.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    page
}

/// Counted as the registration endpoint counts it.
fn address(parts: &Parts) -> Option<IpAddr> {
    RemoteAddress::of(&parts.extensions).or_else(|| flow::address(parts))
}

async fn show<U: Users>(State(desk): State<Arc<Desk<U>>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let visit = desk.inner.visit(&parts.headers);
    visit.answer(desk.show(&visit, &parts).await)
}

async fn submit<U: Users>(State(desk): State<Arc<Desk<U>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let visit = desk.inner.visit(&parts.headers);
    visit.answer(desk.submit(&visit, &parts, body).await)
}
