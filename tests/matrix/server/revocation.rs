//! Signing out by revocation, as the profile has it: cases 52 to 58.

use oauth_core::store::sqlite::SqliteStore;

use super::*;

// spec: MTX-20
#[tokio::test]
async fn case_52_either_token_ends_the_session_at_once() {
    let w = world().await;
    let home = home(&w).await;
    for refresh in [false, true] {
        let tokens = sign_in(&w, &ask(ELEMENT)).await;
        is_user(&home.get(WHOAMI, &tokens.access).await, "@alice:example.org");
        let token = if refresh { tokens.refresh.as_ref().unwrap() } else { &tokens.access };
        assert_eq!(w.revoke(ELEMENT, token).await.status, 200);
        is_unknown(&home.get(WHOAMI, &tokens.access).await, false);
        is_dead(&w, &tokens).await;
        assert_eq!(w.server.devices_of("alice").await.unwrap(), []);
    }
}

// spec: MTX-20
#[tokio::test]
async fn case_53_it_does_not_matter_who_says_so() {
    let w = world().await;
    for caller in [Caller::Nobody, CINNY, Caller::Public("nobody-knows-me")] {
        let tokens = sign_in(&w, &ask(ELEMENT)).await;
        assert_eq!(w.revoke(caller, &tokens.access).await.status, 200, "{caller:?}");
        is_dead(&w, &tokens).await;
    }
}

// spec: MTX-20
#[tokio::test]
async fn case_54_who_shows_bad_credentials_is_refused() {
    let w = world().await;
    let tokens = sign_in(&w, &ask(ELEMENT)).await;
    for wrong in [
        Caller::Basic(AUDITOR.id(), "wrong"),
        Caller::Post(FORM.id(), "wrong"),
        Caller::Basic("nobody-knows-me", "wrong"),
        Caller::Post(ELEMENT.id(), "it-has-none"),
    ] {
        w.revoke(wrong, &tokens.access).await.is_refused(401, "invalid_client");
        assert!(is_live(&w, &tokens.access).await, "{wrong:?}");
    }
    assert_eq!(w.refresh(ELEMENT, tokens.refresh.as_ref().unwrap()).await.status, 200);
}

// spec: MTX-20
#[tokio::test]
async fn case_55_a_hint_may_be_wrong() {
    let w = world().await;
    for (refresh, hint) in [(false, "refresh_token"), (true, "access_token"), (false, "x"), (true, "x"), (true, "")] {
        let tokens = sign_in(&w, &ask(ELEMENT)).await;
        let token = if refresh { tokens.refresh.as_ref().unwrap() } else { &tokens.access };
        let params = [("token", &**token), ("token_type_hint", hint)];
        assert_eq!(w.post("/revoke", ELEMENT, &params).await.status, 200, "{params:?}");
        is_dead(&w, &tokens).await;
    }
}

// spec: MTX-20
#[tokio::test]
async fn case_56_an_expired_access_token_ends_the_session_too() {
    let w = world().await;
    let tokens = sign_in(&w, &ask(ELEMENT)).await;
    w.clock.advance(301);
    let hint = [("token", &*tokens.access), ("token_type_hint", "access_token")];
    assert_eq!(w.post("/revoke", ELEMENT, &hint).await.status, 200);
    is_dead(&w, &tokens).await;
}

// spec: MTX-20
#[tokio::test]
async fn case_57_a_token_that_is_none_is_gone_and_a_request_that_is_none_is_an_error() {
    let w = world().await;
    let dead = sign_in(&w, &ask(ELEMENT)).await;
    w.revoke(ELEMENT, &dead.access).await;
    let tokens = sign_in(&w, &ask(ELEMENT)).await;
    let mut unknown = tokens.access.clone();
    unknown.replace_range(10..11, if &unknown[10..11] == "0" { "1" } else { "0" });
    let long = "x".repeat(10_000);
    let gone =
        [&dead.access, dead.refresh.as_ref().unwrap(), &unknown, "mat_", "mat_x_y", "syt_old", "\u{e4}", " ", &long];
    for token in gone {
        let answer = w.revoke(ELEMENT, token).await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (200, "{}"), "{token:?}: {answer}");
        answer.is_not_kept();
    }
    let access = &*tokens.access;
    let absent: [&[(&str, &str)]; 4] =
        [&[], &[("token", "")], &[("token", access), ("token", access)], &[("TOKEN", access)]];
    for params in absent {
        w.post("/revoke", ELEMENT, params).await.is_refused(400, "invalid_request");
    }
    let form = "application/x-www-form-urlencoded";
    for (media_type, body) in [
        ("application/json", json!({ "token": access }).to_string().into_bytes()),
        ("text/plain", format!("token={access}").into_bytes()),
        ("", format!("token={access}").into_bytes()),
        (form, format!("token=%zz{access}").into_bytes()),
        (form, b"token=\xff\xfe".to_vec()),
    ] {
        let request = Request::post("/revoke").header(header::CONTENT_TYPE, media_type);
        let answer = w.send(request.body(Bytes::from(body)).unwrap()).await;
        answer.is_refused(400, "invalid_request");
        assert!(answer.json().get("errcode").is_none(), "{answer}");
    }
    assert!(is_live(&w, access).await);
}

/// As matrix-js-sdk signs out.
// spec: MTX-20
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn case_58_both_tokens_at_once_are_both_done() {
    let folder = Folder::new();
    let stores = [
        World::opaque(MemoryStore::default(), matrix).await,
        World::opaque(SqliteStore::open(folder.file()).await.unwrap(), matrix).await,
        World::opaque(store_at(&new_database().await).await, matrix).await,
    ];
    for w in stores {
        for _ in 0..10 {
            let tokens = sign_in(&w, &ask(ELEMENT)).await;
            let (world, both) = (w.clone(), [tokens.access.clone(), tokens.refresh.clone().unwrap()]);
            let answers = all_at_once(2, move |number| {
                let (w, token) = (world.clone(), both[number].clone());
                async move { w.revoke(ELEMENT, &token).await }
            });
            for answer in answers.await {
                assert_eq!(answer.status, 200, "{answer}");
            }
            is_dead(&w, &tokens).await;
        }
    }
}
