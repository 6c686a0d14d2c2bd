//! What is known of where a request comes from, as extensions of it.

use std::net::{IpAddr, SocketAddr};

use http::{
    Extensions,
    uri::{Authority, Scheme},
};

/// The other end of the connection, in the extensions of a request: whoever
/// really sent these bytes, be it a client or a proxy.
///
/// Whatever accepts connections puts it there, and never takes it from a
/// header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerAddress(pub SocketAddr);

/// The client's address, in the extensions of a request: that of the
/// connection, or the one that a trusted proxy named.
///
/// It says where a request came from, for limits and logs. It proves nothing
/// about who sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

/// Whether the client sent its request over TLS (`https`) or in the clear
/// (`http`), in the extensions of a request. Put there by whatever accepts
/// connections, and replaced by what a trusted proxy says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientScheme(pub Scheme);

/// The host and port that the client asked for, as a trusted proxy named them,
/// in the extensions of a request. Absent if none did.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestedHost(pub Authority);

impl PeerAddress {
    /// The address of the connection; `None` if nobody has put it there.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<SocketAddr> {
        extensions.get::<Self>().map(|peer| peer.0)
    }
}

impl ClientAddress {
    /// The client's address: the one that a layer has found, else that of the
    /// connection; `None` if neither is known. An IPv4 address that was mapped
    /// into IPv6 is an IPv4 address.
    ///
    /// ```
    /// use http::Request;
    /// use oauth_tower::proxy::{ClientAddress, PeerAddress};
    ///
    /// let mut request = Request::new(());
    /// assert_eq!(ClientAddress::of(request.extensions()), None);
    /// request.extensions_mut().insert(PeerAddress(([192, 0, 2, 1], 50_000).into()));
    /// assert_eq!(ClientAddress::of(request.extensions()), Some([192, 0, 2, 1].into()));
    /// ```
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<IpAddr> {
        let found = extensions.get::<Self>().map(|client| client.0);
        let found = found.or_else(|| PeerAddress::of(extensions).map(|peer| peer.ip()));
        found.map(|address| address.to_canonical())
    }
}

impl ClientScheme {
    /// Whether it is known that the client sent its request over TLS.
    #[must_use]
    pub fn is_https(extensions: &Extensions) -> bool {
        extensions.get::<Self>().is_some_and(|scheme| scheme.0 == Scheme::HTTPS)
    }
}
