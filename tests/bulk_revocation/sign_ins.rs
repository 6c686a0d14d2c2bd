//! Who is signed in at a browser when much is revoked.

use super::*;

/// Where the browser is led by an application that has been allowed everything before.
async fn led(browser: &mut Browser) -> Answer {
    let id = browser.begin(&Ask::of(WEB)).await;
    browser.get(&format!("/interaction?id={id}")).await
}

/// A browser in which alice is signed in, and has said yes.
async fn signed_in(w: &World) -> Browser {
    let mut browser = Browser::new(w);
    browser.press(&Ask::of(WEB), "approve").await;
    assert!(led(&mut browser).await.location().contains("code="));
    browser
}

async fn must_sign_in(browser: &mut Browser) {
    let page = led(browser).await;
    assert!(page.status == 200 && page.body.contains("\"password\""), "{page}");
}

// spec: REV-14
#[tokio::test]
async fn with_everything_of_a_user_all_their_browsers_are_signed_out() {
    on_every_store(async |w| {
        let mut browsers = [signed_in(&w).await, signed_in(&w).await];
        revoke(&w, Selection::Subject("bob".to_owned())).await;
        revoke(&w, Selection::Device { subject: "alice".to_owned(), device: "ONE".to_owned() }).await;
        for browser in &mut browsers {
            assert!(led(browser).await.location().contains("code="));
        }
        revoke(&w, alice()).await;
        for browser in &mut browsers {
            must_sign_in(browser).await;
        }
        // Whoever signs in again is not asked again, and stays signed in.
        let [browser, other] = &mut browsers;
        let (_, consent) = browser.consent(&Ask::of(WEB)).await;
        assert!(consent.location().contains("code="), "{consent}");
        assert!(led(browser).await.location().contains("code="));
        must_sign_in(other).await;
        // Once more, and much later.
        revoke(&w, alice()).await;
        must_sign_in(browser).await;
    })
    .await;
}

// spec: REV-14
#[tokio::test]
async fn with_everything_before_a_time_everybody_signs_in_and_agrees_anew() {
    on_every_store(async |w| {
        let mut browser = signed_in(&w).await;
        let began = w.server.now();
        revoke(&w, Selection::IssuedBefore(began)).await;
        assert!(led(&mut browser).await.location().contains("code="), "that was not before");
        w.clock.advance(1);
        revoke(&w, Selection::IssuedBefore(w.server.now())).await;
        must_sign_in(&mut browser).await;
        // What was agreed to may have been withdrawn after the backup was made.
        let (page, consent) = browser.consent(&Ask::of(WEB)).await;
        assert!(consent.status == 200 && consent.body.contains("id=\"approve\""), "{consent}");
        browser.submit(&page, &fields_of(&consent, "approve")).await;
        assert!(led(&mut browser).await.location().contains("code="), "and that is remembered");
    })
    .await;
}

#[tokio::test]
async fn a_store_that_cannot_say_whether_somebody_is_signed_in_is_503() {
    let store = Faulty::new(MemoryStore::default());
    let w = World::on(store.clone(), |builder| builder).await;
    let server = w.server.clone();
    let (began, ended) = (server.now(), server.sign_ins_ended("alice").await.unwrap());
    assert!(server.sign_in_stands("alice", began, ended).await.unwrap());
    w.clock.advance(1);
    store.fail(When::Before, 0);
    server.sign_in_stands("alice", began, ended).await.unwrap_err();
    store.fail(When::Before, 1);
    server.sign_in_stands("alice", began, ended).await.unwrap_err();
    // A step that fails ends nothing by halves: it is done again.
    let mut all = server.revoke_all(alice()).unwrap();
    store.fail(When::Before, 0);
    all.next().await.unwrap().unwrap_err();
    assert!(server.sign_in_stands("alice", began, ended).await.unwrap());
    while let Some(step) = all.next().await {
        step.unwrap();
    }
    assert!(!server.sign_in_stands("alice", began, ended).await.unwrap());
}
