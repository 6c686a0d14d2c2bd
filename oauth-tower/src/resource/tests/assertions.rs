//! Questions that are authenticated by `private_key_jwt` (RFC 7523).

use std::sync::Mutex;

use bytes::Bytes;
use oauth_core::{
    clock::{Random, RandomError},
    jwt::Jws,
};

use super::{
    introspection::{ENDPOINT, active, setup},
    *,
};
use crate::outgoing::{HttpClient, PrivateKeyJwt};

/// The assertion of a question: its type and claims, and the rest of the form.
fn assertion(question: &Request<Bytes>, key: &SigningKey) -> (String, Value, Vec<(String, String)>) {
    let mut form: Vec<(String, String)> = form_urlencoded::parse(question.body()).into_owned().collect();
    let place = form.iter().position(|(name, _)| name == "client_assertion").unwrap();
    let (_, assertion) = form.remove(place);
    let jws = Jws::parse(&assertion).unwrap();
    (jws.typ().unwrap().to_owned(), jws.verify(key.public_key()).unwrap().claims().unwrap(), form)
}

#[tokio::test]
async fn an_assertion_for_this_issuer_is_signed_for_each_question() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let issuer = Issuer::introspection(ISSUER, ENDPOINT).private_key_jwt("api", key.clone());
    let (server, upstream, clock) = setup(issuer, &active());
    assert!(present(&server, "one").await.1);
    let (typ, mut first, form) = assertion(&upstream.last(), &key);
    assert!(!upstream.last().headers().contains_key(AUTHORIZATION));
    let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let fields = [
        ("token", "one"),
        ("token_type_hint", "access_token"),
        ("client_id", "api"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
    ];
    assert_eq!((typ.as_str(), form), ("client-authentication+jwt", fields.map(own).to_vec()));
    clock.advance(7);
    assert!(present(&server, "two").await.1);
    let (_, mut second, _) = assertion(&upstream.last(), &key);
    assert_ne!(first["jti"].take(), second["jti"].take());
    // Our clock is the one that counts.
    let claims =
        |now: u64| json!({ "iss": "api", "sub": "api", "aud": ISSUER, "jti": null, "iat": now, "exp": now + 60 });
    assert_eq!((first, second), (claims(NOW), claims(NOW + 7)));
}

#[tokio::test]
async fn a_question_that_is_put_again_has_an_assertion_of_its_own() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let questions = Arc::clone(&seen);
    let http = HttpClient::new(service_fn(move |question: Request<Bytes>| {
        let mut questions = questions.lock().unwrap();
        questions.push(question);
        // A connection that the other side closed in the meantime.
        let outcome = match questions.len() {
            1 => Err("closed"),
            _ => Ok(Response::new(active().to_string())),
        };
        async move { outcome }
    }));
    let issuer = Issuer::introspection(ISSUER, ENDPOINT).private_key_jwt("api", key.clone());
    let server = builder(issuer).http(http).build().unwrap();
    assert!(present(&server, "one").await.1);
    let seen = seen.lock().unwrap();
    let jti: Vec<Value> = seen.iter().map(|question| assertion(question, &key).1["jti"].take()).collect();
    assert_eq!(jti.len(), 2);
    assert_ne!(jti[0], jti[1], "RFC 7523 section 3: the first may have been used");
}

#[tokio::test]
async fn without_an_assertion_nobody_is_asked() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let auth = PrivateKeyJwt::new("api", key, ISSUER).random(Exhausted);
    let (server, upstream, _) = setup(Issuer::introspection(ISSUER, ENDPOINT).authenticated(auth), &active());
    assert_eq!(present(&server, "one").await, (StatusCode::SERVICE_UNAVAILABLE, false));
    assert_eq!(upstream.calls(), 0);
}

#[derive(Debug)]
struct Exhausted;

impl Random for Exhausted {
    fn fill(&self, _: &mut [u8]) -> Result<(), RandomError> {
        Err(RandomError)
    }
}
