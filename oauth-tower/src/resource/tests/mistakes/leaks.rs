//! Neither a token nor a claim is ever shown.

use super::{corpus, *};

/// What must be nowhere: every part of the token that means something.
fn secrets(token: &str) -> Vec<&str> {
    token
        .split('.')
        .skip(1)
        .filter(|part| part.len() > 8)
        .chain(["ada", "eve", "hush", "https://evil.example"])
        .collect()
}

// spec: SEC-07
#[tokio::test]
async fn a_refusal_shows_nothing_of_the_token_in_any_form() {
    let key = Key::es256();
    let world = World::explicit(&key);
    for (what, token) in corpus::all(&key) {
        let refusal = world.server.validate_headers(&headers(&token)).await.unwrap_err();
        let (response, _) = send(&world.server.layer(), request(&token)).await;
        let shown = format!("{refusal} {refusal:?} {:?} {:?} {:?}", refusal.kind(), response, world.server);
        for secret in secrets(&token) {
            assert!(!shown.contains(secret), "{what}: {secret} in {shown}");
        }
    }
}

// spec: SEC-07
#[tokio::test]
async fn neither_server_nor_layer_nor_token_shows_what_it_holds() {
    let key = Key::es256();
    let token = key.token(json!({ "sub": "ada-the-subject", "email": "ada@mail.example" }));
    for world in [World::explicit(&key), World::beside_a_gullible_one(&key)] {
        let validated = world.server.validate_headers(&headers(&token)).await.unwrap();
        let layer = world.server.layer();
        let service = tower::Layer::layer(&layer, ());
        let judge = &world.server.judge;
        let shown =
            format!("{validated:?} {:?} {:?} {layer:?} {service:?} {judge:?}", validated.claims(), world.server);
        for secret in ["ada-the-subject", "ada@mail", "hush", &token[20..60]] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
}
