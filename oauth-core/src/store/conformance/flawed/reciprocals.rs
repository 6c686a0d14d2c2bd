//! Flaws in what is kept of links to other servers.

use super::{Flaw as F, Flawed};
use crate::{
    clock::{Clock, SystemClock, UnixTime},
    secret::Digest,
    store::{
        Cursor, Finished, LinkState, Page, PeerTokens, Queued, QueuedCode, ReciprocalLink, Reciprocals, StoreError,
        StoreFuture,
    },
};

impl Flawed {
    fn link_key(&self, link: &ReciprocalLink) -> String {
        let client = link.client.as_str();
        let subject = link.subject.as_deref();
        match self.flaw {
            F::SharesLinksOfNobody => format!("{client:?} {:?}", subject.unwrap_or_default()),
            F::SharesLinksOfPeople => format!("{client:?}"),
            F::SharesLinksOfClients => format!("{subject:?}"),
            F::JoinsTheNamesOfLinks => format!("{client}:{}", subject.unwrap_or("\u{0}")),
            F::CutsTheNamesOfLinks => format!("{client:?} {:?}", subject.map(|name| name.split('\0').next())),
            _ => format!("{client:?} {subject:?}"),
        }
    }

    /// Load, change, save; in two steps where the flaw says so.
    async fn on_link<T>(&self, link: &ReciprocalLink, split: F, change: impl FnOnce(&mut LinkState) -> T) -> T {
        let key = self.link_key(link);
        if self.has(split) {
            let mut state = self.links.lock().unwrap().get(&key).cloned().unwrap_or_default();
            let outcome = change(&mut state);
            tokio::task::yield_now().await;
            self.links.lock().unwrap().insert(key, state);
            return outcome;
        }
        change(self.links.lock().unwrap().entry(key).or_default())
    }

    fn queue(&self, state: &mut LinkState, code: QueuedCode) -> Queued {
        match self.flaw {
            F::QueuesAgain => {
                state.code = Some(code);
                return Queued::Added;
            }
            F::KnowsWaitingCodesAlone => {
                let tokens = state.tokens.take();
                let outcome = state.queue(code);
                state.tokens = tokens;
                return outcome;
            }
            F::KnowsCodesOfEndedTokens if state.tokens.as_ref().is_some_and(|tokens| tokens.id == code.id) => {
                return Queued::Known;
            }
            F::KeepsTheFirstCode if state.code.is_some() => return Queued::Known,
            F::DropsTokensForACode => state.tokens = None,
            _ => {}
        }
        state.queue(code)
    }

    fn finish(&self, state: &mut LinkState, id: Digest, tokens: Option<PeerTokens>) -> Finished {
        let id = match (self.flaw, &state.code) {
            (F::FinishesAnyCode, Some(code)) => code.id,
            _ => id,
        };
        if self.has(F::ClearsTokensOfAGivenUpCode) && tokens.is_none() {
            state.tokens = None;
        }
        if self.has(F::KeepsFinishedCodes) {
            let code = state.code.clone();
            let outcome = state.finish(id, tokens);
            state.code = code;
            return outcome;
        }
        match (state.finish(id, tokens), self.flaw) {
            (Finished::Replaced(_), F::ForgetsReplacedTokens) => Finished::Replaced(None),
            (Finished::Already, F::SupersedesARepeatedFinish) => Finished::Superseded,
            (outcome, _) => outcome,
        }
    }

    fn link_time(&self, now: UnixTime) -> UnixTime {
        match self.flaw {
            F::EndsTokensByItsOwnClock => SystemClock.now(),
            F::ShowsEndedTokens => UnixTime(0),
            _ => now,
        }
    }

    /// The link whose code is taken, by its key.
    fn due(&self, now: UnixTime) -> Option<String> {
        let links = self.links.lock().unwrap();
        let codes = links.iter().filter_map(|(key, state)| Some((key, state.code.as_ref()?)));
        let due = codes.filter(|(_, code)| match self.flaw {
            F::TakesEarly => true,
            F::TakesNoExpiredCodes => code.due_at <= now && now < code.expires_at,
            _ => code.due_at <= now,
        });
        let first = due.min_by_key(|(_, code)| match self.flaw {
            F::TakesTheLatest => u64::MAX - code.due_at.0,
            _ => code.due_at.0,
        });
        first.map(|(key, _)| key.clone())
    }

    fn taken(&self, state: &mut LinkState, now: UnixTime, until: UnixTime) -> Option<QueuedCode> {
        let now = if self.has(F::TakesEarly) || self.has(F::TakesInTwoSteps) { UnixTime::MAX } else { now };
        let mut taken = state.take(now, until)?;
        if self.has(F::ForgetsAttempts) {
            taken.attempts = 1;
        }
        if self.has(F::TakesForGood) {
            state.code = None;
        }
        Some(taken)
    }

    pub(super) fn sweep_links(&self, now: UnixTime, mut take: impl FnMut(bool) -> bool) {
        self.links.lock().unwrap().retain(|_, state| {
            let early =
                self.has(F::SweepsExpiredCodes) && state.code.as_ref().is_some_and(|code| code.expires_at <= now);
            let over = state.swept_at() <= now && !state.is_empty();
            if take((over && !self.has(F::KeepsLinks)) || early || self.has(F::SweepsLinks)) {
                let whole = early || self.has(F::SweepsLinks) || self.has(F::SweepsWholeLinks);
                state.sweep(if whole { UnixTime::MAX } else { now });
            }
            !state.is_empty()
        });
    }
}

impl Reciprocals for Flawed {
    fn queue_code(&self, code: QueuedCode) -> StoreFuture<'_, Queued> {
        Box::pin(async move {
            let link = code.link.clone();
            Ok(self.on_link(&link, F::QueuesInTwoSteps, |state| self.queue(state, code)).await)
        })
    }

    fn take_queued(&self, now: UnixTime, until: UnixTime) -> StoreFuture<'_, Option<QueuedCode>> {
        Box::pin(async move {
            let Some(key) = self.due(now) else { return Ok(None) };
            if self.has(F::TakesInTwoSteps) {
                tokio::task::yield_now().await;
            }
            // Somebody may have been faster.
            let mut links = self.links.lock().unwrap();
            Ok(links.get_mut(&key).and_then(|state| self.taken(state, now, until)))
        })
    }

    fn defer_queued(&self, link: ReciprocalLink, id: Digest, due_at: UnixTime) -> StoreFuture<'_, bool> {
        let defer = move |state: &mut LinkState| match &mut state.code {
            Some(code) if self.has(F::DefersAnyCode) => {
                code.due_at = due_at;
                true
            }
            _ => state.defer(id, due_at),
        };
        Box::pin(async move { Ok(self.on_link(&link, F::None, defer).await) })
    }

    fn finish_queued(&self, link: ReciprocalLink, id: Digest, tokens: Option<PeerTokens>) -> StoreFuture<'_, Finished> {
        Box::pin(async move {
            let believes = self.has(F::BelievesTheNamesOfTokens);
            let tokens = tokens.map(|tokens| match believes {
                true => tokens,
                false => PeerTokens { link: link.clone(), id, ..tokens },
            });
            if self.has(F::FinishesPiecemeal) {
                self.on_link(&link, F::None, |state| state.tokens = None).await;
                tokio::task::yield_now().await;
            }
            Ok(self.on_link(&link, F::FinishesCodesInTwoSteps, |state| self.finish(state, id, tokens)).await)
        })
    }

    fn peer_tokens(&self, link: ReciprocalLink, now: UnixTime) -> StoreFuture<'_, Option<PeerTokens>> {
        Box::pin(async move {
            let now = self.link_time(now);
            Ok(self.on_link(&link, F::None, |state| state.live_tokens(now).cloned()).await)
        })
    }

    fn replace_peer_tokens(&self, tokens: PeerTokens, revision: Option<u64>, now: UnixTime) -> StoreFuture<'_, bool> {
        let link = tokens.link.clone();
        let replace = move |state: &mut LinkState| {
            let there = state.live_tokens(now).cloned();
            let fits = match (self.flaw, &there) {
                (F::IgnoresRevisionsOfTokens, Some(there)) => revision.is_some() && there.id == tokens.id,
                (F::IgnoresTheCodeOfTokens, Some(there)) => revision == Some(there.revision),
                (F::BringsBackForgottenTokens, None) => true,
                (F::RoundsRevisionsOfTokens, Some(there)) => {
                    there.id == tokens.id && revision.map(|revision| revision >> 1) == Some(there.revision >> 1)
                }
                (F::ReplacesEndedTokens, None) if revision.is_some() => {
                    state.tokens.as_ref().map(|there| there.revision) == revision
                }
                _ => return state.replace_tokens(tokens, revision, now),
            };
            state.tokens = if fits { Some(tokens) } else { state.tokens.take() };
            fits
        };
        Box::pin(async move { Ok(self.on_link(&link, F::ReplacesTokensLater, replace).await) })
    }

    fn forget_link(&self, link: ReciprocalLink) -> StoreFuture<'_, Option<PeerTokens>> {
        let forget = |state: &mut LinkState| {
            let gone = std::mem::take(state);
            match self.flaw {
                F::KeepsForgottenCodes => state.code = gone.code,
                F::KeepsForgottenTokens => state.tokens.clone_from(&gone.tokens),
                F::ForgetsLinksSilently => return None,
                _ => {}
            }
            gone.tokens
        };
        Box::pin(async move { Ok(self.on_link(&link, F::None, forget).await) })
    }

    fn list_peer_tokens(
        &self,
        after: Option<Cursor>,
        limit: usize,
        now: UnixTime,
    ) -> StoreFuture<'_, Page<PeerTokens>> {
        Box::pin(async move {
            let after = after.map(|after| String::from_utf8(after.as_bytes().to_vec())).transpose();
            let after = after.map_err(|_| StoreError::Corrupt("cursor"))?.unwrap_or_default();
            let now = if self.has(F::ListsEndedTokens) { UnixTime(0) } else { now };
            let limit = if self.has(F::ListsAllTokens) { usize::MAX } else { limit.max(1) };
            let links = self.links.lock().unwrap();
            let live = |(key, state): (&String, &LinkState)| Some((key.clone(), state.live_tokens(now)?.clone()));
            let mut rows: Vec<_> = links.iter().filter_map(live).filter(|(key, _)| *key > after).collect();
            rows.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
            rows.truncate(limit);
            Ok(Page::of_rows(rows, limit, |(key, _)| Cursor::new(key.as_bytes())).map(|(_, tokens)| tokens))
        })
    }

    fn queued_codes(&self, now: UnixTime) -> StoreFuture<'_, u64> {
        let links = self.links.lock().unwrap();
        let codes = links.values().filter_map(|state| state.code.as_ref());
        let counted = codes.filter(|code| now < code.expires_at || self.has(F::CountsExpiredCodes)).count();
        Box::pin(std::future::ready(Ok(counted as u64)))
    }
}
