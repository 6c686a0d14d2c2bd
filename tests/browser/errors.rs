//! Pages that nobody wants to see.

use super::consent_page;
use crate::support::{
    APP, Ask, Caller, ISSUER,
    chromium::{Chromium, Site, url_of},
};

/// That nothing on the page leads anywhere, and that nobody was sent away from it.
async fn leads_nowhere(browser: &Chromium) {
    assert!(browser.url().await.starts_with(ISSUER));
    let ways = "document.querySelectorAll('a, form, button, area, iframe, meta[http-equiv], [href], [src]').length";
    assert_eq!(browser.ask(ways).await, 0);
    assert_eq!(browser.origins(), ["https://as.example"]);
}

// spec: AUZ-22, AUZ-23
#[tokio::test]
async fn a_client_that_nobody_knows_and_a_wrong_redirect_uri_come_to_a_page_without_a_way_out() {
    let site = Site::new().await;
    let unknown = Ask::of(Caller::Public("nobody-knows-me"));
    let wrong = Ask::of(APP).with("redirect_uri", "https://evil.example/cb?x=<script>");
    for (page, ask) in [("error-client", unknown), ("error-redirect", wrong)] {
        let mut browser = site.browser().await;
        browser.visit(&url_of(&ask)).await;
        assert!(browser.text().await.contains("This request cannot go on"), "{}", browser.text().await);
        leads_nowhere(&browser).await;
        browser.inspect(page).await;
    }
    assert_eq!(site.arrivals(), []);
}

#[tokio::test]
async fn a_page_that_cannot_be_shown_now_can_be_loaded_again_later() {
    let site = Site::new().await;
    let mut browser = consent_page(&site, &Ask::of(APP), "alice").await;
    site.world.store.set_down(true);
    browser.press("approve").await;
    assert!(browser.text().await.contains("Not available at the moment"), "{}", browser.text().await);
    browser.inspect("unavailable").await;
    site.world.store.set_down(false);
    browser.reload().await;
    assert!(site.response(1).get("code").is_some());
}
