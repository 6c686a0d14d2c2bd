//! What a client wants of its person: which pages, how fresh a sign-in, in which way (`prompt`, `max_age`,
//! `acr_values`), and that no page forgets it.

mod acr_values;
mod second;

use oauth_core::engine::{
    authorization::{Prompt, SignInReason},
    interaction::{Approval, RefusalReason},
};
use serde_json::json;

use crate::support::*;

/// What `browser` sees where `ask` leads, and where that is.
async fn see(browser: &mut Browser, ask: &Ask) -> (String, Answer) {
    let page = format!("/interaction?id={}", browser.begin(ask).await);
    let shown = browser.get(&page).await;
    (page, shown)
}

/// Signs in as `name` on the page that `shown` is: what is there then.
async fn sign_in(browser: &mut Browser, (page, shown): &(String, Answer), name: &str) -> Answer {
    let mut fields = fields_of(shown, "sign_in");
    fields.extend([("username".into(), name.into()), ("password".into(), PASSWORD.into())]);
    assert_eq!(browser.submit(page, &fields).await.location(), page);
    browser.get(page).await
}

/// A browser in which `name` has allowed [`APP`] everything it asks for by default.
async fn agreed(w: &World, name: &str) -> Browser {
    let mut browser = Browser::new(w);
    let first = see(&mut browser, &Ask::of(APP)).await;
    let consent = sign_in(&mut browser, &first, name).await;
    let done = browser.submit(&first.0, &fields_of(&consent, "approve")).await;
    assert!(done.redirected_to(CALLBACK).get("code").is_some());
    browser
}

fn with_gold(
    builder: oauth_core::server::AuthorizationServerBuilder,
) -> oauth_core::server::AuthorizationServerBuilder {
    builder.authorization(|settings| settings.acr_values = vec!["gold".into(), "silver".into()])
}

#[track_caller]
fn is_sign_in(page: &Answer) {
    assert!(
        page.status == 200 && page.body.contains("id=\"password\"") && !page.body.contains("\"approve\""),
        "{page}"
    );
}

#[track_caller]
fn is_consent(page: &Answer) {
    assert!(page.status == 200 && page.body.contains("id=\"approve\""), "{page}");
}

/// The code that the browser is sent to the client with, at once.
#[track_caller]
fn code(answer: &Answer) -> String {
    assert_eq!(answer.body, "");
    answer.redirected_to(CALLBACK).get("code").unwrap_or_else(|| panic!("{answer}")).to_owned()
}

// spec: AUZ-33
#[tokio::test]
async fn a_prompt_is_one_of_those_offered_and_none_stands_alone() {
    let w = on_memory().await;
    for bad in ["nonsense", "login nonsense", "NONE", "create", "login create", "none login", "consent none", "lo\tgin"]
    {
        w.get(&Ask::of(APP).with("prompt", bad).uri()).await.is_error_redirect("invalid_request");
    }
    w.get(&Ask::of(APP).and("prompt", "login").and("prompt", "login").uri()).await.is_error_redirect("invalid_request");
    for good in
        ["none", "login", "consent", "select_account", "login consent", "consent select_account login", "none none"]
    {
        Browser::new(&w).begin(&Ask::of(APP).with("prompt", good)).await;
    }
    let metadata = w.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata.member("prompt_values_supported"), json!(["none", "login", "consent", "select_account"]));

    let all = on_memory_with(|b| b.authorization(|settings| settings.prompts = vec![Prompt::Create])).await;
    let mut browser = Browser::new(&all);
    let id = browser.begin(&Ask::of(APP).with("prompt", "create")).await;
    assert_eq!(browser.interaction(&id).await.unwrap().prompt(), [Prompt::Create]);
    all.get(&Ask::of(APP).with("prompt", "login").uri()).await.is_error_redirect("invalid_request");
    let metadata = all.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata.member("prompt_values_supported"), json!(["create"]));
}

// spec: AUZ-33
#[tokio::test]
async fn with_prompt_none_there_is_no_page_but_an_answer_at_once() {
    on_every_store(async |w| {
        let silent = Ask::of(APP).with("prompt", "none").with("state", "s");
        let (_, answer) = see(&mut Browser::new(&w), &silent).await;
        assert_eq!(answer.is_error_redirect("login_required").get("state"), Some("s"));
        assert_eq!(answer.body, "");

        let mut browser = agreed(&w, "alice").await;
        let tokens = w.redeem(APP, &code(&see(&mut browser, &silent).await.1)).await.tokens();
        assert_eq!(w.introspect(AUDITOR, &tokens.access).await.member("sub"), "alice");
        let more = see(&mut browser, &silent.clone().with("scope", "admin").with("resource", OTHER_API)).await.1;
        more.is_error_redirect("consent_required");
        see(&mut browser, &silent.clone().with("client_id", "other-app")).await.1.is_error_redirect("consent_required");
        w.clock.advance(10);
        see(&mut browser, &silent.clone().with("max_age", "9")).await.1.is_error_redirect("login_required");
        assert!(code(&see(&mut browser, &silent.with("max_age", "10")).await.1).starts_with("oac_"));
    })
    .await;
}

// spec: AUZ-33
#[tokio::test]
async fn no_form_that_is_sent_to_a_silent_request_gets_a_page() {
    let w = on_memory().await;
    let mut browser = Browser::new(&w);
    let id = browser.begin(&Ask::of(APP).with("prompt", "none")).await;
    let csrf = browser.interaction(&id).await.unwrap().csrf_token();
    let page = format!("/interaction?id={id}");
    for action in ["approve", "continue", "sign_out"] {
        let fields = [("csrf".to_owned(), csrf.clone()), ("action".to_owned(), action.to_owned())];
        assert_eq!(browser.submit(&page, &fields).await.location(), page, "{action}");
    }
    browser.get(&page).await.is_error_redirect("login_required");
}

// spec: AUZ-33
#[tokio::test]
async fn with_prompt_login_whoever_is_signed_in_proves_it_again() {
    on_every_store(async |w| {
        let mut browser = agreed(&w, "alice").await;
        w.clock.advance(1);
        let again = see(&mut browser, &Ask::of(APP).with("prompt", "login")).await;
        is_sign_in(&again.1);
        assert!(
            again.1.body.contains("value=\"alice\" autocomplete=\"username\"") && again.1.body.contains(" readonly")
        );
        assert!(again.1.body.contains("Confirm that it is still you"), "{}", again.1);
        // A wrong password leaves her signed in, and the name what it is.
        let mut wrong = fields_of(&again.1, "sign_in");
        wrong.extend([("username".into(), "alice".into()), ("password".into(), "x".into())]);
        let wrong = browser.submit(&again.0, &wrong).await;
        assert!(
            wrong.status == 422 && wrong.body.contains(" readonly") && wrong.body.contains("is not right"),
            "{wrong}"
        );
        // Nor does the form of another page help.
        let (_, other) = see(&mut browser, &Ask::of(APP).with("prompt", "consent")).await;
        let id = again.0.trim_start_matches("/interaction?id=");
        let csrf = browser.interaction(id).await.unwrap().csrf_token();
        let mut forged = fields_of(&other, "approve");
        forged.iter_mut().filter(|(name, _)| name == "csrf").for_each(|(_, value)| value.clone_from(&csrf));
        assert_ne!(browser.submit(&again.0, &forged).await.status, 200);
        assert_eq!(w.events.count("approved"), 1);

        w.clock.advance(1);
        let tokens = w.redeem(APP, &code(&sign_in(&mut browser, &again, "alice").await)).await.tokens();
        assert_eq!(w.introspect(AUDITOR, &tokens.access).await.member("auth_time"), w.server.now().0);
    })
    .await;
}

// spec: AUZ-33
#[tokio::test]
async fn with_prompt_consent_whoever_has_agreed_is_asked_again() {
    let w = on_memory().await;
    let mut browser = agreed(&w, "alice").await;
    code(&see(&mut browser, &Ask::of(APP)).await.1);
    let asked = see(&mut browser, &Ask::of(APP).with("prompt", "consent")).await;
    is_consent(&asked.1);
    assert!(asked.1.body.contains("You have allowed it before") && !asked.1.body.contains("New:"), "{}", asked.1);
    code(&browser.submit(&asked.0, &fields_of(&asked.1, "approve")).await);
}

// spec: AUZ-33
#[tokio::test]
async fn with_prompt_select_account_a_person_says_which_it_is_to_be() {
    on_every_store(async |w| {
        let mut browser = agreed(&w, "alice").await;
        w.clock.advance(1);
        let ask = Ask::of(APP).with("prompt", "select_account");
        let (page, choose) = see(&mut browser, &ask).await;
        assert!(choose.body.contains("Choose an account") && choose.body.contains("<bdi>alice</bdi>"), "{choose}");
        assert!(!choose.body.contains("\"approve\""));
        // Nobody chooses for her.
        let stripped: Fields = fields_of(&choose, "continue").into_iter().filter(|(n, _)| n != "account").collect();
        assert_eq!(browser.submit(&page, &stripped).await.status, 403);
        code(&browser.submit(&page, &fields_of(&choose, "continue")).await);
        // What is new is asked for on the next page.
        let more = ask.clone().with("scope", "admin").with("resource", OTHER_API);
        let (page, choose) = see(&mut browser, &more).await;
        is_consent(&browser.submit(&page, &fields_of(&choose, "continue")).await);

        let (page, choose) = see(&mut browser, &ask).await;
        assert_eq!(browser.submit(&page, &fields_of(&choose, "sign_out")).await.location(), page);
        let first = browser.get(&page).await;
        is_sign_in(&first);
        // Whoever has just signed in has chosen.
        let consent = sign_in(&mut browser, &(page, first), "bob").await;
        is_consent(&consent);
        assert!(consent.body.contains("<bdi>bob</bdi>"));
    })
    .await;
}

// spec: AUZ-34
#[tokio::test]
async fn max_age_bounds_how_long_ago_a_sign_in_may_be() {
    on_every_store(async |w| {
        let mut browser = agreed(&w, "alice").await;
        w.clock.advance(100);
        code(&see(&mut browser, &Ask::of(APP).with("max_age", "100")).await.1);
        for too_old in ["99", "0"] {
            is_sign_in(&see(&mut browser, &Ask::of(APP).with("max_age", too_old)).await.1);
        }
        let again = see(&mut browser, &Ask::of(APP).with("max_age", "99").with("resource", JWT_API)).await;
        w.clock.advance(7);
        let consent = sign_in(&mut browser, &again, "alice").await;
        // However long she looks at the page, the sign-in was for this.
        w.clock.advance(200);
        let done = browser.submit(&again.0, &fields_of(&consent, "approve")).await;
        let jwt = w.redeem(APP, &code(&done)).await.tokens().access;
        let signed_in_at = w.server.now().0 - 200;
        assert_eq!(w.introspect(AUDITOR, &jwt).await.member("auth_time"), signed_in_at);
        assert_eq!(claims(&jwt)["auth_time"], signed_in_at);
        // An hour goes by while a page is open that wants less.
        let open = see(&mut browser, &Ask::of(APP).with("max_age", "3600").with("prompt", "consent")).await;
        w.clock.advance(590);
        is_consent(&open.1);
        code(&browser.submit(&open.0, &fields_of(&open.1, "approve")).await);
        // And what was fresh enough for the page may be too old for the button.
        let open = see(&mut browser, &Ask::of(APP).with("max_age", "800").with("prompt", "consent")).await;
        is_consent(&open.1);
        w.clock.advance(100);
        assert_eq!(browser.submit(&open.0, &fields_of(&open.1, "approve")).await.location(), open.0);
        is_sign_in(&browser.get(&open.0).await);
    })
    .await;
}

/// What a JWT says.
fn claims(jwt: &str) -> serde_json::Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let body = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap()
}

// spec: AUZ-34
#[tokio::test]
async fn max_age_is_a_number_or_an_error_and_a_server_may_have_a_default() {
    let w = on_memory_with(|b| b.authorization(|settings| settings.default_max_age = Some(60))).await;
    for bad in ["-1", "+1", "1.5", "x", "18446744073709551616"] {
        w.get(&Ask::of(APP).with("max_age", bad).uri()).await.is_error_redirect("invalid_request");
    }
    let mut browser = agreed(&w, "alice").await;
    w.clock.advance(61);
    is_sign_in(&see(&mut browser, &Ask::of(APP)).await.1);
    code(&see(&mut browser, &Ask::of(APP).with("max_age", "61")).await.1);
}

// spec: AUZ-33, AUZ-34
#[tokio::test]
async fn what_a_hosts_page_forgets_to_ask_for_is_not_granted() {
    on_every_store_with(with_gold, async |w| {
        let mut browser = Browser::new(&w);
        let asked_at = w.server.now();
        let before = asked_at.saturating_sub(1);
        let alice = || Approval::new("alice");
        let unmet = "unmet_authentication_requirements";
        for (name, value, approval, error) in [
            ("prompt", "login", alice(), unmet),
            ("prompt", "login", alice().auth_time(before), unmet),
            ("max_age", "0", alice().auth_time(before), unmet),
            ("max_age", "60", alice(), unmet),
            ("max_age", "60", alice().auth_time(asked_at.saturating_sub(61)), unmet),
            ("acr_values", "gold", alice().auth_time(asked_at), unmet),
            ("acr_values", "gold", alice().auth_time(asked_at).acr("silver"), unmet),
            ("prompt", "none", alice().auth_time(asked_at), "consent_required"),
        ] {
            let id = browser.begin(&Ask::of(APP).with(name, value)).await;
            let answer = browser.interaction(&id).await.unwrap().approve(approval).await.unwrap().unwrap();
            let response = response_at(CALLBACK, answer.location().unwrap());
            assert_eq!((response.get("error"), response.get("code")), (Some(error), None), "{name}={value}");
            assert!(browser.interaction(&id).await.is_none());
        }
        assert_eq!(w.events.count("approved"), 0);
        for (name, value, approval) in [
            ("prompt", "login", alice().auth_time(asked_at)),
            ("max_age", "60", alice().auth_time(asked_at.saturating_sub(60))),
            ("acr_values", "silver gold", alice().acr("gold")),
            ("prompt", "none", alice().consent_not_needed()),
        ] {
            let id = browser.begin(&Ask::of(APP).with(name, value)).await;
            let answer = browser.interaction(&id).await.unwrap().approve(approval).await.unwrap().unwrap();
            assert!(response_at(CALLBACK, answer.location().unwrap()).get("code").is_some(), "{name}={value}");
        }
        let silent_and_old = Ask::of(APP).with("prompt", "none").with("max_age", "5");
        let id = browser.begin(&silent_and_old).await;
        let answer = browser.interaction(&id).await.unwrap().approve(alice().consent_not_needed()).await;
        let location = answer.unwrap().unwrap().location().unwrap().to_owned();
        assert_eq!(response_at(CALLBACK, &location).get("error"), Some("login_required"));
    })
    .await;
}

// spec: AUZ-33
#[tokio::test]
async fn a_hosts_page_hears_what_is_wanted_and_has_every_error() {
    let w = on_memory_with(with_gold).await;
    let mut browser = Browser::new(&w);
    let ask = Ask::of(APP)
        .with("prompt", "consent login")
        .with("acr_values", "x gold x silver")
        .with("ui_locales", "fr-CA de")
        .with("login_hint", "al\"ice")
        .with("id_token_hint", "a.b.c");
    let interaction = {
        let id = browser.begin(&ask).await;
        browser.interaction(&id).await.unwrap()
    };
    assert_eq!(interaction.prompt(), [Prompt::Consent, Prompt::Login]);
    assert_eq!(interaction.acr_values(), ["x", "gold", "silver"]);
    assert_eq!(
        (interaction.ui_locales(), interaction.login_hint()),
        (&["fr-CA".into(), "de".into()][..], Some("al\"ice"))
    );
    let now = w.server.now();
    assert_eq!(interaction.asked_at(), now);
    assert_eq!(interaction.needs_sign_in(None, None), Some(SignInReason::Again));
    assert_eq!(interaction.needs_sign_in(Some(now), None), Some(SignInReason::AnotherWay));
    assert_eq!(interaction.needs_sign_in(Some(now), Some("gold")), None);
    assert!(!interaction.is_silent());

    for (reason, code) in [
        (RefusalReason::AccessDenied, "access_denied"),
        (RefusalReason::LoginRequired, "login_required"),
        (RefusalReason::ConsentRequired, "consent_required"),
        (RefusalReason::InteractionRequired, "interaction_required"),
        (RefusalReason::AccountSelectionRequired, "account_selection_required"),
        (RefusalReason::UnmetAuthenticationRequirements, "unmet_authentication_requirements"),
    ] {
        let id = browser.begin(&Ask::of(APP).with("state", "s")).await;
        let answer = browser.interaction(&id).await.unwrap().refuse(reason).await.unwrap().unwrap();
        let response = response_at(CALLBACK, answer.location().unwrap());
        assert_eq!(
            (response.get("error"), response.get("state"), response.get("iss")),
            (Some(code), Some("s"), Some(ISSUER))
        );
        assert!(browser.interaction(&id).await.is_none());
    }
}

#[tokio::test]
async fn a_hint_fills_in_the_name_and_is_no_more_than_text() {
    let w = on_memory().await;
    let (_, page) = see(&mut Browser::new(&w), &Ask::of(APP).with("login_hint", "\"><b>alice")).await;
    assert!(page.body.contains("value=\"&#34;&#62;&#60;b&#62;alice\"") && !page.body.contains(" readonly"), "{page}");
    // Whoever is signed in is not somebody else because a client says so.
    let mut browser = agreed(&w, "alice").await;
    w.clock.advance(1);
    let (_, page) = see(&mut browser, &Ask::of(APP).with("login_hint", "bob").with("prompt", "login")).await;
    assert!(page.body.contains("value=\"alice\"") && !page.body.contains("bob"), "{page}");
}
