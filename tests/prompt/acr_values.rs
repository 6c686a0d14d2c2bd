//! `acr_values`: how strong a sign-in has to be (RFC 9470 section 4).

use super::*;

// spec: AUZ-34
#[tokio::test]
async fn acr_values_ask_for_a_way_to_sign_in_and_the_token_says_which_it_was() {
    on_every_store_with(with_gold, async |w| {
        let gold = Ask::of(APP).with("acr_values", "platinum gold");
        let mut browser = agreed(&w, "alice").await;
        w.clock.advance(1);
        // She might know another way, so she is asked; and does not.
        let first = see(&mut browser, &gold).await;
        is_sign_in(&first.1);
        assert!(first.1.body.contains("a sign-in of another kind"), "{}", first.1);
        sign_in(&mut browser, &first, "alice").await.is_error_redirect("unmet_authentication_requirements");
        let denied = see(&mut browser, &gold.clone().with("prompt", "none")).await.1;
        denied.is_error_redirect("login_required");

        let mut browser = Browser::new(&w);
        let first = see(&mut browser, &gold.with("resource", JWT_API)).await;
        let consent = sign_in(&mut browser, &first, "grace").await;
        let done = browser.submit(&first.0, &fields_of(&consent, "approve")).await;
        let jwt = w.redeem(APP, &code(&done)).await.tokens().access;
        assert_eq!(w.introspect(AUDITOR, &jwt).await.member("acr"), "gold");
        assert_eq!(claims(&jwt)["acr"], "gold");
    })
    .await;
}

// spec: AUZ-34
#[tokio::test]
async fn acr_values_that_nobody_can_reach_are_an_error_before_anybody_is_asked() {
    let w = on_memory_with(with_gold).await;
    let metadata = w.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata.member("acr_values_supported"), json!(["gold", "silver"]));
    let ask = Ask::of(APP).with("acr_values", "platinum");
    w.get(&ask.uri()).await.is_error_redirect("unmet_authentication_requirements");

    let lenient = on_memory_with(|b| {
        b.authorization(|settings| {
            settings.acr_values = vec!["gold".into()];
            settings.acr_values_are_essential = false;
        })
    })
    .await;
    for acr in ["platinum", "gold"] {
        let tokens = lenient.redeem(APP, &lenient.code_for(&Ask::of(APP).with("acr_values", acr)).await).await.tokens();
        assert_eq!(lenient.introspect(AUDITOR, &tokens.access).await.member("acr"), json!(null));
    }
}
