//! Proofs at the token endpoint: which are good, and what comes of them.

use oauth_core::{dpop::DpopKey, jwt::Algorithm};
use serde_json::{Value, json};

use super::*;

/// The claims of a JWT, as they stand there.
fn claims_of(jwt: &str) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

// spec: TOK-34, INT-06
#[tokio::test]
async fn a_token_request_with_a_proof_gets_a_token_that_is_bound_to_its_key() {
    on_every_store(async |w| {
        let key = wallet();
        let code = w.code(WEB).await;
        let answer = redeem_with(&w, WEB, &code, &[&proof(&w, &key)]).await;
        assert_eq!(answer.member("token_type"), "DPoP");
        let known = w.introspect(AUDITOR, &answer.tokens().access).await.json();
        assert_eq!((&known["token_type"], &known["cnf"]), (&json!("DPoP"), &json!({ "jkt": key.jkt() })));

        let other = wallet();
        let again = refresh_with(&w, WEB, &answer.tokens().refresh.unwrap(), &[&proof(&w, &other)]).await;
        let known = w.introspect(AUDITOR, &again.tokens().access).await.json();
        assert_eq!(known["cnf"], json!({ "jkt": other.jkt() }));

        let own = post_with(&w, "/token", WEB, &FOR_ITSELF, &[&proof(&w, &key)]).await;
        assert_eq!(own.member("token_type"), "DPoP");
        let known = w.introspect(AUDITOR, &own.tokens().access).await.json();
        assert_eq!(known["cnf"], json!({ "jkt": key.jkt() }));
    })
    .await;
}

// spec: TOK-34
#[tokio::test]
async fn a_jwt_says_to_which_key_it_is_bound() {
    let (w, key) = (on_memory().await, wallet());
    let params = [FOR_ITSELF[0], ("resource", JWT_API)];
    let answer = post_with(&w, "/token", WEB, &params, &[&proof(&w, &key)]).await;
    assert_eq!(claims_of(&answer.tokens().access)["cnf"], json!({ "jkt": key.jkt() }));
    let plain = w.token(WEB, &params).await;
    assert_eq!((plain.member("token_type"), claims_of(&plain.tokens().access).get("cnf")), (json!("Bearer"), None));
}

#[tokio::test]
async fn without_a_proof_the_token_is_a_bearer_token() {
    let w = on_memory().await;
    let answer = w.token(WEB, &FOR_ITSELF).await;
    assert_eq!(answer.member("token_type"), "Bearer");
    let known = w.introspect(AUDITOR, &answer.tokens().access).await.json();
    assert_eq!((&known["token_type"], known.get("cnf")), (&json!("Bearer"), None));
}

// spec: TOK-34
#[tokio::test]
async fn a_proof_that_is_not_good_is_refused_and_nothing_is_done() {
    let (w, key) = (on_memory().await, wallet());
    let code = w.code(APP).await;
    let at = |now: u64| oauth_core::clock::UnixTime(w.clock.now().0 + now - 100);
    let made = |method: &str, url: &str, now: u64| key.proof(method, url, None, None, at(now), &SystemRandom).unwrap();
    let here = format!("{ISSUER}/token");
    let for_a_token = key.proof("POST", &here, Some("token"), None, at(100), &SystemRandom).unwrap();
    let mut forged = made("POST", &here, 100);
    forged.truncate(forged.rfind('.').unwrap());
    let foreign = made("POST", &here, 100);
    forged.push_str(&foreign[foreign.rfind('.').unwrap()..]);
    for (bad, why) in [
        (made("GET", &here, 100), "method"),
        (made("POST", &format!("{ISSUER}/par"), 100), "URI"),
        (made("POST", ISSUER, 100), "URI"),
        (made("POST", "https://other.example/token", 100), "URI"),
        (made("POST", "http://as.example/token", 100), "URI"),
        (made("POST", &here, 39), "old"),
        (made("POST", &here, 111), "future"),
        (for_a_token, "token"),
        (forged, "signature"),
        ("nonsense".to_owned(), "JWT"),
        (String::new(), "JWT"),
    ] {
        let answer = redeem_with(&w, APP, &code, &[&bad]).await;
        answer.is_refused(400, "invalid_dpop_proof");
        assert!(answer.member("error_description").as_str().unwrap().contains(why), "{why}: {answer}");
    }
    redeem_with(&w, APP, &code, &[&made("POST", &here, 110)]).await.tokens();
}

// spec: TOK-34
#[tokio::test]
async fn there_is_one_proof_at_most() {
    let (w, key) = (on_memory().await, wallet());
    let two = [proof(&w, &key), proof(&w, &key)];
    let answer = post_with(&w, "/token", WEB, &FOR_ITSELF, &[&two[0], &two[1]]).await;
    answer.is_refused(400, "invalid_dpop_proof");
    // Neither is spent.
    post_with(&w, "/token", WEB, &FOR_ITSELF, &[&two[0]]).await.tokens();
    post_with(&w, "/token", WEB, &FOR_ITSELF, &[&two[1]]).await.tokens();
}

// spec: TOK-34
#[tokio::test]
async fn the_algorithm_is_one_of_those_that_are_allowed() {
    let set = |builder: AuthorizationServerBuilder| builder.dpop(|dpop| dpop.algorithms = vec![Algorithm::EdDSA]);
    let w = on_memory_with(set).await;
    let answer = post_with(&w, "/token", WEB, &FOR_ITSELF, &[&proof(&w, &wallet())]).await;
    answer.is_refused(400, "invalid_dpop_proof");
    let key = DpopKey::generate(Algorithm::EdDSA).unwrap();
    post_with(&w, "/token", WEB, &FOR_ITSELF, &[&proof(&w, &key)]).await.tokens();
}

// spec: TOK-34
#[tokio::test]
async fn a_proof_is_good_once_and_at_no_other_node_again() {
    on_every_store(async |w| {
        let other = w.another(|builder| builder).await.unwrap();
        let used = proof(&w, &wallet());
        post_with(&w, "/token", WEB, &FOR_ITSELF, &[&used]).await.tokens();
        for node in [&w, &other] {
            let answer = post_with(node, "/token", WEB, &FOR_ITSELF, &[&used]).await;
            answer.is_refused(400, "invalid_dpop_proof");
        }
        w.clock.advance(60);
        post_with(&w, "/token", WEB, &FOR_ITSELF, &[&used]).await.is_refused(400, "invalid_dpop_proof");
    })
    .await;
}

// spec: TOK-34
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_requests_at_two_nodes_with_one_proof_one_is_granted() {
    on_every_store(async |w| {
        let nodes = [w.clone(), w.another(|builder| builder).await.unwrap()];
        let used = proof(&w, &wallet());
        let answers = all_at_once(12, |number| {
            let (node, used) = (nodes[number % 2].clone(), used.clone());
            async move { post_with(&node, "/token", WEB, &FOR_ITSELF, &[&used]).await.status.as_u16() }
        });
        let answers = answers.await;
        assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
        assert!(answers.iter().all(|status| [200, 400].contains(status)), "{answers:?}");
    })
    .await;
}

#[tokio::test]
async fn a_store_that_fails_makes_no_proof_good_or_bad() {
    on_every_store(async |w| {
        let used = proof(&w, &wallet());
        w.store.set_down(true);
        post_with(&w, "/token", WEB, &FOR_ITSELF, &[&used]).await.is_unavailable();
        w.store.set_down(false);
        post_with(&w, "/token", WEB, &FOR_ITSELF, &[&used]).await.tokens();
    })
    .await;
}

// spec: TOK-35, SEC-10
#[tokio::test]
async fn a_client_that_wants_no_bearer_tokens_is_given_none() {
    let w = on_memory_with(with_careful).await;
    let code = w.code(CAREFUL).await;
    w.redeem(CAREFUL, &code).await.is_refused(400, "invalid_dpop_proof");
    let tokens = redeem_with(&w, CAREFUL, &code, &[&proof(&w, &wallet())]).await.tokens();
    w.refresh(CAREFUL, &tokens.refresh.unwrap()).await.is_refused(400, "invalid_dpop_proof");
    w.tokens(APP).await;
}

// spec: TOK-35, SEC-10
#[tokio::test]
async fn where_proofs_are_required_nobody_is_given_a_bearer_token() {
    let w = on_memory_with(|builder| builder.dpop(|dpop| dpop.required = true)).await;
    let code = w.code(APP).await;
    w.redeem(APP, &code).await.is_refused(400, "invalid_dpop_proof");
    w.token(WEB, &FOR_ITSELF).await.is_refused(400, "invalid_dpop_proof");
    redeem_with(&w, APP, &code, &[&proof(&w, &wallet())]).await.tokens();
}

#[tokio::test]
async fn who_the_client_is_decides_before_its_proof_is_spent() {
    let w = on_memory().await;
    let used = proof(&w, &wallet());
    let impostor = Caller::Basic(WEB.id(), "wrong");
    post_with(&w, "/token", impostor, &FOR_ITSELF, &[&used]).await.is_refused(401, "invalid_client");
    post_with(&w, "/token", WEB, &FOR_ITSELF, &[&used]).await.tokens();
}
