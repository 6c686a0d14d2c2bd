//! Whatever is asked of it, in whatever order: every store answers as the memory store does, by which all are judged.

use std::sync::LazyLock;

use oauth_core::{
    authorization_details::AuthorizationDetails,
    client::ClientId,
    clock::{Clock, SystemClock, UnixTime},
    pkce::CodeChallenge,
    secret::Digest,
    store::{
        AccessToken, Code, FinishInteraction, Grant, GrantFacts, NextRefresh, ParkedInteraction, RedeemCode,
        RefreshOutcome, RotateRefresh, SealedKey, Store, StoreError, memory::MemoryStore, sqlite::SqliteStore,
    },
    token::GrantId,
};
use proptest::{prelude::*, test_runner::TestRunner};

use crate::support::{Folder, Redis, new_database, patient, patient_redis, raw};

/// The present, because there are servers that remove what has ended.
static NOW: LazyLock<UnixTime> = LazyLock::new(|| SystemClock.now());

/// Small numbers stand for the grant, the client, the token ..., so that steps
/// meet.
#[derive(Clone, Debug)]
enum Step {
    Insert { grant: u8, client: u8, coded: bool, lives: u8, token: Option<u8> },
    Redeem { grant: u8, client: u8, challenge: u8, refresh: Option<u8>, token: u8 },
    Rotate { grant: u8, client: u8, digest: u8, generation: u64, next: Option<(u8, Option<(u8, bool)>)>, token: u8 },
    Confirm { grant: u8, token: u8 },
    InsertAccess { grant: u8, token: u8, lives: u8 },
    Revoke { grant: u8 },
    RevokeAccess { grant: u8, token: u8 },
    Park { id: u8, browser: u8, lives: u8 },
    Finish { id: u8, browser: u8, grant: Option<u8> },
    Key { kid: u8, algorithm: u8, newest: Option<u8> },
    DeleteKey { kid: u8 },
    Sweep,
    Wait { seconds: u8 },
}

fn step() -> impl Strategy<Value = Step> {
    let lives = 0..30u8;
    prop_oneof![
        3 => (0..3u8, 0..2u8, any::<bool>(), lives.clone(), proptest::option::of(0..4u8))
            .prop_map(|(grant, client, coded, lives, token)| Step::Insert { grant, client, coded, lives, token }),
        3 => (0..3u8, 0..2u8, 0..2u8, proptest::option::of(0..3u8), 0..4u8)
            .prop_map(|(grant, client, challenge, refresh, token)| Step::Redeem { grant, client, challenge, refresh, token }),
        6 => (0..3u8, 0..2u8, 0..3u8, 0..3u64, proptest::option::of((0..3u8, proptest::option::of((0..20u8, any::<bool>())))), 0..4u8)
            .prop_map(|(grant, client, digest, generation, next, token)| {
                Step::Rotate { grant, client, digest, generation, next, token }
            }),
        2 => (0..3u8, 0..4u8).prop_map(|(grant, token)| Step::Confirm { grant, token }),
        2 => (0..3u8, 0..4u8, lives.clone()).prop_map(|(grant, token, lives)| Step::InsertAccess { grant, token, lives }),
        1 => (0..3u8).prop_map(|grant| Step::Revoke { grant }),
        1 => (0..3u8, 0..4u8).prop_map(|(grant, token)| Step::RevokeAccess { grant, token }),
        1 => (0..3u8, 0..2u8, lives).prop_map(|(id, browser, lives)| Step::Park { id, browser, lives }),
        1 => (0..3u8, 0..2u8, proptest::option::of(0..3u8))
            .prop_map(|(id, browser, grant)| Step::Finish { id, browser, grant }),
        1 => (0..3u8, 0..2u8, proptest::option::of(0..20u8))
            .prop_map(|(kid, algorithm, newest)| Step::Key { kid, algorithm, newest }),
        1 => (0..3u8).prop_map(|kid| Step::DeleteKey { kid }),
        1 => Just(Step::Sweep),
        3 => (0..15u8).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

fn id(grant: u8) -> GrantId {
    GrantId::from_bytes([grant; 16])
}

fn digest(kind: u8, number: u8) -> Digest {
    Digest::from_bytes([kind * 16 + number; 32])
}

fn client(number: u8) -> ClientId {
    ClientId::new(&format!("client-{number}")).unwrap()
}

fn after(now: UnixTime, seconds: u8) -> UnixTime {
    now.saturating_add(seconds.into())
}

fn token(number: u8, now: UnixTime, lives: u8) -> AccessToken {
    let scope = "a".parse().unwrap();
    AccessToken {
        digest: digest(1, number),
        scope,
        audience: Vec::new(),
        issued_at: now,
        expires_at: after(now, lives),
        authorization_details: AuthorizationDetails::default(),
        confirmation: None,
        exchanged: None,
        status: None,
    }
}

fn grant(number: u8, owner: u8, coded: bool, now: UnixTime, lives: u8) -> Grant {
    let facts = GrantFacts {
        client: client(owner),
        subject: (owner == 1).then(|| "alice".to_owned()),
        scope: "a b".parse().unwrap(),
        resources: Vec::new(),
        auth_time: None,
        acr: None,
        authorization_details: AuthorizationDetails::default(),
        dpop_jkt: None,
    };
    let code = coded.then(|| Code {
        digest: digest(2, number),
        redirect_uri: "https://app.example/".to_owned(),
        redirect_uri_required: false,
        challenge: Some(CodeChallenge::from_bytes([0; 32])),
        expires_at: after(now, lives / 2),
        redeemed_at: None,
    });
    let expires_at = if lives == 29 { UnixTime::MAX } else { after(now, lives) };
    Grant { id: id(number), facts, created_at: now, expires_at, revoked_at: None, code, refresh: None }
}

/// What a call came to, as text: the errors do not compare.
fn told<T: std::fmt::Debug>(outcome: &Result<T, StoreError>) -> String {
    format!("{outcome:?}")
}

async fn take(store: &dyn Store, step: Step, now: UnixTime) -> String {
    match step {
        Step::Insert { grant: number, client, coded, lives, token: first } => {
            let first = first.map(|number| token(number, now, lives / 3));
            told(&store.insert_grant(grant(number, client, coded, now, lives), first).await)
        }
        Step::Redeem { grant, client: owner, challenge, refresh, token: number } => {
            let redeem = RedeemCode {
                grant: id(grant),
                digest: digest(2, grant),
                client: client(owner),
                redirect_uri: None,
                challenge: Some(CodeChallenge::from_bytes([challenge; 32])),
                now,
                refresh: refresh.map(|number| digest(3, number)),
                access: token(number, now, 9),
            };
            told(&store.redeem_code(redeem).await)
        }
        Step::Rotate { grant, client: owner, digest: presented, generation, next, token: number } => {
            let next = match next.map(|(next, retry)| (digest(3, next), retry)) {
                None => NextRefresh::Same,
                Some((digest, Some((seconds, true)))) => {
                    NextRefresh::UntilFirstUse { digest, sealed: vec![seconds], until: after(now, seconds) }
                }
                Some((digest, retry)) => {
                    let retry = retry.map(|(seconds, _)| (vec![seconds], after(now, seconds)));
                    NextRefresh::Successor { digest, retry }
                }
            };
            let rotate = RotateRefresh {
                grant: id(grant),
                digest: digest(3, presented),
                generation,
                client: client(owner),
                now,
                idle_lifetime: 20,
                next,
                access: token(number, now, 9),
            };
            let outcome = store.rotate_refresh(rotate).await.unwrap();
            match outcome {
                RefreshOutcome::Retry { sealed } => format!("Retry {sealed:?}"),
                other => format!("{other:?}"),
            }
        }
        Step::Confirm { grant, token } => told(&store.confirm_refresh(id(grant), digest(1, token), now).await),
        Step::InsertAccess { grant, token: number, lives } => {
            told(&store.insert_access(id(grant), token(number, now, lives), now).await)
        }
        Step::Revoke { grant } => told(&store.revoke_grant(id(grant), now).await),
        Step::RevokeAccess { grant, token } => told(&store.revoke_access(id(grant), digest(1, token)).await),
        Step::Park { id, browser, lives } => {
            let (id, browser) = (digest(4, id), digest(5, browser));
            let parked = ParkedInteraction { id, browser, request: vec![lives], expires_at: after(now, lives) };
            told(&store.park_interaction(parked).await)
        }
        Step::Finish { id, browser, grant: number } => {
            let grant = number.map(|number| grant(number, 0, true, now, 20));
            told(
                &store
                    .finish_interaction(FinishInteraction {
                        id: digest(4, id),
                        browser: digest(5, browser),
                        now,
                        grant,
                    })
                    .await,
            )
        }
        Step::Key { kid, algorithm, newest } => {
            let key = SealedKey {
                kid: kid.to_string(),
                algorithm: algorithm.to_string(),
                sealed: vec![kid],
                active_from: now,
            };
            told(&store.insert_signing_key(key, newest.map(|seconds| after(*NOW, seconds))).await)
        }
        Step::DeleteKey { kid } => told(&store.delete_signing_key(kid.to_string()).await),
        Step::Sweep => told(&store.sweep(now, 1000).await),
        Step::Wait { .. } => String::new(),
    }
}

/// All that can be read.
async fn contents(store: &dyn Store, now: UnixTime) -> impl PartialEq + std::fmt::Debug {
    let mut grants = Vec::new();
    let mut interactions = Vec::new();
    for grant in 0..3 {
        grants.push(store.grant(id(grant)).await.unwrap());
        for token in 0..4 {
            // One that has expired may be gone already.
            let found = store.access(id(grant), digest(1, token)).await.unwrap();
            grants.extend(found.filter(|(_, access)| access.is_live(now)).map(|(grant, _)| Some(grant)));
        }
        for browser in 0..2 {
            interactions.push(store.interaction(digest(4, grant), digest(5, browser), now).await.unwrap());
        }
    }
    let mut keys = store.signing_keys().await.unwrap();
    keys.sort_by(|one, other| one.kid.cmp(&other.kid));
    let mut listed = store.grants_of("alice".to_owned(), None, 2).await.unwrap();
    listed.extend(store.grants_of("alice".to_owned(), listed.last().map(|last| last.id), 9).await.unwrap());
    (grants, interactions, keys, listed)
}

/// Takes `steps` on both, and compares all that they answer and what they come to. How many rows a sweep takes is each
/// store's own.
async fn compare(store: &dyn Store, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let memory = MemoryStore::default();
    let mut now = *NOW;
    for step in steps {
        if let Step::Wait { seconds } = step {
            now = after(now, seconds);
        }
        let expected = take(&memory, step.clone(), now).await;
        let found = take(store, step.clone(), now).await;
        prop_assert!(found == expected || matches!(step, Step::Sweep), "{step:?}: {found}, expected {expected}");
    }
    prop_assert_eq!(contents(store, now).await, contents(&memory, now).await);
    Ok(())
}

fn for_any_steps(check: impl AsyncFn(Vec<Step>) -> Result<(), TestCaseError>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() };
    let steps = proptest::collection::vec(step(), 1..60);
    TestRunner::new(config).run(&steps, |steps| runtime.block_on(check(steps))).unwrap();
}

#[test]
fn a_file_answers_as_memory_does() {
    for_any_steps(async |steps| {
        let folder = Folder::new();
        compare(&SqliteStore::open(folder.file()).await.unwrap(), steps).await
    });
}

/// One whose server removes by itself what has ended has no sweeps to compare, nor what becomes of ended tokens.
#[test]
fn a_server_answers_as_memory_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = runtime.block_on(new_database());
    for_any_steps(async |steps| {
        let store = patient(&url).connections(1).build().await.unwrap();
        let clean = "TRUNCATE oauth_grants, oauth_access_tokens, oauth_retries, oauth_interactions, oauth_signing_keys";
        raw(&url).await.batch_execute(clean).await.unwrap();
        compare(&store, steps).await
    });
    let server = Redis::start("");
    for_any_steps(async |mut steps| {
        steps.retain(|step| !matches!(step, Step::Sweep | Step::RevokeAccess { .. }));
        let store = patient_redis([server.url()]).connections(1).build().await.unwrap();
        server.say(&["FLUSHALL"]);
        compare(&store, steps).await
    });
}
