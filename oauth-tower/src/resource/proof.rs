//! A token with a proof: the request's side of RFC 9449 section 7.

use std::sync::Arc;

use http::{Extensions, HeaderMap, HeaderValue, Method, Uri};
use oauth_core::{
    dpop::{self, DpopError, NonceCheck, ProofRequest, TargetUri, VerifiedProof},
    secret::Secret,
};

use super::{
    credentials::token68,
    dpop::ProofRules,
    outage,
    refusal::{InvalidRequest, InvalidToken, RefusalKind},
    sender::Proof,
    token::ValidatedToken,
    validate::{Check, Judge, Judged},
};

/// What a client sent to prove that it holds the key.
struct Presentation {
    rules: Arc<ProofRules>,
    proof: Secret,
    method: Method,
    targets: Vec<TargetUri>,
    token: Secret,
}

impl Judge {
    /// Judges a token of the scheme `DPoP`. The verdict on the token may come
    /// from the cache; the proof is new each time.
    pub(super) fn check_proven(
        self: &Arc<Self>,
        token: &[u8],
        headers: &HeaderMap,
        line: Option<(&Method, &Uri)>,
        extensions: Option<&Extensions>,
    ) -> Check {
        let presentation = match self.presentation(token, headers, line) {
            Ok(presentation) => presentation,
            Err(kind) => return self.at_once(Err(kind)),
        };
        self.check_token(token, extensions).then_prove(async move |token: Arc<ValidatedToken>| {
            let fresh_nonce = presentation.prove(&token).await?;
            Ok(Judged { token, proof: Proof::Dpop, fresh_nonce })
        })
    }

    fn presentation(
        &self,
        token: &[u8],
        headers: &HeaderMap,
        line: Option<(&Method, &Uri)>,
    ) -> Result<Presentation, RefusalKind> {
        let rules = self.terms.dpop.as_ref().ok_or(RefusalKind::MissingCredentials)?;
        let token = token68(token).ok_or(RefusalKind::InvalidRequest(InvalidRequest::MalformedHeader))?;
        let proof = the_proof(headers).map_err(RefusalKind::InvalidProof)?;
        // Nobody knows what the proof would have to be for.
        let (method, uri) = line.ok_or(RefusalKind::InvalidToken(InvalidToken::Bound))?;
        let targets = rules.targets(uri).map_err(|_| RefusalKind::InvalidProof(DpopError::WrongTarget))?;
        let (proof, token) = (Secret::new(proof), Secret::new(token));
        Ok(Presentation { rules: Arc::clone(rules), proof, method: method.clone(), targets, token })
    }
}

/// RFC 9449 section 4.3, item 1: "not more than one DPoP HTTP request header".
fn the_proof(headers: &HeaderMap) -> Result<&str, DpopError> {
    let mut proofs = headers.get_all("dpop").iter();
    let proof = proofs.next().ok_or(DpopError::Missing)?;
    if proofs.next().is_some() {
        return Err(DpopError::Several);
    }
    proof.to_str().map_err(|_| DpopError::Malformed)
}

impl Presentation {
    /// Holds the proof to the rules, to the request and to `token`. The result
    /// is the nonce to send along, if it is time for a new one.
    async fn prove(&self, token: &ValidatedToken) -> Result<Option<Box<HeaderValue>>, RefusalKind> {
        let proof = self.verify(token)?;
        let nonce = self.check_nonce(&proof).map_err(RefusalKind::InvalidProof)?;
        // Last, so that only good proofs take room.
        match self.rules.replay.first_use(proof.digest(), proof.good_until()).await {
            Ok(true) => Ok(nonce),
            Ok(false) => Err(RefusalKind::InvalidProof(DpopError::Replayed)),
            // Not knowing is neither yes nor no.
            Err(error) => {
                if self.rules.complaint.is_due(self.rules.clock.now()) {
                    outage::report_store("the DPoP replay cache", &error);
                }
                Err(RefusalKind::Unavailable { retry_after: 1 })
            }
        }
    }

    fn verify(&self, token: &ValidatedToken) -> Result<VerifiedProof, RefusalKind> {
        // RFC 9449 section 7.1: a token that is bound to no key is no DPoP token.
        let bound = token.confirmation().filter(|cnf| cnf.jkt.is_some());
        let cnf = bound.ok_or(RefusalKind::InvalidToken(InvalidToken::NotBound))?;
        let rules = &self.rules;
        let request =
            ProofRequest::with_token(self.method.as_str(), &self.targets, self.token.expose(), rules.clock.now())
                .with_window(rules.window)
                .with_algorithms(&rules.algorithms);
        let proof = dpop::Proof::verify(self.proof.expose(), &request).map_err(RefusalKind::InvalidProof)?;
        if proof.is_bound_to(cnf) { Ok(proof) } else { Err(RefusalKind::InvalidToken(InvalidToken::WrongKey)) }
    }

    fn check_nonce(&self, proof: &VerifiedProof) -> Result<Option<Box<HeaderValue>>, DpopError> {
        let Some(nonces) = &self.rules.nonces else { return Ok(None) };
        let now = self.rules.clock.now();
        match proof.check_nonce(nonces, now)? {
            // RFC 9449 section 8.2: a new one comes with the response.
            NonceCheck::Previous => Ok(HeaderValue::try_from(nonces.issue(now)).ok().map(Box::new)),
            _ => Ok(None),
        }
    }
}
