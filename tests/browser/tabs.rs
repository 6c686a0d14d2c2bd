//! More than one page at a time, and more than one browser.

use super::{consent_page, sign_in};
use crate::support::{
    APP, AUDITOR, Ask, OTHER_APP,
    chromium::{Site, url_of},
};

// spec: AUZ-25
#[tokio::test]
async fn two_tabs_are_decided_on_in_either_order() {
    for [first, second] in [["one", "two"], ["two", "one"]] {
        let site = Site::new().await;
        let mut browser = consent_page(&site, &Ask::of(APP).with("state", "one"), "alice").await;
        let one = browser.tab().await;
        let two = browser.open_tab().await;
        // Who is signed in is signed in in both.
        browser.visit(&url_of(&Ask::of(OTHER_APP).with("state", "two"))).await;
        assert!(browser.shows("approve").await);
        for (count, state) in [(1, first), (2, second)] {
            browser.turn_to(if state == "one" { &one } else { &two }).await;
            browser.press("approve").await;
            let response = site.response(count);
            assert_eq!(response.get("state"), Some(state));
            let caller = if state == "one" { APP } else { OTHER_APP };
            site.world.redeem(caller, response.get("code").unwrap()).await.tokens();
        }
    }
}

#[tokio::test]
async fn a_sign_in_page_in_a_second_tab_goes_on_after_a_sign_in_in_the_first() {
    let site = Site::new().await;
    let mut browser = site.browser().await;
    browser.visit(&url_of(&Ask::of(APP).with("state", "one"))).await;
    let one = browser.tab().await;
    let two = browser.open_tab().await;
    browser.visit(&url_of(&Ask::of(OTHER_APP).with("state", "two"))).await;
    for (count, tab, state) in [(1, &one, "one"), (2, &two, "two")] {
        browser.turn_to(tab).await;
        sign_in(&mut browser, "alice").await;
        browser.press("approve").await;
        assert_eq!(site.response(count).get("state"), Some(state));
    }
}

// spec: AUZ-25
#[tokio::test]
async fn what_one_account_saw_another_does_not_allow() {
    let site = Site::new().await;
    let mut browser = consent_page(&site, &Ask::of(APP), "alice").await;
    let one = browser.tab().await;
    browser.open_tab().await;
    browser.visit(&url_of(&Ask::of(OTHER_APP))).await;
    browser.press("sign-out").await;
    sign_in(&mut browser, "bob").await;
    browser.turn_to(&one).await;
    assert!(browser.text().await.contains("alice"));
    browser.press("approve").await;
    assert!(browser.text().await.contains("Nothing was done"), "{}", browser.text().await);
    assert_eq!(site.arrivals(), []);
    browser.inspect("out-of-date").await;
    browser.press("continue").await;
    assert!(browser.text().await.contains("bob"));
    browser.press("approve").await;
    let tokens = site.world.redeem(APP, site.response(1).get("code").unwrap()).await.tokens();
    assert_eq!(site.world.introspect(AUDITOR, &tokens.access).await.member("sub"), "bob");
}

// spec: AUZ-25
#[tokio::test]
async fn the_address_of_a_page_is_worth_nothing_in_another_browser() {
    let site = Site::new().await;
    let page = consent_page(&site, &Ask::of(APP), "alice").await.url().await;
    let mut other = consent_page(&site, &Ask::of(OTHER_APP), "alice").await;
    other.visit(&page).await;
    assert!(other.text().await.contains("started in another browser"), "{}", other.text().await);
    assert!(!other.shows("approve").await && !other.shows("password").await);
}
