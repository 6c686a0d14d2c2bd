//! `GET /.well-known/oauth-protected-resource`: what this resource says of
//! itself ([RFC 9728]).
//!
//! Everything comes from configuration; nothing from the request, so a forged
//! `Host` changes nothing.
//!
//! [RFC 9728]: https://www.rfc-editor.org/rfc/rfc9728

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CACHE_CONTROL, CONTENT_TYPE},
};
use http_body_util::Full;
use oauth_core::{
    metadata::{ProtectedResourceMetadata, protected_resource_url},
    scope::Scope,
};
use tower::Service;

use super::{
    BuildError, ResourceServer, ResourceServerBuilder, dpop::ProofRules, scheme::TokenScheme, validate::Configured,
};
use crate::outgoing::{Endpoint, Transport, UrlError};

/// The metadata of a resource, and where it lies.
#[derive(Debug)]
pub(super) struct Description {
    document: ProtectedResourceMetadata,
    /// Where the identifier is a URL that has a well-known one.
    url: Option<Box<str>>,
}

/// What the program says of its metadata.
#[derive(Debug, Default)]
pub(super) struct Publication {
    scopes: Scope,
    advertised: bool,
}

impl<I> ResourceServerBuilder<I> {
    /// Advertises these scope tokens, separated by spaces, in the metadata:
    /// `scopes_supported` (RFC 9728 section 2). Called again, those as well.
    ///
    /// # Panics
    /// If `scope` is not a scope: it is part of the program, not of a request.
    pub fn scopes(self, scope: &str) -> Self {
        let scope = super::require::literal(scope);
        self.with(|settings| settings.publication.scopes = settings.publication.scopes.union(&scope))
    }

    /// Names the URL of the metadata in every challenge: `resource_metadata`
    /// (RFC 9728 section 5.1). The document has to be served there, by
    /// [`MetadataService`]; the resource identifier has to be an https URL.
    pub fn advertise_metadata(self) -> Self {
        self.with(|settings| settings.publication.advertised = true)
    }
}

impl Description {
    pub(super) fn new(
        resource: &str,
        issuers: &[Configured],
        publication: &Publication,
        transport: Transport,
    ) -> Result<Self, BuildError> {
        let mut document = ProtectedResourceMetadata::new(resource);
        for Configured { issuer, .. } in issuers {
            // One that is both verified and asked is one.
            if !document.authorization_servers.iter().any(|known| **known == **issuer) {
                document.authorization_servers.push(issuer.to_string());
            }
        }
        document.scopes_supported = publication.scopes.iter().map(str::to_owned).collect();
        // A token in the query is never a credential.
        document.bearer_methods_supported = Some(vec!["header".into()]);
        let url = match well_known(resource, transport) {
            Err(reason) if publication.advertised => return Err(BuildError::Url { url: resource.into(), reason }),
            found => found.ok(),
        };
        Ok(Self { document, url })
    }

    /// RFC 9728 section 2, `bearer_methods_supported`.
    pub(super) fn with_form_tokens(mut self, form_tokens: bool) -> Self {
        if form_tokens && let Some(methods) = &mut self.document.bearer_methods_supported {
            methods.push("body".into());
        }
        self
    }

    /// RFC 9728 section 2, the members on bound tokens.
    pub(super) fn with_bindings(mut self, dpop: Option<&ProofRules>, mutual_tls: bool) -> Self {
        self.document.tls_client_certificate_bound_access_tokens = mutual_tls;
        if let Some(rules) = dpop {
            let names = rules.algorithms.iter().map(|algorithm| algorithm.as_str().to_owned());
            self.document.dpop_signing_alg_values_supported = names.collect();
            self.document.dpop_bound_access_tokens_required = rules.required;
            if rules.required {
                // "An empty array ... indicate that no bearer methods are supported".
                self.document.bearer_methods_supported = Some(Vec::new());
            }
        }
        self
    }

    /// RFC 9728 section 2: bound tokens are "always" required only where nothing
    /// else is served.
    pub(super) fn with_schemes(mut self, schemes: &[Arc<dyn TokenScheme>]) -> Self {
        self.document.dpop_bound_access_tokens_required &= schemes.is_empty();
        self
    }

    /// What challenges name.
    pub(super) fn advertised(&self, publication: &Publication) -> Option<Box<str>> {
        self.url.clone().filter(|_| publication.advertised)
    }

    fn path(&self) -> Option<&str> {
        let (_, rest) = self.url.as_deref()?.split_once("://")?;
        let path = rest.get(rest.find('/')?..)?;
        path.split('?').next()
    }
}

/// RFC 9728 section 1.2: the identifier is an https URL without a fragment.
fn well_known(resource: &str, transport: Transport) -> Result<Box<str>, UrlError> {
    Endpoint::parse(resource, transport)?;
    protected_resource_url(resource).map(Into::into).map_err(|_| UrlError::Malformed)
}

impl ResourceServer {
    /// What clients may know of this resource, made from what is configured.
    ///
    /// ```
    /// # #[cfg(feature = "client")]
    /// # fn main() -> Result<(), oauth_tower::resource::BuildError> {
    /// use oauth_tower::resource::{Issuer, ResourceServer};
    ///
    /// let api = ResourceServer::builder("https://api.example/v1")
    ///     .issuer(Issuer::jwt("https://as.example"))
    ///     .scopes("albums:read albums:write")
    ///     .advertise_metadata()
    ///     .build()?;
    /// assert_eq!(api.metadata().authorization_servers, ["https://as.example"]);
    /// assert_eq!(api.metadata_path(), Some("/.well-known/oauth-protected-resource/v1"));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "client"))]
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn metadata(&self) -> ProtectedResourceMetadata {
        self.judge.description.document.clone()
    }

    /// The URL of the metadata (RFC 9728 section 3.1): none if the resource
    /// identifier is no https URL.
    #[must_use]
    pub fn metadata_url(&self) -> Option<&str> {
        self.judge.description.url.as_deref()
    }

    /// The path of [`ResourceServer::metadata_url`], which begins at the root
    /// of the host, wherever the resource is.
    #[must_use]
    pub fn metadata_path(&self) -> Option<&str> {
        self.judge.description.path()
    }
}

/// Answers with the metadata of a resource server, to anybody, at whatever path
/// it is put: [`ResourceServer::metadata_path`] is the right one. It stands
/// outside the layer: clients that read it have no token yet.
///
/// ```
/// # #[cfg(feature = "client")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use http::Request;
/// use oauth_tower::resource::{Issuer, MetadataService, ResourceServer};
/// use tower::ServiceExt;
///
/// let api = ResourceServer::builder("https://api.example").issuer(Issuer::jwt("https://as.example")).build()?;
/// let service = MetadataService::new(&api);
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let response = service.oneshot(Request::get("/.well-known/oauth-protected-resource").body(())?).await?;
/// assert_eq!(response.headers()["content-type"], "application/json");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })
/// # }
/// # #[cfg(not(feature = "client"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
pub struct MetadataService {
    document: Bytes,
    path: Option<Arc<str>>,
}

impl MetadataService {
    /// The metadata of `server`.
    #[must_use]
    pub fn new(server: &ResourceServer) -> Self {
        let document = serde_json::to_vec(&server.judge.description.document).unwrap_or_default();
        Self { document: document.into(), path: server.metadata_path().map(Into::into) }
    }

    /// Where to put it: [`ResourceServer::metadata_path`].
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// The answer to a request with this method: 200 for GET and HEAD, else 405.
    #[must_use]
    pub fn respond(&self, method: &Method) -> Response<Full<Bytes>> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        let is_head = *method == Method::HEAD;
        let body = if is_head { Bytes::new() } else { self.document.clone() };
        let mut response = Response::new(Full::new(body));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
        response
    }
}

impl<B> Service<Request<B>> for MetadataService {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.respond(request.method())))
    }
}
