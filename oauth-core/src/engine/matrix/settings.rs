//! What the profile keeps, and what a server needs to be one of Matrix.

use std::{fmt, sync::Arc};

use super::Homeserver;
use crate::{
    client::{Client, GrantType},
    engine::fault::Fault,
    matrix::{ServerName, UserId},
    scope::Scope,
    secret::Secret,
    server::AuthorizationServer,
};

/// What `account_management_actions_supported` says ("Account management"): the names of
/// the specification, and those of the proposal, which clients in the field still look for.
const ACTIONS: [&str; 6] = [
    "org.matrix.devices_list",
    "org.matrix.device_view",
    "org.matrix.device_delete",
    "org.matrix.sessions_list",
    "org.matrix.session_view",
    "org.matrix.session_end",
];

/// The settings of [`profile::Matrix`](crate::profile::Matrix).
#[derive(Clone)]
pub(crate) struct MatrixSettings {
    pub(crate) server_name: String,
    /// Whether the homeserver supports the OAuth 2.0 API.
    pub(crate) api: bool,
    pub(crate) account_path: Option<String>,
    pub(crate) introspection_secret: Option<Secret>,
    pub(crate) homeserver: Option<Arc<dyn Homeserver>>,
}

impl MatrixSettings {
    /// The setting that is wrong, and why.
    pub(crate) fn mistake(&self) -> Option<(&'static str, &'static str)> {
        if ServerName::new(&self.server_name).is_err() {
            return Some(("matrix.server_name", "is no name of a homeserver"));
        }
        let path = self.account_path.as_deref().unwrap_or("/");
        if !path.starts_with('/') || path.contains(['?', '#']) {
            return Some(("matrix.account_page", "must start with `/` and hold no `?` or `#`"));
        }
        None
    }

    /// Who `subject` is on the homeserver; `None` if that is no localpart.
    pub(crate) fn user(&self, subject: &str) -> Option<UserId> {
        UserId::new(subject, &self.server_name).ok()
    }

    /// The grants of `client`, with refresh tokens wherever a person grants something: a
    /// server "MUST issue a refresh token" ("Refresh token grant").
    pub(crate) fn complete(grant_types: &mut Vec<GrantType>) {
        let lasting = [GrantType::AUTHORIZATION_CODE, GrantType::DEVICE_CODE];
        let lasts = grant_types.iter().any(|grant| lasting.contains(grant));
        if lasts && !grant_types.contains(&GrantType::REFRESH_TOKEN) {
            grant_types.push(GrantType::REFRESH_TOKEN);
        }
    }

    /// A client that was configured, as it is here.
    pub(crate) fn completed(mut client: Client) -> Client {
        Self::complete(&mut client.grant_types);
        client
    }

    /// The scopes that everybody may register for.
    pub(crate) fn scope() -> Scope {
        let both = [crate::matrix::API, crate::matrix::UNSTABLE_API].join(" ");
        both.parse().unwrap_or_default()
    }

    /// The actions of the account page.
    pub(crate) const fn actions() -> [&'static str; 6] {
        ACTIONS
    }
}

impl AuthorizationServer {
    /// Whether this server has the profile of Matrix
    /// ([`profile::Matrix`](crate::profile::Matrix)).
    #[must_use]
    pub fn is_matrix(&self) -> bool {
        self.matrix().is_some()
    }

    /// The path of the page where people manage their devices, if it is advertised: the
    /// issuer's own path is part of it.
    #[must_use]
    pub fn account_path(&self) -> Option<String> {
        let path = self.matrix()?.account_path.as_deref()?;
        Some(format!("{}{path}", self.issuer_path()))
    }

    /// Who `subject` is on the homeserver; `None` if this is no server of Matrix, or that is no
    /// localpart.
    #[must_use]
    pub fn matrix_user(&self, subject: &str) -> Option<UserId> {
        self.matrix()?.user(subject)
    }

    /// Tells [`events`](crate::server::AuthorizationServerBuilder::events) of a failure of something
    /// that the host drives.
    pub fn report(&self, fault: &Fault) {
        fault.tell_to(self);
    }

    /// `account_management_uri`.
    pub(crate) fn account_management_uri(&self) -> Option<String> {
        let path = self.matrix()?.account_path.as_deref()?;
        Some(format!("{}{path}", self.issuer()))
    }
}

impl fmt::Debug for MatrixSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MatrixSettings").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}
