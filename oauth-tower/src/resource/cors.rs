//! What a CORS layer has to know, so that scripts of other origins can be
//! clients.

use http::{
    HeaderName,
    header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE},
};

use super::refusal::DPOP_NONCE;

/// The headers of a response that a client goes by: the challenge, the nonce of
/// its next proof (RFC 9449 section 9), and when to come back. A script of
/// another origin reads them only if they are exposed.
///
/// Let the CORS layer stand outside, so that refusals pass through it:
///
/// ```
/// # #[cfg(feature = "client")]
/// # fn main() -> Result<(), oauth_tower::resource::BuildError> {
/// use http::{Request, Response};
/// use oauth_tower::resource::{CORS_ALLOWED_HEADERS, CORS_EXPOSED_HEADERS, Issuer, ResourceServer};
/// use std::convert::Infallible;
/// use tower::ServiceBuilder;
/// use tower_http::cors::{Any, CorsLayer};
///
/// let cors = CorsLayer::new()
///     .allow_origin(Any) // good enough without cookies: a script has the token or has not
///     .allow_headers(CORS_ALLOWED_HEADERS)
///     .expose_headers(CORS_EXPOSED_HEADERS);
/// let api = ResourceServer::builder("https://api.example").issuer(Issuer::jwt("https://as.example")).build()?;
/// let service = ServiceBuilder::new()
///     .layer(cors)
///     .layer(api.layer())
///     .service_fn(async |_: Request<String>| Ok::<_, Infallible>(Response::new(String::new())));
/// # drop(service);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "client"))]
/// # fn main() {}
/// ```
pub const CORS_EXPOSED_HEADERS: [HeaderName; 3] = [WWW_AUTHENTICATE, DPOP_NONCE, RETRY_AFTER];

/// The headers of a request that carry credentials. A script of another origin
/// may send them only if they are allowed, and `*` does not cover
/// `Authorization` (Fetch, "CORS non-wildcard request-header name").
pub const CORS_ALLOWED_HEADERS: [HeaderName; 2] = [AUTHORIZATION, HeaderName::from_static("dpop")];
