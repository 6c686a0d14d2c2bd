//! A homeserver that signs its users in itself, with ruma's types: an authorization server
//! with Matrix's profile, its pages, and client-server endpoints that know their user and device.
//!
//! ```sh
//! cargo run --manifest-path examples/matrix-homeserver/Cargo.toml
//! ```
//!
//! | Endpoint | Open to suspended | Open to guests |
//! |---|---|---|
//! | `GET /versions`, with a token or without | yes | yes |
//! | `GET /v1/auth_metadata`, which comes with the authorization server | no token | no token |
//! | `GET /v3/profile/{user}` | no token | no token |
//! | `GET /v3/account/whoami` | yes | yes |
//! | `GET /v3/capabilities` | yes | |
//! | `GET /v3/sync` | yes | yes |
//! | `GET /v3/devices` | yes | yes |
//! | `PUT /v3/profile/{user}/displayname` | | yes |
//! | `POST /v3/createRoom` | | |
//! | `POST /v3/join/{room}` | | |
//! | `PUT /v3/rooms/{room}/send/{type}/{transaction}` | | |
//! | `POST /v3/keys/device_signing/upload`, with the stage `m.oauth` | yes | |
//! | `POST /v3/logout`, to locked accounts too | yes | yes |
//!
//! [`Homeserver::router`] has the routes and their marks; `typed.rs` makes ruma's requests and
//! responses arguments and answers of handlers; `endpoints.rs` has the handlers, `reset.rs` the page
//! that the stage sends people to, `people.rs` and `rooms.rs` what is remembered.
//!
//! # What it does not do
//!
//! Everything is in memory: a restart forgets it, and two processes share none of it. The users are
//! those that it was started with. Rooms, events and contents are bounded ([`LARGEST`], and the
//! constants in `rooms.rs`), and with an old event its transaction is forgotten. Every room is open to
//! every user, and nobody is invited, leaves, or has power over others; what a client wants of a new
//! room is not looked at. There is no federation, no push, no media, and no end-to-end encryption: keys
//! are taken, and not kept.

mod endpoints;
mod people;
mod reset;
mod rooms;
mod typed;

use std::{error::Error, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post, put},
};
use oauth_axum_rs::{
    AuthorizationServer, AuthorizationServerExt, Issuer, ResourceServer,
    matrix::{AccountState, Cors, Matrix, OauthStage, unrecognized_method, unrecognized_path},
    oauth_core::profile,
    pages::{Pages, PasswordUsers, Users},
};
use ruma::{OwnedServerName, UserId};

use self::{people::People, rooms::Rooms};

/// What is wrong with the settings.
pub type Wrong = Box<dyn Error + Send + Sync>;

/// The largest content of a request, in bytes: that of the largest event ("Size limits").
pub const LARGEST: usize = 65_536;

/// How many requests a user has in a second.
const PER_SECOND: u32 = 50;

/// Where the users of the homeserver `name` sign in; `issuer` is the URL at which both are reached.
///
/// # Errors
/// If `issuer` is no issuer.
pub async fn authorization_server(
    issuer: &str,
    name: &str,
    users: PasswordUsers,
) -> Result<AuthorizationServer, Wrong> {
    let profile = profile::Matrix::new(name).account_page("/devices");
    let builder = AuthorizationServer::builder(issuer).profile(profile).subjects(users);
    // Without TLS on this machine only.
    let builder = if issuer.starts_with("http://") { builder.insecure_development() } else { builder };
    Ok(builder.build().await?)
}

/// All of it on one port.
pub fn app<U: Users>(home: &Homeserver, pages: Pages<U>) -> Router {
    let reset = reset::router(home, pages.sessions());
    home.router().merge(home.0.server.router()).merge(pages.router()).merge(reset)
}

/// The homeserver. Clones are the same.
#[derive(Clone, Debug)]
pub struct Homeserver(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// In this process: whoever was signed out there is refused here at once.
    server: AuthorizationServer,
    matrix: Matrix,
    name: OwnedServerName,
    people: People,
    rooms: Rooms,
    stage: OauthStage,
}

impl Homeserver {
    /// One with these users, by their localparts; their passwords are the concern of `server`.
    ///
    /// # Errors
    /// If `name` is no name of a server, or a user's is no localpart.
    pub fn new(server: &AuthorizationServer, name: &str, users: &[&str]) -> Result<Self, Wrong> {
        let name = OwnedServerName::try_from(name)?;
        let users = users.iter().map(|user| UserId::parse(format!("@{user}:{name}"))).collect::<Result<Vec<_>, _>>()?;
        let people = People::new(users);
        let api = ResourceServer::builder(server.issuer()).issuer(Issuer::local(server.clone())).build()?;
        let matrix = Matrix::builder(api, name.as_str())
            .accounts(people.clone())
            .limit_users(PER_SECOND, Duration::from_secs(1))
            .build()?;
        let stage = OauthStage::new(format!("{}{}", server.issuer(), reset::PATH))?;
        let (server, rooms) = (server.clone(), Rooms::new(name.clone()));
        Ok(Self(Arc::new(Inner { server, matrix, name, people, rooms, stage })))
    }

    /// Locks, suspends or deactivates a user, or undoes it; `false` if there is none of that id. It counts
    /// from the next request on.
    pub fn set_state(&self, user: &UserId, state: AccountState) -> bool {
        self.0.people.with(user.as_str(), |person| person.state = state).is_some()
    }

    /// The endpoints, each behind the layer with its marks, but for those that need no token.
    pub fn router(&self) -> Router {
        // In no state but the usual one, and no guests.
        let members = || self.0.matrix.layer();
        // "Account suspension": reading, keys, signing out.
        let suspended = || members().allow_suspended();
        // "Guest access". Joining and sending are on that list too, where a room has
        // `m.room.guest_access`, which none has here.
        let everybody = || suspended().allow_guests();
        Router::new()
            .route("/_matrix/client/versions", get(endpoints::versions).layer(everybody().optional()))
            .route("/_matrix/client/v3/account/whoami", get(endpoints::whoami).layer(everybody()))
            .route("/_matrix/client/v3/capabilities", get(endpoints::capabilities).layer(suspended()))
            .route("/_matrix/client/v3/sync", get(endpoints::sync).layer(everybody()))
            .route("/_matrix/client/v3/devices", get(endpoints::devices).layer(everybody()))
            .route("/_matrix/client/v3/profile/{user}", get(endpoints::profile))
            .route("/_matrix/client/v3/profile/{user}/displayname", {
                put(endpoints::set_display_name).layer(members().allow_guests())
            })
            .route("/_matrix/client/v3/createRoom", post(endpoints::create_room).layer(members()))
            .route("/_matrix/client/v3/join/{room}", post(endpoints::join).layer(members()))
            .route("/_matrix/client/v3/rooms/{room}/send/{type}/{transaction}", {
                put(endpoints::send).layer(members())
            })
            .route("/_matrix/client/v3/keys/device_signing/upload", {
                post(endpoints::upload_signing_keys).layer(suspended())
            })
            // "Account locking": all that locked accounts can do.
            .route("/_matrix/client/v3/logout", post(endpoints::logout).layer(everybody().allow_locked()))
            .fallback(unrecognized_path)
            .method_not_allowed_fallback(unrecognized_method)
            .layer(DefaultBodyLimit::max(LARGEST))
            .layer(Cors)
            .with_state(self.clone())
    }
}
