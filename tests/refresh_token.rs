//! `grant_type=refresh_token`: whose a refresh token is, what it covers and how long it lasts. What
//! becomes of one that was used is in `rotation.rs`.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use oauth_core::{
    client::{Client, ClientId, GrantType},
    engine::{
        fault::Fault,
        policy::{HostFuture, Rotation, Subjects},
    },
    store::Clients,
    token::TokenKind,
};

use crate::support::*;

/// A refresh with one more parameter.
async fn refresh_with(w: &World, caller: Caller, token: &str, name: &str, value: &str) -> Answer {
    w.token(caller, &[("grant_type", "refresh_token"), ("refresh_token", token), (name, value)]).await
}

const DAY: u64 = 86_400;

// spec: TOK-23
#[tokio::test]
async fn a_refresh_token_is_bound_to_its_client() {
    on_every_store(async |w| {
        for (owner, thief) in [(APP, OTHER_APP), (APP, WEB), (WEB, APP), (WEB, FORM)] {
            let token = w.tokens(owner).await.refresh.unwrap();
            w.refresh(thief, &token).await.is_refused(400, "invalid_grant");
            w.refresh(owner, &token).await.tokens();
            // Not even as a retry, and it is no reuse that revokes.
            w.refresh(thief, &token).await.is_refused(400, "invalid_grant");
            w.refresh(owner, &token).await.tokens();
        }
    })
    .await;
}

// spec: TOK-23
#[tokio::test]
async fn a_confidential_client_must_authenticate_to_refresh() {
    let w = on_memory().await;
    let token = w.tokens(WEB).await.refresh.unwrap();
    for impostor in [Caller::Public("web"), Caller::Basic("web", "wrong"), Caller::Nobody] {
        w.refresh(impostor, &token).await.is_refused(401, "invalid_client");
    }
    w.refresh(WEB, &token).await.tokens();
}

#[tokio::test]
async fn a_refresh_token_must_be_there_and_known() {
    let w = on_memory().await;
    w.token(APP, &[("grant_type", "refresh_token")]).await.is_refused(400, "invalid_request");
    let token = w.tokens(APP).await.refresh.unwrap();
    for bad in ["x", &token[1..], &token.replace("ort_", "ort_7"), &format!("{token} ")] {
        w.refresh(APP, bad).await.is_refused(400, "invalid_grant");
    }
}

// spec: TOK-24
#[tokio::test]
async fn a_narrower_scope_is_for_one_access_token_and_a_wider_one_is_refused() {
    on_every_store(async |w| {
        let code = w.code_for(&Ask::of(APP).with("scope", "read write")).await;
        let token = w.redeem(APP, &code).await.tokens().refresh.unwrap();
        for bad in ["read write admin", "admin", "READ", "read  write", "\""] {
            refresh_with(&w, APP, &token, "scope", bad).await.is_refused(400, "invalid_scope");
        }
        let narrow = refresh_with(&w, APP, &token, "scope", "read").await;
        assert_eq!(narrow.member("scope"), "read");
        let known = w.introspect(AUDITOR, &narrow.tokens().access).await;
        assert_eq!(known.member("scope"), "read");
        let whole = w.refresh(APP, &narrow.tokens().refresh.unwrap()).await;
        assert_eq!(whole.member("scope"), "read write");
    })
    .await;
}

// spec: TOK-25
#[tokio::test]
async fn a_refresh_token_is_bound_to_the_resources_of_its_grant() {
    on_every_store(async |w| {
        let ask = Ask::of(APP).with("scope", "read admin").and("resource", API).and("resource", OTHER_API);
        let token = w.redeem(APP, &w.code_for(&ask).await).await.tokens().refresh.unwrap();
        for bad in [JWT_API, "https://elsewhere.example", "nonsense"] {
            refresh_with(&w, APP, &token, "resource", bad).await.is_refused(400, "invalid_target");
        }
        let narrow = refresh_with(&w, APP, &token, "resource", OTHER_API).await.tokens();
        let known = w.introspect(AUDITOR, &narrow.access).await.json();
        assert_eq!((&known["aud"], &known["scope"]), (&OTHER_API.into(), &"admin".into()));
        let whole = w.refresh(APP, &narrow.refresh.unwrap()).await.tokens();
        let known = w.introspect(AUDITOR, &whole.access).await.json();
        assert_eq!((&known["aud"], &known["scope"]), (&serde_json::json!([API, OTHER_API]), &"read admin".into()));
    })
    .await;
}

// spec: TOK-30
#[tokio::test]
async fn a_refresh_token_dies_of_a_week_without_use() {
    on_every_store(async |w| {
        let (one, two) = (w.tokens(APP).await.refresh.unwrap(), w.tokens(APP).await.refresh.unwrap());
        w.clock.advance(7 * DAY - 1);
        let one = w.refresh(APP, &one).await.tokens().refresh.unwrap();
        w.clock.advance(1);
        w.refresh(APP, &two).await.is_refused(400, "invalid_grant");
        w.clock.advance(7 * DAY - 2);
        w.refresh(APP, &one).await.tokens();
    })
    .await;
}

// spec: TOK-30
#[tokio::test]
async fn no_rotation_extends_the_thirty_days_of_a_grant() {
    on_every_store(async |w| {
        let mut token = w.tokens(APP).await.refresh.unwrap();
        for _ in 0..5 {
            w.clock.advance(6 * DAY - 20);
            token = w.refresh(APP, &token).await.tokens().refresh.unwrap();
        }
        w.clock.advance(5 * 20 - 1);
        let last = w.refresh(APP, &token).await;
        assert_eq!(last.member("expires_in"), 1, "nothing under a grant outlives it");
        w.clock.advance(1);
        assert!(!w.lives(&last.tokens().access).await);
        w.refresh(APP, &last.tokens().refresh.unwrap()).await.is_refused(400, "invalid_grant");
    })
    .await;
}

// spec: TOK-30
#[tokio::test]
async fn without_rotation_the_deadlines_are_the_same() {
    on_every_store_with(
        |builder| builder.rotation(Rotation::None),
        async |w| {
            let token = w.tokens(WEB).await.refresh.unwrap();
            for _ in 0..5 {
                w.clock.advance(6 * DAY - 1);
                w.refresh(WEB, &token).await.tokens();
            }
            w.clock.advance(5);
            w.refresh(WEB, &token).await.is_refused(400, "invalid_grant");
            let idle = w.tokens(WEB).await.refresh.unwrap();
            w.clock.advance(7 * DAY);
            w.refresh(WEB, &idle).await.is_refused(400, "invalid_grant");
        },
    )
    .await;
}

// spec: TOK-31
#[tokio::test]
async fn a_grant_that_was_withdrawn_is_not_refreshed() {
    on_every_store(async |w| {
        let tokens = w.tokens(APP).await;
        let token = tokens.refresh.unwrap();
        let grant = World::codec().read(TokenKind::Refresh, &token).unwrap().grant;
        w.server.revoke_grant(grant).await.unwrap();
        w.refresh(APP, &token).await.is_refused(400, "invalid_grant");
        assert!(!w.lives(&tokens.access).await);
    })
    .await;
}

/// A host whose one user is active (1), disabled (0), or cannot be looked up.
#[derive(Clone, Debug)]
struct Users(Arc<AtomicU8>);

impl Subjects for Users {
    fn is_active<'a>(&'a self, _subject: &'a str) -> HostFuture<'a, bool> {
        Box::pin(async {
            match self.0.load(Ordering::Relaxed) {
                0 => Ok(false),
                1 => Ok(true),
                _ => Err(Fault::Host("no directory".into())),
            }
        })
    }
}

// spec: TOK-31
#[tokio::test]
async fn a_disabled_users_grant_ends_and_a_lost_directory_ends_nothing() {
    let users = Users(Arc::new(AtomicU8::new(1)));
    let set = |state| users.0.store(state, Ordering::Relaxed);
    on_every_store_with(
        |builder| builder.subjects(users.clone()),
        async |w| {
            set(1);
            let first = w.tokens(APP).await.refresh.unwrap();
            let second = w.refresh(APP, &first).await.tokens();
            let token = second.refresh.unwrap();
            set(2);
            w.refresh(APP, &token).await.is_unavailable();
            assert!(w.lives(&second.access).await);
            set(0);
            w.refresh(APP, &token).await.is_refused(400, "invalid_grant");
            set(1);
            w.refresh(APP, &token).await.is_refused(400, "invalid_grant");
            assert!(!w.lives(&second.access).await);
        },
    )
    .await;
}

// spec: TOK-31
#[tokio::test]
async fn a_deleted_clients_grants_end() {
    on_every_store(async |w| {
        let app = || Client::builder("guest").redirect_uri(CALLBACK).scope("read").grant_type(GrantType::REFRESH_TOKEN);
        let guest = Caller::Public("guest");
        w.store.put_client(app().build().unwrap()).await.unwrap();
        let tokens = w.tokens(guest).await;
        let token = tokens.refresh.unwrap();
        assert!(w.lives(&tokens.access).await);
        w.store.delete_client(ClientId::new("guest").unwrap()).await.unwrap();
        assert!(!w.lives(&tokens.access).await);
        w.refresh(guest, &token).await.is_refused(401, "invalid_client");
        w.refresh(APP, &token).await.is_refused(400, "invalid_grant");
    })
    .await;
}

// spec: TOK-32
#[tokio::test]
async fn a_refresh_token_is_no_access_token_and_the_reverse() {
    on_every_store(async |w| {
        let tokens = w.tokens(APP).await;
        let refresh = tokens.refresh.unwrap();
        assert!(w.server.validate_access(&refresh).await.unwrap().is_none());
        w.introspect(RESOURCE_SERVER, &refresh).await.is_inactive();
        w.introspect(AUDITOR, &refresh).await.is_inactive();
        let jwt = w.redeem(APP, &w.code_for(&Ask::of(APP).with("resource", JWT_API)).await).await.tokens().access;
        for wrong in [&tokens.access, &jwt, &w.code(APP).await] {
            w.refresh(APP, wrong).await.is_refused(400, "invalid_grant");
            w.redeem(APP, &refresh).await.is_refused(400, "invalid_grant");
        }
        assert!(w.lives(&tokens.access).await && w.lives(&jwt).await);
        w.refresh(APP, &refresh).await.tokens();
    })
    .await;
}
