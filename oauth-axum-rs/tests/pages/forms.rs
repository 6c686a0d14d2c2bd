//! What only these pages may send, and what protects them.

use http::{Method, StatusCode};

use crate::{
    ALICE, AUTHORIZE, ISSUER, app, browser::Browser, builder, leads_to_a_code, simple_app, start, to_consent,
    to_sign_in,
};

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

// spec: AUZ-24
#[tokio::test]
async fn the_way_through_the_pages_is_not_for_other_origins_to_read() {
    let mut browser = Browser::new(&simple_app().await);
    let preflight = [("origin", "https://app.example"), ("access-control-request-method", "GET")];
    let page = to_sign_in(&mut browser).await.url;
    for url in [AUTHORIZE, page.as_str()] {
        for method in [Method::GET, Method::OPTIONS] {
            let answer = browser.send(method, url, &preflight, String::new()).await;
            assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control")), "{url}");
        }
    }
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
