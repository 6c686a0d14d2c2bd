//! Matrix: the session as an argument of a handler, and errors as Matrix says them.
//!
//! ```
//! # #[cfg(feature = "client")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use axum::{Router, routing::{get, post}};
//! use oauth_axum_rs::{Issuer, ResourceServer};
//! use oauth_axum_rs::matrix::{Cors, EveryAccount, Matrix, MatrixError, MatrixRejection, MatrixSession};
//! use oauth_axum_rs::matrix::{unrecognized_method, unrecognized_path};
//!
//! async fn whoami(session: MatrixSession) -> String {
//!     format!(r#"{{"user_id":"{}"}}"#, session.user())
//! }
//!
//! async fn join(session: MatrixSession) -> Result<String, MatrixRejection> {
//!     Err(MatrixError::forbidden(format!("{} is not invited", session.user())).into())
//! }
//!
//! let api = ResourceServer::builder("https://matrix.example.org").issuer(Issuer::jwt("https://as.example")).build()?;
//! let matrix = Matrix::builder(api, "example.org").accounts(EveryAccount).build()?;
//! let app: Router = Router::new()
//!     .route("/_matrix/client/v3/account/whoami", get(whoami).layer(matrix.layer().allow_guests().allow_suspended()))
//!     .route("/_matrix/client/v3/join/{room}", post(join).layer(matrix.layer()))
//!     .fallback(unrecognized_path)
//!     .method_not_allowed_fallback(unrecognized_method)
//!     .layer(Cors);
//! # drop(app);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "client"))]
//! # fn main() {}
//! ```

use std::{fmt, ops::Deref, sync::Arc};

use axum::{
    body::Body,
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::request::Parts;
pub use oauth_core::matrix::{DeviceId, UserId};
use oauth_tower::resource::Anonymous;
pub use oauth_tower::resource::matrix::*;

/// Who sends the request: user and device, as a [`MatrixLayer`] has found them.
///
/// `Option<MatrixSession>` is `None` where the layer is optional and the request has no
/// token; a bad token never gets this far.
///
/// # Rejections
///
/// [`MatrixRejection`]: 500 where no layer has seen the request, 401 `M_MISSING_TOKEN` where an
/// optional layer let it pass without a token.
#[derive(Clone, Debug)]
pub struct MatrixSession(Arc<Session>);

impl MatrixSession {
    /// The session, shared.
    #[must_use]
    pub fn into_inner(self) -> Arc<Session> {
        self.0
    }

    fn find(parts: &Parts) -> Option<Self> {
        parts.extensions.get::<Arc<Session>>().map(|session| Self(Arc::clone(session)))
    }
}

impl Deref for MatrixSession {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for MatrixSession {
    type Rejection = MatrixRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MatrixRejection> {
        let absent = || if is_anonymous(parts) { MatrixError::missing_token() } else { MatrixError::internal() };
        Self::find(parts).ok_or_else(|| absent().into())
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for MatrixSession {
    type Rejection = MatrixRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, MatrixRejection> {
        match Self::find(parts) {
            Some(session) => Ok(Some(session)),
            // Without a layer, `None` would pass a bad token off as no token.
            None if is_anonymous(parts) => Ok(None),
            None => Err(MatrixError::internal().into()),
        }
    }
}

fn is_anonymous(parts: &Parts) -> bool {
    parts.extensions.get::<Anonymous>().is_some()
}

/// A [`MatrixError`] as the answer of a handler.
#[derive(Clone)]
pub struct MatrixRejection(MatrixError);

impl MatrixRejection {
    /// The error.
    #[must_use]
    pub const fn error(&self) -> &MatrixError {
        &self.0
    }
}

impl From<MatrixError> for MatrixRejection {
    fn from(error: MatrixError) -> Self {
        Self(error)
    }
}

impl IntoResponse for MatrixRejection {
    fn into_response(self) -> Response {
        self.0.response::<Body>()
    }
}

/// The fallback of a router: 404 `M_UNRECOGNIZED`.
#[expect(clippy::unused_async, reason = "a handler")]
pub async fn unrecognized_path() -> MatrixRejection {
    MatrixError::unrecognized().into()
}

/// The fallback for methods: 405 `M_UNRECOGNIZED`.
#[expect(clippy::unused_async, reason = "a handler")]
pub async fn unrecognized_method() -> MatrixRejection {
    MatrixError::unrecognized_method().into()
}

impl fmt::Display for MatrixRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for MatrixRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::error::Error for MatrixRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
