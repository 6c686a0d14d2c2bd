//! Tokens in the content of a form (OAuth 2.1 section 7.2.1.2), for clients
//! that cannot set a header.
//!
//! Two halves. A layer outside reads the form and leaves what it found in the
//! extensions of the request; the resource server inside judges it. The type
//! that goes between them is private, so nobody else can leave anything.

mod future;
mod read;
mod service;

use std::{sync::Arc, time::Duration};

use http::{Extensions, HeaderMap, header::AUTHORIZATION};
use oauth_core::secret::Secret;
use tower::Layer;

pub use self::{future::FormTokenFuture, read::UnreadableContent, service::FormTokenService};
use super::{
    EmptyBody, InvalidRequest, InvalidToken, Refusal, RefusalKind, ResourceServer, ResourceServerBuilder,
    credentials::has_token,
    validate::{Check, Judge},
};

impl<I> ResourceServerBuilder<I> {
    /// Accepts tokens in the content of a form as well as in the header, and
    /// says so in the metadata (`bearer_methods_supported`). A
    /// [`FormTokenLayer`] must stand outside the layer: see there.
    ///
    /// OAuth 2.1 section 7.2.1.2 advises against it where a client can set a
    /// header.
    pub fn form_tokens(self) -> Self {
        self.with(|settings| settings.form_tokens = true)
    }
}

impl ResourceServer {
    /// The layer that finds tokens in forms. See [`FormTokenLayer`].
    pub fn form_token_layer(&self) -> FormTokenLayer {
        FormTokenLayer {
            server: self.clone(),
            limit: FormTokenLayer::DEFAULT_LIMIT,
            timeout: FormTokenLayer::DEFAULT_TIMEOUT,
            render: Arc::new(EmptyBody),
        }
    }
}

/// Finds the field `access_token` in forms, for the
/// [`ResourceLayer`](super::ResourceLayer) inside. Made by
/// [`ResourceServer::form_token_layer`].
///
/// ```
/// # #[cfg(feature = "client")]
/// # fn main() -> Result<(), oauth_tower::resource::BuildError> {
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use oauth_tower::resource::{Issuer, ResourceServer};
/// use std::convert::Infallible;
/// use tower::ServiceBuilder;
///
/// async fn post(request: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
///     Ok(Response::new(request.into_body()))
/// }
///
/// let api = ResourceServer::builder("https://api.example")
///     .issuer(Issuer::jwt("https://as.example"))
///     .form_tokens()
///     .build()?;
/// let service = ServiceBuilder::new()
///     .layer(api.form_token_layer().limit(4096)) // outside
///     .layer(api.layer())
///     .service_fn(post);
/// # drop(service);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "client"))]
/// # fn main() {}
/// ```
///
/// Only a request whose one `Content-Type` is
/// `application/x-www-form-urlencoded`, and whose method gives content a
/// meaning (not GET, HEAD, DELETE, OPTIONS, TRACE or CONNECT), is read. It is
/// read whole before the service is called, which then gets the very same
/// bytes; trailers are dropped. All other requests pass untouched, and so does
/// everything if [`ResourceServerBuilder::form_tokens`] was not called.
///
/// | Answer | When |
/// |---|---|
/// | 413 | the form is longer than [`FormTokenLayer::limit`] |
/// | 408 | it is not there within [`FormTokenLayer::timeout`] |
/// | 400 | it cannot be read: the client went away |
/// | 400 `invalid_request` | `access_token` is there twice, or is no token; or the form has one and is not ASCII; or there is an `Authorization` header or a token in the query as well |
///
/// The first three come from this layer, the last from the resource server
/// inside, which treats a good token as if it had come in the header: where
/// this layer is missing, a token in a form is no credential.
/// [`ResourceServer::validate`] finds it only behind this layer.
///
/// The body has to be made from bytes: `axum::body::Body` and `Full<Bytes>`
/// can be, hyper's `Incoming` cannot. A form that is not there at once is
/// waited for with tokio's timer.
#[derive(Clone, Debug)]
#[must_use]
pub struct FormTokenLayer<R = EmptyBody> {
    server: ResourceServer,
    limit: usize,
    timeout: Duration,
    render: Arc<R>,
}

impl FormTokenLayer {
    /// How long a form may be: 64 KiB.
    pub const DEFAULT_LIMIT: usize = 64 * 1024;

    /// How long a form may take: 10 seconds.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
}

impl<R> FormTokenLayer<R> {
    /// How many bytes a form may have: [`FormTokenLayer::DEFAULT_LIMIT`] unless
    /// you say otherwise. It is kept in memory before anybody knows who sent it.
    pub const fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// How long a form may take to arrive: [`FormTokenLayer::DEFAULT_TIMEOUT`]
    /// unless you say otherwise.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Answers requests whose form cannot be read by `render`.
    pub fn render_with<T>(self, render: T) -> FormTokenLayer<T> {
        FormTokenLayer { server: self.server, limit: self.limit, timeout: self.timeout, render: Arc::new(render) }
    }

    fn refuse(&self, reason: UnreadableContent) -> Refusal {
        Refusal::new(RefusalKind::UnreadableContent(reason), Arc::clone(&self.server.judge.terms))
    }
}

impl<S, R> Layer<S> for FormTokenLayer<R> {
    type Service = FormTokenService<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        let layer = Self { server: self.server.clone(), render: Arc::clone(&self.render), ..*self };
        FormTokenService::new(inner, Arc::new(layer))
    }
}

/// What a form says of who sends it.
#[derive(Clone, Debug)]
struct FormToken(Result<Secret, InvalidRequest>);

impl Judge {
    /// Judges the token of a form, if there is one.
    pub(super) fn check_form(
        self: &Arc<Self>,
        headers: &HeaderMap,
        query: Option<&str>,
        extensions: Option<&Extensions>,
    ) -> Option<Check> {
        let extensions = extensions.filter(|_| self.form_tokens)?;
        let FormToken(found) = extensions.get()?;
        Some(match found {
            // RFC 6750 section 2: clients "MUST NOT use more than one method".
            _ if headers.contains_key(AUTHORIZATION) || query.is_some_and(has_token) => {
                self.at_once(Err(RefusalKind::InvalidRequest(InvalidRequest::SeveralTokens)))
            }
            Ok(_) if !self.serves_bearer => self.at_once(Err(InvalidToken::BearerUnserved.into())),
            Ok(token) => self.check_token(token.expose().as_bytes(), Some(extensions)),
            Err(reason) => self.at_once(Err(RefusalKind::InvalidRequest(*reason))),
        })
    }
}
