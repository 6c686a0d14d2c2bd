//! What people see of it, when they are asked to allow access.

use oauth_core::store::Clients as _;

use super::*;

async fn consent(typed: &[(&str, &str)]) -> Answer {
    let w = world(|it| it).await;
    let (mut browser, page) = form(&w).await;
    let caller = caller(&send(&mut browser, &page, &good_but(typed)).await);
    let (_, consent) = browser.consent(&Ask::of(caller)).await;
    assert!(consent.status == 200 && consent.body.contains("id=\"approve\""), "{consent}");
    consent
}

// spec: AUZ-27
#[tokio::test]
async fn consent_shows_the_host_of_the_website_and_leads_to_terms_and_policy() {
    let consent = consent(&[
        ("application_name", "<b>Notes</b>"),
        ("website", "https://www.app.example:8443/about?x"),
        ("logo", "https://app.example/logo.png"),
        ("description", "Described."),
        ("terms_of_service", "https://app.example/terms?a&b='"),
        ("privacy_policy", "https://app.example/privacy"),
    ])
    .await;
    assert!(consent.body.contains("<bdi>www.app.example:8443</bdi>"), "{consent}");
    let link =
        |id: &str, uri: &str| format!("<a id=\"{id}\" href=\"{uri}\" target=\"_blank\" rel=\"noopener noreferrer\">");
    assert!(consent.body.contains(&link("client-terms", "https://app.example/terms?a&amp;b=&#39;")), "{consent}");
    assert!(consent.body.contains(&link("client-policy", "https://app.example/privacy")), "{consent}");
    // Nobody has checked what it looks like, or what it says it does.
    for hidden in ["logo.png", "Described.", "<b>", "<img"] {
        assert!(!consent.body.contains(hidden), "{hidden} in {consent}");
    }
}

// spec: AUZ-27
#[tokio::test]
async fn consent_leads_nowhere_in_clear_text_and_shows_no_doubtful_host() {
    let typed = [
        ("website", "http://app.example/"),
        ("terms_of_service", "http://app.example/terms"),
        ("privacy_policy", "http://app.example/privacy"),
    ];
    for typed in [&typed[..], &[]] {
        is_plain(&consent(typed).await);
    }
    // What a store has from elsewhere was not read by the form.
    let w = world(|it| it).await;
    let (mut browser, page) = form(&w).await;
    let caller = caller(&send(&mut browser, &page, &GOOD).await);
    let mut client = (*client(&w, caller).await).clone();
    for website in ["https:bank.example", "https://b%61nk.example/", "https://@bank.example/"] {
        client.profile.client_uri = Some(website.to_owned());
        client.profile.policy_uri = Some("https:app.example/privacy".to_owned());
        w.store.put_client(client.clone()).await.unwrap();
        let (_, consent) = browser.consent(&Ask::of(caller)).await;
        assert!(consent.body.contains("id=\"approve\""), "{consent}");
        is_plain(&consent);
    }
}

#[track_caller]
fn is_plain(consent: &Answer) {
    assert!(!consent.body.contains("its website") && !consent.body.contains("href="), "{consent}");
}
