//! Housekeeping: what has ended goes, and nothing else changes.

use oauth_core::engine::policy::Rotation;

use crate::support::*;

// spec: TOK-18, TOK-27, TOK-28
#[tokio::test]
async fn a_sweep_forgets_nothing_that_still_matters() {
    on_every_store(async |w| {
        let code = w.code(APP).await;
        let first = w.redeem(APP, &code).await.tokens();
        let second = w.refresh(APP, first.refresh.as_ref().unwrap()).await.tokens();
        w.clock.advance(19);
        w.server.maintain().await.unwrap();
        assert_eq!(w.refresh(APP, first.refresh.as_ref().unwrap()).await.tokens(), second);
        assert!(w.lives(&first.access).await && w.lives(&second.access).await);
        w.clock.advance(6 * 86_400);
        w.server.maintain().await.unwrap();
        let third = w.refresh(APP, &second.refresh.unwrap()).await.tokens();
        // Neither that the first token was used, nor that the code was.
        let other = w.tokens(APP).await;
        w.refresh(APP, &first.refresh.unwrap()).await.is_refused(400, "invalid_grant");
        assert!(!w.lives(&third.access).await && w.lives(&other.access).await);
        w.redeem(APP, &code).await.is_refused(400, "invalid_grant");
        assert_eq!((w.events.count("refresh_reused"), w.events.count("code_replayed")), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn rotation_costs_no_rows_however_often_it_rotates() {
    let w = on_sqlite().await;
    let rows = |table: &str| {
        let file = rusqlite::Connection::open(w.folder.as_ref().unwrap().file()).unwrap();
        file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, u32>(0)).unwrap()
    };
    let mut token = w.tokens(APP).await.refresh.unwrap();
    for _ in 0..200 {
        w.clock.advance(10);
        token = w.refresh(APP, &token).await.tokens().refresh.unwrap();
    }
    w.server.maintain().await.unwrap();
    // Access tokens of 300 seconds, one every 10.
    assert_eq!((rows("oauth_grants"), rows("oauth_access_tokens")), (1, 30));
    w.clock.advance(86_400 * 30);
    w.server.maintain().await.unwrap();
    assert_eq!((rows("oauth_grants"), rows("oauth_access_tokens"), rows("oauth_interactions")), (0, 0, 0));
}

// spec: TOK-28
#[tokio::test]
async fn a_change_of_policy_opens_no_old_door() {
    on_every_store(async |w| {
        let first = w.tokens(WEB).await.refresh.unwrap();
        let second = w.refresh(WEB, &first).await.tokens().refresh.unwrap();
        let relaxed = w.another(|builder| builder.rotation(Rotation::None)).await.unwrap();
        relaxed.refresh(WEB, &second).await.tokens();
        // The successor was used, so its predecessor is reuse, whether or not it was replaced.
        w.refresh(WEB, &first).await.is_refused(400, "invalid_grant");
        relaxed.refresh(WEB, &second).await.is_refused(400, "invalid_grant");
    })
    .await;
}
