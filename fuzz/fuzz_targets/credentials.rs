//! `Authorization`, `DPoP` and the query, through the resource server: `$TOKEN` stands for a good token, `$BOUND` for one
//! that is bound to a key, `$PROOF` for its proof. Lines: the `Authorization` headers, a `DPoP` header, the query.
#![no_main]

use std::sync::LazyLock;

use http::{HeaderValue, Request, StatusCode, header::AUTHORIZATION};
use libfuzzer_sys::fuzz_target;
use oauth_core::clock::SystemRandom;
use oauth_core_fuzz::{FORGER, NOW, access_token, block_on, resource_server};
use oauth_tower::resource::ResourceServer;
use serde_json::json;

static SERVER: LazyLock<ResourceServer> = LazyLock::new(resource_server);
static TOKEN: LazyLock<String> = LazyLock::new(|| access_token(&json!({})));
static BOUND: LazyLock<String> = LazyLock::new(|| access_token(&json!({ "cnf": { "jkt": FORGER.jkt() } })));

fn proof() -> String {
    let url = "https://api.example/notes";
    FORGER.proof("GET", url, Some(&BOUND), None, NOW, &SystemRandom).expect("the key signs")
}

fuzz_target!(|text: &str| {
    let proof = if text.contains("$PROOF") { proof() } else { String::new() };
    let text = text.replace("$TOKEN", &TOKEN).replace("$BOUND", &BOUND).replace("$PROOF", &proof);
    let mut lines = text.split('\n');
    let (authorization, dpop, query) = (lines.next(), lines.next(), lines.next());
    let mut request = Request::get("https://api.example/notes");
    if let Some(uri) = query.and_then(|query| format!("/notes?{query}").parse::<http::Uri>().ok()) {
        request = request.uri(uri);
    }
    let mut count = [0, 0];
    for (index, (name, line)) in [(AUTHORIZATION.as_str(), authorization), ("dpop", dpop)].into_iter().enumerate() {
        for value in line.into_iter().flat_map(|line| line.split('\r')).filter(|value| !value.is_empty()) {
            let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) else { return };
            count[index] += 1;
            request = request.header(name, value);
        }
    }
    let parts = request.body(()).expect("a request").into_parts().0;
    match block_on(SERVER.validate(&parts)) {
        Ok(token) => {
            assert_eq!((token.subject(), count[0]), ("ada", 1));
            let value = parts.headers[AUTHORIZATION].to_str().expect("token68 is ASCII");
            let (scheme, sent) = value.split_once(' ').expect("a scheme, spaces and a token");
            match token.confirmation() {
                None => assert!(scheme.eq_ignore_ascii_case("bearer") && sent.trim_start_matches(' ') == *TOKEN),
                Some(_) => {
                    assert!(scheme.eq_ignore_ascii_case("dpop") && sent.trim_start_matches(' ') == *BOUND);
                    assert_eq!((count[1], parts.headers["dpop"].to_str().ok()), (1, Some(&*proof)));
                }
            }
            let in_query = parts
                .uri
                .query()
                .is_some_and(|query| form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token"));
            assert!(!in_query, "a token in the header and one in the query");
        }
        Err(refusal) => {
            assert!([StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED].contains(&refusal.status()));
            assert!((1..=2).contains(&refusal.challenges().len()));
            assert_eq!(refusal.headers().get_all("www-authenticate").iter().count(), refusal.challenges().len());
            let shown = format!("{refusal} {refusal:?} {:?}", refusal.headers());
            assert!(!shown.contains(TOKEN.as_str()) && !shown.contains(BOUND.as_str()));
        }
    }
});
