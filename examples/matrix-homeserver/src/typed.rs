//! Ruma's types for axum.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, OptionalFromRequestParts, Path, Request},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bytes::BytesMut;
use oauth_axum_rs::matrix::{MatrixError, MatrixRejection};
use ruma::api::{
    IncomingRequest, OutgoingResponse,
    error::{DeserializationError, FromHttpRequestError},
};
use tokio::time::timeout;

/// How long a client may take to send a request.
const SLOWEST: Duration = Duration::from_secs(30);

/// A request of ruma's as the last argument of a handler, or a response of ruma's as its answer.
///
/// The parts of the path are taken in the order in which the route names them. How large the content may
/// be is said by axum's `DefaultBodyLimit`.
///
/// # Rejections
///
/// As Matrix says them: 400 `M_NOT_JSON`, `M_BAD_JSON` or `M_INVALID_PARAM`, 408, and 413 `M_TOO_LARGE`.
pub(crate) struct Ruma<T>(pub(crate) T);

impl<T: IncomingRequest, S: Send + Sync> FromRequest<S> for Ruma<T> {
    type Rejection = MatrixRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, MatrixRejection> {
        let (mut parts, body) = request.into_parts();
        let path = <Path<Vec<String>> as OptionalFromRequestParts<S>>::from_request_parts(&mut parts, state).await;
        let path = path.map_err(|_| bad("M_INVALID_PARAM", "a part of the path is not UTF-8"))?;
        let body = content(Request::from_parts(parts.clone(), body), state).await?;
        let path = path.map(|Path(path)| path).unwrap_or_default();
        T::try_from_http_request(Request::from_parts(parts, body), &path)
            .map(Self)
            .map_err(|error| wrong(&error).into())
    }
}

impl<T: OutgoingResponse> IntoResponse for Ruma<T> {
    fn into_response(self) -> Response {
        match self.0.try_into_http_response::<BytesMut>() {
            Ok(response) => response.map(|body| Body::from(body.freeze())),
            Err(_) => MatrixError::internal().response(),
        }
    }
}

async fn content<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, MatrixError> {
    let slow = |_| MatrixError::new(StatusCode::REQUEST_TIMEOUT, "M_UNKNOWN", "the request took too long");
    let body = timeout(SLOWEST, Bytes::from_request(request, state)).await.map_err(slow)?;
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            MatrixError::new(StatusCode::PAYLOAD_TOO_LARGE, "M_TOO_LARGE", "the content is too large")
        }
        _ => bad("M_NOT_JSON", "the content cannot be read"),
    })
}

/// What ruma says against a request. It quotes from it in its own words, so they are left out.
fn wrong(error: &FromHttpRequestError) -> MatrixError {
    match error {
        FromHttpRequestError::MethodMismatch { .. } => MatrixError::unrecognized_method(),
        FromHttpRequestError::Deserialization(DeserializationError::Json(error)) if error.is_data() => {
            bad("M_BAD_JSON", "the content is not what this endpoint takes")
        }
        FromHttpRequestError::Deserialization(DeserializationError::Json(_)) => {
            bad("M_NOT_JSON", "the content is no JSON")
        }
        _ => bad("M_INVALID_PARAM", "a parameter is not what this endpoint takes"),
    }
}

fn bad(errcode: &'static str, error: &'static str) -> MatrixError {
    MatrixError::new(StatusCode::BAD_REQUEST, errcode, error)
}
