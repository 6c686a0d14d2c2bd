//! The page where people type the codes of their devices.

use bytes::Bytes;
use http::Request;
use oauth_axum_rs::pages::{Pages, User};
use oauth_core::endpoint::RemoteAddress;

use super::*;

/// Somebody with a browser.
pub(super) struct Person {
    browser: Browser,
    pub(super) address: Option<RemoteAddress>,
}

impl Person {
    pub(super) fn new(w: &World) -> Self {
        Self { browser: Browser::new(w), address: None }
    }

    async fn send(&mut self, mut request: Request<Bytes>) -> Answer {
        if let Some(address) = self.address {
            request.extensions_mut().insert(address);
        }
        self.browser.send(request).await
    }

    /// Sends the form on `page` whose action is `action`, with `more`.
    async fn press(&mut self, uri: &str, page: &Answer, action: &str, more: &[(&str, &str)]) -> Answer {
        let mut fields = fields_of(page, action);
        fields.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.send(post(uri, Caller::Nobody, &fields)).await
    }

    /// Opens the page and types `code`.
    pub(super) async fn type_code(&mut self, code: &str) -> Answer {
        let form = self.browser.get("/device").await;
        assert_eq!(form.status, 200, "{form}");
        self.press("/device", &form, "confirm", &[("user_code", code)]).await
    }

    /// Types `code` and signs in as `name`: where the question is, and the question.
    async fn asked(&mut self, code: &str, name: &str) -> (String, Answer) {
        let uri = self.type_code(code).await.location().to_owned();
        let page = self.browser.get(&uri).await;
        if !page.body.contains("id=\"password\"") {
            return (uri, page);
        }
        let signed_in = self.press(&uri, &page, "sign_in", &[("username", name), ("password", PASSWORD)]).await;
        assert_eq!(signed_in.location(), uri);
        let page = self.browser.get(&uri).await;
        (uri, page)
    }
}

// spec: TOK-39
#[tokio::test]
async fn a_person_types_the_code_signs_in_is_asked_and_the_device_goes_on() {
    on_every_store_with(devices, async |w| {
        let codes = begin(&w, TV).await;
        let mut person = Person::new(&w);
        let (uri, page) = person.asked(&codes.user.replace('-', " ").to_lowercase(), "alice").await;
        for shown in [codes.user.as_str(), "The &lt;TV&gt;", "alice", "read", API, "id=\"approve\"", "id=\"deny\""] {
            assert!(page.body.contains(shown), "{shown}: {page}");
        }
        assert!(!page.body.contains("write"), "{page}");
        poll(&w, TV, &codes).await.is_refused(400, "authorization_pending");
        let done = person.press(&uri, &page, "approve", &[]).await;
        assert_eq!(done.status, 200, "{done}");
        assert!(done.body.contains("Your device is connected"), "{done}");
        let told = w.introspect(AUDITOR, &poll(&w, TV, &codes).await.tokens().access).await.json();
        assert_eq!((&told["sub"], &told["auth_time"]), (&"alice".into(), &1_800_000_000_u64.into()));
        // What is decided is over, and the code with it.
        assert_eq!(person.press(&uri, &page, "approve", &[]).await.status, 410);
        assert_eq!(person.browser.get(&uri).await.status, 410);
        assert_eq!(person.type_code(&codes.user).await.status, 422);
    })
    .await;
}

// spec: TOK-37, TOK-39
#[tokio::test]
async fn a_person_who_is_signed_in_denies_and_is_asked_each_time() {
    let w = on_memory_with(devices).await;
    let mut person = Person::new(&w);
    for (action, text) in [("approve", "Your device is connected"), ("deny", "Access was denied")] {
        let codes = begin(&w, TV).await;
        let (uri, page) = person.asked(&codes.user, "alice").await;
        let done = person.press(&uri, &page, action, &[]).await;
        assert!(done.body.contains(text), "{done}");
        match action {
            "approve" => drop(poll(&w, TV, &codes).await.tokens()),
            _ => poll(&w, TV, &codes).await.is_refused(400, "access_denied"),
        }
    }
}

// spec: TOK-39, AUZ-22
#[tokio::test]
async fn a_link_fills_the_code_in_and_confirms_nothing() {
    let w = on_memory_with(devices).await;
    let codes = begin(&w, TV).await;
    let mut person = Person::new(&w);
    // Signed in already.
    let first = begin(&w, RADIO).await;
    person.asked(&first.user, "alice").await;
    let page = person.browser.get(&format!("/device?user_code={}", codes.user)).await;
    assert_eq!(page.status, 200, "{page}");
    assert!(page.body.contains(&format!("value=\"{}\"", codes.user)) && page.body.contains("Compare it"), "{page}");
    assert!(!page.body.contains("The &lt;TV"), "nothing was looked up: {page}");
    assert_eq!((page.header("x-frame-options"), page.header("cache-control")), ("DENY", "no-store"));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("form-action 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    poll(&w, TV, &codes).await.is_refused(400, "authorization_pending");
    // Whatever stands there is text.
    let odd = person.browser.get("/device?user_code=%22%3E%3Cscript%3E").await;
    assert!(!odd.body.contains("<script"), "{odd}");
}

/// Whoever sends somebody a link to the question, or posts their form, gets nothing done.
#[tokio::test]
async fn a_question_belongs_to_the_browser_and_the_person_who_were_asked() {
    let w = on_memory_with(devices).await;
    let codes = begin(&w, TV).await;
    let (mut mallory, mut alice) = (Person::new(&w), Person::new(&w));
    let (uri, page) = mallory.asked(&codes.user, "bob").await;
    let other = begin(&w, RADIO).await;
    alice.asked(&other.user, "alice").await;
    assert_eq!(alice.browser.get(&uri).await.status, 410);
    for action in ["approve", "deny"] {
        assert_eq!(alice.press(&uri, &page, action, &[]).await.status, 403);
    }
    // Without a token, with that of another form, and from another site.
    let approve = [("action", "approve")];
    assert_eq!(mallory.send(post(&uri, Caller::Nobody, &approve)).await.status, 403);
    let form = mallory.browser.get("/device").await;
    let csrf = fields_of(&form, "confirm").into_iter().find(|(name, _)| name == "csrf").unwrap().1;
    let foreign = [("action", "approve"), ("csrf", csrf.as_str())];
    assert_eq!(mallory.send(post(&uri, Caller::Nobody, &foreign)).await.status, 403);
    let own = fields_of(&page, "approve");
    let own: Vec<(&str, &str)> = own.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut cross = post(&uri, Caller::Nobody, &own);
    cross.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
    assert_eq!(mallory.send(cross).await.status, 403);
    // Somebody else has signed in since.
    let out = mallory.press(&uri, &page, "sign_out", &[]).await;
    assert_eq!(out.location(), uri);
    let (_, anew) = mallory.asked(&codes.user, "alice").await;
    assert!(anew.body.contains("alice"), "{anew}");
    assert_eq!(mallory.press(&uri, &page, "approve", &[]).await.status, 403);
    poll(&w, TV, &codes).await.is_refused(400, "authorization_pending");
}

#[tokio::test]
async fn a_form_that_was_open_too_long_does_nothing() {
    let long = |builder| devices(builder).devices(|settings| settings.lifetime = 3600);
    let w = on_memory_with(long).await;
    let mut person = Person::new(&w);
    let form = person.browser.get("/device").await;
    w.clock.advance(3600);
    let codes = begin(&w, TV).await;
    assert_eq!(person.press("/device", &form, "confirm", &[("user_code", &codes.user)]).await.status, 403);
    assert_eq!(person.browser.get("/device?request=junk").await.status, 410);
    assert_eq!(person.send(post("/device", Caller::Nobody, &[("action", "confirm")])).await.status, 403);
}

/// A sign-in that is too old for this server does not do.
#[tokio::test]
async fn whoever_must_sign_in_again_does_so_before_they_are_asked() {
    let set = |builder| devices(builder).authorization(|settings| settings.default_max_age = Some(60));
    let w = on_memory_with(set).await;
    let mut person = Person::new(&w);
    let first = begin(&w, TV).await;
    person.asked(&first.user, "alice").await;
    w.clock.advance(61);
    let codes = begin(&w, TV).await;
    let uri = person.type_code(&codes.user).await.location().to_owned();
    assert!(person.browser.get(&uri).await.body.contains("id=\"password\""));
    let stale = Approval::new("alice").auth_time(oauth_core::clock::UnixTime(1_800_000_000));
    let decision = found(&w, &codes).await.unwrap().approve(stale).await.unwrap();
    assert_eq!(decision, DeviceDecision::SignInNeeded);
    let (uri, page) = person.asked(&codes.user, "alice").await;
    assert_eq!(person.press(&uri, &page, "approve", &[]).await.status, 200);
    poll(&w, TV, &codes).await.tokens();
}

#[tokio::test]
async fn approval_without_asking_is_for_the_device_page_too() {
    let w = World::at_with("http://localhost:1", devices).await;
    let w = w.with_pages(|pages| pages.insecure_auto_approve(User::new("carol")).unwrap());
    let (linked, typed) = (begin(&w, TV).await, begin(&w, TV).await);
    let done = w.get(&format!("/device?user_code={}", linked.user)).await;
    assert!(done.body.contains("Your device is connected"), "{done}");
    let done = Person::new(&w).type_code(&typed.user).await;
    assert!(done.body.contains("Your device is connected"), "{done}");
    for codes in [&linked, &typed] {
        let access = poll(&w, TV, codes).await.tokens().access;
        assert_eq!(w.introspect(AUDITOR, &access).await.member("sub"), "carol");
    }
}

#[tokio::test]
async fn a_host_may_have_the_page_elsewhere() {
    let elsewhere = |builder| devices(builder).devices(|settings| settings.verification_path = "/activate".to_owned());
    let w = on_memory_with(elsewhere).await;
    let answer = w.post("/device_authorization", TV, &[]).await;
    assert_eq!(answer.member("verification_uri"), "https://as.example/activate");
    assert_eq!((w.get("/activate").await.status.as_u16(), w.get("/device").await.status.as_u16()), (200, 404));
    let w = w.with_pages(Pages::without_device_page);
    assert_eq!(w.get("/activate").await.status, 404);
    let code = answer.member("user_code");
    let DeviceLookup::Found(request) = w.server.device(code.as_str().unwrap(), Guesser::default()).await.unwrap()
    else {
        panic!("the device waits");
    };
    let ticket = request.ticket("session").unwrap();
    assert!(w.server.device_by_ticket(&ticket, "another session").await.unwrap().is_none());
    let again = w.server.device_by_ticket(&ticket, "session").await.unwrap().unwrap();
    assert_eq!((again.user_code().as_str(), again.client().id.as_str()), (code.as_str().unwrap(), "tv"));
}
