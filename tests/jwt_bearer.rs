//! `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer`: an assertion for tokens (RFC 7523 section 2.1).

mod client;
mod keys;
mod program;

use oauth_core::{
    client::{Client, ClientJwks, ClientSecret, GrantType},
    clock::Clock,
    engine::{
        client_auth::AssertionAudience,
        policy::{HostFuture, Subjects},
    },
    grant::{JwtBearer, TrustedIssuer},
    jwt::{self, Algorithm},
    keys::SigningKey,
    server::{AuthorizationServer, AuthorizationServerBuilder, BuildError},
};
use serde_json::{Value, json};

use crate::support::*;

const GRANT: (&str, &str) = ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
const IDP: &str = "https://idp.example";
const OTHER_IDP: &str = "https://other-idp.example";

/// A client that may bring assertions, and has refresh tokens from elsewhere.
const AGENT: Caller = Caller::Basic("agent", "agent-secret-3Ws0");

/// The keys of two issuers; both are trusted, the second for `read` alone.
struct Idp {
    key: SigningKey,
    other: SigningKey,
}

impl Idp {
    fn new() -> Self {
        let [key, other] = [(); 2].map(|()| SigningKey::generate(Algorithm::ES256).unwrap());
        Self { key, other }
    }

    fn bearer(&self) -> JwtBearer {
        let other = TrustedIssuer::new(OTHER_IDP, ClientJwks::of([&self.other])).scope("read".parse().unwrap());
        JwtBearer::new([TrustedIssuer::new(IDP, ClientJwks::of([&self.key])), other])
    }

    fn set(&self, builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
        let agent = Client::builder("agent").secret(ClientSecret::new(&"agent-secret-3Ws0".into())).scope("read write");
        let agent = agent.grant_type(GrantType::JWT_BEARER).grant_type(GrantType::REFRESH_TOKEN);
        let agent = agent.redirect_uri(CALLBACK).grant_type(GrantType::AUTHORIZATION_CODE);
        builder.grant(self.bearer()).client(agent.build().unwrap())
    }

    /// An assertion that says this, besides what it must say.
    fn assertion(&self, w: &World, claims: Value) -> String {
        sign(&self.key, w, claims)
    }
}

fn sign(key: &SigningKey, w: &World, claims: Value) -> String {
    let now = w.clock.now().0;
    let mut all = json!({ "iss": IDP, "sub": "bob", "aud": ISSUER, "exp": now + 60, "iat": now, "jti": fresh_text() });
    let Value::Object(claims) = claims else { panic!("{claims}") };
    for (name, value) in claims {
        match value {
            Value::Null => drop(all.as_object_mut().unwrap().remove(&name)),
            value => all[name] = value,
        }
    }
    jwt::sign(key, "JWT", &all).unwrap()
}

fn fresh_text() -> String {
    format!("{:?}", fresh_digest().as_bytes())[..40].to_owned()
}

async fn bring(w: &World, caller: Caller, assertion: &str) -> Answer {
    w.token(caller, &[GRANT, ("assertion", assertion)]).await
}

// spec: TOK-45, TOK-46
#[tokio::test]
async fn an_assertion_brings_a_token_for_its_subject_and_no_refresh_token() {
    let idp = Idp::new();
    on_every_store_with(
        |builder| idp.set(builder),
        async |w| {
            let assertion = idp.assertion(&w, json!({}));
            let params = [GRANT, ("assertion", &*assertion), ("scope", "read"), ("resource", JWT_API)];
            let answer = w.token(AGENT, &params).await;
            let tokens = answer.tokens();
            assert_eq!((tokens.refresh, answer.member("scope")), (None, "read".into()));
            let known = w.introspect(AUDITOR, &tokens.access).await;
            let said = ["sub", "client_id", "aud", "scope"].map(|name| known.member(name).as_str().unwrap().to_owned());
            assert_eq!(said, ["bob", "agent", JWT_API, "read"]);
        },
    )
    .await;
}

// spec: TOK-46
#[tokio::test]
async fn an_assertion_is_good_once_on_whichever_node() {
    let idp = Idp::new();
    on_every_store_with(
        |builder| idp.set(builder),
        async |w| {
            let other_node = w.another(|builder| idp.set(builder)).await.unwrap();
            let assertion = idp.assertion(&w, json!({ "jti": "one" }));
            bring(&w, AGENT, &assertion).await.tokens();
            for node in [&w, &other_node] {
                bring(node, AGENT, &assertion).await.is_refused(400, "invalid_grant");
                bring(node, Caller::Nobody, &assertion).await.is_refused(400, "invalid_grant");
            }
            // It is the issuer's `jti`: another may use the same.
            let other = sign(&idp.other, &w, json!({ "iss": OTHER_IDP, "jti": "one" }));
            bring(&w, AGENT, &other).await.tokens();
        },
    )
    .await;
}

// spec: TOK-46
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_bring_one_assertion_at_once_one_gets_a_token() {
    let idp = Idp::new();
    on_every_store_with(
        |builder| idp.set(builder),
        async |w| {
            let assertion = idp.assertion(&w, json!({}));
            let ask = |_| {
                let (w, assertion) = (w.clone(), assertion.clone());
                async move { bring(&w, AGENT, &assertion).await.status.as_u16() }
            };
            let good = all_at_once(20, ask).await.into_iter().filter(|status| *status == 200).count();
            assert_eq!(good, 1);
        },
    )
    .await;
}

// spec: TOK-45
#[tokio::test]
async fn a_missing_assertion_is_an_invalid_request_and_a_bad_one_an_invalid_grant() {
    let idp = Idp::new();
    let w = on_memory_with(|builder| idp.set(builder)).await;
    w.token(AGENT, &[GRANT]).await.is_refused(400, "invalid_request");
    let now = w.clock.now().0;
    let bad = [
        json!({ "iss": "https://unknown.example" }),
        json!({ "iss": null }),
        json!({ "iss": OTHER_IDP }),
        json!({ "sub": null }),
        json!({ "sub": 7 }),
        json!({ "sub": "" }),
        json!({ "sub": "x".repeat(257) }),
        json!({ "aud": null }),
        json!({ "aud": API }),
        json!({ "aud": format!("{ISSUER}/") }),
        json!({ "aud": format!("{ISSUER}/par") }),
        json!({ "aud": [API] }),
        json!({ "exp": null }),
        json!({ "exp": now }),
        json!({ "exp": now - 1 }),
        json!({ "exp": "soon" }),
        json!({ "exp": now + 3601 }),
        json!({ "exp": now + 3700, "iat": null }),
        json!({ "nbf": now + 31 }),
        json!({ "iat": now + 31 }),
        json!({ "iat": now - 4000 }),
        json!({ "jti": null }),
        json!({ "jti": "" }),
        json!({ "jti": "x".repeat(257) }),
        json!({ "scope": ["read"] }),
        json!({ "cnf": { "jkt": "x" } }),
    ];
    for claims in bad {
        let answer = bring(&w, AGENT, &idp.assertion(&w, claims.clone())).await;
        assert_eq!((answer.status.as_u16(), answer.member("error")), (400, "invalid_grant".into()), "{claims}");
    }
    for text in ["x", "a.b.c", "e30.e30.e30"] {
        bring(&w, AGENT, text).await.is_refused(400, "invalid_grant");
    }
    let stranger = SigningKey::generate(Algorithm::ES256).unwrap();
    bring(&w, AGENT, &sign(&stranger, &w, json!({}))).await.is_refused(400, "invalid_grant");
    for edge in [json!({ "exp": now + 3600 }), json!({ "aud": [API, ISSUER] }), json!({ "nbf": now + 30, "iat": null })]
    {
        bring(&w, AGENT, &idp.assertion(&w, edge)).await.tokens();
    }
}

// spec: TOK-45
#[tokio::test]
async fn a_jwt_that_was_made_for_something_else_is_no_assertion() {
    let idp = Idp::new();
    let w = on_memory_with(|builder| idp.set(builder)).await;
    let now = w.clock.now().0;
    let claims = |jti: &str| json!({ "iss": IDP, "sub": "bob", "aud": ISSUER, "exp": now + 60, "jti": jti });
    for typ in ["at+jwt", "client-authentication+jwt", "dpop+jwt", "logout+jwt", "oauth-authz-req+jwt"] {
        let jwt = jwt::sign(&idp.key, typ, &claims("1")).unwrap();
        bring(&w, AGENT, &jwt).await.is_refused(400, "invalid_grant");
    }
    bring(&w, AGENT, &jwt::sign(&idp.key, "authorization-grant+jwt", &claims("1")).unwrap()).await.tokens();
}

// spec: TOK-45
#[tokio::test]
async fn the_token_endpoint_is_an_audience_unless_the_issuer_alone_is() {
    let idp = Idp::new();
    for (rule, good) in [(AssertionAudience::IssuerOrTokenEndpoint, true), (AssertionAudience::Issuer, false)] {
        let w =
            on_memory_with(|builder| idp.set(builder).client_authentication(|how| how.assertion_audience = rule)).await;
        let answer = bring(&w, AGENT, &idp.assertion(&w, json!({ "aud": format!("{ISSUER}/token") }))).await;
        assert_eq!(answer.status == 200, good, "{answer}");
        bring(&w, AGENT, &idp.assertion(&w, json!({}))).await.tokens();
    }
}

// spec: TOK-45
#[tokio::test]
async fn the_token_does_not_outlive_the_assertion_by_much() {
    let idp = Idp::new();
    let long = |builder: AuthorizationServerBuilder| idp.set(builder).lifetimes(|lifetimes| lifetimes.access = 86_400);
    let w = on_memory_with(long).await;
    assert_eq!(bring(&w, AGENT, &idp.assertion(&w, json!({}))).await.member("expires_in"), 300);
    let now = w.clock.now().0;
    let hour = idp.assertion(&w, json!({ "exp": now + 3600 }));
    assert_eq!(bring(&w, AGENT, &hour).await.member("expires_in"), 3600);
}

/// Knows `alice`, and whoever asks while she sleeps gets no answer.
#[derive(Debug)]
struct OnlyAlice;

impl Subjects for OnlyAlice {
    fn is_active<'a>(&'a self, subject: &'a str) -> HostFuture<'a, bool> {
        Box::pin(std::future::ready(Ok(subject == "alice")))
    }
}

// spec: TOK-45
#[tokio::test]
async fn a_subject_who_may_not_act_or_is_called_like_a_client_gets_nothing() {
    let idp = Idp::new();
    let w = on_memory_with(|builder| idp.set(builder).subjects(OnlyAlice)).await;
    for sub in ["bob", "web", "agent", IDP] {
        bring(&w, AGENT, &idp.assertion(&w, json!({ "sub": sub }))).await.is_refused(400, "invalid_grant");
    }
    bring(&w, AGENT, &idp.assertion(&w, json!({ "sub": "alice" }))).await.tokens();
    let w = on_memory_with(|builder| idp.set(builder)).await;
    bring(&w, AGENT, &idp.assertion(&w, json!({ "sub": "web" }))).await.is_refused(400, "invalid_grant");
}

// spec: TOK-45
#[tokio::test]
async fn an_outage_is_never_a_verdict_on_the_assertion() {
    let idp = Idp::new();
    let w = on_memory_with(|builder| idp.set(builder)).await;
    let assertion = idp.assertion(&w, json!({}));
    w.store.set_down(true);
    bring(&w, Caller::Nobody, &assertion).await.is_unavailable();
    w.store.set_down(false);
    bring(&w, Caller::Nobody, &assertion).await.tokens();
}

#[tokio::test]
async fn a_server_with_issuers_that_it_cannot_have_does_not_start() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let keys = ClientJwks::of([&key]);
    let bad = [
        vec![TrustedIssuer::new(IDP, keys.clone()), TrustedIssuer::new(IDP, keys.clone())],
        vec![TrustedIssuer::new("https://as.example", keys.clone())],
        vec![TrustedIssuer::new("", keys)],
        // Nothing is fetched by this server.
        vec![TrustedIssuer::at(IDP, "https://idp.example/jwks")],
    ];
    for issuers in bad {
        let built = AuthorizationServer::builder("https://as.example").grant(JwtBearer::new(issuers)).build().await;
        assert!(matches!(built, Err(BuildError::Grant { .. })), "{built:?}");
    }
}
