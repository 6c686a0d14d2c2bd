//! One request and its response: HTTP/1.1 on a connection of its own.

use std::{pin::pin, sync::Arc};

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT},
};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use oauth_core::fetch::{FetchError, FetchRequest, FetchUrl, Stage};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

use super::{
    address::{Addresses, Checked},
    dial::Dialer,
    metered::{Metered, Spent},
    resolve::Resolve,
};

/// The longest header of a response, in bytes.
const HEADER: usize = 16 * 1024;

/// What may come beside the document: certificates, the header, the framing.
const BESIDE: usize = 128 * 1024;

/// Sends requests, from the name to the document.
pub(super) struct Exchange {
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) addresses: Addresses,
    pub(super) dialer: Dialer,
    pub(super) tls: Arc<ClientConfig>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Exchange {
    /// The response, if it is one that `request` takes.
    pub(super) async fn send(&self, url: &FetchUrl, request: &FetchRequest) -> Result<Response<Vec<u8>>, FetchError> {
        let addresses = self.addresses(url).await?;
        let spent = Spent::default();
        let limit = request.limit().saturating_mul(2).saturating_add(BESIDE);
        let stream = Metered::new(self.dialer.dial(&addresses).await?, limit, spent.clone());
        let outcome = match self.secure(url, stream).await {
            Ok(stream) => ask(stream, url, request).await,
            Err(error) => Err(error),
        };
        // However it came to the surface.
        if spent.is_all() { Err(FetchError::TooLarge) } else { outcome }
    }

    /// Where to connect to. Nobody looks the name up again from here on.
    async fn addresses(&self, url: &FetchUrl) -> Result<Vec<Checked>, FetchError> {
        let addresses = match url.address() {
            Some(address) => vec![address],
            // RFC 6761 section 6.3: always loopback, whatever anybody answers.
            None if url.is_localhost() => vec![[127, 0, 0, 1].into(), [0, 0, 0, 0, 0, 0, 0, 1].into()],
            None => self.resolver.resolve(url.host()).await.map_err(unavailable(Stage::Resolve))?,
        };
        self.addresses.check(&addresses, url.port())
    }

    async fn secure(&self, url: &FetchUrl, stream: impl Stream + 'static) -> Result<Box<dyn Stream>, FetchError> {
        if !url.is_https() {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(url.host().to_owned()).map_err(unavailable(Stage::Tls))?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        let stream = connector.connect(name, stream).await.map_err(unavailable(Stage::Tls))?;
        Ok(Box::new(stream))
    }
}

async fn ask(stream: Box<dyn Stream>, url: &FetchUrl, request: &FetchRequest) -> Result<Response<Vec<u8>>, FetchError> {
    let mut http = http1::Builder::new();
    http.max_buf_size(HEADER);
    let (mut sender, connection) = http.handshake(TokioIo::new(stream)).await.map_err(unavailable(Stage::Http))?;
    let message = message(url, request)?;
    let exchange = async {
        let response = sender.send_request(message).await.map_err(unavailable(Stage::Http))?;
        read(response, request).await
    };
    // Driven from here: if the caller goes, so does the connection.
    match select(pin!(exchange), pin!(connection)).await {
        Either::Left((outcome, _)) => outcome,
        // It has come to its end; the response may have come first.
        Either::Right((_, exchange)) => exchange.await,
    }
}

fn message(url: &FetchUrl, request: &FetchRequest) -> Result<Request<Empty<Bytes>>, FetchError> {
    let mut message = Request::new(Empty::new());
    *message.uri_mut() = url.target().parse().map_err(unavailable(Stage::Http))?;
    let headers = message.headers_mut();
    headers.insert(HOST, HeaderValue::try_from(url.authority()).map_err(unavailable(Stage::Http))?);
    headers.insert(ACCEPT, HeaderValue::from_static(request.purpose().accept()));
    // What is packed has no size.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("oauth-tower/", env!("CARGO_PKG_VERSION"))));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    Ok(message)
}

async fn read(response: Response<Incoming>, request: &FetchRequest) -> Result<Response<Vec<u8>>, FetchError> {
    let (head, body) = response.into_parts();
    // Client ID Metadata Document draft section 5: any other status is an error,
    // and "MUST NOT automatically follow HTTP redirects".
    if head.status != StatusCode::OK {
        return Err(FetchError::Status(head.status));
    }
    check_headers(&head.headers, request)?;
    let body = Limited::new(body, request.limit()).collect().await.map_err(too_long)?;
    Ok(Response::from_parts(head, body.to_bytes().into()))
}

fn check_headers(headers: &HeaderMap, request: &FetchRequest) -> Result<(), FetchError> {
    let is_identity = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(CONTENT_ENCODING).iter().all(is_identity) {
        return Err(FetchError::Encoded);
    }
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let only = types.next().filter(|_| types.next().is_none()).and_then(|value| value.to_str().ok());
    if !only.is_some_and(|only| request.purpose().takes(only)) {
        return Err(FetchError::MediaType);
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > request.limit()) { Err(FetchError::TooLarge) } else { Ok(()) }
}

fn too_long(error: Box<dyn std::error::Error + Send + Sync>) -> FetchError {
    if error.is::<LengthLimitError>() { FetchError::TooLarge } else { FetchError::unavailable(Stage::Http, error) }
}

fn unavailable<E: std::error::Error + Send + Sync + 'static>(stage: Stage) -> impl Fn(E) -> FetchError {
    move |error| FetchError::unavailable(stage, error)
}
