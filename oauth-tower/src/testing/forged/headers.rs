//! Well signed, and not an access token by their header (RFC 9068 section 2.1,
//! RFC 7515 section 4.1.11, RFC 8725 section 3.11).

use serde_json::{Value, json};

use super::{Defect, Workshop};

pub(super) const DEFECTS: &[Defect] = &[
    ("without typ", |w| w.with_header("typ", Value::Null)),
    ("of the type of an ID token", |w| w.with_header("typ", json!("JWT"))),
    ("of the type of a DPoP proof", |w| w.with_header("typ", json!("dpop+jwt"))),
    ("of the type of a logout token", |w| w.with_header("typ", json!("logout+jwt"))),
    ("of the type of an introspection response", |w| w.with_header("typ", json!("token-introspection+jwt"))),
    ("of a type that begins like it", |w| w.with_header("typ", json!("at+jwt+x"))),
    ("with an unknown critical extension", with_critical_extension),
    ("with an empty list of critical extensions", |w| w.with_header("crit", json!([]))),
    ("with an unencoded payload", |w| w.with_header("b64", json!(false))),
    ("with the algorithm of another key", |w| w.with_header("alg", json!(w.other_algorithm()))),
    ("with the algorithm in small letters", |w| {
        w.with_header("alg", json!(w.key.algorithm().as_str().to_ascii_lowercase()))
    }),
    ("without alg", |w| w.with_header("alg", Value::Null)),
];

fn with_critical_extension(w: &Workshop) -> String {
    w.with_header("crit", json!(["https://extension.invalid"]))
}
