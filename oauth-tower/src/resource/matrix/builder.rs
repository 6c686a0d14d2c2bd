//! [`Matrix`]: a resource server that is a homeserver.

use std::{fmt, sync::Arc, time::Duration};

use oauth_core::{
    clock::UnixTime,
    matrix::{ServerName, UserId},
};

use super::{Accounts, Appservice, MatrixJson, MatrixLayer};
use crate::{budget::Budgets, resource::ResourceServer};

/// A homeserver's side of OAuth: whose tokens it takes, who its users are, and how
/// it answers. Clones share everything.
#[derive(Clone)]
pub struct Matrix(pub(super) Arc<Homeserver>);

/// What one homeserver goes by.
pub(super) struct Homeserver {
    pub(super) server: ResourceServer,
    pub(super) name: ServerName,
    pub(super) accounts: Arc<dyn Accounts>,
    pub(super) appservices: Box<[Service]>,
    pub(super) limit: Option<Budgets<UserId>>,
    pub(super) json: MatrixJson,
    pub(super) query_tokens: bool,
    pub(super) user_is: UserIs,
    pub(super) device_optional: bool,
}

/// An application service, and the user it is itself.
pub(super) struct Service {
    pub(super) appservice: Appservice,
    pub(super) sender: UserId,
}

/// Which claim names the user.
#[derive(Clone, Copy, Debug)]
pub(super) enum UserIs {
    Subject,
    Username,
}

/// No accounts yet: [`MatrixBuilder::build`] does not exist.
#[derive(Debug)]
pub struct NoAccounts(());

/// Collects what a [`Matrix`] needs. Made by [`Matrix::builder`].
#[must_use]
pub struct MatrixBuilder<A = NoAccounts> {
    server: ResourceServer,
    name: String,
    accounts: A,
    appservices: Vec<Appservice>,
    limit: Option<Budgets<UserId>>,
    json: MatrixJson,
    query_tokens: bool,
    user_is: UserIs,
    device_optional: bool,
}

/// Why there is no [`Matrix`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MatrixBuildError {
    /// This is no name of a homeserver.
    #[error("`{0}` is no server name")]
    ServerName(String),
    /// The sender of this application service is no localpart.
    #[error("the sender of the application service `{0}` is no localpart")]
    Sender(String),
}

impl Matrix {
    /// Starts with whose tokens are taken, and the name of the homeserver as in user
    /// ids: `example.org`.
    pub fn builder(server: ResourceServer, name: impl Into<String>) -> MatrixBuilder {
        MatrixBuilder {
            server,
            name: name.into(),
            accounts: NoAccounts(()),
            appservices: Vec::new(),
            limit: None,
            json: MatrixJson::default(),
            query_tokens: false,
            user_is: UserIs::Subject,
            device_optional: false,
        }
    }

    /// The layer for routes that need a user. See [`MatrixLayer`].
    pub fn layer(&self) -> MatrixLayer {
        MatrixLayer::new(self.clone())
    }

    /// The name of the homeserver.
    #[must_use]
    pub fn server_name(&self) -> &str {
        self.0.name.as_str()
    }

    /// Whose tokens are taken.
    #[must_use]
    pub fn resource_server(&self) -> &ResourceServer {
        &self.0.server
    }
}

impl Homeserver {
    pub(super) fn now(&self) -> UnixTime {
        self.server.judge.clock.now()
    }
}

impl<A> MatrixBuilder<A> {
    /// Asks these about users, for every request.
    pub fn accounts<T: Accounts>(self, accounts: T) -> MatrixBuilder<Arc<dyn Accounts>> {
        MatrixBuilder {
            server: self.server,
            name: self.name,
            accounts: Arc::new(accounts),
            appservices: self.appservices,
            limit: self.limit,
            json: self.json,
            query_tokens: self.query_tokens,
            user_is: self.user_is,
            device_optional: self.device_optional,
        }
    }

    /// Takes this application service as well. Of two with one token, the first counts.
    pub fn appservice(mut self, appservice: Appservice) -> Self {
        self.appservices.push(appservice);
        self
    }

    /// How many requests a user may send: `requests` at once, and as many again in each
    /// `period` (in whole seconds, rounded up). Beyond it, 429 `M_LIMIT_EXCEEDED` with
    /// `Retry-After` ("Rate limiting"). No limit by default, and none for application services
    /// that are not [`Appservice::rate_limited`].
    ///
    /// Never limit the refresh of tokens like this: a client that gets a 4xx there takes
    /// itself for signed out.
    pub fn limit_users(mut self, requests: u32, period: Duration) -> Self {
        self.limit = Some(Budgets::new(requests, period));
        self
    }

    /// Sends `WWW-Authenticate` along ([`MatrixJson::challenges`]).
    pub const fn challenges(mut self) -> Self {
        self.json = self.json.challenges();
        self
    }

    /// Takes `username` of an introspection response for the localpart, as homeservers
    /// do that have an authentication service beside them; a token without it is the
    /// servers' mistake, and 500. By default `sub` is the localpart.
    pub const fn user_from_username(mut self) -> Self {
        self.user_is = UserIs::Username;
        self
    }

    /// Takes tokens that name no device; [`Session::device`](super::Session::device) is
    /// `None` for them. By default they are refused.
    pub const fn device_optional(mut self) -> Self {
        self.device_optional = true;
        self
    }

    /// Takes a token from the query (`?access_token=`) where there is no `Authorization`
    /// header. Specification 1.11 deprecated it, and 1.20 does away with it: it ends up in logs
    /// and histories (RFC 9700 section 4.3.2). Only for clients that can do no better.
    pub const fn insecure_query_tokens(mut self) -> Self {
        self.query_tokens = true;
        self
    }
}

impl MatrixBuilder<Arc<dyn Accounts>> {
    /// The homeserver's side. Without accounts there is none:
    /// [`EveryAccount`](super::EveryAccount) is for those who have nothing to say.
    ///
    /// # Errors
    /// [`MatrixBuildError`] if a name is none.
    pub fn build(self) -> Result<Matrix, MatrixBuildError> {
        let name = ServerName::new(&self.name).map_err(|_| MatrixBuildError::ServerName(self.name))?;
        let service = |appservice: Appservice| match appservice.sender(&name) {
            Some(sender) => Ok(Service { appservice, sender }),
            None => Err(MatrixBuildError::Sender(appservice.id().to_string())),
        };
        let appservices = self.appservices.into_iter().map(service).collect::<Result<_, _>>()?;
        Ok(Matrix(Arc::new(Homeserver {
            server: self.server,
            name,
            accounts: self.accounts,
            appservices,
            limit: self.limit,
            json: self.json,
            query_tokens: self.query_tokens,
            user_is: self.user_is,
            device_optional: self.device_optional,
        })))
    }
}

impl fmt::Debug for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Matrix").field("server_name", &self.0.name).finish_non_exhaustive()
    }
}

impl<A> fmt::Debug for MatrixBuilder<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MatrixBuilder").field("server_name", &self.name).finish_non_exhaustive()
    }
}
