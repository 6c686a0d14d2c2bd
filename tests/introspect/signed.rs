//! Introspection responses as JWTs (RFC 9701), and who verifies them: this project's own layer, and libraries of
//! other people's making.

use http::{Request, header::ACCEPT};
use oauth_core::{
    claims::{IntrospectionExpectations, verify_introspection},
    client::{Client, ClientSecret},
    engine::registration::RegistrationSettings,
    jwk::JwkSet,
    jwt::Algorithm,
    server::{AuthorizationServerBuilder, BuildError},
};
use oauth_tower::resource::{IntrospectionIssuer, Issuer, SignedAnswers};
use serde_json::{Value, json};

use crate::support::*;

const SIGNED: &str = "application/token-introspection+jwt";
const MEMBER: &str = "introspection_signed_response_alg";

/// A resource server at [`API`] beside the other, which has registered an algorithm.
const CHOOSY: Caller = Caller::Basic("choosy", "choosy-secret-8Gd3");

fn choosy(algorithm: Algorithm) -> Client {
    let Caller::Basic(id, secret) = CHOOSY else { panic!() };
    let client = Client::builder(id).secret(ClientSecret::new(&secret.into()));
    client.tokens(|tokens| tokens.introspection_signed_response_alg = Some(algorithm)).build().unwrap()
}

fn signing(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    let builder = builder.introspection(|set| set.signing_algorithms = vec![Algorithm::RS256, Algorithm::ES256]);
    builder.client(choosy(Algorithm::ES256)).introspection_caller(CHOOSY.client_id())
}

async fn ask(w: &World, caller: Caller, token: &str, accept: &'static str) -> Answer {
    let mut request: Request<_> = post("/introspect", caller, &[("token", token)]);
    request.headers_mut().insert(ACCEPT, accept.parse().unwrap());
    w.send(request).await
}

/// The header and the claims of a signed answer, which is one for `caller`.
async fn read(w: &World, caller: Caller, answer: &Answer) -> (Value, Value) {
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, SIGNED), "{answer}");
    answer.is_not_kept();
    let keys = JwkSet::parse(w.get("/jwks").await.body.as_bytes()).unwrap();
    let (names, now) = ([caller.id()], w.server.now());
    let expected = IntrospectionExpectations::new(ISSUER, &names, now, now);
    let verified = verify_introspection(&answer.body, &keys, Algorithm::ALL, &expected).unwrap();
    let (header, claims) = (part(&answer.body, 0), part(&answer.body, 1));
    assert_eq!(claims["token_introspection"], Value::Object(verified.response));
    (header, claims)
}

// spec: INT-08, INT-09
#[tokio::test]
async fn whoever_accepts_a_jwt_gets_the_same_answer_signed_for_them_alone() {
    let w = on_memory_with(signing).await;
    let tokens = w.tokens(APP).await;
    for caller in [AUDITOR, RESOURCE_SERVER] {
        let plain = w.introspect(caller, &tokens.access).await.json();
        let signed = ask(&w, caller, &tokens.access, SIGNED).await;
        let (header, claims) = read(&w, caller, &signed).await;
        assert_eq!((&header["typ"], &header["alg"]), (&json!("token-introspection+jwt"), &json!("RS256")));
        assert!(header["kid"].is_string());
        let now = w.server.now().0;
        // Nothing else is beside it: no `sub` and no `exp`, or it might pass as an access token.
        let whole = json!({ "iss": ISSUER, "aud": caller.id(), "iat": now, "token_introspection": plain });
        assert_eq!(claims, whole);
        assert_eq!(plain["active"], true);
    }
    // What is inactive is only that, whatever the reason.
    for token in ["x", tokens.refresh.as_deref().unwrap(), &w.code(APP).await] {
        let (_, claims) = read(&w, RESOURCE_SERVER, &ask(&w, RESOURCE_SERVER, token, SIGNED).await).await;
        assert_eq!(claims["token_introspection"], json!({ "active": false }));
        assert!(claims.get("sub").is_none() && claims.get("exp").is_none());
    }
}

#[tokio::test]
async fn a_signed_answer_is_no_access_token() {
    let w = on_memory_with(signing).await;
    let code = w.code_for(&Ask::of(APP).with("resource", JWT_API)).await;
    let token = w.redeem(APP, &code).await.tokens().access;
    for caller in [AUDITOR, CHOOSY] {
        let answer = ask(&w, caller, &token, SIGNED).await.body;
        assert!(w.lives(&token).await && !w.lives(&answer).await);
        w.revoke(APP, &answer).await.is_revoked();
    }
    assert!(w.lives(&token).await);
}

// spec: INT-08
#[tokio::test]
async fn json_is_for_everyone_else_and_errors_are_always_json() {
    let w = on_memory_with(signing).await;
    let token = w.tokens(APP).await.access;
    for accept in ["application/json", "*/*", "application/token-introspection+jwt;q=0"] {
        assert_eq!(ask(&w, AUDITOR, &token, accept).await.member("active"), true, "{accept}");
    }
    ask(&w, Caller::Basic("api", "wrong"), &token, SIGNED).await.is_refused(401, "invalid_client");
    ask(&w, APP, &token, SIGNED).await.is_refused(401, "invalid_client");
    ask(&w, AUDITOR, "", SIGNED).await.is_refused(400, "invalid_request");
    w.store.set_down(true);
    ask(&w, AUDITOR, &token, SIGNED).await.is_unavailable();
    // Where nothing is signed, there is JSON.
    let plain = on_memory().await;
    let token = plain.tokens(APP).await.access;
    assert_eq!(ask(&plain, AUDITOR, &token, SIGNED).await.member("active"), true);
}

// spec: INT-10
#[tokio::test]
async fn the_algorithm_is_the_registered_one_else_rs256_and_the_metadata_list_them() {
    let metadata = "/.well-known/oauth-authorization-server";
    let w = on_memory_with(signing).await;
    assert_eq!(w.get(metadata).await.member("introspection_signing_alg_values_supported"), json!(["RS256", "ES256"]));
    let token = w.tokens(APP).await.access;
    for (caller, algorithm) in [(AUDITOR, "RS256"), (CHOOSY, "ES256")] {
        let (header, _) = read(&w, caller, &ask(&w, caller, &token, SIGNED).await).await;
        assert_eq!(header["alg"], algorithm);
    }
    let w = on_memory().await;
    assert!(w.get(metadata).await.json().get("introspection_signing_alg_values_supported").is_none());
    let failed = w.another(|builder| signing(builder).introspection(|set| set.signing_algorithms.truncate(1))).await;
    assert!(matches!(failed, Err(BuildError::ClientIntrospection(client)) if client == CHOOSY.client_id()));
    // Where RS256 is not offered, it is the first that is.
    let w =
        on_memory_with(|builder| builder.introspection(|set| set.signing_algorithms = vec![Algorithm::EdDSA])).await;
    let token = w.tokens(APP).await.access;
    let (header, _) = read(&w, AUDITOR, &ask(&w, AUDITOR, &token, SIGNED).await).await;
    assert_eq!(header["alg"], "EdDSA");
}

// spec: INT-10
#[tokio::test]
async fn a_client_registers_an_algorithm_that_is_offered_and_never_none_nor_encryption() {
    let w = on_memory_with(|builder| signing(builder).registration(RegistrationSettings::open)).await;
    let register = async |more: Value| {
        let mut metadata = json!({ "redirect_uris": [CALLBACK], "client_name": "A resource server" });
        metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let request = Request::post("/register").header("content-type", "application/json");
        w.send(request.body(metadata.to_string().into()).unwrap()).await
    };
    for algorithm in ["RS256", "ES256"] {
        let registered = register(json!({ MEMBER: algorithm })).await;
        assert_eq!((registered.status.as_u16(), registered.member(MEMBER)), (201, json!(algorithm)));
    }
    for algorithm in [json!("none"), json!("HS256"), json!("EdDSA"), json!(""), json!(["RS256"])] {
        register(json!({ MEMBER: algorithm })).await.is_refused(400, "invalid_client_metadata");
    }
    let registered = register(json!({ "introspection_encrypted_response_alg": "RSA-OAEP-256" })).await.json();
    assert!(registered.get("introspection_encrypted_response_alg").is_none() && registered.get(MEMBER).is_none());
}

// spec: INT-10
#[tokio::test]
async fn keys_of_answers_are_kept_in_the_store_and_replaced_with_the_others() {
    let set = |builder: AuthorizationServerBuilder| {
        builder.introspection(|set| set.signing_algorithms = vec![Algorithm::ES384, Algorithm::EdDSA])
    };
    on_every_store_with(set, async |w| {
        let names = async |w: &World| {
            let keys = w.get("/jwks").await.member("keys");
            let keys = keys.as_array().unwrap().iter();
            let mut names: Vec<_> = keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect();
            names.sort();
            names
        };
        // One for each algorithm, that of access tokens included.
        let before = names(&w).await;
        assert_eq!(before.len(), 3);
        assert_eq!(names(&w.another(set).await.unwrap()).await, before);
        w.server.rotate_signing_key().await.unwrap();
        assert_eq!(names(&w).await.len(), 6);
        let token = w.tokens(APP).await.access;
        let old = read(&w, AUDITOR, &ask(&w, AUDITOR, &token, SIGNED).await).await.0["kid"].clone();
        assert!(before.contains(&old.as_str().unwrap().to_owned()));
        w.clock.advance(300);
        let token = w.tokens(APP).await.access;
        let new = read(&w, AUDITOR, &ask(&w, AUDITOR, &token, SIGNED).await).await.0["kid"].clone();
        assert!(!before.contains(&new.as_str().unwrap().to_owned()));
    })
    .await;
}

/// The resource server of the program, which believes what is signed and nothing else.
fn of_program(reference: &Reference, how: SignedAnswers) -> Issuer {
    let Caller::Basic(id, secret) = RESOURCE_SERVER else { panic!() };
    let issuer: IntrospectionIssuer = Issuer::introspection_discovered(&*reference.issuer).client_basic(id, secret);
    issuer.audience(ALBUMS).client_as_subject().signed(how).into()
}

// spec: INT-08, INT-10
#[tokio::test]
async fn our_own_layer_believes_what_the_program_signs() {
    let reference = Reference::in_development("[introspection]\nsigning_algorithms = [\"ES256\", \"RS256\"]\n");
    let _program = reference.start();
    let remote = Remote::new(plain_client(), &reference.issuer);
    let token = remote.token(WEB, &[("grant_type", "client_credentials")]).await.tokens().access;
    let signed = [SignedAnswers::discovered(), SignedAnswers::discovered().algorithms([Algorithm::RS256])];
    for how in signed {
        let api = Protected::on_time([of_program(&reference, how)]).await;
        assert_eq!(api.accepts(&token).await["client_id"], "web");
        api.refuses("oat_never-issued").await;
    }
    // Not what this server signs with for this client.
    let other = SignedAnswers::discovered().algorithms([Algorithm::ES256]);
    Protected::on_time([of_program(&reference, other)]).await.cannot_tell(&token).await;
    let plain = Reference::in_development("[introspection]\nsigning_algorithms = []\n");
    let _program = plain.start();
    let remote = Remote::new(plain_client(), &plain.issuer);
    let token = remote.token(WEB, &[("grant_type", "client_credentials")]).await.tokens().access;
    let api = Protected::on_time([of_program(&plain, SignedAnswers::discovered())]).await;
    api.cannot_tell(&token).await;
}
