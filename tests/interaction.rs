//! Between the authorization endpoint and the code: the parked request, the browser it belongs to,
//! and the pages where a person signs in and decides.

use http::Method;
use oauth_core::engine::interaction::Approval;

use crate::support::*;

// spec: AUZ-27, AUZ-29
#[tokio::test]
async fn a_person_signs_in_allows_and_the_client_gets_tokens() {
    on_every_store(async |w| {
        let mut browser = Browser::new(&w);
        let done = browser.press(&Ask::of(APP).with("state", "s"), "approve").await;
        let response = response_at(CALLBACK, done.location());
        assert_eq!(response.get("state"), Some("s"));
        let tokens = w.redeem(APP, response.get("code").unwrap()).await.tokens();
        assert_eq!(w.introspect(AUDITOR, &tokens.access).await.member("sub"), "alice");
        // The second client asks someone who is signed in already.
        let id = browser.begin(&Ask::of(OTHER_APP)).await;
        let consent = browser.get(&format!("/interaction?id={id}")).await;
        assert!(consent.body.contains("id=\"approve\""), "{consent}");
    })
    .await;
}

// spec: AUZ-27
#[tokio::test]
async fn a_person_says_no_and_the_client_hears_access_denied() {
    on_every_store(async |w| {
        let done = Browser::new(&w).press(&Ask::of(APP).with("state", "s"), "deny").await;
        let response = response_at(CALLBACK, done.location());
        assert_eq!((response.get("error"), response.get("state")), (Some("access_denied"), Some("s")));
        assert_eq!((response.get("code"), response.get("iss")), (None, Some(ISSUER)));
        assert_eq!((w.events.count("denied"), w.events.count("approved")), (1, 0));
    })
    .await;
}

// spec: AUZ-25
#[tokio::test]
async fn an_interaction_belongs_to_the_browser_that_began_it() {
    on_every_store(async |w| {
        let (mut mine, mut theirs) = (Browser::new(&w), Browser::new(&w));
        let id = mine.begin(&Ask::of(APP)).await;
        theirs.begin(&Ask::of(APP)).await;
        assert!(theirs.interaction(&id).await.is_none());
        assert!(Browser::new(&w).interaction(&id).await.is_none());
        assert!(mine.interaction("another").await.is_none());
        let page = theirs.get(&format!("/interaction?id={id}")).await;
        assert!(page.status.is_client_error() && !page.body.contains("password"), "{page}");
        assert!(mine.interaction(&id).await.is_some());
    })
    .await;
}

// spec: AUZ-25
#[tokio::test]
async fn a_form_needs_the_token_of_its_interaction_and_browser() {
    on_every_store(async |w| {
        let (mut mine, mut theirs) = (Browser::new(&w), Browser::new(&w));
        let (page, consent) = mine.consent(&Ask::of(APP)).await;
        let foreign = [mine.consent(&Ask::of(APP)).await.1, theirs.consent(&Ask::of(APP)).await.1];
        for action in ["approve", "deny", "sign_out", "sign_in"] {
            let own: Fields = fields_of(&consent, if action == "sign_in" { "sign_out" } else { action });
            let rest = || own.iter().filter(|(name, _)| !["csrf", "action"].contains(&name.as_str())).cloned();
            let token = |page| fields_of(page, "sign_out").into_iter().find(|(name, _)| name == "csrf");
            for csrf in [None, Some(("csrf".into(), "x".into())), token(&foreign[0]), token(&foreign[1])] {
                let action = [("action".into(), action.into()), ("username".into(), "bob".into())];
                let password = [("password".into(), PASSWORD.into())];
                let fields: Fields = rest().chain(csrf).chain(action).chain(password).collect();
                let answer = mine.submit(&page, &fields).await;
                assert_eq!((answer.status.as_u16(), answer.header("location")), (403, ""), "{answer}");
                assert_eq!(answer.header("set-cookie"), "");
            }
        }
        // Who is signed in must be who saw the page.
        let without_account: Fields =
            fields_of(&consent, "approve").into_iter().filter(|(n, _)| n != "account").collect();
        assert_eq!(mine.submit(&page, &without_account).await.status, 403);
        assert_eq!(w.events.count("approved") + w.events.count("denied"), 0);
        let done = mine.submit(&page, &fields_of(&consent, "approve")).await;
        assert!(done.location().starts_with(CALLBACK));
    })
    .await;
}

// spec: AUZ-25
#[tokio::test]
async fn two_tabs_do_not_disturb_each_other() {
    on_every_store(async |w| {
        let mut browser = Browser::new(&w);
        let one = browser.begin(&Ask::of(APP).with("state", "one")).await;
        let two = browser.begin(&Ask::of(OTHER_APP).with("state", "two")).await;
        assert_eq!(browser.cookies.len(), 1);
        for (id, state, client) in [(&two, "two", "other-app"), (&one, "one", "app")] {
            let interaction = browser.interaction(id).await.unwrap();
            assert_eq!(interaction.client().id.as_str(), client);
            let answer = interaction.approve(Approval::new("alice")).await.unwrap().unwrap();
            assert_eq!(response_at(CALLBACK, answer.location().unwrap()).get("state"), Some(state));
        }
    })
    .await;
}

// spec: AUZ-25
#[tokio::test]
async fn the_cookie_is_for_this_host_over_tls_and_not_for_scripts() {
    let w = on_memory().await;
    let cookies = |answer: &Answer| answer.header("set-cookie").to_owned();
    let first = cookies(&w.get(&Ask::of(APP).uri()).await);
    let (name, rest) = first.split_once('=').unwrap();
    assert_eq!(name, "__Host-oauth-browser");
    assert!(rest.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{rest}");
    assert_eq!(rest.split(';').next().unwrap().len(), 43, "256 bits");
    assert_ne!(cookies(&w.get(&Ask::of(APP).uri()).await), first);
    // Over loopback http, browsers would take neither the prefix nor `Secure`.
    let develop = World::at("http://127.0.0.1:8080").await;
    let plain = cookies(&develop.get(&Ask::of(APP).uri()).await);
    assert!(plain.starts_with("oauth-browser=") && plain.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{plain}");
    Browser::new(&develop).press(&Ask::of(APP), "approve").await.redirected_to(CALLBACK);
}

// spec: AUZ-26
#[tokio::test]
async fn what_was_asked_is_kept_and_not_asked_of_the_browser_again() {
    on_every_store(async |w| {
        let mut browser = Browser::new(&w);
        let (page, consent) = browser.consent(&Ask::of(APP).with("scope", "read").with("state", "s")).await;
        let mut fields = fields_of(&consent, "approve");
        let forged = [("scope", "admin"), ("redirect_uri", "https://evil.example/"), ("client_id", "web")];
        let more = [("state", "x"), ("code_challenge", VERIFIER), ("resource", JWT_API), ("subject", "bob")];
        fields.extend(forged.into_iter().chain(more).map(|(name, value)| (name.to_owned(), value.to_owned())));
        let page = format!("{page}&scope=admin&redirect_uri=https%3A%2F%2Fevil.example%2F");
        let done = browser.submit(&page, &fields).await;
        let response = response_at(CALLBACK, done.location());
        assert_eq!(response.get("state"), Some("s"));
        let access = w.redeem(APP, response.get("code").unwrap()).await.tokens().access;
        let known = w.introspect(AUDITOR, &access).await.json();
        assert_eq!((&known["scope"], &known["sub"], &known["aud"]), (&"read".into(), &"alice".into(), &API.into()));
    })
    .await;
}

// spec: AUZ-21
#[tokio::test]
async fn no_parameter_says_where_to_return_to() {
    let w = on_memory().await;
    let names = ["return_to", "next", "redirect", "redirect_uri", "continue", "url", "id"];
    for target in ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:x"] {
        let query: String =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(names.map(|n| (n, target))).finish();
        for path in ["/interaction", "/interaction/sign-out", "/authorize"] {
            for method in [Method::GET, Method::POST] {
                let mut request = post(&format!("{path}?{query}"), Caller::Nobody, &[]).map(|_| query.clone().into());
                *request.method_mut() = method;
                let answer = w.send(request).await;
                assert!(!answer.header("location").contains("evil") && !answer.body.contains("evil"), "{answer}");
                assert_eq!(answer.header("refresh"), "");
            }
        }
    }
}

// spec: AUZ-19
#[tokio::test]
async fn no_redirect_repeats_a_post() {
    let w = on_memory().await;
    let mut browser = Browser::new(&w);
    for button in ["sign_out", "deny", "approve"] {
        // `consent` looks at what comes of the sign-in.
        assert_eq!(browser.press(&Ask::of(APP), button).await.status, 303);
    }
}

// spec: AUZ-26, AUZ-29
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_interaction_is_decided_once_however_often_the_button_is_pressed() {
    on_every_store(async |w| {
        let mut browser = Browser::new(&w);
        let id = browser.begin(&Ask::of(APP)).await;
        let mut waiting = Vec::new();
        for _ in 0..20 {
            waiting.push(browser.interaction(&id).await.unwrap());
        }
        let waiting = std::sync::Mutex::new(waiting);
        let press = |number| {
            let interaction = waiting.lock().unwrap().pop().unwrap();
            async move {
                let outcome = if number % 2 == 0 {
                    interaction.approve(Approval::new("alice")).await
                } else {
                    interaction.deny().await
                };
                outcome.unwrap()
            }
        };
        let decided = all_at_once(20, press).await;
        assert_eq!(decided.iter().flatten().count(), 1);
        assert!(browser.interaction(&id).await.is_none());
        assert_eq!(w.events.count("approved") + w.events.count("denied"), 1);
    })
    .await;
}

#[tokio::test]
async fn an_interaction_is_given_up_after_ten_minutes() {
    on_every_store(async |w| {
        let mut browser = Browser::new(&w);
        let (one, two) = (browser.begin(&Ask::of(APP)).await, browser.begin(&Ask::of(APP)).await);
        let late = browser.interaction(&two).await.unwrap();
        w.clock.advance(599);
        assert!(browser.interaction(&one).await.is_some());
        w.clock.advance(1);
        assert!(browser.interaction(&one).await.is_none());
        assert!(late.approve(Approval::new("alice")).await.unwrap().is_none());
    })
    .await;
}

// spec: AUZ-18, AUZ-27
#[tokio::test]
async fn a_person_may_give_less_than_was_asked_for_and_never_more() {
    on_every_store(async |w| {
        let mut browser = Browser::new(&w);
        for (given, granted) in [("read", "read"), ("read admin", "read"), ("write read", "read write")] {
            let id = browser.begin(&Ask::of(APP).with("scope", "read write")).await;
            let approval = Approval::new("alice").scope(given.parse().unwrap());
            let answer = browser.interaction(&id).await.unwrap().approve(approval).await.unwrap().unwrap();
            let code = response_at(CALLBACK, answer.location().unwrap()).get("code").unwrap().to_owned();
            assert_eq!(w.redeem(APP, &code).await.member("scope"), granted);
        }
    })
    .await;
}

#[tokio::test]
async fn a_store_that_fails_decides_nothing() {
    on_every_store(async |w| {
        let mut browser = Browser::new(&w);
        let id = browser.begin(&Ask::of(APP)).await;
        let interaction = browser.interaction(&id).await.unwrap();
        w.store.set_down(true);
        assert!(interaction.approve(Approval::new("alice")).await.is_err());
        assert_eq!(browser.get(&format!("/interaction?id={id}")).await.status, 503);
        w.store.set_down(false);
        assert!(browser.interaction(&id).await.is_some());
        assert_eq!(w.events.count("approved"), 0);
    })
    .await;
}
