//! What the protocol tests stand on: an authorization server whose clock stands still, clients that
//! call it, a browser that visits it, and a store that fails when told to.

mod answer;
mod ask;
mod authority;
mod browser;
pub(crate) mod chromium;
mod clients;
mod events;
mod folder;
mod foreign;
mod load;
mod matrix_js_sdk;
mod nodes;
mod oidc_provider;
mod outage;
mod owner;
mod people;
mod pooler;
mod port;
mod postgres;
mod program;
mod protected;
mod race;
mod records;
mod redis;
mod reference;
mod remote;
mod request;
mod store;
mod visitor;
mod wire;
mod world;

pub(crate) use self::{
    answer::{Answer, Tokens, response_at},
    ask::Ask,
    authority::{Authority, plain_client},
    browser::{Browser, Fields, fields_of},
    clients::*,
    events::Events,
    folder::Folder,
    foreign::{Foreign, Library, Outcome},
    load::{Life, Load, Lost, Memory, Tally},
    matrix_js_sdk::MatrixJsSdk,
    nodes::{Node, is_live, nodes, two_nodes},
    oidc_provider::{BY_KEY, OPAQUE, OidcProvider, part, with_member},
    outage::{
        a_program_without_its_store_says_so_and_shows_no_password, a_store_that_is_away_is_503_until_it_is_back,
        what_one_program_does_the_other_knows,
    },
    owner::Owner,
    people::{PASSWORD, People},
    pooler::{PgBouncer, knows_prepared_statements},
    port::free_port,
    postgres::{
        DATABASE_PASSWORD, Postgres, give_to_server, new_database, patient, raw, shared_postgres, store_at, url_at,
    },
    program::{Ended, Program, program, workspace},
    protected::Protected,
    race::all_at_once,
    records::*,
    redis::{Cluster, REDIS_PASSWORD, Redis, patient_redis, redis_url_at, replicated},
    reference::{ALBUMS, JWT_ALBUMS, Reference},
    remote::Remote,
    request::{basic, post, redemption},
    store::WatchedStore,
    visitor::{Page, Visitor, unescape},
    wire::{Mood, Wire},
    world::{World, on_every_store, on_every_store_with, on_memory, on_memory_with, on_sqlite},
};
