//! Nonces of the authorization server (RFC 9449 section 8).

use super::*;

fn demanding(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    builder.dpop(|dpop| dpop.nonces = true)
}

/// That a nonce is wanted: it.
#[track_caller]
fn wanted(answer: &Answer) -> String {
    answer.is_refused(400, "use_dpop_nonce");
    let nonce = answer.header("dpop-nonce").to_owned();
    // RFC 9449 section 8.1: NQCHAR.
    assert!(!nonce.is_empty() && nonce.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\'), "{answer}");
    nonce
}

// spec: TOK-34, FAPI-07
#[tokio::test]
async fn a_proof_without_a_nonce_gets_one_and_every_node_knows_it() {
    on_every_store_with(demanding, async |w| {
        let (key, other) = (wallet(), w.another(demanding).await.unwrap());
        let code = w.code(APP).await;
        let nonce = wanted(&redeem_with(&w, APP, &code, &[&proof(&w, &key)]).await);
        let with_it = proof_at(&w, &key, "/token", Some(&nonce));
        redeem_with(&other, APP, &code, &[&with_it]).await.tokens();
    })
    .await;
}

// spec: TOK-34
#[tokio::test]
async fn a_nonce_that_is_old_or_was_never_issued_is_not_taken() {
    let (w, key) = (on_memory_with(demanding).await, wallet());
    let send = async |nonce: &str| {
        let proof = proof_at(&w, &key, "/token", Some(nonce));
        post_with(&w, "/token", WEB, &FOR_ITSELF, &[&proof]).await
    };
    let first = wanted(&send("made-up").await);
    let answer = send(&first).await;
    answer.tokens();
    assert_eq!(answer.header("dpop-nonce"), first);
    w.clock.advance(120);
    let answer = send(&first).await;
    answer.tokens();
    // RFC 9449 section 8.2: the next one comes along in time.
    let next = answer.header("dpop-nonce").to_owned();
    assert_ne!(next, first);
    w.clock.advance(120);
    wanted(&send(&first).await);
    send(&next).await.tokens();
}

// spec: TOK-34
#[tokio::test]
async fn a_pushed_request_needs_a_nonce_too() {
    let (w, key) = (on_memory_with(demanding).await, wallet());
    let params = [
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let without = proof_at(&w, &key, "/par", None);
    let nonce = wanted(&post_with(&w, "/par", WEB, &params, &[&without]).await);
    let with_it = proof_at(&w, &key, "/par", Some(&nonce));
    assert_eq!(post_with(&w, "/par", WEB, &params, &[&with_it]).await.status, 201);
}

#[tokio::test]
async fn where_none_is_demanded_none_is_sent_and_any_is_ignored() {
    let (w, key) = (on_memory().await, wallet());
    let proof = proof_at(&w, &key, "/token", Some("of another time"));
    let answer = post_with(&w, "/token", WEB, &FOR_ITSELF, &[&proof]).await;
    answer.tokens();
    assert_eq!(answer.header("dpop-nonce"), "");
}

#[tokio::test]
async fn a_client_that_proves_nothing_needs_no_nonce() {
    let w = on_memory_with(demanding).await;
    w.tokens(APP).await;
}
