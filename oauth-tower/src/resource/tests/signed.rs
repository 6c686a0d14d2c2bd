//! Introspection responses that must be signed (RFC 9701).

use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE};

use super::{
    introspection::{ENDPOINT, active, issuer},
    *,
};
use crate::resource::{BuildError, SignedAnswers};

const JWKS: &str = "https://as.example/jwks";
const METADATA: &str = "https://as.example/.well-known/oauth-authorization-server";
const MEDIA_TYPE: &str = "application/token-introspection+jwt";
const TYPE: &str = "token-introspection+jwt";

/// An issuer that signs its answers, and a resource server that wants that.
struct Signing {
    server: ResourceServer,
    upstream: Upstream,
    clock: ManualClock,
    key: Key,
}

impl Signing {
    fn new(how: SignedAnswers) -> Self {
        Self::of(issuer().signed(how), Key::es256())
    }

    fn of(issuer: impl Into<Issuer>, key: Key) -> Self {
        let (upstream, clock) = (Upstream::new(), clock());
        upstream.json(JWKS, &key.document());
        upstream.json(METADATA, &json!({ "issuer": ISSUER, "jwks_uri": JWKS, "introspection_endpoint": ENDPOINT }));
        let server = builder(issuer).http(upstream.client()).clock(clock.clone()).build().unwrap();
        let signing = Self { server, upstream, clock, key };
        signing.says(&signing.signed(&active()));
        signing
    }

    fn signed(&self, answer: &Value) -> String {
        self.signed_as(TYPE, &envelope(answer))
    }

    fn signed_as(&self, typ: &str, claims: &Value) -> String {
        self.key.sign(&changed(self.key.header(), json!({ "typ": typ })), claims)
    }

    /// From now on this is the answer, of the right media type.
    fn says(&self, body: &str) {
        self.upstream.answer(ENDPOINT, 200, &[("content-type", MEDIA_TYPE)], body);
    }

    async fn present(&self, token: &str) -> (StatusCode, bool) {
        present(&self.server, token).await
    }

    /// An outage, whatever the answer says: never access, and never a denial.
    async fn cannot_tell(&self, token: &str) {
        let (response, served) = send(&self.server.layer(), request(token)).await;
        assert_eq!((response.status(), served), (StatusCode::SERVICE_UNAVAILABLE, false), "{token}");
        assert_eq!(response.headers()["retry-after"], "2");
        assert!(!response.headers().contains_key(WWW_AUTHENTICATE));
    }

    fn times_asked(&self, url: &str) -> usize {
        self.upstream.urls().iter().filter(|asked| *asked == url).count()
    }
}

fn envelope(answer: &Value) -> Value {
    json!({ "iss": ISSUER, "aud": "api", "iat": NOW, "token_introspection": answer })
}

const OK: (StatusCode, bool) = (StatusCode::OK, true);
const DENIED: (StatusCode, bool) = (StatusCode::UNAUTHORIZED, false);

// spec: INT-11
#[tokio::test]
async fn a_signed_answer_is_asked_for_and_verified_by_the_keys_of_the_issuer() {
    let given = Key::es256();
    let by_given = issuer().signed(SignedAnswers::keys(given.set()));
    let signings = [
        (Signing::new(SignedAnswers::discovered()), 4),
        (Signing::new(SignedAnswers::jwks_uri(JWKS)), 3),
        (Signing::of(by_given, given), 2),
    ];
    for (signing, calls) in signings {
        assert_eq!([signing.present("one").await, signing.present("two").await], [OK, OK]);
        assert_eq!(signing.upstream.calls(), calls, "two questions, and what the keys take");
        let question = signing.upstream.last();
        assert_eq!(question.headers().get_all(ACCEPT).iter().collect::<Vec<_>>(), [MEDIA_TYPE]);
        assert_eq!(question.body(), "token=two&token_type_hint=access_token");
    }
}

#[tokio::test]
async fn one_look_at_the_metadata_finds_both_the_endpoint_and_the_keys() {
    let asked = Issuer::introspection_discovered(ISSUER).client_basic("api", "hush");
    let signing = Signing::of(asked.signed(SignedAnswers::discovered()), Key::es256());
    assert_eq!(signing.present("one").await, OK);
    assert_eq!(signing.upstream.urls(), [METADATA, ENDPOINT, JWKS]);
}

// spec: INT-11
#[tokio::test]
async fn what_is_signed_is_judged_as_strictly_as_a_plain_answer() {
    let signing = Signing::new(SignedAnswers::jwks_uri(JWKS));
    let denied = [
        json!({ "active": false }),
        json!({}),
        changed(active(), json!({ "active": "true" })),
        changed(active(), json!({ "aud": "https://other.example" })),
        changed(active(), json!({ "aud": null })),
        changed(active(), json!({ "iss": "https://evil.example" })),
        changed(active(), json!({ "exp": NOW - 31 })),
        changed(active(), json!({ "token_type": "refresh_token" })),
        changed(active(), json!({ "cnf": { "jkt": "x" } })),
    ];
    for (number, answer) in denied.iter().enumerate() {
        signing.says(&signing.signed(answer));
        assert_eq!(signing.present(&format!("t{number}")).await, DENIED, "{answer}");
    }
}

// spec: INT-11
// spec: INT-14
#[tokio::test]
async fn a_plain_answer_where_a_signed_one_was_demanded_is_an_outage() {
    let signing = Signing::new(SignedAnswers::jwks_uri(JWKS));
    let (plain, inactive) = (active().to_string(), json!({ "active": false }).to_string());
    let signed = signing.signed(&active());
    let bad = [
        (vec![("content-type", "application/json")], &plain),
        (vec![("content-type", "application/json")], &inactive),
        (vec![("content-type", MEDIA_TYPE)], &plain),
        (vec![("content-type", MEDIA_TYPE)], &inactive),
        (vec![], &plain),
        // It does not even say that it is signed.
        (vec![("content-type", "application/json")], &signed),
        (vec![("content-type", "application/jwt")], &signed),
        (vec![("content-type", "text/token-introspection+jwt")], &signed),
        (vec![("content-type", MEDIA_TYPE), ("content-type", "application/json")], &signed),
        (vec![], &signed),
    ];
    for (number, (headers, body)) in bad.iter().enumerate() {
        signing.upstream.answer(ENDPOINT, 200, headers, body);
        signing.cannot_tell(&format!("t{number}")).await;
    }
    for written in ["application/token-introspection+jwt; charset=utf-8", "Application/Token-Introspection+JWT"] {
        signing.upstream.answer(ENDPOINT, 200, &[(CONTENT_TYPE.as_str(), written)], &signed);
        assert_eq!(signing.present(written.split(';').next().unwrap()).await, OK, "{written}");
    }
}

// spec: INT-11
#[tokio::test]
async fn an_answer_that_is_not_the_issuers_to_us_and_to_this_question_is_an_outage() {
    let signing = Signing::new(SignedAnswers::jwks_uri(JWKS));
    let good = envelope(&active());
    for (number, changes) in [
        json!({ "iss": "https://as.example/" }),
        json!({ "iss": null }),
        json!({ "aud": "other-api" }),
        json!({ "aud": null }),
        json!({ "iat": NOW - 31 }),
        json!({ "iat": NOW + 31 }),
        json!({ "iat": null }),
        json!({ "exp": NOW - 31 }),
        json!({ "token_introspection": null }),
        json!({ "token_introspection": null, "active": true, "sub": "ada" }),
    ]
    .into_iter()
    .enumerate()
    {
        signing.says(&signing.signed_as(TYPE, &changed(good.clone(), changes)));
        signing.cannot_tell(&format!("t{number}")).await;
    }
    // Other JWTs of the same issuer, signed by the same key.
    for typ in ["JWT", "at+jwt", "client-authentication+jwt", "logout+jwt"] {
        signing.says(&signing.signed_as(typ, &good));
        signing.cannot_tell(typ).await;
    }
    signing.says(&signing.key.good());
    signing.cannot_tell("an-access-token").await;
    signing.says(&format!("{}x", signing.signed(&active())));
    signing.cannot_tell("a-changed-one").await;
    let stranger = Key::es256();
    signing.says(&stranger.sign(&json!({ "typ": TYPE, "alg": "ES256", "kid": signing.key.kid() }), &good));
    signing.cannot_tell("a-strangers").await;
    let unsigned = signing.signed(&active());
    let (input, _) = unsigned.rsplit_once('.').unwrap();
    for (number, forged) in [format!("{input}."), "e30.e30.e30".into(), "a.b.c.d.e".into()].iter().enumerate() {
        signing.says(forged);
        signing.cannot_tell(&format!("forged{number}")).await;
    }
    signing.says(&signing.signed(&active()));
    assert_eq!(signing.present("in-the-end").await, OK);
}

#[tokio::test]
async fn a_late_answer_is_still_one_to_its_question_and_an_old_one_is_not() {
    let signing = Signing::new(SignedAnswers::jwks_uri(JWKS));
    signing.clock.advance(31);
    signing.cannot_tell("replayed").await;
    signing.says(&signing.signed_as(TYPE, &changed(envelope(&active()), json!({ "iat": NOW + 31 }))));
    assert_eq!(signing.present("fresh").await, OK);
}

// spec: INT-11
#[tokio::test]
async fn the_audience_is_what_this_resource_server_is_called() {
    let named = |aud: Value| changed(envelope(&active()), json!({ "aud": aud }));
    let signing = Signing::new(SignedAnswers::jwks_uri(JWKS));
    for (aud, outcome) in
        [(json!("api"), OK.0), (json!([RESOURCE]), OK.0), (json!("hush"), StatusCode::SERVICE_UNAVAILABLE)]
    {
        signing.says(&signing.signed_as(TYPE, &named(aud.clone())));
        assert_eq!(signing.present(&format!("t{}", aud.to_string().len())).await.0, outcome, "{aud}");
    }
    let configured = Signing::new(SignedAnswers::jwks_uri(JWKS).audience("urn:notes"));
    configured.says(&configured.signed_as(TYPE, &named(json!("urn:notes"))));
    assert_eq!(configured.present("one").await, OK);
    configured.says(&configured.signed_as(TYPE, &named(json!("api"))));
    configured.cannot_tell("two").await;
    // An issuer that has another name for the resource uses it in both places.
    let renamed = issuer().audience("urn:notes").signed(SignedAnswers::jwks_uri(JWKS));
    let renamed = Signing::of(renamed, Key::es256());
    let answer = envelope(&changed(active(), json!({ "aud": "urn:notes" })));
    renamed.says(&renamed.signed_as(TYPE, &changed(answer.clone(), json!({ "aud": "urn:notes" }))));
    assert_eq!(renamed.present("one").await, OK);
    renamed.says(&renamed.signed_as(TYPE, &changed(answer, json!({ "aud": RESOURCE }))));
    renamed.cannot_tell("two").await;
    // Whoever asks with a token has no other name than the resource.
    let anonymous = Issuer::introspection(ISSUER, ENDPOINT).bearer("t").signed(SignedAnswers::jwks_uri(JWKS));
    let signing = Signing::of(anonymous, Key::es256());
    signing.cannot_tell("one").await;
    signing.says(&signing.signed_as(TYPE, &named(json!(RESOURCE))));
    assert_eq!(signing.present("two").await, OK);
}

// spec: INT-11
#[tokio::test]
async fn only_algorithms_on_the_list_count() {
    let list = SignedAnswers::jwks_uri(JWKS).algorithms([Algorithm::EdDSA]);
    let es256 = Signing::of(issuer().signed(list), Key::es256());
    es256.cannot_tell("one").await;
    let list = SignedAnswers::jwks_uri(JWKS).algorithms([Algorithm::EdDSA]);
    assert_eq!(Signing::of(issuer().signed(list), Key::new(Algorithm::EdDSA)).present("one").await, OK);
    let none = issuer().signed(SignedAnswers::jwks_uri(JWKS).algorithms([]));
    let build = |issuer| builder(issuer).http(Upstream::new().client()).build().unwrap_err();
    assert!(matches!(build(none), BuildError::NoAlgorithm(_)));
    let clear = issuer().signed(SignedAnswers::jwks_uri("http://as.example/jwks"));
    assert!(matches!(build(clear), BuildError::Url { .. }));
}

#[tokio::test]
async fn a_new_key_is_fetched_once_and_an_unknown_one_not_again_and_again() {
    let mut signing = Signing::new(SignedAnswers::jwks_uri(JWKS));
    assert_eq!(signing.present("one").await, OK);
    signing.clock.advance(5);
    // Announced nowhere.
    let old = std::mem::replace(&mut signing.key, Key::es256());
    let both = json!({ "keys": [old.document()["keys"][0], signing.key.document()["keys"][0]] });
    signing.upstream.json(JWKS, &both);
    signing.says(&signing.signed(&active()));
    assert_eq!([signing.present("two").await, signing.present("three").await], [OK, OK]);
    assert_eq!(signing.times_asked(JWKS), 2);
    signing.says(&Key::es256().sign(&json!({ "typ": TYPE, "alg": "ES256", "kid": "k" }), &envelope(&active())));
    for n in 0..20 {
        signing.cannot_tell(&format!("unknown{n}")).await;
    }
    assert_eq!(signing.times_asked(JWKS), 2, "it was fetched a moment ago");
    signing.clock.advance(5);
    for n in 20..40 {
        signing.cannot_tell(&format!("unknown{n}")).await;
    }
    assert_eq!(signing.times_asked(JWKS), 3);
}

#[tokio::test]
async fn a_wrong_signature_by_a_known_key_fetches_nothing() {
    let signing = Signing::new(SignedAnswers::jwks_uri(JWKS));
    assert_eq!(signing.present("one").await, OK);
    signing.clock.advance(60);
    let header = json!({ "typ": TYPE, "alg": "ES256", "kid": signing.key.kid() });
    signing.says(&Key::es256().sign(&header, &changed(envelope(&active()), json!({ "iat": NOW + 60 }))));
    signing.cannot_tell("two").await;
    assert_eq!(signing.times_asked(JWKS), 1);
}

// spec: INT-14
#[tokio::test]
async fn without_keys_nothing_can_be_told_until_they_are_there() {
    let signing = Signing::new(SignedAnswers::jwks_uri(JWKS));
    signing.upstream.answer(JWKS, 500, &[], "");
    signing.cannot_tell("one").await;
    signing.cannot_tell("two").await;
    assert_eq!(signing.times_asked(JWKS), 1);
    signing.upstream.json(JWKS, &signing.key.document());
    signing.clock.advance(5);
    assert_eq!(signing.present("one").await, OK);
    // Given keys that do not fit are no reason to ask anybody.
    let given = Signing::new(SignedAnswers::keys(Key::es256().set()));
    given.cannot_tell("one").await;
    assert_eq!(given.times_asked(JWKS), 0);
}

#[tokio::test]
async fn a_withdrawn_key_takes_along_what_it_signed() {
    let mut signing =
        Signing::of(issuer().cache_for(Duration::from_secs(3000)).signed(SignedAnswers::jwks_uri(JWKS)), Key::es256());
    assert_eq!(signing.present("one").await, OK);
    signing.clock.advance(5);
    signing.key = Key::es256();
    signing.upstream.json(JWKS, &signing.key.document());
    signing.says(&signing.signed(&active()));
    assert_eq!(signing.present("two").await, OK, "its key is new, so keys are fetched");
    let asked = signing.times_asked(ENDPOINT);
    assert_eq!([signing.present("one").await, signing.present("two").await], [OK, OK]);
    assert_eq!(signing.times_asked(ENDPOINT), asked + 1, "the first token is asked about again");
    // And none outlasts the keys, which are looked at again after 450 seconds.
    signing.clock.advance(450);
    signing.says(&signing.signed_as(TYPE, &changed(envelope(&active()), json!({ "iat": NOW + 455 }))));
    assert_eq!(signing.present("two").await, OK);
    assert_eq!(signing.times_asked(ENDPOINT), asked + 2);
}

#[tokio::test]
async fn warming_up_fetches_the_keys_of_answers_too() {
    let signing = Signing::new(SignedAnswers::discovered());
    signing.server.warm_up().await.unwrap();
    assert_eq!(signing.upstream.urls(), [METADATA, JWKS]);
    let down = Signing::new(SignedAnswers::jwks_uri(JWKS));
    down.upstream.answer(JWKS, 500, &[], "");
    assert_eq!(down.server.warm_up().await.unwrap_err().issuers(), [ISSUER]);
}
