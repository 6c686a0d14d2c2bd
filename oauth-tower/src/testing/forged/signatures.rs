//! Not signed by the issuer (RFC 8725 sections 2.1, 3.1 and 3.10).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::secret::Digest;
use serde_json::{Value, json};

use super::{Defect, Workshop, changed, parts, sign, signing_input};

/// Where a forger would have keys looked up. Nobody may ask there.
const LURE: &str = "https://evil.invalid/keys";

pub(super) const DEFECTS: &[Defect] = &[
    ("alg none", |w| w.with_signature("none", b"")),
    ("alg None", |w| w.with_signature("None", b"")),
    ("alg NONE", |w| w.with_signature("NONE", b"")),
    ("alg none, with a signature", |w| w.with_signature("none", b"signature")),
    ("alg none, with the good signature", |w| {
        let signed = sign(&w.key, &w.header, &w.claims);
        let [_, _, signature] = parts(&signed);
        format!("{}{signature}", w.with_signature("none", b""))
    }),
    ("without a signature", |w| w.with_signature(w.key.algorithm().as_str(), b"")),
    ("with a signature of zeros", |w| w.with_signature(w.key.algorithm().as_str(), &[0; 64])),
    ("HMAC keyed with the public key", with_hmac_of_public_key),
    ("HMAC without a key", |w| with_hmac(w, b"")),
    ("signed by another key", |w| w.by_thief("kid", json!(w.key.kid()))),
    ("signed by a key that is not published", |w| w.by_thief("kid", json!(w.thief.kid()))),
    ("signed by another key, without kid", |w| w.by_thief("kid", Value::Null)),
    ("signed by another key, which comes along", |w| w.by_thief("jwk", json!(w.thief.public_jwk()))),
    ("signed by another key, with jku", |w| w.by_thief("jku", json!(LURE))),
    ("signed by another key, with x5u", |w| w.by_thief("x5u", json!(LURE))),
    ("signed by another key, with x5c", |w| w.by_thief("x5c", json!(["AAAA"]))),
    ("kid that is a path", |w| w.by_thief("kid", json!("../../../dev/null"))),
    ("kid that is a URL", |w| w.by_thief("kid", json!(LURE))),
    ("claims changed after signing", with_other_claims),
    ("header changed after signing", with_other_header),
    ("signature of another token", with_other_signature),
    ("signature cut short", |w| {
        let good = sign(&w.key, &w.header, &w.claims);
        good.get(..good.len() - 4).unwrap_or_default().to_owned()
    }),
];

/// What a library does that takes any key for any algorithm.
fn with_hmac_of_public_key(w: &Workshop) -> String {
    with_hmac(w, json!(w.key.public_jwk()).to_string().as_bytes())
}

fn with_hmac(w: &Workshop, key: &[u8]) -> String {
    let header = changed(&w.header, "alg", json!("HS256"));
    let tag = hmac_sha256(key, signing_input(&header, &w.claims).as_bytes());
    w.with_signature("HS256", tag.as_bytes())
}

/// RFC 2104 section 2.
fn hmac_sha256(key: &[u8], message: &[u8]) -> Digest {
    let digest = Digest::of(&[key]);
    let key = if key.len() > 64 { digest.as_bytes() } else { key };
    let mut block = [0; 64];
    for (slot, byte) in block.iter_mut().zip(key) {
        *slot = *byte;
    }
    let inner = Digest::of(&[&block.map(|byte| byte ^ 0x36), message]);
    Digest::of(&[&block.map(|byte| byte ^ 0x5c), inner.as_bytes()])
}

fn with_other_claims(w: &Workshop) -> String {
    let good = sign(&w.key, &w.header, &w.claims);
    let [header, _, signature] = parts(&good);
    let claims = changed(&w.claims, "sub", json!("root"));
    format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(json!(claims).to_string()))
}

fn with_other_header(w: &Workshop) -> String {
    let good = sign(&w.key, &w.header, &w.claims);
    let [_, claims, signature] = parts(&good);
    let header = changed(&w.header, "typ", json!("application/at+jwt"));
    format!("{}.{claims}.{signature}", URL_SAFE_NO_PAD.encode(json!(header).to_string()))
}

fn with_other_signature(w: &Workshop) -> String {
    let other = sign(&w.key, &w.header, &changed(&w.claims, "jti", json!("another")));
    let [_, _, signature] = parts(&other);
    format!("{}.{signature}", signing_input(&w.header, &w.claims))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test cases 2 and 6.
    #[test]
    fn the_hmac_is_that_of_the_rfc() {
        let hex = |digest: Digest| digest.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(
            hex(hmac_sha256(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        );
        assert_eq!(
            hex(hmac_sha256(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        );
    }
}
