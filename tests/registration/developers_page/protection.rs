//! What protects the page.

use bytes::Bytes;
use http::{Request, header};

use super::*;

/// `GOOD` with the hidden fields of `page`, without its token.
fn without_token(page: &Answer) -> Fields {
    let good = GOOD.map(|(name, value)| (name.to_owned(), value.to_owned()));
    fields_of(page, "register").into_iter().filter(|(name, _)| name != "csrf").chain(good).collect()
}

fn token(page: &Answer, action: &str) -> (String, String) {
    fields_of(page, action).into_iter().find(|(name, _)| name == "csrf").unwrap()
}

// spec: AUZ-25
#[tokio::test]
async fn the_form_needs_the_token_of_its_page_browser_and_person() {
    let w = world(|it| it).await;
    let (mut browser, page) = form(&w).await;
    let mut other = Browser::new(&w);
    let foreign = [
        None,
        Some(("csrf".to_owned(), "x".to_owned())),
        // Of another browser, before and after signing in there.
        Some(token(&other.get(PATH).await, "sign_in")),
        Some(token(&sign_in(&mut other, "alice").await, "register")),
        // Of this browser, for another page.
        Some(token(&browser.consent(&Ask::of(APP)).await.1, "approve")),
    ];
    for csrf in foreign {
        for action in ["register", "sign_out", "sign_in"] {
            let mut fields: Fields = without_token(&page).into_iter().filter(|(name, _)| name != "action").collect();
            fields.extend(csrf.clone().into_iter().chain([("action".to_owned(), action.to_owned())]));
            let refused = browser.submit(PATH, &fields).await;
            assert_eq!((refused.status.as_u16(), refused.header("set-cookie")), (403, ""), "{action}: {refused}");
        }
    }
    // A browser that has the session alone.
    let page_cookie = browser.cookies.remove("__Host-oauth-page").unwrap();
    assert_eq!(send(&mut browser, &page, &GOOD).await.status, 403);
    browser.cookies.insert("__Host-oauth-page".into(), page_cookie);
    assert_eq!(w.events.count("client_registered"), 0);
    caller(&send(&mut browser, &page, &GOOD).await);
}

// spec: AUZ-25
#[tokio::test]
async fn signing_in_needs_a_token_of_this_browser() {
    let w = world(|it| it).await;
    let (mut mine, mut theirs) = (Browser::new(&w), Browser::new(&w));
    let (page, foreign) = (mine.get(PATH).await, theirs.get(PATH).await);
    let person = [("username".to_owned(), "alice".to_owned()), ("password".to_owned(), PASSWORD.to_owned())];
    let action = [("action".to_owned(), "sign_in".to_owned())];
    for csrf in [None, Some(("csrf".to_owned(), "x".to_owned())), Some(token(&foreign, "sign_in"))] {
        let fields: Fields = csrf.into_iter().chain(action.clone()).chain(person.clone()).collect();
        let refused = mine.submit(PATH, &fields).await;
        assert_eq!((refused.status.as_u16(), refused.header("set-cookie")), (403, ""), "{refused}");
    }
    w.clock.advance(3600);
    let fields: Fields = fields_of(&page, "sign_in").into_iter().chain(person).collect();
    assert_eq!(mine.submit(PATH, &fields).await.status, 403, "the page was open for too long");
    assert_eq!(mine.cookies.len(), 1);
}

// spec: AUZ-25
#[tokio::test]
async fn a_form_from_another_site_is_403_even_with_its_token() {
    let w = world(|it| it).await;
    let (mut browser, page) = form(&w).await;
    let mut fields = fields_of(&page, "register");
    fields.extend(GOOD.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
    for (site, kind, status) in [
        ("cross-site", "application/x-www-form-urlencoded", 403),
        ("same-site", "application/x-www-form-urlencoded", 403),
        ("same-origin", "text/plain", 415),
        ("same-origin", "application/x-www-form-urlencoded", 200),
    ] {
        let request = Request::post(PATH).header(header::CONTENT_TYPE, kind).header("sec-fetch-site", site);
        let answer = browser.send(request.body(Bytes::from(body.clone())).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{site} {kind}: {answer}");
    }
    let twice: Fields = fields.iter().chain([&("application_name".to_owned(), "B".to_owned())]).cloned().collect();
    assert_eq!(browser.submit(PATH, &twice).await.status, 400, "a field is there twice");
}

#[tokio::test]
async fn a_page_that_was_open_for_too_long_keeps_what_was_typed() {
    let w = world(|it| it).await;
    let (mut browser, page) = form(&w).await;
    w.clock.advance(3600);
    let old = send(&mut browser, &page, &good_but(&[("description", "Kept.")])).await;
    assert!(old.status == 403 && old.body.contains("Kept.") && old.body.contains("more than an hour"), "{old}");
    assert_eq!(w.events.count("client_registered"), 0);
    caller(&send(&mut browser, &old, &GOOD).await);
}

// spec: AUZ-22, AUZ-23
#[tokio::test]
async fn every_page_has_the_headers_of_a_page() {
    let w = world(|it| it.per_minute(1)).await;
    let mut browser = Browser::new(&w);
    let mut pages = vec![browser.get(PATH).await];
    let page = sign_in(&mut browser, "alice").await;
    pages.push(send(&mut browser, &page, &[]).await);
    pages.push(send(&mut browser, &page, &GOOD).await);
    w.clock.advance(60);
    pages.push(send(&mut browser, &page, &GOOD).await);
    let another = browser.get(PATH).await;
    pages.push(send(&mut browser, &another, &GOOD).await);
    pages.push(browser.submit(PATH, &[]).await);
    pages.push(browser.send(Request::post(PATH).body(Bytes::new()).unwrap()).await);
    w.store.set_down(true);
    pages.push(send(&mut browser, &another, &GOOD).await);
    w.store.set_down(false);
    pages.push(page);
    let nobody = served(w.clone(), Developers::new().who(|_: &str| false));
    browser.move_to(&nobody);
    pages.push(browser.get(PATH).await);
    let statuses: Vec<u16> = pages.iter().map(|page| page.status.as_u16()).collect();
    assert_eq!(statuses, [200, 422, 200, 409, 429, 403, 415, 503, 200, 403]);
    for page in pages {
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.ends_with("form-action 'self'"), "{policy}");
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        for loads in ["<script", "<link", "<img", "src=", " style=", "onload"] {
            assert!(!page.body.contains(loads), "{loads} in {page}");
        }
    }
}
