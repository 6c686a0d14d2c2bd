//! The metadata of an issuer are its own, or nothing.

use super::*;

const OPENID: &str = "https://as.example/.well-known/openid-configuration";

fn world() -> World {
    World::new([Issuer::jwt(ISSUER).into()], &[METADATA, OPENID, JWKS])
}

fn document() -> Value {
    json!({ "issuer": ISSUER, "jwks_uri": JWKS })
}

// spec: MET-07
#[tokio::test]
async fn a_document_of_another_issuer_is_not_used_nor_what_it_points_to() {
    let key = Key::es256();
    for issuer in ["https://evil.example", "https://as.example/", "https://AS.example", "https://as.example:443", ""] {
        let world = world();
        let evil = json!({ "issuer": issuer, "jwks_uri": "https://evil.example/jwks" });
        world.upstream.json(METADATA, &evil).json(OPENID, &document()).json(JWKS, &key.document());
        for token in [key.good(), key.token(json!({ "iss": issuer }))] {
            let (status, served) = present(&world.server, &token).await;
            assert!(!served && [401, 503].contains(&status.as_u16()), "{issuer}: {status}");
        }
        assert_eq!(world.upstream.urls(), [METADATA], "{issuer}");
    }
}

// spec: MET-07
#[tokio::test]
async fn only_a_200_is_an_answer_however_good_its_body() {
    let key = Key::es256();
    for status in [201, 203, 206, 301, 302, 304, 400, 404, 500, 503] {
        let world = world();
        let body = document().to_string();
        world.upstream.answer(METADATA, status, &[("location", "https://evil.example/")], &body);
        world.upstream.answer(OPENID, status, &[], &body).json(JWKS, &key.document());
        assert_eq!(present(&world.server, &key.good()).await, (StatusCode::SERVICE_UNAVAILABLE, false), "{status}");
        world.asked_nobody_else();
        assert!(!world.upstream.urls().contains(&JWKS.to_owned()), "{status}");
    }
}

// spec: MET-07
#[tokio::test]
async fn a_document_that_says_a_thing_twice_is_not_used() {
    let key = Key::es256();
    let twice = [
        format!(r#"{{"issuer":"https://evil.example","issuer":"{ISSUER}","jwks_uri":"{JWKS}"}}"#),
        format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"https://evil.example/jwks","jwks_uri":"{JWKS}"}}"#),
        format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"{JWKS}","\u006awks_uri":"{JWKS}"}}"#),
    ];
    for body in twice {
        let world = world();
        world.upstream.answer(METADATA, 200, &[], &body).json(OPENID, &document()).json(JWKS, &key.document());
        assert_eq!(present(&world.server, &key.good()).await, (StatusCode::SERVICE_UNAVAILABLE, false), "{body}");
        assert_eq!(world.upstream.urls(), [METADATA], "{body}");
    }
}

#[tokio::test]
async fn where_nothing_lies_the_next_place_is_asked() {
    let key = Key::es256();
    let good = document().to_string();
    let page = "<!doctype html><title>Sign in</title>";
    for (status, body) in [
        (200, page),
        (200, ""),
        (200, "[]"),
        (200, "null"),
        (400, &good),
        (403, page),
        (404, page),
        (405, ""),
        (501, ""),
    ] {
        let world = world();
        world.upstream.answer(METADATA, status, &[], body).json(OPENID, &document()).json(JWKS, &key.document());
        assert!(present(&world.server, &key.good()).await.1, "{status} {body}");
        assert_eq!(world.upstream.urls(), [METADATA, OPENID, JWKS], "{status} {body}");
        // Nor is it the document of anybody, if it lies everywhere.
        let world = self::world();
        world.upstream.answer(METADATA, status, &[], body).answer(OPENID, status, &[], body);
        assert_eq!(present(&world.server, &key.good()).await, (StatusCode::SERVICE_UNAVAILABLE, false), "{status}");
    }
}

#[tokio::test]
async fn an_outage_or_a_lie_is_no_reason_to_look_elsewhere() {
    let key = Key::es256();
    let unusable = format!(r#"{{"issuer":"{ISSUER}","jwks_uri":[]}}"#);
    for (status, body) in [(200, "{}"), (200, unusable.as_str()), (500, ""), (502, ""), (503, ""), (504, ""), (302, "")]
    {
        let world = world();
        world.upstream.answer(METADATA, status, &[], body).json(OPENID, &document()).json(JWKS, &key.document());
        assert_eq!(present(&world.server, &key.good()).await, (StatusCode::SERVICE_UNAVAILABLE, false), "{status}");
        assert_eq!(world.upstream.urls(), [METADATA], "{status} {body}");
    }
}

#[tokio::test]
async fn the_places_are_asked_in_the_same_order_each_time() {
    for _ in 0..10 {
        let key = Key::es256();
        let world = world();
        world.upstream.json(OPENID, &document()).json(JWKS, &key.document());
        assert!(present(&world.server, &key.good()).await.1);
        assert_eq!(world.upstream.urls(), [METADATA, OPENID, JWKS]);
    }
}

#[tokio::test]
async fn keys_in_the_clear_or_at_no_url_are_not_fetched() {
    let key = Key::es256();
    let places =
        ["http://as.example/jwks", "file:///etc/passwd", "as.example/jwks", "https://u:p@as.example/jwks", "//x/y", ""];
    for place in places {
        let world = world();
        world.upstream.json(METADATA, &json!({ "issuer": ISSUER, "jwks_uri": place }));
        assert_eq!(present(&world.server, &key.good()).await, (StatusCode::SERVICE_UNAVAILABLE, false), "{place}");
        assert_eq!(world.upstream.urls(), [METADATA], "{place}");
    }
}
