//! The status and the challenge of every way to be wrong.

use http::header::HeaderValue;

use super::{corpus, *};

fn with(values: &[&str]) -> Request<String> {
    let mut request = Request::new(String::new());
    for value in values {
        request.headers_mut().append(AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    request
}

/// No token at all: nothing is wrong with it, so the challenge has no error.
const NONE: [&str; 6] =
    ["", "Basic YTpi", "Digest username=\"x\"", "Bear x", "Negotiate a87421000492aa874209af8bc028", "x"];
/// Meant as a token, and not well said.
const MALFORMED: [&str; 9] = [
    "Bearer",
    "Bearer ",
    "bearer",
    "Bearer a b",
    "Bearer a,b",
    "Bearer \"a\"",
    "Bearer a\tb",
    "Bearer é",
    "Bearer a, Bearer b",
];
/// A token68, and no token of anybody's.
const JUNK: [&str; 12] =
    ["a", ".", "..", "...", "a.b.c", "a.-.c", "e30.e30.AA", "eyJ9.e30.AA", "-", "_", "a.b.c.d.e", "YWxn.e30.="];

// spec: RS-02
// spec: RS-07
// spec: RS-08
#[tokio::test]
async fn each_way_to_be_wrong_has_its_status_and_its_challenge() {
    let key = Key::es256();
    for world in [World::explicit(&key), World::asking()] {
        for value in NONE {
            world.refuses(with(&[value]), 401, None).await;
        }
        for value in MALFORMED {
            world.refuses(with(&[value]), 400, Some("invalid_request")).await;
        }
        for token in JUNK {
            world.refuses(request(token), 401, Some("invalid_token")).await;
        }
        let good = format!("Bearer {}", key.good());
        for values in [[&*good, &*good], [&*good, "Basic YTpi"], ["Basic YTpi", &*good], ["", &*good]] {
            world.refuses(with(&values), 400, Some("invalid_request")).await;
        }
    }
}

// spec: RS-12
#[tokio::test]
async fn where_a_token_is_optional_a_bad_one_is_refused_as_anywhere() {
    let key = Key::es256();
    let world = World::explicit(&key);
    let layer = world.server.layer().optional();
    for (_what, token) in corpus::all(&key) {
        world.refuses_at(&layer, request(&token), 401, Some("invalid_token")).await;
    }
    for token in JUNK {
        world.refuses_at(&layer, request(token), 401, Some("invalid_token")).await;
    }
    for value in MALFORMED {
        world.refuses_at(&layer, with(&[value]), 400, Some("invalid_request")).await;
    }
    for value in NONE {
        assert!(send(&layer, with(&[value])).await.1, "{value}");
    }
}

// spec: RS-09
#[tokio::test]
async fn a_good_token_without_the_scope_is_403_and_without_any_claim_of_a_profile_no_500() {
    let key = Key::es256();
    let world = World::explicit(&key);
    let layer = world.server.layer().require_scope("admin");
    for changes in [json!({}), json!({ "scope": null }), json!({ "scope": "" }), json!({ "scope": "administrator" })] {
        world.refuses_at(&layer, request(&key.token(changes)), 403, Some("insufficient_scope")).await;
    }
    let bare = key.token(json!({ "scope": null, "name": null, "email": null, "roles": 7 }));
    assert!(present(&world.server, &bare).await.1);
}

// spec: RS-01
#[tokio::test]
async fn the_scheme_is_of_any_case_and_a_long_token_passes() {
    let key = Key::es256();
    let world = World::explicit(&key);
    let long = key.token(json!({ "groups": "g".repeat(6_000) }));
    for scheme in ["Bearer", "bearer", "BEARER", "bEARER"] {
        for token in [&key.good(), &long] {
            assert!(send(&world.server.layer(), with(&[&format!("{scheme} {token}")])).await.1, "{scheme}");
        }
    }
}

// spec: RS-10
#[tokio::test]
async fn no_text_of_the_program_breaks_the_grammar_of_a_challenge() {
    let key = Key::es256();
    for realm in ["a\"b", "a\\", "a\r\nset-cookie: x=y", "Ünïcode ✓", "", "\u{7f}\u{0}", "\\\"", "a\", error=\"x"] {
        let server = builder(fixed(&key)).realm(realm).advertise_metadata().dpop(crate::resource::Dpop::optional());
        let layer = server.build().unwrap().layer().require_scope("~!#[]^a b:c/d");
        for request in [Request::new(String::new()), request("junk"), request(&key.good()), with(&["Bearer"])] {
            let (response, _) = send(&layer, request).await;
            let challenges = challenges(&response);
            let schemes: Vec<_> = challenges.iter().map(|challenge| &*challenge.0).collect();
            assert_eq!(schemes, ["Bearer", "DPoP"], "{realm}");
            for (_, parameters) in challenges {
                assert_eq!(parameters["resource_metadata"], server_metadata(), "{realm}");
                assert!(parameters.get("error").is_none_or(|error| error != "x"), "{realm}");
            }
        }
    }
}

fn server_metadata() -> &'static str {
    "https://api.example/.well-known/oauth-protected-resource"
}

/// A small generator, so that every run sees the same junk.
struct Junk(u64);

impl Junk {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    fn text(&mut self, alphabet: &[u8], length: usize) -> Vec<u8> {
        let length = self.next(length);
        (0..length).map(|_| alphabet[self.next(alphabet.len())]).collect()
    }
}

#[tokio::test]
async fn no_header_whatsoever_panics_or_passes() {
    let key = Key::es256();
    let visible: Vec<u8> = (0x20..=0x7E).chain([b'\t']).chain(0x80..=0xFF).collect();
    let parts = b"abcAZ019-_.....";
    for world in [World::explicit(&key), World::beside_a_gullible_one(&key), World::asking()] {
        world.upstream.json(ENDPOINT, &json!({ "active": false }));
        let layer = world.server.layer();
        let mut junk = Junk(7);
        for round in 0..3_000 {
            let mut value = [&b""[..], b"Bearer ", b"DPoP ", b"bearer\t"][junk.next(4)].to_vec();
            value.extend(match round % 3 {
                0 => junk.text(&visible, 60),
                1 => junk.text(parts, 60),
                _ => bent(&mut junk, key.good().as_bytes(), &visible),
            });
            let mut request = Request::new(String::new());
            request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_bytes(&value).unwrap());
            let (response, served) = send(&layer, request).await;
            assert!(!served, "{}", String::from_utf8_lossy(&value));
            assert!([400, 401].contains(&response.status().as_u16()), "{}", response.status());
            assert_eq!(challenges(&response).len(), 1);
        }
        world.asked_nobody_else();
    }
}

/// `token` with one byte replaced by another.
fn bent(junk: &mut Junk, token: &[u8], alphabet: &[u8]) -> Vec<u8> {
    let mut token = token.to_vec();
    // The last character of a signature has bits that mean nothing.
    let at = junk.next(token.len() - 1);
    let other = alphabet[junk.next(alphabet.len())];
    token[at] = if token[at] == other { b'!' } else { other };
    token
}
