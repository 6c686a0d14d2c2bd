//! One member of a foreign key set, from JSON to a key or to the reason why not.
//!
//! The shape of a JWK is `jsonwebtoken`'s; what may be used, and for what, is
//! decided here.

use jsonwebtoken::jwk::{AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use serde::Deserialize;
use serde_json::Value;

use super::{KeyMaterial, PublicKey, SkipReason};
use crate::jwt::Algorithm;

/// RFC 7518 sections 6.2.2 and 6.3.2, RFC 8037 section 2, RFC 9964 (`priv`).
pub(crate) const PRIVATE_MEMBERS: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "oth", "priv"];

pub(super) fn public_key(value: &Value) -> Result<PublicKey, SkipReason> {
    let object = value.as_object().ok_or(SkipReason::Malformed)?;
    let kty = object.get("kty").and_then(Value::as_str).ok_or(SkipReason::Malformed)?;
    if kty == "oct" || object.contains_key("k") {
        return Err(SkipReason::Symmetric);
    }
    if PRIVATE_MEMBERS.iter().any(|member| object.contains_key(*member)) {
        return Err(SkipReason::Private);
    }
    let jwk = Jwk::deserialize(value).map_err(|_| SkipReason::Malformed)?;
    if !verifies_signatures(&jwk.common) {
        return Err(SkipReason::NotForSignatures);
    }
    let material = material(kty, value, jwk.algorithm)?;
    let only = match object.get("alg") {
        None => None,
        Some(alg) => Some(algorithm(alg)?),
    };
    PublicKey::new(jwk.common.key_id.as_deref(), &material, only)
}

/// RFC 7517 sections 4.2 and 4.3: whoever wants no signatures verified says so.
fn verifies_signatures(common: &CommonParameters) -> bool {
    let used = common.public_key_use.as_ref().is_none_or(|r#use| *r#use == PublicKeyUse::Signature);
    let operates = common.key_operations.as_ref().is_none_or(|ops| ops.contains(&KeyOperations::Verify));
    used && operates
}

fn algorithm(alg: &Value) -> Result<Algorithm, SkipReason> {
    let name = alg.as_str().ok_or(SkipReason::Malformed)?;
    name.parse().map_err(|_| SkipReason::UnsupportedAlgorithm)
}

fn material(kty: &str, value: &Value, parameters: AlgorithmParameters) -> Result<KeyMaterial, SkipReason> {
    Ok(match parameters {
        AlgorithmParameters::RSA(key) => KeyMaterial::Rsa { n: key.n, e: key.e },
        AlgorithmParameters::EllipticCurve(key) => {
            KeyMaterial::Ec { crv: curve(&key.curve)?.into(), x: key.x, y: key.y }
        }
        AlgorithmParameters::OctetKeyPair(key) => KeyMaterial::Okp { crv: curve(&key.curve)?.into(), x: key.x },
        _ => return Err(unknown(kty, value)),
    })
}

fn curve(curve: &EllipticCurve) -> Result<&'static str, SkipReason> {
    match curve {
        EllipticCurve::P256 => Ok("P-256"),
        EllipticCurve::P384 => Ok("P-384"),
        EllipticCurve::Ed25519 => Ok("Ed25519"),
        _ => Err(SkipReason::UnsupportedCurve),
    }
}

/// Why `jsonwebtoken` could not tell what a key is.
fn unknown(kty: &str, value: &Value) -> SkipReason {
    let curve_known = |crv: &str| matches!(crv, "P-256" | "P-384" | "Ed25519");
    match (kty, value.get("crv").and_then(Value::as_str)) {
        ("EC" | "OKP", Some(crv)) if !curve_known(crv) => SkipReason::UnsupportedCurve,
        ("RSA" | "EC" | "OKP", _) => SkipReason::Malformed,
        _ => SkipReason::UnsupportedKeyType,
    }
}
