//! The lists of grants, one for each user, where they are made afterwards.

use std::collections::BTreeSet;

use oauth_core::{
    store::{Grant, GrantFacts, Grants},
    token::GrantId,
};

use crate::support::*;

/// More than a page of a listing, and of a list.
const MANY: usize = 250;

fn grant_of(subject: Option<&str>) -> Grant {
    let grant = fresh_grant();
    Grant { facts: GrantFacts { subject: subject.map(str::to_owned), ..grant.facts }, ..grant }
}

/// The keys of lists on this server.
fn lists(server: &Redis) -> Vec<String> {
    server.say(&["KEYS", "*:subject:*"]).lines().filter(|key| !key.is_empty()).map(str::to_owned).collect()
}

async fn ids_of(store: &impl Grants, subject: &str) -> BTreeSet<GrantId> {
    let grants = store.grants_of(subject.to_owned(), None, 2 * MANY).await.unwrap();
    grants.into_iter().map(|grant| grant.id).collect()
}

/// What a version wrote that knew no lists is as if they were there no more.
async fn are_listed(urls: Vec<String>, servers: &[Redis]) {
    let store = patient_redis(urls).build().await.unwrap();
    let (mut alice, mut bob) = (BTreeSet::new(), BTreeSet::new());
    for number in 0..MANY {
        let (subject, ids) = if number % 5 == 0 { ("bob", &mut bob) } else { ("alice", &mut alice) };
        let grant = grant_of(Some(subject));
        ids.insert(grant.id);
        store.insert_grant(grant.clone(), None).await.unwrap();
        if number % 50 == 0 {
            store.revoke_grant(grant.id, now()).await.unwrap();
        }
    }
    let nobodys = grant_of(None);
    store.insert_grant(nobodys.clone(), None).await.unwrap();
    for server in servers {
        for key in lists(server) {
            assert_eq!(server.say(&["DEL", &key]), ":1");
        }
    }
    assert!(ids_of(&store, "alice").await.is_empty() && ids_of(&store, "bob").await.is_empty());

    // A server may list one twice, and so may whoever asks again.
    for _ in 0..2 {
        assert!(store.list_earlier_grants().await.unwrap() >= MANY);
        assert_eq!(ids_of(&store, "alice").await, alice);
        assert_eq!(ids_of(&store, "bob").await, bob);
    }
    assert_eq!(servers.iter().map(|server| lists(server).len()).sum::<usize>(), 2, "nobody has no list");
    // In the order of their ids, a page at a time, each once; and what comes now is listed beside them.
    let new = grant_of(Some("alice"));
    alice.insert(new.id);
    store.insert_grant(new, None).await.unwrap();
    let (mut found, mut after) = (Vec::new(), None);
    while let Some(last) = store.grants_of("alice".to_owned(), after, 60).await.unwrap().last().map(|last| last.id) {
        let page = store.grants_of("alice".to_owned(), after, 60).await.unwrap();
        found.extend(page.into_iter().map(|grant| grant.id));
        after = Some(last);
    }
    assert!(found.iter().eq(&alice), "{} of {}", found.len(), alice.len());
}

#[tokio::test]
async fn grants_that_an_earlier_version_has_written_are_found_once_they_are_listed() {
    let server = Redis::start("");
    are_listed(vec![server.url()], std::slice::from_ref(&server)).await;
}

#[tokio::test]
async fn and_so_they_are_on_a_cluster() {
    let cluster = Cluster::start();
    // The others follow them.
    are_listed(cluster.urls(), &cluster.nodes[..3]).await;
}
