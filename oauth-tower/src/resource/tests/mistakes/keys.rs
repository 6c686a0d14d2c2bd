//! Keys that change, that are bad, and that tokens ask for.

use super::*;

/// Keys that cannot be used, each for a reason of its own.
fn bad_keys() -> Vec<Value> {
    vec![
        json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA", "kid": "post-quantum" }),
        json!({ "kty": "OKP", "crv": "X25519", "use": "enc", "x": "AAAA", "kid": "x25519" }),
        json!({ "kty": "OKP", "crv": "Ed448", "x": "AAAA", "kid": "ed448" }),
        json!({ "kty": "EC", "crv": "secp256k1", "x": "AAAA", "y": "AAAA" }),
        json!({ "kty": "EC", "crv": "P-256", "use": "enc", "x": "AAAA", "y": "AAAA" }),
        json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0xC3; 64]), "e": "AQAB", "kid": "512 bits" }),
        json!({ "kty": "oct", "k": "AAAA", "kid": "symmetric" }),
        json!({ "kty": 7 }),
        json!({ "kty": "RSA" }),
        json!({}),
        json!(null),
        json!("not even an object"),
    ]
}

fn with_bad_keys(good: &[&Key]) -> Value {
    let mut keys = bad_keys();
    keys.extend(good.iter().map(|key| key.document()["keys"][0].clone()));
    json!({ "keys": keys })
}

/// A world whose clock can be moved.
fn rotating(key: &Key) -> (World, ManualClock) {
    let (upstream, clock) = (Upstream::new(), clock());
    upstream.json(JWKS, &key.document());
    let server = builder(Issuer::jwt(ISSUER).jwks_uri(JWKS)).http(upstream.client()).clock(clock.clone());
    (World { server: server.build().unwrap(), upstream, urls: &[JWKS] }, clock)
}

// spec: MET-10
#[tokio::test]
async fn bad_keys_beside_the_new_one_neither_hide_it_nor_keep_the_old_one_trusted() {
    let (old, new) = (Key::es256(), Key::es256());
    let (world, clock) = rotating(&old);
    let retired = old.good();
    assert!(present(&world.server, &retired).await.1);
    world.upstream.json(JWKS, &with_bad_keys(&[&new]));
    clock.advance(6);
    assert!(present(&world.server, &new.good()).await.1, "the new key is learned from its first token");
    world.refuses(request(&retired), 401, Some("invalid_token")).await;
    let again = old.token(json!({ "jti": "another" }));
    world.refuses(request(&again), 401, Some("invalid_token")).await;
}

#[tokio::test]
async fn a_set_of_nothing_but_bad_keys_says_nothing_of_any_token_and_no_old_key_outlives_it() {
    let (old, other) = (Key::es256(), Key::es256());
    let (world, clock) = rotating(&old);
    assert!(present(&world.server, &old.good()).await.1);
    world.upstream.json(JWKS, &with_bad_keys(&[]));
    clock.advance(6);
    for token in [other.good(), old.good()] {
        assert_eq!(present(&world.server, &token).await, (StatusCode::SERVICE_UNAVAILABLE, false));
    }
}

#[tokio::test]
async fn a_key_that_changed_under_its_old_name_is_learned_when_the_set_is_due() {
    let (old, new) = (Key::es256(), Key::es256());
    let named = |key: &Key| json!({ "keys": [changed(key.document()["keys"][0].clone(), json!({ "kid": "1" }))] });
    let sign = |key: &Key, jti: &str| {
        let claims = changed(claims(), json!({ "jti": jti, "exp": NOW + 3600 }));
        key.sign(&changed(key.header(), json!({ "kid": "1" })), &claims)
    };
    let (world, clock) = rotating(&old);
    world.upstream.json(JWKS, &named(&old));
    let known = sign(&old, "1");
    assert!(present(&world.server, &known).await.1);
    world.upstream.json(JWKS, &named(&new));
    clock.advance(600);
    assert!(present(&world.server, &sign(&new, "2")).await.1);
    world.refuses(request(&sign(&old, "3")), 401, Some("invalid_token")).await;
    world.refuses(request(&known), 401, Some("invalid_token")).await;
}

#[tokio::test]
async fn a_failed_fetch_replaces_no_good_key() {
    let (key, stranger) = (Key::es256(), Key::es256());
    let (world, clock) = rotating(&key);
    assert!(present(&world.server, &key.good()).await.1);
    for body in ["<html>", "{}", "[]", r#"{"keys":7}"#, r#"{"keys":{}}"#, ""] {
        world.upstream.answer(JWKS, 200, &[], body);
        clock.advance(6);
        assert_eq!(present(&world.server, &stranger.good()).await.0, StatusCode::SERVICE_UNAVAILABLE, "{body}");
        assert!(present(&world.server, &key.token(json!({ "jti": body }))).await.1, "{body}");
    }
}

#[tokio::test]
async fn only_a_200_brings_keys_however_good_its_body() {
    let key = Key::es256();
    for status in [201, 203, 206, 301, 304, 404, 500] {
        let (world, _) = rotating(&key);
        world.upstream.answer(JWKS, status, &[("location", "https://evil.example/")], &key.document().to_string());
        assert_eq!(present(&world.server, &key.good()).await, (StatusCode::SERVICE_UNAVAILABLE, false), "{status}");
        world.asked_nobody_else();
    }
}

// spec: MET-10
#[tokio::test]
async fn what_a_token_says_of_its_key_never_goes_upstream() {
    let key = Key::es256();
    let (world, clock) = rotating(&key);
    for kid in ["https://evil.example/k", "../../etc/passwd", "a?b=c&d", "a#b", "\r\nhost: evil", "@evil.example/", "é"]
    {
        let token = key.sign(&changed(key.header(), json!({ "kid": kid })), &claims());
        clock.advance(6);
        world.refuses(request(&token), 401, Some("invalid_token")).await;
    }
    assert!(world.upstream.calls() > 3, "each was looked for");
    let last = world.upstream.last();
    assert_eq!((last.method().as_str(), last.uri().to_string().as_str()), ("GET", JWKS));
    assert!(last.body().is_empty() && last.uri().query().is_none());
}
