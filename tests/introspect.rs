//! `POST /introspect`: what a token means, to those who may know (RFC 7662).

mod signed;

use oauth_core::{
    clock::SystemRandom,
    token::{GrantId, TokenKind},
};

use crate::support::*;

/// A token of `caller` for both resources.
async fn for_both(w: &World, caller: Caller) -> Tokens {
    let ask = Ask::of(caller).with("scope", "read admin").and("resource", API).and("resource", OTHER_API);
    w.redeem(caller, &w.code_for(&ask).await).await.tokens()
}

// spec: INT-01
#[tokio::test]
async fn the_token_is_in_the_form_of_a_post() {
    let w = on_memory().await;
    let token = w.tokens(APP).await.access;
    for method in ["GET", "HEAD", "PUT", "OPTIONS"] {
        let mut request = post(&format!("/introspect?token={token}"), AUDITOR, &[("token", &token)]);
        *request.method_mut() = method.parse().unwrap();
        let answer = w.send(request).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "POST"));
    }
    for bad in [&[][..], &[("token", "")], &[("token", &token), ("token", &token)]] {
        w.post(&format!("/introspect?token={token}"), AUDITOR, bad).await.is_refused(400, "invalid_request");
    }
    for hint in ["access_token", "refresh_token", "nonsense"] {
        let answer = w.post("/introspect", AUDITOR, &[("token", &token), ("token_type_hint", hint)]).await;
        assert_eq!(answer.member("active"), true);
    }
}

// spec: INT-02
#[tokio::test]
async fn the_caller_must_authenticate() {
    let w = on_memory().await;
    let token = w.tokens(APP).await.access;
    let nobody = [Caller::Nobody, APP, Caller::Public("api"), Caller::Basic("api", "wrong"), Caller::Basic("x", "y")];
    for caller in nobody {
        w.introspect(caller, &token).await.is_refused(401, "invalid_client");
    }
    w.introspect(WEB, &token).await.is_inactive();
}

// spec: INT-03
#[tokio::test]
async fn whatever_is_not_active_is_only_that() {
    on_every_store(async |w| {
        let revoked = w.tokens(APP).await;
        w.revoke(APP, &revoked.access).await.is_revoked();
        w.revoke(APP, revoked.refresh.as_ref().unwrap()).await.is_revoked();
        let ended = w.tokens(APP).await;
        let unknown = World::codec().mint(TokenKind::Access, GrantId::from_bytes([3; 16]), 0, &SystemRandom).unwrap();
        let code = w.code(APP).await;
        for caller in [AUDITOR, RESOURCE_SERVER, WEB] {
            for token in
                ["x", "a.b.c", &revoked.access, &revoked.refresh.clone().unwrap(), unknown.text.expose(), &code]
            {
                w.introspect(caller, token).await.is_inactive();
            }
        }
        w.clock.advance(300);
        w.introspect(AUDITOR, &ended.access).await.is_inactive();
        let elsewhere = w.code_for(&Ask::of(APP).with("resource", OTHER_API)).await;
        let elsewhere = w.redeem(APP, &elsewhere).await.tokens();
        w.introspect(RESOURCE_SERVER, &elsewhere.access).await.is_inactive();
    })
    .await;
}

// spec: INT-03
#[tokio::test]
async fn a_store_that_fails_is_503_and_not_inactive() {
    on_every_store(async |w| {
        let token = w.tokens(APP).await.access;
        w.store.set_down(true);
        w.introspect(AUDITOR, &token).await.is_unavailable();
        w.store.set_down(false);
        assert!(w.lives(&token).await);
    })
    .await;
}

// spec: INT-04
#[tokio::test]
async fn an_active_token_says_what_it_is() {
    on_every_store(async |w| {
        let now = w.server.now().0;
        let mut grants = std::collections::HashSet::new();
        for resource in [API, JWT_API] {
            let code = w.code_for(&Ask::of(APP).with("resource", resource).and("scope", "write read")).await;
            let token = w.redeem(APP, &code).await.tokens().access;
            let known = w.introspect(AUDITOR, &token).await.json();
            let jti = known["jti"].as_str().unwrap();
            assert!(!jti.is_empty() && !token.contains(jti) || resource == JWT_API);
            let grant = known["grant_ref"].as_str().unwrap();
            assert!(!token.contains(grant) && grants.insert(grant.to_owned()));
            let expected = serde_json::json!({
                "active": true, "token_type": "Bearer", "client_id": "app", "sub": "alice", "iss": ISSUER,
                "aud": resource, "scope": "write read", "iat": now, "exp": now + 300, "jti": jti,
                "grant_ref": grant,
            });
            assert_eq!(known, expected);
        }
    })
    .await;
}

// spec: INT-05
#[tokio::test]
async fn the_answer_is_cut_to_what_concerns_the_caller() {
    on_every_store(async |w| {
        let token = for_both(&w, APP).await.access;
        let whole = w.introspect(AUDITOR, &token).await.json();
        assert_eq!((&whole["aud"], &whole["scope"]), (&serde_json::json!([API, OTHER_API]), &"read admin".into()));
        let cut = w.introspect(RESOURCE_SERVER, &token).await.json();
        assert_eq!((&cut["aud"], &cut["scope"]), (&API.into(), &"read".into()));
        w.introspect(WEB, &token).await.is_inactive();
        let own = for_both(&w, WEB).await.access;
        assert_eq!(w.introspect(WEB, &own).await.member("scope"), "read admin");
    })
    .await;
}

// spec: INT-05
#[tokio::test]
async fn a_refresh_token_is_for_its_client_alone() {
    on_every_store(async |w| {
        let first = w.tokens(WEB).await.refresh.unwrap();
        for stranger in [AUDITOR, RESOURCE_SERVER, FORM] {
            w.introspect(stranger, &first).await.is_inactive();
        }
        let known = w.introspect(WEB, &first).await.json();
        assert_eq!((&known["active"], &known["token_type"]), (&true.into(), &serde_json::Value::Null));
        assert_eq!(known["exp"], w.server.now().0 + 7 * 86_400);
        let second = w.refresh(WEB, &first).await.tokens().refresh.unwrap();
        w.introspect(WEB, &first).await.is_inactive();
        assert_eq!(w.introspect(WEB, &second).await.member("active"), true);
        w.clock.advance(7 * 86_400);
        w.introspect(WEB, &second).await.is_inactive();
    })
    .await;
}

#[tokio::test]
async fn looking_changes_nothing() {
    on_every_store(async |w| {
        let first = w.tokens(WEB).await.refresh.unwrap();
        let second = w.refresh(WEB, &first).await.tokens();
        for token in [&first, second.refresh.as_ref().unwrap(), &second.access] {
            w.introspect(WEB, token).await.json();
            w.introspect(AUDITOR, token).await.json();
        }
        // Least of all the window in which a retry is answered.
        assert_eq!(w.refresh(WEB, &first).await.tokens(), second);
    })
    .await;
}

// spec: INT-07
#[tokio::test]
async fn a_client_that_guesses_is_told_to_wait_and_a_resource_server_is_not() {
    let w = on_memory().await;
    let token = w.tokens(WEB).await.access;
    for _ in 0..60 {
        w.introspect(WEB, "guess").await.is_inactive();
    }
    let told = w.introspect(WEB, "guess").await;
    assert_eq!((told.status.as_u16(), told.headers.contains_key("retry-after")), (429, true), "{told}");
    assert_eq!(w.introspect(WEB, &token).await.json()["active"], true, "its own tokens are no guess");
    for _ in 0..100 {
        w.introspect(AUDITOR, "what a stranger sent").await.is_inactive();
    }
    w.clock.advance(60);
    w.introspect(WEB, "guess").await.is_inactive();
}

// spec: INT-03, INT-07
#[tokio::test]
async fn what_was_issued_to_others_counts_and_sounds_as_what_was_never_issued() {
    let w = on_memory().await;
    let jwt = w.code_for(&Ask::of(APP).with("resource", JWT_API)).await;
    let jwt = w.redeem(APP, &jwt).await.tokens().access;
    let (live, revoked) = (w.tokens(APP).await, w.tokens(APP).await);
    w.revoke(APP, revoked.refresh.as_ref().unwrap()).await.is_revoked();
    let forged = World::codec().mint(TokenKind::Access, GrantId::from_bytes([3; 16]), 0, &SystemRandom).unwrap();
    let (code, own) = (w.code(APP).await, w.tokens(WEB).await.access);
    let (refresh, ended) = (live.refresh.as_deref().unwrap(), revoked.refresh.as_deref().unwrap());
    let of_others = [&*live.access, &jwt, refresh, &revoked.access, ended, &code];
    let of_nobody = ["guess", "a.b.c", forged.text.expose()];
    let all = || of_others.into_iter().chain(of_nobody);
    let ask = async |token: &str| {
        let answer = w.introspect(WEB, token).await;
        (answer.status.as_u16(), answer.headers, answer.body)
    };
    let nothing = ask("guess").await;
    for token in all().cycle().take(59) {
        assert_eq!(ask(token).await, nothing, "{token}");
    }
    let late = ask("guess").await;
    assert!(nothing.0 == 200 && late.0 == 429, "{nothing:?} {late:?}");
    for token in all() {
        assert_eq!(ask(token).await, late, "{token}");
    }
    assert_eq!(w.introspect(WEB, &own).await.json()["active"], true, "what it may see");
    // And each of them counts as any other.
    for token in of_others {
        w.clock.advance(60);
        for _ in 0..60 {
            assert_eq!(ask(token).await, nothing, "{token}");
        }
        assert_eq!(ask("guess").await.0, 429, "{token}");
    }
}

// spec: INT-07
#[tokio::test]
async fn the_endpoint_is_https_and_its_answers_are_kept_by_nobody() {
    let w = on_memory().await;
    let endpoint = w.get("/.well-known/oauth-authorization-server").await.member("introspection_endpoint");
    assert_eq!(endpoint, format!("{ISSUER}/introspect"));
    let token = w.tokens(APP).await.access;
    w.introspect(AUDITOR, &token).await.is_not_kept();
    w.introspect(AUDITOR, "x").await.is_inactive();
    // A scan by guessing meets the keyed tag, never the store.
    let calls = w.store.calls();
    for number in 0..100 {
        w.introspect(AUDITOR, &token.replace("oat_", &format!("oat_{number}"))).await.is_inactive();
        w.introspect(AUDITOR, &format!("{}{number}", &token[..token.len() - 3])).await.is_inactive();
    }
    assert_eq!(w.store.calls(), calls);
}
