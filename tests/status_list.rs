//! Token Status Lists (draft-ietf-oauth-status-list-18): what was revoked is in
//! the list before whoever revoked it hears of success, and resource servers
//! that verify JWTs by themselves refuse it.

use std::{collections::HashSet, time::Duration};

use oauth_core::{
    clock::UnixTime,
    engine::revocation::{RevocationMode, RevocationPolicy},
    jwk::JwkSet,
    jwt::Algorithm,
    server::AuthorizationServerBuilder,
    status_list::{StatusListExpectations, verify_status_list},
    store::{
        Statuses, Store,
        conformance::{Faulty, When},
        memory::MemoryStore,
        sqlite::SqliteStore,
    },
    transfer::{Export, Import},
};
use serde_json::{Value, json};

use crate::support::*;

const MACHINE: &[(&str, &str)] = &[("grant_type", "client_credentials"), ("resource", JWT_API)];

fn with_lists(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    builder.status_lists(|_| {})
}

/// A JWT for a client that acts for itself.
async fn jwt(w: &World) -> String {
    w.token(WEB, MACHINE).await.tokens().access
}

/// `uri` and `idx` of a JWT.
fn reference(token: &str) -> (String, u64) {
    let list = &claims_of(token)["status"]["status_list"];
    (list["uri"].as_str().unwrap().to_owned(), list["idx"].as_u64().unwrap())
}

fn claims_of(token: &str) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// Waits until it `holds`.
async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let wait = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(30), wait).await.is_ok(), "not yet: {what}");
}

/// Whether the list, once the last one is over, says that the token is valid.
async fn is_valid(w: &World, token: &str) -> bool {
    w.clock.advance(15);
    let (uri, index) = reference(token);
    let answer = w.get(uri.strip_prefix(ISSUER).unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/statuslist+jwt"));
    let keys = JwkSet::parse(w.get("/jwks").await.body.as_bytes()).unwrap();
    let expected = StatusListExpectations::new(ISSUER, &uri, w.server.now());
    let read = verify_status_list(&answer.body, &keys, &[Algorithm::ES256], &expected).unwrap();
    assert_eq!((read.ttl, read.expires_at), (Some(15), Some(UnixTime(w.server.now().0 + 315))));
    read.list.is_valid(index).unwrap()
}

#[tokio::test]
async fn a_jwt_has_a_place_of_its_own_and_an_opaque_token_has_none() {
    on_every_store_with(with_lists, async |w| {
        let mut places = HashSet::new();
        for _ in 0..5 {
            assert!(places.insert(reference(&jwt(&w).await)));
        }
        let uri = &places.iter().next().unwrap().0;
        assert!(uri.starts_with("https://as.example/status/"), "{uri}");
        let metadata = w.get("/.well-known/oauth-authorization-server").await;
        assert_eq!(metadata.member("status_list_aggregation_endpoint"), "https://as.example/status");
        assert_eq!(w.get("/status").await.json(), json!({ "status_lists": [uri] }));
        let opaque = w.tokens(WEB).await.access;
        assert!(w.introspect(AUDITOR, &opaque).await.json().get("status").is_none());
    })
    .await;
}

#[tokio::test]
async fn a_server_without_lists_names_none_and_has_none() {
    let w = on_memory().await;
    assert_eq!(claims_of(&jwt(&w).await).get("status"), None);
    for path in ["/status", "/status/1"] {
        assert_eq!(w.get(path).await.status.as_u16(), 404);
    }
    let metadata = w.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata.get("status_list_aggregation_endpoint"), None);
}

#[tokio::test]
async fn a_token_that_is_revoked_alone_is_marked_alone() {
    on_every_store_with(with_lists, async |w| {
        let (revoked, other) = (jwt(&w).await, jwt(&w).await);
        assert!(is_valid(&w, &revoked).await);
        w.revoke(WEB, &revoked).await.is_revoked();
        assert!(!is_valid(&w, &revoked).await);
        assert!(is_valid(&w, &other).await);
        w.revoke(WEB, &revoked).await.is_revoked();
        assert!(!is_valid(&w, &revoked).await, "revoked is revoked");
    })
    .await;
}

// spec: REV-12
#[tokio::test]
async fn the_end_of_a_grant_marks_every_live_token_under_it() {
    on_every_store_with(with_lists, async |w| {
        let code = w.code_for(&Ask::of(WEB).with("resource", JWT_API)).await;
        let first = w.redeem(WEB, &code).await.tokens();
        let second = w.refresh(WEB, first.refresh.as_deref().unwrap()).await.tokens();
        let other = jwt(&w).await;
        assert!(is_valid(&w, &first.access).await && is_valid(&w, &second.access).await);
        w.revoke(WEB, second.refresh.as_deref().unwrap()).await.is_revoked();
        assert!(!is_valid(&w, &first.access).await && !is_valid(&w, &second.access).await);
        assert!(is_valid(&w, &other).await);
    })
    .await;
}

#[tokio::test]
async fn what_ends_by_reuse_or_replay_is_marked_too() {
    on_every_store_with(with_lists, async |w| {
        let code = w.code_for(&Ask::of(WEB).with("resource", JWT_API)).await;
        let tokens = w.redeem(WEB, &code).await.tokens();
        w.redeem(WEB, &code).await.is_refused(400, "invalid_grant");
        assert!(!is_valid(&w, &tokens.access).await, "the code was replayed");

        let code = w.code_for(&Ask::of(WEB).with("resource", JWT_API)).await;
        let first = w.redeem(WEB, &code).await.tokens();
        let old = first.refresh.as_deref().unwrap();
        let second = w.refresh(WEB, old).await.tokens();
        w.clock.advance(60);
        w.refresh(WEB, old).await.is_refused(400, "invalid_grant");
        assert!(!is_valid(&w, &first.access).await && !is_valid(&w, &second.access).await, "reuse");
    })
    .await;
}

/// Whatever call fails, before or after it has happened: a revocation that was
/// answered with 200 is in the list, and so is one that is asked for again.
#[tokio::test]
async fn a_revocation_that_broke_off_is_completed_by_whoever_asks_again() {
    for when in [When::Before, When::After] {
        for (call, whole) in (0..12).flat_map(|call| [(call, false), (call, true)]) {
            let inner = MemoryStore::default();
            let store = Faulty::new(inner.clone());
            let w = World::on(store.clone(), with_lists).await;
            let code = w.code_for(&Ask::of(WEB).with("resource", JWT_API)).await;
            let tokens = w.redeem(WEB, &code).await.tokens();
            let presented = if whole { tokens.refresh.clone().unwrap() } else { tokens.access.clone() };
            store.fail(when, call);
            let first = w.revoke(WEB, &presented).await.status.as_u16();
            let failed = store.failed().is_some();
            store.recover();
            assert_eq!(first, if failed { 503 } else { 200 }, "{when:?} {call} {whole}");
            if failed {
                w.revoke(WEB, &presented).await.is_revoked();
            }
            assert!(!is_valid(&w, &tokens.access).await, "{when:?} {call} {whole}");
        }
    }
}

/// The same for an end that a reuse or a replay has brought about: whoever did it
/// asks again, because of the 503.
#[tokio::test]
async fn what_ends_by_reuse_or_replay_and_broke_off_is_completed_by_whoever_asks_again() {
    for (call, replay) in (0..14).flat_map(|call| [(call, false), (call, true)]) {
        for when in [When::Before, When::After] {
            let store = Faulty::new(MemoryStore::default());
            let w = World::on(store.clone(), with_lists).await;
            let code = w.code_for(&Ask::of(WEB).with("resource", JWT_API)).await;
            let tokens = w.redeem(WEB, &code).await.tokens();
            let old = tokens.refresh.clone().unwrap();
            if !replay {
                w.refresh(WEB, &old).await.tokens();
                w.clock.advance(60);
            }
            let again = async || if replay { w.redeem(WEB, &code).await } else { w.refresh(WEB, &old).await };
            store.fail(when, call);
            let first = again().await.status.as_u16();
            let failed = store.failed().is_some();
            store.recover();
            assert_eq!(first, if failed { 503 } else { 400 }, "{when:?} {call} {replay}");
            if failed {
                again().await.is_refused(400, "invalid_grant");
            }
            assert!(!is_valid(&w, &tokens.access).await, "{when:?} {call} {replay}");
        }
    }
}

/// In every mode: also where whoever asks again hears that the token is unknown.
#[tokio::test]
async fn a_revocation_that_broke_off_is_completed_in_every_mode() {
    for mode in RevocationMode::ALL {
        for (call, when) in (0..12).flat_map(|call| [(call, When::Before), (call, When::After)]) {
            let store = Faulty::new(MemoryStore::default());
            let set = |builder: AuthorizationServerBuilder| {
                with_lists(builder).revocation(|policy| *policy = RevocationPolicy::new(mode))
            };
            let w = World::on(store.clone(), set).await;
            let code = w.code_for(&Ask::of(WEB).with("resource", JWT_API)).await;
            let tokens = w.redeem(WEB, &code).await.tokens();
            let refresh = tokens.refresh.clone().unwrap();
            store.fail(when, call);
            let first = w.revoke(WEB, &refresh).await.status.as_u16();
            let failed = store.failed().is_some();
            store.recover();
            assert_eq!(first, if failed { 503 } else { 200 }, "{mode:?} {when:?} {call}");
            if failed {
                let second = w.revoke(WEB, &refresh).await.status.as_u16();
                assert!(second == 200 || (second == 400 && mode == RevocationMode::Draft2011), "{mode:?}: {second}");
            }
            assert!(!is_valid(&w, &tokens.access).await, "{mode:?} {when:?} {call}");
        }
    }
}

/// From store to store: what was revoked is so there, and no place is given twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_jwt_stays_revoked_after_a_move_and_places_do_not_repeat() {
    let (folder, redis) = (Folder::new(), Redis::start(""));
    let first = World::on(MemoryStore::default(), with_lists).await;
    let (revoked, other) = (jwt(&first).await, jwt(&first).await);
    first.revoke(WEB, &revoked).await.is_revoked();
    let mut places: HashSet<_> = [reference(&revoked), reference(&other)].into();
    let mut file = file_of(&first).await;
    let used = async |w: World, places: &mut HashSet<_>| {
        assert!(!is_valid(&w, &revoked).await && is_valid(&w, &other).await);
        for _ in 0..300 {
            assert!(places.insert(reference(&jwt(&w).await)), "a place was given twice");
        }
        file_of(&w).await
    };
    let sqlite = SqliteStore::open(folder.file()).await.unwrap();
    file = used(moved(&file, sqlite).await, &mut places).await;
    file = used(moved(&file, store_at(&new_database().await).await).await, &mut places).await;
    used(moved(&file, patient_redis([redis.url()]).build().await.unwrap()).await, &mut places).await;
}

/// A server on a store into which the file was imported.
async fn moved(file: &[u8], store: impl Store + Clone) -> World {
    let root = World::root();
    Import::new(ISSUER, &root).run(&store, file, |_| {}).await.unwrap();
    World::on(store, with_lists).await
}

async fn file_of(w: &World) -> Vec<u8> {
    let (mut file, root) = (Vec::new(), World::root());
    Export::new(ISSUER, &root, w.server.now()).run(&w.store, &mut file, |_| {}).await.unwrap();
    file
}

/// However it races: a token that was handed out before its grant ended is
/// marked, and none is handed out after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_issued_while_its_grant_is_revoked_is_marked_or_never_handed_out() {
    on_every_store_with(with_lists, async |w| {
        for _ in 0..5 {
            let code = w.code_for(&Ask::of(WEB).with("resource", JWT_API)).await;
            let tokens = w.redeem(WEB, &code).await.tokens();
            let refresh = tokens.refresh.clone().unwrap();
            let (refreshed, revoked) = tokio::join!(w.refresh(WEB, &refresh), w.revoke(WEB, &refresh));
            revoked.is_revoked();
            assert!(!is_valid(&w, &tokens.access).await);
            if refreshed.status.as_u16() == 200 {
                assert!(!is_valid(&w, &refreshed.tokens().access).await);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_one_node_revokes_is_in_the_list_of_the_other() {
    let store = MemoryStore::default();
    let (one, two) = (World::on(store.clone(), with_lists).await, World::on(store.clone(), with_lists).await);
    let token = jwt(&one).await;
    assert!(is_valid(&two, &token).await);
    one.revoke(WEB, &token).await.is_revoked();
    assert!(!is_valid(&two, &token).await);
    let (uri, index) = reference(&token);
    let list = uri.rsplit('/').next().unwrap().parse().unwrap();
    assert_eq!(store.revoked_statuses(list, one.server.now()).await.unwrap(), [u32::try_from(index).unwrap()]);
}

/// Over sockets, each program by itself: nobody is asked about a token.
#[tokio::test]
async fn a_resource_server_that_verifies_by_itself_refuses_what_was_revoked() {
    let reference = Reference::in_development("\n[status_list]\nenabled = true\nttl_seconds = 1\n");
    let _running = reference.start();
    let mut command = program("resource-server");
    command.args(["--development", "--listen", "127.0.0.1:0", "--issuer", &reference.issuer]);
    command.args(["--resource", JWT_ALBUMS]);
    let running = Program::start(command);
    let api = Remote::new(plain_client(), format!("http://{}", running.says("listening on ")));
    let server = Remote::new(plain_client(), &*reference.issuer);
    let params = [("grant_type", "client_credentials"), ("resource", JWT_ALBUMS)];
    let (revoked, other) =
        (server.token(WEB, &params).await.tokens().access, server.token(WEB, &params).await.tokens().access);
    for token in [&revoked, &other] {
        assert_eq!(api.call("/api/whoami", token).await.status.as_u16(), 200);
    }
    server.revoke(WEB, &revoked).await.is_revoked();
    until("it is refused", async || api.call("/api/whoami", &revoked).await.status.as_u16() == 401).await;
    assert_eq!(api.call("/api/whoami", &other).await.status.as_u16(), 200);
}
