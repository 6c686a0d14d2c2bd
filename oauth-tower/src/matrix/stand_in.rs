//! A homeserver, and sessions, for the tests.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
};

use oauth_core::{
    authorization_details::AuthorizationDetails,
    clock::UnixTime,
    engine::{
        fault::Fault,
        matrix::{Homeserver, NewDevice},
        policy::HostFuture,
    },
    matrix::{DeviceId, UserId},
    secret::Digest,
    store::{Grant, GrantFacts, Refresh},
    token::GrantId,
};

/// One that remembers what was deleted, and what was made. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Home(Arc<Told>);

#[derive(Debug, Default)]
struct Told {
    mood: AtomicU8,
    refused: AtomicUsize,
    deleted: Mutex<Vec<String>>,
    made: Mutex<Vec<String>>,
}

pub(super) const AWAY: u8 = 1;
pub(super) const HANGS: u8 = 2;
/// Refuses to delete `D2`.
pub(super) const KEEPS_D2: u8 = 3;
pub(super) const KEEPS_ALL_BUT_D2: u8 = 4;

impl Home {
    pub(super) fn is(&self, mood: u8) {
        self.0.mood.store(mood, Ordering::SeqCst);
    }

    /// How often it was away, or refused.
    pub(super) fn refused(&self) -> usize {
        self.0.refused.load(Ordering::SeqCst)
    }

    pub(super) fn deleted(&self) -> Vec<String> {
        let mut deleted = self.0.deleted.lock().unwrap().clone();
        deleted.sort();
        deleted
    }

    pub(super) fn made(&self) -> Vec<String> {
        self.0.made.lock().unwrap().clone()
    }
}

impl Homeserver for Home {
    fn upsert<'a>(&'a self, new: NewDevice<'a>) -> HostFuture<'a, ()> {
        self.0.made.lock().unwrap().push(format!("{} {}", new.user, new.device));
        Box::pin(async { Ok(()) })
    }

    fn delete<'a>(&'a self, user: &'a UserId, device: &'a DeviceId) -> HostFuture<'a, ()> {
        match self.0.mood.load(Ordering::SeqCst) {
            KEEPS_D2 if device.as_str() != "D2" => {}
            KEEPS_ALL_BUT_D2 if device.as_str() == "D2" => {}
            AWAY | KEEPS_D2 | KEEPS_ALL_BUT_D2 => {
                self.0.refused.fetch_add(1, Ordering::SeqCst);
                return Box::pin(async { Err(Fault::Host("it is away".into())) });
            }
            HANGS => return Box::pin(pending()),
            _ => {}
        }
        self.0.deleted.lock().unwrap().push(format!("{user} {device}"));
        Box::pin(async { Ok(()) })
    }

    fn sync<'a>(&'a self, _: &'a UserId, _: &'a [DeviceId]) -> HostFuture<'a, ()> {
        panic!("nothing that comes with the server does this")
    }
}

/// The grant `id` of alice, who signed in at `now` on the device `D<number>`.
pub(super) fn session(id: u8, number: u8, now: UnixTime) -> Grant {
    let facts = GrantFacts {
        client: "element".parse().unwrap(),
        subject: Some("alice".to_owned()),
        scope: format!("urn:matrix:client:api:* urn:matrix:client:device:D{number}").parse().unwrap(),
        resources: Vec::new(),
        auth_time: None,
        acr: None,
        authorization_details: AuthorizationDetails::default(),
        dpop_jkt: None,
    };
    let refresh = Some(Refresh { digest: Digest::of(&[&[id]]), generation: 0, used_at: now, retry: None });
    let (id, expires_at) = (GrantId::from_bytes([id; 16]), now.saturating_add(1 << 30));
    Grant { id, facts, created_at: now, expires_at, revoked_at: None, code: None, refresh }
}
