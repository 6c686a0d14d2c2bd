//! Refreshing: cases 31 and 48 to 51.

use super::*;

// spec: MTX-13, MTX-16
#[tokio::test]
async fn case_48_a_refresh_keeps_the_device_and_a_lost_response_is_repeated() {
    let w = world().await;
    let home = home(&w).await;
    let first = sign_in(&w, &ask(ELEMENT)).await.refresh.unwrap();
    let answer = w.refresh(ELEMENT, &first).await;
    assert_eq!(answer.member("scope"), SCOPE);
    let second = answer.tokens();
    w.clock.advance(120);
    assert_eq!(w.refresh(ELEMENT, &first).await.tokens(), second);
    let whoami = home.get(WHOAMI, &second.access).await;
    assert_eq!(whoami.member("device_id"), "ABCDEFGHIJ");
    // Not even by asking for less.
    let less = [
        ("grant_type", "refresh_token"),
        ("refresh_token", second.refresh.as_ref().unwrap()),
        ("scope", "urn:matrix:client:api:*"),
    ];
    let answer = w.token(ELEMENT, &less).await;
    assert_eq!(home.get(WHOAMI, &answer.tokens().access).await.member("device_id"), "ABCDEFGHIJ");
}

// spec: MTX-16
#[tokio::test]
async fn case_49_once_the_new_token_was_used_the_old_one_ends_the_session() {
    let w = world().await;
    let home = home(&w).await;
    let first = sign_in(&w, &ask(ELEMENT)).await.refresh.unwrap();
    let second = w.refresh(ELEMENT, &first).await.tokens();
    is_user(&home.get(WHOAMI, &second.access).await, "@alice:example.org");
    w.refresh(ELEMENT, &first).await.is_refused(400, "invalid_grant");
    is_unknown(&home.get(WHOAMI, &second.access).await, false);
    is_dead(&w, &second).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn case_50_refreshes_that_meet_lead_to_one_pair() {
    let w = world().await;
    let first = sign_in(&w, &ask(ELEMENT)).await.refresh.unwrap();
    let world = w.clone();
    let answers = all_at_once(8, move |_| {
        let (w, first) = (world.clone(), first.clone());
        async move { w.refresh(ELEMENT, &first).await }
    })
    .await;
    let pairs: Vec<Tokens> = answers.iter().map(Answer::tokens).collect();
    assert!(pairs.iter().all(|pair| pair.refresh == pairs[0].refresh));
}

#[tokio::test]
async fn case_51_another_client_has_no_use_of_it() {
    let w = world().await;
    let tokens = sign_in(&w, &ask(ELEMENT)).await;
    let refresh = tokens.refresh.unwrap();
    w.refresh(CINNY, &refresh).await.is_refused(400, "invalid_grant");
    assert!(is_live(&w, &tokens.access).await);
    assert_eq!(w.refresh(ELEMENT, &refresh).await.status, 200);
}

#[tokio::test]
async fn case_31_a_limit_is_never_the_end_of_a_session() {
    let w = world_with(|builder| builder.client_authentication(|how| how.failures_per_minute = 1)).await;
    let refresh = sign_in(&w, &ask(ELEMENT)).await.refresh.unwrap();
    let params = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    let wrong = Caller::Post(AUDITOR.id(), "wrong");
    let mut answer = w.token(wrong, &params).await;
    for _ in 0..50 {
        if answer.status == 503 {
            break;
        }
        assert_eq!(answer.status, 401, "{answer}");
        answer = w.token(wrong, &params).await;
    }
    assert_eq!(answer.status, 503, "{answer}");
    assert!(answer.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0));
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(w.refresh(ELEMENT, &refresh).await.status, 200);
}
