//! What each verb does: it looks at what is remembered, decides, and says what changes.
//!
//! All of it under one lock, and what happens to a grant is decided by the
//! functions of [`Grant`]. So each verb is one step, without a thought of races.

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use oauth_core::{
    client::{Client, ClientId},
    clock::UnixTime,
    secret::Digest,
    store::{
        AccessToken, Clients, Consent, Consents, Cursor, Epoch, FinishInteraction, Grant, Grants, Interactions,
        LinkState, Page, ParkedInteraction, RedeemCode, Redemption, RefreshOutcome, Revocation, RotateRefresh,
        SealedKey, SigningKeys, StatusPlace, Statuses, Store, StoreError, StoreFuture, Transfer, Uses,
    },
    token::GrantId,
};

use crate::{
    journal::{Change, Flush, Held, Journal, State},
    reciprocals,
};

/// Clones share one file. Two processes must not.
#[derive(Clone)]
pub(crate) struct JournalStore(Arc<Mutex<Journal>>);

/// What a caller hears, and what changes.
pub(crate) type Step<T> = Result<(T, Vec<Change>), StoreError>;

impl JournalStore {
    pub(crate) fn open(path: &Path, flush: Flush) -> Result<Self, StoreError> {
        Ok(Self(Arc::new(Mutex::new(Journal::open(path, flush)?))))
    }

    #[cfg(test)]
    pub(crate) fn remembers_the_same_as(&self, other: &Self) -> bool {
        self.journal().state().unwrap() == other.journal().state().unwrap()
    }

    /// A step computes first and changes last, so one that panicked has
    /// changed nothing.
    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn read<'a, T>(&'a self, look: impl FnOnce(&State) -> T + Send + 'a) -> StoreFuture<'a, T> {
        Box::pin(async move { self.journal().state().map(look) })
    }

    pub(crate) fn list<'a, T>(
        &'a self,
        look: impl FnOnce(&State) -> Result<T, StoreError> + Send + 'a,
    ) -> StoreFuture<'a, T> {
        Box::pin(async move { look(self.journal().state()?) })
    }

    /// There is no await in here: a caller that goes away has either not begun
    /// or is done. The disk is asked on this thread; a store for more than a
    /// few people has a thread of its own for that.
    pub(crate) fn step<'a, T>(&'a self, decide: impl FnOnce(&State) -> Step<T> + Send + 'a) -> StoreFuture<'a, T> {
        Box::pin(async move {
            let mut journal = self.journal();
            let (outcome, changes) = decide(journal.state()?)?;
            journal.take(changes)?;
            Ok(outcome)
        })
    }

    /// A step on one grant; `change` also says whether anything is to be saved.
    fn on_grant<'a, T: 'a + Send>(
        &'a self,
        id: GrantId,
        unknown: T,
        change: impl FnOnce(&mut Held) -> (T, bool) + Send + 'a,
    ) -> StoreFuture<'a, T> {
        self.step(move |state| {
            let Some(mut held) = state.grants.get(&id).cloned() else { return Ok((unknown, Vec::new())) };
            let (outcome, save) = change(&mut held);
            Ok((outcome, save.then(|| Change::Grant(Box::new(held))).into_iter().collect()))
        })
    }
}

impl fmt::Debug for JournalStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournalStore").finish_non_exhaustive()
    }
}

fn new_grant(state: &State, grant: Grant, access: Option<AccessToken>) -> Result<Change, StoreError> {
    match state.grants.contains_key(&grant.id) {
        true => Err(StoreError::Conflict("grant")),
        false => Ok(Change::Grant(Box::new(Held { grant, tokens: access.into_iter().collect() }))),
    }
}

impl Grants for JournalStore {
    fn insert_grant(&self, grant: Grant, access: Option<AccessToken>) -> StoreFuture<'_, ()> {
        self.step(move |state| Ok(((), vec![new_grant(state, grant, access)?])))
    }

    fn grant(&self, id: GrantId) -> StoreFuture<'_, Option<Grant>> {
        self.read(move |state| state.grants.get(&id).map(|held| held.grant.clone()))
    }

    fn access(&self, id: GrantId, digest: Digest) -> StoreFuture<'_, Option<(Grant, AccessToken)>> {
        self.read(move |state| {
            let held = state.grants.get(&id)?;
            let token = held.tokens.iter().find(|token| token.digest == digest)?;
            Some((held.grant.clone(), token.clone()))
        })
    }

    fn redeem_code(&self, redeem: RedeemCode) -> StoreFuture<'_, Redemption> {
        self.on_grant(redeem.grant, Redemption::Refused, move |held| {
            let outcome = held.grant.redeem_code(&redeem);
            if outcome == Redemption::Redeemed {
                held.tokens.push(redeem.access);
            }
            (outcome, outcome != Redemption::Refused)
        })
    }

    fn rotate_refresh(&self, rotate: RotateRefresh) -> StoreFuture<'_, RefreshOutcome> {
        self.on_grant(rotate.grant, RefreshOutcome::Refused, move |held| {
            let outcome = held.grant.rotate_refresh(&rotate);
            let rotated = outcome == RefreshOutcome::Rotated;
            if rotated {
                held.tokens.push(rotate.access);
            }
            let save = rotated || outcome == RefreshOutcome::Reused;
            (outcome, save)
        })
    }

    fn confirm_refresh(&self, id: GrantId, access: Digest, now: UnixTime) -> StoreFuture<'_, bool> {
        self.on_grant(id, false, move |held| {
            let confirmed = held.grant.confirm_refresh(access, now);
            (confirmed, confirmed)
        })
    }

    /// Walks over everything, too.
    fn grants_of(&self, subject: String, after: Option<GrantId>, limit: usize) -> StoreFuture<'_, Vec<Grant>> {
        self.read(move |state| {
            let owned = state.grants.values().map(|held| &held.grant);
            let owned = owned.filter(|grant| grant.facts.subject.as_deref() == Some(&subject));
            let mut behind: Vec<_> =
                owned.filter(|grant| after.is_none_or(|after| grant.id > after)).cloned().collect();
            behind.sort_unstable_by_key(|grant| grant.id);
            behind.truncate(limit.max(1));
            behind
        })
    }

    fn insert_access(&self, id: GrantId, access: AccessToken, now: UnixTime) -> StoreFuture<'_, bool> {
        self.on_grant(id, false, move |held| {
            let live = held.grant.is_live(now);
            if live {
                held.tokens.push(access);
            }
            (live, live)
        })
    }

    fn revoke_grant(&self, id: GrantId, now: UnixTime) -> StoreFuture<'_, Revocation> {
        self.on_grant(id, Revocation::Unknown, move |held| {
            let outcome = held.grant.revoke(now);
            (outcome, outcome == Revocation::Revoked)
        })
    }

    fn revoke_access(&self, id: GrantId, digest: Digest) -> StoreFuture<'_, bool> {
        self.on_grant(id, false, move |held| {
            let before = held.tokens.len();
            held.tokens.retain(|token| token.digest != digest);
            let removed = held.tokens.len() < before;
            (removed, removed)
        })
    }

    /// Walks over everything; a store for many grants has an index.
    fn sweep(&self, now: UnixTime, limit: usize) -> StoreFuture<'_, usize> {
        self.step(move |state| {
            let mut left = limit;
            let mut take = |ended: bool| {
                let takes = ended && left > 0;
                left -= usize::from(takes);
                takes
            };
            let mut changes = Vec::new();
            for held in state.grants.values() {
                let mut kept = held.clone();
                kept.tokens.retain(|token| !take(!token.is_live(now)));
                let retry = kept
                    .grant
                    .refresh
                    .as_mut()
                    .and_then(|refresh| refresh.retry.take_if(|retry| take(now >= retry.until)));
                if take(kept.grant.has_ended(now)) {
                    changes.push(Change::NoGrant(*held.grant.id.as_bytes()));
                } else if retry.is_some() || kept.tokens.len() < held.tokens.len() {
                    changes.push(Change::Grant(Box::new(kept)));
                }
            }
            let parked = state.parked.values().filter(|parked| take(now >= parked.expires_at));
            changes.extend(parked.map(|parked| Change::NotParked(*parked.id.as_bytes())));
            // A minute later, for nodes whose clocks are behind.
            let used = state.used.iter().filter(|(_, (_, until))| take(now >= until.saturating_add(60)));
            changes.extend(used.map(|(digest, _)| Change::NotUsed(*digest.as_bytes())));
            let given = state.given.iter().filter(|(_, consent)| take(now >= consent.expires_at));
            changes.extend(given.map(|((subject, client), _)| Change::NoConsent(subject.clone(), client.clone())));
            let revoked = state.revoked.iter().filter(|(_, until)| take(now >= **until));
            changes.extend(revoked.map(|((list, place), _)| Change::NotRevoked(*list, *place)));
            let links = reciprocals::ended(state, now, left);
            left -= links.len();
            changes.extend(links);
            Ok((limit - left, changes))
        })
    }
}

impl Clients for JournalStore {
    fn client(&self, id: ClientId) -> StoreFuture<'_, Option<Arc<Client>>> {
        self.read(move |state| state.clients.get(&id).cloned())
    }

    fn put_client(&self, client: Client) -> StoreFuture<'_, ()> {
        self.step(move |_| Ok(((), vec![Change::Client(Box::new(client))])))
    }

    fn replace_client(&self, client: Client, revision: u64) -> StoreFuture<'_, bool> {
        self.step(move |state| {
            let fits = state.clients.get(&client.id).is_some_and(|found| found.revision == revision);
            Ok((fits, fits.then(|| Change::Client(Box::new(client))).into_iter().collect()))
        })
    }

    fn delete_client(&self, id: ClientId) -> StoreFuture<'_, bool> {
        self.step(move |state| {
            let found = state.clients.contains_key(&id);
            Ok((found, found.then_some(Change::NoClient(id)).into_iter().collect()))
        })
    }
}

fn open(state: &State, id: Digest, browser: Digest, now: UnixTime) -> Option<&ParkedInteraction> {
    state.parked.get(&id).filter(|parked| parked.browser == browser && now < parked.expires_at)
}

impl Interactions for JournalStore {
    fn park_interaction(&self, parked: ParkedInteraction) -> StoreFuture<'_, ()> {
        self.step(move |state| {
            if state.parked.contains_key(&parked.id) {
                return Err(StoreError::Conflict("interaction"));
            }
            let (id, browser) = (*parked.id.as_bytes(), *parked.browser.as_bytes());
            let ParkedInteraction { request, expires_at, .. } = parked;
            Ok(((), vec![Change::Parked { id, browser, request, expires_at }]))
        })
    }

    fn interaction(&self, id: Digest, browser: Digest, now: UnixTime) -> StoreFuture<'_, Option<ParkedInteraction>> {
        self.read(move |state| open(state, id, browser, now).cloned())
    }

    fn finish_interaction(&self, finish: FinishInteraction) -> StoreFuture<'_, bool> {
        self.step(move |state| {
            if open(state, finish.id, finish.browser, finish.now).is_none() {
                return Ok((false, Vec::new()));
            }
            let grant = finish.grant.map(|grant| new_grant(state, grant, None)).transpose()?;
            let end = Change::NotParked(*finish.id.as_bytes());
            Ok((true, grant.into_iter().chain([end]).collect()))
        })
    }
}

impl SigningKeys for JournalStore {
    fn signing_keys(&self) -> StoreFuture<'_, Vec<SealedKey>> {
        self.read(|state| state.keys.values().cloned().collect())
    }

    fn insert_signing_key(&self, key: SealedKey, newest: Option<UnixTime>) -> StoreFuture<'_, bool> {
        self.step(move |state| {
            let later = |other: &SealedKey| newest.is_none_or(|newest| other.active_from > newest);
            let bars = |other: &SealedKey| other.kid == key.kid || (other.algorithm == key.algorithm && later(other));
            if state.keys.values().any(bars) {
                return Ok((false, Vec::new()));
            }
            let SealedKey { kid, algorithm, sealed, active_from } = key;
            Ok((true, vec![Change::Key { kid, algorithm, sealed, active_from }]))
        })
    }

    fn delete_signing_key(&self, kid: String) -> StoreFuture<'_, bool> {
        self.step(move |state| {
            let found = state.keys.contains_key(&kid);
            Ok((found, found.then_some(Change::NoKey(kid)).into_iter().collect()))
        })
    }
}

fn counted(state: &State, digest: Digest, now: UnixTime) -> Option<(u64, UnixTime)> {
    state.used.get(&digest).copied().filter(|(_, until)| now < *until)
}

impl Uses for JournalStore {
    fn first_use(&self, digest: Digest, until: UnixTime, now: UnixTime) -> StoreFuture<'_, bool> {
        self.step(move |state| {
            let first = now < until && counted(state, digest, now).is_none();
            let used = first.then(|| Change::Used { digest: *digest.as_bytes(), count: 1, until });
            Ok((first, used.into_iter().collect()))
        })
    }

    fn count_use(&self, digest: Digest, until: UnixTime, now: UnixTime) -> StoreFuture<'_, u64> {
        self.step(move |state| {
            let (before, until) = counted(state, digest, now).unwrap_or((0, until));
            let count = before.saturating_add(1);
            Ok((count, vec![Change::Used { digest: *digest.as_bytes(), count, until }]))
        })
    }

    fn uses(&self, digest: Digest, now: UnixTime) -> StoreFuture<'_, u64> {
        self.read(move |state| counted(state, digest, now).map_or(0, |(count, _)| count))
    }
}

fn counting(state: &State, subject: String, client: ClientId, now: UnixTime) -> Option<&Consent> {
    state.given.get(&(subject, client)).filter(|consent| now < consent.expires_at)
}

impl Consents for JournalStore {
    fn consent(&self, subject: String, client: ClientId, now: UnixTime) -> StoreFuture<'_, Option<Consent>> {
        self.read(move |state| counting(state, subject, client, now).cloned())
    }

    fn replace_consent(&self, consent: Consent, revision: Option<u64>, now: UnixTime) -> StoreFuture<'_, bool> {
        self.step(move |state| {
            let found = counting(state, consent.subject.clone(), consent.client.clone(), now);
            let fits = found.map(|found| found.revision) == revision;
            Ok((fits, fits.then_some(Change::Consent(consent)).into_iter().collect()))
        })
    }

    fn forget_consent(&self, subject: String, client: ClientId) -> StoreFuture<'_, bool> {
        self.step(move |state| {
            let found = state.given.contains_key(&(subject.clone(), client.clone()));
            Ok((found, found.then_some(Change::NoConsent(subject, client)).into_iter().collect()))
        })
    }
}

/// Where the page behind `after` begins: each kind is listed by its key.
pub(crate) fn page<T>(
    after: Option<&Cursor>,
    limit: usize,
    mut rows: Vec<(Vec<u8>, T)>,
) -> Result<Page<T>, StoreError> {
    rows.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    if let Some(after) = after {
        let [KEY, after @ ..] = after.as_bytes() else { return Err(StoreError::Corrupt("cursor")) };
        rows.retain(|(key, _)| key.as_slice() > after);
    }
    rows.truncate(limit.max(1));
    let page = Page::of_rows(rows, limit.max(1), |(key, _)| Cursor::new([&[KEY], key.as_slice()].concat()));
    Ok(page.map(|(_, row)| row))
}

/// What cursors of this store begin with.
const KEY: u8 = b'k';

impl Transfer for JournalStore {
    fn list_clients(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<Arc<Client>>> {
        self.list(move |state| {
            let rows = state.clients.values().map(|client| (client.id.as_str().into(), Arc::clone(client)));
            page(after.as_ref(), limit, rows.collect())
        })
    }

    fn list_grants(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<Grant>> {
        self.list(move |state| {
            let rows = state.grants.values().map(|held| (held.grant.id.as_bytes().to_vec(), held.grant.clone()));
            page(after.as_ref(), limit, rows.collect())
        })
    }

    fn list_access(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<(GrantId, AccessToken)>> {
        self.list(move |state| {
            let of = |held: &Held| {
                let id = held.grant.id;
                let row = move |token: &AccessToken| {
                    ([id.as_bytes().as_slice(), token.digest.as_bytes()].concat(), (id, token.clone()))
                };
                held.tokens.iter().map(row).collect::<Vec<_>>()
            };
            page(after.as_ref(), limit, state.grants.values().flat_map(of).collect())
        })
    }

    fn list_consents(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<Consent>> {
        self.list(move |state| {
            let rows = state.given.iter().map(|((subject, client), consent)| {
                let length = subject.len().to_be_bytes();
                ([&length[..], subject.as_bytes(), client.as_str().as_bytes()].concat(), consent.clone())
            });
            page(after.as_ref(), limit, rows.collect())
        })
    }

    fn list_links(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<LinkState>> {
        self.list(move |state| {
            let rows = state.links.iter().map(|(key, state)| (key.as_bytes().to_vec(), state.clone()));
            page(after.as_ref(), limit, rows.collect())
        })
    }
}

impl Epoch for JournalStore {
    fn epoch(&self) -> StoreFuture<'_, UnixTime> {
        self.read(|state| state.epoch)
    }

    fn raise_epoch(&self, to: UnixTime) -> StoreFuture<'_, UnixTime> {
        self.step(move |state| {
            let epoch = state.epoch.max(to);
            Ok((epoch, (epoch > state.epoch).then_some(Change::Epoch(epoch)).into_iter().collect()))
        })
    }
}

impl Statuses for JournalStore {
    fn grant_statuses(&self, id: GrantId, now: UnixTime) -> StoreFuture<'_, Vec<StatusPlace>> {
        self.read(move |state| {
            let tokens = state.grants.get(&id).map_or(&[][..], |held| &held.tokens);
            tokens.iter().filter(|token| token.is_live(now)).filter_map(|token| token.status).collect()
        })
    }

    fn revoke_statuses(&self, list: u64, indices: Vec<u32>, until: UnixTime) -> StoreFuture<'_, ()> {
        self.step(move |state| {
            let new = indices.into_iter().filter(|index| !state.revoked.contains_key(&(list, *index)));
            Ok(((), new.map(|index| Change::Revoked(list, index, until)).collect()))
        })
    }

    fn revoked_statuses(&self, list: u64, _: UnixTime) -> StoreFuture<'_, Vec<u32>> {
        self.read(move |state| {
            state.revoked.range((list, 0)..=(list, u32::MAX)).map(|((_, place), _)| *place).collect()
        })
    }
}

impl Store for JournalStore {
    fn check(&self) -> StoreFuture<'_, ()> {
        self.read(|_| ())
    }
}
