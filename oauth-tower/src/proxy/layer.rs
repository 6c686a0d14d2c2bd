//! [`ProxyLayer`]: who the client is, before anybody asks.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderName, Request, uri::Scheme};
use oauth_core::mtls::ClientCertificate;
use tower::{Layer, Service};

use super::{ClientAddress, ClientScheme, PeerAddress, RequestedHost, TrustedProxies, believed::Believed};

/// Believes what your proxies say of the client, and nothing that anybody else
/// says.
///
/// Name the headers that your proxies write into every request, and no others:
/// one that they pass on as a client wrote it would be believed. Every header of
/// this kind that is not named, or that comes from somebody who is not trusted,
/// is dropped before the service inside sees it: `Forwarded`, all of
/// `X-Forwarded-*`, all of `Client-Cert*`, and the header of
/// [`ProxyLayer::certificate_header`].
///
/// ```
/// use http::{Request, Response};
/// use oauth_core::mtls::ClientCertificate;
/// use oauth_tower::proxy::{CLIENT_CERT, ClientAddress, PeerAddress, ProxyLayer, TrustedProxies};
/// use std::convert::Infallible;
/// use tower::{ServiceBuilder, ServiceExt};
///
/// async fn whoami(request: Request<String>) -> Result<Response<String>, Infallible> {
///     let certificate = request.extensions().get::<ClientCertificate>();
///     Ok(Response::new(format!("{:?} {certificate:?}", ClientAddress::of(request.extensions()))))
/// }
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let proxies: TrustedProxies = ["10.0.0.0/8".parse()?].into_iter().collect();
/// let service = ServiceBuilder::new()
///     .layer(ProxyLayer::new(proxies).x_forwarded_for().x_forwarded_proto().certificate_header(CLIENT_CERT))
///     .service_fn(whoami);
/// // Whatever accepts connections says who is on the other end.
/// let request = Request::get("/")
///     .extension(PeerAddress(([10, 0, 0, 1], 50_000).into()))
///     .header("x-forwarded-for", "192.0.2.7, 198.51.100.2")
///     .body(String::new())?;
/// let response = service.oneshot(request).await?;
/// assert_eq!(response.into_body(), "Some(198.51.100.2) None");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// # What the service inside finds
///
/// | Extension | From a trusted proxy | From anybody else |
/// |---|---|---|
/// | [`ClientAddress`] | the nearest address that is not a trusted proxy's | that of the connection |
/// | [`ClientScheme`] | `http` if some hop was, or cannot be read; else `https` | as the connection has it |
/// | [`RequestedHost`] | if it was told | none |
/// | [`ClientCertificate`] | if exactly one was told | that of the connection |
///
/// A connection from a proxy may have a certificate too: that one is the
/// proxy's, and is dropped.
///
/// Who the other end is must be in the extensions as [`PeerAddress`]; where
/// it is not, nobody is believed.
#[derive(Clone, Debug)]
#[must_use]
pub struct ProxyLayer {
    rules: Arc<Rules>,
}

#[derive(Clone, Debug)]
struct Rules {
    proxies: TrustedProxies,
    believed: Believed,
}

impl ProxyLayer {
    /// Believes `proxies`, and so far none of their headers.
    pub fn new(proxies: TrustedProxies) -> Self {
        Self { rules: Arc::new(Rules { proxies, believed: Believed::default() }) }
    }

    /// They write `Forwarded` (RFC 7239): address, scheme and host of the
    /// client.
    pub fn forwarded(self) -> Self {
        self.with(|believed| believed.forwarded = true)
    }

    /// They write `X-Forwarded-For`: the client's address, behind what the
    /// client itself may have sent.
    pub fn x_forwarded_for(self) -> Self {
        self.with(|believed| believed.x_forwarded_for = true)
    }

    /// They write `X-Forwarded-Proto`: the client's scheme.
    pub fn x_forwarded_proto(self) -> Self {
        self.with(|believed| believed.x_forwarded_proto = true)
    }

    /// They write `X-Forwarded-Host`: what the client asked for. Several
    /// different values are none.
    pub fn x_forwarded_host(self) -> Self {
        self.with(|believed| believed.x_forwarded_host = true)
    }

    /// They write the client's certificate into the header `name`, in the form
    /// of RFC 9440, and remove what a client has written there. Its name
    /// there is [`CLIENT_CERT`](super::CLIENT_CERT).
    pub fn certificate_header(self, name: HeaderName) -> Self {
        self.with(|believed| believed.certificate = Some(name))
    }

    /// They turn away, in the handshake, every client whose certificate has no
    /// good chain to an authority that vouches for your clients. From then on what
    /// a certificate says of its owner is believed: for `tls_client_auth` of an
    /// authorization server (RFC 8705 section 2.1). A proxy that passes on any
    /// certificate, as nginx does with `optional_no_ca`, does not do that.
    pub fn verifies_certificates(self) -> Self {
        self.with(|believed| believed.certificate_verified = true)
    }

    fn with(mut self, change: impl FnOnce(&mut Believed)) -> Self {
        change(&mut Arc::make_mut(&mut self.rules).believed);
        self
    }
}

impl<S> Layer<S> for ProxyLayer {
    type Service = ProxyService<S>;

    fn layer(&self, inner: S) -> ProxyService<S> {
        ProxyService { inner, rules: Arc::clone(&self.rules) }
    }
}

/// A service that knows who the client is. Made by [`ProxyLayer`].
#[derive(Clone, Debug)]
pub struct ProxyService<S> {
    inner: S,
    rules: Arc<Rules>,
}

impl<S, B> Service<Request<B>> for ProxyService<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        self.rules.apply(&mut request);
        self.inner.call(request)
    }
}

impl Rules {
    fn apply<B>(&self, request: &mut Request<B>) {
        let peer = PeerAddress::of(request.extensions()).map(|peer| peer.ip().to_canonical());
        request.extensions_mut().remove::<RequestedHost>();
        match peer {
            Some(peer) if self.proxies.contains(peer) => {
                self.believe(ClientAddress(peer), request);
                self.believed.drop_others(request.headers_mut(), true);
            }
            peer => {
                if let Some(peer) = peer {
                    request.extensions_mut().insert(ClientAddress(peer));
                }
                self.believed.drop_others(request.headers_mut(), false);
            }
        }
    }

    fn believe<B>(&self, proxy: ClientAddress, request: &mut Request<B>) {
        let said = self.believed.read(request.headers(), &self.proxies);
        let certificate = self.believed.certificate(request.headers());
        let extensions = request.extensions_mut();
        extensions.insert(said.client.map_or(proxy, ClientAddress));
        extensions.insert(ClientScheme(if said.cleartext { Scheme::HTTP } else { Scheme::HTTPS }));
        if let Some(host) = said.host {
            extensions.insert(RequestedHost(host));
        }
        // That of the connection is the proxy's own.
        extensions.remove::<ClientCertificate>();
        match (certificate, &self.believed.certificate) {
            (Some(certificate), _) => drop(extensions.insert(certificate)),
            (None, Some(name)) => drop(request.headers_mut().remove(name)),
            (None, None) => {}
        }
    }
}
