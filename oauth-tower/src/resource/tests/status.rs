//! Lists of revoked tokens, as their issuer publishes them.

mod asked;
mod older;
mod times;

use std::time::Duration;

use futures_util::future::join_all;
use oauth_core::{
    jwt,
    status_list::{STATUS_LIST_TYPE, StatusList},
};

use super::{
    keys::{Fixture, JWKS},
    *,
};
use crate::resource::StatusListPolicy;

const URI: &str = "https://as.example/status/1";

fn fixture_with(policy: impl FnOnce(JwtIssuer) -> JwtIssuer) -> Fixture {
    let (key, upstream, clock) = (Key::new(Algorithm::EdDSA), Upstream::new(), clock());
    upstream.json(JWKS, &key.document());
    let issuer = policy(Issuer::jwt(ISSUER).jwks_uri(JWKS));
    let server = builder(issuer).http(upstream.client()).clock(clock.clone()).build().unwrap();
    Fixture { key, upstream, clock, server }
}

fn fixture() -> Fixture {
    fixture_with(|issuer| issuer)
}

impl Fixture {
    fn time(&self) -> u64 {
        oauth_core::clock::Clock::now(&self.clock).0
    }

    /// A list of 64 in which these are revoked, with these claims in place of its
    /// own.
    fn list(&self, key: &Key, revoked: &[u32], changes: Value) -> String {
        let lst = StatusList::with_revoked(64, revoked.iter().copied()).to_lst();
        let now = self.time();
        let mut claims = json!({ "iss": ISSUER, "sub": URI, "iat": now, "exp": now + 315, "ttl": 15,
            "status_list": { "bits": 1, "lst": lst } });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        jwt::sign(&key.key, STATUS_LIST_TYPE, &claims).unwrap()
    }

    fn publish_as(&self, key: &Key, revoked: &[u32], changes: Value) {
        let token = self.list(key, revoked, changes);
        self.upstream.answer(URI, 200, &[("content-type", "application/statuslist+jwt")], &token);
    }

    fn publish(&self, revoked: &[u32]) {
        self.publish_as(&self.key, revoked, json!({}));
    }

    /// A token with this place.
    fn placed(&self, index: u32) -> String {
        self.with_status(json!({ "status_list": { "idx": index, "uri": URI } }))
    }

    fn with_status(&self, status: Value) -> String {
        let now = self.time();
        self.key.token(json!({ "jti": status.to_string(), "iat": now, "exp": now + 36_000, "status": status }))
    }

    async fn says(&self, token: &str) -> u16 {
        present(&self.server, token).await.0.as_u16()
    }

    fn lists(&self) -> usize {
        self.upstream.urls().iter().filter(|url| *url == URI).count()
    }
}

#[tokio::test]
async fn a_revoked_token_is_refused_and_its_neighbours_are_not() {
    let f = fixture();
    f.publish(&[3, 63]);
    for (index, expected) in [(2, 200), (3, 401), (4, 200), (62, 200), (63, 401)] {
        assert_eq!(f.says(&f.placed(index)).await, expected, "{index}");
    }
    assert_eq!(f.lists(), 1, "one list for all of them");
    assert_eq!(f.upstream.last().headers()["accept"], "application/statuslist+jwt");
    assert_eq!(f.says(&f.placed(64)).await, 401, "the list does not speak of it");
}

#[tokio::test]
async fn a_token_that_is_known_falls_when_its_list_says_so_and_within_its_time() {
    let f = fixture();
    f.publish(&[]);
    let token = f.placed(3);
    assert_eq!(f.says(&token).await, 200);
    let verified = verifications(&f.server);
    f.publish(&[3]);
    f.clock.advance(11);
    assert_eq!((f.says(&token).await, f.lists()), (200, 1), "a hit: the list is fresh");
    assert_eq!(verifications(&f.server), verified);
    f.clock.advance(4);
    assert_eq!(f.says(&token).await, 401, "at the end of the time that the list has");
    assert_eq!(f.lists(), 2);
}

#[tokio::test]
async fn a_list_is_renewed_before_its_end_while_nobody_waits() {
    let f = fixture();
    f.publish(&[]);
    let token = f.placed(3);
    assert_eq!(f.says(&token).await, 200);
    f.publish(&[]);
    f.clock.advance(12);
    f.upstream.close();
    assert_eq!(f.says(&token).await, 200, "due, and not over");
    f.upstream.open();
    assert_eq!(f.says(&f.placed(4)).await, 200);
    assert_eq!(f.says(&f.placed(5)).await, 200);
    assert_eq!(f.lists(), 2);
}

#[tokio::test]
async fn many_who_need_one_list_fetch_it_once() {
    let f = fixture();
    f.publish(&[7]);
    let tokens: Vec<_> = (0..50).map(|index| f.placed(index)).collect();
    let answers = join_all(tokens.iter().map(|token| f.says(token))).await;
    assert_eq!(answers.iter().filter(|status| **status == 401).count(), 1);
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 49);
    assert_eq!(f.lists(), 1);
}

#[tokio::test]
async fn an_outage_of_the_list_is_no_verdict_and_grace_has_an_end() {
    let f = fixture_with(|issuer| issuer.status_list_grace(Duration::from_secs(40)));
    assert_eq!(f.says(&f.placed(0)).await, 503, "there is no list yet");
    f.clock.advance(6);
    f.publish(&[3]);
    let (good, revoked) = (f.placed(0), f.placed(3));
    assert_eq!((f.says(&good).await, f.says(&revoked).await), (200, 401));
    f.upstream.answer(URI, 503, &[], "");
    for _ in 0..9 {
        f.clock.advance(6);
        assert_eq!((f.says(&good).await, f.says(&revoked).await), (200, 401));
    }
    f.clock.advance(6);
    assert_eq!((f.says(&good).await, f.says(&revoked).await), (503, 503));
    f.publish(&[3]);
    f.clock.advance(6);
    assert_eq!((f.says(&good).await, f.says(&revoked).await), (200, 401));
}

#[tokio::test]
async fn a_list_that_is_not_good_is_no_list() {
    let other = Key::new(Algorithm::EdDSA);
    let bomb = "eNrtwQENAAAAwqD3T20ON6AAAAAAAAAAAAAAAA";
    for (own, changes) in [
        (true, json!({ "sub": "https://as.example/status/2" })),
        (true, json!({ "iss": "https://other.example" })),
        (true, json!({ "iat": NOW + 1_000 })),
        (true, json!({ "exp": NOW - 1_000 })),
        (true, json!({ "status_list": null })),
        (true, json!({ "status_list": { "bits": 1, "lst": bomb } })),
        (false, json!({})),
    ] {
        let f = fixture();
        f.publish_as(if own { &f.key } else { &other }, &[], changes.clone());
        assert_eq!(f.says(&f.placed(0)).await, 503, "{changes}");
    }
    let f = fixture();
    let list = f.list(&f.key, &[], json!({}));
    for (status, body) in
        [(404, ""), (200, "<html>"), (302, ""), (200, &*f.key.good()), (404, &*list), (203, &list), (500, &list)]
    {
        f.upstream.answer(URI, status, &[], body);
        assert_eq!(f.says(&f.placed(0)).await, 503, "{status} {body}");
        f.clock.advance(6);
    }
}

#[tokio::test]
async fn a_list_that_is_signed_with_a_new_key_is_good() {
    let f = fixture();
    f.publish(&[]);
    assert_eq!(f.says(&f.placed(0)).await, 200);
    let next = Key::new(Algorithm::EdDSA);
    f.upstream.json(JWKS, &json!({ "keys": [f.key.document()["keys"][0], next.document()["keys"][0]] }));
    f.clock.advance(16);
    f.publish_as(&next, &[1], json!({}));
    assert_eq!((f.says(&f.placed(0)).await, f.says(&f.placed(1)).await), (200, 401));
}

// A token is what a stranger sent: what it names is fetched from its issuer alone.
#[tokio::test]
async fn only_the_issuer_s_own_lists_are_fetched_and_only_for_tokens_of_its_own() {
    let f = fixture();
    let of = |uri: &str| f.with_status(json!({ "status_list": { "idx": 0, "uri": uri } }));
    for uri in [
        "https://evil.example/status/1",
        "https://as.example.evil.example/status/1",
        "https://as.example:444/status/1",
        "https://user@as.example/status/1",
        "http://as.example/status/1",
        "http://169.254.169.254/latest/meta-data",
        "/status/1",
        "",
    ] {
        assert_eq!(f.says(&of(uri)).await, 401, "{uri}");
    }
    let forged = Key::new(Algorithm::EdDSA).token(json!({ "status": { "status_list": { "idx": 0, "uri": URI } } }));
    assert_eq!(f.says(&forged).await, 401);
    assert_eq!(f.upstream.urls().iter().filter(|url| *url != JWKS).count(), 0);

    let f = fixture_with(|issuer| issuer.status_lists_below("https://lists.example/as"));
    let at = |uri: &str| f.with_status(json!({ "status_list": { "idx": 0, "uri": uri } }));
    for uri in [URI, "https://lists.example/as", "https://lists.example/assets/1", "https://lists.example/as/../1"] {
        assert_eq!(f.says(&at(uri)).await, 401, "{uri}");
    }
    assert_eq!(f.says(&at("https://lists.example/as/1")).await, 503);
    assert_eq!(f.upstream.urls().last().unwrap(), "https://lists.example/as/1");
}

#[tokio::test]
async fn what_a_token_must_say_of_its_status_is_the_operators_choice() {
    let policy = |policy| move |issuer: JwtIssuer| issuer.status_list(policy);
    let required = fixture_with(policy(StatusListPolicy::Required));
    required.publish(&[3]);
    let plain = |f: &Fixture| f.fresh(&f.key);
    assert_eq!(required.says(&plain(&required)).await, 401);
    assert_eq!((required.says(&required.placed(0)).await, required.says(&required.placed(3)).await), (200, 401));
    let off = fixture_with(policy(StatusListPolicy::Off));
    assert_eq!((off.says(&off.placed(3)).await, off.lists()), (200, 0));
    let usual = fixture();
    usual.publish(&[3]);
    assert_eq!(usual.says(&plain(&usual)).await, 200);
    assert_eq!(usual.says(&usual.with_status(json!({ "other": 1 }))).await, 200, "another mechanism");
    for malformed in [json!(1), json!({ "status_list": {} }), json!({ "status_list": { "idx": "0", "uri": URI } })] {
        assert_eq!(usual.says(&usual.with_status(malformed.clone())).await, 401, "{malformed}");
    }
    // Nothing to fetch with: nobody knows.
    let key = Key::new(Algorithm::EdDSA);
    let keys = JwkSet::parse(key.document().to_string().as_bytes()).unwrap();
    let server = builder(Issuer::jwt(ISSUER).keys(keys)).clock(clock()).build().unwrap();
    let token = key.token(json!({ "status": { "status_list": { "idx": 0, "uri": URI } } }));
    assert_eq!(present(&server, &token).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(present(&server, &key.good()).await.0, StatusCode::OK);
}

#[tokio::test]
async fn no_issuer_fills_the_memory_with_lists() {
    let f = fixture();
    for number in 0..100 {
        let uri = format!("https://as.example/status/{number}");
        assert_eq!(f.says(&f.with_status(json!({ "status_list": { "idx": 0, "uri": uri } }))).await, 503);
    }
    let crate::resource::validate::Mechanism::Jwt(verifier) = &f.server.judge.issuers[0].mechanism else { panic!() };
    assert_eq!(verifier.statuses.open.lock().unwrap().len(), 64);
}
