//! `grant_type=urn:ietf:params:oauth:grant-type:token-exchange`: a token for another token (RFC 8693).

mod bound;
mod delegation;
mod ends;
mod jwt;
mod rules;

use oauth_core::{
    client::{Client, ClientSecret, GrantType},
    grant::TokenExchange,
    server::AuthorizationServerBuilder,
};
use serde_json::Value;

use crate::support::*;

/// A confidential client that may exchange tokens, and act for itself.
const GATEWAY: Caller = Caller::Basic("gateway", "gateway-secret-4Hs6");
/// Another one.
const BILLING: Caller = Caller::Basic("billing", "billing-secret-2Kd9");

const GRANT: (&str, &str) = ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

fn exchanger(caller: Caller) -> Client {
    let Caller::Basic(id, secret) = caller else { panic!("{caller:?}") };
    let client = Client::builder(id).secret(ClientSecret::new(&secret.into())).scope("read");
    client.grant_type(GrantType::TOKEN_EXCHANGE).grant_type(GrantType::CLIENT_CREDENTIALS).build().unwrap()
}

/// A server whose exchange is `exchange`.
fn with(builder: AuthorizationServerBuilder, exchange: TokenExchange) -> AuthorizationServerBuilder {
    builder.grant(exchange).client(exchanger(GATEWAY)).client(exchanger(BILLING))
}

fn exchanging(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    with(builder, TokenExchange::default())
}

/// Exchanges the access token `subject`, with `more` parameters.
async fn exchange(w: &World, caller: Caller, subject: &str, more: &[(&str, &str)]) -> Answer {
    let own = [GRANT, ("subject_token", subject), ("subject_token_type", ACCESS)];
    w.token(caller, &[&own, more].concat()).await
}

/// What a resource server hears of a token.
async fn known(w: &World, token: &str) -> Value {
    w.introspect(AUDITOR, token).await.json()
}

/// A token that `caller` has for itself.
async fn own_token(w: &World, caller: Caller) -> String {
    w.token(caller, &[("grant_type", "client_credentials")]).await.tokens().access
}

// spec: TOK-42, TOK-43
#[tokio::test]
async fn a_live_token_brings_another_for_the_client_that_asks_and_says_which() {
    on_every_store_with(exchanging, async |w| {
        let subject = w.tokens(WEB).await.access;
        let answer = exchange(&w, GATEWAY, &subject, &[("resource", JWT_API), ("scope", "read")]).await;
        assert_eq!(answer.member("issued_token_type"), ACCESS);
        assert_eq!((answer.member("token_type"), answer.member("scope")), ("Bearer".into(), "read".into()));
        let token = answer.tokens();
        assert_eq!(token.refresh, None);
        let claims = known(&w, &token.access).await;
        let said = ["sub", "client_id", "aud", "scope"].map(|name| claims[name].as_str().unwrap());
        assert_eq!(said, ["alice", "gateway", JWT_API, "read"]);
        assert!(claims.get("act").is_none(), "nobody was named");
        assert!(w.lives(&subject).await, "it is not used up");
        assert!(w.events.all().iter().any(|one| one.starts_with("tokens_issued") && one.contains("token-exchange")));
    })
    .await;
}

// spec: TOK-40
#[tokio::test]
async fn a_parameter_that_is_missing_or_lacks_its_other_half_is_an_invalid_request() {
    let w = on_memory_with(exchanging).await;
    let subject = w.tokens(WEB).await.access;
    let actor = own_token(&w, GATEWAY).await;
    let token = ("subject_token", &*subject);
    let kind = ("subject_token_type", ACCESS);
    let bad: [&[(&str, &str)]; 6] = [
        &[GRANT],
        &[GRANT, token],
        &[GRANT, kind],
        &[GRANT, token, kind, ("actor_token", &actor)],
        &[GRANT, token, kind, ("actor_token_type", ACCESS)],
        &[GRANT, token, kind, kind],
    ];
    for params in bad {
        w.token(GATEWAY, params).await.is_refused(400, "invalid_request");
    }
    w.token(GATEWAY, &[GRANT, token, kind]).await.tokens();
}

// spec: TOK-41
#[tokio::test]
async fn a_token_that_is_no_good_is_an_invalid_request_whatever_is_the_matter() {
    let w = on_memory_with(exchanging).await;
    let good = w.tokens(WEB).await;
    let (revoked, expired) = (w.tokens(WEB).await.access, w.tokens(WEB).await.access);
    w.revoke(WEB, &revoked).await.is_revoked();
    let refresh = good.refresh.unwrap();
    let code = w.code(WEB).await;
    for bad in ["x", &*revoked, &*refresh, &*code, &format!("{}x", good.access)] {
        exchange(&w, GATEWAY, bad, &[]).await.is_refused(400, "invalid_request");
        let actor = [("actor_token", bad), ("actor_token_type", ACCESS)];
        exchange(&w, GATEWAY, &good.access, &actor).await.is_refused(400, "invalid_request");
    }
    w.clock.advance(300);
    exchange(&w, GATEWAY, &expired, &[]).await.is_refused(400, "invalid_request");
}

// spec: TOK-41
#[tokio::test]
async fn a_refresh_token_is_never_exchanged() {
    let w = on_memory_with(exchanging).await;
    let tokens = w.tokens(WEB).await;
    let refresh = tokens.refresh.unwrap();
    for kind in
        [ACCESS, JWT, "urn:ietf:params:oauth:token-type:refresh_token", "urn:ietf:params:oauth:token-type:id_token"]
    {
        let params = [GRANT, ("subject_token", &*refresh), ("subject_token_type", kind)];
        w.token(GATEWAY, &params).await.is_refused(400, "invalid_request");
    }
    w.refresh(WEB, &refresh).await.tokens();
}

// spec: TOK-42
#[tokio::test]
async fn a_type_that_is_not_issued_is_refused_and_a_jwt_is_one_only_where_they_are_taken() {
    let w = on_memory_with(exchanging).await;
    let subject = w.tokens(WEB).await.access;
    for kind in ["refresh_token", "id_token", "saml2", "nonsense"] {
        let kind = format!("urn:ietf:params:oauth:token-type:{kind}");
        exchange(&w, GATEWAY, &subject, &[("requested_token_type", &kind)]).await.is_refused(400, "invalid_request");
    }
    let jwt = ("requested_token_type", JWT);
    exchange(&w, GATEWAY, &subject, &[jwt]).await.is_refused(400, "invalid_request");
    let answer = exchange(&w, GATEWAY, &subject, &[jwt, ("resource", JWT_API)]).await;
    assert_eq!((answer.member("issued_token_type"), answer.member("token_type")), (JWT.into(), "Bearer".into()));
    assert_eq!(answer.tokens().access.split('.').count(), 3);
}

// spec: TOK-43
#[tokio::test]
async fn the_scope_is_that_of_the_subject_token_or_less_and_the_target_one_that_is_served() {
    let w = on_memory_with(exchanging).await;
    let code = w.code_for(&Ask::of(WEB).with("scope", "read")).await;
    let subject = w.redeem(WEB, &code).await.tokens().access;
    for wide in ["write", "read write", "admin"] {
        exchange(&w, GATEWAY, &subject, &[("scope", wide)]).await.is_refused(400, "invalid_scope");
    }
    // Without a word, the same scope at the same resource.
    let same = exchange(&w, GATEWAY, &subject, &[]).await;
    let claims = known(&w, &same.tokens().access).await;
    assert_eq!((&claims["scope"], &claims["aud"]), (&"read".into(), &API.into()));
    for name in ["resource", "audience"] {
        for bad in ["https://elsewhere.example", "x", "https://api.example/", "HTTPS://api.example"] {
            exchange(&w, GATEWAY, &subject, &[(name, bad)]).await.is_refused(400, "invalid_target");
        }
        let there = exchange(&w, GATEWAY, &subject, &[(name, JWT_API)]).await.tokens().access;
        assert_eq!(known(&w, &there).await["aud"], JWT_API);
    }
    let both = exchange(&w, GATEWAY, &subject, &[("resource", API), ("audience", JWT_API)]).await.tokens().access;
    assert_eq!(known(&w, &both).await["aud"], serde_json::json!([API, JWT_API]));
    // Nothing of it means anything there, and nobody takes nothing for something.
    exchange(&w, GATEWAY, &subject, &[("resource", OTHER_API)]).await.is_refused(400, "invalid_scope");
}

// spec: TOK-05, TOK-43
#[tokio::test]
async fn only_a_client_that_proves_itself_and_is_registered_for_it_exchanges() {
    let public = |builder: AuthorizationServerBuilder| {
        let client = Client::builder("public").grant_type(GrantType::TOKEN_EXCHANGE);
        exchanging(builder).client(client.build().unwrap())
    };
    let w = on_memory_with(public).await;
    let subject = w.tokens(WEB).await.access;
    exchange(&w, WEB, &subject, &[]).await.is_refused(400, "unauthorized_client");
    exchange(&w, Caller::Public("public"), &subject, &[]).await.is_refused(400, "unauthorized_client");
    exchange(&w, Caller::Basic("gateway", "wrong"), &subject, &[]).await.is_refused(401, "invalid_client");
    exchange(&w, Caller::Nobody, &subject, &[]).await.is_refused(401, "invalid_client");
    let off = on_memory().await;
    let subject = off.tokens(WEB).await.access;
    exchange(&off, WEB, &subject, &[]).await.is_refused(400, "unsupported_grant_type");
}
