//! The one part of a path that varies.

use axum::{
    extract::{FromRequestParts, Path},
    http::{StatusCode, request::Parts},
};
use oauth_axum_rs::matrix::{MatrixError, MatrixRejection};

/// A room, a user, a device. What is not UTF-8 is refused as everything here is.
pub(super) struct Named(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = MatrixRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, MatrixRejection> {
        let bad = |_| MatrixError::new(StatusCode::BAD_REQUEST, "M_INVALID_PARAM", "a part of the path is not UTF-8");
        let Path(name) = Path::from_request_parts(parts, state).await.map_err(bad)?;
        Ok(Self(name))
    }
}
