//! Codes that only the holder of a key can redeem (RFC 9449 section 10).

use super::*;

/// What `caller` asks, with a code for `key` alone.
fn ask(caller: Caller, key: &DpopKey) -> Ask {
    Ask::of(caller).with("dpop_jkt", key.jkt())
}

// spec: TOK-20, FAPI-09
#[tokio::test]
async fn a_code_that_is_bound_to_a_key_is_redeemed_with_that_key_alone() {
    on_every_store(async |w| {
        for caller in [APP, WEB] {
            let key = wallet();
            let code = w.code_for(&ask(caller, &key)).await;
            w.redeem(caller, &code).await.is_refused(400, "invalid_grant");
            redeem_with(&w, caller, &code, &[&proof(&w, &wallet())]).await.is_refused(400, "invalid_grant");
            // It is not used up, and its owner is not locked out.
            let tokens = redeem_with(&w, caller, &code, &[&proof(&w, &key)]).await.tokens();
            // A thief's replay revokes nothing; one with the key does.
            w.redeem(caller, &code).await.is_refused(400, "invalid_grant");
            redeem_with(&w, caller, &code, &[&proof(&w, &wallet())]).await.is_refused(400, "invalid_grant");
            assert!(w.lives(&tokens.access).await);
            redeem_with(&w, caller, &code, &[&proof(&w, &key)]).await.is_refused(400, "invalid_grant");
            assert!(!w.lives(&tokens.access).await);
        }
    })
    .await;
}

// spec: TOK-20
#[tokio::test]
async fn what_is_not_a_thumbprint_is_refused_before_anybody_is_asked() {
    let w = on_memory().await;
    let good = wallet().jkt().to_owned();
    let bad = ["x", &good[1..], &format!("{good}A"), &good.replace(&good[..1], "+"), &format!("{good}="), "A B"];
    for jkt in bad {
        let answer = Browser::new(&w).authorize(&Ask::of(APP).with("dpop_jkt", jkt)).await;
        answer.is_error_redirect("invalid_request");
    }
    let twice = Ask::of(APP).and("dpop_jkt", &good).and("dpop_jkt", &good);
    Browser::new(&w).authorize(&twice).await.is_error_redirect("invalid_request");
}

/// Pushes `ask` with a proof of `key`, and says yes to it: the code.
async fn pushed(w: &World, caller: Caller, ask: &Ask, key: &DpopKey) -> Result<String, Answer> {
    let form = ask.form();
    let params: Vec<(String, String)> = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let params: Vec<(&str, &str)> =
        params.iter().filter(|(name, _)| name != "client_id").map(|(a, b)| (&**a, &**b)).collect();
    let answer = post_with(w, "/par", caller, &params, &[&proof_at(w, key, "/par", None)]).await;
    if answer.status != 201 {
        return Err(answer);
    }
    let uri = answer.member("request_uri");
    let ask = Ask::of(caller).with("request_uri", uri.as_str().unwrap());
    let ask = ["response_type", "redirect_uri", "code_challenge", "code_challenge_method"]
        .iter()
        .fold(ask, |ask, name| ask.without(name));
    Ok(w.code_for(&ask).await)
}

// spec: TOK-20, FAPI-09
#[tokio::test]
async fn the_key_that_was_proven_with_a_pushed_request_is_the_only_one_that_redeems_its_code() {
    on_every_store(async |w| {
        for caller in [APP, WEB] {
            let key = wallet();
            let code = pushed(&w, caller, &Ask::of(caller), &key).await.unwrap_or_else(|answer| panic!("{answer}"));
            w.redeem(caller, &code).await.is_refused(400, "invalid_grant");
            redeem_with(&w, caller, &code, &[&proof(&w, &wallet())]).await.is_refused(400, "invalid_grant");
            redeem_with(&w, caller, &code, &[&proof(&w, &key)]).await.tokens();
        }
    })
    .await;
}

// spec: TOK-20
#[tokio::test]
async fn a_pushed_request_names_no_other_key_than_it_proves() {
    let (w, key) = (on_memory().await, wallet());
    let refused = pushed(&w, WEB, &ask(WEB, &wallet()), &key).await.err();
    refused.unwrap().is_refused(400, "invalid_request");
    let code = pushed(&w, WEB, &ask(WEB, &key), &key).await.unwrap_or_else(|answer| panic!("{answer}"));
    redeem_with(&w, WEB, &code, &[&proof(&w, &key)]).await.tokens();
}

// spec: TOK-34
#[tokio::test]
async fn a_proof_for_one_endpoint_is_none_for_the_other_and_is_good_once() {
    let (w, key) = (on_memory().await, wallet());
    let params = [
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let for_token = proof(&w, &key);
    post_with(&w, "/par", WEB, &params, &[&for_token]).await.is_refused(400, "invalid_dpop_proof");
    let for_par = proof_at(&w, &key, "/par", None);
    assert_eq!(post_with(&w, "/par", WEB, &params, &[&for_par]).await.status, 201);
    post_with(&w, "/par", WEB, &params, &[&for_par]).await.is_refused(400, "invalid_dpop_proof");
}
