//! `GET /reciprocal/connect/NAME`: party A's part in a browser, from the first flow to the page that says how it ended.

use std::fs;

use serde_json::json;

use super::{pair::Pair, *};
use crate::support::chromium::{Chromium, Site};

/// Two programs at which alice has to sign in, and says yes herself.
async fn at_which_people_decide() -> Pair {
    let mut pair = Pair::asleep([None, None], "");
    for party in [&pair.a, &pair.b] {
        let text = fs::read_to_string(party.reference.config()).unwrap();
        let text = text.replace("auto_approve = \"alice\"", "auto_approve = \"\"");
        fs::write(party.reference.config(), text).unwrap();
    }
    pair.before_a.open().await;
    pair.start().await;
    pair
}

// spec: TOK-47, TOK-48, TOK-50
#[tokio::test(flavor = "multi_thread")]
async fn a_person_connects_two_services_in_a_browser() {
    let (site, mut pair) = (Site::new().await, at_which_people_decide().await);
    let mut browser = site.browser().await;
    let sign_in = async |browser: &mut Chromium| {
        browser.fill("username", "alice").await;
        browser.fill("password", "wonderland").await;
        browser.press("sign-in").await;
    };
    browser.visit(&format!("{}/reciprocal/connect/music", pair.a.reference.issuer)).await;
    assert!(browser.url().await.starts_with(&pair.b.reference.issuer));
    sign_in(&mut browser).await;
    browser.press("approve").await;
    assert_eq!(browser.url().await, format!("{}/reciprocal/consent", pair.a.reference.issuer));
    // Cookies know no ports: whoever signed in at B has to at A.
    assert!(browser.text().await.contains("to continue to your connected services"));
    sign_in(&mut browser).await;
    let question = browser.text().await;
    for part in ["Allow Music Service to use your account in turn?", "alice", "See your albums", ALBUMS] {
        assert!(question.contains(part), "{part}: {question}");
    }
    assert!(!question.contains("Add albums"), "{question}");
    browser.inspect("reciprocal-consent").await;
    browser.press("approve").await;
    assert!(browser.text().await.contains("The two are connected"), "{}", browser.text().await);
    browser.inspect("reciprocal-connected").await;
    pair.b.comes_to_hold("albums:read").await;
    assert_eq!(pair.a.albums("GET", &pair.token_of_b()).await, 200);
    let token = pair.token_of_b();
    pair.end_in_silence(&[&token]);
}

// spec: TOK-48, TOK-53
#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_says_no_shares_nothing() {
    let mut pair = at_which_people_decide().await;
    let (connect, alice) = (format!("{}/reciprocal/connect/music", pair.a.reference.issuer), ("alice", "wonderland"));
    let mut visitor = Visitor::new(plain_client());
    // No at B: there is nothing to ask at A.
    let there = visitor.go(&connect).await;
    let denied = visitor.decide(there.answer.location(), alice, "deny").await;
    let page = visitor.go(denied.answer.location()).await;
    assert!(page.answer.body.contains("did not let this one in"), "{}", page.answer);
    // Yes at B, no at A.
    let there = visitor.go(&connect).await;
    let consent = visitor.go(there.answer.location()).await;
    let back = visitor.press(&consent, "approve", &[]).await;
    let callback = back.answer.location().to_owned();
    let page = visitor.go(&callback).await;
    let question = visitor.press(&page, "sign-in", &[("username", "alice"), ("password", "wonderland")]).await;
    assert!(question.has("approve") && question.answer.body.contains("albums:read"), "{}", question.answer);
    let done = visitor.press(&question, "deny", &[]).await;
    assert!(done.answer.body.contains("gets nothing from here"), "{}", done.answer);
    // Neither the form nor the answer of B is good again.
    assert_eq!(visitor.press(&question, "approve", &[]).await.answer.status, 410);
    assert!(visitor.go(&callback).await.answer.body.contains("Begin anew"));
    assert!(pair.before_b.fields("access_token").is_empty());
    assert_eq!(pair.b.held().await, json!({ "tokens": [], "queued": 0 }));
    drop((pair.a.end(), pair.b.end()));
}

// spec: TOK-48
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_taken_in_the_browser_that_asked_and_of_the_party_that_was_asked() {
    let mut pair = Pair::new().await;
    let issuer = pair.a.reference.issuer.clone();
    let connect = format!("{issuer}/reciprocal/connect/music");
    let (mut alice, mut mallory) = (Visitor::new(plain_client()), Visitor::new(plain_client()));
    assert_eq!(alice.go(&format!("{issuer}/reciprocal/connect/nobody")).await.answer.status, 404);
    let there = alice.go(&connect).await;
    let back = alice.go(there.answer.location()).await.answer.location().to_owned();
    assert!(back.starts_with(&format!("{issuer}/reciprocal/callback/music?")), "{back}");
    mallory.go(&connect).await;
    for foreign in [back.clone(), back.replace("iss=http", "iss=https"), format!("{issuer}/reciprocal/callback/music")]
    {
        let page = mallory.go(&foreign).await;
        assert_eq!(page.answer.status, 400, "{foreign}: {}", page.answer);
    }
    let wrong_issuer = alice.go(&back.replace("iss=http", "iss=https")).await;
    assert!(wrong_issuer.answer.body.contains("somebody who was not asked"), "{}", wrong_issuer.answer);
    assert_eq!(alice.go(&format!("{issuer}/reciprocal/consent")).await.answer.status, 410);
    // None of which has ended what alice began.
    let page = alice.go(&back).await;
    assert!(page.answer.body.contains("The two are connected"), "{}", page.answer);
    assert_eq!(page.answer.header("referrer-policy"), "no-referrer");
    pair.b.comes_to_hold("albums:read").await;
    pair.end_in_silence(&[]);
}

// spec: TOK-48
#[tokio::test(flavor = "multi_thread")]
async fn a_person_hears_whether_the_other_service_is_away_or_answers_what_is_of_no_use() {
    let mut pair = Pair::asleep([None, None], "");
    pair.before_a.open().await;
    let connect = format!("{}/reciprocal/connect/music", pair.a.reference.issuer);
    let mut alice = Visitor::new(plain_client());
    pair.a.start();
    // Nobody is there to say where to go.
    assert_eq!(told(&alice.go(&connect).await), "Unreachable");
    // Its token endpoint is behind a gate that is not open yet, then behind one that says `{}` to everything.
    pair.b.start();
    assert_eq!(told(&trip(&mut alice, &connect).await), "Unreachable");
    pair.before_b.open().await;
    pair.before_b.swallow(true);
    assert_eq!(told(&trip(&mut alice, &connect).await), "Amiss");
    assert_eq!(pair.b.held().await, json!({ "tokens": [], "queued": 0 }));
    pair.before_b.swallow(false);
    assert_eq!(told(&trip(&mut alice, &connect).await), "Connected");
    pair.b.comes_to_hold("albums:read").await;
    pair.end_in_silence(&[]);
}

/// From A to B and back: the page at the end.
async fn trip(visitor: &mut Visitor, connect: &str) -> Page {
    let there = visitor.go(connect).await;
    let back = visitor.go(there.answer.location()).await;
    visitor.go(back.answer.location()).await
}

/// How it ended, by the id of the heading: what it says goes with that.
fn told(page: &Page) -> &'static str {
    let endings = [
        ("Connected", 200, "Each can use your account with the other now."),
        ("Unreachable", 502, "The other service does not answer. Try again later."),
        ("Amiss", 502, "The other service did not answer as it should."),
    ];
    let said = endings.into_iter().find(|(id, status, text)| {
        page.answer.status == *status
            && [&format!("<h1 id=\"{id}\""), *text].iter().all(|part| page.answer.body.contains(part))
    });
    said.unwrap_or_else(|| panic!("{}", page.answer)).0
}
