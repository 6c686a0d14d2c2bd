//! Party B between taking a code and redeeming it: killed, or in vain.

use super::{pair::Pair, *};

// spec: TOK-54
#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_was_taken_is_redeemed_by_whoever_starts_after_a_crash() {
    let mut pair = Pair::asleep([None, None], "retries = 10");
    pair.start().await;
    let (tokens, _) = pair.first_flow().await;
    // A's token endpoint cannot be reached; the code is safe all the same.
    pair.connect(&tokens.access, "albums:read").await;
    let held = pair.b.comes_to(|held| held["queued"] == 1).await;
    assert_eq!(held["tokens"].as_array().unwrap().len(), 0);
    pair.b.counts_to("reciprocal_deferred", 1).await;
    pair.b.kill();
    pair.before_a.open().await;
    assert!(pair.before_a.seen().is_empty());
    pair.b.start();
    pair.b.comes_to_hold("albums:read").await;
    assert_eq!(pair.before_a.fields("code"), pair.before_b.fields("code"));
    assert_eq!(pair.a.albums("GET", &pair.token_of_b()).await, 200);
    let token = pair.token_of_b();
    pair.end_in_silence(&[&tokens.access, &token]);
}

// spec: TOK-54
#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_cannot_be_redeemed_is_discarded_in_the_end_and_the_operator_hears_of_it() {
    let mut pair = Pair::asleep([None, None], "retries = 1\nretry_seconds = 1");
    pair.start().await;
    let (tokens, _) = pair.first_flow().await;
    pair.connect(&tokens.access, "albums:read").await;
    pair.b.comes_to(|held| held["queued"] == 1).await;
    let held = pair.b.comes_to(|held| held["queued"] == 0).await;
    assert_eq!(held["tokens"].as_array().unwrap().len(), 0);
    let events = [pair.b.count("reciprocal_deferred").await, pair.b.count("reciprocal_abandoned").await];
    assert_eq!(events, [1, 1]);

    // One that A refuses is not tried again.
    pair.before_a.open().await;
    let junk = [("grant_type", URN), ("code", "junk-4Tz"), ("client_id", "peer-a"), ("access_token", &*tokens.access)];
    pair.b.remote.token(PEER, &junk).await.is_taken_in();
    pair.b.counts_to("reciprocal_abandoned", 2).await;
    assert_eq!((pair.before_a.fields("code"), pair.before_a.seen()[0].status.as_u16()), (vec!["junk-4Tz".into()], 400));
    let told = pair.b.end();
    for why in ["Exhausted", "Refused"] {
        assert!(told.lines().any(|line| line.contains("WARN") && line.contains("discarded") && line.contains(why)));
    }
    for secret in ["junk-4Tz", &*tokens.access] {
        assert!(!told.contains(secret), "{secret}");
    }
}
