//! The end of a session: whoever signs out is signed out, also in the cookies that somebody has saved.

use oauth_axum_rs::pages::Developers;

use crate::support::*;

const SESSION: &str = "__Host-oauth-session";
const SIGN_OUT: &str = "/interaction/sign-out";
const DEVELOPERS: &str = "/developers/register";

/// What ends a session before its time.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    SignOut,
    AnotherAccount,
    SignInAnew,
}

const WAYS: [Way; 3] = [Way::SignOut, Way::AnotherAccount, Way::SignInAnew];

/// A browser in which alice is signed in, the page of what is asked of her, and that page.
async fn signed_in(w: &World) -> (Browser, String, Answer) {
    let mut browser = Browser::new(w);
    let (uri, page) = browser.consent(&Ask::of(APP)).await;
    assert!(browser.cookies.contains_key(SESSION) && page.body.contains("id=\"approve\""), "{page}");
    (browser, uri, page)
}

/// Whoever has copied the cookies of `browser`, at a node.
fn thief(browser: &Browser, w: &World) -> Browser {
    let mut thief = Browser::new(w);
    thief.cookies.clone_from(&browser.cookies);
    thief
}

/// Whether the cookies of `browser` are worth anything, as all pages say.
async fn is_signed_in(browser: &mut Browser) -> bool {
    let id = browser.begin(&Ask::of(APP)).await;
    let page = browser.get(&format!("/interaction?id={id}")).await;
    let form = browser.get(SIGN_OUT).await;
    assert_eq!((page.status.as_u16(), form.status.as_u16()), (200, 200), "{page} {form}");
    let known = page.body.contains("id=\"approve\"");
    assert_eq!(page.body.contains("\"password\""), !known, "{page}");
    assert_eq!(form.body.contains("id=\"sign-out\""), known, "{form}");
    known
}

/// The hidden field of the form on the page for signing out.
#[track_caller]
fn csrf(page: &Answer) -> Fields {
    let (_, rest) = page.body.split_once("name=\"csrf\" value=\"").unwrap_or_else(|| panic!("{page}"));
    vec![("csrf".to_owned(), rest.split_once('"').unwrap().0.to_owned())]
}

fn alice(page: &Answer) -> Fields {
    let mut fields = fields_of(page, "sign_in");
    fields.extend([("username".into(), "alice".into()), ("password".into(), PASSWORD.into())]);
    fields
}

/// The form that a person sends who goes this `way`, and where to.
async fn form(browser: &mut Browser, way: Way) -> (String, Fields) {
    match way {
        Way::SignOut => (SIGN_OUT.to_owned(), csrf(&browser.get(SIGN_OUT).await)),
        Way::AnotherAccount => {
            let (uri, consent) = browser.consent(&Ask::of(APP)).await;
            (uri, fields_of(&consent, "sign_out"))
        }
        Way::SignInAnew => {
            let uri = format!("/interaction?id={}", browser.begin(&Ask::of(APP).with("prompt", "login")).await);
            let page = browser.get(&uri).await;
            (uri, alice(&page))
        }
    }
}

/// A session that ends in one browser has ended in all copies of its cookie, at all nodes; no other has.
async fn ends_in_all_copies(w: World) {
    let w = w.with_pages(|pages| pages.session_idle_lifetime(1_000));
    let node = w.another(|builder| builder).await.unwrap();
    for way in WAYS {
        let (mut browser, ..) = signed_in(&w).await;
        let (mut elsewhere, ..) = signed_in(&w).await;
        let early = thief(&browser, &w);
        w.clock.advance(200);
        assert!(is_signed_in(&mut browser).await);
        let late = thief(&browser, &w);
        assert_ne!(early.cookies, late.cookies, "it was written anew");
        let (uri, fields) = form(&mut browser, way).await;
        for copy in [&early, &late] {
            assert!(is_signed_in(&mut thief(copy, &node)).await, "before");
        }
        let answer = browser.submit(&uri, &fields).await;
        assert!([200, 303].contains(&answer.status.as_u16()), "{answer}");
        for seconds in [0, 700] {
            w.clock.advance(seconds);
            for (copy, node) in [(&early, &w), (&late, &w), (&early, &node), (&late, &node)] {
                let mut thief = thief(copy, node);
                assert!(!is_signed_in(&mut thief).await, "{way:?}, after {seconds} s");
                assert!(!is_signed_in(&mut thief).await, "{way:?}: nor with what it was given");
            }
        }
        assert_eq!(is_signed_in(&mut browser).await, way == Way::SignInAnew);
        assert!(is_signed_in(&mut elsewhere).await);
    }
}

// spec: AUZ-25
#[tokio::test]
async fn a_session_that_is_ended_ends_in_every_saved_cookie() {
    on_every_store(ends_in_all_copies).await;
}

// spec: AUZ-25
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_ended_ends_in_every_saved_cookie_in_redis_too() {
    let server = Redis::start("");
    let store = patient_redis([server.url()]).build().await.unwrap();
    ends_in_all_copies(World::on(store, |builder| builder).await).await;
}

// spec: AUZ-25
#[tokio::test]
async fn an_ended_session_decides_nothing_on_a_page_that_was_open() {
    on_every_store(async |w| {
        let (mut browser, uri, consent) = signed_in(&w).await;
        let mut thief = thief(&browser, &w);
        let form = csrf(&browser.get(SIGN_OUT).await);
        assert_eq!(browser.submit(SIGN_OUT, &form).await.status, 200);
        let answer = thief.submit(&uri, &fields_of(&consent, "approve")).await;
        assert_eq!((answer.status.as_u16(), answer.location()), (303, &*uri), "back to signing in");
        assert_eq!(thief.submit(SIGN_OUT, &form).await.status, 403);
        assert_eq!(w.events.count("approved"), 0);
    })
    .await;
}

#[tokio::test]
async fn the_page_for_developers_ends_sessions_as_the_others_do() {
    let w = on_memory_with(|builder| builder.registration(|it| it)).await;
    let w = w.with_pages(|pages| pages.developers(Developers::new()).unwrap());
    let mut browser = Browser::new(&w);
    // Somebody signs in elsewhere while the form is open, and then there.
    let page = browser.get(DEVELOPERS).await;
    browser.consent(&Ask::of(APP)).await;
    let mut replaced = thief(&browser, &w);
    assert_eq!(browser.submit(DEVELOPERS, &alice(&page)).await.location(), DEVELOPERS);
    assert!(!is_signed_in(&mut replaced).await && is_signed_in(&mut browser).await);

    let mut ended = thief(&browser, &w);
    let page = browser.get(DEVELOPERS).await;
    assert!(page.body.contains("id=\"register\""), "{page}");
    assert_eq!(browser.submit(DEVELOPERS, &fields_of(&page, "sign_out")).await.location(), DEVELOPERS);
    assert!(ended.get(DEVELOPERS).await.body.contains("\"password\""));
    assert!(!is_signed_in(&mut ended).await);
}

// spec: AUZ-25
#[tokio::test]
async fn while_the_store_cannot_say_nobody_is_signed_in_or_out() {
    on_every_store(async |w| {
        let (mut browser, uri, consent) = signed_in(&w).await;
        let form = csrf(&browser.get(SIGN_OUT).await);
        let cookies = browser.cookies.clone();
        for fields in [None, Some(fields_of(&consent, "approve")), Some(fields_of(&consent, "deny"))] {
            w.store.lose_the_answer_of("uses");
            let answer = match fields {
                None => browser.get(&uri).await,
                Some(fields) => browser.submit(&uri, &fields).await,
            };
            assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (503, ""), "{answer}");
        }
        w.store.set_down(true);
        for answer in [browser.get(SIGN_OUT).await, browser.submit(SIGN_OUT, &form).await] {
            assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (503, ""), "{answer}");
        }
        w.store.set_down(false);
        assert_eq!((&browser.cookies, w.events.count("denied")), (&cookies, 0));
        assert!(is_signed_in(&mut browser).await);
    })
    .await;
}

// spec: AUZ-25
#[tokio::test]
async fn nobody_is_told_of_an_end_that_the_store_did_not_confirm() {
    on_every_store(async |w| {
        for way in WAYS {
            let (mut browser, ..) = signed_in(&w).await;
            let (uri, fields) = form(&mut browser, way).await;
            let cookies = browser.cookies.clone();
            w.store.lose_the_answer_of("first_use");
            let answer = browser.submit(&uri, &fields).await;
            assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (503, ""), "{way:?} {answer}");
            // It was kept all the same, so nobody who asks hears otherwise.
            assert_eq!(browser.cookies, cookies);
            assert!(!is_signed_in(&mut browser).await);
        }
    })
    .await;
}
