//! What the protocol tests stand on: an authorization server whose clock stands still, clients that
//! call it, a browser that visits it, and a store that fails when told to.

mod answer;
mod ask;
mod browser;
mod clients;
mod events;
mod race;
mod store;
mod world;

pub(crate) use self::{
    answer::{Answer, Tokens, is_legal_description, response_at},
    ask::Ask,
    browser::Browser,
    clients::*,
    events::Events,
    race::all_at_once,
    store::WatchedStore,
    world::{Folder, World, basic, on_every_store, on_every_store_with, on_memory, on_memory_with, post, redemption},
};
