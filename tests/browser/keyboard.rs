//! Without a mouse.

use super::consent_page;
use crate::support::{
    APP, Ask, PASSWORD,
    chromium::{BACKSPACE, Chromium, ENTER, SHIFT_TAB, SPACE, Site, TAB, url_of},
};

/// What the focus looks like.
const RING: &str =
    "(s => s.outlineStyle === 'solid' && parseFloat(s.outlineWidth) >= 2)(getComputedStyle(document.activeElement))";

/// That each of `ids` is reached by one more strike of TAB, can be seen to be, and that SHIFT and TAB lead back.
async fn tab_order(browser: &mut Chromium, ids: &[&str]) {
    for id in ids {
        browser.strike(TAB).await;
        assert_eq!(browser.focus().await, *id);
        assert_eq!(browser.ask(RING).await, true, "{id} has the focus, and who would know");
    }
    for id in ids.iter().rev().skip(1) {
        browser.strike(SHIFT_TAB).await;
        assert_eq!(browser.focus().await, *id);
    }
}

#[tokio::test]
async fn a_person_signs_in_and_allows_with_keys_alone() {
    let site = Site::new().await;
    let mut browser = site.browser().await;
    browser.visit(&url_of(&Ask::of(APP))).await;
    browser.strike_through(&format!("alicf{BACKSPACE}e{TAB}{PASSWORD}{ENTER}")).await;
    assert!(browser.shows("approve").await, "{}", browser.text().await);
    tab_order(&mut browser, &["approve", "deny", "sign-out"]).await;
    assert_eq!(browser.focus().await, "approve");
    browser.picture("consent-focus").await;
    browser.strike_through(SPACE).await;
    assert!(site.response(1).get("code").is_some());
}

#[tokio::test]
async fn everything_on_the_sign_in_page_is_reached_and_enter_denies_where_the_focus_is() {
    let site = Site::new().await;
    let mut browser = site.browser().await;
    browser.visit(&url_of(&Ask::of(APP))).await;
    tab_order(&mut browser, &["password", "sign-in"]).await;
    let mut browser = consent_page(&site, &Ask::of(APP), "alice").await;
    browser.strike_through(&format!("{TAB}{TAB}{ENTER}")).await;
    assert_eq!(site.response(1).get("error"), Some("access_denied"));
}

#[tokio::test]
async fn after_a_wrong_password_the_first_key_leads_to_the_fields() {
    let site = Site::new().await;
    let mut browser = site.browser().await;
    browser.visit(&url_of(&Ask::of(APP))).await;
    browser.strike_through(&format!("alice{TAB}wrong{ENTER}")).await;
    assert_eq!(browser.focus().await, "problem");
    tab_order(&mut browser, &["username", "password", "sign-in"]).await;
}
