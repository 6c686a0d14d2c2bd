//! Party A's consent page: what it shows, and what its forms are good for.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};
use oauth_axum_rs::pages::{ReciprocalAsk, ReciprocalHost};
use oauth_core::secret::Secret;

use super::*;

const PATH: &str = "/connect/consent";

/// A host that asks what it is told to, and writes down what it hears.
#[derive(Clone, Default)]
struct Service {
    asks: Arc<Mutex<Option<ReciprocalAsk>>>,
    heard: Arc<Mutex<Vec<Heard>>>,
}

/// Who allowed it, and with what code; nothing for a no.
type Heard = Option<(String, Secret)>;

impl Service {
    fn asks(&self, wish: &str) {
        *self.asks.lock().unwrap() = Some(ReciprocalAsk::new(B_AT_A.client_id(), scope(wish)));
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

impl ReciprocalHost for Service {
    fn asked<'a>(&'a self, _headers: &'a HeaderMap) -> HostFuture<'a, Option<ReciprocalAsk>> {
        let ask = self.asks.lock().unwrap().clone();
        Box::pin(async { Ok(ask) })
    }

    fn allowed<'a>(
        &'a self,
        _headers: &'a HeaderMap,
        subject: &'a str,
        _ask: ReciprocalAsk,
        code: Secret,
    ) -> HostFuture<'a, Response<Body>> {
        self.heard.lock().unwrap().push(Some((subject.to_owned(), code)));
        Box::pin(async { Ok("connected".into_response()) })
    }

    fn denied<'a>(&'a self, _headers: &'a HeaderMap, _ask: ReciprocalAsk) -> HostFuture<'a, Response<Body>> {
        self.heard.lock().unwrap().push(None);
        Box::pin(async { Ok(StatusCode::NO_CONTENT.into_response()) })
    }
}

async fn page() -> (World, Service) {
    let service = Service::default();
    let host = service.clone();
    let pages =
        |pages: oauth_axum_rs::pages::Pages<People>| pages.scope_text("read", "Read <notes>").reciprocal(PATH, host);
    (on_memory_with(party_a).await.with_pages(pages), service)
}

/// The page, seen by somebody who has signed in on it.
async fn seen_by(w: &World, name: &str) -> (Browser, Answer) {
    let mut browser = Browser::new(w);
    let first = browser.get(PATH).await;
    let mut fields = fields_of(&first, "sign_in");
    fields.extend([("username".into(), name.into()), ("password".into(), PASSWORD.into())]);
    assert_eq!(browser.submit(PATH, &fields).await.location(), PATH);
    let question = browser.get(PATH).await;
    (browser, question)
}

// spec: TOK-48, TOK-49
#[tokio::test]
async fn a_person_is_asked_for_exactly_what_the_other_party_wants_and_a_yes_makes_the_code_once() {
    let (w, service) = page().await;
    service.asks("read");
    let (mut browser, question) = seen_by(&w, "alice").await;
    for shown in ["b-at-a", "alice", "Read &#60;notes&#62;", "<code>read</code>", API] {
        assert!(question.body.contains(shown), "{shown}: {question}");
    }
    assert!(!question.body.contains("write"), "{question}");
    assert_eq!((question.header("x-frame-options"), question.header("cache-control")), ("DENY", "no-store"));
    let yes = fields_of(&question, "approve");
    let done = browser.submit(PATH, &yes).await;
    assert_eq!((done.status.as_u16(), &*done.body), (200, "connected"));
    let heard = service.heard();
    let [Some((subject, code))] = &*heard else { panic!("{heard:?}") };
    assert_eq!(subject, "alice");
    // The very same form makes no second one.
    assert_eq!(browser.submit(PATH, &yes).await.status, 409);
    assert_eq!(service.heard().len(), 1);
    let granted = w.token(B_AT_A, &[("grant_type", "authorization_code"), ("code", code.expose())]).await;
    assert_eq!((granted.member("scope"), granted.tokens().refresh.is_some()), ("read".into(), true));
}

// spec: TOK-48
#[tokio::test]
async fn a_form_is_good_for_what_it_showed_and_to_whom_and_where_alone() {
    let (w, service) = page().await;
    service.asks("read");
    let (mut browser, question) = seen_by(&w, "alice").await;
    let (mut other, others) = seen_by(&w, "bob").await;
    let (yes, theirs) = (fields_of(&question, "approve"), fields_of(&others, "approve"));
    // In another browser.
    assert_eq!(browser.submit(PATH, &theirs).await.status, 403);
    assert_eq!(other.submit(PATH, &yes).await.status, 403);
    // After more is asked for than was shown.
    service.asks("read write");
    assert_eq!(browser.submit(PATH, &yes).await.status, 403);
    service.asks("read");
    // Without a token, and with that of a page nobody was signed in on.
    let bare: Fields = yes.iter().filter(|(name, _)| name != "csrf").cloned().collect();
    assert_eq!(browser.submit(PATH, &bare).await.status, 403);
    let mut stranger = Browser::new(&w);
    let mut forged = fields_of(&stranger.get(PATH).await, "sign_in");
    forged.iter_mut().filter(|(name, _)| name == "action").for_each(|(_, value)| *value = "approve".into());
    assert_eq!(stranger.submit(PATH, &forged).await.status, 400);
    // After somebody else has signed in.
    let out = fields_of(&browser.get(PATH).await, "sign_out");
    assert_eq!(browser.submit(PATH, &out).await.location(), PATH);
    assert_eq!(browser.submit(PATH, &yes).await.status, 403);
    assert!(service.heard().is_empty());
    // An hour later.
    w.clock.advance(3600);
    assert_eq!(other.submit(PATH, &theirs).await.status, 403);
    assert!(service.heard().is_empty());
}

// spec: TOK-48
#[tokio::test]
async fn nothing_is_asked_where_nothing_waits_or_the_client_may_not_have_it_and_a_no_makes_no_code() {
    let (w, service) = page().await;
    let mut browser = Browser::new(&w);
    assert_eq!(browser.get(PATH).await.status, 410);
    service.asks("admin");
    let unfit = browser.get(PATH).await;
    assert!(unfit.status == 409 && unfit.body.contains("cannot be connected"), "{unfit}");
    *service.asks.lock().unwrap() = Some(ReciprocalAsk::new(APP.client_id(), scope("read")));
    assert_eq!(browser.get(PATH).await.status, 409);
    service.asks("read");
    let (mut browser, question) = seen_by(&w, "alice").await;
    // Nobody knows who is signed in, nor whether the form was sent before.
    w.store.set_down(true);
    assert_eq!(browser.get(PATH).await.status, 503);
    assert_eq!(browser.submit(PATH, &fields_of(&question, "approve")).await.status, 503);
    w.store.set_down(false);
    assert!(service.heard().is_empty());
    assert_eq!(browser.submit(PATH, &fields_of(&question, "deny")).await.status, 204);
    assert_eq!(service.heard(), [None]);
    assert_eq!(w.events.count("approved"), 0);
}
