//! Consent: what it shows, what it leads to, and that it is asked for.

use http::StatusCode;
use oauth_axum_rs::{
    AuthorizationServerExt,
    pages::{Pages, User},
};

use crate::{
    ALICE, AUTHORIZE, ISSUER, app, browser::Browser, builder, leads_to_a_code, simple_app, start, to_consent, users,
};

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
    assert!(page.contains("&lt;b&gt;A&amp;B&lt;/b&gt; &quot;Notes&quot;"), "{page}");
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
    let redirect = browser.get(&tool()).await;
    let page = browser.follow(redirect).await;
    assert!(page.body.contains(note), "{}", page.body);
    // It may send the browser on to any website, which the directive would forbid.
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(!policy.contains("form-action"), "{policy}");
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

// spec: AUZ-28
#[tokio::test]
async fn consent_is_remembered_for_a_website_and_asked_for_each_time_by_a_program_on_this_machine() {
    let mut browser = Browser::new(&simple_app().await);
    let consent = to_consent(&mut browser).await;
    assert!(leads_to_a_code(&browser.press(&consent, "approve", &[]).await));
    assert!(leads_to_a_code(&start(&mut browser).await));
    for _ in 0..2 {
        let redirect = browser.get(&tool()).await;
        let page = browser.follow(redirect).await;
        assert_eq!((page.status, page.has("approve")), (StatusCode::OK, true));
        let done = browser.press(&page, "approve", &[]).await;
        assert!(done.location().starts_with("http://127.0.0.1:4000/cb?code="), "{}", done.location());
    }
}

/// What the program on this machine asks.
fn tool() -> String {
    let tool = AUTHORIZE.replace("client_id=app", "client_id=tool");
    tool.replace("https%3A%2F%2Fapp.example%2Fcb", "http%3A%2F%2F127.0.0.1%3A4000%2Fcb")
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
