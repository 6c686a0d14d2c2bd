//! Consent that is remembered: what for, for how long, and where it never counts.

use oauth_core::{
    client::{AuthMethod, Client, ClientSecret, GrantType, Registration},
    engine::interaction::{Approval, ConsentNeed, WhatIsNew},
    store::{Clients, Consents},
};

use crate::support::*;

const DAY: u64 = 24 * 3600;

/// What alice is asked if she comes with `ask`.
async fn need(browser: &mut Browser, ask: &Ask) -> ConsentNeed {
    let id = browser.begin(ask).await;
    browser.interaction(&id).await.unwrap().consent("alice").await.unwrap()
}

#[track_caller]
fn new(need: ConsentNeed) -> WhatIsNew {
    let ConsentNeed::Ask(what) = need else { panic!("{need:?}") };
    what
}

/// Alice allows what `ask` asks for, and that is remembered.
async fn allow(browser: &mut Browser, ask: &Ask) {
    decide(browser, ask, Approval::new("alice").remember(true)).await;
}

async fn decide(browser: &mut Browser, ask: &Ask, approval: Approval) {
    let id = browser.begin(ask).await;
    browser.interaction(&id).await.unwrap().approve(approval).await.unwrap().unwrap();
}

/// A client that is answered at `redirect`, and what it asks.
fn client(id: &'static str, redirect: &str, secret: bool) -> (Client, Ask) {
    let client = Client::builder(id).redirect_uri(redirect).scope("read write");
    let client = if secret { client.secret(ClientSecret::new(&"s".into())) } else { client };
    let client = client.grant_type(GrantType::AUTHORIZATION_CODE).build().unwrap();
    assert_eq!(client.auth_method == AuthMethod::None, !secret);
    (client, Ask::of(Caller::Public(id)).with("redirect_uri", redirect).with("scope", "read"))
}

// spec: AUZ-28
#[tokio::test]
async fn it_counts_without_a_page_only_for_clients_whose_identity_is_proven() {
    let proven = [
        client("website", "https://website.example/cb", false),
        client("backend", "https://backend.example/cb", true),
        client("desktop", "com.example.desktop:/cb", true),
        client("daemon", "http://127.0.0.1/cb", true),
    ];
    let anybody = [
        client("app-v4", "http://127.0.0.1/cb", false),
        client("app-v6", "http://[::1]/cb", false),
        client("app-tls", "https://127.0.0.1/cb", false),
        client("app-name", "https://localhost/cb", false),
        client("phone", "com.example.phone:/cb", false),
    ];
    let all = || proven.iter().chain(&anybody);
    let with = |b| all().fold(b, |b: oauth_core::server::AuthorizationServerBuilder, (one, _)| b.client(one.clone()));
    on_every_store_with(with, async |w| {
        let mut browser = Browser::new(&w);
        for (client, ask) in all() {
            let before = new(need(&mut browser, ask).await);
            assert!(!before.agreed_before && before.new_scope == "read".parse().unwrap());
            allow(&mut browser, ask).await;
            let after = need(&mut browser, ask).await;
            if proven.iter().any(|(one, _)| one.id == client.id) {
                assert_eq!(after, ConsentNeed::Given, "{client:?}");
                continue;
            }
            let what = new(after);
            assert!(what.agreed_before && what.new_scope.is_empty(), "{client:?}");
            // Not even where it would have to be without a page.
            let id = browser.begin(&ask.clone().with("prompt", "none")).await;
            let answer =
                browser.interaction(&id).await.unwrap().approve(Approval::new("alice")).await.unwrap().unwrap();
            assert!(answer.location().unwrap().contains("error=consent_required"), "{answer:?}");
        }
    })
    .await;
}

// spec: AUZ-28
#[tokio::test]
async fn a_client_that_registered_itself_always_shows_the_page() {
    on_every_store(async |w| {
        let mut browser = Browser::new(&w);
        for secret in [false, true] {
            let id = if secret { "secret" } else { "public" };
            let (mut registered, ask) = client(id, "https://registered.example/cb", secret);
            registered.registration = Some(Box::new(Registration::new(w.server.now(), "read".parse().unwrap())));
            w.store.put_client(registered.clone()).await.unwrap();
            allow(&mut browser, &ask).await;
            assert!(new(need(&mut browser, &ask).await).agreed_before);
            // One that is registered later under its name is another.
            w.clock.advance(1);
            w.store.delete_client(registered.id.clone()).await.unwrap();
            registered.registration = Some(Box::new(Registration::new(w.server.now(), "read".parse().unwrap())));
            w.store.put_client(registered).await.unwrap();
            assert!(!new(need(&mut browser, &ask).await).agreed_before);
        }
    })
    .await;
}

// spec: AUZ-28
#[tokio::test]
async fn it_is_of_one_person_for_one_client_and_for_what_was_allowed() {
    on_every_store(async |w| {
        let mut browser = Browser::new(&w);
        let read = Ask::of(APP).with("scope", "read").with("resource", API);
        allow(&mut browser, &read).await;
        assert_eq!(need(&mut browser, &read).await, ConsentNeed::Given);

        let id = browser.begin(&read).await;
        let bob = browser.interaction(&id).await.unwrap().consent("bob").await.unwrap();
        assert!(!new(bob).agreed_before);
        assert!(!new(need(&mut browser, &read.clone().with("client_id", "other-app")).await).agreed_before);
        let elsewhere = new(need(&mut browser, &read.clone().with("resource", JWT_API)).await);
        assert_eq!((elsewhere.new_resources, elsewhere.agreed_before), (vec![JWT_API.to_owned()], true));
        let more = new(need(&mut browser, &read.with("scope", "write read")).await);
        assert_eq!((more.new_scope, more.known_scope), ("write".parse().unwrap(), "read".parse().unwrap()));
        assert_eq!(more.new_resources, Vec::<String>::new());
        assert!(
            new(need(&mut browser, &Ask::of(APP).with("scope", "read").with("prompt", "consent")).await).agreed_before
        );
    })
    .await;
}

#[tokio::test]
async fn only_a_yes_is_remembered_and_only_as_far_as_it_went() {
    on_every_store(async |w| {
        let mut browser = Browser::new(&w);
        let ask = Ask::of(APP).with("scope", "read write");
        let id = browser.begin(&ask).await;
        browser.interaction(&id).await.unwrap().deny().await.unwrap().unwrap();
        decide(&mut browser, &ask, Approval::new("alice")).await;
        let unmet = Approval::new("alice").remember(true);
        decide(&mut browser, &ask.clone().with("max_age", "0"), unmet).await;
        assert!(!new(need(&mut browser, &ask).await).agreed_before);

        decide(&mut browser, &ask, Approval::new("alice").remember(true).scope("read".parse().unwrap())).await;
        assert_eq!(new(need(&mut browser, &ask).await).new_scope, "write".parse().unwrap());
        assert_eq!(need(&mut browser, &ask.with("scope", "read")).await, ConsentNeed::Given);
    })
    .await;
}

#[tokio::test]
async fn it_is_remembered_for_ninety_days_or_as_long_as_the_server_says() {
    on_every_store(async |w| {
        let mut browser = Browser::new(&w);
        allow(&mut browser, &Ask::of(APP)).await;
        w.clock.advance(90 * DAY - 1);
        assert_eq!(need(&mut browser, &Ask::of(APP)).await, ConsentNeed::Given);
        w.clock.advance(1);
        assert!(!new(need(&mut browser, &Ask::of(APP)).await).agreed_before);

        // A server that remembers nothing forgets what another remembered.
        allow(&mut browser, &Ask::of(APP)).await;
        let forgetful = w.another(|b| b.authorization(|settings| settings.consent_lifetime = 0)).await.unwrap();
        browser.move_to(&forgetful);
        assert!(!new(need(&mut browser, &Ask::of(APP)).await).agreed_before);
        allow(&mut browser, &Ask::of(OTHER_APP)).await;
        browser.move_to(&w);
        assert!(!new(need(&mut browser, &Ask::of(OTHER_APP)).await).agreed_before);
        assert_eq!(need(&mut browser, &Ask::of(APP)).await, ConsentNeed::Given);
    })
    .await;
}

// spec: AUZ-27
#[tokio::test]
async fn a_person_is_shown_what_is_new_and_what_they_have_allowed_before() {
    on_every_store(async |w| {
        let mut browser = Browser::new(&w);
        let read = Ask::of(APP).with("scope", "read").with("resource", API);
        let first = browser.consent(&read).await.1;
        assert!(first.body.contains("It asks for") && !first.body.contains("New:"), "{first}");
        assert!(!first.body.contains("You have allowed it before") && !first.body.contains("(new)"));
        let (page, consent) = browser.consent(&read).await;
        browser.submit(&page, &fields_of(&consent, "approve")).await.redirected_to(CALLBACK);
        // Nothing is new, so that there is nothing to ask.
        let id = browser.begin(&read).await;
        let answer = browser.get(&format!("/interaction?id={id}")).await;
        assert!(answer.redirected_to(CALLBACK).get("code").is_some());

        let more = read.with("scope", "read write").and("resource", JWT_API);
        let (page, consent) = browser.consent(&more).await;
        let at = |text: &str| consent.body.find(text).unwrap_or_else(|| panic!("no {text} in {consent}"));
        // At the new resource, everything is new.
        assert!(at("New: it asks for this, too") < at("<code>read</code>") && at("<code>write</code>") > 0);
        assert!(consent.body.contains(&format!("{JWT_API}</bdi> (new)")), "{consent}");
        assert!(consent.body.contains(&format!("{API}</bdi></dd>")), "{consent}");
        browser.submit(&page, &fields_of(&consent, "approve")).await.redirected_to(CALLBACK);

        let known = browser.consent(&Ask::of(APP).with("scope", "admin read").with("resource", API)).await.1;
        let at = |text: &str| known.body.find(text).unwrap_or_else(|| panic!("no {text} in {known}"));
        assert!(at("New:") < at("<code>admin</code>") && at("<code>admin</code>") < at("You have allowed it before"));
        assert!(at("You have allowed it before") < at("<code>read</code>"));
    })
    .await;
}

#[tokio::test]
async fn a_consent_that_cannot_be_remembered_costs_nobody_their_code() {
    on_every_store(async |w| {
        let mut browser = Browser::new(&w);
        let (page, consent) = browser.consent(&Ask::of(APP)).await;
        let store = w.store.clone();
        w.store.just_before("replace_consent", async move { store.set_down(true) });
        w.store.lose_the_answer_of("replace_consent");
        let done = browser.submit(&page, &fields_of(&consent, "approve")).await;
        w.store.set_down(false);
        w.redeem(APP, done.redirected_to(CALLBACK).get("code").unwrap()).await.tokens();
        assert_eq!((w.events.count("approved"), w.events.count("fault")), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn what_is_remembered_beside_another_consent_is_added_to_it() {
    on_every_store(async |w| {
        let mut browser = Browser::new(&w);
        let other = w.clone();
        w.store.just_before("replace_consent", async move {
            allow(&mut Browser::new(&other), &Ask::of(APP).with("scope", "read")).await;
        });
        allow(&mut browser, &Ask::of(APP).with("scope", "write")).await;
        assert_eq!(need(&mut browser, &Ask::of(APP).with("scope", "read write")).await, ConsentNeed::Given);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_that_are_given_at_once_neither_is_forgotten() {
    on_every_store(async |w| {
        let press = |number: usize| {
            let w = w.clone();
            async move {
                let scope = ["read", "write"][number % 2];
                let mut browser = Browser::new(&w);
                allow(&mut browser, &Ask::of(APP).with("scope", scope)).await;
            }
        };
        all_at_once(2, press).await;
        assert_eq!(need(&mut Browser::new(&w), &Ask::of(APP).with("scope", "read write")).await, ConsentNeed::Given);
        w.store.forget_consent("alice".into(), APP.client_id()).await.unwrap();
        assert!(!new(need(&mut Browser::new(&w), &Ask::of(APP)).await).agreed_before);
    })
    .await;
}
