//! The verdict without a layer.

use http::Request;
use oauth_core::{
    clock::{Clock, SystemRandom, UnixTime},
    dpop::{DpopKey, DpopNonces},
    jwt::Algorithm,
};
use serde_json::json;

use super::{Key, NOW, builder, clock, fixed, headers, server};
use crate::resource::Dpop;

// spec: RS-31
#[tokio::test]
async fn a_fresh_nonce_is_there_to_be_sent_along_without_a_layer_too() {
    let (key, wallet, clock) = (Key::es256(), DpopKey::generate(Algorithm::ES256).unwrap(), clock());
    let nonces = DpopNonces::from_bytes([7; 32]);
    let server = builder(fixed(&key)).clock(clock.clone()).dpop(Dpop::required().nonces(nonces.clone()));
    let server = server.build().unwrap();
    let token = key.token(json!({ "cnf": { "jkt": wallet.jkt() } }));
    let nonce = nonces.issue(UnixTime(NOW));
    let parts = || {
        let now = clock.now();
        let proof =
            wallet.proof("GET", "https://api.example/a", Some(&token), Some(&nonce), now, &SystemRandom).unwrap();
        let request = Request::get("/a").header("authorization", format!("DPoP {token}")).header("dpop", proof);
        request.body(()).unwrap().into_parts().0
    };
    let validated = server.validate(&parts()).await.unwrap();
    assert!(validated.response_headers().is_empty(), "the nonce is the newest");
    assert_eq!(validated.into_token().subject(), "ada");
    clock.advance(DpopNonces::DEFAULT_STEP);
    let validated = server.validate(&parts()).await.unwrap();
    assert_eq!(validated.response_headers()["dpop-nonce"], nonces.issue(clock.now()));
}

#[tokio::test]
async fn headers_alone_do_for_a_bearer_token() {
    let key = Key::es256();
    let token = server(&key).validate_headers(&headers(&key.good())).await.unwrap();
    assert_eq!((token.subject(), token.issuer()), ("ada", super::ISSUER));
}
