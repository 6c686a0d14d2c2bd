//! [`Unrecognized`]: what answers where there is nothing.

use std::{
    convert::Infallible,
    fmt,
    future::{Ready, ready},
    marker::PhantomData,
    task::{Context, Poll},
};

use http::{Method, Request, Response};
use tower::Service;

use super::{MatrixError, cors};

/// A service for where there is no endpoint: 404 `M_UNRECOGNIZED`; or where there is none for
/// the method: 405 ("Common error codes"). `OPTIONS` is answered as everywhere.
///
/// In axum: `router.fallback_service(Unrecognized::path())`.
pub struct Unrecognized<RB> {
    is_method: bool,
    body: PhantomData<fn() -> RB>,
}

impl<RB> Unrecognized<RB> {
    /// There is no such path.
    #[must_use]
    pub const fn path() -> Self {
        Self { is_method: false, body: PhantomData }
    }

    /// There is, and not for this method.
    #[must_use]
    pub const fn method() -> Self {
        Self { is_method: true, body: PhantomData }
    }
}

impl<B, RB: From<String>> Service<Request<B>> for Unrecognized<RB> {
    type Response = Response<RB>;
    type Error = Infallible;
    type Future = Ready<Result<Response<RB>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if *request.method() == Method::OPTIONS {
            return ready(Ok(cors::preflight(RB::from(String::new()))));
        }
        let error = if self.is_method { MatrixError::unrecognized_method() } else { MatrixError::unrecognized() };
        ready(Ok(error.response()))
    }
}

impl<RB> Clone for Unrecognized<RB> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<RB> fmt::Debug for Unrecognized<RB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unrecognized").field("is_method", &self.is_method).finish()
    }
}
