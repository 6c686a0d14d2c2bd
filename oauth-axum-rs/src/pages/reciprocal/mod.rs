//! The page where a person lets another service use their account in turn
//! (draft-ietf-oauth-reciprocal-04 section 2.2.1).
//!
//! What is asked, the host knows: it has been to party B with this browser. A
//! form belongs to what was shown and to whom, and is good once.

mod host;
mod views;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
    routing::get,
};
use http::{HeaderMap, StatusCode, header::SET_COOKIE, request::Parts};
use oauth_core::engine::{
    fault::Fault,
    interaction::Approval,
    reciprocal::{ReciprocalError, ReciprocalRequest},
};

pub use self::host::{ReciprocalAsk, ReciprocalHost};
use self::views::Consent;
use super::{
    Inner, Pages,
    about::About,
    flow::{self, see_other},
    form,
    form_token::{Browser, FormToken, FormTokens},
    outside::Place,
    signed_in::SignedIn,
    users::Users,
    visit::Visit,
};

/// Where the page is, and for whom it asks.
pub(super) struct Asking {
    path: String,
    host: Box<dyn ReciprocalHost>,
}

/// The page.
pub(super) struct ReciprocalPage<U> {
    inner: Arc<Inner<U>>,
    asking: Asking,
}

/// What is asked now, as the engine judges it.
struct Asked {
    ask: ReciprocalAsk,
    request: ReciprocalRequest,
}

/// What came of looking.
enum Found {
    Asked(Asked),
    Page(http::Response<bytes::Bytes>),
}

type Answer = Result<Response<Body>, Fault>;

impl<U: Users> Pages<U> {
    /// Adds a page at `path`, a path of this server, where a person is asked whether
    /// another service may use their account in turn: the consent of party A in
    /// Reciprocal OAuth. The host sends the browser there once it has come back from
    /// party B, and `host` says what to ask and takes the answer.
    ///
    /// ```
    /// use std::collections::HashMap;
    ///
    /// use axum::{body::Body, response::{IntoResponse, Redirect, Response}};
    /// use http::{HeaderMap, HeaderValue, header::COOKIE};
    /// use oauth_axum_rs::{AuthorizationServer, Secret, pages::{Pages, ReciprocalAsk, ReciprocalHost, Users}};
    /// use oauth_axum_rs::oauth_core::engine::policy::HostFuture;
    /// use oauth_axum_rs::oauth_tower::{client::TokenClient, reciprocal::initiate};
    ///
    /// struct VoiceAssistant {
    ///     music: TokenClient,
    ///     /// What waits in which browser, by its cookie; and its access token from the music service.
    ///     waiting: HashMap<HeaderValue, (ReciprocalAsk, Secret)>,
    /// }
    ///
    /// impl VoiceAssistant {
    ///     fn waiting(&self, headers: &HeaderMap) -> Option<(ReciprocalAsk, Secret)> {
    ///         self.waiting.get(headers.get(COOKIE)?).cloned()
    ///     }
    /// }
    ///
    /// impl ReciprocalHost for VoiceAssistant {
    ///     fn asked<'a>(&'a self, headers: &'a HeaderMap) -> HostFuture<'a, Option<ReciprocalAsk>> {
    ///         Box::pin(async { Ok(self.waiting(headers).map(|(ask, _)| ask)) })
    ///     }
    ///
    ///     fn allowed<'a>(&'a self, headers: &'a HeaderMap, _subject: &'a str, _ask: ReciprocalAsk, code: Secret)
    ///     -> HostFuture<'a, Response<Body>> {
    ///         Box::pin(async move {
    ///             let Some((_, access_token)) = self.waiting(headers) else { return Ok("Too late".into_response()) };
    ///             Ok(match initiate(&self.music, &code, &access_token).await {
    ///                 Ok(answer) if answer.is_accepted() => Redirect::to("/connected").into_response(),
    ///                 _ => "The music service did not take it".into_response(),
    ///             })
    ///         })
    ///     }
    ///
    ///     fn denied<'a>(&'a self, _headers: &'a HeaderMap, _ask: ReciprocalAsk) -> HostFuture<'a, Response<Body>> {
    ///         Box::pin(async { Ok(Redirect::to("/").into_response()) })
    ///     }
    /// }
    ///
    /// fn pages<U: Users>(server: &AuthorizationServer, users: U, music: TokenClient) -> Pages<U> {
    ///     Pages::new(server, users).reciprocal("/connect/consent", VoiceAssistant { music, waiting: HashMap::new() })
    /// }
    /// ```
    ///
    /// A host that signs people in itself gets them with `?reciprocal=1`, and
    /// sends them back to `path`.
    #[must_use]
    pub fn reciprocal(mut self, path: impl Into<String>, host: impl ReciprocalHost) -> Self {
        self.reciprocal = Some(Asking { path: path.into(), host: Box::new(host) });
        self
    }
}

impl<U: Users> ReciprocalPage<U> {
    pub(super) fn new(inner: &Arc<Inner<U>>, asking: Asking) -> Self {
        Self { inner: Arc::clone(inner), asking }
    }

    pub(super) fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let path = self.asking.path.clone();
        let router = Router::new().without_v07_checks();
        router.route(&path, get(show::<U>).post(submit::<U>)).with_state(Arc::new(self))
    }

    /// `GET`: the question, or the sign-in before it.
    async fn show(&self, visit: &Visit<'_, U>, parts: &Parts) -> Answer {
        let asked = match self.find(visit, &parts.headers).await? {
            Found::Asked(asked) => asked,
            Found::Page(page) => return Ok(page.map(Body::from)),
        };
        if let Some(user) = &self.inner.auto_approve {
            let approval = Approval::new(user.subject()).auth_time(self.inner.server.now());
            return self.allow(visit, &parts.headers, asked, (user.subject(), approval)).await;
        }
        let browser = Browser::known_or_new(&self.inner.server, &parts.headers)?;
        let session = visit.session(&parts.headers).await?;
        let page = self.page(visit, &browser, &asked, session.as_ref());
        let mut page = visit.in_use(&parts.headers, page)?;
        if let Some(cookie) = browser.cookie(&self.inner.server) {
            page.headers_mut().append(SET_COOKIE, cookie);
        }
        Ok(page.map(Body::from))
    }

    fn page(&self, visit: &Visit<'_, U>, browser: &Browser, asked: &Asked, session: Option<&SignedIn>) -> flow::Page {
        let subject = session.map(SignedIn::subject);
        let csrf = self.tokens(&asked.ask).issue(&self.inner.server, browser, subject)?;
        match (session, &self.inner.host_sign_in) {
            (Some(session), _) => Ok(self.question(visit, asked, session, &csrf)),
            (None, Some(host)) => see_other(&format!("{}?reciprocal=1", host.path)),
            (None, None) => Ok(visit.sign_in_before(&self.place(), &csrf)),
        }
    }

    fn question(
        &self,
        visit: &Visit<'_, U>,
        asked: &Asked,
        session: &SignedIn,
        csrf: &str,
    ) -> http::Response<bytes::Bytes> {
        let client = asked.request.client();
        let page = Consent {
            look: visit.look,
            client: client.name.as_deref().unwrap_or(client.id.as_str()),
            user: &session.name,
            about: About::of(&client.profile),
            document_host: None,
            // TOK-48: exactly that.
            scopes: visit.lines(asked.request.scope()),
            resources: asked.request.resources(),
            action: &self.asking.path,
            csrf,
            can_sign_out: self.inner.host_sign_in.is_none(),
        };
        page.page()
    }

    /// `POST`: what a form on this page sent.
    async fn submit(&self, visit: &Visit<'_, U>, parts: &Parts, body: Body) -> Answer {
        let form = match form::read(parts, body).await {
            Ok(form) => form,
            Err(status) => return Ok(super::views::bad_request(status, visit.look).map(Body::from)),
        };
        let asked = match self.find(visit, &parts.headers).await? {
            Found::Asked(asked) => asked,
            Found::Page(page) => return Ok(page.map(Body::from)),
        };
        let csrf = form.get("csrf").unwrap_or_default();
        let Some(token) = self.token(&asked.ask, &parts.headers, csrf) else {
            return Ok(views::out_of_date(visit.look).map(Body::from));
        };
        let here = self.inner.host_sign_in.is_none();
        let page = match (form.get("action"), &token.subject) {
            (Some("sign_in"), None) if here => visit.sign_in_to(&self.place(), parts, csrf, &form).await?,
            (Some("sign_out"), Some(_)) if here => visit.sign_out_of(&self.place(), &parts.headers).await?,
            (Some(answer @ ("approve" | "deny")), Some(_)) => {
                return self.decide(visit, &parts.headers, asked, &token, answer == "approve").await;
            }
            _ => super::views::bad_request(StatusCode::BAD_REQUEST, visit.look),
        };
        Ok(page.map(Body::from))
    }

    async fn decide(
        &self,
        visit: &Visit<'_, U>,
        headers: &HeaderMap,
        asked: Asked,
        token: &FormToken,
        yes: bool,
    ) -> Answer {
        let session = visit.session(headers).await?;
        // Who is signed in now must be who saw the page.
        let Some(session) = session.filter(|session| token.subject.as_ref() == Some(&session.subject)) else {
            return Ok(views::out_of_date(visit.look).map(Body::from));
        };
        if !token.first_use(&self.inner.server).await? {
            return Ok(views::ended(StatusCode::CONFLICT, visit.look).map(Body::from));
        }
        match yes {
            true => {
                let subject = session.subject.clone();
                self.allow(visit, headers, asked, (&subject, approval_by(session))).await
            }
            false => self.asking.host.denied(headers, asked.ask).await,
        }
    }

    /// After a yes: the code is the host's to send.
    async fn allow(
        &self,
        visit: &Visit<'_, U>,
        headers: &HeaderMap,
        asked: Asked,
        (subject, approval): (&str, Approval),
    ) -> Answer {
        match asked.request.approve(approval).await {
            Ok(code) => self.asking.host.allowed(headers, subject, asked.ask, code).await,
            Err(error) => Ok(refused(visit, error)?.map(Body::from)),
        }
    }

    /// What the host says that is to be asked, if the client may have it.
    async fn find(&self, visit: &Visit<'_, U>, headers: &HeaderMap) -> Result<Found, Fault> {
        let Some(ask) = self.asking.host.asked(headers).await? else {
            return Ok(Found::Page(views::ended(StatusCode::GONE, visit.look)));
        };
        let ReciprocalAsk { client, scope } = &ask;
        Ok(match self.inner.server.reciprocal_request(client, None, scope).await {
            Ok(request) => Found::Asked(Asked { ask, request }),
            Err(error) => Found::Page(refused(visit, error)?),
        })
    }

    /// For the forms that show `ask` and nothing else.
    fn tokens(&self, ask: &ReciprocalAsk) -> FormTokens {
        let page = [&*self.asking.path, ask.client.as_str(), &ask.scope.to_string()].join("\n");
        FormTokens::new(&self.inner.server, page)
    }

    /// OAuth 2.1 section 9.15: nothing is done without a token that was made for
    /// this page in this browser.
    fn token(&self, ask: &ReciprocalAsk, headers: &HeaderMap, csrf: &str) -> Option<FormToken> {
        let server = &self.inner.server;
        let token = self.tokens(ask).open(server, &Browser::of(server, headers)?, csrf)?;
        token.is_live(server.now()).then_some(token)
    }

    fn place(&self) -> Place {
        Place { path: self.asking.path.clone(), name: |texts| &texts.reciprocal.place }
    }
}

/// A fault is 503; anything else is no matter of the person's.
fn refused<U: Users>(visit: &Visit<'_, U>, error: ReciprocalError) -> flow::Page {
    match error {
        ReciprocalError::Fault(fault) => Err(fault),
        _ => Ok(views::unfit(visit.look)),
    }
}

fn approval_by(session: SignedIn) -> Approval {
    let SignedIn { subject, auth_time, acr, .. } = session;
    let approval = auth_time.into_iter().fold(Approval::new(subject), Approval::auth_time);
    acr.into_iter().fold(approval, Approval::acr)
}

fn answer<U: Users>(visit: &Visit<'_, U>, answer: Answer) -> Response {
    answer.unwrap_or_else(|fault| visit.answer(Err(fault)))
}

async fn show<U: Users>(State(page): State<Arc<ReciprocalPage<U>>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let visit = page.inner.visit(&parts.headers);
    answer(&visit, page.show(&visit, &parts).await)
}

async fn submit<U: Users>(State(page): State<Arc<ReciprocalPage<U>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let visit = page.inner.visit(&parts.headers);
    answer(&visit, page.submit(&visit, &parts, body).await)
}
