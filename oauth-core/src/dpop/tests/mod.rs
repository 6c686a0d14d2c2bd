//! Tests of proofs, by the section of the RFC or by the mistake.

mod claims;
mod example;
mod forged;
mod keys;
mod nonces;
mod replay;
mod robust;
mod targets;

use serde_json::{Value, json};

use super::*;
use crate::clock::{SystemRandom, UnixTime};

const NOW: UnixTime = UnixTime(1_562_262_618);
const URL: &str = "https://api.example/photos";
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const TOKEN_HASH: &str = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo";

fn key() -> DpopKey {
    DpopKey::generate(Algorithm::ES256).unwrap()
}

fn target(url: &str) -> TargetUri {
    TargetUri::parse(url).unwrap()
}

/// The header and the claims of a good proof for `GET` [`URL`] with [`TOKEN`].
fn header(key: &DpopKey) -> Value {
    json!({ "typ": "dpop+jwt", "alg": key.algorithm(), "jwk": key.public_jwk() })
}

fn claims() -> Value {
    json!({ "jti": "e1j3V_bKic8-LAEB", "htm": "GET", "htu": URL, "iat": NOW, "ath": TOKEN_HASH })
}

/// `object` with other members; `null` removes one.
fn with(mut object: Value, members: Value) -> Value {
    let Value::Object(members) = members else { panic!("members come as an object") };
    let object_members = object.as_object_mut().unwrap();
    object_members.extend(members);
    object_members.retain(|_, value| !value.is_null());
    object
}

#[expect(clippy::needless_pass_by_value, reason = "so that a test reads well")]
fn forge(key: &DpopKey, header: impl ToString, claims: impl ToString) -> String {
    key.forge(&header.to_string(), &claims.to_string()).unwrap()
}

/// What becomes of a proof for `GET` [`URL`] with [`TOKEN`].
fn verdict(proof: &str) -> Result<VerifiedProof, DpopError> {
    Proof::verify(proof, &ProofRequest::with_token("GET", &[target(URL)], TOKEN, NOW))
}

fn refusal(proof: &str) -> DpopError {
    verdict(proof).expect_err("the proof must be refused")
}

/// A good proof, but for these claims.
fn refusal_of_claims(claims: impl ToString) -> DpopError {
    let key = key();
    refusal(&forge(&key, header(&key), claims))
}

/// A good proof, but for this header.
fn refusal_of_header(key: &DpopKey, header: impl ToString) -> DpopError {
    refusal(&forge(key, header, claims()))
}
