//! A file that steps are appended to, and the memory that they come to.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    path::Path,
    sync::Arc,
};

use oauth_core::{
    client::{Client, ClientId},
    clock::UnixTime,
    pkce::CodeChallenge,
    secret::Digest,
    store::{
        AccessToken, Code, Consent, Grant, GrantFacts, LinkState, ParkedInteraction, Refresh, Retry, SealedKey,
        StoreError,
    },
    token::GrantId,
};
use serde::{Deserialize, Serialize};

use crate::reciprocals::LinkRow;

/// Whether a step is on the disk before anybody hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flush {
    /// It is, so no acknowledged step is lost, whatever stops.
    Always,
    /// It is with the operating system: for tests.
    #[cfg_attr(not(test), expect(dead_code, reason = "for tests"))]
    Never,
}

/// One thing that a step changes. A step is a list of these, on one line: a
/// line that was cut short is a step that never happened.
#[derive(Serialize, Deserialize)]
pub(crate) enum Change {
    Grant(Box<Held>),
    NoGrant([u8; 16]),
    Client(Box<Client>),
    NoClient(ClientId),
    Parked { id: [u8; 32], browser: [u8; 32], request: Vec<u8>, expires_at: UnixTime },
    NotParked([u8; 32]),
    Key { kid: String, algorithm: String, sealed: Vec<u8>, active_from: UnixTime },
    NoKey(String),
    Used { digest: [u8; 32], count: u64, until: UnixTime },
    NotUsed([u8; 32]),
    Consent(Consent),
    NoConsent(String, ClientId),
    Epoch(UnixTime),
    Link(Box<LinkRow>),
    Revoked(u64, u32, UnixTime),
    NotRevoked(u64, u32),
}

/// A grant and the access tokens under it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Row", into = "Row")]
pub(crate) struct Held {
    pub(crate) grant: Grant,
    pub(crate) tokens: Vec<AccessToken>,
}

/// All that is remembered.
#[derive(Default, PartialEq)]
pub(crate) struct State {
    pub(crate) grants: HashMap<GrantId, Held>,
    pub(crate) clients: HashMap<ClientId, Arc<Client>>,
    pub(crate) parked: HashMap<Digest, ParkedInteraction>,
    pub(crate) keys: HashMap<String, SealedKey>,
    /// How often, and until when.
    pub(crate) used: HashMap<Digest, (u64, UnixTime)>,
    /// By who agreed, and to what client.
    pub(crate) given: HashMap<(String, ClientId), Consent>,
    pub(crate) epoch: UnixTime,
    /// By their keys; none is empty.
    pub(crate) links: HashMap<Digest, LinkState>,
    /// By list and place: when the list ends.
    pub(crate) revoked: BTreeMap<(u64, u32), UnixTime>,
}

pub(crate) struct Journal {
    file: File,
    flush: Flush,
    /// A line may be half written: nothing can be appended to it, and what was
    /// said to be lost may come back when the file is read again.
    broken: bool,
    state: State,
}

impl Journal {
    pub(crate) fn open(path: &Path, flush: Flush) -> Result<Self, StoreError> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(unavailable)?;
        let mut text = Vec::new();
        // Read no further than the file is long: there are files without an end.
        let length = file.metadata().map_err(unavailable)?.len();
        Read::by_ref(&mut file).take(length).read_to_end(&mut text).map_err(unavailable)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            file.set_len(whole as u64).map_err(unavailable)?;
        }
        let mut state = State::default();
        for line in text.get(..whole).unwrap_or_default().split_inclusive(|byte| *byte == b'\n') {
            let step: Vec<Change> = serde_json::from_slice(line).map_err(|_| StoreError::Corrupt("journal"))?;
            step.into_iter().for_each(|change| state.apply(change));
        }
        Ok(Self { file, flush, broken: false, state })
    }

    /// What is remembered, unless that is in doubt.
    pub(crate) fn state(&self) -> Result<&State, StoreError> {
        if self.broken { Err(StoreError::unavailable("the journal could not be written")) } else { Ok(&self.state) }
    }

    /// Makes `step` last, and only then lets it have its effect.
    pub(crate) fn take(&mut self, step: Vec<Change>) -> Result<(), StoreError> {
        self.state()?;
        if step.is_empty() {
            return Ok(());
        }
        let mut line = serde_json::to_vec(&step).map_err(StoreError::unavailable)?;
        line.push(b'\n');
        let written = self.file.write_all(&line).and_then(|()| match self.flush {
            Flush::Always => self.file.sync_data(),
            Flush::Never => Ok(()),
        });
        self.broken = written.is_err();
        written.map_err(unavailable)?;
        step.into_iter().for_each(|change| self.state.apply(change));
        Ok(())
    }
}

fn unavailable(error: io::Error) -> StoreError {
    StoreError::unavailable(error)
}

impl State {
    fn apply(&mut self, change: Change) {
        let digest = Digest::from_bytes;
        match change {
            Change::Grant(held) => drop(self.grants.insert(held.grant.id, *held)),
            Change::NoGrant(id) => drop(self.grants.remove(&GrantId::from_bytes(id))),
            Change::Client(client) => drop(self.clients.insert(client.id.clone(), Arc::new(*client))),
            Change::NoClient(id) => drop(self.clients.remove(&id)),
            Change::Parked { id, browser, request, expires_at } => {
                let parked = ParkedInteraction { id: digest(id), browser: digest(browser), request, expires_at };
                self.parked.insert(parked.id, parked);
            }
            Change::NotParked(id) => drop(self.parked.remove(&digest(id))),
            Change::Key { kid, algorithm, sealed, active_from } => {
                self.keys.insert(kid.clone(), SealedKey { kid, algorithm, sealed, active_from });
            }
            Change::NoKey(kid) => drop(self.keys.remove(&kid)),
            Change::Used { digest: used, count, until } => drop(self.used.insert(digest(used), (count, until))),
            Change::NotUsed(used) => drop(self.used.remove(&digest(used))),
            Change::Consent(consent) => {
                self.given.insert((consent.subject.clone(), consent.client.clone()), consent);
            }
            Change::Epoch(to) => self.epoch = to,
            Change::Link(row) => {
                let (key, state) = row.read();
                if state.is_empty() {
                    self.links.remove(&key);
                } else {
                    self.links.insert(key, state);
                }
            }
            Change::Revoked(list, place, until) => drop(self.revoked.insert((list, place), until)),
            Change::NotRevoked(list, place) => drop(self.revoked.remove(&(list, place))),
            Change::NoConsent(subject, client) => drop(self.given.remove(&(subject, client))),
        }
    }
}

/// A grant as it is written.
#[derive(Serialize, Deserialize)]
struct Row {
    id: [u8; 16],
    facts: GrantFacts,
    times: (UnixTime, UnixTime, Option<UnixTime>),
    code: Option<CodeRow>,
    refresh: Option<([u8; 32], u64, UnixTime)>,
    retry: Option<RetryRow>,
    tokens: Vec<([u8; 32], AccessToken)>,
}

/// The token before, the sealed response, its end, and the access token in it.
type RetryRow = ([u8; 32], Vec<u8>, UnixTime, Option<[u8; 32]>);

#[derive(Serialize, Deserialize)]
struct CodeRow {
    digest: [u8; 32],
    redirect_uri: (String, bool),
    challenge: Option<CodeChallenge>,
    expires_at: UnixTime,
    redeemed_at: Option<UnixTime>,
}

impl From<Held> for Row {
    fn from(Held { grant, tokens }: Held) -> Self {
        let code = grant.code.map(|code| CodeRow {
            digest: *code.digest.as_bytes(),
            redirect_uri: (code.redirect_uri, code.redirect_uri_required),
            challenge: code.challenge,
            expires_at: code.expires_at,
            redeemed_at: code.redeemed_at,
        });
        let retry = grant.refresh.as_ref().and_then(|refresh| refresh.retry.clone());
        Self {
            id: *grant.id.as_bytes(),
            facts: grant.facts,
            times: (grant.created_at, grant.expires_at, grant.revoked_at),
            code,
            refresh: grant.refresh.map(|refresh| (*refresh.digest.as_bytes(), refresh.generation, refresh.used_at)),
            retry: retry.map(|retry| {
                let access = retry.access.map(|access| *access.as_bytes());
                (*retry.digest.as_bytes(), retry.sealed, retry.until, access)
            }),
            tokens: tokens.into_iter().map(|token| (*token.digest.as_bytes(), token)).collect(),
        }
    }
}

impl From<Row> for Held {
    fn from(row: Row) -> Self {
        let digest = Digest::from_bytes;
        let code = row.code.map(|code| Code {
            digest: digest(code.digest),
            redirect_uri: code.redirect_uri.0,
            redirect_uri_required: code.redirect_uri.1,
            challenge: code.challenge,
            expires_at: code.expires_at,
            redeemed_at: code.redeemed_at,
        });
        let retry = row.retry.map(|(of, sealed, until, access)| Retry {
            digest: digest(of),
            sealed,
            until,
            access: access.map(digest),
        });
        let refresh = |(own, generation, used_at)| Refresh { digest: digest(own), generation, used_at, retry };
        let refresh = row.refresh.map(refresh);
        let (created_at, expires_at, revoked_at) = row.times;
        let id = GrantId::from_bytes(row.id);
        let grant = Grant { id, facts: row.facts, created_at, expires_at, revoked_at, code, refresh };
        let token = |(own, token): ([u8; 32], AccessToken)| AccessToken { digest: digest(own), ..token };
        Self { grant, tokens: row.tokens.into_iter().map(token).collect() }
    }
}
