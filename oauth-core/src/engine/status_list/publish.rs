//! Making the lists that others fetch: each once in its time, on each node.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures_util::lock::Mutex as Turn;
use miniz_oxide::deflate::compress_to_vec;

use super::{
    StatusLists,
    number::{ListNumber, PLACES},
};
use crate::{
    clock::UnixTime,
    engine::fault::Fault,
    secret::Digest,
    server::AuthorizationServer,
    status_list::{StatusList, StatusListClaims, sign_status_list},
};

/// A list as it is handed out.
#[derive(Clone)]
pub(crate) struct Publication {
    pub(crate) plain: Representation,
    /// The same, compressed once more: what is left to save is what base64 added.
    pub(crate) gzip: Representation,
    /// For how many seconds it may be kept.
    pub(crate) max_age: u64,
    made_at: UnixTime,
    expires_at: UnixTime,
}

/// What is sent, and its name: each has one of its own (RFC 9110 section 8.8.3.3).
#[derive(Clone)]
pub(crate) struct Representation {
    pub(crate) body: Bytes,
    pub(crate) etag: String,
}

/// What this node has made, and what it knows.
#[derive(Default)]
pub(super) struct Publications {
    known: Mutex<Known>,
    /// One list is made at a time.
    pub(super) turn: Turn<()>,
}

#[derive(Default)]
struct Known {
    made: HashMap<u64, Publication>,
    /// How many lists there are of a day and a key, and when that was asked.
    claimed: HashMap<(u64, u16), (u64, UnixTime)>,
    failed: Option<UnixTime>,
    aggregation: Option<(Vec<u64>, UnixTime)>,
}

impl Publications {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many lists there are, unless it has to be asked: for a list that may
    /// be new, and not twice in a second.
    pub(super) fn claimed(&self, group: (u64, u16), serial: u16, now: UnixTime) -> Option<u64> {
        let (claimed, asked) = *self.known().claimed.get(&group)?;
        (u64::from(serial) < claimed || now.0 <= asked.0.saturating_add(1)).then_some(claimed)
    }

    pub(super) fn learn(&self, group: (u64, u16), claimed: u64, now: UnixTime) -> u64 {
        self.known().claimed.insert(group, (claimed, now));
        claimed
    }
}

impl StatusLists {
    /// The list of that number, made anew if the last one is too old; `None` if
    /// there is no such list.
    pub(crate) async fn publication(
        &self,
        server: &AuthorizationServer,
        list: u64,
    ) -> Result<Option<Publication>, Fault> {
        let now = server.now();
        if let Some(made) = self.fresh(list, now) {
            return Ok(Some(made));
        }
        let number = ListNumber::of(list);
        if !self.exists(server, number, now).await? {
            return Ok(None);
        }
        let _turn = self.publications.turn.lock().await;
        let now = server.now();
        if let Some(made) = self.fresh(list, now) {
            return Ok(Some(made));
        }
        // A moment ago the store failed: those who waited do not ask again.
        let failed = self.publications.known().failed;
        if failed.is_some_and(|at| now.0 <= at.0.saturating_add(1)) {
            return self.last(list, now).map(Some).ok_or(Fault::Internal("a status list could not be read"));
        }
        match self.make(server, list, now).await {
            Ok(made) => {
                let mut known = self.publications.known();
                known.failed = None;
                known.made.retain(|other, _| now < server.end_of(ListNumber::of(*other)));
                known.claimed.retain(|(day, _), _| day.saturating_add(7) >= ListNumber::day_of(now));
                known.made.insert(list, made.clone());
                Ok(Some(made))
            }
            Err(fault) => {
                self.publications.known().failed = Some(now);
                // Never an emptier one than there is: the last, or none.
                let Some(last) = self.last(list, now) else { return Err(fault) };
                fault.tell_to(server);
                Ok(Some(last))
            }
        }
    }

    /// The numbers of all lists, asked once in a list's time.
    pub(crate) async fn aggregation(&self, server: &AuthorizationServer) -> Result<Vec<u64>, Fault> {
        let now = server.now();
        let known = self.publications.known().aggregation.clone();
        if let Some((lists, asked)) = known
            && now < asked.saturating_add(self.settings.ttl)
        {
            return Ok(lists);
        }
        let lists = self.all(server, now).await?;
        self.publications.known().aggregation = Some((lists.clone(), now));
        Ok(lists)
    }

    /// What was made of it, and is not too old.
    fn fresh(&self, list: u64, now: UnixTime) -> Option<Publication> {
        let made = self.publications.known().made.get(&list).cloned()?;
        let over = made.made_at.saturating_add(self.settings.ttl);
        // A clock that was set back makes it a list of the future: not fresh.
        let max_age = over.0.checked_sub(now.0).filter(|left| (1..=self.settings.ttl).contains(left))?;
        Some(Publication { max_age, ..made })
    }

    /// What was made of it, and has not ended.
    fn last(&self, list: u64, now: UnixTime) -> Option<Publication> {
        let made = self.publications.known().made.get(&list).cloned()?;
        (now < made.expires_at).then_some(Publication { max_age: 0, ..made })
    }

    async fn make(&self, server: &AuthorizationServer, list: u64, now: UnixTime) -> Result<Publication, Fault> {
        let revoked = server.store().revoked_statuses(list, now).await?;
        let key = server.signing_key().ok_or(Fault::Internal("no signing key is active"))?;
        let ttl = self.settings.ttl;
        let expires_at = now.saturating_add(ttl).saturating_add(self.settings.grace);
        let says = StatusListClaims::new(server.issuer(), server.status_list_uri(list), now);
        let statuses = StatusList::with_revoked(PLACES, revoked);
        let token = sign_status_list(&key, &says.expires_at(expires_at).ttl(ttl), &statuses)?;
        let digest = Digest::of(&[token.as_bytes()]);
        let tag = digest.as_bytes().first_chunk::<12>().map(|half| URL_SAFE_NO_PAD.encode(half)).unwrap_or_default();
        let gzip = Representation { body: gzipped(token.as_bytes()).into(), etag: format!("\"{tag}.gzip\"") };
        let plain = Representation { body: token.into(), etag: format!("\"{tag}\"") };
        Ok(Publication { plain, gzip, max_age: ttl, made_at: now, expires_at })
    }
}

/// As one member of RFC 1952, without a name and of no time.
fn gzipped(text: &[u8]) -> Vec<u8> {
    const DEFLATE: u8 = 8;
    const UNKNOWN_SYSTEM: u8 = 255;
    let mut member = vec![0x1f, 0x8b, DEFLATE, 0, 0, 0, 0, 0, 0, UNKNOWN_SYSTEM];
    // What was compressed before has nothing that repeats itself: the quickest way finds as much.
    member.extend(compress_to_vec(text, 1));
    member.extend(crc32fast::hash(text).to_le_bytes());
    // "the size of the original input data modulo 2^32"
    let [a, b, c, d, ..] = (text.len() as u64).to_le_bytes();
    member.extend([a, b, c, d]);
    member
}
