//! Demonstrating proof of possession ([RFC 9449]): proofs, nonces, replay.
//!
//! A client signs a small JWT for every request, with a key of its own that
//! the `DPoP` header carries along; the token names that key by its thumbprint
//! (`cnf.jkt`). Whoever steals the token has no key, whoever steals a proof
//! has a single request.
//!
//! What a server does with a request, in this order:
//!
//! 1. take the one `DPoP` header (RFC 9449 section 4.3, items 1 and 2);
//! 2. [`Proof::verify`] it for the request;
//! 3. compare its key with the token's: [`VerifiedProof::is_bound_to`];
//! 4. where nonces are demanded, [`VerifiedProof::check_nonce`];
//! 5. last, so that only good proofs take room, [`ReplayCache::first_use`].
//!
//! ```
//! use oauth_core::{
//!     claims::Confirmation, clock::{SystemRandom, UnixTime}, jwt::Algorithm,
//!     dpop::{DpopKey, Proof, ProofRequest, TargetUri},
//! };
//!
//! // The client:
//! let key = DpopKey::generate(Algorithm::ES256)?;
//! let url = "https://api.example/photos?page=2";
//! let header = key.proof("GET", url, Some("the-token"), None, UnixTime(1_000), &SystemRandom)?;
//!
//! // The resource server:
//! let targets = [TargetUri::parse("https://API.example:443/photos")?];
//! let request = ProofRequest::with_token("GET", &targets, "the-token", UnixTime(1_001));
//! let proof = Proof::verify(&header, &request)?;
//! assert!(proof.is_bound_to(&Confirmation::dpop(key.jkt())));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! [RFC 9449]: https://www.rfc-editor.org/rfc/rfc9449

mod claims;
mod error;
mod header;
mod key;
mod nonce;
mod proof;
mod replay;
mod request;
mod target;
#[cfg(test)]
mod tests;

pub use self::{
    error::DpopError,
    key::{DpopKey, ProofError},
    nonce::{DpopNonces, InvalidNonceStep, NonceCheck},
    proof::{Proof, VerifiedProof},
    replay::{MemoryReplayCache, ReplayCache, ReplayError, ReplayFuture},
    request::{InvalidWindow, ProofRequest, ProofWindow},
    target::{InvalidTargetUri, TargetUri},
};
use crate::jwt::Algorithm;

/// The `typ` of a proof (RFC 9449 section 4.2).
pub const PROOF_TYPE: &str = "dpop+jwt";

/// The longest proof that is looked at, in bytes; a longer one is refused.
pub const MAX_PROOF_BYTES: usize = 8 * 1024;

/// The most claims a proof may have.
pub const MAX_CLAIMS: usize = 32;

/// The longest `jti` and the longest `nonce`, in characters (RFC 9449 section
/// 11.1: "reject DPoP proof JWTs with unnecessarily large jti values").
pub const MAX_ID_CHARS: usize = 256;

/// The algorithms a proof may use unless configured otherwise, for
/// `dpop_signing_alg_values_supported` and the `algs` of a challenge too
/// (RFC 9449 sections 5.1 and 7.1).
pub const DEFAULT_ALGORITHMS: &[Algorithm] =
    &[Algorithm::ES256, Algorithm::EdDSA, Algorithm::PS256, Algorithm::RS256, Algorithm::ES384];
