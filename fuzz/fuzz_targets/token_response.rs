//! Token responses, as a client reads them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oauth_core::token::{TokenResponse, TokenType};
use oauth_core_fuzz::object;

fuzz_target!(|body: &[u8]| {
    let Ok(response) = TokenResponse::parse(body) else { return };
    assert_eq!(body.trim_ascii_start().first(), Some(&b'{'), "a response is an object");
    let Some(members) = object(body) else { return };
    assert_eq!(members["access_token"], response.access_token.expose());
    let token_type = members["token_type"].as_str().expect("a string");
    match &response.token_type {
        TokenType::Bearer => assert!(token_type.eq_ignore_ascii_case("bearer")),
        TokenType::Dpop => assert!(token_type.eq_ignore_ascii_case("dpop")),
        other => panic!("{other} is not implemented"),
    }
    let written = serde_json::to_vec(&response.to_json()).expect("a response is JSON");
    assert_eq!(TokenResponse::parse(&written), Ok(response));
});
