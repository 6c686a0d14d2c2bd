//! What the clones of a mock issuer share.

use std::{collections::HashMap, sync::Mutex};

use http::HeaderValue;
use oauth_core::{clock::ManualClock, secret::Secret};
use serde_json::{Map, Value};
use tokio::sync::watch;

use super::{Locations, ReceivedRequest, keys::KeyRing, outage::Outages};

pub(super) struct Inner {
    pub(super) url: String,
    pub(super) clock: ManualClock,
    pub(super) locations: Locations,
    /// Who may introspect, by `client_id` and secret: one at least.
    pub(super) resource_servers: Vec<(String, Secret)>,
    pub(super) token_prefix: String,
    pub(super) cache_control: HeaderValue,
    /// Members of the metadata that the test sets.
    pub(super) metadata: Map<String, Value>,
    pub(super) outages: watch::Sender<Outages>,
    pub(super) state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) keys: KeyRing,
    /// The claims of every token that is not revoked.
    pub(super) issued: HashMap<String, Map<String, Value>>,
    pub(super) requests: Vec<ReceivedRequest>,
    /// The last `jti`.
    pub(super) number: u64,
}

impl State {
    /// A number that no other token has.
    pub(super) const fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }
}
