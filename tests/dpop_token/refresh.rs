//! Refresh tokens of public clients are bound to the key, those of others to the client (RFC 9449 section 5).

use oauth_core::engine::policy::Rotation;

use super::*;

// spec: TOK-33
#[tokio::test]
async fn a_public_clients_refresh_token_is_good_with_its_key_alone() {
    on_every_store(async |w| {
        let key = wallet();
        let tokens = bound_tokens(&w, APP, &key).await;
        let mut token = tokens.refresh.unwrap();
        for _ in 0..3 {
            w.refresh(APP, &token).await.is_refused(400, "invalid_grant");
            refresh_with(&w, APP, &token, &[&proof(&w, &wallet())]).await.is_refused(400, "invalid_grant");
            let next = refresh_with(&w, APP, &token, &[&proof(&w, &key)]).await;
            assert_eq!(next.member("token_type"), "DPoP");
            token = next.tokens().refresh.unwrap();
        }
    })
    .await;
}

// spec: TOK-33
#[tokio::test]
async fn whoever_has_a_used_token_and_no_key_can_neither_retry_nor_end_the_grant() {
    on_every_store(async |w| {
        let key = wallet();
        let first = bound_tokens(&w, APP, &key).await.refresh.unwrap();
        let second = refresh_with(&w, APP, &first, &[&proof(&w, &key)]).await.tokens();
        let thief = wallet();
        for elapsed in [0, 100] {
            w.clock.advance(elapsed);
            w.refresh(APP, &first).await.is_refused(400, "invalid_grant");
            refresh_with(&w, APP, &first, &[&proof(&w, &thief)]).await.is_refused(400, "invalid_grant");
            assert!(w.lives(&second.access).await);
        }
        assert_eq!(w.events.count("refresh_reused"), 0);
        // With the key it is reuse.
        refresh_with(&w, APP, &first, &[&proof(&w, &key)]).await.is_refused(400, "invalid_grant");
        assert_eq!(w.events.count("refresh_reused"), 1);
        assert!(!w.lives(&second.access).await);
    })
    .await;
}

// spec: TOK-33
#[tokio::test]
async fn a_retry_with_the_key_gets_the_same_answer() {
    on_every_store(async |w| {
        let key = wallet();
        let first = bound_tokens(&w, APP, &key).await.refresh.unwrap();
        let [one, two] = [
            refresh_with(&w, APP, &first, &[&proof(&w, &key)]).await,
            refresh_with(&w, APP, &first, &[&proof(&w, &key)]).await,
        ];
        assert_eq!(one.tokens(), two.tokens());
        assert_eq!((one.member("token_type"), two.member("token_type")), ("DPoP".into(), "DPoP".into()));
    })
    .await;
}

// spec: TOK-33
#[tokio::test]
async fn a_confidential_client_may_change_its_key_and_its_tokens_are_bound_to_the_new_one() {
    on_every_store(async |w| {
        let (old, new) = (wallet(), wallet());
        let first = bound_tokens(&w, WEB, &old).await.refresh.unwrap();
        let second = refresh_with(&w, WEB, &first, &[&proof(&w, &new)]).await.tokens();
        let known = w.introspect(AUDITOR, &second.access).await.json();
        assert_eq!(known["cnf"]["jkt"], new.jkt());
        // A retry with another key is no repetition: its token is for that key.
        let retried = refresh_with(&w, WEB, &first, &[&proof(&w, &old)]).await.tokens();
        assert_eq!(retried.refresh, second.refresh);
        let known = w.introspect(AUDITOR, &retried.access).await.json();
        assert_eq!(known["cnf"]["jkt"], old.jkt());
    })
    .await;
}

// spec: TOK-33
#[tokio::test]
async fn a_public_client_that_begins_to_prove_a_key_is_bound_from_then_on() {
    let (w, key) = (on_memory().await, wallet());
    let first = w.tokens(APP).await.refresh.unwrap();
    let second = refresh_with(&w, APP, &first, &[&proof(&w, &key)]).await.tokens().refresh.unwrap();
    w.refresh(APP, &second).await.is_refused(400, "invalid_grant");
    refresh_with(&w, APP, &second, &[&proof(&w, &key)]).await.tokens();
}

#[tokio::test]
async fn a_bound_refresh_token_is_revoked_and_introspected_without_a_proof() {
    on_every_store(async |w| {
        let key = wallet();
        let tokens = bound_tokens(&w, WEB, &key).await;
        assert_eq!(w.introspect(WEB, &tokens.refresh.unwrap()).await.member("active"), true);
        let tokens = bound_tokens(&w, APP, &key).await;
        let token = tokens.refresh.unwrap();
        w.revoke(APP, &token).await.is_revoked();
        assert!(!w.lives(&tokens.access).await);
        refresh_with(&w, APP, &token, &[&proof(&w, &key)]).await.is_refused(400, "invalid_grant");
    })
    .await;
}

// spec: TOK-26
#[tokio::test]
async fn a_bound_refresh_token_need_not_rotate() {
    let (w, key) = (on_memory_with(|builder| builder.rotation(Rotation::None)).await, wallet());
    let token = bound_tokens(&w, APP, &key).await.refresh.unwrap();
    for _ in 0..3 {
        let answer = refresh_with(&w, APP, &token, &[&proof(&w, &key)]).await.tokens();
        assert!(answer.refresh.is_none_or(|same| same == token));
    }
}
