//! Rooms, and what was said in them lately.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::http::StatusCode;
use oauth_axum_rs::matrix::MatrixError;
use ruma::{
    EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedRoomId, OwnedServerName, OwnedUserId, RoomId,
    RoomVersionId,
    api::client::{
        message::send_message_event,
        sync::sync_events::v3::{JoinedRoom, Response},
    },
    events::AnySyncTimelineEvent,
    serde::Raw,
};
use serde_json::{Value, json};
use tokio::sync::watch;

/// What every room claims to be.
pub(crate) const ROOM_VERSION: RoomVersionId = RoomVersionId::V11;
/// How many rooms there can be.
const MOST_ROOMS: usize = 100;
/// How many events are remembered, of all rooms together.
const MOST_EVENTS: usize = 200;
/// The longest type of an event, and the longest transaction id, in bytes ("Size limits").
const LONGEST: usize = 255;

/// All rooms.
#[derive(Debug)]
pub(crate) struct Rooms {
    name: OwnedServerName,
    inner: Mutex<Inner>,
    news: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Inner {
    members: HashMap<OwnedRoomId, BTreeSet<OwnedUserId>>,
    events: VecDeque<Event>,
    /// How many events were before those.
    forgotten: usize,
}

#[derive(Debug)]
struct Event {
    room: OwnedRoomId,
    id: OwnedEventId,
    transaction: Option<Transaction>,
    json: Raw<AnySyncTimelineEvent>,
}

/// What a client sends again if it has heard no answer, and is the same request then. "The scope of a
/// transaction ID is for a single device, and a single HTTP endpoint" ("Transaction identifiers"): so it is not
/// the token's, which may be a new one by then.
#[derive(Debug, PartialEq)]
struct Transaction {
    user: OwnedUserId,
    /// An application service need not have one.
    device: Option<String>,
    kind: String,
    id: String,
}

impl Rooms {
    pub(crate) fn new(name: OwnedServerName) -> Self {
        Self { name, inner: Mutex::default(), news: watch::Sender::default() }
    }

    /// Tells of every event from now on.
    pub(crate) fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// A new room, with its creator in it.
    pub(crate) fn create(&self, user: &OwnedUserId) -> Result<OwnedRoomId, MatrixError> {
        let room = RoomId::new_v1(&self.name);
        let mut inner = self.lock();
        if inner.members.len() >= MOST_ROOMS {
            return Err(MatrixError::forbidden("there are as many rooms as can be"));
        }
        inner.members.insert(room.clone(), BTreeSet::from([user.clone()]));
        let create = json!({ "type": "m.room.create", "state_key": "", "content": { "room_version": ROOM_VERSION } });
        self.add(&mut inner, &room, user, None, create)?;
        self.add(&mut inner, &room, user, None, joined(user))?;
        Ok(room)
    }

    /// Whoever wants is in, and who is in already stays.
    pub(crate) fn join(&self, user: &OwnedUserId, room: &RoomId) -> Result<(), MatrixError> {
        let mut inner = self.lock();
        let unknown = || MatrixError::new(StatusCode::NOT_FOUND, "M_NOT_FOUND", "no such room");
        let is_new = inner.members.get_mut(room).ok_or_else(unknown)?.insert(user.clone());
        if is_new {
            self.add(&mut inner, room, user, None, joined(user))?;
        }
        Ok(())
    }

    /// Adds an event, once.
    pub(crate) fn send(
        &self,
        user: &OwnedUserId,
        device: Option<&str>,
        request: &send_message_event::v3::Request,
    ) -> Result<OwnedEventId, MatrixError> {
        let (room, kind, id) = (&request.room_id, request.event_type.to_string(), request.txn_id.to_string());
        let bad = |errcode, error| MatrixError::new(StatusCode::BAD_REQUEST, errcode, error);
        if kind.len() > LONGEST || id.len() > LONGEST {
            return Err(bad("M_INVALID_PARAM", "the type or the transaction id is too long"));
        }
        // Ruma has not looked into it, nor how deep it is.
        let content: Value =
            serde_json::from_str(request.body.json().get()).map_err(|_| bad("M_BAD_JSON", "this is no event"))?;
        let mut inner = self.lock();
        if !inner.members.get(room).is_some_and(|members| members.contains(user)) {
            return Err(MatrixError::forbidden("not in this room"));
        }
        let transaction = Transaction { user: user.clone(), device: device.map(str::to_owned), kind, id };
        let known = inner.events.iter().find(|event| event.is_of(room, &transaction));
        if let Some(known) = known {
            return Ok(known.id.clone());
        }
        let event = json!({ "type": request.event_type.to_string(), "content": content });
        self.add(&mut inner, room, user, Some(transaction), event)
    }

    /// What is new to a user since they were given `since`, or all that there is.
    pub(crate) fn since(&self, user: &OwnedUserId, since: Option<&str>) -> Response {
        let inner = self.lock();
        let end = inner.forgotten.saturating_add(inner.events.len());
        // What is no name of ours, or one of before a restart, is the beginning.
        let since = since.and_then(|since| since.parse().ok()).filter(|since| *since <= end);
        let mut response = Response::new(end.to_string());
        let is_in = |members: &BTreeSet<OwnedUserId>| members.contains(user);
        let rooms = inner.members.iter().filter(|(_, members)| is_in(members));
        response.rooms.join = rooms.map(|(room, _)| (room.clone(), inner.news_of(room, since))).collect();
        response.rooms.join.retain(|_, room| !room.timeline.is_empty());
        response
    }

    fn add(
        &self,
        inner: &mut Inner,
        room: &RoomId,
        sender: &OwnedUserId,
        transaction: Option<Transaction>,
        mut event: Value,
    ) -> Result<OwnedEventId, MatrixError> {
        let id = EventId::new_v1(&self.name);
        if let Some(members) = event.as_object_mut() {
            members.insert("event_id".to_owned(), id.as_str().into());
            members.insert("sender".to_owned(), sender.as_str().into());
            let now = MilliSecondsSinceUnixEpoch::now();
            members.insert("origin_server_ts".to_owned(), u64::from(now.get()).into());
        }
        let json = Raw::new(&event).map_err(|_| MatrixError::internal())?.cast_unchecked();
        inner.events.push_back(Event { room: room.to_owned(), id: id.clone(), transaction, json });
        if inner.events.len() > MOST_EVENTS {
            inner.events.pop_front();
            inner.forgotten = inner.forgotten.saturating_add(1);
        }
        self.news.send_replace(());
        Ok(id)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn news_of(&self, room: &RoomId, since: Option<usize>) -> JoinedRoom {
        let from = since.unwrap_or_default();
        let events = self.events.iter().skip(from.saturating_sub(self.forgotten)).filter(|event| event.room == *room);
        let mut news = JoinedRoom::new();
        news.timeline.events = events.map(|event| event.json.clone()).collect();
        // There may have been more.
        news.timeline.limited = from < self.forgotten;
        news
    }
}

impl Event {
    fn is_of(&self, room: &RoomId, transaction: &Transaction) -> bool {
        self.room == *room && self.transaction.as_ref() == Some(transaction)
    }
}

fn joined(user: &OwnedUserId) -> Value {
    json!({ "type": "m.room.member", "state_key": user.as_str(), "content": { "membership": "join" } })
}

#[cfg(test)]
mod tests {
    use ruma::{api::client::message::send_message_event::v3::Request, user_id};

    use super::*;

    fn rooms() -> Rooms {
        Rooms::new(OwnedServerName::try_from("localhost").unwrap())
    }

    fn request(room: &RoomId, transaction: usize) -> Request {
        let body = Raw::from_json_string(r#"{"body":"hi","msgtype":"m.text"}"#.to_owned()).unwrap();
        Request::new_raw(room.to_owned(), transaction.to_string().into(), "m.room.message".into(), body)
    }

    #[test]
    fn there_are_only_so_many_rooms() {
        let (rooms, ada) = (rooms(), user_id!("@ada:localhost").to_owned());
        (0..MOST_ROOMS).for_each(|_| drop(rooms.create(&ada).unwrap()));
        assert_eq!(rooms.create(&ada).unwrap_err().status(), 403);
    }

    #[test]
    fn old_events_are_forgotten_and_who_missed_some_is_told_so() {
        let (rooms, ada) = (rooms(), user_id!("@ada:localhost").to_owned());
        let room = rooms.create(&ada).unwrap();
        let before = rooms.since(&ada, None).next_batch;
        (0..MOST_EVENTS).for_each(|number| drop(rooms.send(&ada, None, &request(&room, number)).unwrap()));
        let all = rooms.since(&ada, Some(&before));
        assert!(!all.rooms.join[&room].timeline.limited);
        rooms.send(&ada, None, &request(&room, MOST_EVENTS)).unwrap();
        let rest = rooms.since(&ada, Some(&before));
        assert!(rest.rooms.join[&room].timeline.limited);
        assert_eq!(rest.rooms.join[&room].timeline.events.len(), MOST_EVENTS);
        assert!(rooms.since(&ada, Some(&rest.next_batch)).rooms.is_empty());
    }

    #[test]
    fn a_transaction_is_of_one_user_device_room_and_type() {
        let (rooms, ada) = (rooms(), user_id!("@ada:localhost").to_owned());
        let (room, other) = (rooms.create(&ada).unwrap(), rooms.create(&ada).unwrap());
        let grace = user_id!("@grace:localhost").to_owned();
        rooms.join(&grace, &room).unwrap();
        let first = rooms.send(&ada, Some("A"), &request(&room, 1)).unwrap();
        assert_eq!(rooms.send(&ada, Some("A"), &request(&room, 1)).unwrap(), first);
        let mut reaction = request(&room, 1);
        reaction.event_type = "m.reaction".into();
        for (user, device, request) in [
            (&ada, Some("A"), request(&room, 2)),
            (&ada, Some("B"), request(&room, 1)),
            (&ada, None, request(&room, 1)),
            (&ada, Some("A"), request(&other, 1)),
            (&ada, Some("A"), reaction),
            (&grace, Some("A"), request(&room, 1)),
        ] {
            assert_ne!(rooms.send(user, device, &request).unwrap(), first);
        }
    }
}
