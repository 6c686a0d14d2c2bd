//! Pages in other languages.

use oauth_axum_rs::pages::Texts;

use super::{sign_in, try_to_sign_in};
use crate::support::{
    APP, Ask,
    chromium::{Chromium, Site, url_of},
};

/// Hebrew, as far as two pages need it.
fn hebrew() -> Texts {
    let mut hebrew = Texts::new("he");
    for (name, text) in [
        ("common.error_title", "שגיאה: {title}"),
        ("common.signed_in_as", "נכנסת בתור {user}."),
        ("common.not_you", "לא אתם?"),
        ("common.another_account", "כניסה לחשבון אחר"),
        ("sign_in.title", "כניסה"),
        ("sign_in.lead", "כדי להמשיך אל {client}"),
        ("sign_in.username", "שם משתמש"),
        ("sign_in.password", "סיסמה"),
        ("sign_in.button", "כניסה"),
        ("sign_in.wrong", "שם המשתמש או הסיסמה אינם נכונים."),
        ("consent.document", "לאשר גישה?"),
        ("consent.title", "לאפשר ל־{client} להשתמש בחשבון שלך?"),
        ("consent.asks", "היישום מבקש"),
        ("consent.resources", "לשימוש עם"),
        ("consent.redirect", "בכל מקרה, היעד הבא הוא"),
        ("consent.allow", "אישור"),
        ("consent.deny", "דחייה"),
    ] {
        hebrew.set(name, text).unwrap();
    }
    hebrew.scopes.insert("read".to_owned(), "לקרוא את הפתקים שלך".to_owned());
    hebrew.scopes.insert("write".to_owned(), "לכתוב ולמחוק פתקים".to_owned());
    hebrew
}

/// Where `id` is on the page: how far its left and its right edge are from those of the card.
async fn edges(browser: &Chromium, selector: &str) -> (f64, f64) {
    let script = format!(
        "(() => {{ const card = document.querySelector('main').getBoundingClientRect(); \
         const range = document.createRange(); range.selectNodeContents(document.querySelector('{selector}')); \
         const it = range.getBoundingClientRect(); return [it.left - card.left, card.right - it.right] }})()"
    );
    let found = browser.ask(&script).await;
    (found[0].as_f64().unwrap(), found[1].as_f64().unwrap())
}

async fn is_in_the_middle(browser: &Chromium) {
    let card = "document.querySelector('main').getBoundingClientRect()";
    let script = format!("(it => it.left + it.right - document.documentElement.clientWidth)({card})");
    assert_eq!(browser.ask(&script).await, 0);
}

#[tokio::test]
async fn a_page_that_is_read_from_right_to_left_begins_at_the_right() {
    let site = Site::with(|builder| builder, |pages| pages.texts([Texts::default(), hebrew()])).await;
    let ask = Ask::of(APP).with("scope", "read write");
    for (locales, rtl) in [("en", false), ("he", true)] {
        let mut browser = site.browser().await;
        browser.visit(&url_of(&ask.clone().and("ui_locales", locales))).await;
        assert_eq!(browser.ask("document.documentElement.lang").await, locales);
        assert_eq!(browser.ask("getComputedStyle(document.querySelector('main')).direction === 'rtl'").await, rtl);
        is_in_the_middle(&browser).await;
        for selector in ["h1", "label"] {
            let (left, right) = edges(&browser, selector).await;
            assert_eq!(left > right, rtl, "{selector}: {left} {right}");
        }
        if !rtl {
            continue;
        }
        try_to_sign_in(&mut browser, "alice", "wrong").await;
        // The thick edge of a warning is where reading begins.
        let edge = "(style => style.borderRightWidth + style.borderLeftWidth)(getComputedStyle(problem))";
        assert_eq!(browser.ask(edge).await, "4px1px");
        browser.inspect("rtl-sign-in").await;
        is_in_the_middle(&browser).await;
        sign_in(&mut browser, "alice").await;
        let (left, right) = edges(&browser, ".panel li").await;
        assert!(left > right, "{left} {right}");
        assert_eq!(browser.ask("getComputedStyle(document.querySelector('code')).direction").await, "ltr");
        browser.inspect("rtl-consent").await;
        browser.press("approve").await;
        assert!(site.response(1).get("code").is_some());
    }
}
