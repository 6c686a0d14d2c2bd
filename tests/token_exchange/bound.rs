//! Tokens that are bound to a key: nobody without it exchanges one.

use oauth_core::{
    clock::{Clock, SystemRandom},
    dpop::DpopKey,
    jwt::Algorithm,
    mtls::ClientCertificate,
};
use serde_json::json;

use super::*;

fn proof(w: &World, key: &DpopKey) -> String {
    let url = format!("{}/token", w.server.issuer());
    key.proof("POST", &url, None, None, w.clock.now(), &SystemRandom).unwrap()
}

async fn ask(w: &World, caller: Caller, params: &[(&str, &str)], key: Option<&DpopKey>) -> Answer {
    let mut request = post("/token", caller, params);
    if let Some(key) = key {
        request.headers_mut().append("dpop", proof(w, key).parse().unwrap());
    }
    w.send(request).await
}

// spec: TOK-44
#[tokio::test]
async fn a_token_with_a_key_is_exchanged_by_its_holder_alone_and_stays_bound() {
    on_every_store_with(exchanging, async |w| {
        let keys = [(); 2].map(|()| DpopKey::generate(Algorithm::ES256).unwrap());
        let [key, other] = &keys;
        let code = w.code(WEB).await;
        let subject = ask(&w, WEB, &redemption(&code), Some(key)).await.tokens().access;
        let params = [GRANT, ("subject_token", &*subject), ("subject_token_type", ACCESS)];
        for wrong in [None, Some(other)] {
            ask(&w, GATEWAY, &params, wrong).await.is_refused(400, "invalid_request");
        }
        let answer = ask(&w, GATEWAY, &params, Some(key)).await;
        assert_eq!(answer.member("token_type"), "DPoP");
        assert_eq!(known(&w, &answer.tokens().access).await["cnf"], json!({ "jkt": key.jkt() }));
        // So is a token of the actor.
        let bare = w.tokens(WEB).await.access;
        let actor = [("actor_token", &*subject), ("actor_token_type", ACCESS)];
        let params = [GRANT, ("subject_token", &*bare), ("subject_token_type", ACCESS), actor[0], actor[1]];
        ask(&w, GATEWAY, &params, None).await.is_refused(400, "invalid_request");
    })
    .await;
}

// spec: TOK-44
#[tokio::test]
async fn a_bearer_token_is_exchanged_for_a_bound_one_where_a_key_is_proven() {
    let w = on_memory_with(exchanging).await;
    let key = DpopKey::generate(Algorithm::ES256).unwrap();
    let subject = w.tokens(WEB).await.access;
    let params = [GRANT, ("subject_token", &*subject), ("subject_token_type", ACCESS)];
    let token = ask(&w, GATEWAY, &params, Some(&key)).await.tokens().access;
    assert_eq!(known(&w, &token).await["cnf"], json!({ "jkt": key.jkt() }));
}

fn certificate() -> ClientCertificate {
    let key = rcgen::KeyPair::generate().unwrap();
    let made = rcgen::CertificateParams::default().self_signed(&key).unwrap();
    ClientCertificate::from_der(made.der().as_ref()).unwrap()
}

async fn show(w: &World, caller: Caller, params: &[(&str, &str)], shown: Option<&ClientCertificate>) -> Answer {
    let mut request = post("/token", caller, params);
    if let Some(shown) = shown {
        request.extensions_mut().insert(shown.clone());
    }
    w.send(request).await
}

// spec: TOK-44
#[tokio::test]
async fn a_token_with_a_certificate_is_exchanged_by_whoever_shows_it_and_stays_bound() {
    const BOUND: Caller = Caller::Basic("bound", "bound-secret-8Qp1");
    let set = |builder: AuthorizationServerBuilder| {
        let client = Client::builder("bound").secret(ClientSecret::new(&"bound-secret-8Qp1".into())).scope("read");
        let client = client.grant_type(GrantType::CLIENT_CREDENTIALS);
        let client = client.tokens(|tokens| tokens.tls_client_certificate_bound_access_tokens = true);
        exchanging(builder).client(client.build().unwrap()).certificate_bound_access_tokens()
    };
    let w = on_memory_with(set).await;
    let shown = certificate();
    let own = [("grant_type", "client_credentials")];
    let subject = show(&w, BOUND, &own, Some(&shown)).await.tokens().access;
    let params = [GRANT, ("subject_token", &*subject), ("subject_token_type", ACCESS)];
    for wrong in [None, Some(certificate())] {
        show(&w, GATEWAY, &params, wrong.as_ref()).await.is_refused(400, "invalid_request");
    }
    // Although the tokens of this client are not bound by themselves.
    let token = show(&w, GATEWAY, &params, Some(&shown)).await.tokens().access;
    let claims = known(&w, &token).await;
    assert_eq!(claims["cnf"], json!({ "x5t#S256": shown.thumbprint() }));
    assert_eq!((&claims["sub"], &claims["client_id"]), (&"bound".into(), &"gateway".into()));
}
