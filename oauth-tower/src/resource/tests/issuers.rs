//! Several issuers at once, and what cannot be built.

use super::{
    introspection::{ENDPOINT, active, issuer},
    *,
};
use crate::resource::BuildError;

const OTHER: &str = "https://other.example";

// spec: RS-16
#[tokio::test]
async fn each_issuer_answers_with_its_own_keys_only() {
    let (one, two) = (Key::es256(), Key::es256());
    let server = builder(fixed(&one)).issuer(Issuer::jwt(OTHER).keys(two.set())).build().unwrap();
    assert!(present(&server, &one.good()).await.1);
    assert!(present(&server, &two.token(json!({ "iss": OTHER }))).await.1);
    // The other's key, under the other's kid and under one's own.
    assert!(!present(&server, &two.good()).await.1);
    let header = changed(two.header(), json!({ "kid": one.kid() }));
    assert!(!present(&server, &two.sign(&header, &claims())).await.1);
    assert!(!present(&server, &one.token(json!({ "iss": OTHER }))).await.1);
    assert!(!present(&server, &one.token(json!({ "iss": "https://evil.example" }))).await.1);
}

#[tokio::test]
async fn jwt_and_opaque_tokens_of_one_server_live_side_by_side() {
    let (key, upstream) = (Key::es256(), Upstream::new());
    upstream.json(ENDPOINT, &active());
    let server = builder(fixed(&key)).issuer(issuer()).http(upstream.client()).build().unwrap();
    assert!(present(&server, &key.good()).await.1);
    assert_eq!(upstream.calls(), 0, "a JWT is verified here");
    assert!(present(&server, "opaque").await.1);
    assert_eq!(upstream.calls(), 1);
    let foreign = Key::es256().token(json!({ "iss": "https://evil.example" }));
    assert!(!present(&server, &foreign).await.1);
    assert_eq!(upstream.calls(), 1);
}

#[tokio::test]
async fn a_token_is_shown_to_the_issuer_of_its_prefix_and_to_no_other() {
    let (upstream, elsewhere) = (Upstream::new(), "https://other.example/introspect");
    upstream.json(ENDPOINT, &active()).json(elsewhere, &active());
    let other = Issuer::introspection(OTHER, elsewhere).client_basic("api", "x").token_prefix("oth_");
    let server = builder(issuer()).issuer(other).http(upstream.client()).build().unwrap();
    for (token, url) in [("oth_1", elsewhere), ("1", ENDPOINT), ("oth-1", ENDPOINT)] {
        assert!(present(&server, token).await.1);
        assert_eq!(upstream.last().uri().to_string(), url);
    }
}

#[tokio::test]
async fn of_two_prefixes_that_fit_the_longer_counts_in_any_order() {
    let endpoint = |name: &str| format!("https://{name}.example/introspect");
    let asked = |name: &str, prefix: &str| {
        let issuer = Issuer::introspection(format!("https://{name}.example"), endpoint(name)).bearer("t");
        Issuer::from(issuer.token_prefix(prefix))
    };
    let all = || [asked("short", "p_"), asked("long", "p_x"), asked("any", ""), asked("longest", "p_xyz")];
    let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [2, 3, 0, 1], [1, 0, 3, 2]];
    for order in orders {
        let upstream = Upstream::new();
        ["short", "long", "any", "longest"].iter().for_each(|name| _ = upstream.json(&endpoint(name), &active()));
        let mut issuers = all().map(Some);
        let issuers: Vec<Issuer> = order.iter().map(|index| issuers[*index].take().unwrap()).collect();
        let server = ResourceServer::builder(RESOURCE).issuers(issuers).clock(clock()).http(upstream.client());
        let server = server.build().unwrap();
        for (token, name) in [
            ("p_1", "short"),
            ("p_x", "long"),
            ("p_xy1", "long"),
            ("p_xyz1", "longest"),
            ("p-x", "any"),
            ("q", "any"),
            ("p", "any"),
        ] {
            assert!(present(&server, token).await.1);
            assert_eq!(upstream.last().uri().to_string(), endpoint(name), "{token} {order:?}");
        }
    }
}

#[test]
fn two_issuers_that_could_each_have_made_a_token_are_not_built() {
    let other = || Issuer::introspection(OTHER, "https://other.example/introspect").bearer("t");
    let build = |one, two| builder(one).issuer(Issuer::from(two)).http(Upstream::new().client()).build();
    for (one, two) in [
        (issuer().token_prefix("p_"), other().token_prefix("p_")),
        (issuer().token_prefix(""), other()),
        (issuer(), other().token_prefix("")),
        (issuer().token_prefix(""), other().token_prefix("")),
    ] {
        let error = build(one, two).unwrap_err();
        assert!(matches!(&error, BuildError::AmbiguousIntrospection(name) if name == OTHER), "{error}");
    }
    assert!(build(issuer().token_prefix(""), other().token_prefix("p_")).is_ok());
    assert!(build(issuer().token_prefix("P_"), other().token_prefix("p_")).is_ok());
}

#[test]
fn what_makes_no_sense_is_not_built() {
    let key = Key::es256();
    let other = || Issuer::introspection(OTHER, "https://other.example/introspect").bearer("t");
    let built = |builder: ResourceServerBuilder<HasIssuer>| builder.http(Upstream::new().client()).build();
    let failed = |builder| built(builder).unwrap_err();
    assert!(matches!(ResourceServer::builder("").issuer(fixed(&key)).build(), Err(BuildError::NoResource)));
    assert!(matches!(ResourceServer::builder("x").issuers([]).build(), Err(BuildError::NoIssuer)));
    assert!(matches!(failed(builder(Issuer::jwt(""))), BuildError::EmptyIssuer));
    assert!(matches!(failed(builder(fixed(&key)).issuer(fixed(&key))), BuildError::DuplicateIssuer(_)));
    assert!(matches!(failed(builder(issuer()).issuer(other())), BuildError::AmbiguousIntrospection(_)));
    assert!(built(builder(issuer()).issuer(other().token_prefix("x"))).is_ok());
    assert!(matches!(failed(builder(Issuer::jwt("http://as.example"))), BuildError::Url { .. }));
    assert!(matches!(failed(builder(Issuer::jwt("as.example"))), BuildError::Url { .. }));
    assert!(matches!(failed(builder(Issuer::jwt("https://as.example?x"))), BuildError::Url { .. }));
    let in_the_clear = Issuer::jwt(ISSUER).jwks_uri("http://as.example/jwks");
    assert!(matches!(failed(builder(in_the_clear).insecure_http()), BuildError::Url { .. }));
    assert!(matches!(failed(builder(fixed(&key).algorithms([]))), BuildError::NoAlgorithm(_)));
    let control = Issuer::introspection(ISSUER, ENDPOINT).bearer("a\nb");
    assert!(matches!(failed(builder(control)), BuildError::UnsendableSecret(_)));
    assert!(matches!(failed(builder(fixed(&key)).skew(61)), BuildError::TooMuchSkew(_)));
}

#[tokio::test]
async fn nothing_has_to_be_up_when_building() {
    // 192.0.2.0/24 is for documentation: nobody is there.
    let issuer = Issuer::jwt("https://192.0.2.1");
    assert!(builder(issuer).http(Upstream::new().client()).build().is_ok());
}

// spec: RS-17
#[tokio::test]
async fn an_issuer_with_names_of_its_own_is_asked_for_that_audience_and_no_other() {
    let (key, upstream) = (Key::es256(), Upstream::new());
    let jwt = fixed(&key).audience("api://notes");
    let asked =
        Issuer::introspection(OTHER, "https://other.example/introspect").client_basic("api", "x").audience("notes");
    let server = builder(jwt).issuer(asked).http(upstream.client()).build().unwrap();
    for (audience, good) in [(json!("api://notes"), true), (json!(RESOURCE), false), (json!(null), false)] {
        assert_eq!(present(&server, &key.token(json!({ "aud": audience }))).await.1, good, "{audience}");
    }
    for (audience, token, good) in [("notes", "one", true), ("api://notes", "two", false), (RESOURCE, "three", false)] {
        upstream.json("https://other.example/introspect", &json!({ "active": true, "sub": "ada", "aud": audience }));
        assert_eq!(present(&server, token).await.1, good, "{audience}");
    }
}
