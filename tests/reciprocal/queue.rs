//! Codes that wait at party B.

use oauth_core::{clock::Clock, engine::reciprocal::ReciprocalOutcome, secret::RootSecret, server::BuildError};

use super::*;

// spec: TOK-54
#[tokio::test]
async fn a_failed_redemption_is_tried_again_twice_as_late_each_time_and_then_given_up() {
    on_every_store_with(party_b, async |w| {
        let link = queued(&w, "a-code").await;
        w.events.take();
        for (attempt, pause) in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16)] {
            let task = next(&w).await.unwrap();
            assert_eq!((task.attempts, task.code.expose()), (attempt, "a-code"));
            let again = b(&w).failed(&task).await.unwrap();
            assert_eq!(again, Some(w.clock.now().saturating_add(pause)));
            w.clock.advance(pause - 1);
            assert!(next(&w).await.is_none(), "too early");
            w.clock.advance(1);
        }
        let last = next(&w).await.unwrap();
        assert_eq!((last.attempts, b(&w).failed(&last).await.unwrap()), (6, None));
        assert_eq!((next(&w).await.is_none(), b(&w).queued().await.unwrap(), held(&w).await), (true, 0, None));
        let events = w.events.take();
        assert_eq!(events.iter().filter(|event| event.starts_with("reciprocal_deferred ")).count(), 5);
        let end = format!("reciprocal_abandoned ReciprocalAbandoned {{ link: {link:?}, why: Exhausted }}");
        assert_eq!(events.last(), Some(&end));
    })
    .await;
}

// spec: TOK-54
#[tokio::test]
async fn a_code_that_the_other_party_refuses_is_discarded_at_once_and_said_to_the_operator() {
    on_every_store_with(party_b, async |w| {
        queued(&w, "a-code").await;
        b(&w).redeemed(&next(&w).await.unwrap(), &granted("first")).await.unwrap();
        queued(&w, "bad-code").await;
        b(&w).refused(&next(&w).await.unwrap()).await.unwrap();
        w.clock.advance(30);
        assert!(next(&w).await.is_none());
        let events = w.events.all();
        let end = events.iter().find(|event| event.starts_with("reciprocal_abandoned ")).unwrap();
        assert!(end.contains("alice") && end.contains("peer-a") && end.contains("why: Refused"), "{end}");
        assert_eq!(held(&w).await.unwrap(), "first", "what there was stays");
    })
    .await;
}

// spec: TOK-54
#[tokio::test]
async fn a_code_is_not_tried_any_more_once_it_must_have_expired() {
    let w = on_memory_with(party_b).await;
    queued(&w, "a-code").await;
    let task = next(&w).await.unwrap();
    assert_eq!(task.expires_at, w.clock.now().saturating_add(600));
    w.clock.advance(600);
    assert!(next(&w).await.is_none());
    let abandoned = |w: &World| w.events.all().iter().filter(|event| event.contains("why: Expired")).count();
    assert_eq!(abandoned(&w), 1);
    // Nor is it put off until then.
    queued(&w, "b-code").await;
    let task = next(&w).await.unwrap();
    w.clock.advance(599);
    assert_eq!((b(&w).failed(&task).await.unwrap(), abandoned(&w)), (None, 2));
}

// spec: TOK-54
#[tokio::test]
async fn a_node_that_dies_with_a_code_in_its_hands_leaves_it_to_the_next() {
    on_every_store_with(party_b, async |w| {
        queued(&w, "a-code").await;
        // Another process, which has just started.
        let other = w.another(party_b).await.unwrap();
        assert!(b(&w).next(30).await.unwrap().is_some());
        assert!(next(&other).await.is_none(), "one at a time");
        w.clock.advance(30);
        let task = next(&other).await.unwrap();
        assert_eq!((task.attempts, task.code.expose()), (2, "a-code"));
        assert!(matches!(
            b(&other).redeemed(&task, &granted("first")).await.unwrap(),
            ReciprocalOutcome::Stored { replaced: None }
        ));
        assert_eq!(held(&w).await.unwrap(), "first");
    })
    .await;
}

// spec: TOK-54
#[tokio::test]
async fn whoever_dies_of_a_code_does_so_a_bounded_number_of_times() {
    let w = on_memory_with(|builder| party_b_with(builder, |settings| settings.retries = 2)).await;
    queued(&w, "a-code").await;
    for _ in 0..3 {
        assert!(next(&w).await.is_some());
        w.clock.advance(30);
    }
    assert!(next(&w).await.is_none());
    assert!(w.events.all().last().unwrap().contains("why: Exhausted"));
}

// spec: TOK-54
#[tokio::test]
async fn a_queue_outlives_the_change_of_the_root_secret_and_of_the_peers() {
    on_every_store_with(party_b, async |w| {
        queued(&w, "a-code").await;
        let rotated = RootSecret::new([8; 32]).with_previous([7; 32]);
        let new = w.another(|builder| party_b(builder.root_secret(rotated.clone()))).await.unwrap();
        let task = next(&new).await.unwrap();
        assert_eq!(task.code.expose(), "a-code");
        b(&new).redeemed(&task, &granted("first")).await.unwrap();
        assert_eq!(held(&new).await.unwrap(), "first");
        assert!(b(&w).tokens(&link(Some("alice"))).await.is_err(), "a fault, not nothing");
        // A node that has yet to hear of the new root secret, or of the peer, leaves a code to one that has.
        let alone = w.another(|builder| builder.client(peer(PEER)).reciprocal(|_| ())).await.unwrap();
        for (stale, why) in [(&w, "why: Unreadable"), (&alone, "why: NoPeer")] {
            for code in ["b-code", "c-code"] {
                queued(&new, code).await;
                assert!(next(stale).await.is_none());
                w.clock.advance(30);
                assert_eq!(next(&new).await.unwrap().code.expose(), code);
            }
            assert_eq!(w.events.count("reciprocal_abandoned"), 0);
            w.clock.advance(600);
            assert!(next(stale).await.is_none());
            assert!(w.events.take().last().unwrap().contains(why));
        }
    })
    .await;
}

#[tokio::test]
async fn settings_that_cannot_be_meant_are_found_before_the_first_request() {
    let w = on_memory().await;
    let build = async |set: fn(&mut ReciprocalSettings)| {
        let error = w.another(|builder| builder.reciprocal(set)).await.err();
        error.map(|error: BuildError| error.to_string()).unwrap_or_default()
    };
    assert_eq!(build(|_| ()).await, "");
    assert_eq!(build(|s| s.code_lifetime = 601).await, "reciprocal.code_lifetime: out of bounds");
    assert_eq!(build(|s| s.code_lifetime = 0).await, "reciprocal.code_lifetime: out of bounds");
    assert_eq!(build(|s| s.retries = 21).await, "reciprocal.retries: out of bounds");
    assert_eq!(build(|s| s.retry_seconds = 0).await, "reciprocal.retry_seconds: out of bounds");
    assert_eq!(build(|s| s.retry_seconds = 3601).await, "reciprocal.retry_seconds: out of bounds");
    assert_eq!(build(|s| s.tokens_kept = 0).await, "reciprocal.tokens_kept: out of bounds");
    let twice = build(|s| (0..2).for_each(|_| s.peer(PEER.client_id(), Scope::empty()))).await;
    assert_eq!(twice, "reciprocal.peers: `peer-a` is named twice");
}
