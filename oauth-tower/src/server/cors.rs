//! Which scripts may call the endpoints from other origins ([OAuth 2.1 draft-16
//! section 3.2]).
//!
//! [OAuth 2.1 draft-16 section 3.2]: https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1-16#section-3.2

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Method, Request, Response, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use oauth_core::server::AuthorizationServer;
use tower::{Layer, ServiceExt, service_fn};
use tower_http::cors::{AllowHeaders, AllowOrigin, Any, CorsLayer};

use super::endpoints::Endpoint;

/// How long a browser may remember what it was allowed.
const MAX_AGE: Duration = Duration::from_secs(3600);

/// The origins whose scripts may call the endpoints that apps in browsers need:
/// token, revocation, introspection, pushed requests, device authorization and
/// registration.
///
/// Never the authorization endpoint, to which browsers are sent, and never with
/// cookies. The metadata and the keys are for scripts of every origin, whatever
/// is said here.
///
/// ```
/// use oauth_tower::server::Cors;
/// let apps = Cors::origins(["https://app.example", "http://localhost:5173"])?;
/// # drop(apps);
/// // An origin has no path, not even a slash.
/// assert!(Cors::origins(["https://app.example/"]).is_err());
/// # Ok::<_, oauth_tower::server::InvalidOrigin>(())
/// ```
#[derive(Clone, Debug)]
pub struct Cors(CorsLayer);

/// The text is not an origin: a scheme, a host, and perhaps a port (RFC 6454
/// section 6.1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an origin: scheme://host or scheme://host:port, in lower case")]
pub struct InvalidOrigin(String);

impl Cors {
    /// Scripts of these origins, compared byte for byte.
    ///
    /// # Errors
    /// [`InvalidOrigin`], for the first that is none.
    pub fn origins<O: AsRef<str>>(origins: impl IntoIterator<Item = O>) -> Result<Self, InvalidOrigin> {
        let origins: Result<Vec<_>, _> = origins.into_iter().map(|origin| read(origin.as_ref())).collect();
        Ok(Self(for_apps(AllowOrigin::list(origins?))))
    }

    /// Scripts of every origin.
    #[must_use]
    pub fn any_origin() -> Self {
        Self(for_apps(Any.into()))
    }

    /// Scripts of every origin, in the words of the client-server API of Matrix ("Web
    /// Browser Clients"); they may read `Retry-After` and `WWW-Authenticate`. Where the [mode](oauth_core::engine::revocation::RevocationMode)
    /// is that of Matrix, the revocation endpoint has it whatever is set.
    #[must_use]
    pub fn matrix() -> Self {
        let methods = [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS];
        let headers = [HeaderName::from_static("x-requested-with"), CONTENT_TYPE, AUTHORIZATION];
        let layer = CorsLayer::new().allow_origin(Any).allow_methods(methods).allow_headers(headers);
        // A limit at the token endpoint is 503 here, and says when to come back.
        Self(layer.expose_headers([RETRY_AFTER, WWW_AUTHENTICATE]).max_age(MAX_AGE))
    }
}

/// Around a service of your own, an API say: outside of the layer that protects
/// it, so that refusals pass through.
impl<S> Layer<S> for Cors {
    type Service = tower_http::cors::Cors<S>;

    fn layer(&self, inner: S) -> Self::Service {
        self.0.layer(inner)
    }
}

/// Lets `answer` have its say, unless the browser only asks whether it may.
pub(super) async fn around<B, A: Future<Output = Response<Bytes>>>(
    layer: CorsLayer,
    request: Request<B>,
    answer: impl FnOnce(Request<B>) -> A + Clone,
) -> Response<Bytes> {
    let inner = service_fn(move |request| {
        let answer = answer.clone();
        async move { Ok::<_, Infallible>(answer(request).await) }
    });
    match layer.layer(inner).oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// The layer for `endpoint` of `server`, if scripts may call it.
pub(super) fn layer_of(server: &AuthorizationServer, endpoint: Endpoint, apps: Option<&Cors>) -> Option<CorsLayer> {
    match endpoint {
        Endpoint::Revoke if server.revocation_policy().mode().rules().any_origin => Some(Cors::matrix().0),
        // Draft-16 section 3.1: it "MUST NOT support CORS".
        Endpoint::Authorize => None,
        // "Web Browser Clients": every endpoint.
        _ if server.is_matrix() => Some(Cors::matrix().0),
        Endpoint::Metadata | Endpoint::Jwks | Endpoint::StatusList | Endpoint::StatusListAggregation => {
            Some(for_everybody())
        }
        _ => apps.map(|Cors(layer)| layer.clone()),
    }
}

fn for_apps(origin: AllowOrigin) -> CorsLayer {
    let exposed = [HeaderName::from_static("dpop-nonce"), WWW_AUTHENTICATE, RETRY_AFTER];
    CorsLayer::new()
        .allow_origin(origin)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, ACCEPT, HeaderName::from_static("dpop")])
        .expose_headers(exposed)
        .max_age(MAX_AGE)
}

/// Public documents: whatever headers a client likes to send with its question.
fn for_everybody() -> CorsLayer {
    let methods = [Method::GET, Method::HEAD];
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods(methods)
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([RETRY_AFTER])
        .max_age(MAX_AGE)
}

fn read(text: &str) -> Result<HeaderValue, InvalidOrigin> {
    let invalid = || InvalidOrigin(text.chars().take(200).collect());
    let uri: Uri = text.parse().map_err(|_| invalid())?;
    // As browsers write it: anything else would never be equal.
    let written = serialized(&uri).filter(|origin| origin == text && !text.contains(|c: char| c.is_ascii_uppercase()));
    written.and_then(|origin| HeaderValue::try_from(origin).ok()).ok_or_else(invalid)
}

/// RFC 6454 section 6.2: without the port that goes without saying.
fn serialized(uri: &Uri) -> Option<String> {
    let default = match uri.scheme_str()? {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    let host = uri.host()?;
    let port = uri.port_u16().filter(|port| *port != default).map(|port| format!(":{port}"));
    Some(format!("{}://{host}{}", uri.scheme_str()?, port.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_browsers_send() {
        for good in ["https://app.example", "https://app.example:8443", "http://localhost:5173", "http://[::1]:80801"] {
            assert_eq!(Cors::origins([good]).is_ok(), !good.ends_with("80801"), "{good}");
        }
        let bad =
            ["*", "null", "", "app.example", "https://app.example/", "https://App.example", "https://a.example:443"];
        for bad in bad.into_iter().chain(["https://u@a.example", "https://a.example?x", "file:///x", "app:/x"]) {
            assert_eq!(Cors::origins([bad]).unwrap_err(), InvalidOrigin(bad.to_owned()));
        }
    }

    #[tokio::test]
    async fn whoever_may_call_may_read_when_to_come_back() {
        for (layer, exposed) in [
            (for_apps(Any.into()), "dpop-nonce,www-authenticate,retry-after"),
            (Cors::matrix().0, "retry-after,www-authenticate"),
            (for_everybody(), "retry-after"),
        ] {
            let request = Request::get("/").header("origin", "https://app.example").body(()).unwrap();
            let response = around(layer, request, async |_| Response::new(Bytes::new())).await;
            assert_eq!(response.headers()["access-control-expose-headers"], exposed);
        }
    }
}
