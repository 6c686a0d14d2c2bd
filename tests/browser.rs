//! The pages as people meet them: in a real browser, by mouse and by keyboard, on every kind of screen. Each page that
//! comes up is looked over, and pictures of it are kept in `target/tests/screenshots`.

mod again;
mod consent;
mod cors;
mod developers;
mod device;
mod errors;
mod jsonp;
mod keyboard;
mod languages;
mod program;
mod response_mode;
mod sign_in;
mod sign_out;
mod tabs;

use crate::support::{
    Ask, PASSWORD,
    chromium::{Chromium, Site, url_of},
};

/// Goes to the application's server with `ask`, and signs in there as `name`.
async fn consent_page(site: &Site, ask: &Ask, name: &str) -> Chromium {
    let mut browser = site.browser().await;
    browser.visit(&url_of(ask)).await;
    sign_in(&mut browser, name).await;
    assert!(browser.shows("approve").await, "{}", browser.text().await);
    browser
}

/// Signs in on the page that is open.
async fn sign_in(browser: &mut Chromium, name: &str) {
    try_to_sign_in(browser, name, PASSWORD).await;
}

async fn try_to_sign_in(browser: &mut Chromium, name: &str, password: &str) {
    browser.fill("username", name).await;
    browser.fill("password", password).await;
    browser.press("sign-in").await;
}
