//! Well signed, and not one well-formed token (RFC 7515 section 7.1, RFC 7519
//! section 4).

use serde_json::json;

use super::{Defect, Workshop, parts, sign, sign_text};

pub(super) const DEFECTS: &[Defect] = &[
    ("padded", |w| format!("{}=", good(w))),
    ("of two parts", |w| {
        let good = good(w);
        let [header, claims, _] = parts(&good);
        format!("{header}.{claims}")
    }),
    ("of four parts", |w| format!("{}.AAAA", good(w))),
    ("of five parts, as if encrypted", |w| format!("{}.AAAA.AAAA", good(w))),
    ("with an empty header", |w| sign_text(&w.key, "{}", &json!(w.claims).to_string())),
    ("with claims that are a list", |w| sign_text(&w.key, &json!(w.header).to_string(), "[]")),
    ("with claims that are not JSON", |w| sign_text(&w.key, &json!(w.header).to_string(), "sub=ada")),
    ("with a claim that stands twice", |w| {
        let claims = json!(w.claims).to_string().replacen('{', r#"{"sub":"root","#, 1);
        sign_text(&w.key, &json!(w.header).to_string(), &claims)
    }),
    ("with a header member that stands twice", |w| {
        let header = json!(w.header).to_string().replacen('{', r#"{"typ":"at+jwt","#, 1);
        sign_text(&w.key, &header, &json!(w.claims).to_string())
    }),
];

fn good(w: &Workshop) -> String {
    sign(&w.key, &w.header, &w.claims)
}
