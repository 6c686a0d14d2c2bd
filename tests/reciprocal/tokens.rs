//! What party B gets and keeps.

use oauth_core::{clock::Clock, engine::reciprocal::ReciprocalOutcome};

use super::*;

/// Redeems the next code: A answers with `access`.
async fn redeem(w: &World, access: &str) -> ReciprocalOutcome {
    b(w).redeemed(&next(w).await.unwrap(), &granted(access)).await.unwrap()
}

fn replaced(outcome: ReciprocalOutcome) -> Option<String> {
    let ReciprocalOutcome::Stored { replaced } = outcome else { panic!("{outcome:?}") };
    replaced.map(|old| old.response.refresh_token.unwrap().expose().to_owned())
}

// spec: TOK-54
#[tokio::test]
async fn the_tokens_are_linked_to_the_user_behind_the_access_token_and_the_host_is_given_them() {
    let host = Host::default();
    let set = |builder: AuthorizationServerBuilder| party_b_with(builder, |settings| settings.tokens(host.clone()));
    on_every_store_with(set, async |w| {
        let link = queued(&w, "a-code").await;
        assert_eq!((replaced(redeem(&w, "first").await), w.events.count("reciprocal_redeemed")), (None, 1));
        assert_eq!(std::mem::take(&mut *host.heard.lock().unwrap()), [(link.clone(), "first".to_owned())]);
        let tokens = b(&w).tokens(&link).await.unwrap().unwrap();
        assert_eq!((tokens.response, tokens.scope), (granted("first"), scope("speaker:announce")));
        assert_eq!(tokens.expires_at, Some(w.clock.now().saturating_add(300)));
        assert!(b(&w).tokens(&super::link(None)).await.unwrap().is_none());
        let listed = b(&w).list(None, 10).await.unwrap().items;
        assert_eq!((listed.len(), &listed[0].link, &listed[0].scope), (1, &link, &scope("speaker:announce")));
        assert_eq!(b(&w).queued().await.unwrap(), 0);
    })
    .await;
}

// spec: TOK-54
#[tokio::test]
async fn a_host_that_fails_loses_nothing() {
    let host = Host::default();
    host.fails.store(true, Ordering::Relaxed);
    let set = |builder: AuthorizationServerBuilder| party_b_with(builder, |settings| settings.tokens(host.clone()));
    let w = on_memory_with(set).await;
    queued(&w, "a-code").await;
    redeem(&w, "first").await;
    assert_eq!((held(&w).await.as_deref(), w.events.count("fault")), (Some("first"), 1));
}

// spec: TOK-54
#[tokio::test]
async fn without_a_word_about_the_scope_it_is_what_was_asked_for() {
    let w = on_memory_with(party_b).await;
    let link = queued(&w, "a-code").await;
    let mut silent = granted("first");
    silent.scope = None;
    b(&w).redeemed(&next(&w).await.unwrap(), &silent).await.unwrap();
    assert_eq!(b(&w).tokens(&link).await.unwrap().unwrap().scope, scope(WISH));
}

// spec: TOK-56
#[tokio::test]
async fn a_later_code_for_the_same_user_and_client_replaces_the_earlier_grant_and_names_the_old_tokens() {
    on_every_store_with(party_b, async |w| {
        let link = queued(&w, "a-code").await;
        redeem(&w, "first").await;
        for (code, access, before, wanted) in [
            ("more-code", "second", "refresh-of-first", "speaker:announce speaker:volume"),
            ("fewer-code", "third", "refresh-of-second", "speaker:volume"),
        ] {
            queued(&w, code).await;
            assert_ne!(held(&w).await.as_deref(), Some(access), "the old ones stay until the new ones are there");
            let mut tokens = granted(access);
            tokens.scope = Some(scope(wanted));
            let outcome = b(&w).redeemed(&next(&w).await.unwrap(), &tokens).await.unwrap();
            assert_eq!(replaced(outcome).as_deref(), Some(before));
            let now = b(&w).tokens(&link).await.unwrap().unwrap();
            assert_eq!((now.response.access_token.expose(), now.scope), (access, scope(wanted)));
        }
        assert_eq!((w.events.count("reciprocal_updated"), b(&w).list(None, 10).await.unwrap().items.len()), (2, 1));
    })
    .await;
}

// spec: TOK-56
#[tokio::test]
async fn links_of_others_are_not_touched() {
    let w = on_memory_with(party_b).await;
    queued(&w, "a-code").await;
    redeem(&w, "of-alice").await;
    let own = w.token(PEER, &[("grant_type", "client_credentials")]).await.tokens().access;
    send(&w, PEER, "own-code", &own).await.is_taken_in();
    assert_eq!(replaced(redeem(&w, "of-the-client").await), None);
    let other = w.tokens(OTHER_PEER).await.access;
    send(&w, OTHER_PEER, "x-code", &other).await.is_taken_in();
    assert_eq!(replaced(redeem(&w, "of-alice-at-x").await), None);
    assert_eq!((held(&w).await.as_deref(), b(&w).list(None, 10).await.unwrap().items.len()), (Some("of-alice"), 3));
}

// spec: TOK-56
#[tokio::test]
async fn tokens_of_a_code_that_another_has_overtaken_are_not_stored() {
    on_every_store_with(party_b, async |w| {
        queued(&w, "a-code").await;
        let slow = next(&w).await.unwrap();
        queued(&w, "b-code").await;
        let quick = next(&w).await.unwrap();
        assert_eq!(quick.code.expose(), "b-code");
        let outcome = b(&w).redeemed(&slow, &granted("old")).await.unwrap();
        assert!(matches!(outcome, ReciprocalOutcome::Superseded), "{outcome:?}");
        b(&w).redeemed(&quick, &granted("new")).await.unwrap();
        // The answer was lost, and it is said again.
        let outcome = b(&w).redeemed(&quick, &granted("new")).await.unwrap();
        assert!(matches!(outcome, ReciprocalOutcome::Already), "{outcome:?}");
        assert_eq!(held(&w).await.as_deref(), Some("new"));
        assert!(b(&w).failed(&slow).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn of_two_that_refresh_one_succeeds_and_neither_overwrites_a_new_code() {
    on_every_store_with(party_b, async |w| {
        let link = queued(&w, "a-code").await;
        redeem(&w, "first").await;
        let before = b(&w).tokens(&link).await.unwrap().unwrap();
        let mut fresh = TokenResponse::new("second".into(), TokenType::Bearer, 300);
        let after = b(&w).refreshed(&before, &fresh).await.unwrap().unwrap();
        assert_eq!(after.response.refresh_token, before.response.refresh_token, "it goes on being good");
        assert_eq!(after.scope, scope("speaker:announce"));
        fresh.access_token = "third".into();
        assert!(b(&w).refreshed(&before, &fresh).await.unwrap().is_none(), "somebody was quicker");
        assert_eq!(held(&w).await.as_deref(), Some("second"));
        queued(&w, "b-code").await;
        redeem(&w, "fourth").await;
        assert!(b(&w).refreshed(&after, &fresh).await.unwrap().is_none(), "of an earlier code");
        assert_eq!(held(&w).await.as_deref(), Some("fourth"));
    })
    .await;
}

#[tokio::test]
async fn a_link_that_is_forgotten_has_no_tokens_and_no_code_and_gets_none() {
    on_every_store_with(party_b, async |w| {
        let link = queued(&w, "a-code").await;
        redeem(&w, "first").await;
        queued(&w, "b-code").await;
        let task = next(&w).await.unwrap();
        let old = b(&w).forget(&link).await.unwrap().unwrap();
        assert_eq!(old.response, granted("first"));
        assert!(held(&w).await.is_none() && b(&w).forget(&link).await.unwrap().is_none());
        let outcome = b(&w).redeemed(&task, &granted("late")).await.unwrap();
        assert!(matches!(outcome, ReciprocalOutcome::Superseded) && held(&w).await.is_none());
    })
    .await;
}

#[tokio::test]
async fn tokens_that_nobody_can_use_any_more_count_for_nothing() {
    let w = on_memory_with(|builder| party_b_with(builder, |settings| settings.tokens_kept = 1_000)).await;
    let link = queued(&w, "a-code").await;
    redeem(&w, "first").await;
    w.clock.advance(999);
    assert!(held(&w).await.is_some(), "the refresh token is good");
    w.clock.advance(1);
    assert!(held(&w).await.is_none());
    queued(&w, "b-code").await;
    let brief = TokenResponse::new("brief".into(), TokenType::Bearer, 300);
    b(&w).redeemed(&next(&w).await.unwrap(), &brief).await.unwrap();
    w.clock.advance(299);
    assert_eq!(b(&w).tokens(&link).await.unwrap().unwrap().response, brief);
    w.clock.advance(1);
    assert!(held(&w).await.is_none());
}
