//! Who is on the other end of the connection.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    net::SocketAddr,
    task::{Context, Poll},
};

use axum::{
    Router,
    extract::{ConnectInfo, connect_info::Connected},
    serve::IncomingStream,
};
use http::{Extensions, Request, uri::Scheme};
use oauth_core::mtls::ClientCertificate;
use oauth_tower::proxy::{ClientScheme, PeerAddress};
use tokio::net::TcpListener;
use tower::Service;

/// The other end of a connection, whether it came in by TCP or by TLS.
///
/// The sign-in pages count failures by it, and what a token is bound to may be its
/// certificate. Serve your app with [`PeerExt::into_make_service_with_peer`], and
/// every request knows of it. Behind a proxy it is the proxy: there,
/// [`ProxyLayer`](oauth_tower::proxy::ProxyLayer) finds out who the client is.
///
/// ```no_run
/// use axum::{Router, extract::ConnectInfo, routing::get};
/// use oauth_axum_rs::{Peer, PeerExt};
/// # async fn serve() -> std::io::Result<()> {
/// let app = Router::new().route("/", get(async |ConnectInfo(peer): ConnectInfo<Peer>| peer.address().to_string()));
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// axum::serve(listener, app.into_make_service_with_peer()).await
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    address: SocketAddr,
    encrypted: bool,
    certificate: Option<ClientCertificate>,
}

impl Peer {
    /// A peer at `address`, connected in the clear.
    #[must_use]
    pub const fn new(address: SocketAddr) -> Self {
        Self { address, encrypted: false, certificate: None }
    }

    /// The same, connected by TLS, and there it has shown `certificate`.
    #[must_use]
    pub fn over_tls(self, certificate: Option<ClientCertificate>) -> Self {
        Self { encrypted: true, certificate, ..self }
    }

    /// Its address.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate it has shown.
    #[must_use]
    pub const fn client_certificate(&self) -> Option<&ClientCertificate> {
        self.certificate.as_ref()
    }

    /// Tells a request who has sent it, for programs that accept connections
    /// themselves: as [`PeerAddress`], [`ClientScheme`], [`ClientCertificate`] and
    /// `ConnectInfo<Peer>` in its extensions.
    pub fn introduce(&self, extensions: &mut Extensions) {
        extensions.insert(PeerAddress(self.address));
        extensions.insert(ClientScheme(if self.encrypted { Scheme::HTTPS } else { Scheme::HTTP }));
        extensions.insert(ConnectInfo(self.clone()));
        match &self.certificate {
            Some(certificate) => drop(extensions.insert(certificate.clone())),
            None => drop(extensions.remove::<ClientCertificate>()),
        }
    }
}

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self::new(*stream.remote_addr())
    }
}

#[cfg(feature = "tls")]
impl Connected<IncomingStream<'_, crate::TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, crate::TlsListener>) -> Self {
        Self::new(*stream.remote_addr()).over_tls(stream.io().client_certificate().cloned())
    }
}

/// Serves a router so that every request knows its [`Peer`].
pub trait PeerExt: Sized {
    /// For [`axum::serve()`]. Each request has, in its extensions, a
    /// [`PeerAddress`], a [`ClientScheme`], if the client has shown one a
    /// [`ClientCertificate`], and for handlers `ConnectInfo<Peer>`.
    fn into_make_service_with_peer(self) -> IntoMakeServiceWithPeer<Self>;
}

impl PeerExt for Router {
    fn into_make_service_with_peer(self) -> IntoMakeServiceWithPeer<Self> {
        IntoMakeServiceWithPeer { inner: self }
    }
}

/// Makes a service for each connection. Made by
/// [`PeerExt::into_make_service_with_peer`].
#[derive(Clone, Debug)]
pub struct IntoMakeServiceWithPeer<S> {
    inner: S,
}

impl<S, T> Service<T> for IntoMakeServiceWithPeer<S>
where
    S: Clone,
    Peer: Connected<T>,
{
    type Response = PeerService<S>;
    type Error = Infallible;
    type Future = Ready<Result<PeerService<S>, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, connection: T) -> Self::Future {
        ready(Ok(PeerService { inner: self.inner.clone(), peer: Peer::connect_info(connection) }))
    }
}

/// The service of one connection. Made by [`IntoMakeServiceWithPeer`].
#[derive(Clone, Debug)]
pub struct PeerService<S> {
    inner: S,
    peer: Peer,
}

impl<S, B> Service<Request<B>> for PeerService<S>
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
        self.peer.introduce(request.extensions_mut());
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(peer: &Peer) -> Extensions {
        let mut extensions = Extensions::new();
        // Left behind by somebody.
        extensions.insert(ClientCertificate::from_der(vec![0x30, 0]).unwrap());
        extensions.insert(ClientScheme(Scheme::HTTPS));
        peer.introduce(&mut extensions);
        extensions
    }

    #[test]
    fn a_request_knows_who_has_sent_it_and_how() {
        let certificate = ClientCertificate::from_der(vec![0x30, 1, 7]).unwrap();
        let address: SocketAddr = "192.0.2.1:443".parse().unwrap();
        let tls = Peer::new(address).over_tls(Some(certificate.clone()));
        let extensions = known(&tls);
        assert_eq!(PeerAddress::of(&extensions), Some(address));
        assert!(ClientScheme::is_https(&extensions));
        assert_eq!(extensions.get::<ClientCertificate>(), Some(&certificate));
        assert_eq!(extensions.get::<ConnectInfo<Peer>>().map(|info| &info.0), Some(&tls));
    }

    #[test]
    fn what_was_there_before_is_replaced() {
        let address: SocketAddr = "192.0.2.1:443".parse().unwrap();
        let clear = known(&Peer::new(address));
        assert!(!ClientScheme::is_https(&clear));
        assert_eq!(clear.get::<ClientCertificate>(), None);
        assert_eq!(known(&Peer::new(address).over_tls(None)).get::<ClientCertificate>(), None);
    }
}
