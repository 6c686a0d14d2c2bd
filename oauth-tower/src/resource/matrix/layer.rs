//! [`MatrixLayer`]: what a route of the client-server API is open to.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use http::{Method, Request, Response};
use tower::{Layer, Service};

use super::{Matrix, MatrixError, Session, admit::Admitted, cors};
use crate::resource::{Policy, ValidatedToken, ready};

/// Protects a service: only requests of a user reach it, with an `Arc<`[`Session`]`>` in their
/// extensions, and an `Arc<`[`ValidatedToken`]`>` where there is a token. Made by [`Matrix::layer`].
///
/// It answers `OPTIONS` by itself and adds the CORS headers to every response, its own refusals
/// and those of the service among them ("Web Browser Clients").
///
/// ```
/// use oauth_tower::resource::matrix::Matrix;
/// # fn layers(matrix: &Matrix) {
/// let whoami = matrix.layer().allow_guests().allow_suspended();
/// let logout = matrix.layer().allow_locked().allow_suspended();
/// let join = matrix.layer();
/// let versions = matrix.layer().optional();
/// # drop((whoami, logout, join, versions));
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct MatrixLayer {
    matrix: Matrix,
    marks: Marks,
}

/// What a route is marked for.
#[derive(Clone, Debug)]
pub(super) struct Marks {
    pub(super) locked: bool,
    pub(super) suspended: bool,
    pub(super) guests: bool,
    pub(super) optional: bool,
    pub(super) masquerade: bool,
    pub(super) appservices_only: bool,
    pub(super) policy: Option<Arc<Policy>>,
}

impl MatrixLayer {
    pub(super) const fn new(matrix: Matrix) -> Self {
        let marks = Marks {
            locked: false,
            suspended: false,
            guests: false,
            optional: false,
            masquerade: true,
            appservices_only: false,
            policy: None,
        };
        Self { matrix, marks }
    }

    /// Open to locked accounts: `POST /logout` and `/logout/all`, and no others ("Account
    /// locking").
    pub const fn allow_locked(mut self) -> Self {
        self.marks.locked = true;
        self
    }

    /// Open to suspended accounts: syncing and reading, verification, key backup, leaving,
    /// signing out ("Account suspension").
    pub const fn allow_suspended(mut self) -> Self {
        self.marks.suspended = true;
        self
    }

    /// Open to guests: what the list in "Guest access" has.
    pub const fn allow_guests(mut self) -> Self {
        self.marks.guests = true;
        self
    }

    /// Open to anybody: without a token a request has no [`Session`]. One with a bad token is
    /// refused all the same.
    pub const fn optional(mut self) -> Self {
        self.marks.optional = true;
        self
    }

    /// `user_id` and `device_id` in the query are the endpoint's own parameters: an
    /// application service is its sender here.
    pub const fn without_masquerade(mut self) -> Self {
        self.marks.masquerade = false;
        self
    }

    /// Closed to access tokens of the OAuth 2.0 API, which gets 403 `M_FORBIDDEN`: for endpoints that
    /// need user-interactive authentication ("OAuth 2.0 API"), such as `DELETE /devices/{deviceId}`. Those
    /// that the stage `m.oauth` opens have [`OauthStage`](super::OauthStage).
    pub const fn appservices_only(mut self) -> Self {
        self.marks.appservices_only = true;
        self
    }

    /// Asks for scope beyond `urn:matrix:client:api:*`, and is closed to application services.
    ///
    /// # Panics
    /// If `scope` is not a scope: it is part of the program, not of a request.
    pub fn require_scope(self, scope: &str) -> Self {
        self.require(Policy::new().scope(scope))
    }

    /// Asks for all that `policy` does, and is closed to application services. Called again, it
    /// asks for that as well.
    pub fn require(mut self, policy: impl Into<Policy>) -> Self {
        let before = self.marks.policy.take().map_or_else(Policy::new, |policy| (*policy).clone());
        self.marks.policy = Some(Arc::new(before.and(policy.into())));
        self
    }

    /// Decides on a request, and tells the service of it.
    async fn admit<B>(&self, request: Request<B>) -> Result<(Request<B>, http::HeaderMap), MatrixError> {
        let (mut parts, body) = request.into_parts();
        // An outer layer's are for another audience.
        parts.extensions.remove::<Arc<Session>>();
        parts.extensions.remove::<Arc<ValidatedToken>>();
        let Admitted { session, headers } = self.matrix.0.admit(&self.marks, &parts).await?;
        match session {
            Some(session) => {
                if let Some(token) = session.token() {
                    parts.extensions.insert(Arc::clone(token));
                }
                parts.extensions.insert(Arc::new(session));
            }
            None => self.matrix.0.server.layer().let_pass(&mut parts.extensions),
        }
        Ok((Request::from_parts(parts, body), headers))
    }
}

impl<S> Layer<S> for MatrixLayer {
    type Service = MatrixService<S>;

    fn layer(&self, inner: S) -> MatrixService<S> {
        MatrixService { inner, layer: self.clone() }
    }
}

/// A service that only requests of a user reach. Made by [`MatrixLayer`].
#[derive(Clone, Debug)]
pub struct MatrixService<S> {
    inner: S,
    layer: MatrixLayer,
}

/// The response of the service, or a refusal.
pub struct MatrixFuture<RB, E>(BoxFuture<'static, Result<Response<RB>, E>>);

impl<S, B, RB> Service<Request<B>> for MatrixService<S>
where
    S: Service<Request<B>, Response = Response<RB>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    RB: From<String>,
{
    type Response = Response<RB>;
    type Error = S::Error;
    type Future = MatrixFuture<RB, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut inner, layer) = (ready::take(&mut self.inner), self.layer.clone());
        MatrixFuture(Box::pin(async move {
            if *request.method() == Method::OPTIONS {
                return Ok(cors::preflight(RB::from(String::new())));
            }
            match layer.admit(request).await {
                Ok((request, headers)) => {
                    let mut response = inner.call(request).await?;
                    response.headers_mut().extend(headers);
                    cors::allow(response.headers_mut());
                    Ok(response)
                }
                Err(error) => Ok(error.response()),
            }
        }))
    }
}

impl<RB, E> Future for MatrixFuture<RB, E> {
    type Output = Result<Response<RB>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl<RB, E> fmt::Debug for MatrixFuture<RB, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MatrixFuture(..)")
    }
}
