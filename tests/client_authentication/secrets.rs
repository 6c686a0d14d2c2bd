//! `client_secret_basic`, `client_secret_post` and `none`.

use oauth_core::{
    client::{AuthMethod, Client, ClientSecret, GrantType},
    clock::UnixTime,
};

use super::{ENDPOINTS, PARAMS, machine, send, web};
use crate::support::*;

// spec: CAU-03
#[tokio::test]
async fn basic_credentials_are_form_encoded_before_they_are_joined() {
    let odd =
        Client::builder("a:b").secret(ClientSecret::new(&"p+q %".into())).grant_type(GrantType::CLIENT_CREDENTIALS);
    let odd = odd.build().unwrap();
    let w = on_memory_with(|builder| builder.client(odd.clone())).await;
    send(&w, "/token", &[&basic("a%3Ab:p%2Bq+%25")], PARAMS).await.tokens();
    send(&w, "/token", &[&basic("a%3ab:p%2bq%20%25")], PARAMS).await.tokens();
    for bad in ["a:b:p+q %", "a%3Ab:p+q+%25", "a%3Ab:p%2Bq+%"] {
        send(&w, "/token", &[&basic(bad)], PARAMS).await.is_refused(401, "invalid_client");
    }
}

// spec: CAU-04
#[tokio::test]
async fn basic_credentials_that_are_not_well_formed_are_401() {
    let w = on_memory().await;
    let (no_colon, escape, utf8) = (basic("web"), basic("web:%zz"), basic("web:%ff"));
    let raw = |bytes: &[u8]| {
        use base64::{Engine, engine::general_purpose::STANDARD};
        format!("Basic {}", STANDARD.encode(bytes))
    };
    let raw_utf8 = raw(b"web:\xff");
    for bad in ["Basic", "Basic ", "Basic !!!", "Basic d2Vi=OndlYg", &no_colon, &escape, &utf8, &raw_utf8] {
        send(&w, "/token", &[bad], PARAMS).await.is_refused(401, "invalid_client");
    }
    for scheme in ["basic", "BASIC", "bAsIc"] {
        send(&w, "/token", &[&web().replace("Basic", scheme)], PARAMS).await.tokens();
    }
}

// spec: CAU-05
#[tokio::test]
async fn a_secret_may_be_in_the_body_but_never_in_the_uri() {
    let w = on_memory().await;
    let body = format!("{PARAMS}&client_id=form&client_secret=form-secret-9Qz4");
    for endpoint in ENDPOINTS {
        assert_eq!(send(&w, endpoint, &[], &body).await.status, 200);
        for query in ["client_secret=form-secret-9Qz4", "client%5Fsecret=x", "a=b&client_secret="] {
            let uri = format!("{endpoint}?{query}");
            send(&w, &uri, &[], &body).await.is_refused(400, "invalid_request");
            send(&w, &uri, &[], &format!("{PARAMS}&client_id=form")).await.is_refused(400, "invalid_request");
        }
    }
}

// spec: CAU-08, CAU-09
#[tokio::test]
async fn a_public_client_names_itself_and_has_no_secret() {
    let w = on_memory().await;
    let code = w.code(APP).await;
    w.redeem(Caller::Nobody, &code).await.is_refused(401, "invalid_client");
    for pretender in [Caller::Post("app", "x"), Caller::Basic("app", "x"), Caller::Basic("app", "")] {
        w.redeem(pretender, &code).await.is_refused(401, "invalid_client");
    }
    w.redeem(APP, &code).await.tokens();
}

// spec: CAU-12
#[tokio::test]
async fn a_secret_ends_when_it_said_and_two_may_live_at_once() {
    let (old, new) = (Caller::Basic("machine", "old-secret"), Caller::Basic("machine", "new-secret"));
    let end = UnixTime(1_800_000_100);
    let secrets = [ClientSecret::new(&"old-secret".into()).expires_at(end), ClientSecret::new(&"new-secret".into())];
    on_every_store_with(
        |builder| builder.client(machine(&secrets)),
        async |w| {
            let ask = async |caller| w.token(caller, &[("grant_type", "client_credentials")]).await;
            w.clock.advance(99);
            ask(old).await.tokens();
            ask(new).await.tokens();
            w.clock.advance(1);
            ask(old).await.is_refused(401, "invalid_client");
            ask(new).await.tokens();
        },
    )
    .await;
}

// spec: REG-05
#[tokio::test]
async fn identifiers_and_secrets_are_printable_ascii_and_may_be_long() {
    let (id, secret) = ("~ ".repeat(200), " !~".repeat(1000));
    let long = Client::builder(&id)
        .secret(ClientSecret::new(&secret.as_str().into()))
        .auth_method(AuthMethod::ClientSecretPost);
    let long = long.grant_type(GrantType::CLIENT_CREDENTIALS).build().unwrap();
    let w = on_memory_with(|builder| builder.client(long.clone())).await;
    let params = [("grant_type", "client_credentials"), ("client_id", &id), ("client_secret", &secret)];
    w.token(Caller::Nobody, &params).await.tokens();
    for bad in ["", "caf\u{e9}", "a\nb", "a\u{7f}"] {
        assert!(Client::builder(bad).build().is_err());
        w.token(Caller::Nobody, &[("client_id", bad)]).await.is_refused(401, "invalid_client");
    }
    // A request line of 8000 octets.
    let answer = w.get(&Ask::of(APP).with("state", &"x".repeat(7700)).uri()).await;
    assert!(answer.location().starts_with("/interaction"));
}
