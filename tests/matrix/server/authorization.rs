//! The authorization code grant: cases 39 to 46.

use oauth_axum_rs::pages::User;
use oauth_core::engine::authorization::Prompt;

use super::{
    discovery::{STABLE, has},
    *,
};

// spec: MTX-14
#[tokio::test]
async fn case_39_without_s256_there_is_no_code() {
    let w = world().await;
    for bad in [
        ask(ELEMENT).without("code_challenge"),
        ask(ELEMENT).without("code_challenge_method"),
        ask(ELEMENT).with("code_challenge_method", "plain"),
    ] {
        w.get(&bad.uri()).await.is_error_redirect("invalid_request");
    }
}

// spec: MTX-08, MTX-14
#[tokio::test]
async fn case_40_the_port_of_this_machine_is_free_and_nothing_else() {
    let w = world().await;
    for host in ["127.0.0.1", "localhost", "[::1]"] {
        let answer = register(&w, &metadata("native", &[&format!("http://{host}/cb")], json!({}))).await;
        let id: &'static str = answer.member("client_id").as_str().unwrap().to_owned().leak();
        let ask = |uri: &str| ask(Caller::Public(id)).with("redirect_uri", uri);
        let good = format!("http://{host}:9999/cb");
        let code = {
            let mut browser = Browser::new(&w);
            let id = browser.begin(&ask(&good)).await;
            let interaction = browser.interaction(&id).await.unwrap();
            let answer = interaction.approve(Approval::new("alice")).await.unwrap().unwrap();
            response_at(&good, answer.location().unwrap()).get("code").unwrap().to_owned()
        };
        let mut redeem = redemption(&code);
        redeem[2].1 = &good;
        assert_eq!(w.token(Caller::Public(id), &redeem).await.status, 200);
        let others = [
            format!("http://{host}:9999/other"),
            format!("http://{host}.evil.example:9/cb"),
            "https://localhost/cb".into(),
        ];
        for bad in others {
            let answer = w.get(&ask(&bad).uri()).await;
            assert_eq!(answer.status, 400, "{answer}");
            assert!(!answer.headers.contains_key("location"), "{bad}");
        }
    }
}

// spec: MTX-14
#[tokio::test]
async fn case_41_the_answer_travels_as_was_asked() {
    let w = world().await;
    let with_query = "https://app.example/cb?x=1";
    let body = metadata("web", &[CALLBACK, with_query], json!({ "client_uri": "https://app.example/" }));
    let id: &'static str = register(&w, &body).await.member("client_id").as_str().unwrap().to_owned().leak();
    let go = async |mode: Option<&str>, uri: &str| {
        let ask = ask(Caller::Public(id)).with("state", "s&1").with("redirect_uri", uri);
        Browser::new(&w).approve(&mode.into_iter().fold(ask, |ask, mode| ask.with("response_mode", mode))).await
    };
    for (mode, uri, begins) in [
        (Some("fragment"), CALLBACK, "https://app.example/cb#"),
        (None, CALLBACK, "https://app.example/cb?"),
        (Some("query"), CALLBACK, "https://app.example/cb?"),
        (None, with_query, "https://app.example/cb?x=1&"),
    ] {
        let location = go(mode, uri).await;
        let answer = location.strip_prefix(begins).unwrap_or_else(|| panic!("{location}"));
        assert!(answer.contains("code=") && answer.contains("state=s%261"), "{location}");
    }
    w.get(&ask(ELEMENT).with("response_mode", "form_post").uri()).await.is_error_redirect("invalid_request");
}

// spec: MTX-14
#[tokio::test]
async fn case_42_a_no_comes_back_with_the_state() {
    let w = world().await;
    let mut browser = Browser::new(&w);
    let id = browser.begin(&ask(ELEMENT).with("state", "s-42").with("response_mode", "fragment")).await;
    let answer = browser.interaction(&id).await.unwrap().deny().await.unwrap().unwrap();
    let fragment = answer.location().unwrap().strip_prefix("https://app.example/cb#").unwrap();
    assert!(fragment.contains("error=access_denied") && fragment.contains("state=s-42"), "{fragment}");
}

// spec: MTX-11
#[tokio::test]
async fn case_43_a_sign_in_names_one_device_and_the_api() {
    let w = world().await;
    let two = format!("{SCOPE} urn:matrix:client:device:KLMNOPQRST");
    for bad in ["urn:matrix:client:api:*", "urn:matrix:client:device:ABCDEFGHIJ", "openid", &two] {
        w.get(&ask(ELEMENT).with("scope", bad).uri()).await.is_error_redirect("invalid_scope");
        let params = [("scope", bad)];
        w.post("/device_authorization", ELEMENT, &params).await.is_refused(400, "invalid_scope");
    }
    w.get(&ask(ELEMENT).without("scope").uri()).await.is_error_redirect("invalid_scope");
    let more = format!("{SCOPE} urn:matrix:client:unknown urn:synapse:admin:*");
    let code = w.code_for(&ask(ELEMENT).with("scope", &more)).await;
    assert_eq!(w.redeem(ELEMENT, &code).await.member("scope"), SCOPE);
    let twins = "urn:matrix:org.matrix.msc2967.client:api:* urn:matrix:org.matrix.msc2967.client:device:AB/+C";
    let code = w.code_for(&ask(ELEMENT).with("scope", twins)).await;
    assert_eq!(w.redeem(ELEMENT, &code).await.member("scope"), twins);
}

// spec: MTX-12
#[tokio::test]
async fn a_device_id_is_of_characters_that_a_scope_can_have() {
    let w = world().await;
    for bad in ["A\"B", "A\\B", "\u{e4}\u{f6}"] {
        w.get(&ask(ELEMENT).with("scope", &scope_of(bad)).uri()).await.is_error_redirect("invalid_scope");
    }
    w.get(&ask(ELEMENT).with("scope", &scope_of(&"x".repeat(256))).uri()).await.is_error_redirect("invalid_scope");
}

fn create() -> Ask {
    ask(ELEMENT).with("prompt", "create")
}

// spec: MTX-22
#[tokio::test]
async fn case_44_who_wants_an_account_is_sent_to_make_one() {
    let w = world_with(|builder| builder.authorization(|it| it.prompts.push(Prompt::Create))).await;
    let mut sessions = None;
    let w = w.with_pages(|pages| {
        sessions = Some(pages.sessions());
        pages.registration_at("/sign-up")
    });
    assert!(has(&w.get(STABLE).await.json(), "prompt_values_supported", "create"));
    let mut browser = Browser::new(&w);
    // Whoever is signed in wants another account.
    browser.consent(&ask(ELEMENT)).await;
    let id = browser.begin(&create()).await;
    let (page, sign_up) = (format!("/interaction?id={id}"), format!("/sign-up?id={id}"));
    assert_eq!(browser.get(&page).await.location(), sign_up);
    // The host's page makes it, and says so.
    let made = sessions.unwrap().begin(&browser.headers(), &User::new("u-carol").name("Carol"), "carol", &id).await;
    browser.keep_cookie(made.unwrap().to_str().unwrap());
    browser.get(&format!("{page}&registered=1")).await;
    let consent = browser.get(&page).await;
    assert!(consent.body.contains("Carol"), "{consent}");
    let answer = browser.submit(&page, &fields_of(&consent, "approve")).await;
    let code = response_at(CALLBACK, answer.location()).get("code").unwrap().to_owned();
    let tokens = w.redeem(ELEMENT, &code).await.tokens();
    assert!(is_live(&w, &tokens.access).await);
    assert_eq!(w.server.devices_of("u-carol").await.unwrap().len(), 1);
    // Another request is another account.
    let id = browser.begin(&create()).await;
    assert_eq!(browser.get(&format!("/interaction?id={id}")).await.location(), format!("/sign-up?id={id}"));
}

// spec: MTX-22
#[tokio::test]
async fn case_44_who_has_an_account_already_signs_in() {
    let w = world_with(|builder| builder.authorization(|it| it.prompts.push(Prompt::Create))).await;
    let w = w.with_pages(|pages| pages.registration_at("/sign-up"));
    let mut browser = Browser::new(&w);
    let id = browser.begin(&create()).await;
    let page = format!("/interaction?id={id}");
    let first = browser.get(&format!("{page}&registered=1")).await;
    let mut fields = fields_of(&first, "sign_in");
    fields.extend([("username".into(), "alice".into()), ("password".into(), PASSWORD.into())]);
    assert_eq!(browser.submit(&page, &fields).await.location(), page);
    fields_of(&browser.get(&page).await, "approve");
    // Nobody else is sent there, and the device grant has no such thing.
    let id = Browser::new(&w).begin(&ask(ELEMENT)).await;
    assert_ne!(w.get(&format!("/interaction?id={id}")).await.status, 303);
    let params = [("scope", SCOPE), ("prompt", "create")];
    assert_eq!(w.post("/device_authorization", ELEMENT, &params).await.status, 200);
}

// spec: MTX-22
#[tokio::test]
async fn case_44_without_a_page_it_is_not_advertised_and_people_sign_in() {
    let w = world().await;
    assert!(!has(&w.get(STABLE).await.json(), "prompt_values_supported", "create"));
    for prompt in ["create", "login create"] {
        let mut browser = Browser::new(&w);
        let (page, consent) = browser.consent(&ask(ELEMENT).with("prompt", prompt)).await;
        fields_of(&consent, "approve");
        let id = page.strip_prefix("/interaction?id=").unwrap();
        assert!(!browser.interaction(id).await.unwrap().prompt().contains(&Prompt::Create));
    }
    for bad in ["none create", "nonsense"] {
        w.get(&ask(ELEMENT).with("prompt", bad).uri()).await.is_error_redirect("invalid_request");
    }
}

// spec: MTX-14
#[tokio::test]
async fn case_45_a_code_is_good_once_and_for_its_client_and_verifier() {
    let w = world().await;
    let code = w.code_for(&ask(ELEMENT)).await;
    let mut wrong = redemption(&code);
    wrong[3].1 = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXX";
    w.token(ELEMENT, &wrong).await.is_refused(400, "invalid_grant");
    w.redeem(CINNY, &code).await.is_refused(400, "invalid_grant");
    let tokens = w.redeem(ELEMENT, &code).await.tokens();
    w.redeem(ELEMENT, &code).await.is_refused(400, "invalid_grant");
    is_dead(&w, &tokens).await;
}

// spec: MTX-15
#[tokio::test]
async fn case_46_a_code_is_worth_tokens_for_one_device() {
    let w = world().await;
    let home = home(&w).await;
    let code = w.code_for(&ask(ELEMENT)).await;
    let answer = w.redeem(ELEMENT, &code).await;
    answer.is_not_kept();
    assert_eq!((answer.member("token_type"), answer.member("expires_in")), (json!("Bearer"), json!(300)));
    assert_eq!(answer.member("scope"), SCOPE);
    let tokens = answer.tokens();
    assert!(tokens.access.starts_with("mat_") && tokens.refresh.as_ref().unwrap().starts_with("mar_"));
    let whoami = home.get(WHOAMI, &tokens.access).await;
    is_user(&whoami, "@alice:example.org");
    assert_eq!(whoami.member("device_id"), "ABCDEFGHIJ");
    // What opens nothing: case 13.
    is_unknown(&home.get(WHOAMI, tokens.refresh.as_ref().unwrap()).await, false);
}

/// Who does not ask for refresh tokens gets them all the same.
// spec: MTX-15
#[tokio::test]
async fn a_client_without_the_refresh_grant_has_it() {
    let w = world().await;
    let body = metadata(
        "web",
        &[CALLBACK],
        json!({ "client_uri": "https://app.example/", "grant_types": ["authorization_code"] }),
    );
    let answer = register(&w, &body).await;
    let id: &'static str = answer.member("client_id").as_str().unwrap().to_owned().leak();
    let code = w.code_for(&ask(Caller::Public(id))).await;
    let tokens = w.redeem(Caller::Public(id), &code).await.tokens();
    assert_eq!(w.refresh(Caller::Public(id), &tokens.refresh.unwrap()).await.status, 200);
}
