//! What comes of the form.

use std::sync::Mutex;

use oauth_core::{
    client::{AuthMethod, GrantType, metadata::RegistrationError},
    engine::{
        policy::HostFuture,
        registration::{RegistrationPolicy, RegistrationRequest, Terms},
    },
};

use super::*;

// spec: REG-03, SEC-07
#[tokio::test]
async fn a_web_application_gets_a_secret_which_is_shown_once_and_works() {
    on_every_store_with(
        |builder| builder.registration(|it| it),
        async |w| {
            let w = with_page(w);
            let (mut browser, page) = form(&w).await;
            let done = send(&mut browser, &page, &GOOD).await;
            assert_eq!((done.status.as_u16(), done.header("cache-control")), (200, "no-store"));
            let Caller::Basic(id, secret) = caller(&done) else { panic!("{done}") };
            assert!(id.starts_with("dyn-") && secret.len() == 43, "{done}");
            assert_eq!(done.body.matches(secret).count(), 1);
            let code = w.code(caller(&done)).await;
            w.redeem(Caller::Basic(id, "wrong"), &code).await.is_refused(401, "invalid_client");
            assert!(w.redeem(caller(&done), &code).await.tokens().refresh.is_some());
            // Nowhere else.
            assert!(!browser.get(PATH).await.body.contains(secret));
            assert!(!send(&mut browser, &page, &GOOD).await.body.contains(secret));
            assert!(!w.events.all().iter().any(|event| event.contains(secret)));
            assert!(!format!("{:?}", client(&w, caller(&done)).await).contains(secret));
        },
    )
    .await;
}

#[tokio::test]
async fn an_application_in_a_browser_has_no_secret_and_uses_pkce() {
    let w = world(|it| it).await;
    let (mut browser, page) = form(&w).await;
    let done = send(&mut browser, &page, &good_but(&[("client_type", "app")])).await;
    let caller = caller(&done);
    assert!(matches!(caller, Caller::Public(_)) && done.body.contains("PKCE"), "{done}");
    let client = client(&w, caller).await;
    assert_eq!((client.auth_method, client.secrets.len()), (AuthMethod::None, 0));
    assert_eq!(client.grant_types, [GrantType::AUTHORIZATION_CODE, GrantType::REFRESH_TOKEN]);
    w.tokens(caller).await;
}

#[tokio::test]
async fn what_was_typed_is_kept_with_the_client_and_by_whom_it_was() {
    let w = world(|it| it).await;
    let (mut browser, page) = form(&w).await;
    let typed = good_but(&[
        ("application_name", "  Notes & more "),
        ("redirect_uris", "\r\n https://app.example/cb\r\n\r\ncom.example.app:/cb\r\n"),
        ("website", "https://app.example/"),
        ("description", "Shows notes.\r\nOn <paper>."),
        ("logo", "https://app.example/logo.png"),
        ("terms_of_service", "https://app.example/terms"),
        ("privacy_policy", "https://app.example/privacy"),
        ("contact", "ada@app.example"),
    ]);
    let caller = caller(&send(&mut browser, &page, &typed).await);
    let client = client(&w, caller).await;
    assert_eq!(client.name.as_deref(), Some("Notes & more"));
    let uris: Vec<&str> = client.redirect_uris.iter().map(oauth_core::client::RedirectUri::as_str).collect();
    assert_eq!(uris, ["https://app.example/cb", "com.example.app:/cb"]);
    let profile = &client.profile;
    assert_eq!(profile.client_uri.as_deref(), Some("https://app.example/"));
    assert_eq!(profile.logo_uri.as_deref(), Some("https://app.example/logo.png"));
    assert_eq!(profile.tos_uri.as_deref(), Some("https://app.example/terms"));
    assert_eq!(profile.policy_uri.as_deref(), Some("https://app.example/privacy"));
    assert_eq!(profile.contacts, ["ada@app.example"]);
    let developer = client.registration.as_ref().unwrap().developer.clone().unwrap();
    assert_eq!((&*developer.subject, developer.terms.as_deref()), ("alice", Some("2026-11")));
    assert_eq!(developer.description.as_deref(), Some("Shows notes.\nOn <paper>."));
}

#[tokio::test]
async fn a_form_that_is_sent_again_registers_nothing_and_says_so() {
    let w = world(|it| it).await;
    let (mut browser, page) = form(&w).await;
    // A wrong field does not make it another form.
    let wrong = send(&mut browser, &page, &good_but(&[("website", "x")])).await;
    assert_eq!(wrong.status, 422);
    caller(&send(&mut browser, &wrong, &GOOD).await);
    for form in [&page, &wrong] {
        let again = send(&mut browser, form, &GOOD).await;
        assert_eq!(again.status, 409, "{again}");
        assert!(again.body.contains("nothing was registered this time") && text(&again, "client_secret").is_none());
        assert!(again.body.contains(&format!("href=\"{PATH}\"")));
    }
    assert_eq!(w.events.count("client_registered"), 1);
    let anew = browser.get(PATH).await;
    caller(&send(&mut browser, &anew, &GOOD).await);
    assert_eq!(w.events.count("client_registered"), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_forms_at_once_on_two_nodes_one_is_the_first() {
    on_every_store_with(
        |builder| builder.registration(|it| it.per_minute(0)),
        async |w| {
            let other = with_page(w.another(|builder| builder.registration(|it| it.per_minute(0))).await.unwrap());
            let w = with_page(w);
            let (browser, page) = form(&w).await;
            let answers = all_at_once(8, |number| {
                let mut one = Browser::new(if number % 2 == 0 { &w } else { &other });
                one.cookies = browser.cookies.clone();
                let fields = fields_of(&page, "register");
                let typed = GOOD.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
                let fields: Fields = fields.into_iter().chain(typed).collect();
                async move { one.submit(PATH, &fields).await.status.as_u16() }
            })
            .await;
            assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
            assert_eq!(answers.iter().filter(|status| **status == 409).count(), 7, "{answers:?}");
            assert_eq!(w.events.count("client_registered"), 1);
        },
    )
    .await;
}

#[tokio::test]
async fn without_the_terms_nothing_is_registered() {
    let w = world(|it| it).await;
    let (mut browser, page) = form(&w).await;
    assert!(
        page.body.contains("href=\"https://as.example/terms?a&amp;b\" target=\"_blank\" rel=\"noopener noreferrer\"")
    );
    for terms in ["", "on", "2026-11"] {
        let refused = send(&mut browser, &page, &good_but(&[("terms", terms)])).await;
        assert_eq!(
            (refused.status.as_u16(), &*problem(&refused, "terms")),
            (422, "Accept the terms to register an application.")
        );
    }
    assert_eq!(w.events.count("client_registered"), 0);
    // Whoever was shown other terms has not accepted these.
    let newer = DeveloperTerms::text("Be kind.\nBe <brief>.", "2027-01");
    let w = served(w, Developers::new().terms(newer));
    browser.move_to(&w);
    assert_eq!(send(&mut browser, &page, &GOOD).await.status, 403);
    let page = browser.get(PATH).await;
    assert!(page.body.contains("<p>Be kind.</p>") && page.body.contains("<p>Be &#60;brief&#62;.</p>"), "{page}");
    let caller = caller(&send(&mut browser, &page, &GOOD).await);
    let developer = client(&w, caller).await.registration.as_ref().unwrap().developer.clone().unwrap();
    assert_eq!(developer.terms.as_deref(), Some("2027-01"));
    // Where there are none, none are asked for.
    let w = served(w, Developers::new());
    browser.move_to(&w);
    let page = browser.get(PATH).await;
    assert!(!page.body.contains("id=\"terms\""));
    self::caller(&send(&mut browser, &page, &good_but(&[("terms", "")])).await);
}

// spec: REG-19
#[tokio::test]
async fn it_counts_together_with_the_registration_endpoint() {
    let w = world(|it| it.open().per_minute(2)).await;
    w.clock.advance(13);
    let (mut browser, page) = form(&w).await;
    assert_eq!(super::super::post_json(&w, &super::super::app()).await.status, 201);
    caller(&send(&mut browser, &page, &GOOD).await);
    let page = browser.get(PATH).await;
    let typed = good_but(&[("description", "Kept.")]);
    let limited = send(&mut browser, &page, &typed).await;
    assert_eq!((limited.status.as_u16(), limited.header("retry-after")), (429, "47"), "{limited}");
    assert!(limited.body.contains("Try again in 47 seconds") && limited.body.contains("Kept."));
    super::super::post_json(&w, &super::super::app()).await.is_refused(429, "temporarily_unavailable");
    w.clock.advance(47);
    // The same form is still good.
    caller(&send(&mut browser, &limited, &GOOD).await);
}

#[tokio::test]
async fn what_manages_the_client_and_when_the_secret_ends_are_shown_too() {
    let w = world(|it| it.manageable().secret_lifetime(90 * 86_400)).await;
    let (mut browser, page) = form(&w).await;
    let done = send(&mut browser, &page, &GOOD).await;
    assert!(done.body.contains("good for 90 days"), "{done}");
    let (token, uri) = (text(&done, "registration_access_token").unwrap(), text(&done, "registration_client_uri"));
    let uri = uri.unwrap();
    let shown =
        w.send(super::super::request(http::Method::GET, uri.strip_prefix(ISSUER).unwrap(), Some(&token), "")).await;
    assert_eq!(shown.member("client_name"), "Notes");
    assert!(!shown.body.contains("alice"), "who registered it is nobody else's business");
}

#[tokio::test]
async fn an_outage_keeps_what_was_typed_and_the_form_can_be_sent_again() {
    on_every_store_with(
        |builder| builder.registration(|it| it),
        async |w| {
            let w = with_page(w);
            let (mut browser, page) = form(&w).await;
            // Who is signed in cannot be said either, so nobody is shown anything.
            w.store.set_down(true);
            assert_eq!(send(&mut browser, &page, &GOOD).await.status, 503);
            w.store.set_down(false);
            assert_eq!((w.events.count("fault"), w.events.count("client_registered")), (1, 0));

            let store = w.store.clone();
            w.store.just_before("count_use", async move { store.set_down(true) });
            let away = send(&mut browser, &page, &good_but(&[("description", "Kept.")])).await;
            w.store.set_down(false);
            assert_eq!((away.status.as_u16(), away.header("retry-after")), (503, "5"), "{away}");
            assert!(away.body.contains("Kept.") && text(&away, "client_secret").is_none());
            assert_eq!((w.events.count("fault"), w.events.count("client_registered")), (2, 0));
            caller(&send(&mut browser, &away, &GOOD).await);
        },
    )
    .await;
}

/// Takes notes, and nobody else's.
#[derive(Clone, Debug, Default)]
struct OnlyNotes(Arc<Mutex<Vec<String>>>);

impl RegistrationPolicy for OnlyNotes {
    fn decide<'a>(
        &'a self,
        request: &'a RegistrationRequest<'a>,
        terms: Terms,
    ) -> HostFuture<'a, Result<Terms, RegistrationError>> {
        self.0.lock().unwrap().push(format!("{:?}", request.origin));
        let taken = terms.metadata.name.as_deref() != Some("Notes");
        let refused = || RegistrationError::ClientMetadata("client_name: is taken".to_owned());
        Box::pin(async move { Ok(if taken { Err(refused()) } else { Ok(terms) }) })
    }
}

// spec: REG-15
#[tokio::test]
async fn the_policy_has_a_say_and_hears_who_registers() {
    let policy = OnlyNotes::default();
    let w = world(|it| it.policy(policy.clone())).await;
    let (mut browser, page) = form(&w).await;
    let refused = send(&mut browser, &page, &good_but(&[("application_name", "Bank")])).await;
    assert_eq!((refused.status.as_u16(), &*problem(&refused, "application_name")), (422, "The name is taken."));
    assert_eq!(w.events.count("registration_refused"), 1);
    caller(&send(&mut browser, &refused, &GOOD).await);
    let who = "Developer { subject: \"alice\" }";
    assert_eq!(*policy.0.lock().unwrap(), [who, who]);
    // A type that is not offered is one that cannot be chosen.
    let w = world(|it| it.auth_methods([AuthMethod::None])).await;
    let (mut browser, page) = form(&w).await;
    let refused = send(&mut browser, &page, &GOOD).await;
    assert!(refused.status == 422 && problem(&refused, "client_type").contains("this type"), "{refused}");
}
