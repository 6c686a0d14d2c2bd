//! The configuration file of the authorization server.
//!
//! A file is read to its end whatever is wrong with it, so that one run names
//! every mistake by its key. What was read is then a plain value: nothing
//! later looks at TOML.

mod authorization;
mod client_authentication;
mod clients;
mod cors;
mod credentials;
mod device;
mod dpop;
mod grants;
mod introspection;
mod limits;
mod listen;
mod matrix;
mod profile;
mod reader;
mod reciprocal;
mod registration;
mod report;
mod requests;
mod resources;
mod revocation;
mod status_list;
mod tokens;
mod users;
mod value;

#[cfg(test)]
mod tests;

use std::{fs, path::Path};

use oauth_axum_rs::{Cors, pages::PasswordUsers};
use oauth_core::{
    client::Client,
    engine::{
        authorization::AuthorizationSettings, client_auth::ClientAuthentication, device::DeviceSettings,
        dpop::DpopSettings, policy::Resource, status_list::StatusListSettings,
    },
    grant::{JwtBearer, TokenExchange},
};
use toml::Table;

pub use self::{
    authorization::SessionLifetimes,
    introspection::Introspection,
    limits::Limits,
    listen::{Keys, Listen, StoreKind},
    matrix::Matrix,
    reciprocal::{Connect, Initiator, Peer, Reciprocal},
    registration::Registration,
    report::{Mistake, Mistakes},
    revocation::Revocation,
    tokens::Tokens,
};
use self::{
    clients::Clients,
    matrix::{Around, Profile, rules},
    reader::Reader,
    report::Report,
    users::Users,
};

/// What a file says, checked and with every default filled in.
#[derive(Debug)]
pub struct Config {
    /// The issuer identifier.
    pub issuer: String,
    /// Where and how to listen.
    pub listen: Listen,
    /// `store`.
    pub store: StoreKind,
    /// `[keys]`.
    pub keys: Keys,
    /// `[tokens]`.
    pub tokens: Tokens,
    /// `[revocation]`.
    pub revocation: Revocation,
    /// `[limits]`.
    pub limits: Limits,
    /// `[registration]`.
    pub registration: Registration,
    /// `[client_authentication]`, and what follows for it from `[limits]` and
    /// `[tls]`.
    pub client_authentication: ClientAuthentication,
    /// `[authorization]`, `[par]` with what follows for it from `[limits]`, and
    /// `[jar]`.
    pub authorization: AuthorizationSettings,
    /// `[sessions]`.
    pub sessions: SessionLifetimes,
    /// `[dpop]`.
    pub dpop: DpopSettings,
    /// `[status_list]`; `None` where it is off.
    pub status_lists: Option<StatusListSettings>,
    /// `[cors] origins`; `None` if there are none.
    pub cors: Option<Cors>,
    /// `[token_exchange]`; `None` if it is off.
    pub token_exchange: Option<TokenExchange>,
    /// `[jwt_bearer]`; `None` if it is off.
    pub jwt_bearer: Option<JwtBearer>,
    /// `[device]`, and what follows for it from `[limits]`; `None` where it is off.
    pub device: Option<DeviceSettings>,
    /// `[reciprocal]`; `None` where it is off.
    pub reciprocal: Option<Reciprocal>,
    /// `[introspection]`.
    pub introspection: Introspection,
    /// `[[resources]]`; never empty.
    pub resources: Vec<Resource>,
    /// `[[clients]]`.
    pub clients: Vec<Client>,
    /// `[[users]]`.
    pub users: PasswordUsers,
    /// `[consent] auto_approve`.
    pub auto_approve: Option<String>,
    /// `[matrix]`; `None` where the profile is another one.
    pub matrix: Option<Matrix>,
}

impl Config {
    /// Reads `file`.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn load(file: &Path) -> Result<Self, Mistakes> {
        let text = fs::read_to_string(file).map_err(|error| Mistakes::one(file.display(), error))?;
        let folder = file.parent().unwrap_or(Path::new(""));
        Self::parse(&text, folder).map_err(|error| match error {
            ParseError::Syntax(error) => Mistakes::one(file.display(), error),
            ParseError::Mistakes(mistakes) => mistakes,
        })
    }

    fn parse(text: &str, folder: &Path) -> Result<Self, ParseError> {
        let table: Table = text.parse()?;
        let report = Report::default();
        let config = Self::read(Reader::new(table, &report), folder, &report);
        Ok(report.finish(config)?)
    }

    /// Reads what it can; whoever calls this must look at the report.
    fn read(mut top: Reader<'_>, folder: &Path, report: &Report) -> Self {
        let issuer: String = top.require("issuer").unwrap_or_default();
        let profile = Profile::read(&mut top);
        let listen = Listen::read(&mut top, folder);
        listen.check_issuer(&issuer, report);
        let store = StoreKind::read(&mut top, folder);
        let keys = Keys::read(&mut top, folder, store.as_ref());
        let tokens = Tokens::read(&mut top, profile);
        let limits = Limits::read(&mut top);
        let registration = Registration::read(&mut top, profile);
        let client_authentication = client_authentication::read(&mut top, &listen, &limits);
        let pushed = requests::read_pushed(&mut top, &limits);
        let signed = requests::read_signed(&mut top);
        let authorization = authorization::read(&mut top, pushed, signed, profile);
        let sessions = SessionLifetimes::read(&mut top);
        let dpop = dpop::read(&mut top);
        let status_lists = status_list::read(&mut top);
        let cors = cors::read(&mut top);
        let device = device::read(&mut top, &limits);
        let clients = Clients::read(&mut top, &client_authentication.methods);
        let revocation = Revocation::read(&mut top, &limits, &clients, profile);
        let taken = revocation.http_listen.is_some_and(|twin| twin == listen.address && twin.port() != 0);
        if taken && !report.blames("listen") {
            report.wrong("revocation.http_listen", "is the address of `listen`");
        }
        let token_exchange = grants::read_exchange(&mut top, &clients);
        let jwt_bearer = grants::read_bearer(&mut top);
        let reciprocal = Reciprocal::read(&mut top, &clients, listen.development, folder);
        let resources_are_written = top.has("resources");
        let resources = resources::read(&mut top, &issuer, tokens.format, &clients, profile, report);
        let introspection = Introspection::read(&mut top, tokens.algorithm, &clients, report);
        let users = Users::read(&mut top, &clients, listen.development);
        let auto_approve = users.read_consent(&mut top, listen.development);
        let (store_kind, people) = (store.as_ref(), users.people());
        let around = Around { profile, listen: &listen, limits: &limits, folder, store: store_kind, people };
        let matrix = Matrix::read(&mut top, &around);
        let config = Self {
            issuer,
            listen,
            store: store.unwrap_or(StoreKind::Memory),
            keys,
            tokens,
            revocation,
            limits,
            registration,
            client_authentication,
            authorization,
            sessions,
            dpop,
            status_lists,
            cors,
            token_exchange,
            jwt_bearer,
            device,
            reciprocal,
            introspection,
            resources,
            clients: clients.all,
            users: users.all,
            auto_approve,
            matrix,
        };
        if profile.is_matrix() {
            rules::check(&config, resources_are_written, report);
        }
        config
    }
}

#[derive(Debug, thiserror::Error)]
enum ParseError {
    #[error(transparent)]
    Syntax(#[from] toml::de::Error),
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
}
