//! The built-in pages, from the request of a client to the person's decision.
#![cfg(feature = "pages")]

mod browser;

use axum::Router;
use http::{Method, StatusCode};
use oauth_axum_rs::{
    AuthorizationServer, AuthorizationServerExt, Client, Resource,
    oauth_core::{
        clock::{ManualClock, UnixTime},
        server::AuthorizationServerBuilder,
    },
    pages::{Pages, PasswordUsers, User},
};

use crate::browser::{Browser, Page};

const ISSUER: &str = "https://auth.example";
const AUTHORIZE: &str = "/authorize?response_type=code&client_id=app&redirect_uri=https%3A%2F%2Fapp.example%2Fcb\
    &scope=notes%3Aread+notes%3Awrite&state=s1&code_challenge_method=S256\
    &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const ALICE: [(&str, &str); 2] = [("username", "alice"), ("password", "wonderland")];

fn users() -> PasswordUsers {
    PasswordUsers::default().insecure_plain("alice", "wonderland").insecure_plain("bob", "builder")
}

fn builder(issuer: &str) -> AuthorizationServerBuilder {
    let client = |id: &str, uri: &str| Client::builder(id).redirect_uri(uri).scope("notes:read notes:write");
    AuthorizationServer::builder(issuer)
        .client(client("app", "https://app.example/cb").name("<b>A&B</b> \"Notes\"").build().unwrap())
        .client(client("tool", "http://127.0.0.1/cb").build().unwrap())
        .resource(Resource::new("https://notes.example"))
}

fn app(server: &AuthorizationServer) -> Router {
    server.router().merge(Pages::new(server, users()).scope_text("notes:read", "Read <your> notes").router())
}

async fn simple_app() -> Router {
    app(&builder(ISSUER).build().await.unwrap())
}

/// From the client's request to the first page.
async fn start(browser: &mut Browser) -> Page {
    let redirect = browser.get(AUTHORIZE).await;
    browser.follow(redirect).await
}

/// From the client's request to the sign-in page.
async fn to_sign_in(browser: &mut Browser) -> Page {
    let page = start(browser).await;
    assert!(page.has("username") && page.has("password"), "{}", page.body);
    page
}

/// From the client's request to the consent page.
async fn to_consent(browser: &mut Browser) -> Page {
    let page = to_sign_in(browser).await;
    let redirect = browser.press(&page, "password", &ALICE).await;
    let page = browser.follow(redirect).await;
    assert!(page.has("approve") && page.has("deny"), "{}", page.body);
    page
}

fn leads_to_a_code(page: &Page) -> bool {
    page.status == StatusCode::SEE_OTHER && page.location().starts_with("https://app.example/cb?code=")
}

// spec: AUZ-19
#[tokio::test]
async fn a_person_signs_in_allows_and_goes_back_to_the_client_with_a_code() {
    let mut browser = Browser::new(&simple_app().await);
    let consent = to_consent(&mut browser).await;
    let done = browser.press(&consent, "approve", &[]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert!(leads_to_a_code(&done), "{}", done.location());
    assert!(done.location().contains("&state=s1") && done.location().contains("&iss=https%3A%2F%2Fauth.example"));
    assert_eq!(done.headers["cache-control"], "no-store");
}

// spec: AUZ-27
#[tokio::test]
async fn denying_sends_access_denied_to_the_client() {
    let mut browser = Browser::new(&simple_app().await);
    let consent = to_consent(&mut browser).await;
    let done = browser.press(&consent, "deny", &[]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert!(done.location().starts_with("https://app.example/cb?error=access_denied&"), "{}", done.location());
    assert!(!done.location().contains("code="));
}

// spec: AUZ-27
#[tokio::test]
async fn consent_shows_who_asks_for_what_and_where_it_leads_all_escaped() {
    let mut browser = Browser::new(&simple_app().await);
    let page = to_consent(&mut browser).await.body;
    assert!(page.contains("&#60;b&#62;A&#38;B&#60;/b&#62; &#34;Notes&#34;"), "{page}");
    assert!(page.contains("Read &#60;your&#62; notes") && page.contains("notes:read") && page.contains("notes:write"));
    assert!(page.contains("https://notes.example") && page.contains("<bdi>app.example</bdi>"));
    assert!(page.contains("<bdi>alice</bdi>"));
    assert!(!page.contains("<b>") && !page.contains("<your>"));
}

#[tokio::test]
async fn a_client_on_the_same_device_comes_with_a_warning() {
    let mut browser = Browser::new(&simple_app().await);
    let note = "Go on only if you started it yourself";
    assert!(!to_consent(&mut browser).await.body.contains(note));
    let tool = AUTHORIZE.replace("client_id=app", "client_id=tool");
    let tool = tool.replace("https%3A%2F%2Fapp.example%2Fcb", "http%3A%2F%2F127.0.0.1%3A4000%2Fcb");
    let redirect = browser.get(&tool).await;
    let page = browser.follow(redirect).await;
    assert!(page.body.contains(note), "{}", page.body);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("form-action 'self' http://127.0.0.1:4000"), "{policy}");
}

// spec: AUZ-22, AUZ-23
#[tokio::test]
async fn every_page_has_the_headers_of_a_page() {
    let mut browser = Browser::new(&simple_app().await);
    let sign_in = to_sign_in(&mut browser).await;
    let wrong = browser.press(&sign_in, "password", &[("username", "alice"), ("password", "x")]).await;
    let consent = to_consent(&mut browser).await;
    let forged = browser.post(&consent.url, &[("action", "approve")]).await;
    let ended = browser.get("/interaction?id=x").await;
    let sign_out = browser.get("/interaction/sign-out").await;
    let bad = browser.send(Method::POST, &consent.url, &[], String::new()).await;
    let error = browser.get("/authorize?client_id=nobody").await;
    assert!(consent.headers["content-security-policy"].to_str().unwrap().contains("'self' https://app.example "));
    assert!(sign_in.headers["content-security-policy"].to_str().unwrap().ends_with("form-action 'self'"));
    for page in [sign_in, wrong, consent, forged, ended, sign_out, bad, error] {
        assert!(page.is_html(), "{}", page.url);
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'") && policy.starts_with("default-src 'none'"), "{policy}");
        assert_eq!(page.headers["x-frame-options"], "DENY");
        assert_eq!(page.headers["referrer-policy"], "no-referrer");
        assert_eq!(page.headers["cache-control"], "no-store");
        assert_eq!(page.headers["x-content-type-options"], "nosniff");
        for loads in ["<script", "<link", "<img", "src=", " style=", "onload", "href="] {
            assert!(!page.body.contains(loads), "{loads} in {}", page.body);
        }
    }
}

// spec: AUZ-25
#[tokio::test]
async fn a_form_without_its_token_is_403_and_decides_nothing() {
    let app = simple_app().await;
    let mut browser = Browser::new(&app);
    let consent = to_consent(&mut browser).await;
    let (_, fields) = consent.form_of("approve");
    for missing in ["csrf", "account"] {
        let rest: Vec<_> = fields.iter().filter(|(name, _)| name != missing).collect();
        let rest: Vec<_> = rest.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(browser.post(&consent.url, &rest).await.status, StatusCode::FORBIDDEN, "{missing}");
    }
    for (field, button) in [("csrf", "approve"), ("csrf", "deny"), ("csrf", "sign-out"), ("account", "approve")] {
        let page = browser.press(&consent, button, &[(field, "x")]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{button}");
    }
    let done = browser.press(&consent, "approve", &[]).await;
    assert!(leads_to_a_code(&done), "the interaction waits all the same");
}

// spec: AUZ-25
#[tokio::test]
async fn a_token_of_another_interaction_or_browser_is_403() {
    let app = simple_app().await;
    let (mut browser, mut other) = (Browser::new(&app), Browser::new(&app));
    let (first, second) = (to_consent(&mut browser).await, start(&mut browser).await);
    let foreign = to_consent(&mut other).await;
    for page in [&second, &foreign] {
        let (_, fields) = page.form_of("approve");
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(browser.post(&first.url, &fields).await.status, StatusCode::FORBIDDEN);
    }
    let stolen = other.press(&first, "approve", &[]).await;
    assert_eq!(stolen.status, StatusCode::FORBIDDEN);
    assert!(leads_to_a_code(&browser.press(&first, "approve", &[]).await));
}

// spec: AUZ-25
#[tokio::test]
async fn signing_in_takes_a_token_too() {
    let mut browser = Browser::new(&simple_app().await);
    let page = to_sign_in(&mut browser).await;
    let fields = [("username", "alice"), ("password", "wonderland"), ("csrf", "x")];
    let answer = browser.press(&page, "password", &fields).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(!browser.cookies.contains_key("__Host-oauth-session"));
}

// spec: AUZ-25
#[tokio::test]
async fn a_form_from_another_site_is_403_even_with_its_token() {
    let mut browser = Browser::new(&simple_app().await);
    let consent = to_consent(&mut browser).await;
    let (_, fields) = consent.form_of("approve");
    let form: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let form = form.join("&");
    let kind = ("content-type", "application/x-www-form-urlencoded");
    for (site, status) in [("cross-site", 403), ("same-site", 403), ("same-origin", 303)] {
        let headers = [kind, ("sec-fetch-site", site)];
        let page = browser.send(Method::POST, &consent.url, &headers, form.clone()).await;
        assert_eq!(page.status.as_u16(), status, "{site}");
    }
}

// spec: AUZ-25
#[tokio::test]
async fn two_tabs_do_not_disturb_each_other() {
    let mut browser = Browser::new(&simple_app().await);
    let (one, two) = (to_sign_in(&mut browser).await, to_sign_in(&mut browser).await);
    let redirect = browser.press(&one, "password", &ALICE).await;
    let one = browser.follow(redirect).await;
    let redirect = browser.press(&two, "password", &ALICE).await;
    let two = browser.follow(redirect).await;
    assert!(leads_to_a_code(&browser.press(&one, "approve", &[]).await));
    assert!(leads_to_a_code(&browser.press(&two, "approve", &[]).await));
}

#[tokio::test]
async fn whoever_signed_in_meanwhile_does_not_consent_unasked() {
    let mut browser = Browser::new(&simple_app().await);
    let of_alice = to_consent(&mut browser).await;
    let redirect = browser.press(&of_alice, "sign-out", &[]).await;
    assert!(!browser.cookies.contains_key("__Host-oauth-session"));
    let page = browser.follow(redirect).await;
    let redirect = browser.press(&page, "password", &[("username", "bob"), ("password", "builder")]).await;
    let of_bob = browser.follow(redirect).await;
    assert!(of_bob.body.contains("<bdi>bob</bdi>"));
    assert_eq!(browser.press(&of_alice, "approve", &[]).await.status, StatusCode::FORBIDDEN);
    assert!(leads_to_a_code(&browser.press(&of_bob, "approve", &[]).await));
}

// spec: AUZ-26
#[tokio::test]
async fn parameters_added_to_the_forms_change_nothing() {
    let mut browser = Browser::new(&simple_app().await);
    let consent = to_consent(&mut browser).await;
    let added = [
        ("redirect_uri", "https://evil.example/"),
        ("client_id", "tool"),
        ("scope", "admin"),
        ("state", "other"),
        ("subject", "bob"),
        ("return_to", "//evil.example"),
    ];
    let done = browser.press(&consent, "approve", &added).await;
    assert!(leads_to_a_code(&done) && done.location().contains("state=s1"), "{}", done.location());
}

// spec: AUZ-21
#[tokio::test]
async fn after_sign_in_and_sign_out_the_browser_stays_on_this_server() {
    let mut browser = Browser::new(&simple_app().await);
    let page = to_sign_in(&mut browser).await;
    for evil in ["//evil.example", "/\\evil.example", "https://evil.example"] {
        let fields = [ALICE[0], ALICE[1], ("return_to", evil), ("redirect_uri", evil), ("id", evil)];
        let redirect = browser.press(&page, "password", &fields).await;
        assert_eq!(redirect.location(), page.url);
    }
    let consent = browser.get(&page.url).await;
    let redirect = browser.press(&consent, "sign-out", &[("return_to", "//evil.example")]).await;
    assert_eq!(redirect.location(), page.url);
}

#[tokio::test]
async fn a_decision_is_made_once() {
    let mut browser = Browser::new(&simple_app().await);
    let consent = to_consent(&mut browser).await;
    assert!(leads_to_a_code(&browser.press(&consent, "approve", &[]).await));
    for button in ["approve", "deny"] {
        let page = browser.press(&consent, button, &[]).await;
        assert_eq!((page.status, page.is_html()), (StatusCode::FORBIDDEN, true));
    }
    assert_eq!(browser.get(&consent.url).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_read_the_same() {
    let mut browser = Browser::new(&simple_app().await);
    let page = to_sign_in(&mut browser).await;
    let wrong = browser.press(&page, "password", &[("username", "alice"), ("password", "x")]).await;
    let unknown = browser.press(&page, "password", &[("username", "nobody"), ("password", "x")]).await;
    assert_eq!(wrong.status, unknown.status);
    assert_eq!(wrong.body.replace("alice", "nobody"), unknown.body);
    assert!(wrong.has("problem") && wrong.has("password") && !wrong.body.contains("value=\"x\""));
    let hostile = browser.press(&page, "password", &[("username", "\"><script>"), ("password", "x")]).await;
    assert!(!hostile.body.contains("<script"));
}

// spec: CAU-11
#[tokio::test]
async fn too_many_failures_are_429_here_and_the_right_password_works_elsewhere() {
    let clock = ManualClock::new(UnixTime(1_000));
    let app = app(&builder(ISSUER).clock(clock.clone()).build().await.unwrap());
    let (mut guesser, mut owner) = (Browser::new(&app), Browser::new(&app));
    owner.address = ([198, 51, 100, 7], 50_000).into();
    let page = to_sign_in(&mut guesser).await;
    let wrong = [("username", "alice"), ("password", "x")];
    for _ in 0..10 {
        assert_eq!(guesser.press(&page, "password", &wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let limited = guesser.press(&page, "password", &ALICE).await;
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(limited.headers["retry-after"], "60");
    to_consent(&mut owner).await;
    clock.advance(60);
    assert_eq!(guesser.press(&page, "password", &ALICE).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_session_spares_the_next_sign_in_until_it_ends() {
    let clock = ManualClock::new(UnixTime(1_000));
    let app = app(&builder(ISSUER).clock(clock.clone()).build().await.unwrap());
    let mut browser = Browser::new(&app);
    to_consent(&mut browser).await;
    assert!(start(&mut browser).await.has("approve"));
    clock.advance(8 * 3600);
    to_sign_in(&mut browser).await;
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let mut browser = Browser::new(&simple_app().await);
    to_consent(&mut browser).await;
    let page = browser.get("/interaction/sign-out").await;
    assert_eq!(browser.post(&page.url, &[("csrf", "x")]).await.status, StatusCode::FORBIDDEN);
    assert!(browser.cookies.contains_key("__Host-oauth-session"));
    assert_eq!(browser.press(&page, "sign-out", &[]).await.status, StatusCode::OK);
    assert!(!browser.cookies.contains_key("__Host-oauth-session"));
    to_sign_in(&mut browser).await;
}

#[tokio::test]
async fn an_issuer_with_a_path_has_its_pages_below_it() {
    let app = app(&builder("https://auth.example/tenant").build().await.unwrap());
    let mut browser = Browser::new(&app);
    let redirect = browser.get(&format!("/tenant{AUTHORIZE}")).await;
    assert!(redirect.location().starts_with("/tenant/interaction?id="), "{}", redirect.location());
    let page = browser.follow(redirect).await;
    let redirect = browser.press(&page, "password", &ALICE).await;
    let consent = browser.follow(redirect).await;
    assert!(leads_to_a_code(&browser.press(&consent, "approve", &[]).await));
}

#[tokio::test]
async fn approving_without_asking_is_for_development_only() {
    let server = builder(ISSUER).build().await.unwrap();
    assert!(Pages::new(&server, users()).insecure_auto_approve(User::new("alice")).is_err());

    let server = builder("http://127.0.0.1:8080").insecure_development().build().await.unwrap();
    let pages = Pages::new(&server, users()).insecure_auto_approve(User::new("alice")).unwrap();
    let mut browser = Browser::new(&server.router().merge(pages.router()));
    assert!(leads_to_a_code(&start(&mut browser).await));
}

// spec: AUZ-25
#[tokio::test]
async fn cookies_have_the_host_prefix_except_in_development() {
    let production = builder(ISSUER).build().await.unwrap();
    let development = builder("http://127.0.0.1:8080").insecure_development().build().await.unwrap();
    for (server, names) in [
        (production, ["__Host-oauth-browser", "__Host-oauth-session"]),
        (development, ["oauth-browser", "oauth-session"]),
    ] {
        let mut browser = Browser::new(&app(&server));
        to_consent(&mut browser).await;
        assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), names);
    }
}

#[tokio::test]
async fn a_form_that_is_no_form_is_refused() {
    let mut browser = Browser::new(&simple_app().await);
    let page = to_sign_in(&mut browser).await;
    let mut send = async |kind: &str, body: String| {
        browser.send(Method::POST, &page.url, &[("content-type", kind)], body).await.status.as_u16()
    };
    let form = "application/x-www-form-urlencoded";
    assert_eq!(send("application/json", "{}".to_owned()).await, 415);
    assert_eq!(send(form, "a=%".to_owned()).await, 400);
    assert_eq!(send(form, "csrf=a&csrf=b".to_owned()).await, 400);
    assert_eq!(send(form, "a".repeat(20_000)).await, 413);
}
