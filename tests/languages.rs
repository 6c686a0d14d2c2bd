//! The pages in the language of whoever reads them.

use bytes::Bytes;
use http::{Request, header::ACCEPT_LANGUAGE};
use oauth_axum_rs::pages::{Pages, Texts};

use crate::support::*;

/// German as far as these tests see it.
fn german() -> Texts {
    let mut german = Texts::new("de");
    for (name, text) in [
        ("common.error_title", "Fehler: {title}"),
        ("sign_in.title", "Anmelden"),
        ("sign_in.lead", "um zu {client} zu gelangen"),
        ("sign_in.another_way", "Die Anwendung verlangt eine andere Anmeldung."),
        ("sign_in.limited", "Zu viele Versuche. Warten Sie {seconds} Sekunden."),
        ("consent.title", "Darf {client} Ihr Konto benutzen?"),
        ("message.ended", "Diese Anmeldung ist beendet"),
    ] {
        german.set(name, text).unwrap();
    }
    german.scopes.insert("read".to_owned(), "Ihre Notizen lesen".to_owned());
    german
}

fn bilingual(pages: Pages<People>) -> Pages<People> {
    let pages = pages.scope_text("read", "Read your notes").scope_text("write", "Write notes");
    pages.texts([Texts::default(), german()]).sign_in_failures_per_minute(1)
}

async fn world() -> World {
    on_memory_with(|builder| {
        builder.authorization(|it| {
            it.ui_locales = vec!["en".to_owned(), "de".to_owned()];
            it.acr_values = vec!["mfa".to_owned()];
        })
    })
    .await
    .with_pages(bilingual)
}

async fn ask_in(browser: &mut Browser, uri: &str, languages: &str) -> Answer {
    browser.send(Request::get(uri).header(ACCEPT_LANGUAGE, languages).body(Bytes::new()).unwrap()).await
}

#[track_caller]
fn is_german(page: &Answer, text: &str) {
    assert!(page.body.contains("<html lang=\"de\">") && page.body.contains(text), "{page}");
}

#[tokio::test]
async fn ui_locales_and_then_the_browser_say_which_language_a_page_has() {
    let w = world().await;
    for (locales, browsers, lang) in [
        ("", "", "en"),
        ("", "fr, de-CH;q=0.5, en;q=0.1", "de"),
        ("fr de-AT", "en", "de"),
        ("en-GB", "de", "en"),
        ("fr", "it", "en"),
    ] {
        let mut browser = Browser::new(&w);
        let id = browser.begin(&Ask::of(APP).with("ui_locales", locales)).await;
        let page = ask_in(&mut browser, &format!("/interaction?id={id}"), browsers).await;
        assert!(page.body.contains(&format!("<html lang=\"{lang}\">")), "{locales}/{browsers}: {page}");
    }
    // What belongs to no request is in the browser's language.
    is_german(&ask_in(&mut Browser::new(&w), "/interaction?id=x", "de").await, "Diese Anmeldung ist beendet");
}

#[tokio::test]
async fn the_language_stays_from_the_first_page_to_the_last() {
    let w = world().await;
    let mut browser = Browser::new(&w);
    let ask = Ask::of(APP).with("ui_locales", "de").with("scope", "read write");
    let page = format!("/interaction?id={}", browser.begin(&ask).await);
    let first = browser.get(&page).await;
    is_german(&first, "<h1>Anmelden</h1>");
    is_german(&first, "um zu <strong><bdi>");
    let mut fields = fields_of(&first, "sign_in");
    fields.extend([("username".into(), "alice".into()), ("password".into(), "wrong".into())]);
    is_german(&browser.submit(&page, &fields).await, "<title>Fehler: Anmelden · as.example</title>");
    let late = browser.submit(&page, &fields).await;
    assert_eq!((late.status.as_u16(), late.header("retry-after")), (429, "60"));
    is_german(&late, "Zu viele Versuche. Warten Sie 60 Sekunden.");
    w.clock.advance(60);
    let (_, consent) = browser.consent(&ask).await;
    is_german(&consent, "Darf <bdi>");
    // A translation of a scope comes before the other words for it, which are better than none.
    is_german(&consent, "<li>Ihre Notizen lesen <");
    is_german(&consent, "<li>Write notes <");
    w.clock.advance(1);
    let better = Ask::of(APP).with("ui_locales", "de").with("acr_values", "mfa");
    let page = format!("/interaction?id={}", browser.begin(&better).await);
    is_german(&browser.get(&page).await, "Die Anwendung verlangt eine andere Anmeldung.");
}

#[tokio::test]
async fn the_metadata_say_which_languages_there_are() {
    let document = "/.well-known/oauth-authorization-server";
    assert_eq!(world().await.get(document).await.member("ui_locales_supported"), serde_json::json!(["en", "de"]));
    assert!(on_memory().await.get(document).await.member("ui_locales_supported").is_null());
}
