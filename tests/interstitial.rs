//! Errors of clients that nobody vouches for: no way from this server to any website without a person who has signed
//! in and pressed a button (OAuth 2.1 section 9.18.2).

use oauth_core::{
    client::{Client, Registration},
    engine::interaction::Pending,
    server::AuthorizationServerBuilder,
    store::Clients,
};

use crate::support::*;

const STRANGER: Caller = Caller::Public("stranger");

/// A request of the stranger's that is wrong.
fn wrong() -> Ask {
    Ask::of(STRANGER).with("scope", "nonsense").with("state", "s")
}

/// Runs `test` on every store, where a client has registered itself.
async fn with_a_stranger(test: impl AsyncFn(World)) {
    on_every_store_with(with_gold, async |w| {
        let mut client = Client::builder(STRANGER.id()).redirect_uri(CALLBACK).scope("read").name("Your Bank");
        client = client.redirect_uri("com.example.stranger:/cb");
        let mut client = client.build().unwrap();
        client.registration = Some(Box::new(Registration::new(w.server.now(), "read".parse().unwrap())));
        w.store.put_client(client).await.unwrap();
        test(w).await;
    })
    .await;
}

fn with_gold(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    builder.authorization(|settings| settings.acr_values = vec!["gold".into()])
}

/// The page that `ask` leads to, and its address.
async fn see(browser: &mut Browser, ask: &Ask) -> (String, Answer) {
    let page = format!("/interaction?id={}", browser.begin(ask).await);
    let shown = browser.get(&page).await;
    (page, shown)
}

async fn sign_in(browser: &mut Browser, page: &str, shown: &Answer, name: &str) -> Answer {
    let mut fields = fields_of(shown, "sign_in");
    fields.extend([("username".into(), name.into()), ("password".into(), PASSWORD.into())]);
    assert_eq!(browser.submit(page, &fields).await.location(), page);
    browser.get(page).await
}

#[track_caller]
fn is_interstitial(page: &Answer) {
    assert!(page.status == 200 && page.body.contains("id=\"confirm\""), "{page}");
    assert!(page.body.contains("<bdi>app.example</bdi>"), "{page}");
}

// spec: AUZ-20
#[tokio::test]
async fn an_error_reaches_a_stranger_only_by_a_button_of_somebody_who_is_signed_in() {
    with_a_stranger(async |w| {
        let mut browser = Browser::new(&w);
        let (page, first) = see(&mut browser, &wrong()).await;
        assert!(first.body.contains("id=\"password\"") && first.body.contains("app.example"), "{first}");
        assert!(!first.body.contains("Your Bank") && !first.body.contains("id=\"confirm\""), "{first}");
        // Nothing leads there without a sign-in.
        let csrf = fields_of(&first, "sign_in").into_iter().find(|(name, _)| name == "csrf").unwrap();
        for action in ["confirm", "approve", "deny", "continue"] {
            let fields = [csrf.clone(), ("action".into(), action.into()), ("account".into(), "x".into())];
            assert!(!browser.submit(&page, &fields).await.header("location").starts_with("http"), "{action}");
        }
        let shown = sign_in(&mut browser, &page, &first, "alice").await;
        is_interstitial(&shown);
        assert!(shown.body.contains("invalid_scope") && !shown.body.contains("Your Bank"), "{shown}");
        assert_eq!(shown.header("location"), "");
        // Nor without the form that she saw.
        for gone in ["csrf", "account"] {
            let rest: Fields = fields_of(&shown, "confirm").into_iter().filter(|(name, _)| name != gone).collect();
            assert_eq!(browser.submit(&page, &rest).await.status, 403, "{gone}");
        }
        let done = browser.submit(&page, &fields_of(&shown, "confirm")).await;
        assert_eq!(done.is_error_redirect("invalid_scope").get("state"), Some("s"));
        // Once.
        assert_eq!(browser.submit(&page, &fields_of(&shown, "confirm")).await.status, 403);
        assert_eq!(browser.get(&page).await.status, 400);
        // Whoever is signed in sees it at once.
        is_interstitial(&see(&mut browser, &wrong()).await.1);
    })
    .await;
}

// spec: AUZ-20
#[tokio::test]
async fn silent_requests_and_clients_that_are_vouched_for_hear_of_it_at_once() {
    with_a_stranger(async |w| {
        w.get(&wrong().with("prompt", "none").uri()).await.is_error_redirect("invalid_scope");
        w.get(&Ask::of(APP).with("scope", "nonsense").uri()).await.is_error_redirect("invalid_scope");
        let silent = Ask::of(STRANGER).with("prompt", "none");
        see(&mut Browser::new(&w), &silent).await.1.is_error_redirect("login_required");
        let mut browser = Browser::new(&w);
        for (ask, held_back) in [(silent, false), (Ask::of(STRANGER), true), (Ask::of(APP), false)] {
            let id = browser.begin(&ask).await;
            assert_eq!(browser.interaction(&id).await.unwrap().must_not_redirect(), held_back);
        }
        // What only looks silent is not.
        for not in ["login", "NONE", "none login", ""] {
            let answer = w.get(&wrong().with("prompt", not).uri()).await;
            assert!(answer.location().starts_with("/interaction?id="), "{not}: {answer}");
        }
        let twice = w.get(&wrong().and("prompt", "none").and("prompt", "none").uri()).await;
        assert!(twice.location().starts_with("/interaction?id="), "{twice}");
    })
    .await;
}

// spec: AUZ-20
#[tokio::test]
async fn every_kind_of_error_goes_that_way() {
    with_a_stranger(async |w| {
        for (name, value) in [
            ("response_type", "token"),
            ("response_mode", "nonsense"),
            ("code_challenge", "x"),
            ("resource", "https://elsewhere.example"),
            ("prompt", "nonsense"),
            ("max_age", "-1"),
            ("acr_values", "platinum"),
            ("request", "a.b.c"),
        ] {
            let mut browser = Browser::new(&w);
            let (page, first) = see(&mut browser, &Ask::of(STRANGER).with(name, value)).await;
            is_interstitial(&sign_in(&mut browser, &page, &first, "alice").await);
        }
        // An app's own scheme is named, too.
        let mut browser = Browser::new(&w);
        let (_, first) = see(&mut browser, &wrong().with("redirect_uri", "com.example.stranger:/cb")).await;
        assert!(first.body.contains("<bdi>com.example.stranger</bdi>"), "{first}");
    })
    .await;
}

// spec: AUZ-20
#[tokio::test]
async fn what_nobody_can_meet_and_what_nobody_decided_go_that_way_as_well() {
    with_a_stranger(async |w| {
        let mut browser = Browser::new(&w);
        let gold = Ask::of(STRANGER).with("acr_values", "gold");
        let (page, first) = see(&mut browser, &gold).await;
        let shown = sign_in(&mut browser, &page, &first, "alice").await;
        is_interstitial(&shown);
        let done = browser.submit(&page, &fields_of(&shown, "confirm")).await;
        done.is_error_redirect("unmet_authentication_requirements");

        // The button is of no use before it is known that nobody can.
        let (page, consent) = see(&mut browser, &Ask::of(STRANGER)).await;
        let mut forged = fields_of(&consent, "approve");
        forged.iter_mut().filter(|(name, _)| name == "action").for_each(|(_, value)| "confirm".clone_into(value));
        assert_eq!(browser.submit(&page, &forged).await.status, 400);

        // Who says no has signed in.
        let no = fields_of(&consent, "deny");
        let session = browser.cookies.remove("__Host-oauth-session").unwrap();
        assert_eq!(browser.submit(&page, &no).await.location(), page);
        browser.cookies.insert("__Host-oauth-session".into(), session);
        browser.submit(&page, &no).await.is_error_redirect("access_denied");
    })
    .await;
}

// spec: AUZ-20, AUZ-25
#[tokio::test]
async fn it_waits_for_one_browser_and_pages_that_know_nothing_of_it_show_nothing() {
    with_a_stranger(async |w| {
        let mut browser = Browser::new(&w);
        let id = browser.begin(&wrong()).await;
        assert!(browser.interaction(&id).await.is_none(), "it is none");
        let pending = async |browser: &Browser| w.server.pending(&id, &browser.headers()).await.unwrap();
        assert!(matches!(pending(&browser).await, Some(Pending::Refusal(_))));
        let mut other = Browser::new(&w);
        other.begin(&wrong()).await;
        assert!(w.server.pending(&id, &other.headers()).await.unwrap().is_none());
        assert_eq!(other.get(&format!("/interaction?id={id}")).await.status, 400);

        let Some(Pending::Refusal(late)) = pending(&browser).await else { panic!("it waits") };
        assert_eq!((late.redirect_host().as_str(), late.error().code().as_str()), ("app.example", "invalid_scope"));
        w.clock.advance(600);
        assert!(pending(&browser).await.is_none());
        assert!(late.confirmed_by("alice").await.unwrap().is_none());
    })
    .await;
}

// spec: AUZ-20
#[tokio::test]
async fn where_it_cannot_wait_there_is_a_page_and_no_redirect() {
    with_a_stranger(async |w| {
        let store = w.store.clone();
        w.store.just_before("park_interaction", async move { store.set_down(true) });
        w.store.lose_the_answer_of("park_interaction");
        let answer = w.get(&wrong().uri()).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (503, ""), "{answer}");
        w.store.set_down(false);
        // Neither for a good request, whose outage is an error, too.
        w.store.lose_the_answer_of("park_interaction");
        let answer = w.get(&Ask::of(STRANGER).uri()).await;
        assert!(answer.location().starts_with("/interaction?id="), "{answer}");
    })
    .await;
}
