//! Which requests are taken.

use oauth_core::engine::interaction::{Approval, ConsentNeed};

use super::*;

// spec: AUZ-46
#[tokio::test]
async fn a_list_that_is_not_good_is_refused_before_anybody_is_asked() {
    let w = on_memory_with(bank).await;
    for bad in bad_lists() {
        let ask = Ask::of(BANK_APP).with("authorization_details", &bad);
        Browser::new(&w).authorize(&ask).await.is_error_redirect("invalid_authorization_details");
    }
    let twice = Ask::of(BANK_APP).and("authorization_details", "[]").and("authorization_details", "[]");
    Browser::new(&w).authorize(&twice).await.is_error_redirect("invalid_request");
}

// spec: AUZ-46
#[tokio::test]
async fn a_client_asks_for_the_types_that_it_registered_and_no_others() {
    let w = on_memory_with(bank).await;
    for (caller, value) in [(BANK, json!([payment("1")])), (APP, json!([account(&["read"])]))] {
        let answer = Browser::new(&w).authorize(&asking(caller, &value)).await;
        answer.is_error_redirect("invalid_authorization_details");
    }
    w.code_for(&asking(BANK, &json!([account(&["read"])]))).await;
}

// spec: AUZ-46
#[tokio::test]
async fn a_bad_list_at_the_token_endpoint_is_refused_there() {
    let w = on_memory_with(bank).await;
    for bad in bad_lists() {
        let params = [("grant_type", "client_credentials"), ("authorization_details", &bad)];
        w.token(BANK, &params).await.is_refused(400, "invalid_authorization_details");
        let code = w.code_for(&asking(BANK_APP, &json!([account(&["read"]), payment("1")]))).await;
        let params = [redemption(&code).as_slice(), &[("authorization_details", &bad)]].concat();
        w.token(BANK_APP, &params).await.is_refused(400, "invalid_authorization_details");
        w.redeem(BANK_APP, &code).await.tokens();
    }
}

// spec: AUZ-46
#[tokio::test]
async fn a_pushed_request_with_a_bad_list_is_refused_at_once() {
    let w = on_memory_with(bank).await;
    let base = [
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let bad = [base.as_slice(), &[("authorization_details", "[{}]")]].concat();
    w.post("/par", BANK, &bad).await.is_refused(400, "invalid_authorization_details");
}

// spec: AUZ-47, MET-06
#[tokio::test]
async fn the_types_are_advertised_and_without_any_the_parameter_means_nothing() {
    let name = "authorization_details_types_supported";
    let metadata = async |w: &World| w.get("/.well-known/oauth-authorization-server").await.json();
    let w = on_memory_with(bank).await;
    assert_eq!(metadata(&w).await[name], json!(["account", "payment"]));
    let w = on_memory().await;
    assert_eq!(metadata(&w).await.get(name), None);
    let code = w.code_for(&Ask::of(APP).with("authorization_details", "nonsense")).await;
    let answer = w.redeem(APP, &code).await;
    assert_eq!((answer.member("scope"), answer.json().get("authorization_details")), (json!("read write"), None));
}

#[tokio::test]
async fn whoever_asks_in_details_and_names_no_scope_gets_none() {
    let w = on_memory_with(bank).await;
    let code = w.code_for(&asking(BANK, &json!([account(&["read"])]))).await;
    assert_eq!(w.redeem(BANK, &code).await.json().get("scope"), None);
    let code = w.code_for(&asking(BANK, &json!([account(&["read"])])).with("scope", "read")).await;
    assert_eq!(w.redeem(BANK, &code).await.member("scope"), "read");
    let list = json!([account(&["read"])]).to_string();
    let answer = w.token(BANK, &[("grant_type", "client_credentials"), ("authorization_details", &list)]).await;
    assert_eq!((answer.status.as_u16(), answer.json().get("scope")), (200, None));
}

#[tokio::test]
async fn the_page_that_asks_is_told_of_each_and_the_person_gives_no_more_than_that() {
    let w = on_memory_with(bank).await;
    let asked = json!([account(&["read", "write"]), payment("7.50")]);
    let approve = async |given: Value| {
        let mut browser = Browser::new(&w);
        let id = browser.begin(&asking(BANK_APP, &asked)).await;
        let interaction = browser.interaction(&id).await.unwrap();
        assert_eq!(interaction.authorization_details(), &details(&asked));
        let approval = Approval::new("alice").authorization_details(details(&given));
        let answer = interaction.approve(approval).await.unwrap().unwrap();
        let code = response_at(CALLBACK, answer.location().unwrap()).get("code").unwrap().to_owned();
        w.redeem(BANK_APP, &code).await.json().get("authorization_details").cloned()
    };
    let less = json!([account(&["read"])]);
    assert_eq!(approve(less.clone()).await, Some(less.clone()));
    let more = json!([account(&["read"]), account(&["close"]), payment("8.50"), { "type": "other" }]);
    assert_eq!(approve(more).await, Some(less));
    assert_eq!(approve(json!([])).await, None);
}

#[tokio::test]
async fn consent_to_details_is_for_one_time() {
    let w = on_memory_with(bank).await;
    let mut browser = Browser::new(&w);
    let plain = Ask::of(BANK).with("scope", "read");
    let detailed = plain.clone().with("authorization_details", &json!([account(&["read"])]).to_string());
    for ask in [&plain, &detailed] {
        let id = browser.begin(ask).await;
        let interaction = browser.interaction(&id).await.unwrap();
        interaction.approve(Approval::new("alice").remember(true)).await.unwrap().unwrap();
    }
    let id = browser.begin(&plain).await;
    assert_eq!(browser.interaction(&id).await.unwrap().consent("alice").await.unwrap(), ConsentNeed::Given);
    let id = browser.begin(&detailed).await;
    let need = browser.interaction(&id).await.unwrap().consent("alice").await.unwrap();
    assert!(matches!(need, ConsentNeed::Ask(_)), "{need:?}");
}

#[tokio::test]
async fn the_built_in_page_shows_every_member_escaped() {
    let w = on_memory_with(bank).await;
    let asked = json!([{ "type": "payment", "amount": "7.50", "to": "<b>Bob</b>" }]);
    let (_, page) = Browser::new(&w).consent(&asking(BANK_APP, &asked)).await;
    assert!(page.body.contains("payment") && page.body.contains("7.50"), "{page}");
    assert!(page.body.contains("&#60;b&#62;Bob") && !page.body.contains("<b>Bob"), "{page}");
}
