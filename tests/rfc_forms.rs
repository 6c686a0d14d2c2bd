//! The forms of a JWS that are no access token's, as RFC 7515 (appendices A.6, A.7, E) and RFC 7520 (sections 4.5 to
//! 4.8) print them: their signatures are good, and they are refused, by the parser and by the layer's path.

use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, StatusCode, header::AUTHORIZATION};
use oauth_core::{
    jwk::JwkSet,
    jwt::{Jws, JwtError},
};
use oauth_tower::resource::{Issuer, ResourceServer};
use serde_json::{Value, json};

/// The payload of RFC 7515 appendix A.
const JOE: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

/// RFC 7515 appendix A.3.
const JOE_ES256: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const JOE_KID: &str = "e9bc097a-ce51-4036-9562-d2ade882db0d";

/// RFC 7520 figure 8.
const FRODO: &str = "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9h\
    ZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0\
    by4";
const HMAC_KID: &str = "018c0ae5-4d9b-471b-bfd6-eef314bc7037";
/// RFC 7520 figure 35: the protected header of sections 4.4 and 4.5.
const HMAC_HEADER: &str = "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9";
const HMAC_SIGNATURE: &str = "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0";

/// The key of RFC 7515 appendix A.3, under the name that appendix A.6 gives it.
fn joes_key() -> JwkSet {
    let key = json!({
        "kty": "EC",
        "crv": "P-256",
        "kid": JOE_KID,
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    JwkSet::parse(json!({ "keys": [key] }).to_string().as_bytes()).unwrap()
}

/// What becomes of `token` at a resource server that knows the key.
fn status(token: &str) -> StatusCode {
    let issuer = Issuer::jwt("joe").keys(joes_key());
    let server = ResourceServer::builder("https://rs.example.com/").issuer(issuer).build().unwrap();
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
    server.validate_headers(&headers).now_or_never().unwrap().unwrap_err().status()
}

fn refused_as_json(form: &Value) {
    let text = form.to_string();
    assert!(Jws::parse(&text).is_err(), "{text}");
    // No token68 (RFC 9110 section 11.2): not even looked at as a token.
    assert_eq!(status(&text), StatusCode::BAD_REQUEST, "{text}");
}

#[test]
fn the_json_forms_of_rfc_7515_appendices_a_6_and_a_7_are_refused_though_their_compact_form_verifies() {
    let compact = format!("eyJhbGciOiJFUzI1NiJ9.{JOE}.{JOE_ES256}");
    let jws = Jws::parse(&compact).unwrap();
    let set = joes_key();
    assert!(jws.verify(&set.keys()[0]).is_ok(), "the header `kid` of the JSON forms is not signed, nor is it here");
    // A good signature over a payload that is no access token.
    assert_eq!(status(&compact), StatusCode::UNAUTHORIZED);
    let second = json!({ "protected": "eyJhbGciOiJFUzI1NiJ9", "header": { "kid": JOE_KID }, "signature": JOE_ES256 });
    let first = json!({
        "protected": "eyJhbGciOiJSUzI1NiJ9",
        "header": { "kid": "2010-12-29" },
        "signature": "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds\
                      9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0Ga\
                      rZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6Lbg\
                      GY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
    });
    refused_as_json(&json!({ "payload": JOE, "signatures": [first, second] }));
    let mut flattened = second;
    flattened["payload"] = json!(JOE);
    refused_as_json(&flattened);
}

// spec: RS-15
#[test]
fn the_negative_test_case_of_rfc_7515_appendix_e_is_refused() {
    let token = "eyJhbGciOiJub25lIiwNCiAiY3JpdCI6WyJodHRwOi8vZXhhbXBsZS5jb20vVU5ERUZJTkVEIl0sDQogImh0dHA6Ly9leGFtcGxlLmNvb\
                 S9VTkRFRklORUQiOnRydWUNCn0.RkFJTA.";
    assert!(matches!(Jws::parse(token), Err(JwtError::CriticalExtension | JwtError::UnsupportedAlgorithm)));
    assert_eq!(status(token), StatusCode::UNAUTHORIZED);
    // As the appendix asks: also with a third part, and so with an algorithm that is good.
    assert!(Jws::parse(&format!("{token}AA")).is_err());
    assert_eq!(status(&format!("{token}AA")), StatusCode::UNAUTHORIZED);
}

#[test]
fn the_detached_content_of_rfc_7520_section_4_5_is_refused() {
    let detached = format!("{HMAC_HEADER}..{HMAC_SIGNATURE}");
    assert!(Jws::parse(&detached).is_err());
    assert_eq!(status(&detached), StatusCode::UNAUTHORIZED);
    refused_as_json(&json!({ "signatures": [{ "protected": HMAC_HEADER, "signature": HMAC_SIGNATURE }] }));
    refused_as_json(&json!({ "protected": HMAC_HEADER, "signature": HMAC_SIGNATURE }));
}

#[test]
fn the_unprotected_headers_of_rfc_7520_sections_4_6_and_4_7_are_refused() {
    let specific = json!({
        "protected": "eyJhbGciOiJIUzI1NiJ9",
        "header": { "kid": HMAC_KID },
        "signature": "bWUSVaxorn7bEF1djytBd0kHv70Ly5pvbomzMWSOr20",
    });
    let content_only = json!({
        "header": { "alg": "HS256", "kid": HMAC_KID },
        "signature": "xuLifqLGiblpv9zBpuZczWhNj1gARaLV3UxvxhJxZuk",
    });
    for signature in [specific, content_only] {
        refused_as_json(&json!({ "payload": FRODO, "signatures": [signature] }));
        let mut flattened = signature;
        flattened["payload"] = json!(FRODO);
        refused_as_json(&flattened);
    }
    // Without its unprotected half there is no header, so there is no JWS.
    assert_eq!(status(&format!(".{FRODO}.xuLifqLGiblpv9zBpuZczWhNj1gARaLV3UxvxhJxZuk")), StatusCode::UNAUTHORIZED);
}

#[test]
fn the_several_signatures_of_rfc_7520_section_4_8_are_refused() {
    let bilbo = "bilbo.baggins@hobbiton.example";
    refused_as_json(&json!({
        "payload": FRODO,
        "signatures": [
            {
                "protected": "eyJhbGciOiJSUzI1NiJ9",
                "header": { "kid": bilbo },
                "signature": "MIsjqtVlOpa71KE-Mss8_Nq2YH4FGhiocsqrgi5NvyG53uoimic1tcMdSg-qptrzZc7CG6Svw2Y13TDIqHzTUrL_lR2ZF\
                              cryNFiHkSw129EghGpwkpxaTn_THJTCglNbADko1MZBCdwzJxwqZc-1RlpO2HibUYyXSwO97BSe0_evZKdjvvKSgsIqjy\
                              tKSeAMbhMBdMma622_BG5t4sdbuCHtFjp9iJmkio47AIwqkZV1aIZsv33uPUqBBCXbYoQJwt7mxPftHmNlGoOSMxR_3th\
                              mXTCm4US-xiNOyhbm8afKK64jU6_TPtQHiJeQJxz9G3Tx-083B745_AfYOnlC9w",
            },
            {
                "header": { "alg": "ES512", "kid": bilbo },
                "signature": "ARcVLnaJJaUWG8fG-8t5BREVAuTY8n8YHjwDO1muhcdCoFZFFjfISu0Cdkn9Ybdlmi54ho0x924DUz8sK7ZXkhc7AFM8O\
                              bLfTvNCrqcI3Jkl2U5IX3utNhODH6v7xgy1Qahsn0fyb4zSAkje8bAWz4vIfj5pCMYxxm4fgV3q7ZYhm5eD",
            },
            { "protected": HMAC_HEADER, "signature": HMAC_SIGNATURE },
        ],
    }));
}
