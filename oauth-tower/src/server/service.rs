//! The services: all endpoints by their paths, and each alone.

use std::{
    convert::Infallible,
    error::Error,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use oauth_core::{endpoint::RemoteAddress, server::AuthorizationServer};
use tower::Service;

use super::{
    body::{self, Unreadable},
    cors::{self, Cors},
    endpoints::Endpoint,
    future::ResponseFuture,
};
use crate::proxy::ClientAddress;

/// The most bytes a request body may have, unless set otherwise: 64 KiB.
pub const DEFAULT_BODY_LIMIT: usize = 64 * 1024;

/// Every endpoint of an authorization server, found by path. Any other path
/// is 404. See the [module documentation](super) for an example.
#[derive(Clone, Debug)]
pub struct AuthorizationServerService {
    server: AuthorizationServer,
    settings: Settings,
}

#[derive(Clone, Debug)]
struct Settings {
    body_limit: usize,
    /// Shared: it is large, and each request has the settings.
    cors: Option<Arc<Cors>>,
}

impl AuthorizationServerService {
    /// The endpoints of `server`.
    #[must_use]
    pub const fn new(server: AuthorizationServer) -> Self {
        Self { server, settings: Settings { body_limit: DEFAULT_BODY_LIMIT, cors: None } }
    }

    /// Sets the most bytes a request body may have; a longer one is 413.
    #[must_use]
    pub const fn body_limit(mut self, bytes: usize) -> Self {
        self.settings.body_limit = bytes;
        self
    }

    /// Lets scripts of other origins call the endpoints that apps in browsers
    /// need; without this, none but the metadata and the keys.
    #[must_use]
    pub fn cors(mut self, cors: Cors) -> Self {
        self.settings.cors = Some(Arc::new(cors));
        self
    }

    /// One endpoint alone, for a router of your own or a listener that serves
    /// nothing else.
    #[must_use]
    pub fn endpoint(&self, endpoint: Endpoint) -> EndpointService {
        EndpointService { server: self.server.clone(), endpoint, settings: self.settings.clone() }
    }

    /// Each endpoint with its path, for a router.
    pub fn routes(&self) -> impl Iterator<Item = (String, EndpointService)> {
        let routes = Endpoint::routes(self.server.issuer_path());
        routes
            .filter(|(_, endpoint)| endpoint.is_of(&self.server))
            .map(|(path, endpoint)| (path, self.endpoint(endpoint)))
    }
}

impl<B> Service<Request<B>> for AuthorizationServerService
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        let endpoint = Endpoint::at(request.uri().path(), self.server.issuer_path());
        match endpoint.filter(|endpoint| endpoint.is_of(&self.server)) {
            Some(endpoint) => {
                ResponseFuture::new(answer(self.server.clone(), endpoint, self.settings.clone(), request))
            }
            None => ResponseFuture::new(std::future::ready(not_found())),
        }
    }
}

/// One endpoint of an authorization server, at whatever path it is put; made
/// by [`AuthorizationServerService::endpoint`].
///
/// What the server says about itself, its metadata first, assumes the paths
/// of [`Endpoint::routes`].
#[derive(Clone, Debug)]
pub struct EndpointService {
    server: AuthorizationServer,
    endpoint: Endpoint,
    settings: Settings,
}

impl<B> Service<Request<B>> for EndpointService
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        ResponseFuture::new(answer(self.server.clone(), self.endpoint, self.settings.clone(), request))
    }
}

/// The answer of `endpoint` to `request`.
fn answer<B>(
    server: AuthorizationServer,
    endpoint: Endpoint,
    settings: Settings,
    request: Request<B>,
) -> impl Future<Output = Response<Bytes>>
where
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let (parts, body) = request.into_parts();
    let mut request = Request::from_parts(parts, Bytes::new());
    // What failures to authenticate are counted by. One that the host has put
    // there is a better one.
    let extensions = request.extensions_mut();
    if let (None, Some(address)) = (RemoteAddress::of(extensions), ClientAddress::of(extensions)) {
        extensions.insert(RemoteAddress(address));
    }
    // A block, since an `async` function has room for its arguments twice; and what is
    // big or rare is boxed. So this future is small enough to be cheap to allocate.
    async move {
        let unreadable = match body::collect(body, settings.body_limit).await {
            Ok(body) => {
                *request.body_mut() = body;
                None
            }
            Err(unreadable) => Some(unreadable),
        };
        match cors::layer_of(&server, endpoint, settings.cors.as_deref()) {
            None => handle(&server, endpoint, unreadable, &request).await,
            Some(layer) => {
                let server = &server;
                let handle = async move |request| handle(server, endpoint, unreadable, &request).await;
                Box::pin(cors::around(layer, request, handle)).await
            }
        }
    }
}

async fn handle(
    server: &AuthorizationServer,
    endpoint: Endpoint,
    unreadable: Option<Unreadable>,
    request: &Request<Bytes>,
) -> Response<Bytes> {
    match unreadable {
        None => endpoint.handle(server, request).await,
        Some(unreadable) => unreadable.response(),
    }
}

fn not_found() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

#[cfg(test)]
mod tests {
    use http::{Method, header};
    use tower::ServiceExt;

    use super::*;

    async fn service(issuer: &str) -> AuthorizationServerService {
        AuthorizationServerService::new(AuthorizationServer::builder(issuer).build().await.unwrap())
    }

    async fn ask(service: AuthorizationServerService, method: Method, path: &str, body: &str) -> Response<Full<Bytes>> {
        let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
        let request = Request::builder().method(method).uri(path).body(body).unwrap();
        service.oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn endpoints_are_found_and_other_paths_are_404() {
        let service = service("https://auth.example").await;
        assert_eq!(ask(service.clone(), Method::GET, "/jwks", "").await.status(), StatusCode::OK);
        assert_eq!(ask(service, Method::GET, "/jwks/", "").await.status(), StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn a_long_body_is_413_before_any_endpoint_sees_it() {
        let service = service("https://auth.example").await.body_limit(10);
        let response = ask(service, Method::POST, "/token", "grant_type=client_credentials").await;
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }

    // spec: SEC-04
    #[tokio::test]
    async fn the_host_header_changes_nothing_in_the_metadata() {
        let service = service("https://auth.example").await;
        let request = |host: &str| {
            let request = Request::get("/.well-known/oauth-authorization-server").header(header::HOST, host);
            service.clone().oneshot(request.body(Full::<Bytes>::default()).unwrap())
        };
        let (own, foreign) = (request("auth.example").await.unwrap(), request("evil.example").await.unwrap());
        let read = |response: Response<Full<Bytes>>| http_body_util::BodyExt::collect(response.into_body());
        let own = read(own).await.unwrap().to_bytes();
        assert_eq!(own, read(foreign).await.unwrap().to_bytes());
        assert!(std::str::from_utf8(&own).unwrap().contains("https://auth.example"));
    }
}
