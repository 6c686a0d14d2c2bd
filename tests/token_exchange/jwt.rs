//! JWTs: those of this server, and those of issuers that it trusts.

use oauth_core::{
    client::ClientJwks,
    clock::Clock,
    grant::{ExchangeRule, TrustedIssuer},
    jwt::{self, Algorithm},
    keys::SigningKey,
};
use serde_json::json;

use super::*;

const PARTNER: &str = "https://partner.example";

/// Somebody else's server, and ours that trusts it.
struct Partner {
    key: SigningKey,
    w: World,
}

impl Partner {
    async fn new() -> Self {
        Self::ruled(ExchangeRule::default()).await
    }

    async fn ruled(rule: ExchangeRule) -> Self {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let exchange = TokenExchange::default().rule(BILLING.client_id(), rule);
        let exchange = exchange.issuers([TrustedIssuer::new(PARTNER, ClientJwks::of([&key]))]);
        let w = on_memory_with(move |builder| with(builder, exchange.clone())).await;
        Self { key, w }
    }

    /// A JWT that says this, besides what it must say.
    fn jwt(&self, claims: Value) -> String {
        let now = self.w.clock.now();
        let mut all = json!({ "iss": PARTNER, "sub": "bob", "aud": ISSUER, "exp": now.0 + 60, "iat": now.0 });
        let Value::Object(claims) = claims else { panic!("{claims}") };
        for (name, value) in claims {
            match value {
                Value::Null => drop(all.as_object_mut().unwrap().remove(&name)),
                value => all[name] = value,
            }
        }
        jwt::sign(&self.key, "JWT", &all).unwrap()
    }

    async fn exchange(&self, caller: Caller, jwt: &str, more: &[(&str, &str)]) -> Answer {
        let own = [GRANT, ("subject_token", jwt), ("subject_token_type", JWT)];
        self.w.token(caller, &[&own, more].concat()).await
    }
}

// spec: TOK-42, TOK-43
#[tokio::test]
async fn a_jwt_of_a_trusted_issuer_brings_a_token_for_its_subject_that_ends_with_it() {
    let p = Partner::new().await;
    let answer = p.exchange(GATEWAY, &p.jwt(json!({})), &[]).await;
    assert_eq!((answer.member("expires_in"), answer.member("issued_token_type")), (60.into(), ACCESS.into()));
    assert_eq!(answer.tokens().refresh, None);
    let claims = known(&p.w, &answer.tokens().access).await;
    let said = ["sub", "client_id", "scope", "aud"].map(|name| claims[name].as_str().unwrap());
    assert_eq!(said, ["bob", "gateway", "read", API]);
    let there = p.exchange(GATEWAY, &p.jwt(json!({})), &[("audience", JWT_API)]).await.tokens().access;
    assert_eq!(known(&p.w, &there).await["aud"], JWT_API);
}

// spec: TOK-41
#[tokio::test]
async fn a_jwt_that_is_not_good_in_any_respect_is_an_invalid_request() {
    let p = Partner::new().await;
    let now = p.w.clock.now().0;
    let bad = [
        json!({ "iss": "https://other.example" }),
        json!({ "iss": null }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
        json!({ "sub": "web" }),
        json!({ "aud": null }),
        json!({ "aud": "https://other.example" }),
        json!({ "aud": ["https://other.example"] }),
        json!({ "exp": null }),
        json!({ "exp": now }),
        json!({ "exp": now + 7200 }),
        json!({ "nbf": now + 600 }),
        json!({ "iat": "yesterday" }),
        json!({ "act": "gateway" }),
        json!({ "cnf": { "jkt": "x" } }),
        json!({ "cnf": {} }),
        json!({ "cnf": { "kid": "x" } }),
        json!({ "scope": 1 }),
    ];
    for claims in bad {
        let answer = p.exchange(GATEWAY, &p.jwt(claims.clone()), &[]).await;
        assert_eq!((answer.status.as_u16(), answer.member("error")), (400, "invalid_request".into()), "{claims}");
    }
    let stranger = SigningKey::generate(Algorithm::ES256).unwrap();
    let claims = json!({ "iss": PARTNER, "sub": "bob", "aud": ISSUER, "exp": now + 60 });
    for jwt in [jwt::sign(&stranger, "JWT", &claims).unwrap(), jwt::sign(&p.key, "at+jwt", &claims).unwrap()] {
        p.exchange(GATEWAY, &jwt, &[]).await.is_refused(400, "invalid_request");
    }
    let good = p.jwt(json!({ "aud": ["https://other.example", ISSUER] }));
    p.exchange(GATEWAY, &good, &[]).await.tokens();
    // It is no access token of this server.
    exchange(&p.w, GATEWAY, &good, &[]).await.is_refused(400, "invalid_request");
}

// spec: TOK-41
#[tokio::test]
async fn the_jwt_of_an_actor_must_be_as_good() {
    let p = Partner::new().await;
    let subject = p.w.tokens(WEB).await.access;
    let now = p.w.clock.now().0;
    for (claims, good) in [
        (json!({}), true),
        (json!({ "exp": now }), false),
        (json!({ "aud": API }), false),
        (json!({ "cnf": { "jkt": "x" } }), false),
    ] {
        let actor = p.jwt(claims);
        let answer = exchange(&p.w, GATEWAY, &subject, &[("actor_token", &actor), ("actor_token_type", JWT)]).await;
        assert_eq!(answer.status == 200, good, "{answer}");
    }
}

// spec: TOK-43
#[tokio::test]
async fn the_scope_of_a_jwt_is_the_most_that_it_brings() {
    let p = Partner::new().await;
    let nothing = p.jwt(json!({ "scope": "write" }));
    p.exchange(GATEWAY, &nothing, &[("scope", "read")]).await.is_refused(400, "invalid_scope");
    let both = p.jwt(json!({ "scope": "read write" }));
    p.exchange(GATEWAY, &both, &[("scope", "write")]).await.is_refused(400, "invalid_scope");
    assert_eq!(p.exchange(GATEWAY, &both, &[]).await.member("scope"), "read");
}

// spec: TOK-44
#[tokio::test]
async fn may_act_of_the_subject_is_obeyed() {
    let p = Partner::new().await;
    let actor = own_token(&p.w, GATEWAY).await;
    let delegation = [("actor_token", &*actor), ("actor_token_type", ACCESS)];
    for good in
        [json!({ "sub": "gateway" }), json!({ "sub": "gateway", "iss": ISSUER }), json!({ "client_id": "gateway" })]
    {
        let jwt = p.jwt(json!({ "may_act": good }));
        p.exchange(GATEWAY, &jwt, &delegation).await.tokens();
        p.exchange(GATEWAY, &jwt, &[]).await.tokens();
    }
    for bad in [
        json!({ "sub": "billing" }),
        json!({ "sub": "gateway", "iss": PARTNER }),
        json!({ "sub": "gateway", "client_id": "billing" }),
        json!({ "sub": "gateway", "email": "g@example.com" }),
        json!({ "iss": ISSUER }),
        json!({}),
        json!("gateway"),
        json!(["gateway"]),
    ] {
        let jwt = p.jwt(json!({ "may_act": bad }));
        for more in [&delegation[..], &[]] {
            p.exchange(GATEWAY, &jwt, more).await.is_refused(400, "invalid_request");
        }
    }
    // And it is the actor who counts, not whoever brings the two.
    let jwt = p.jwt(json!({ "may_act": { "sub": "gateway" } }));
    p.exchange(BILLING, &jwt, &delegation).await.tokens();
    p.exchange(BILLING, &jwt, &[]).await.is_refused(400, "invalid_request");
}

// spec: TOK-44
#[tokio::test]
async fn an_actor_of_elsewhere_is_named_with_its_issuer_and_the_chain_is_kept() {
    let p = Partner::new().await;
    let subject = p.jwt(json!({ "act": { "sub": "desk", "iss": PARTNER, "act": { "sub": "robot" } } }));
    let actor = p.jwt(json!({ "sub": "helper" }));
    let more = [("actor_token", &*actor), ("actor_token_type", JWT)];
    let token = p.exchange(GATEWAY, &subject, &more).await.tokens().access;
    let chain = json!({ "sub": "helper", "iss": PARTNER,
        "act": { "sub": "desk", "iss": PARTNER, "act": { "sub": "robot" } } });
    assert_eq!(known(&p.w, &token).await["act"], chain);
    // It stays, when the new token is exchanged in turn.
    let next = exchange(&p.w, BILLING, &token, &[]).await.tokens().access;
    assert_eq!(known(&p.w, &next).await["act"], chain);
    let deep = (0..5).fold(json!({ "sub": "a" }), |act, _| json!({ "sub": "a", "act": act }));
    p.exchange(GATEWAY, &p.jwt(json!({ "act": deep })), &[]).await.is_refused(400, "invalid_request");
}

// spec: TOK-41
#[tokio::test]
async fn a_client_that_is_kept_to_the_tokens_of_some_clients_exchanges_none_of_elsewhere() {
    let p = Partner::ruled(ExchangeRule::default().subject_clients([WEB.client_id()])).await;
    let jwt = p.jwt(json!({}));
    p.exchange(BILLING, &jwt, &[]).await.is_refused(400, "invalid_request");
    p.exchange(GATEWAY, &jwt, &[]).await.tokens();
}

// spec: TOK-41
#[tokio::test]
async fn a_jwt_of_this_server_is_an_access_token_by_either_name_and_dies_like_one() {
    let p = Partner::new().await;
    let code = p.w.code_for(&Ask::of(WEB).with("resource", JWT_API)).await;
    let tokens = p.w.redeem(WEB, &code).await.tokens();
    for kind in [ACCESS, JWT] {
        let params = [GRANT, ("subject_token", &*tokens.access), ("subject_token_type", kind)];
        let token = p.w.token(GATEWAY, &params).await.tokens().access;
        assert_eq!(known(&p.w, &token).await["sub"], "alice");
    }
    // An opaque one is no JWT.
    let opaque = p.w.tokens(WEB).await.access;
    p.exchange(GATEWAY, &opaque, &[]).await.is_refused(400, "invalid_request");
    p.w.revoke(WEB, &tokens.refresh.unwrap()).await.is_revoked();
    for kind in [ACCESS, JWT] {
        let params = [GRANT, ("subject_token", &*tokens.access), ("subject_token_type", kind)];
        p.w.token(GATEWAY, &params).await.is_refused(400, "invalid_request");
    }
}
