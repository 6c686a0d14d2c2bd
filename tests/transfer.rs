//! What is moved from store to store arrives as it was, on every kind of store.

mod programs;
mod times;

use oauth_core::{
    client::{Client, ClientId, ClientSecret},
    clock::{SystemRandom, UnixTime},
    pkce::CodeChallenge,
    secret::{Digest, RootSecret},
    store::{
        AccessToken, Code, Consent, Grant, Refresh, Retry, SealedKey, Store, Transfer, conformance,
        memory::MemoryStore, sqlite::SqliteStore,
    },
    token::GrantId,
    transfer::{Export, Import, ImportFault},
};
use proptest::{
    option,
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

use crate::support::*;

const ISSUER: &str = "https://as.example";
const DAY: u64 = 86_400;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_a_file_can_be_listed() {
    let folder = Folder::new();
    conformance::transfer(SqliteStore::open(folder.file()).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_a_database_can_be_listed() {
    conformance::transfer(store_at(&new_database().await).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_one_server_can_be_listed() {
    let server = Redis::start("");
    conformance::transfer(patient_redis([server.url()]).build().await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_a_cluster_can_be_listed() {
    let cluster = Cluster::start();
    conformance::transfer(patient_redis(cluster.urls()).build().await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_moved_around_all_stores_comes_back_as_it_was() {
    let (first, last) = (MemoryStore::default(), MemoryStore::default());
    fill(&first).await;
    let (folder, server, cluster) = (Folder::new(), Redis::start(""), Cluster::start());
    let sqlite = SqliteStore::open(folder.file()).await.unwrap();
    let postgres = store_at(&new_database().await).await;
    let redis = patient_redis([server.url()]).build().await.unwrap();
    let clustered = patient_redis(cluster.urls()).build().await.unwrap();
    let before = exported(&first).await;
    assert!(before.len() > 300);
    assert_eq!(moved(&first, &sqlite).await, before);
    assert_eq!(moved(&sqlite, &postgres).await, before);
    assert_eq!(moved(&postgres, &redis).await, before);
    assert_eq!(moved(&redis, &clustered).await, before);
    assert_eq!(moved(&clustered, &last).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_does_not_go_on_at_a_server_that_has_restarted() {
    let mut server = Redis::start("");
    let store = patient_redis([server.url()]).build().await.unwrap();
    fill(&store).await;
    let page = store.list_grants(None, 1).await.unwrap();
    let next = store.list_grants(page.next.clone(), 1).await.unwrap().next;
    server.signal("TERM");
    server.resume();
    let error = store.list_grants(next, 1).await.unwrap_err().to_string();
    assert!(error.contains("begin again"), "{error}");
    let page = store.list_grants(None, 1).await.unwrap();
    assert!(page.next.is_some());
}

/// Exports `from`, imports half of it into `to`, then all, and again: what `to` then holds.
async fn moved(from: &impl Transfer, to: &impl Store) -> Vec<String> {
    let (file, root) = (file_of(from, 7).await, RootSecret::new([7; 32]));
    let import = Import::new(ISSUER, &root);
    let broken = import.run(to, &file[..file.len() / 2], |_| {}).await.unwrap_err();
    assert!(matches!(broken.fault(), ImportFault::CutOff), "{broken}");
    let done = import.run(to, file.as_slice(), |_| {}).await.unwrap();
    assert!(done.inserted.grants > 0 && done.left.grants > 0, "{done:?}");
    let again = import.run(to, file.as_slice(), |_| {}).await.unwrap();
    assert_eq!((again.inserted.grants, again.inserted.clients, again.inserted.signing_keys), (0, 0, 0));
    exported(to).await
}

async fn file_of(store: &(impl Transfer + ?Sized), page: usize) -> Vec<u8> {
    let mut file = Vec::new();
    let root = RootSecret::new([7; 32]);
    Export::new(ISSUER, &root, now()).page(page).run(store, &mut file, |_| {}).await.unwrap();
    file
}

/// All records in an order that no store decides: one may list a record twice. Tokens of a grant that was revoked are
/// dead, and go nowhere.
async fn exported(store: &impl Transfer) -> Vec<String> {
    let file = String::from_utf8(file_of(store, 7).await).unwrap();
    let mut lines: Vec<String> = file.lines().skip(1).map(str::to_owned).collect();
    lines.pop();
    let id = |line: &str, member: &str| Some(line.split_once(&format!(r#""{member}":""#))?.1[..22].to_owned());
    let revoked: Vec<_> =
        lines.iter().filter(|line| line.contains(r#""revoked_at""#)).map(|line| id(line, "id")).collect();
    lines.retain(|line| !line.starts_with(r#"{"access""#) || !revoked.contains(&id(line, "grant")));
    lines.sort();
    lines.dedup();
    lines
}

async fn fill(store: &impl Store) {
    for (number, algorithm) in [(0_u8, "ES256"), (1, "EdDSA"), (2, "ES256")] {
        let (kid, sealed) = (format!("kid {number}"), vec![0, 10, 255, number]);
        let key = SealedKey { kid, algorithm: algorithm.to_owned(), sealed, active_from: UnixTime(number.into()) };
        assert!(store.insert_signing_key(key, Some(UnixTime::MAX)).await.unwrap());
    }
    for number in 0..20 {
        let (_, secret) = ClientSecret::generate(&SystemRandom).unwrap();
        let client =
            Client::builder(format!("~ {number:0>5} '%*[\\")).secret(secret).scope("a b").name("Zwölf \u{1F980}");
        store.put_client(client.redirect_uri("https://app.example/cb?a=b").build().unwrap()).await.unwrap();
    }
    for number in 0..20 {
        let (subject, revision) = (format!("Zwölf \u{1F980} {}", number % 7), u64::MAX - number);
        let client = ClientId::new(&format!("~ {number:0>5} '%*[\\")).unwrap();
        let consent = Consent { subject, client, revision, ..fresh_consent() };
        assert!(store.replace_consent(consent, None, now()).await.unwrap());
    }
    let mut runner = TestRunner::new(Config::default());
    for _ in 0..150 {
        let (grant, tokens) = some_grant().new_tree(&mut runner).unwrap().current();
        store.insert_grant(grant.clone(), None).await.unwrap();
        for token in tokens {
            store.insert_access(grant.id, token, now()).await.unwrap();
        }
    }
}

/// A time that every store keeps as it is: beyond `i64::MAX` two of them know only one.
fn time(from: u64) -> impl Strategy<Value = UnixTime> {
    prop_oneof![4 => from..from + 1000 * DAY, 1 => from..(1 << 62), 1 => Just(u64::MAX)].prop_map(UnixTime)
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest::from_bytes)
}

fn code() -> impl Strategy<Value = Code> {
    let binding = ("\\PC{0,30}", any::<bool>(), option::of(any::<[u8; 32]>()));
    let ends = (time(0), time(now().0 + DAY), option::of(time(0)));
    (digest(), binding, ends).prop_map(|(digest, (redirect_uri, redirect_uri_required, challenge), ends)| Code {
        digest,
        redirect_uri,
        redirect_uri_required,
        challenge: challenge.map(CodeChallenge::from_bytes),
        expires_at: if ends.2.is_some() { ends.0 } else { ends.1 },
        redeemed_at: ends.2,
    })
}

fn refresh() -> impl Strategy<Value = Refresh> {
    let retry = (digest(), proptest::collection::vec(any::<u8>(), 1..300), time(now().0 + DAY), option::of(digest()));
    let retry = retry.prop_map(|(digest, sealed, until, access)| Retry { digest, sealed, until, access });
    (digest(), time(0), time(0), option::of(retry)).prop_map(|(digest, UnixTime(generation), used_at, retry)| Refresh {
        digest,
        generation,
        used_at,
        retry,
    })
}

fn some_grant() -> impl Strategy<Value = (Grant, Vec<AccessToken>)> {
    let facts = (option::of("\\PC{0,30}"), proptest::collection::vec("\\PC{0,30}", 0..3), option::of(time(0)));
    let times = (time(0), time(now().0 + DAY), option::weighted(0.2, time(0)));
    let tokens =
        proptest::collection::vec((digest(), "([!-~&&[^\"\\\\]]{1,9}( [a-z]{1,9}){0,3})?", time(now().0 + DAY)), 0..4);
    (any::<[u8; 16]>(), facts, times, option::of(code()), option::of(refresh()), tokens).prop_map(
        |(id, (subject, resources, auth_time), (created_at, expires_at, revoked_at), code, refresh, tokens)| {
            let mut facts = fresh_grant().facts;
            (facts.subject, facts.resources, facts.auth_time) = (subject, resources, auth_time);
            let tokens = tokens.into_iter().map(|(digest, scope, expires_at)| AccessToken {
                digest,
                scope: scope.parse().unwrap(),
                expires_at,
                ..fresh_access()
            });
            let id = GrantId::from_bytes(id);
            (Grant { id, facts, created_at, expires_at, revoked_at, code, refresh }, tokens.collect())
        },
    )
}
