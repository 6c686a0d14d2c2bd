//! What has the form of a JWT, though nobody here would verify it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// The claims of such a token, worth nothing but to tell whom to ask.
pub(super) struct Unverified(Map<String, Value>);

impl Unverified {
    /// The issuer that it names, if it does.
    pub(super) fn issuer(&self) -> Option<&str> {
        self.0.get("iss")?.as_str()
    }
}

/// The claims of `token` if it is three parts of base64url of which the first
/// is a header with `alg` (RFC 7515 section 3.1), whichever that is. The
/// signature may be missing, and claims that cannot be read are none.
pub(super) fn of_jwt(token: &str) -> Option<Unverified> {
    let (header, rest) = token.split_once('.')?;
    let (payload, signature) = rest.split_once('.')?;
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !payload.bytes().chain(signature.bytes()).all(is_base64url) {
        return None;
    }
    object(header)?.contains_key("alg").then(|| Unverified(object(payload).unwrap_or_default()))
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer_of(header: &str, payload: &str, signature: &str) -> Option<Option<String>> {
        let [header, payload] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part));
        of_jwt(&format!("{header}.{payload}.{signature}")).map(|jwt| jwt.issuer().map(str::to_owned))
    }

    #[test]
    fn a_header_with_alg_makes_a_jwt_of_three_parts() {
        let named = Some(Some("a".to_owned()));
        for header in [r#"{"alg":"none"}"#, r#"{"alg":7}"#, r#"{"alg":"HS256","alg":"ES256"}"#] {
            for signature in ["", "AA"] {
                assert_eq!(issuer_of(header, r#"{"iss":"a"}"#, signature), named, "{header}");
            }
        }
        for payload in ["", "[]", "{}", r#"{"iss":7}"#, "no JSON"] {
            assert_eq!(issuer_of(r#"{"alg":"none"}"#, payload, "AA"), Some(None), "{payload}");
        }
    }

    #[test]
    fn anything_else_is_opaque() {
        for header in ["", "{}", "[]", r#""alg""#, r#"["alg"]"#] {
            assert_eq!(issuer_of(header, r#"{"iss":"a"}"#, "AA"), None, "{header}");
        }
        // A JWE has five parts, and is for the issuer alone to read.
        for signature in ["AA.AA.AA", "A+A", "A~", "AA="] {
            assert_eq!(issuer_of(r#"{"alg":"dir"}"#, "{}", signature), None, "{signature}");
        }
        assert!(of_jwt("a.b").is_none() && of_jwt("a.b.c").is_none() && of_jwt("opaque").is_none());
    }
}
