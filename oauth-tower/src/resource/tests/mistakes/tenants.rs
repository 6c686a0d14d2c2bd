//! Which issuer judges a token is chosen by what the token says, unverified;
//! whoever was chosen holds it to its own keys and its own name.

use super::*;

const ONE: &str = "https://one.example";
const TWO: &str = "https://two.example";
const KEYS_OF_ONE: &str = "https://one.example/jwks";
const KEYS_OF_TWO: &str = "https://two.example/jwks";

/// Two issuers whose keys have the same `kid`.
fn two_tenants() -> (World, Key, Key) {
    let (one, two) = (Key::es256(), Key::es256());
    let issuers = [Issuer::jwt(ONE).jwks_uri(KEYS_OF_ONE).into(), Issuer::jwt(TWO).jwks_uri(KEYS_OF_TWO).into()];
    let world = World::new(issuers, &[KEYS_OF_ONE, KEYS_OF_TWO]);
    world.upstream.json(KEYS_OF_ONE, &named(&one)).json(KEYS_OF_TWO, &named(&two));
    (world, one, two)
}

fn named(key: &Key) -> Value {
    json!({ "keys": [changed(key.document()["keys"][0].clone(), json!({ "kid": "1" }))] })
}

fn of(key: &Key, iss: &str, kid: Value) -> String {
    key.sign(&changed(key.header(), json!({ "kid": kid })), &changed(claims(), json!({ "iss": iss })))
}

// spec: RS-16
#[tokio::test]
async fn a_key_is_good_for_its_own_issuer_alone_though_another_has_one_of_that_name() {
    // In either order: whose keys are there first decides nothing.
    for first in [ONE, TWO] {
        let (world, one, two) = two_tenants();
        let good = [of(&one, ONE, json!("1")), of(&two, TWO, json!("1"))];
        let order: Vec<_> = if first == ONE { good.iter().collect() } else { good.iter().rev().collect() };
        for token in order {
            assert!(present(&world.server, token).await.1);
        }
        for kid in [json!("1"), json!(null)] {
            for token in [of(&one, TWO, kid.clone()), of(&two, ONE, kid.clone())] {
                world.refuses(request(&token), 401, Some("invalid_token")).await;
            }
        }
        assert_eq!(world.upstream.calls(), 2, "each issuer was asked for its keys once");
    }
}

// spec: RS-16
#[tokio::test]
async fn a_token_that_names_two_issuers_or_none_is_nobodys() {
    let (world, one, _) = two_tenants();
    for iss in [json!([ONE, TWO]), json!(null), json!(""), json!({ "": ONE })] {
        let token = one.token(json!({ "iss": iss }));
        world.refuses(request(&token), 401, Some("invalid_token")).await;
    }
    let header = URL_SAFE_NO_PAD.encode(changed(one.header(), json!({ "kid": "1" })).to_string());
    let twice = changed(claims(), json!({ "iss": ONE })).to_string();
    let twice = twice.replacen('{', &format!(r#"{{"iss":"{TWO}","#), 1);
    let input = format!("{header}.{}", URL_SAFE_NO_PAD.encode(twice));
    let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &one.encoding, one.algorithm).unwrap();
    world.refuses(request(&format!("{input}.{signature}")), 401, Some("invalid_token")).await;
}

#[tokio::test]
async fn an_issuer_that_is_down_takes_no_other_one_along() {
    let (world, one, two) = two_tenants();
    world.upstream.answer(KEYS_OF_TWO, 500, &[], "");
    assert_eq!(present(&world.server, &of(&two, TWO, json!("1"))).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert!(present(&world.server, &of(&one, ONE, json!("1"))).await.1);
    world.asked_nobody_else();
}
