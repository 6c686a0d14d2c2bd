//! The line of a link to another server.

use serde::{Deserialize, Serialize};

use super::base64url::{Bytes, Sealed};
use crate::{
    client::ClientId,
    clock::UnixTime,
    scope::Scope,
    secret::Digest,
    store::{LinkState, PeerTokens, Queued, QueuedCode, ReciprocalLink, Store, StoreError},
};

/// Since version 3.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkLine {
    client: ClientId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<CodeLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tokens: Option<TokensLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeLine {
    id: Bytes<32>,
    sealed: Sealed,
    attempts: u32,
    queued_at: UnixTime,
    due_at: UnixTime,
    expires_at: UnixTime,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokensLine {
    id: Bytes<32>,
    sealed: Sealed,
    scope: Scope,
    obtained_at: UnixTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<UnixTime>,
    ends_at: UnixTime,
    revision: u64,
}

impl LinkLine {
    /// What is kept of a link, and of which; `None` if that is nothing.
    pub(super) fn of(state: LinkState) -> Option<Self> {
        let ReciprocalLink { client, subject } = state.link()?.clone();
        let code = state.code.map(|code| CodeLine {
            id: code.id.into(),
            sealed: Sealed(code.sealed),
            attempts: code.attempts,
            queued_at: code.queued_at,
            due_at: code.due_at,
            expires_at: code.expires_at,
        });
        let tokens = state.tokens.map(|tokens| TokensLine {
            id: tokens.id.into(),
            sealed: Sealed(tokens.sealed),
            scope: tokens.scope,
            obtained_at: tokens.obtained_at,
            expires_at: tokens.expires_at,
            ends_at: tokens.ends_at,
            revision: tokens.revision,
        });
        Some(Self { client, subject, code, tokens })
    }

    /// Puts each part there, unless that part is there already or was put there before: so what was
    /// redeemed, replaced or forgotten meanwhile does not come back.
    pub(super) async fn insert(self, store: &(impl Store + ?Sized), exported_at: UnixTime) -> Result<bool, StoreError> {
        let LinkState { code, tokens } = self.into();
        let mut inserted = false;
        if let Some(tokens) = tokens
            && first(store, b"import tokens ", (&tokens.link, tokens.id), tokens.ends_at, exported_at).await?
        {
            inserted |= store.replace_peer_tokens(tokens, None, exported_at).await?;
        }
        if let Some(code) = code
            && first(store, b"import code ", (&code.link, code.id), code.swept_at(), exported_at).await?
        {
            inserted |= store.queue_code(code).await? == Queued::Added;
        }
        Ok(inserted)
    }
}

async fn first(
    store: &(impl Store + ?Sized),
    purpose: &[u8],
    (link, id): (&ReciprocalLink, Digest),
    until: UnixTime,
    exported_at: UnixTime,
) -> Result<bool, StoreError> {
    let mark = Digest::of(&[purpose, link.key().as_bytes(), id.as_bytes()]);
    store.first_use(mark, until, exported_at).await
}

impl From<LinkLine> for LinkState {
    fn from(line: LinkLine) -> Self {
        let link = ReciprocalLink::new(line.client, line.subject);
        let code = line.code.map(|code| QueuedCode {
            id: code.id.into(),
            link: link.clone(),
            sealed: code.sealed.0,
            attempts: code.attempts,
            queued_at: code.queued_at,
            due_at: code.due_at,
            expires_at: code.expires_at,
        });
        let tokens = line.tokens.map(|tokens| PeerTokens {
            link,
            id: tokens.id.into(),
            sealed: tokens.sealed.0,
            scope: tokens.scope,
            obtained_at: tokens.obtained_at,
            expires_at: tokens.expires_at,
            ends_at: tokens.ends_at,
            revision: tokens.revision,
        });
        Self { code, tokens }
    }
}
