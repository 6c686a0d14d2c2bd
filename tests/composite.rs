//! PostgreSQL for what must last and Redis for what is short-lived, as one store: all that a store must do, and what is
//! lost with Redis.

use std::fs;

use oauth_core::store::{
    FinishInteraction, Grants, Interactions, StoreError,
    composite::Composite,
    conformance::{Nodes, Suite},
    memory::MemoryStore,
    sqlite::SqliteStore,
};

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_file_and_memory_are_as_one_store_is() {
    let folder = Folder::new();
    let store = Composite::new(SqliteStore::open(folder.file()).await.unwrap(), MemoryStore::default());
    Suite::new(|| async { store.clone() }, |task| drop(tokio::spawn(task))).run().await;
}

// spec: TOK-17, TOK-18, TOK-27, TOK-28, TOK-29, TOK-30, TOK-31, SEC-20
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_and_a_cache_are_as_one_store_is_to_many_nodes() {
    let (url, server) = (new_database().await, Redis::start(""));
    let node = async || {
        let durable = patient(&url).connections(8).build().await.unwrap();
        Composite::new(durable, patient_redis([server.url()]).build().await.unwrap())
    };
    let (first, others) = (node().await, [node().await, node().await]);
    let nodes = || async { Nodes::new(first.clone(), others.clone()) };
    let suite = Suite::new(nodes, |task| drop(tokio::spawn(task)));
    suite.without_sweeps_of_what_is_short_lived().run().await;
}

/// The denial comes between the two writes of the approval.
#[tokio::test]
async fn whoever_finds_that_another_decided_first_takes_back_the_grant() {
    let durable = WatchedStore::new(MemoryStore::default());
    let store = Composite::new(durable.clone(), MemoryStore::default());
    let (parked, grant) = (fresh_interaction(), fresh_grant());
    let (id, browser) = (parked.id, parked.browser);
    store.park_interaction(parked).await.unwrap();
    let other = store.clone();
    durable.just_before("insert_grant", async move {
        let denial = FinishInteraction { id, browser, now: now(), grant: None };
        assert!(other.finish_interaction(denial).await.unwrap());
    });
    let approval = |grant| FinishInteraction { id, browser, now: now(), grant: Some(grant) };
    assert!(!store.finish_interaction(approval(grant.clone())).await.unwrap());
    assert!(store.grant(grant.id).await.unwrap().unwrap().revoked_at.is_some());
    // For one that is over already nothing is written.
    let late = fresh_grant();
    assert!(!store.finish_interaction(approval(late.clone())).await.unwrap());
    assert_eq!(store.grant(late.id).await.unwrap(), None);
}

/// And if it cannot be taken back, nobody is told that all is well.
#[tokio::test]
async fn a_grant_that_could_not_be_taken_back_is_an_outage() {
    let durable = WatchedStore::new(MemoryStore::default());
    let store = Composite::new(durable.clone(), MemoryStore::default());
    let parked = fresh_interaction();
    let (id, browser) = (parked.id, parked.browser);
    store.park_interaction(parked).await.unwrap();
    let other = store.clone();
    durable.just_before("insert_grant", async move {
        let denial = FinishInteraction { id, browser, now: now(), grant: None };
        assert!(other.finish_interaction(denial).await.unwrap());
    });
    durable.lose_the_answer_of("revoke_grant");
    let outcome = store.finish_interaction(FinishInteraction { id, browser, now: now(), grant: Some(fresh_grant()) });
    assert!(matches!(outcome.await, Err(StoreError::Unavailable(_))));
}

/// Two nodes, where people are asked; the URL of the database and that of the cache stand in their file.
fn on_both(database: &str, cache: &Redis) -> (Reference, Vec<Node>) {
    let beside = format!("\nshort_lived_store = \"{}\"\ndevelopment", cache.url());
    nodes(database, 2, |text| {
        let text = text.replace("\ndevelopment", &beside);
        text.replace("[consent]\nauto_approve = \"alice\"\n", "")
    })
}

fn start_at(node: &Node) -> String {
    format!("{}{}", node.remote.url, Ask::of(WEB).uri())
}

const ALICE: (&str, &str) = ("alice", "wonderland");

/// The tokens of a sign-in at `one`, whose code is redeemed at `other`.
async fn signed_in(one: &Node, other: &Node) -> Tokens {
    let response = Visitor::new(plain_client()).decide(&start_at(one), ALICE, "approve").await.response(CALLBACK);
    other.remote.token(WEB, &redemption(response.get("code").unwrap())).await.tokens()
}

// spec: SEC-20
#[tokio::test]
async fn what_was_granted_outlives_the_cache_and_people_sign_in_again() {
    let mut cache = Redis::start("appendonly no");
    let (_reference, nodes) = on_both(&new_database().await, &cache);
    let [one, other] = &nodes[..] else { panic!("there are two") };
    let tokens = signed_in(one, other).await;
    assert!(is_live(&one.remote, &tokens.access).await && is_live(&other.remote, &tokens.access).await);
    let mut halfway = Visitor::new(plain_client());
    let page = halfway.go(&start_at(one)).await;

    cache.signal("KILL");
    // Nobody can begin to sign in, or go on.
    assert_eq!(one.remote.get("/readyz").await.status, 503);
    let answer = one.remote.get(&Ask::of(WEB).uri()).await;
    assert_eq!(response_at(CALLBACK, answer.location()).get("error"), Some("temporarily_unavailable"));
    assert_eq!(halfway.go(page.url.as_str()).await.answer.status, 503);
    // All that has to do with what was granted goes on.
    let refreshed = other.remote.refresh(WEB, tokens.refresh.as_ref().unwrap()).await.tokens();
    assert!(is_live(&one.remote, &refreshed.access).await);
    let own = one.remote.token(WEB, &[("grant_type", "client_credentials")]).await.tokens();
    other.remote.revoke(WEB, &own.access).await.is_revoked();
    assert!(!is_live(&one.remote, &own.access).await);

    // It comes back, and has forgotten everything.
    cache.resume();
    assert_eq!(cache.say(&["DBSIZE"]), ":0");
    assert_eq!(one.remote.get("/readyz").await.status, 200);
    let page = halfway.go(page.url.as_str()).await;
    assert!(page.answer.status.is_client_error() && !page.answer.body.contains("password"), "{}", page.answer);
    assert!(is_live(&other.remote, &refreshed.access).await && !is_live(&other.remote, &own.access).await);
    let again = signed_in(other, one).await;
    assert!(is_live(&other.remote, &again.access).await);
}

#[tokio::test]
async fn a_program_that_lacks_one_of_its_stores_names_its_key() {
    let database = new_database().await;
    let reference = Reference::in_development("");
    let text = fs::read_to_string(reference.config()).unwrap();
    let nowhere = redis_url_at(free_port());
    let beside = format!("\nshort_lived_store = \"{nowhere}\"\ndevelopment");
    for (store, missing) in
        [(database, &["short_lived_store"][..]), (url_at(free_port(), "oauth"), &["short_lived_store", "store"])]
    {
        let text = text.replace("sqlite:oauth.db", &store).replace("\ndevelopment", &beside);
        fs::write(reference.config(), text).unwrap();
        let ended = Program::run(reference.command());
        assert_eq!(ended.code, Some(2), "{ended:?}");
        let mut keys: Vec<_> = ended.stderr.lines().filter_map(|line| line.split(": ").next()).collect();
        keys.sort_unstable();
        assert_eq!(keys, missing, "{ended:?}");
        assert!(!ended.stderr.contains(REDIS_PASSWORD) && !ended.stderr.contains(DATABASE_PASSWORD), "{ended:?}");
    }
}
