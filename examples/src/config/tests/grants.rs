//! `[token_exchange]` and `[jwt_bearer]`.

use super::*;

#[test]
fn both_are_off_where_nobody_has_said_otherwise() {
    let config = parse(GOOD);
    assert!(config.token_exchange.is_none() && config.jwt_bearer.is_none());
    let config = parse(&format!("{GOOD}[token_exchange]\nenabled = false\n[jwt_bearer]\nenabled = false"));
    assert!(config.token_exchange.is_none() && config.jwt_bearer.is_none());
    let issuer = "[[jwt_bearer.issuers]]\nissuer = \"https://idp.example\"\njwks_uri = \"https://idp.example/jwks\"";
    let config = parse(&format!("{GOOD}[token_exchange]\nenabled = true\n[jwt_bearer]\nenabled = true\n{issuer}"));
    assert!(config.token_exchange.is_some() && config.jwt_bearer.is_some());
}

#[test]
fn each_mistake_is_named() {
    let bad = [
        ("[jwt_bearer]\nenabled = true", "jwt_bearer.issuers"),
        ("[[jwt_bearer.issuers]]\nissuer = \"a\"", "jwt_bearer.issuers[0].jwks_uri"),
        ("[[jwt_bearer.issuers]]\njwks_uri = \"https://a.example\"", "jwt_bearer.issuers[0].issuer"),
        ("[[jwt_bearer.issuers]]\nissuer = \"a\"\njwks = { keys = 1 }", "jwt_bearer.issuers[0].jwks"),
        ("[token_exchange]\nenabled = 1", "token_exchange.enabled"),
        ("[token_exchange]\naudience = 1", "token_exchange.audience"),
        ("[[token_exchange.rules]]\nresources = []", "token_exchange.rules[0].client_id"),
        ("[[token_exchange.rules]]\nclient_id = \"nobody\"", "token_exchange.rules[0].client_id"),
    ];
    for (text, key) in bad {
        assert_eq!(blamed(&format!("{GOOD}{text}")), [key], "{text}");
    }
}
