//! The page where people manage their devices (client-server API, "Account management"):
//! which are signed in, and an end to each.
//!
//! Clients send people here with an `action` and perhaps a `device_id`. An action that is not
//! known leads to the overview, and nothing is done without a button being pressed.

mod views;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
    routing::get,
};
use http::{header::SET_COOKIE, request::Parts};
use oauth_core::{
    engine::fault::Fault,
    matrix::DeviceId,
    params::{self, Params},
    server::Selection,
};

use super::{
    Inner,
    flow::{Page, see_other},
    form,
    form_token::{Browser, FormTokens},
    outside::{Person, Place},
    users::Users,
    visit::Visit,
};

/// The page, where the server advertises it.
pub(super) struct DevicesPage<U> {
    inner: Arc<Inner<U>>,
    path: String,
    tokens: FormTokens,
}

/// What somebody was sent here for.
enum Wanted {
    Overview,
    View(DeviceId),
    End(DeviceId),
}

impl<U: Users> DevicesPage<U> {
    /// `None` where there is none, and where the host signs people in: it then has a page of its own.
    pub(super) fn new(inner: &Arc<Inner<U>>) -> Option<Self> {
        let path = inner.server.account_path().filter(|_| inner.host_sign_in.is_none())?;
        let tokens = FormTokens::new(&inner.server, path.clone());
        Some(Self { inner: Arc::clone(inner), path, tokens })
    }

    pub(super) fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let path = self.path.clone();
        let router = Router::new().without_v07_checks();
        router.route(&path, get(show::<U>).post(submit::<U>)).with_state(Arc::new(self))
    }

    async fn show(&self, visit: &Visit<'_, U>, parts: &Parts) -> Page {
        let server = &self.inner.server;
        let browser = Browser::known_or_new(server, &parts.headers)?;
        let wanted = Wanted::read(parts);
        let mut page = match visit.person(&parts.headers).await? {
            None => {
                let csrf = self.tokens.issue(server, &browser, None)?;
                visit.sign_in_before(&self.place(&wanted), &csrf)
            }
            Some(person) => {
                let csrf = self.tokens.issue(server, &browser, Some(&person.subject))?;
                let devices = server.devices_of(&person.subject).await?;
                views::list(visit.look, &person.name, &devices, &wanted, &self.path, &csrf)
            }
        };
        if let Some(cookie) = browser.cookie(server) {
            page.headers_mut().append(SET_COOKIE, cookie);
        }
        Ok(page)
    }

    async fn submit(&self, visit: &Visit<'_, U>, parts: &Parts, body: Body) -> Page {
        let out_of_date = || Ok(views::out_of_date(visit.look, &self.path));
        let form = match form::read(parts, body).await {
            Ok(form) => form,
            Err(status) => return Ok(views::unreadable(status, visit.look, &self.path)),
        };
        // OAuth 2.1 section 9.15: nothing is done without a token that was made for this page in
        // this browser.
        let server = &self.inner.server;
        let Some(browser) = Browser::of(server, &parts.headers) else { return out_of_date() };
        let csrf = form.get("csrf").unwrap_or_default();
        let token = self.tokens.open(server, &browser, csrf).filter(|token| token.is_live(server.now()));
        let Some(token) = token else { return out_of_date() };
        let place = self.place(&Wanted::read(parts));
        match (form.get("action"), &token.subject) {
            (Some("sign_in"), None) => visit.sign_in_to(&place, parts, csrf, &form).await,
            (Some("sign_out"), Some(_)) => visit.sign_out_of(&place, &parts.headers).await,
            (Some("end"), Some(subject)) => match visit.person(&parts.headers).await? {
                // The session ended while the page was open: back to signing in.
                None => see_other(&place.path),
                // Who is signed in now must be who saw the page.
                Some(person) if person.subject == *subject => self.end(&person, &form).await,
                Some(_) => out_of_date(),
            },
            _ => out_of_date(),
        }
    }

    async fn end(&self, person: &Person, form: &Params) -> Page {
        if let Ok(device) = DeviceId::new(form.get("device_id").unwrap_or_default()) {
            self.sign_out(&person.subject, &device).await?;
        }
        see_other(&self.path)
    }

    async fn sign_out(&self, subject: &str, device: &DeviceId) -> Result<(), Fault> {
        let which = Selection::Device { subject: subject.to_owned(), device: device.as_str().to_owned() };
        let no_time = |_| Fault::Internal("a device was to be signed out at some time");
        let mut all = self.inner.server.revoke_all(which).map_err(no_time)?;
        while let Some(step) = all.next().await {
            step?;
        }
        self.inner.server.revocations().settled().await;
        Ok(())
    }

    /// Where somebody comes back to from signing in: made of what was understood, not of what was
    /// sent.
    fn place(&self, wanted: &Wanted) -> Place {
        let path = match wanted {
            Wanted::Overview => self.path.clone(),
            Wanted::View(device) => self.address("org.matrix.device_view", device),
            Wanted::End(device) => self.address("org.matrix.device_delete", device),
        };
        Place { path, name: |texts| &texts.devices.title }
    }

    fn address(&self, action: &'static str, device: &DeviceId) -> String {
        let query = params::encode([("action", action.into()), ("device_id", device.as_str().into())]);
        format!("{}?{query}", self.path)
    }
}

impl Wanted {
    /// By the names of the specification, and by those of the proposal.
    fn read(parts: &Parts) -> Self {
        let query = Params::parse(parts.uri.query().unwrap_or_default()).unwrap_or_default();
        let device = query.get("device_id").and_then(|id| DeviceId::new(id).ok());
        match (query.get("action"), device) {
            (Some("org.matrix.device_view" | "org.matrix.session_view"), Some(device)) => Self::View(device),
            (Some("org.matrix.device_delete" | "org.matrix.session_end"), Some(device)) => Self::End(device),
            _ => Self::Overview,
        }
    }

    const fn device(&self) -> Option<&DeviceId> {
        match self {
            Self::Overview => None,
            Self::View(device) | Self::End(device) => Some(device),
        }
    }
}

async fn show<U: Users>(State(page): State<Arc<DevicesPage<U>>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let visit = page.inner.visit(&parts.headers);
    visit.answer(visit.in_use(&parts.headers, page.show(&visit, &parts).await))
}

async fn submit<U: Users>(State(page): State<Arc<DevicesPage<U>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let visit = page.inner.visit(&parts.headers);
    visit.answer(visit.in_use(&parts.headers, page.submit(&visit, &parts, body).await))
}
