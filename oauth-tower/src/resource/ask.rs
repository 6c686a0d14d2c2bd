//! Tokens that somebody has to be asked about: the issuer, or the local store.

use std::{net::IpAddr, sync::Arc};

use futures_util::FutureExt;
use oauth_core::{claims::ClaimsError, secret::Secret, token::GrantRefs};

use super::{
    cache::Lookup,
    introspection::{Finding, until},
    invalidate::{Slot, Standing},
    refusal::InvalidToken,
    token::{TokenClaims, ValidatedToken},
    validate::{Failure, Judge, Mechanism, Verdict},
};

/// A token that somebody has to be asked about.
#[derive(Clone)]
pub(super) struct Question {
    pub(super) token: Secret,
    pub(super) first: usize,
    pub(super) second: Option<usize>,
    /// Of whoever sent the token, if that is known.
    pub(super) address: Option<IpAddr>,
}

impl Judge {
    /// Asks whoever knows, together with everyone who wants to know the same.
    pub(super) async fn ask(self: Arc<Self>, question: Question) -> Verdict {
        let text = question.token.clone();
        let lookup = self.cache.lookup(text.expose().as_bytes());
        let key = lookup.to_key();
        let came = self.clock.now();
        for attempt in 0..ATTEMPTS {
            let mut is_mine = false;
            let flight = self.flights.join(&key, || {
                is_mine = true;
                let (judge, question) = (Arc::clone(&self), question.clone());
                async move { judge.put(&question).await }.boxed()
            });
            match flight.await {
                // Whoever asked may not: then this caller asks.
                Err(Failure::OverBudget { .. }) if !is_mine => {}
                // The question was put before a revocation, and this caller may
                // have come after it.
                Ok(token) if self.is_overtaken(&lookup, &token) => {}
                // It was put so long before this caller came that its time was over
                // then. Only the first one that a caller joins is older than the caller.
                Ok(token) if attempt == 0 && !is_mine && came >= token.valid_until => {}
                verdict => return verdict,
            }
        }
        Err(Failure::Unavailable { retry_after: 1 })
    }

    async fn put(&self, question: &Question) -> Verdict {
        let text = question.token.expose();
        let lookup = self.cache.lookup(text.as_bytes());
        // A flight for this token may have landed since the cache was looked at.
        if let Some(verdict) = self.known(&lookup, self.clock.now()) {
            return verdict;
        }
        let known = self.cache.was_good(&lookup);
        let mut verdict = Err(Failure::Denied(InvalidToken::Unrecognized));
        for index in [Some(question.first), question.second].into_iter().flatten() {
            verdict = self.put_to(index, &lookup, question, known).await;
            if !matches!(verdict, Err(Failure::Denied(InvalidToken::Inactive))) {
                break;
            }
        }
        if let Err(failure) = &verdict {
            let standing = Standing::new(self.ledger.sequence(), question.first);
            self.cache.deny(&lookup, failure, standing, self.clock.now());
        }
        verdict
    }

    async fn put_to(&self, index: usize, lookup: &Lookup<'_>, question: &Question, known: bool) -> Verdict {
        // Before the question: what is struck from here on makes the answer void.
        let seen = self.ledger.sequence();
        let asked = self.clock.now();
        let (Finding { claims, remember }, [one, other]) = self.find(index, question, known).await?;
        let standing = Standing::new(seen, index).resting_on(one, other);
        let valid_until = until(asked, remember, claims.exp);
        let token = ValidatedToken::new(claims, Arc::clone(&self.terms), standing, valid_until);
        self.keep(lookup, &token, self.clock.now());
        Ok(token)
    }

    async fn find(&self, index: usize, question: &Question, known: bool) -> Result<(Finding, [Slot; 2]), Failure> {
        let text = question.token.expose();
        match self.issuers.get(index).map(|configured| &configured.mechanism) {
            Some(Mechanism::Introspection { introspector, .. }) => {
                let answer = introspector.ask(self, index, text, question.address, known).await;
                let (finding, ground) = answer.map_err(|failure| self.why_inactive(failure, text))?;
                let audience = introspector.audience.as_deref().unwrap_or(&self.resource);
                let grant = self.grant_slot(index, own_ref(&finding.claims, audience));
                Ok((finding, [grant, ground]))
            }
            #[cfg(feature = "server")]
            Some(Mechanism::Local(local)) => local.ask(self, text).await,
            _ => Err(Failure::Denied(InvalidToken::Unrecognized)),
        }
    }

    /// "Inactive" is all that the issuer says (RFC 7662 section 2.2), but of some tokens it is known why.
    fn why_inactive(&self, failure: Failure, token: &str) -> Failure {
        let has_expired = || self.cache.has_expired(&self.cache.lookup(token.as_bytes()));
        match failure {
            Failure::Denied(InvalidToken::Inactive) if has_expired() => Failure::Denied(ClaimsError::Expired.into()),
            other => other,
        }
    }
}

/// What the token's grant is called here, as far as the issuer says: where it
/// names no audience, it has said all that concerns this one.
fn own_ref<'c>(claims: &'c TokenClaims, audience: &str) -> Option<&'c str> {
    let references = claims.extra.get("grant_ref")?.as_str()?;
    if claims.aud.is_empty() { Some(references) } else { GrantRefs::own(references, &claims.aud, audience) }
}

/// How often a verdict may be of no use to a caller, as when a revocation has
/// overtaken it, before the caller is told to come back.
const ATTEMPTS: usize = 3;
