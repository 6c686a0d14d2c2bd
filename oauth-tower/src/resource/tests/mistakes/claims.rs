//! Everything that a token says is checked, however its issuer is configured.

use super::{corpus, *};

// spec: RS-08
// spec: RS-14
// spec: RS-15
// spec: RS-16
// spec: RS-17
// spec: RS-19
#[tokio::test]
async fn no_forgery_passes_however_the_issuer_is_configured() {
    let key = Key::es256();
    for world in [World::explicit(&key), World::discovered(&key), World::beside_a_gullible_one(&key)] {
        assert!(present(&world.server, &key.good()).await.1);
        let calls = world.upstream.calls();
        for (_what, token) in corpus::all(&key) {
            // Judged, and then remembered.
            for _ in 0..2 {
                world.refuses(request(&token), 401, Some("invalid_token")).await;
            }
        }
        assert_eq!(world.upstream.calls(), calls, "a forgery caused a request");
        assert!(present(&world.server, &key.good()).await.1);
    }
}

// spec: RS-16
#[tokio::test]
async fn no_forgery_causes_a_request_before_there_are_keys_unless_it_names_the_issuer() {
    let key = Key::es256();
    for (what, token) in corpus::all(&key) {
        let world = World::explicit(&key);
        world.refuses(request(&token), 401, Some("invalid_token")).await;
        assert!(world.upstream.calls() <= 1, "{what}");
    }
    for iss in [json!("https://evil.example"), json!(null), json!([ISSUER]), json!(7), json!({ "iss": ISSUER })] {
        let world = World::discovered(&key);
        world.refuses(request(&key.token(json!({ "iss": iss }))), 401, Some("invalid_token")).await;
        assert_eq!(world.upstream.calls(), 0, "{iss}");
    }
}

#[tokio::test]
async fn a_jwt_whose_issuer_is_asked_is_held_to_the_answer_and_not_to_itself() {
    let world = World::asking();
    for (_what, token) in corpus::claims(&Key::es256()) {
        world.refuses(request(&token), 401, Some("invalid_token")).await;
    }
    for question in world.upstream.urls() {
        assert_eq!(question, ENDPOINT);
    }
}

#[tokio::test]
async fn a_text_whose_header_names_no_algorithm_is_no_jwt_and_is_shown_to_the_configured_endpoint_alone() {
    let key = Key::es256();
    let nameless = key.sign(&changed(key.header(), json!({ "alg": null })), &claims());
    World::explicit(&key).refuses(request(&nameless), 401, Some("invalid_token")).await;
    let world = World::beside_a_gullible_one(&key);
    world.upstream.json(ENDPOINT, &json!({ "active": false }));
    world.refuses(request(&nameless), 401, Some("invalid_token")).await;
    assert_eq!(world.upstream.urls(), [ENDPOINT]);
}
