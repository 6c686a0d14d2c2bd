//! Tokens that are wrong in one way each. Each has the form of a JWT, and would
//! be good without its one fault.

use super::*;
use crate::resource::tests::Key;

/// What is wrong, and the token.
pub(super) type Forgery = (String, String);

/// Every forgery there is. `key` is the issuer's; nobody but it can make a
/// good signature.
pub(super) fn all(key: &Key) -> Vec<Forgery> {
    [claims(key), headers(key), signatures(key), texts(key)].concat()
}

fn made(key: &Key, changes: Value) -> Forgery {
    (changes.to_string(), key.token(changes))
}

fn headed(key: &Key, changes: Value) -> Forgery {
    let token = key.sign(&changed(key.header(), changes.clone()), &super::super::claims());
    (changes.to_string(), token)
}

/// Good signatures over claims that do not fit.
pub(super) fn claims(key: &Key) -> Vec<Forgery> {
    let mut all = Vec::new();
    for iss in [json!("https://evil.example"), json!("https://as.example/"), json!("HTTPS://as.example"), json!("")] {
        all.push(made(key, json!({ "iss": iss })));
    }
    for aud in
        [json!("https://evil.example"), json!("https://api.example/"), json!([]), json!([["https://api.example"]])]
    {
        all.push(made(key, json!({ "aud": aud })));
    }
    for name in ["iss", "aud", "exp", "sub", "client_id", "iat", "jti"] {
        // Absent, and of every JSON type that is not the right one.
        all.push(made(key, json!({ name: null })));
        for value in [json!(true), json!({}), json!({ RESOURCE: true }), json!([42]), json!("")] {
            // An empty subject is one, if a strange one.
            if !(value == json!("") && ["sub", "client_id", "jti"].contains(&name)) {
                all.push(made(key, json!({ name: value })));
            }
        }
        let null = super::super::claims().to_string().replacen('{', &format!(r#"{{"{name}":null,"#), 1);
        all.push((format!("{name}: null and a value"), raw(key, &key.header().to_string(), &null)));
    }
    all.push(made(key, json!({ "iss": [ISSUER] })));
    all.push(made(key, json!({ "iss": 42 })));
    all.push(made(key, json!({ "aud": 42 })));
    for (name, value) in [("exp", NOW - 31), ("exp", 0), ("nbf", NOW + 31), ("iat", NOW + 31), ("exp", NOW * 1_000_000)]
    {
        all.push(made(key, json!({ name: value })));
    }
    for (name, value) in [("exp", "1800000000"), ("nbf", "0"), ("iat", "1600000000"), ("scope", "a  b"), ("cnf", "x")] {
        all.push(made(key, json!({ name: value })));
    }
    for cnf in [json!({ "jkt": "x" }), json!({ "x5t#S256": "x" }), json!({ "kid": "x" }), json!({}), json!([])] {
        all.push(made(key, json!({ "cnf": cnf })));
    }
    all
}

/// Good signatures under headers that must not be believed.
pub(super) fn headers(key: &Key) -> Vec<Forgery> {
    let typs = ["JWT", "dpop+jwt", "token-introspection+jwt", "logout+jwt", "secevent+jwt", "oauth-authz-req+jwt", ""];
    let mut all: Vec<_> = typs.into_iter().map(|typ| headed(key, json!({ "typ": typ }))).collect();
    for changes in [
        json!({ "typ": null }),
        json!({ "typ": ["at+jwt"] }),
        json!({ "crit": ["x"], "x": 1 }),
        json!({ "crit": ["exp"] }),
        json!({ "crit": [] }),
        json!({ "crit": "exp" }),
        json!({ "b64": false, "crit": ["b64"] }),
        json!({ "alg": ["ES256"] }),
        json!({ "alg": "es256" }),
        json!({ "kid": 7 }),
    ] {
        all.push(headed(key, changes));
    }
    all
}

/// Signatures that the issuer did not make.
pub(super) fn signatures(key: &Key) -> Vec<Forgery> {
    let evil = Key::es256();
    let (own, good) = (serde_json::to_value(evil.key.public_jwk()).unwrap(), key.good());
    let (input, signature) = good.rsplit_once('.').unwrap();
    let mut all = Vec::new();
    for lure in [
        json!({}),
        json!({ "jwk": own }),
        json!({ "jku": "https://evil.example/jwks" }),
        json!({ "x5u": "https://evil.example/cert" }),
        json!({ "x5c": ["MIIB"] }),
        json!({ "kid": "https://evil.example/key" }),
        json!({ "kid": "../../evil" }),
        json!({ "kid": "?kid=1\r\nhost: evil.example" }),
        json!({ "kid": "", "jwk": own, "jku": "https://evil.example/jwks" }),
    ] {
        let header = changed(changed(key.header(), json!({ "alg": "ES256" })), lure.clone());
        all.push((format!("signed by another: {lure}"), evil.sign(&header, &super::super::claims())));
    }
    for alg in ["none", "None", "nOnE", "HS256", "HS384", "HS512", "ES512", "ES256K", "dir", ""] {
        let header = part(&changed(key.header(), json!({ "alg": alg })).to_string());
        let claims = input.split_once('.').unwrap().1;
        for signature in [signature, "AA"] {
            all.push((format!("alg {alg}"), format!("{header}.{claims}.{signature}")));
        }
    }
    all.push(("keyed with the public key".into(), keyed_with_the_public_key(key)));
    for (what, bytes) in
        [("zeros", vec![0; 64]), ("nothing but one", vec![1; 64]), ("DER", vec![0x30, 6, 2, 1, 1, 2, 1, 1])]
    {
        all.push((format!("signature of {what}"), format!("{input}.{}", URL_SAFE_NO_PAD.encode(bytes))));
    }
    all
}

/// HMAC under what everybody knows.
fn keyed_with_the_public_key(key: &Key) -> String {
    let secret = EncodingKey::from_secret(&serde_json::to_vec(key.key.public_jwk()).unwrap());
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    header.typ = Some("at+jwt".into());
    header.kid = Some(key.kid().into());
    jsonwebtoken::encode(&header, &super::super::claims(), &secret).unwrap()
}

/// Good tokens that were bent, and JSON that is read in two ways.
pub(super) fn texts(key: &Key) -> Vec<Forgery> {
    let (header, claims) = (key.header().to_string(), super::super::claims().to_string());
    let twice = |text: &str, member: &str| text.replacen('{', &format!("{{{member},"), 1);
    let mut all = vec![
        ("sub twice".to_owned(), raw(key, &header, &twice(&claims, r#""sub":"eve""#))),
        ("sub twice, escaped".to_owned(), raw(key, &header, &twice(&claims, r#""s\u0075b":"eve""#))),
        ("alg twice".to_owned(), raw(key, &twice(&header, r#""alg":"none""#), &claims)),
        ("typ twice".to_owned(), raw(key, &twice(&header, r#""typ":"at+jwt""#), &claims)),
    ];
    for payload in ["[]", "null", "7", "{", "{} {}", "", "\u{feff}{}", &"[".repeat(20_000), r#"{"a":1e999}"#] {
        all.push((format!("payload {payload:.20}"), raw(key, &header, payload)));
    }
    all
}

fn part(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// A good signature over any text.
fn raw(key: &Key, header: &str, payload: &str) -> String {
    let input = format!("{}.{}", part(header), part(payload));
    let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &key.encoding, key.algorithm).unwrap();
    format!("{input}.{signature}")
}
