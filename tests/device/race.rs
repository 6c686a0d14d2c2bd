//! Everything happens once.

use oauth_core::store::{composite::Composite, memory::MemoryStore};

use super::*;

// spec: TOK-38
#[tokio::test(flavor = "multi_thread")]
async fn of_many_people_who_decide_at_once_one_does() {
    on_every_store_with(devices, async |w| {
        let codes = begin(&w, TV).await;
        let decided = all_at_once(8, |number| {
            let (w, codes) = (w.clone(), codes.clone());
            async move {
                let request = found(&w, &codes).await?;
                let outcome = match number % 2 {
                    0 => request.approve(Approval::new(format!("user-{number}"))).await,
                    _ => request.deny().await,
                };
                Some((number, outcome.unwrap()))
            }
        })
        .await;
        let decided: Vec<_> =
            decided.into_iter().flatten().filter(|(_, one)| *one == DeviceDecision::Decided).collect();
        assert_eq!(decided.len(), 1);
        let answer = poll(&w, TV, &codes).await;
        match decided[0].0 {
            user if user % 2 == 0 => {
                let told = w.introspect(AUDITOR, &answer.tokens().access).await.json();
                assert_eq!(told["sub"], format!("user-{user}"));
            }
            _ => answer.is_refused(400, "access_denied"),
        }
    })
    .await;
}

// spec: TOK-38
#[tokio::test(flavor = "multi_thread")]
async fn of_many_questions_at_once_one_gets_the_tokens() {
    on_every_store_with(devices, async |w| {
        let codes = begin(&w, TV).await;
        approve(&w, &codes).await;
        let answers = all_at_once(8, |_| {
            let (w, codes) = (w.clone(), codes.clone());
            async move { poll(&w, TV, &codes).await }
        })
        .await;
        let (good, bad): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!((good.len(), bad.len()), (1, 7));
        bad.iter().for_each(|answer| answer.is_refused(400, "invalid_grant"));
        // As with any code that was used twice.
        assert!(!w.lives(&good[0].tokens().access).await);
    })
    .await;
}

// spec: TOK-37
#[tokio::test(flavor = "multi_thread")]
async fn of_many_questions_at_once_one_is_not_too_soon() {
    on_every_store_with(devices, async |w| {
        let codes = begin(&w, TV).await;
        let answers = all_at_once(6, |_| {
            let (w, codes) = (w.clone(), codes.clone());
            async move { poll(&w, TV, &codes).await.member("error") }
        })
        .await;
        assert!(answers.iter().filter(|error| *error == "authorization_pending").count() <= 1, "{answers:?}");
        assert!(answers.iter().filter(|error| *error == "slow_down").count() >= 5, "{answers:?}");
    })
    .await;
}

/// Of two stores, the one may hold the grant of a yes that has not come through.
#[tokio::test]
async fn a_no_that_comes_before_a_yes_has_come_through_is_a_no() {
    let durable = WatchedStore::new(MemoryStore::default());
    let w = World::on(Composite::new(durable.clone(), MemoryStore::default()), devices).await;
    let codes = begin(&w, TV).await;
    let (yes, no) = (found(&w, &codes).await.unwrap(), found(&w, &codes).await.unwrap());
    durable.just_before("insert_grant", async move {
        assert_eq!(no.deny().await.unwrap(), DeviceDecision::Decided);
    });
    assert_eq!(yes.approve(Approval::new("alice")).await.unwrap(), DeviceDecision::Ended);
    poll(&w, TV, &codes).await.is_refused(400, "invalid_grant");

    // The node that says yes is lost after its first write.
    let codes = begin(&w, TV).await;
    let (yes, no) = (found(&w, &codes).await.unwrap(), found(&w, &codes).await.unwrap());
    durable.lose_the_answer_of("insert_grant");
    assert!(yes.approve(Approval::new("alice")).await.is_err());
    poll(&w, TV, &codes).await.is_refused(400, "authorization_pending");
    assert_eq!(no.deny().await.unwrap(), DeviceDecision::Decided);
    poll(&w, TV, &codes).await.is_refused(400, "invalid_grant");
}
