//! Checking a proof (RFC 9449 section 4.3).

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;

use super::{
    DpopError, DpopNonces, MAX_PROOF_BYTES, NonceCheck, PROOF_TYPE, ProofRequest, TargetUri, claims::ProofClaims,
    header,
};
use crate::{claims::Confirmation, clock::UnixTime, jwt::Jws, secret::Digest};

/// The content of a `DPoP` header, which is worth something once verified:
/// see [`Proof::verify`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Proof;

impl Proof {
    /// Verifies `proof` for `request`: items 2 to 9, 11 and 12 of RFC 9449
    /// section 4.3. The caller has made sure that there is one header (item 1),
    /// and goes on with the token's binding (item 12), the nonce (item 10) and
    /// replay (section 11.1): see [the module](super).
    ///
    /// The key is read from the proof itself, and used for it alone. An `exp`
    /// or `nbf` need not be there; if one is, it holds (RFC 7519 section 4.1).
    ///
    /// ```
    /// use oauth_core::{clock::{SystemRandom, UnixTime}, dpop::*, jwt::Algorithm};
    /// let key = DpopKey::generate(Algorithm::EdDSA)?;
    /// let url = "https://as.example/token";
    /// let proof = key.proof("POST", url, None, None, UnixTime(1_000), &SystemRandom)?;
    ///
    /// let targets = [TargetUri::parse(url)?];
    /// let at = |method, now| Proof::verify(&proof, &ProofRequest::without_token(method, &targets, UnixTime(now)));
    /// assert_eq!(at("POST", 1_060)?.jkt(), key.jkt());
    /// assert_eq!(at("POST", 1_061).unwrap_err(), DpopError::TooOld);
    /// assert_eq!(at("post", 1_000).unwrap_err(), DpopError::WrongMethod);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`DpopError`] names the first check that failed.
    pub fn verify(proof: &str, request: &ProofRequest<'_>) -> Result<VerifiedProof, DpopError> {
        if proof.len() > MAX_PROOF_BYTES {
            return Err(DpopError::TooLarge);
        }
        let jws = Jws::parse(proof)?;
        if jws.typ() != Some(PROOF_TYPE) {
            return Err(DpopError::WrongType);
        }
        if !request.algorithms.contains(&jws.alg()) {
            return Err(DpopError::AlgorithmNotAllowed);
        }
        let key = header::public_key(proof, jws.alg())?;
        let verified = jws.verify(&key)?;
        let claims = ProofClaims::from_json(verified.payload())?;
        let target = check_target(&claims, request)?;
        check_time(&claims, request)?;
        check_token(&claims, request)?;
        Ok(VerifiedProof::new(key.thumbprint(), target, &claims, request))
    }
}

/// Items 8 and 9.
fn check_target<'r>(claims: &ProofClaims<'_>, request: &ProofRequest<'r>) -> Result<&'r TargetUri, DpopError> {
    // RFC 9110 section 9.1: "The method token is case-sensitive".
    if claims.htm != request.method {
        return Err(DpopError::WrongMethod);
    }
    let htu = TargetUri::parse(&claims.htu).map_err(|_| DpopError::MalformedClaim("htu"))?;
    request.targets.iter().find(|target| **target == htu).ok_or(DpopError::WrongTarget)
}

/// Item 11.
fn check_time(claims: &ProofClaims<'_>, request: &ProofRequest<'_>) -> Result<(), DpopError> {
    let latest = request.now.saturating_add(request.window.future());
    if claims.iat > latest || claims.nbf.is_some_and(|nbf| nbf > latest) {
        return Err(DpopError::FromTheFuture);
    }
    let too_old = request.now > claims.iat.saturating_add(request.window.past());
    if too_old || claims.exp.is_some_and(|exp| request.now >= exp.saturating_add(request.window.future())) {
        return Err(DpopError::TooOld);
    }
    Ok(())
}

/// Item 12, its first half.
fn check_token(claims: &ProofClaims<'_>, request: &ProofRequest<'_>) -> Result<(), DpopError> {
    match (request.access_token, &claims.ath) {
        (None, None) => Ok(()),
        // RFC 9449 section 7: "not usable without an access token, or vice versa".
        (None, Some(_)) => Err(DpopError::UnexpectedToken),
        (Some(_), None) => Err(DpopError::MissingClaim("ath")),
        (Some(token), Some(ath)) if ath.as_bytes().ct_eq(token_hash(token).as_bytes()).into() => Ok(()),
        (Some(_), Some(_)) => Err(DpopError::WrongToken),
    }
}

/// `ath`: base64url of the SHA-256 of the token (RFC 9449 section 4.2).
pub(super) fn token_hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Digest::of(&[token.as_bytes()]).as_bytes())
}

/// A proof that passed [`Proof::verify`].
#[derive(Clone)]
pub struct VerifiedProof {
    jkt: Box<str>,
    digest: Digest,
    nonce: Option<Box<str>>,
    iat: UnixTime,
    good_until: UnixTime,
}

impl VerifiedProof {
    fn new(jkt: &str, target: &TargetUri, claims: &ProofClaims<'_>, request: &ProofRequest<'_>) -> Self {
        // The thumbprint has a fixed length, and a URI has no zero byte.
        let parts = [b"dpop jti ", jkt.as_bytes(), target.as_str().as_bytes(), b"\0", claims.jti.as_bytes()];
        Self {
            jkt: jkt.into(),
            digest: Digest::of(&parts),
            nonce: claims.nonce.as_deref().map(Into::into),
            iat: claims.iat,
            good_until: claims.iat.saturating_add(request.window.past()).saturating_add(1),
        }
    }

    /// The RFC 7638 SHA-256 thumbprint of the proof's key, in base64url: what
    /// `cnf.jkt` (RFC 9449 section 6.1) and `dpop_jkt` (section 10) say.
    #[must_use]
    pub fn jkt(&self) -> &str {
        &self.jkt
    }

    /// Whether `cnf` names this proof's key (item 12, its second half). A token
    /// without `jkt` is bound to no proof.
    #[must_use]
    pub fn is_bound_to(&self, cnf: &Confirmation) -> bool {
        cnf.jkt.as_deref().is_some_and(|jkt| jkt.as_bytes().ct_eq(self.jkt.as_bytes()).into())
    }

    /// The `nonce`, if there is one.
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// When the client made it, by the client's clock.
    #[must_use]
    pub const fn iat(&self) -> UnixTime {
        self.iat
    }

    /// What [`ReplayCache::first_use`](super::ReplayCache::first_use) is asked
    /// with: the digest of key, target and `jti` (RFC 9449 section 11.1).
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// From this moment on the proof is too old, and need not be remembered.
    #[must_use]
    pub const fn good_until(&self) -> UnixTime {
        self.good_until
    }

    /// Demands a nonce that `nonces` issued (item 10). With
    /// [`NonceCheck::Previous`] it is time to hand out the next one.
    ///
    /// # Errors
    /// [`DpopError::NonceMissing`] or [`DpopError::NonceUnknown`].
    pub fn check_nonce(&self, nonces: &DpopNonces, now: UnixTime) -> Result<NonceCheck, DpopError> {
        match nonces.check(self.nonce().ok_or(DpopError::NonceMissing)?, now) {
            NonceCheck::Unknown => Err(DpopError::NonceUnknown),
            known => Ok(known),
        }
    }
}

impl fmt::Debug for VerifiedProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedProof").field("jkt", &self.jkt).field("iat", &self.iat).finish_non_exhaustive()
    }
}
