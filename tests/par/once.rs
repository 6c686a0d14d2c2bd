//! A reference leads to one answer.

use oauth_core::engine::interaction::Approval;

use super::{bring, leads_nowhere, pushed};
use crate::support::*;

// spec: AUZ-39
#[tokio::test]
async fn a_reference_works_again_until_the_request_is_decided_and_not_after() {
    on_every_store(async |w| {
        for (caller, button) in [(APP, "approve"), (OTHER_APP, "deny")] {
            let uri = pushed(&w, caller, &Ask::of(caller)).await;
            let mut browser = Browser::new(&w);
            let first = browser.begin(&bring(caller, &uri)).await;
            let second = browser.begin(&bring(caller, &uri)).await;
            for id in [&first, &second] {
                let page = browser.get(&format!("/interaction?id={id}")).await;
                assert_eq!(page.status, 200, "{page}");
            }
            let done = browser.press(&bring(caller, &uri), button).await;
            let response = response_at(CALLBACK, done.location());
            assert_eq!(response.get("code").is_some(), button == "approve");
            leads_nowhere(&browser.authorize(&bring(caller, &uri)).await);
            leads_nowhere(&Browser::new(&w).authorize(&bring(caller, &uri)).await);
            // Whatever was begun with it is over.
            for id in [first, second] {
                assert!(browser.interaction(&id).await.is_none());
            }
        }
    })
    .await;
}

// spec: AUZ-39
#[tokio::test]
async fn of_two_tabs_that_hold_the_page_one_decides() {
    on_every_store(async |w| {
        let uri = pushed(&w, APP, &Ask::of(APP)).await;
        let mut browser = Browser::new(&w);
        let ids = [browser.begin(&bring(APP, &uri)).await, browser.begin(&bring(APP, &uri)).await];
        let [first, second] =
            [browser.interaction(&ids[0]).await.unwrap(), browser.interaction(&ids[1]).await.unwrap()];
        assert!(first.deny().await.unwrap().is_some());
        assert!(second.approve(Approval::new("alice")).await.unwrap().is_none());
        assert_eq!((w.events.count("denied"), w.events.count("approved")), (1, 0));
    })
    .await;
}

// spec: AUZ-39
#[tokio::test(flavor = "multi_thread")]
async fn of_many_browsers_that_end_one_request_at_once_one_gets_a_code() {
    on_every_store(async |w| {
        let uri = pushed(&w, APP, &Ask::of(APP)).await;
        let answers = all_at_once(8, |_| {
            let (w, uri) = (w.clone(), uri.clone());
            async move {
                let mut browser = Browser::new(&w);
                let answer = browser.authorize(&bring(APP, &uri)).await;
                let id = answer.header("location").split_once("id=")?;
                let interaction = browser.interaction(id.1).await?;
                interaction.approve(Approval::new("alice")).await.unwrap()
            }
        })
        .await;
        let codes: Vec<_> = answers.into_iter().flatten().collect();
        assert_eq!(codes.len(), 1);
        let response = response_at(CALLBACK, codes[0].location().unwrap());
        w.redeem(APP, response.get("code").unwrap()).await.tokens();
    })
    .await;
}

/// Pushed here, begun there, decided elsewhere.
// spec: AUZ-39
#[tokio::test]
async fn nodes_that_share_a_store_share_references() {
    on_every_store(async |w| {
        let another = w.another(|builder| builder).await.unwrap();
        let uri = pushed(&w, APP, &Ask::of(APP)).await;
        let mut browser = Browser::new(&another);
        let id = browser.begin(&bring(APP, &uri)).await;
        browser.move_to(&w);
        assert!(browser.interaction(&id).await.unwrap().deny().await.unwrap().is_some());
        browser.move_to(&another);
        leads_nowhere(&browser.authorize(&bring(APP, &uri)).await);
    })
    .await;
}
