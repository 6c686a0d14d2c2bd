//! `POST /revoke`: a client says that it needs a token no more (RFC 7009), in every mode of it.

mod abuse;
mod jsonp;
mod matrix;
mod modes;
mod program;

use http::{Method, Request};
use oauth_core::{
    clock::SystemRandom,
    server::AuthorizationServerBuilder,
    token::{GrantId, TokenKind},
};
use oauth_tower::server::{AuthorizationServerService, Endpoint};
use tower::ServiceExt;

use crate::support::*;

/// A JWT for `caller`, and the refresh token beside it.
async fn jwt(w: &World, caller: Caller) -> Tokens {
    let code = w.code_for(&Ask::of(caller).with("resource", JWT_API)).await;
    w.redeem(caller, &code).await.tokens()
}

// spec: REV-01
#[tokio::test]
async fn the_metadata_name_the_endpoint_unless_told_not_to() {
    let metadata = "/.well-known/oauth-authorization-server";
    let w = on_memory().await;
    assert_eq!(w.get(metadata).await.member("revocation_endpoint"), format!("{ISSUER}/revoke"));
    let w = on_memory_with(|builder| builder.revocation(|set| set.advertise = false)).await;
    let quiet = w.get(metadata).await.json();
    assert!(quiet.as_object().unwrap().keys().all(|name| !name.starts_with("revocation")), "{quiet}");
    let token = w.tokens(APP).await.access;
    w.revoke(APP, &token).await.is_revoked();
}

// spec: REV-01
#[tokio::test]
async fn the_endpoint_may_have_a_query_but_reads_the_body_alone() {
    let w = on_memory().await;
    let token = w.tokens(APP).await.access;
    w.post(&format!("/revoke?token={token}"), APP, &[]).await.is_refused(400, "invalid_request");
    w.post("/revoke?client_id=app", Caller::Nobody, &[("token", &token)]).await.is_refused(401, "invalid_client");
    assert!(w.lives(&token).await);
    w.post("/revoke?tenant=1", APP, &[("token", &token)]).await.is_revoked();
    assert!(!w.lives(&token).await);
}

// spec: REV-02, REV-21
#[tokio::test]
async fn only_post_revokes() {
    let w = on_memory().await;
    let token = w.tokens(APP).await.access;
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
        let mut request = post("/revoke", APP, &[("token", &token)]);
        *request.method_mut() = method.parse().unwrap();
        let answer = w.send(request).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "POST"));
        answer.is_not_kept();
    }
    let request = Request::builder().method(Method::GET).uri(format!("/revoke?client_id=app&token={token}&callback=f"));
    assert_eq!(w.send(request.body(Default::default()).unwrap()).await.status, 405);
    assert!(w.lives(&token).await);
    w.post("/revoke", APP, &[("token", &token), ("callback", "pkg.fn")]).await.is_revoked();
}

// spec: REV-03
#[tokio::test]
async fn the_token_is_there_once() {
    let w = on_memory().await;
    let token = w.tokens(APP).await.access;
    for bad in [&[][..], &[("token", "")], &[("token", &token), ("token", &token)], &[("token", &token), ("token", "")]]
    {
        w.post("/revoke", APP, bad).await.is_refused(400, "invalid_request");
    }
    assert!(w.lives(&token).await);
}

// spec: REV-04
#[tokio::test]
async fn a_hint_never_changes_the_outcome() {
    on_every_store(async |w| {
        for hint in ["access_token", "refresh_token", "nonsense", ""] {
            let (first, second) = (w.tokens(APP).await, jwt(&w, APP).await);
            for access in [&first.access, &second.access] {
                w.post("/revoke", APP, &[("token", access), ("token_type_hint", hint)]).await.is_revoked();
                assert!(!w.lives(access).await, "{hint}");
            }
            let refresh = first.refresh.unwrap();
            w.post("/revoke", APP, &[("token", &refresh), ("token_type_hint", hint)]).await.is_revoked();
            w.refresh(APP, &refresh).await.is_refused(400, "invalid_grant");
        }
    })
    .await;
}

// spec: REV-05, REV-06
#[tokio::test]
async fn a_confidential_client_authenticates_and_a_public_one_names_itself() {
    let w = on_memory().await;
    let token = w.tokens(WEB).await.access;
    for impostor in [Caller::Nobody, Caller::Public("web"), Caller::Basic("web", "wrong"), Caller::Post("web", "x")] {
        w.revoke(impostor, &token).await.is_refused(401, "invalid_client");
    }
    assert!(w.lives(&token).await);
    w.revoke(WEB, &token).await.is_revoked();
    let token = w.tokens(APP).await.access;
    w.revoke(Caller::Nobody, &token).await.is_refused(401, "invalid_client");
    w.revoke(APP, &token).await.is_revoked();
}

// spec: REV-07
#[tokio::test]
async fn another_clients_token_is_refused_and_stays_alive() {
    on_every_store(async |w| {
        let (opaque, jwt) = (w.tokens(APP).await, jwt(&w, APP).await);
        for stranger in [OTHER_APP, WEB, AUDITOR] {
            for token in [&opaque.access, &jwt.access, opaque.refresh.as_ref().unwrap()] {
                w.revoke(stranger, token).await.is_refused(400, "invalid_grant");
            }
        }
        assert!(w.lives(&opaque.access).await && w.lives(&jwt.access).await);
        w.refresh(APP, &opaque.refresh.unwrap()).await.tokens();
    })
    .await;
}

// spec: REV-08
#[tokio::test]
async fn a_token_that_is_already_invalid_is_revoked_with_200() {
    on_every_store(async |w| {
        let (tokens, jwt) = (w.tokens(APP).await, jwt(&w, APP).await);
        let unknown = World::codec().mint(TokenKind::Access, GrantId::from_bytes([3; 16]), 0, &SystemRandom).unwrap();
        for junk in ["x", "\u{0}", &tokens.access[1..], &jwt.access[1..], "a.b.c", unknown.text.expose()] {
            w.revoke(APP, junk).await.is_revoked();
        }
        w.clock.advance(300);
        w.revoke(APP, &tokens.access).await.is_revoked();
        w.revoke(APP, &jwt.access).await.is_revoked();
        let refresh = tokens.refresh.unwrap();
        for _ in 0..3 {
            w.revoke(APP, &refresh).await.is_revoked();
        }
        w.clock.advance(40 * 86_400);
        w.server.maintain().await.unwrap();
        for token in [&tokens.access, &jwt.access, &refresh] {
            w.revoke(APP, token).await.is_revoked();
        }
    })
    .await;
}

// spec: REV-09, REV-10, REV-12, REV-14
#[tokio::test]
async fn revoking_a_refresh_token_revokes_its_access_tokens_at_once() {
    on_every_store(async |w| {
        let first = jwt(&w, APP).await;
        let second = w.refresh(APP, &first.refresh.unwrap()).await.tokens();
        let other = w.tokens(APP).await;
        let refresh = second.refresh.unwrap();
        w.revoke(APP, &refresh).await.is_revoked();
        assert!(!w.lives(&first.access).await && !w.lives(&second.access).await);
        w.refresh(APP, &refresh).await.is_refused(400, "invalid_grant");
        assert!(w.lives(&other.access).await, "another grant of the same user and client");
        assert_eq!(w.events.count("grant_revoked"), 1);
    })
    .await;
}

// spec: REV-27
#[tokio::test]
async fn a_rotated_out_refresh_token_revokes_its_grant_too() {
    on_every_store(async |w| {
        let first = w.tokens(APP).await.refresh.unwrap();
        let second = w.refresh(APP, &first).await.tokens();
        w.clock.advance(1000);
        w.revoke(APP, &first).await.is_revoked();
        w.refresh(APP, &second.refresh.unwrap()).await.is_refused(400, "invalid_grant");
    })
    .await;
}

// spec: REV-09, REV-10, REV-13, REV-14
#[tokio::test]
async fn revoking_an_access_token_leaves_its_grant_alive() {
    on_every_store(async |w| {
        for tokens in [w.tokens(APP).await, jwt(&w, APP).await] {
            w.revoke(APP, &tokens.access).await.is_revoked();
            assert!(!w.lives(&tokens.access).await);
            w.refresh(APP, &tokens.refresh.unwrap()).await.tokens();
        }
    })
    .await;
}

// spec: REV-13
#[tokio::test]
async fn revoking_an_access_token_ends_the_grant_where_the_policy_says_so() {
    on_every_store_with(
        |builder| builder.revocation(|set| set.access_revokes_grant = true),
        async |w| {
            for tokens in [w.tokens(APP).await, jwt(&w, APP).await] {
                w.revoke(APP, &tokens.access).await.is_revoked();
                assert!(!w.lives(&tokens.access).await);
                w.refresh(APP, &tokens.refresh.unwrap()).await.is_refused(400, "invalid_grant");
            }
        },
    )
    .await;
}

// spec: REV-11
#[tokio::test]
async fn where_access_tokens_cannot_be_revoked_the_client_is_told() {
    let refresh_only = |builder: AuthorizationServerBuilder| builder.revocation(|set| set.access_tokens = false);
    on_every_store_with(refresh_only, async |w| {
        for tokens in [w.tokens(APP).await, jwt(&w, APP).await] {
            w.revoke(APP, &tokens.access).await.is_refused(400, "unsupported_token_type");
            assert!(w.lives(&tokens.access).await);
            w.revoke(APP, &tokens.refresh.unwrap()).await.is_revoked();
            assert!(!w.lives(&tokens.access).await);
        }
    })
    .await;
}

// spec: REV-16
#[tokio::test]
async fn a_store_that_fails_is_503_and_the_token_still_lives() {
    on_every_store(async |w| {
        let tokens = w.tokens(APP).await;
        let refresh = tokens.refresh.unwrap();
        w.store.set_down(true);
        w.revoke(APP, &tokens.access).await.is_unavailable();
        w.revoke(APP, &refresh).await.is_unavailable();
        w.store.set_down(false);
        assert!(w.lives(&tokens.access).await);
        // What the store did is done, even if nobody heard of it.
        w.store.lose_the_answer_of("revoke_grant");
        w.revoke(APP, &refresh).await.is_unavailable();
        w.revoke(APP, &refresh).await.is_revoked();
        assert!(!w.lives(&tokens.access).await);
    })
    .await;
}

// spec: REV-17
#[tokio::test]
async fn any_other_fault_is_a_token_error() {
    let w = on_memory().await;
    let token = w.tokens(APP).await.access;
    for (content_type, body) in [
        ("application/json", format!(r#"{{"client_id":"app","token":"{token}"}}"#)),
        ("text/plain", format!("client_id=app&token={token}")),
        ("application/x-www-form-urlencoded", format!("client_id=app&token={token}&x=%zz")),
    ] {
        let request = Request::post("/revoke").header("content-type", content_type).body(body.into()).unwrap();
        w.send(request).await.is_refused(400, "invalid_request");
    }
    assert!(w.lives(&token).await);
}

// spec: REV-18
#[tokio::test]
async fn only_https_is_published_but_a_cleartext_twin_still_revokes() {
    let w = on_memory().await;
    let published = w.get("/.well-known/oauth-authorization-server").await.member("revocation_endpoint");
    assert!(published.as_str().unwrap().starts_with("https://"));
    let token = w.tokens(APP).await.access;
    // A listener of its own, that serves nothing else.
    let twin = AuthorizationServerService::new(w.server.clone()).endpoint(Endpoint::Revoke);
    let request = post("http://as.example/revoke", APP, &[("token", &token)]).map(http_body_util::Full::new);
    assert_eq!(twin.oneshot(request).await.unwrap().status(), 200);
    assert!(!w.lives(&token).await);
}
