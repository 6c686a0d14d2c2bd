//! Codes that wait to be redeemed at another server, and the tokens they brought: what each
//! step makes of a link is decided by the functions of [`LinkState`].

use oauth_core::{
    clock::UnixTime,
    scope::Scope,
    secret::Digest,
    store::{
        Cursor, Finished, LinkState, Page, PeerTokens, Queued, QueuedCode, ReciprocalLink, Reciprocals, StoreFuture,
    },
};
use serde::{Deserialize, Serialize};

use crate::{
    journal::{Change, State},
    store::{JournalStore, page},
};

impl JournalStore {
    fn on_link<'a, T: 'a>(
        &'a self,
        link: ReciprocalLink,
        change: impl FnOnce(&mut LinkState) -> T + Send + 'a,
    ) -> StoreFuture<'a, T> {
        self.step(move |state| {
            let before = state.links.get(&link.key()).cloned().unwrap_or_default();
            let mut after = before.clone();
            let outcome = change(&mut after);
            let changes = (after != before).then(|| Change::Link(Box::new(LinkRow::new(link, after))));
            Ok((outcome, changes.into_iter().collect()))
        })
    }
}

/// What a sweep removes of at most `limit` links.
pub(crate) fn ended(state: &State, now: UnixTime, limit: usize) -> Vec<Change> {
    let ended = state.links.values().filter(|state| state.swept_at() <= now).take(limit);
    let swept = ended.filter_map(|state| {
        let mut kept = state.clone();
        kept.sweep(now);
        Some(Change::Link(Box::new(LinkRow::new(state.link()?.clone(), kept))))
    });
    swept.collect()
}

impl Reciprocals for JournalStore {
    fn queue_code(&self, code: QueuedCode) -> StoreFuture<'_, Queued> {
        self.on_link(code.link.clone(), |state| state.queue(code))
    }

    fn take_queued(&self, now: UnixTime, until: UnixTime) -> StoreFuture<'_, Option<QueuedCode>> {
        self.step(move |state| {
            let due = state.links.values().filter_map(|state| state.code.as_ref()).filter(|code| code.due_at <= now);
            let Some(code) = due.min_by_key(|code| code.due_at) else { return Ok((None, Vec::new())) };
            let mut after = state.links.get(&code.link.key()).cloned().unwrap_or_default();
            let taken = after.take(now, until);
            Ok((taken, vec![Change::Link(Box::new(LinkRow::new(code.link.clone(), after)))]))
        })
    }

    fn defer_queued(&self, link: ReciprocalLink, id: Digest, due_at: UnixTime) -> StoreFuture<'_, bool> {
        self.on_link(link, move |state| state.defer(id, due_at))
    }

    fn finish_queued(&self, link: ReciprocalLink, id: Digest, tokens: Option<PeerTokens>) -> StoreFuture<'_, Finished> {
        let tokens = tokens.map(|tokens| PeerTokens { link: link.clone(), id, ..tokens });
        self.on_link(link, move |state| state.finish(id, tokens))
    }

    fn peer_tokens(&self, link: ReciprocalLink, now: UnixTime) -> StoreFuture<'_, Option<PeerTokens>> {
        self.read(move |state| state.links.get(&link.key())?.live_tokens(now).cloned())
    }

    fn replace_peer_tokens(&self, tokens: PeerTokens, revision: Option<u64>, now: UnixTime) -> StoreFuture<'_, bool> {
        self.on_link(tokens.link.clone(), move |state| state.replace_tokens(tokens, revision, now))
    }

    fn forget_link(&self, link: ReciprocalLink) -> StoreFuture<'_, Option<PeerTokens>> {
        self.on_link(link, |state| std::mem::take(state).tokens)
    }

    fn list_peer_tokens(
        &self,
        after: Option<Cursor>,
        limit: usize,
        now: UnixTime,
    ) -> StoreFuture<'_, Page<PeerTokens>> {
        self.list(move |state| {
            let live = state.links.iter().filter_map(|(key, state)| Some((key, state.live_tokens(now)?)));
            page(after.as_ref(), limit, live.map(|(key, tokens)| (key.as_bytes().to_vec(), tokens.clone())).collect())
        })
    }

    fn queued_codes(&self, now: UnixTime) -> StoreFuture<'_, u64> {
        self.read(move |state| {
            let codes = state.links.values().filter_map(|state| state.code.as_ref());
            codes.filter(|code| now < code.expires_at).fold(0, |count, _| count + 1)
        })
    }
}

/// A link as it is written; without a code and tokens, it is gone.
#[derive(Serialize, Deserialize)]
pub(crate) struct LinkRow {
    link: ReciprocalLink,
    code: Option<CodeRow>,
    tokens: Option<TokensRow>,
}

#[derive(Serialize, Deserialize)]
struct CodeRow {
    id: [u8; 32],
    sealed: Vec<u8>,
    attempts: u32,
    queued_at: UnixTime,
    due_at: UnixTime,
    expires_at: UnixTime,
}

#[derive(Serialize, Deserialize)]
struct TokensRow {
    id: [u8; 32],
    sealed: Vec<u8>,
    scope: Scope,
    obtained_at: UnixTime,
    expires_at: Option<UnixTime>,
    ends_at: UnixTime,
    revision: u64,
}

impl LinkRow {
    fn new(link: ReciprocalLink, state: LinkState) -> Self {
        let code = state.code.map(|code| CodeRow {
            id: *code.id.as_bytes(),
            sealed: code.sealed,
            attempts: code.attempts,
            queued_at: code.queued_at,
            due_at: code.due_at,
            expires_at: code.expires_at,
        });
        let tokens = state.tokens.map(|tokens| TokensRow {
            id: *tokens.id.as_bytes(),
            sealed: tokens.sealed,
            scope: tokens.scope,
            obtained_at: tokens.obtained_at,
            expires_at: tokens.expires_at,
            ends_at: tokens.ends_at,
            revision: tokens.revision,
        });
        Self { link, code, tokens }
    }

    pub(crate) fn read(self) -> (Digest, LinkState) {
        let Self { link, code, tokens } = self;
        let code = code.map(|code| QueuedCode {
            id: Digest::from_bytes(code.id),
            link: link.clone(),
            sealed: code.sealed,
            attempts: code.attempts,
            queued_at: code.queued_at,
            due_at: code.due_at,
            expires_at: code.expires_at,
        });
        let key = link.key();
        let tokens = tokens.map(|tokens| PeerTokens {
            link,
            id: Digest::from_bytes(tokens.id),
            sealed: tokens.sealed,
            scope: tokens.scope,
            obtained_at: tokens.obtained_at,
            expires_at: tokens.expires_at,
            ends_at: tokens.ends_at,
            revision: tokens.revision,
        });
        (key, LinkState { code, tokens })
    }
}
