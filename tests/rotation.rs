//! What becomes of a refresh token that was used: a successor, the same successor again within the
//! window, and after that the end of the family.

mod egress;
mod rows;

use std::collections::HashSet;

use oauth_core::{
    clock::SystemRandom,
    engine::policy::Rotation,
    secret::RootSecret,
    server::AuthorizationServerBuilder,
    token::{Prefixes, TokenCodec, TokenKind},
};

use crate::support::*;

fn strict(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    builder.rotation(Rotation::Strict)
}

/// The family of `token` is at its end, and so is `access`.
async fn is_dead(w: &World, token: &str, access: &str) {
    w.refresh(APP, token).await.is_refused(400, "invalid_grant");
    assert!(!w.lives(access).await);
}

// spec: TOK-26
#[tokio::test]
async fn a_public_clients_refresh_token_rotates_whatever_the_policy() {
    for policy in [Rotation::Strict, Rotation::default(), Rotation::None] {
        let w = on_memory_with(|builder| builder.rotation(policy)).await;
        let first = w.tokens(APP).await.refresh.unwrap();
        let second = w.refresh(APP, &first).await.tokens();
        assert_ne!(second.refresh.clone().unwrap(), first);
        let third = w.refresh(APP, second.refresh.as_ref().unwrap()).await.tokens();
        w.refresh(APP, &first).await.is_refused(400, "invalid_grant");
        is_dead(&w, &third.refresh.unwrap(), &third.access).await;
    }
}

#[tokio::test]
async fn without_rotation_a_confidential_clients_token_keeps_working() {
    on_every_store_with(
        |builder| builder.rotation(Rotation::None),
        async |w| {
            let token = w.tokens(WEB).await.refresh.unwrap();
            for _ in 0..3 {
                assert_eq!(w.refresh(WEB, &token).await.tokens().refresh, None);
            }
            w.refresh(WEB, &token).await.tokens();
        },
    )
    .await;
}

// spec: TOK-27
#[tokio::test]
async fn under_strict_the_second_use_ends_the_family_for_both_parties() {
    on_every_store_with(strict, async |w| {
        let first = w.tokens(APP).await;
        let second = w.refresh(APP, first.refresh.as_ref().unwrap()).await.tokens();
        w.refresh(APP, first.refresh.as_ref().unwrap()).await.is_refused(400, "invalid_grant");
        is_dead(&w, &second.refresh.unwrap(), &second.access).await;
        assert!(!w.lives(&first.access).await);
        assert_eq!(w.events.count("refresh_reused"), 1);
    })
    .await;
}

// spec: TOK-28
#[tokio::test]
async fn a_lost_response_that_is_retried_brings_the_same_successor() {
    on_every_store(async |w| {
        let first = w.tokens(APP).await.refresh.unwrap();
        let second = w.refresh(APP, &first).await.tokens();
        for _ in 0..3 {
            w.clock.advance(6);
            let again = w.refresh(APP, &first).await;
            assert_eq!(again.tokens(), second);
            assert!(again.member("expires_in").as_u64().unwrap() < 300, "the same token, so the same end");
        }
        assert!(w.lives(&second.access).await);
        w.refresh(APP, &second.refresh.unwrap()).await.tokens();
        assert_eq!((w.events.count("refresh_retried"), w.events.count("refresh_reused")), (3, 0));
    })
    .await;
}

// spec: TOK-28
#[tokio::test]
async fn a_rotation_whose_answer_the_server_lost_can_be_retried_too() {
    on_every_store(async |w| {
        let first = w.tokens(APP).await.refresh.unwrap();
        w.store.lose_the_answer_of("rotate_refresh");
        w.refresh(APP, &first).await.is_unavailable();
        let second = w.refresh(APP, &first).await.tokens();
        assert!(w.lives(&second.access).await);
        w.refresh(APP, &second.refresh.unwrap()).await.tokens();
    })
    .await;
}

// spec: TOK-27, TOK-28
#[tokio::test]
async fn reuse_after_the_window_ends_the_family() {
    on_every_store(async |w| {
        let first = w.tokens(APP).await.refresh.unwrap();
        let second = w.refresh(APP, &first).await.tokens();
        w.clock.advance(20);
        w.refresh(APP, &first).await.is_refused(400, "invalid_grant");
        is_dead(&w, &second.refresh.unwrap(), &second.access).await;
    })
    .await;
}

// spec: TOK-27, TOK-28
#[tokio::test]
async fn reuse_after_the_successor_was_used_ends_the_family_within_the_window() {
    on_every_store(async |w| {
        let first = w.tokens(APP).await.refresh.unwrap();
        let second = w.refresh(APP, &first).await.tokens();
        let third = w.refresh(APP, &second.refresh.unwrap()).await.tokens();
        w.refresh(APP, &first).await.is_refused(400, "invalid_grant");
        is_dead(&w, &third.refresh.unwrap(), &third.access).await;
    })
    .await;
}

// spec: TOK-24, TOK-28
#[tokio::test]
async fn a_retry_for_another_scope_gets_that_scope_and_the_same_successor() {
    on_every_store(async |w| {
        let first = w.tokens(APP).await.refresh.unwrap();
        let second = w.refresh(APP, &first).await.tokens();
        let params = [("grant_type", "refresh_token"), ("refresh_token", first.as_str()), ("scope", "read")];
        let retry = w.token(APP, &params).await;
        assert_eq!((retry.member("scope"), retry.tokens().refresh), ("read".into(), second.refresh));
        assert!(w.lives(&retry.tokens().access).await);
    })
    .await;
}

// spec: TOK-28
#[tokio::test]
async fn a_retry_never_hands_out_a_token_that_has_ended() {
    on_every_store_with(
        |builder| builder.lifetimes(|set| set.access = 5),
        async |w| {
            let first = w.tokens(APP).await.refresh.unwrap();
            let second = w.refresh(APP, &first).await.tokens();
            w.revoke(APP, &second.access).await.is_revoked();
            let retry = w.refresh(APP, &first).await.tokens();
            assert!(w.lives(&retry.access).await, "the first one was revoked");
            w.clock.advance(10);
            let retry = w.refresh(APP, &first).await.tokens();
            assert!(w.lives(&retry.access).await, "the first one has expired");
            assert_eq!(retry.refresh, second.refresh);
        },
    )
    .await;
}

// spec: TOK-28, TOK-29
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_refreshes_at_once_all_get_one_and_the_same_successor() {
    on_every_store(async |w| {
        let token = w.tokens(APP).await.refresh.unwrap();
        let ask = |_| {
            let (w, token) = (w.clone(), token.clone());
            async move { w.refresh(APP, &token).await.tokens() }
        };
        let pairs = all_at_once(100, ask).await;
        let distinct: HashSet<_> = pairs.iter().map(|pair| (&pair.access, &pair.refresh)).collect();
        assert_eq!(distinct.len(), 1);
        assert!(w.lives(&pairs[0].access).await);
        w.refresh(APP, pairs[0].refresh.as_ref().unwrap()).await.tokens();
        assert_eq!((w.events.count("refresh_retried"), w.events.count("refresh_reused")), (99, 0));
    })
    .await;
}

// spec: TOK-27, TOK-29
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_strict_one_of_many_refreshes_at_once_succeeds_and_no_family_is_left() {
    on_every_store_with(strict, async |w| {
        let token = w.tokens(APP).await.refresh.unwrap();
        let ask = |_| {
            let (w, token) = (w.clone(), token.clone());
            async move { w.refresh(APP, &token).await }
        };
        let (good, bad): (Vec<_>, Vec<_>) = all_at_once(100, ask).await.into_iter().partition(|a| a.status == 200);
        assert_eq!((good.len(), bad.len()), (1, 99));
        bad.iter().for_each(|answer| answer.is_refused(400, "invalid_grant"));
        let tokens = good[0].tokens();
        is_dead(&w, &tokens.refresh.unwrap(), &tokens.access).await;
    })
    .await;
}

// spec: SEC-22
#[tokio::test]
async fn a_forgery_with_a_real_grant_id_changes_nothing() {
    on_every_store_with(strict, async |w| {
        let first = w.tokens(APP).await.refresh.unwrap();
        let second = w.refresh(APP, &first).await.tokens();
        let grant = World::codec().read(TokenKind::Refresh, &first).unwrap().grant;
        let foreign = TokenCodec::new(&RootSecret::new([8; 32]), ISSUER, Prefixes::default());
        let calls = w.store.calls();
        for generation in [0, 1, 2, u64::MAX] {
            let forged = foreign.mint(TokenKind::Refresh, grant, generation, &SystemRandom).unwrap();
            w.refresh(APP, forged.text.expose()).await.is_refused(400, "invalid_grant");
            w.revoke(APP, forged.text.expose()).await.is_revoked();
            w.introspect(WEB, forged.text.expose()).await.is_inactive();
        }
        assert_eq!(w.store.calls(), calls, "junk is refused before the store is asked");
        assert!(w.lives(&second.access).await);
        w.refresh(APP, &second.refresh.unwrap()).await.tokens();
    })
    .await;
}

// spec: TOK-31
#[tokio::test]
async fn a_grant_revoked_between_the_check_and_the_rotation_issues_nothing() {
    on_every_store(async |w| {
        // The first use is a rotation, the retry for another scope an insertion.
        for (verb, scope) in [("rotate_refresh", ""), ("insert_access", "read")] {
            let first = w.tokens(APP).await.refresh.unwrap();
            if verb == "insert_access" {
                w.refresh(APP, &first).await.tokens();
            }
            let (other, token) = (w.clone(), first.clone());
            w.store.just_before(verb, async move { other.revoke(APP, &token).await.is_revoked() });
            let happened = || (w.events.count("tokens_issued"), w.events.count("refresh_retried"));
            let before = happened();
            let params = [("grant_type", "refresh_token"), ("refresh_token", first.as_str()), ("scope", scope)];
            w.token(APP, &params).await.is_refused(400, "invalid_grant");
            assert_eq!(happened(), before);
        }
    })
    .await;
}

// spec: TOK-31
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_revocation_that_races_refreshes_leaves_no_live_token() {
    on_every_store(async |w| {
        let mut tokens = Vec::new();
        for _ in 0..25 {
            tokens.push(w.tokens(APP).await.refresh.unwrap());
        }
        let ask = |number: usize| {
            let (w, token) = (w.clone(), tokens[number / 4].clone());
            async move {
                match number % 4 {
                    0 => w.revoke(APP, &token).await,
                    _ => w.refresh(APP, &token).await,
                }
            }
        };
        for (number, answer) in all_at_once(100, ask).await.into_iter().enumerate() {
            match (number % 4, answer.status.as_u16()) {
                (0, _) => answer.is_revoked(),
                (_, 200) => is_dead(&w, &answer.tokens().refresh.unwrap(), &answer.tokens().access).await,
                _ => answer.is_refused(400, "invalid_grant"),
            }
        }
    })
    .await;
}
