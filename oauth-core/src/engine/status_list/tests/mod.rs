//! Places and lists.

mod marked;

use std::collections::HashSet;

use aws_lc_rs::hmac;
use bytes::Bytes;
use futures_util::{FutureExt, future::join_all};
use http::{HeaderName, Request, Response, StatusCode, header};

use super::{
    StatusLists,
    number::{ListKey, ListNumber, PLACES},
};
use crate::{
    clock::{ManualClock, UnixTime},
    endpoint::status_list,
    engine::policy::{Resource, TokenFormat},
    jwk::JwkSet,
    jwt::Algorithm,
    secret::RootSecret,
    server::AuthorizationServer,
    status_list::{StatusListExpectations, verify_status_list},
    store::{
        StatusPlace, Statuses,
        conformance::{Faulty, When},
        memory::MemoryStore,
    },
};

const DAY: u64 = 86_400;
/// Noon.
const NOON: UnixTime = UnixTime(20_000 * DAY + DAY / 2);
const ISSUER: &str = "https://as.example";

type Store = Faulty<MemoryStore>;

async fn node(store: &Store, clock: &ManualClock, root: RootSecret) -> AuthorizationServer {
    let builder = AuthorizationServer::builder(ISSUER).store(store.clone()).clock(clock.clone()).root_secret(root);
    let resource = Resource::new("https://api.example").format(TokenFormat::Jwt);
    builder.resource(resource).status_lists(|_| {}).build().await.unwrap()
}

async fn only(clock: &ManualClock) -> (AuthorizationServer, Store) {
    let store = Faulty::new(MemoryStore::default());
    (node(&store, clock, RootSecret::new([1; 32])).await, store)
}

fn lists(server: &AuthorizationServer) -> &StatusLists {
    server.status_lists().unwrap()
}

async fn place(server: &AuthorizationServer) -> StatusPlace {
    lists(server).place(server, server.now()).await.unwrap()
}

async fn get(server: &AuthorizationServer, path: &str, tag: Option<&str>) -> Response<Bytes> {
    get_with(server, path, tag.map(|tag| (header::IF_NONE_MATCH, tag)).as_slice()).await
}

async fn get_with(server: &AuthorizationServer, path: &str, headers: &[(HeaderName, &str)]) -> Response<Bytes> {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    status_list::handle(server, &request.body(Bytes::new()).unwrap()).await
}

fn text<'r>(response: &'r Response<Bytes>, name: &str) -> &'r str {
    response.headers().get(name).unwrap().to_str().unwrap()
}

/// The numbers of all lists.
async fn all(server: &AuthorizationServer) -> Vec<u64> {
    let request = Request::get("/status").body(Bytes::new()).unwrap();
    let all = status_list::handle_all(server, &request).await;
    let all: serde_json::Value = serde_json::from_slice(all.body()).unwrap();
    let number = |uri: &serde_json::Value| uri.as_str()?.strip_prefix("https://as.example/status/")?.parse().ok();
    all["status_lists"].as_array().unwrap().iter().map(|uri| number(uri).unwrap()).collect()
}

/// Whether the list says that the token is valid.
async fn is_valid(server: &AuthorizationServer, place: StatusPlace) -> bool {
    let path = format!("/status/{}", place.list);
    let response = get(server, &path, None).await;
    assert_eq!(response.status(), StatusCode::OK);
    let keys = JwkSet::parse(&serde_json::to_vec(&server.keys().document()).unwrap()).unwrap();
    let uri = format!("{ISSUER}{path}");
    let expected = StatusListExpectations::new(ISSUER, &uri, server.now());
    let token = std::str::from_utf8(response.body()).unwrap();
    let read = verify_status_list(token, &keys, &[Algorithm::ES256], &expected).unwrap();
    assert_eq!(read.list.entries(), u64::from(PLACES));
    read.list.is_valid(u64::from(place.index)).unwrap()
}

#[test]
fn every_number_has_a_place_of_its_own_and_neighbours_are_scattered() {
    let key = |bytes: &[u8]| ListKey::new(hmac::Key::new(hmac::HMAC_SHA256, bytes), ISSUER);
    let (one, other) = (key(b"one"), key(b"other"));
    let places: HashSet<_> = (0..PLACES).step_by(16).map(|number| one.scatter(7, number)).collect();
    assert_eq!(places.len(), (PLACES / 16) as usize);
    assert!(places.iter().all(|place| *place < PLACES));
    // All of a small part, so that no two of a whole block meet either.
    let block: HashSet<_> = (0..4_096).map(|number| one.scatter(7, number)).collect();
    assert_eq!(block.len(), 4_096);
    let near = (0..4_096).filter(|number| one.scatter(7, *number).abs_diff(one.scatter(7, number + 1)) < 1_000).count();
    assert!(near < 40, "{near} of 4096 neighbours are still neighbours");
    let same = |a: u32, b: u32| usize::from(a == b);
    let met: usize = (0..4_096).map(|at| same(one.scatter(7, at), other.scatter(7, at))).sum();
    let across: usize = (0..4_096).map(|at| same(one.scatter(7, at), one.scatter(8, at))).sum();
    assert!(met < 8 && across < 8, "{met} {across}");
}

#[test]
fn the_number_of_a_list_says_its_day_and_fits_a_double() {
    let list = ListNumber { day: 20_000, key: 0xfedc, serial: 0x1234 };
    let number = list.number().unwrap();
    assert_eq!(ListNumber::of(number), list);
    assert!(number < 1 << 53);
    assert_eq!(ListNumber { day: 1 << 21, ..list }.number(), None);
    assert_eq!(list.ends_at(300), UnixTime(20_001 * DAY + 300 + 3_600));
}

#[tokio::test]
async fn no_two_tokens_have_one_place_whatever_node_issues_them() {
    let (clock, store) = (ManualClock::new(NOON), Faulty::new(MemoryStore::default()));
    let one = node(&store, &clock, RootSecret::new([1; 32])).await;
    let two = node(&store, &clock, RootSecret::new([1; 32])).await;
    // The secret was rotated, and this node was the first to hear of it.
    let three = node(&store, &clock, RootSecret::new([2; 32]).with_previous([1; 32])).await;
    let mut places = HashSet::new();
    for _ in 0..1_000 {
        for server in [&one, &two, &three] {
            assert!(places.insert(place(server).await));
        }
    }
    assert_eq!(places.iter().map(|place| place.list).collect::<HashSet<_>>().len(), 2);
    let claims = store.calls().iter().filter(|call| **call == "claim_statuses").count();
    assert_eq!(claims, 12, "a claim for each 256 tokens");
}

#[tokio::test]
async fn what_a_node_has_left_of_yesterday_is_given_to_nobody_today() {
    let (clock, store) = (ManualClock::new(UnixTime(20_001 * DAY - 1)), Faulty::new(MemoryStore::default()));
    let one = node(&store, &clock, RootSecret::new([1; 32])).await;
    let two = node(&store, &clock, RootSecret::new([1; 32])).await;
    place(&one).await;
    place(&two).await;
    clock.advance(1);
    let mut places = HashSet::new();
    for _ in 0..300 {
        assert!(places.insert(place(&one).await) && places.insert(place(&two).await));
    }
}

#[tokio::test]
async fn each_day_has_lists_of_its_own_that_end_when_none_of_its_tokens_can_live() {
    let clock = ManualClock::new(UnixTime(20_001 * DAY - 1));
    let (server, _) = only(&clock).await;
    let last = place(&server).await;
    clock.advance(1);
    let first = place(&server).await;
    assert_ne!(last.list, first.list);
    clock.advance(300 + 3_600 - 1);
    assert!(is_valid(&server, last).await && is_valid(&server, first).await);
    clock.advance(16);
    for (list, status) in [(last.list, StatusCode::NOT_FOUND), (first.list, StatusCode::OK)] {
        assert_eq!(get(&server, &format!("/status/{list}"), None).await.status(), status);
    }
}

#[tokio::test]
async fn a_list_is_made_once_in_its_time_and_kept_no_longer_by_anybody() {
    let clock = ManualClock::new(NOON);
    let (server, store) = only(&clock).await;
    let path = format!("/status/{}", place(&server).await.list);
    let made = || store.calls().iter().filter(|call| **call == "revoked_statuses").count();
    let first = get(&server, &path, None).await;
    assert_eq!(text(&first, "content-type"), "application/statuslist+jwt");
    assert_eq!(text(&first, "cache-control"), "public, max-age=15");
    assert_eq!(text(&first, "access-control-allow-origin"), "*");
    let tag = text(&first, "etag").to_owned();
    clock.advance(14);
    let again = get(&server, &path, None).await;
    assert_eq!((again.body(), text(&again, "cache-control")), (first.body(), "public, max-age=1"));
    for tags in [&*tag, &format!("\"x\", W/{tag}"), "*"] {
        let known = get(&server, &path, Some(tags)).await;
        assert_eq!((known.status(), known.body().len()), (StatusCode::NOT_MODIFIED, 0));
    }
    assert_eq!(made(), 1);
    clock.advance(1);
    let next = get(&server, &path, Some(&tag)).await;
    assert_eq!((next.status(), made()), (StatusCode::OK, 2));
    assert_ne!(text(&next, "etag"), tag);
    // A minute back, as a clock that was set does: of what it says now, nobody can say how old it is.
    clock.advance(60_u64.wrapping_neg());
    assert_eq!((get(&server, &path, None).await.status(), made()), (StatusCode::OK, 3));
}

#[tokio::test]
async fn whoever_takes_gzip_gets_the_list_in_gzip_under_a_tag_of_its_own() {
    let (server, _) = only(&ManualClock::new(NOON)).await;
    let path = format!("/status/{}", place(&server).await.list);
    let plain = get(&server, &path, None).await;
    assert_eq!((text(&plain, "vary"), plain.headers().get("content-encoding")), ("accept-encoding", None));
    for asked in ["gzip", "br, x-GZIP ; Q=0.3", "*", "gzip;q=1.000, *;q=0"] {
        let gzip = get_with(&server, &path, &[(header::ACCEPT_ENCODING, asked)]).await;
        assert_eq!((text(&gzip, "content-encoding"), text(&gzip, "vary")), ("gzip", "accept-encoding"), "{asked}");
        assert_eq!(text(&gzip, "content-type"), "application/statuslist+jwt");
        assert!(gzip.body().len() < plain.body().len());
        // Ten bytes before what is compressed, and after it its checksum and length (RFC 1952).
        let (member, length) = gzip.body().split_last_chunk::<4>().unwrap();
        let (member, checksum) = member.split_last_chunk::<4>().unwrap();
        let inflated = miniz_oxide::inflate::decompress_to_vec(&member[10..]).unwrap();
        assert_eq!(&inflated, plain.body());
        assert_eq!(u32::from_le_bytes(*length) as usize, inflated.len());
        assert_eq!(u32::from_le_bytes(*checksum), crc32fast::hash(&inflated));
        let (known, other) = (text(&gzip, "etag"), text(&plain, "etag"));
        assert_ne!(known, other);
        for (tag, status) in [(known, StatusCode::NOT_MODIFIED), (other, StatusCode::OK)] {
            let headers = [(header::ACCEPT_ENCODING, asked), (header::IF_NONE_MATCH, tag)];
            assert_eq!(get_with(&server, &path, &headers).await.status(), status);
        }
    }
    for asked in ["", "br", "identity", "gzip;q=0", "gzip; q=0.000, *", "*;q=0", "gzip;q=x", "gzip;level=1"] {
        let answer = get_with(&server, &path, &[(header::ACCEPT_ENCODING, asked)]).await;
        assert_eq!((answer.headers().get("content-encoding"), answer.body()), (None, plain.body()), "{asked}");
    }
}

#[tokio::test]
async fn whoever_waits_while_a_list_is_made_gets_that_one() {
    let clock = ManualClock::new(NOON);
    let (server, store) = only(&clock).await;
    let path = format!("/status/{}", place(&server).await.list);
    let turn = lists(&server).publications.turn.lock().await;
    let mut waiting: Vec<_> = (0..5).map(|_| get(&server, &path, None).boxed()).collect();
    assert!(waiting.iter_mut().all(|one| one.now_or_never().is_none()));
    drop(turn);
    for response in join_all(waiting).await {
        assert_eq!(response.status(), StatusCode::OK);
    }
    assert_eq!(store.calls().iter().filter(|call| **call == "revoked_statuses").count(), 1);
}

#[tokio::test]
async fn nobody_writes_to_a_list() {
    let (server, _) = only(&ManualClock::new(NOON)).await;
    let path = format!("/status/{}", place(&server).await.list);
    let post = |path: &str| Request::post(path).body(Bytes::new()).unwrap();
    for response in
        [status_list::handle(&server, &post(&path)).await, status_list::handle_all(&server, &post("/status")).await]
    {
        assert_eq!((response.status(), text(&response, "allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD"));
    }
}

#[tokio::test]
async fn a_store_that_fails_makes_no_emptier_list() {
    let clock = ManualClock::new(NOON);
    let (server, store) = only(&clock).await;
    let place = place(&server).await;
    server.mark_revoked([place]).await.unwrap();
    let path = format!("/status/{}", place.list);
    store.fail(When::Before, 0);
    assert_eq!(get(&server, &path, None).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    // Nobody asks again at once.
    let calls = store.calls().len();
    assert_eq!(get(&server, &path, None).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(store.calls().len(), calls);
    clock.advance(2);
    assert!(!is_valid(&server, place).await);
    clock.advance(15);
    store.go_down(When::Before, 0);
    assert!(!is_valid(&server, place).await, "the last one");
    assert_eq!(text(&get(&server, &path, None).await, "cache-control"), "public, max-age=0");
    clock.advance(300);
    assert_eq!(get(&server, &path, None).await.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn whoever_asks_for_lists_that_there_are_not_costs_the_store_nothing() {
    let clock = ManualClock::new(NOON);
    let (server, store) = only(&clock).await;
    let list = place(&server).await.list;
    let before = store.calls().len();
    let (day, key) = (1_u64 << 32, 1_u64 << 16);
    for path in ["", "x", "-1", "007", "+7", "1.0", "18446744073709551616"] {
        assert_eq!(get(&server, &format!("/status/{path}"), None).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    for other in [list - day, list + day, list + 100 * day, list ^ key, 0, u64::MAX] {
        assert_eq!(get(&server, &format!("/status/{other}"), None).await.status(), StatusCode::NOT_FOUND, "{other}");
    }
    // What there is has one name.
    for before in ["0", "+", "00"] {
        let path = format!("/status/{before}{list}");
        assert_eq!(get(&server, &path, None).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(store.calls().len(), before);
    // The next one of today may come into being on another node at any time.
    for serial in 1..100 {
        assert_eq!(get(&server, &format!("/status/{}", list + serial), None).await.status(), StatusCode::NOT_FOUND);
    }
    assert_eq!(store.calls().len(), before + 1);
    let past = get(&server, &format!("/status/{list}?time=1800000000"), None).await;
    assert_eq!(past.status(), StatusCode::NOT_IMPLEMENTED);
}

#[tokio::test]
async fn a_second_list_of_the_day_is_found_once_another_node_has_begun_it() {
    let clock = ManualClock::new(NOON);
    let (server, store) = only(&clock).await;
    let list = place(&server).await.list;
    let path = format!("/status/{}", list + 1);
    assert_eq!(get(&server, &path, None).await.status(), StatusCode::NOT_FOUND);
    let group = lists(&server).keys[0].group(ListNumber::of(list).day);
    for _ in 0..4_096 {
        store.claim_statuses(group, UnixTime::MAX, NOON).await.unwrap();
    }
    clock.advance(2);
    assert_eq!(get(&server, &path, None).await.status(), StatusCode::OK);
    assert_eq!(all(&server).await, [list, list + 1]);
    for _ in 0..4_096 {
        store.claim_statuses(group, UnixTime::MAX, NOON).await.unwrap();
    }
    clock.advance(14);
    assert_eq!(all(&server).await, [list, list + 1], "asked once in a list's time");
    clock.advance(1);
    assert_eq!(all(&server).await, [list, list + 1, list + 2]);
}
