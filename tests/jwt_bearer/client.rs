//! Who brings an assertion, and what they can have for it.

use oauth_core::{client::AuthMethod, mtls::ClientCertificate};

use super::*;

// spec: TOK-46
#[tokio::test]
async fn a_client_need_not_say_who_it_is_but_if_it_does_it_must_prove_it() {
    let idp = Idp::new();
    let w = on_memory_with(|builder| idp.set(builder)).await;
    let assertion = idp.assertion(&w, json!({}));
    for wrong in [Caller::Basic("agent", "wrong"), Caller::Public("agent"), Caller::Post("nobody", "x")] {
        bring(&w, wrong, &assertion).await.is_refused(401, "invalid_client");
    }
    bring(&w, WEB, &assertion).await.is_refused(400, "unauthorized_client");
    let tokens = bring(&w, Caller::Nobody, &assertion).await.tokens();
    assert_eq!(tokens.refresh, None);
    assert!(w.lives(&tokens.access).await);
    let known = w.introspect(AUDITOR, &tokens.access).await;
    assert_eq!((known.member("sub"), known.member("client_id")), ("bob".into(), IDP.into()));
    // Whoever stands for nobody gets nothing else.
    for other in ["client_credentials", "authorization_code"] {
        w.token(Caller::Public(IDP), &[("grant_type", other), ("code", "x")])
            .await
            .is_refused(400, "unauthorized_client");
        w.token(Caller::Nobody, &[("grant_type", other), ("assertion", "x")]).await.is_refused(401, "invalid_client");
    }
    let unknown = idp.assertion(&w, json!({ "iss": "https://unknown.example" }));
    bring(&w, Caller::Nobody, &unknown).await.is_refused(401, "invalid_client");
}

// spec: TOK-46
#[tokio::test]
async fn a_server_may_demand_that_a_client_proves_who_it_is() {
    let idp = Idp::new();
    let w = on_memory_with(|builder| builder.grant(idp.bearer().authenticated_only())).await;
    bring(&w, Caller::Nobody, &idp.assertion(&w, json!({}))).await.is_refused(401, "invalid_client");
    bring(&w, Caller::Public(IDP), &idp.assertion(&w, json!({}))).await.is_refused(401, "invalid_client");
}

// spec: TOK-46
#[tokio::test]
async fn nobody_stands_for_a_client_that_has_the_name_of_an_issuer() {
    let idp = Idp::new();
    let named =
        Client::builder(IDP).secret(ClientSecret::new(&"named-secret-1".into())).grant_type(GrantType::JWT_BEARER);
    let named = named.auth_method(AuthMethod::ClientSecretPost).scope("read").build().unwrap();
    let w = on_memory_with(|builder| idp.set(builder).client(named.clone())).await;
    let assertion = idp.assertion(&w, json!({}));
    bring(&w, Caller::Nobody, &assertion).await.is_refused(401, "invalid_client");
    bring(&w, Caller::Post(IDP, "named-secret-1"), &assertion).await.tokens();
}

// spec: TOK-45
#[tokio::test]
async fn the_scope_is_what_client_issuer_and_assertion_allow() {
    let idp = Idp::new();
    let w = on_memory_with(|builder| idp.set(builder)).await;
    let ask = async |caller, assertion: String, scope| {
        w.token(caller, &[GRANT, ("assertion", &*assertion), ("scope", scope)]).await
    };
    ask(AGENT, idp.assertion(&w, json!({})), "admin").await.is_refused(400, "invalid_scope");
    ask(AGENT, idp.assertion(&w, json!({ "scope": "read" })), "write").await.is_refused(400, "invalid_scope");
    let other = || sign(&idp.other, &w, json!({ "iss": OTHER_IDP }));
    for caller in [AGENT, Caller::Nobody] {
        ask(caller, other(), "write").await.is_refused(400, "invalid_scope");
        assert_eq!(bring(&w, caller, &other()).await.member("scope"), "read");
    }
    // One issuer's word is no better for being brought in another's name.
    bring(&w, Caller::Public(IDP), &other()).await.is_refused(400, "invalid_grant");
}

// spec: TOK-45
#[tokio::test]
async fn an_assertion_with_a_key_is_good_for_its_holder_and_so_is_the_token() {
    let idp = Idp::new();
    let w = on_memory_with(|builder| idp.set(builder).certificate_bound_access_tokens()).await;
    let made = rcgen::CertificateParams::default().self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
    let shown = ClientCertificate::from_der(made.der().as_ref()).unwrap();
    let cnf = json!({ "x5t#S256": shown.thumbprint() });
    let assertion = idp.assertion(&w, json!({ "cnf": cnf }));
    bring(&w, AGENT, &assertion).await.is_refused(400, "invalid_grant");
    let mut request = post("/token", AGENT, &[GRANT, ("assertion", &*assertion)]);
    request.extensions_mut().insert(shown);
    // Although the tokens of this client are not bound by themselves.
    let tokens = w.send(request).await.tokens();
    assert_eq!(w.introspect(AUDITOR, &tokens.access).await.member("cnf"), cnf);
}
