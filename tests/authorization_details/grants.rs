//! What was granted is returned, shown to resource servers and never exceeded.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::*;

async fn code(w: &World, value: &Value) -> String {
    w.code_for(&asking(BANK_APP, value)).await
}

async fn token_with(w: &World, params: &[(&str, &str)], list: &Value) -> Answer {
    let list = list.to_string();
    w.token(BANK_APP, &[params, &[("authorization_details", &list)]].concat()).await
}

fn refreshing(token: &str) -> [(&str, &str); 2] {
    [("grant_type", "refresh_token"), ("refresh_token", token)]
}

// spec: AUZ-47
#[tokio::test]
async fn what_was_granted_is_returned_and_introspected() {
    on_every_store_with(bank, async |w| {
        let granted = json!([account(&["read", "write"]), payment("7.50")]);
        let answer = w.redeem(BANK_APP, &code(&w, &granted).await).await;
        assert_eq!(answer.member("authorization_details"), granted);
        let known = w.introspect(AUDITOR, &answer.tokens().access).await;
        assert_eq!(known.member("authorization_details"), granted);
        let again = w.refresh(BANK_APP, &answer.tokens().refresh.unwrap()).await;
        assert_eq!(again.member("authorization_details"), granted);
    })
    .await;
}

// spec: AUZ-47
#[tokio::test]
async fn a_token_request_narrows_what_was_granted_and_never_widens_it() {
    on_every_store_with(bank, async |w| {
        let granted = json!([account(&["read", "write"]), payment("7.50")]);
        for too_much in [
            json!([account(&["read", "close"])]),
            json!([payment("7.51")]),
            json!([account(&["close"]), payment("7.50")]),
        ] {
            let code = code(&w, &granted).await;
            token_with(&w, &redemption(&code), &too_much).await.is_refused(400, "invalid_authorization_details");
            let token = w.redeem(BANK_APP, &code).await.tokens().refresh.unwrap();
            token_with(&w, &refreshing(&token), &too_much).await.is_refused(400, "invalid_authorization_details");
        }
        let less = json!([account(&["read"])]);
        let narrow = token_with(&w, &redemption(&code(&w, &granted).await), &less).await;
        assert_eq!(narrow.member("authorization_details"), less);
        assert_eq!(w.introspect(AUDITOR, &narrow.tokens().access).await.member("authorization_details"), less);
        // For that access token alone: the grant is what it was.
        let whole = w.refresh(BANK_APP, &narrow.tokens().refresh.unwrap()).await;
        assert_eq!(whole.member("authorization_details"), granted);
        let narrow = token_with(&w, &refreshing(&whole.tokens().refresh.unwrap()), &json!([payment("7.50")])).await;
        assert_eq!(narrow.member("authorization_details"), json!([payment("7.50")]));
    })
    .await;
}

// spec: AUZ-47
#[tokio::test]
async fn a_retry_that_asks_for_less_gets_less() {
    let w = on_memory_with(bank).await;
    let granted = json!([account(&["read", "write"])]);
    let first = w.redeem(BANK_APP, &code(&w, &granted).await).await.tokens().refresh.unwrap();
    let second = w.refresh(BANK_APP, &first).await.tokens();
    let retried = token_with(&w, &refreshing(&first), &json!([account(&["read"])])).await;
    assert_eq!(retried.member("authorization_details"), json!([account(&["read"])]));
    assert_eq!(retried.tokens().refresh, second.refresh);
    let same = w.refresh(BANK_APP, &first).await;
    assert_eq!((same.tokens(), same.member("authorization_details")), (second, granted));
}

// spec: AUZ-47, INT-05
#[tokio::test]
async fn a_detail_is_for_the_resource_servers_that_it_names() {
    let w = on_memory_with(bank).await;
    let at = |place: &str| json!({ "type": "account", "actions": ["read"], "locations": [place] });
    let granted = json!([at(API), at(OTHER_API), account(&["write"])]);
    let ask = asking(BANK_APP, &granted).and("resource", API).and("resource", OTHER_API);
    let answer = w.redeem(BANK_APP, &w.code_for(&ask).await).await;
    assert_eq!(answer.member("authorization_details"), granted);
    let cut = w.introspect(RESOURCE_SERVER, &answer.tokens().access).await;
    assert_eq!(cut.member("authorization_details"), json!([at(API), account(&["write"])]));
    let token = answer.tokens().refresh.unwrap();
    let one = [refreshing(&token).as_slice(), &[("resource", OTHER_API)]].concat();
    let narrow = w.token(BANK_APP, &one).await;
    assert_eq!(narrow.member("authorization_details"), json!([at(OTHER_API), account(&["write"])]));
}

// spec: AUZ-47
#[tokio::test]
async fn a_jwt_carries_them() {
    let w = on_memory_with(bank).await;
    let list = json!([account(&["read"])]);
    let text = list.to_string();
    let params =
        [("grant_type", "client_credentials"), ("resource", JWT_API), ("authorization_details", text.as_str())];
    let answer = w.token(BANK, &params).await;
    assert_eq!(answer.member("authorization_details"), list);
    let token = answer.tokens().access;
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(claims["authorization_details"], list);
}

// spec: AUZ-47
#[tokio::test]
async fn a_client_that_acts_for_itself_is_granted_what_it_may_ask_for() {
    on_every_store_with(bank, async |w| {
        let list = json!([account(&["read"])]).to_string();
        let answer = w.token(BANK, &[("grant_type", "client_credentials"), ("authorization_details", &list)]).await;
        assert_eq!(answer.member("authorization_details"), json!([account(&["read"])]));
        let known = w.introspect(AUDITOR, &answer.tokens().access).await;
        assert_eq!(known.member("authorization_details"), json!([account(&["read"])]));
    })
    .await;
}
