//! Well signed, and not what the claims must be (RFC 9068 sections 2.2 and 4).

use serde_json::{Value, json};

use super::Defect;

pub(super) const DEFECTS: &[Defect] = &[
    ("expired", |w| w.with_claim("exp", json!(w.now.saturating_sub(120)))),
    ("not valid yet", |w| w.with_claim("nbf", json!(w.now.saturating_add(120)))),
    ("issued in the future", |w| w.with_claim("iat", json!(w.now.saturating_add(120)))),
    ("exp as a string", |w| w.with_claim("exp", json!(w.now.saturating_add(3600).0.to_string()))),
    ("exp negative", |w| w.with_claim("exp", json!(-1))),
    ("nbf as a string", |w| w.with_claim("nbf", json!("0"))),
    ("for another audience", |w| w.with_claim("aud", json!("https://another-api.invalid"))),
    ("for several other audiences", |w| {
        w.with_claim("aud", json!(["https://another-api.invalid", "https://third-api.invalid"]))
    }),
    ("for the audience with another end", |w| w.with_claim("aud", json!(with_another_end(&w.resource)))),
    ("for an audience in capitals", |w| w.with_claim("aud", json!(w.resource.to_uppercase()))),
    ("for an audience that is an object", |w| w.with_claim("aud", json!({ w.resource.as_str(): true }))),
    ("for nobody", |w| w.with_claim("aud", json!([]))),
    ("of another issuer", |w| w.with_claim("iss", json!("https://another-issuer.invalid"))),
    ("of the issuer with another end", |w| w.with_claim("iss", json!(with_another_end(&w.issuer)))),
    ("of a list of issuers", |w| w.with_claim("iss", json!([w.issuer]))),
    ("without iss", |w| w.with_claim("iss", Value::Null)),
    ("without exp", |w| w.with_claim("exp", Value::Null)),
    ("without aud", |w| w.with_claim("aud", Value::Null)),
    ("without sub", |w| w.with_claim("sub", Value::Null)),
    ("without client_id", |w| w.with_claim("client_id", Value::Null)),
    ("without iat", |w| w.with_claim("iat", Value::Null)),
    ("without jti", |w| w.with_claim("jti", Value::Null)),
    ("sub as a number", |w| w.with_claim("sub", json!(7))),
    ("scope as a list", |w| w.with_claim("scope", json!(["read", "write"]))),
    ("bound to a key, without a proof", |w| w.with_claim("cnf", json!({ "jkt": w.thief.kid() }))),
    ("bound to a certificate, without one", |w| w.with_claim("cnf", json!({ "x5t#S256": w.thief.kid() }))),
    ("bound in an unknown way", |w| w.with_claim("cnf", json!({ "unknown": "x" }))),
];

/// Not the same byte for byte: with a slash more or less.
fn with_another_end(url: &str) -> String {
    url.strip_suffix('/').map_or_else(|| format!("{url}/"), str::to_owned)
}
