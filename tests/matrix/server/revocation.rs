//! Signing out by revocation, as the profile has it: cases 52 to 58.

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
    let tokens = sign_in(&w, &ask(ELEMENT)).await;
    let wrong = Caller::Basic(AUDITOR.id(), "wrong");
    w.revoke(wrong, &tokens.access).await.is_refused(401, "invalid_client");
    assert!(is_live(&w, &tokens.access).await);
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
