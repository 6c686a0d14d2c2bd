//! The three modes: what becomes of which token.

use oauth_core::{
    engine::revocation::{RevocationMode, RevocationPolicy},
    server::BuildError,
    store::memory::MemoryStore,
};

use super::{super::jwt, TABLE};
use crate::support::*;

// spec: REV-07
#[tokio::test]
async fn another_clients_token_is_what_the_mode_says() {
    for column in TABLE {
        column
            .on_every_store(async |w| {
                for stranger in [OTHER_APP, WEB] {
                    for tokens in [w.tokens(APP).await, jwt(&w, APP).await] {
                        for token in [&tokens.access, tokens.refresh.as_ref().unwrap()] {
                            column.is(&w.revoke(stranger, token).await, column.of_another_client);
                            let refused = column.of_another_client.0 != 200;
                            assert_eq!(w.lives(&tokens.access).await, refused, "{:?}", column.mode);
                        }
                        if column.of_another_client.0 != 200 {
                            w.refresh(APP, &tokens.refresh.unwrap()).await.tokens();
                        }
                    }
                }
            })
            .await;
    }
}

// spec: REV-08
#[tokio::test]
async fn what_is_unknown_expired_or_revoked_is_what_the_mode_says() {
    for column in TABLE {
        column
            .on_every_store(async |w| {
                let tokens = w.tokens(APP).await;
                for junk in ["x", "a.b.c", "\u{0}", &tokens.access[1..], &w.code(APP).await] {
                    column.is(&w.revoke(APP, junk).await, column.unknown);
                }
                let refresh = tokens.refresh.unwrap();
                column.is_revoked(&w.revoke(APP, &refresh).await);
                for token in [&tokens.access, &refresh] {
                    column.is(&w.revoke(APP, token).await, column.unknown);
                }
                let (expired, expired_jwt) = (w.tokens(APP).await, jwt(&w, APP).await);
                w.clock.advance(300);
                for token in [&expired.access, &expired_jwt.access] {
                    column.is(&w.revoke(APP, token).await, column.unknown);
                }
                let idle = w.tokens(APP).await.refresh.unwrap();
                w.clock.advance(7 * 86_400);
                column.is(&w.revoke(APP, &idle).await, column.unknown);
            })
            .await;
    }
}

// spec: REV-09, REV-10, REV-12, REV-14
#[tokio::test]
async fn in_every_mode_a_refresh_token_takes_its_access_tokens_with_it() {
    for column in TABLE {
        column
            .on_every_store(async |w| {
                let first = jwt(&w, APP).await;
                let second = w.refresh(APP, &first.refresh.unwrap()).await.tokens();
                let other = w.tokens(APP).await;
                let refresh = second.refresh.unwrap();
                column.is_revoked(&w.revoke(APP, &refresh).await);
                assert!(!w.lives(&first.access).await && !w.lives(&second.access).await);
                w.refresh(APP, &refresh).await.is_refused(400, "invalid_grant");
                assert!(w.lives(&other.access).await);
            })
            .await;
    }
}

// spec: REV-09, REV-10, REV-13, REV-14
#[tokio::test]
async fn an_access_token_takes_its_refresh_token_with_it_where_the_mode_says_so() {
    for column in TABLE {
        column
            .on_every_store(async |w| {
                for tokens in [w.tokens(APP).await, jwt(&w, APP).await] {
                    column.is_revoked(&w.revoke(APP, &tokens.access).await);
                    assert!(!w.lives(&tokens.access).await);
                    let refreshed = w.refresh(APP, &tokens.refresh.unwrap()).await;
                    assert_eq!(refreshed.status == 200, !column.access_ends_grant, "{:?}", column.mode);
                }
            })
            .await;
    }
}

// spec: REV-11
#[tokio::test]
async fn access_tokens_may_be_left_alone_but_in_the_mode_of_matrix() {
    for column in TABLE {
        let refresh_only = |policy: &mut RevocationPolicy| {
            *policy = RevocationPolicy::new(column.mode);
            policy.access_tokens = false;
        };
        if column.mode == RevocationMode::Matrix {
            let failed = World::on(MemoryStore::default(), |builder| builder).await;
            let failed = failed.another(|builder| builder.revocation(refresh_only)).await;
            assert!(matches!(failed, Err(BuildError::Revocation { setting: "access_tokens", .. })));
            continue;
        }
        let w = on_memory_with(|builder| builder.revocation(refresh_only)).await;
        for tokens in [w.tokens(APP).await, jwt(&w, APP).await] {
            w.revoke(APP, &tokens.access).await.is_refused(400, "unsupported_token_type");
            assert!(w.lives(&tokens.access).await);
            column.is_revoked(&w.revoke(APP, &tokens.refresh.unwrap()).await);
            assert!(!w.lives(&tokens.access).await);
        }
    }
}

// spec: REV-27
#[tokio::test]
async fn in_every_mode_a_rotated_out_refresh_token_names_its_grant() {
    for column in TABLE {
        column
            .on_every_store(async |w| {
                let first = w.tokens(APP).await.refresh.unwrap();
                let second = w.refresh(APP, &first).await.tokens();
                w.clock.advance(1000);
                column.is_revoked(&w.revoke(APP, &first).await);
                w.refresh(APP, &second.refresh.unwrap()).await.is_refused(400, "invalid_grant");
            })
            .await;
    }
}
