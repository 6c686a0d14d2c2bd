//! A small homeserver: about ten endpoints of the client-server API, each behind the layer with
//! the marks that the specification gives it. What its rooms would say is not its concern.

mod accounts_file;
pub mod admin;
mod endpoints;
pub mod local;
mod marks;
mod members;
mod moderation;
mod path;
pub mod remote;
mod users;

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use axum::{
    Router,
    routing::{delete, get, post},
};
use oauth_axum_rs::{
    Secret,
    matrix::{Cors, DeviceId, Matrix, OauthStage, UserId, unrecognized_method, unrecognized_path},
};
use serde_json::Value;

pub use self::{
    members::Members,
    users::{AccountsFileError, NotChanged, User, Users},
};

/// A homeserver. Clones share everything.
#[derive(Clone)]
pub struct Homeserver {
    matrix: Matrix,
    users: Users,
    metadata: Option<Arc<Value>>,
    sign_out: Option<SignOut>,
    stage: Option<Arc<OauthStage>>,
    /// Whether the authorization server of this process answers for the metadata.
    metadata_elsewhere: bool,
}

/// A session that its user ends, by the token that it was asked with.
#[derive(Debug)]
pub struct Ending {
    /// Whose.
    pub user: UserId,
    /// The device that the request is of.
    pub device: Option<DeviceId>,
    /// The token of the request.
    pub token: Secret,
    /// All sessions of the user, and not this one alone.
    pub all: bool,
}

/// Ends sessions; an error is a store that cannot be asked.
pub type SignOut = Arc<dyn Fn(Ending) -> Pin<Box<dyn Future<Output = Result<(), Unavailable>> + Send>> + Send + Sync>;

/// What cannot be done now.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("this cannot be done now")]
pub struct Unavailable;

impl fmt::Debug for Homeserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Homeserver").field("matrix", &self.matrix).finish_non_exhaustive()
    }
}

impl Homeserver {
    /// One with these users, who must be the accounts of `matrix`.
    #[must_use]
    pub const fn new(matrix: Matrix, users: Users) -> Self {
        Self { matrix, users, metadata: None, sign_out: None, stage: None, metadata_elsewhere: false }
    }

    /// Supports the OAuth 2.0 API: `metadata` are those of the authorization server.
    #[must_use]
    pub fn oauth(mut self, metadata: Value) -> Self {
        self.metadata = Some(Arc::new(metadata));
        self
    }

    /// Leaves `auth_metadata` to the authorization server, whose router is merged with this one.
    #[must_use]
    pub const fn metadata_elsewhere(mut self) -> Self {
        self.metadata_elsewhere = true;
        self
    }

    /// Ends sessions by `POST /logout`. Without this there is no such endpoint: clients revoke their
    /// tokens at the authorization server, wherever that is.
    #[must_use]
    pub fn sign_out(mut self, sign_out: SignOut) -> Self {
        self.sign_out = Some(sign_out);
        self
    }

    /// Lets users replace their cross-signing keys once they have said so where `stage` sends them.
    /// Without this, nobody can.
    #[must_use]
    pub fn cross_signing(mut self, stage: Arc<OauthStage>) -> Self {
        self.stage = Some(stage);
        self
    }

    /// Everything under `/_matrix/client`. No path is known outside of it, so that it can be merged
    /// with other routers; [`Homeserver::app`] is for where it is alone.
    pub fn router(&self) -> Router {
        let any = || self.matrix.layer().allow_guests().allow_suspended();
        let sign_out = || self.matrix.layer().allow_locked().allow_suspended();
        let mut router = Router::new()
            .route("/_matrix/client/versions", get(endpoints::versions).layer(any().optional()))
            .route("/_matrix/client/v3/account/whoami", get(endpoints::whoami).layer(any()))
            // "Guest access" does not list it.
            .route("/_matrix/client/v3/capabilities", {
                get(endpoints::capabilities).layer(self.matrix.layer().allow_suspended())
            })
            .route("/_matrix/client/v3/sync", get(endpoints::sync).layer(any()))
            // "Account suspension": no joining.
            .route("/_matrix/client/v3/join/{room}", {
                post(endpoints::join).layer(self.matrix.layer().allow_guests())
            })
            .route("/_matrix/client/v3/keys/device_signing/upload", {
                post(endpoints::upload_keys).layer(self.matrix.layer().allow_suspended())
            })
            // User-interactive authentication, which only application services are spared.
            .route("/_matrix/client/v3/devices/{device}", {
                delete(endpoints::delete_device).layer(self.matrix.layer().appservices_only())
            })
            .merge(moderation::router(&self.matrix));
        if !self.metadata_elsewhere {
            router = router
                .route("/_matrix/client/v1/auth_metadata", get(endpoints::auth_metadata))
                .route("/_matrix/client/unstable/org.matrix.msc2965/auth_metadata", get(endpoints::auth_metadata));
        }
        if self.sign_out.is_some() {
            router = router
                .route("/_matrix/client/v3/logout", post(endpoints::logout).layer(sign_out()))
                .route("/_matrix/client/v3/logout/all", post(endpoints::logout_all).layer(sign_out()));
        }
        router.method_not_allowed_fallback(unrecognized_method).layer(Cors).with_state(self.clone())
    }

    /// The same, and `M_UNRECOGNIZED` for whatever is not there.
    pub fn app(&self) -> Router {
        Router::new().fallback(unrecognized_path).layer(Cors).merge(self.router())
    }
}
