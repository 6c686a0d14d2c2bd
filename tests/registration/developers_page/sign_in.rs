//! Signing in before the page.

use oauth_core::engine::policy::HostFuture;

use super::*;

// spec: AUZ-21
#[tokio::test]
async fn a_stranger_signs_in_and_comes_back_to_the_form_and_nowhere_else() {
    let w = world(|it| it).await;
    let mut browser = Browser::new(&w);
    let evil = "https://evil.example/";
    let query = ["return_to", "next", "redirect", "redirect_uri", "continue", "url", "id"];
    let query: Vec<String> = query.iter().map(|name| format!("{name}=https%3A%2F%2Fevil.example%2F")).collect();
    let uri = format!("{PATH}?{}", query.join("&"));
    let page = browser.get(&uri).await;
    assert!(page.status == 200 && page.body.contains(" id=\"password\"") && !page.body.contains("evil"), "{page}");
    assert!(!page.body.contains("id=\"register\""));
    let mut fields = fields_of(&page, "sign_in");
    fields.extend([
        ("return_to".into(), evil.into()),
        ("next".into(), evil.into()),
        ("username".into(), "alice".into()),
    ]);
    let wrong = [fields.clone(), vec![("password".into(), "wrong".into())]].concat();
    let refused = browser.submit(&uri, &wrong).await;
    assert!(refused.status == 422 && refused.body.contains("value=\"alice\""), "{refused}");
    assert!(!browser.cookies.keys().any(|name| name.contains("session")));
    fields.push(("password".into(), PASSWORD.into()));
    assert_eq!(browser.submit(&uri, &fields).await.location(), PATH);
    assert!(browser.cookies.keys().any(|name| name == "__Host-oauth-session"));
    let form = browser.get(PATH).await;
    assert!(form.body.contains("<bdi>alice</bdi>") && form.body.contains("id=\"register\""), "{form}");
    // It is the session of the other pages too.
    let (_, consent) = browser.consent(&Ask::of(APP)).await;
    assert!(consent.body.contains("id=\"approve\""), "{consent}");
}

#[tokio::test]
async fn guessing_passwords_is_limited_as_on_the_other_sign_in_page() {
    let w = world(|it| it).await;
    let mut browser = Browser::new(&w);
    let page = browser.get(PATH).await;
    let mut fields = fields_of(&page, "sign_in");
    fields.extend([("username".into(), "alice".into()), ("password".into(), "wrong".into())]);
    for _ in 0..10 {
        assert_eq!(browser.submit(PATH, &fields).await.status, 422);
    }
    let limited = browser.submit(PATH, &fields).await;
    assert_eq!((limited.status.as_u16(), limited.header("retry-after")), (429, "60"), "{limited}");
    let interaction = format!("/interaction?id={}", browser.begin(&Ask::of(APP)).await);
    let page = browser.get(&interaction).await;
    let mut fields = fields_of(&page, "sign_in");
    fields.extend([("username".into(), "alice".into()), ("password".into(), PASSWORD.into())]);
    assert_eq!(browser.submit(&interaction, &fields).await.status, 429);
}

// spec: AUZ-25
#[tokio::test]
async fn the_cookie_of_the_page_is_for_this_host_over_tls_and_not_for_scripts() {
    let w = world(|it| it).await;
    let cookie = w.get(PATH).await.header("set-cookie").to_owned();
    let (pair, attributes) = cookie.split_once(';').unwrap();
    assert_eq!(attributes, " Path=/; HttpOnly; SameSite=Lax; Secure");
    assert_eq!(pair.strip_prefix("__Host-oauth-page=").unwrap().len(), 43, "256 bits");
    assert_ne!(w.get(PATH).await.header("set-cookie"), cookie);
    let mut browser = Browser::new(&w);
    browser.get(PATH).await;
    assert_eq!(browser.get(PATH).await.header("set-cookie"), "", "it has one");
    browser.cookies.insert("__Host-oauth-page".into(), "planted".into());
    assert!(browser.get(PATH).await.header("set-cookie").starts_with("__Host-oauth-page="));
}

#[tokio::test]
async fn somebody_else_signs_in_and_a_session_that_has_ended_starts_with_signing_in() {
    let w = world(|it| it).await;
    let (mut browser, page) = form(&w).await;
    assert_eq!(browser.submit(PATH, &fields_of(&page, "sign_out")).await.location(), PATH);
    assert!(browser.get(PATH).await.body.contains(" id=\"password\""));
    let ended = send(&mut browser, &page, &GOOD).await;
    assert_eq!(ended.location(), PATH);
    let bob = sign_in(&mut browser, "bob").await;
    assert!(bob.body.contains("<bdi>bob</bdi>"));
    // Alice saw this form.
    assert_eq!(send(&mut browser, &page, &GOOD).await.status, 403);
    assert_eq!(w.events.count("client_registered"), 0);
    caller(&send(&mut browser, &bob, &GOOD).await);
}

/// Asks a database that is down for everybody but alice.
struct Database;

impl oauth_axum_rs::pages::MayRegister for Database {
    fn may_register<'a>(&'a self, subject: &'a str) -> HostFuture<'a, bool> {
        let down = || oauth_core::engine::fault::Fault::Host("the database is down".into());
        Box::pin(async move { if subject == "alice" { Ok(true) } else { Err(down()) } })
    }
}

#[tokio::test]
async fn only_those_who_may_see_the_form_and_can_send_it() {
    let w = that(|it| it).await;
    let w = served(w, Developers::new().who(|subject: &str| subject == "alice"));
    let mut browser = Browser::new(&w);
    let page = sign_in(&mut browser, "bob").await;
    assert!(page.status == 403 && !page.body.contains("id=\"register\""), "{page}");
    let mut forged = fields_of(&page, "sign_out");
    forged.retain(|(name, _)| name == "csrf");
    forged.extend(GOOD.map(|(name, value)| (name.into(), value.into())));
    forged.push(("action".into(), "register".into()));
    assert_eq!(browser.submit(PATH, &forged).await.status, 403);
    assert_eq!(w.events.count("client_registered"), 0);
    assert_eq!(browser.submit(PATH, &fields_of(&page, "sign_out")).await.location(), PATH);
    let page = sign_in(&mut browser, "alice").await;
    caller(&send(&mut browser, &page, &GOOD).await);
    // Who cannot be asked about is neither.
    let w = served(w, Developers::new().who(Database));
    assert_eq!(sign_in(&mut Browser::new(&w), "bob").await.status, 503);
    assert_eq!(sign_in(&mut Browser::new(&w), "alice").await.status, 200);
}

#[tokio::test]
async fn there_is_no_page_unless_it_is_switched_on() {
    let w = that(RegistrationSettings::open).await;
    assert_eq!(w.get(PATH).await.status, 404);
    assert_eq!(Browser::new(&w).submit(PATH, &[]).await.status, 404);
    let closed = on_memory().await;
    let pages = oauth_axum_rs::pages::Pages::new(&closed.server, People);
    assert!(pages.developers(Developers::new()).is_err());
}

#[tokio::test]
async fn an_issuer_with_a_path_has_the_page_below_it() {
    use oauth_axum_rs::{AuthorizationServer, AuthorizationServerExt, pages::Pages};
    use tower::ServiceExt;
    let server = AuthorizationServer::builder("https://as.example/tenant").registration(|it| it).build().await.unwrap();
    let pages = Pages::new(&server, People).developers(Developers::new()).unwrap();
    let app: axum::Router = server.router().merge(pages.router());
    let request = http::Request::get("/tenant/developers/register").body(axum::body::Body::empty()).unwrap();
    assert_eq!(app.oneshot(request).await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_file_of_the_program_switches_it_on() {
    let sections = "[registration]\ndevelopers_page = true\nterms_uri = \"https://as.example/terms\"\n";
    let reference = Reference::with(sections);
    let _program = reference.start();
    let mut visitor = Visitor::new(reference.authority.client());
    let page = visitor.go(&format!("{}{PATH}", reference.issuer)).await;
    let page = visitor.press(&page, "sign-in", &[("username", "alice"), ("password", PASSWORD)]).await;
    assert!(page.answer.body.contains("href=\"https://as.example/terms\""), "{}", page.answer);
    let remote = Remote::new(reference.authority.client(), &reference.issuer);
    // Who has no initial access token does not register there.
    let body = super::super::app().to_string();
    let refused = remote.send(super::super::request(http::Method::POST, "/register", None, &body)).await;
    assert_eq!(refused.status, 401, "{refused}");
}
