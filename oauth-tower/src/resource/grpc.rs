//! [`GrpcStatus`]: a refusal as gRPC says it.

use std::fmt::Write;

use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};

use super::{Refusal, RefusalKind, Render};

/// Answers refused requests as gRPC does, for tonic and its like: HTTP 200 and
/// the verdict in `grpc-status`, in one block of headers ("Trailers-Only" in
/// [gRPC over HTTP/2]).
///
/// | `grpc-status` | When the layer would answer |
/// |---|---|
/// | 16 `UNAUTHENTICATED` | 401; 400, which is about the credentials too |
/// | 7 `PERMISSION_DENIED` | 403 |
/// | 14 `UNAVAILABLE` | 503, with `grpc-retry-pushback-ms` |
/// | 13 `INTERNAL` | 500 |
/// | 2 `UNKNOWN` | anything else |
///
/// `WWW-Authenticate` and `DPoP-Nonce` are there as metadata. Everything that
/// the layer refuses is answered like this: give what is not gRPC a layer of
/// its own, of the same [`ResourceServer`](super::ResourceServer).
///
/// ```
/// # #[cfg(feature = "client")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use http::{Request, Response};
/// use oauth_tower::resource::{GrpcStatus, Issuer, ResourceServer};
/// use std::convert::Infallible;
/// use tower::{ServiceBuilder, ServiceExt};
///
/// let api = ResourceServer::builder("https://api.example").issuer(Issuer::jwt("https://as.example")).build()?;
/// let service = ServiceBuilder::new()
///     .layer(api.layer().render_with(GrpcStatus))
///     .service_fn(async |_: Request<String>| Ok::<_, Infallible>(Response::new(String::new())));
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let response = service.oneshot(Request::default()).await?;
/// assert_eq!(response.status(), 200);
/// assert_eq!(response.headers()["grpc-status"], "16");
/// assert_eq!(response.headers()["www-authenticate"], r#"Bearer realm="https://api.example""#);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })
/// # }
/// # #[cfg(not(feature = "client"))]
/// # fn main() {}
/// ```
///
/// [gRPC over HTTP/2]: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
#[derive(Clone, Copy, Debug, Default)]
pub struct GrpcStatus;

impl GrpcStatus {
    /// The status and what goes with it, as headers or trailers. A handler of
    /// tonic's that has a [`Refusal`] makes its error of them:
    /// `Status::from_header_map(&GrpcStatus.headers(&refusal))`.
    #[must_use]
    pub fn headers(self, refusal: &Refusal) -> HeaderMap {
        let mut headers = refusal.headers();
        headers.insert(STATUS, HeaderValue::from_static(code(refusal.status())));
        if let Ok(message) = HeaderValue::try_from(percent_encoded(&message(refusal))) {
            headers.insert(MESSAGE, message);
        }
        if let RefusalKind::Unavailable { retry_after } = refusal.kind() {
            headers.remove(RETRY_AFTER);
            headers.insert(RETRY_PUSHBACK, HeaderValue::from(milliseconds(*retry_after)));
        }
        headers
    }
}

impl<B: Default> Render<B> for GrpcStatus {
    fn render(&self, refusal: &Refusal) -> Response<B> {
        let mut response = Response::new(B::default());
        *response.headers_mut() = self.headers(refusal);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        response
    }
}

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// Proposal A6: "a single ASCII encoded signed 32-bit integer".
const RETRY_PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");

fn code(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => "16",
        StatusCode::FORBIDDEN => "7",
        StatusCode::SERVICE_UNAVAILABLE => "14",
        StatusCode::INTERNAL_SERVER_ERROR => "13",
        _ => "2",
    }
}

fn milliseconds(seconds: u64) -> i32 {
    i32::try_from(seconds.saturating_mul(1000)).unwrap_or(i32::MAX)
}

/// Nothing that [`Refusal::description`] would not say.
fn message(refusal: &Refusal) -> String {
    if let Some(text) = refusal.description() {
        return text.into_owned();
    }
    let text = match refusal.kind() {
        RefusalKind::MissingCredentials => "no credentials",
        RefusalKind::Unavailable { .. } => "the access token cannot be judged now",
        _ => refusal.status().canonical_reason().unwrap_or_default(),
    };
    text.to_owned()
}

/// "Percent-Byte-Unencoded → 1*( %x20-%x24 / %x26-%x7E )".
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if matches!(byte, b' '..=b'~') && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            write!(encoded, "%{byte:02X}").unwrap_or_default();
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_encoded_but_for_printable_ascii_without_percent() {
        assert_eq!(percent_encoded("a b~ 100%\n\u{e9}"), "a b~ 100%25%0A%C3%A9");
    }

    #[test]
    fn the_pushback_fits_in_32_bits() {
        assert_eq!(milliseconds(2), 2000);
        assert_eq!(milliseconds(u64::MAX), i32::MAX);
    }
}
