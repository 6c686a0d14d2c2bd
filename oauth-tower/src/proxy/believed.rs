//! Which headers are believed of a trusted proxy, and what they say.

use std::net::IpAddr;

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{FORWARDED, GetAll},
    uri::Authority,
};
use oauth_core::mtls::ClientCertificate;

use super::{
    TrustedProxies,
    forwarded::{address, elements},
};

/// The client's certificate, as a proxy that ends TLS passes it on
/// ([RFC 9440](https://www.rfc-editor.org/rfc/rfc9440#section-2.2)).
pub const CLIENT_CERT: HeaderName = HeaderName::from_static("client-cert");

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The headers that the operator has named.
#[derive(Clone, Debug, Default)]
pub(super) struct Believed {
    pub(super) forwarded: bool,
    pub(super) x_forwarded_for: bool,
    pub(super) x_forwarded_proto: bool,
    pub(super) x_forwarded_host: bool,
    pub(super) certificate: Option<HeaderName>,
    /// They have verified its chain.
    pub(super) certificate_verified: bool,
}

/// What a trusted proxy says of the client.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) client: Option<IpAddr>,
    /// Some hop was in the clear, or nobody knows.
    pub(super) cleartext: bool,
    pub(super) host: Option<Authority>,
}

impl Believed {
    /// What `headers` say, if a trusted proxy has sent them.
    pub(super) fn read(&self, headers: &HeaderMap, proxies: &TrustedProxies) -> Said {
        let mut said = Said::default();
        if self.forwarded {
            said = forwarded(headers, proxies);
        }
        if self.x_forwarded_for {
            let nodes = listed(headers.get_all(X_FORWARDED_FOR)).map(address);
            said.client = agreed(said.client, nearest(nodes, proxies));
        }
        if self.x_forwarded_proto {
            said.cleartext |= listed(headers.get_all(X_FORWARDED_PROTO)).any(|proto| !is_encrypted(proto));
        }
        if self.x_forwarded_host {
            said.host = agreed(said.host, only(listed(headers.get_all(X_FORWARDED_HOST))).and_then(authority));
        }
        said
    }

    /// The certificate that a trusted proxy passes on. RFC 9440 section 2.2:
    /// there is one value, or none that counts.
    pub(super) fn certificate(&self, headers: &HeaderMap) -> Option<ClientCertificate> {
        let mut values = headers.get_all(self.certificate.as_ref()?).iter();
        let (value, None) = (values.next()?, values.next()) else { return None };
        let certificate = ClientCertificate::from_client_cert_header(value.to_str().ok()?).ok()?;
        Some(if self.certificate_verified { certificate.with_verified_chain() } else { certificate })
    }

    /// Drops what is not believed: everything if it comes from a stranger, else
    /// what a proxy would pass on as a client wrote it.
    pub(super) fn drop_others(&self, headers: &mut HeaderMap, trusted: bool) {
        let others: Vec<HeaderName> =
            headers.keys().filter(|name| self.concerns(name) && !(trusted && self.names(name))).cloned().collect();
        for name in others {
            headers.remove(name);
        }
    }

    /// Whether a header claims something of the client that only a proxy can
    /// know.
    fn concerns(&self, name: &HeaderName) -> bool {
        let text = name.as_str();
        text.starts_with("x-forwarded-")
            || text.starts_with("client-cert")
            || *name == FORWARDED
            || Some(name) == self.certificate.as_ref()
    }

    fn names(&self, name: &HeaderName) -> bool {
        (self.forwarded && *name == FORWARDED)
            || (self.x_forwarded_for && *name == X_FORWARDED_FOR)
            || (self.x_forwarded_proto && *name == X_FORWARDED_PROTO)
            || (self.x_forwarded_host && *name == X_FORWARDED_HOST)
            || Some(name) == self.certificate.as_ref()
    }
}

/// Follows the hops back, as far as proxies that are trusted have told of them:
/// what stands further left, anybody may have written (RFC 7239 section 8.1).
fn forwarded(headers: &HeaderMap, proxies: &TrustedProxies) -> Said {
    let mut said = Said::default();
    for line in headers.get_all(FORWARDED).iter().rev() {
        let Some(elements) = line.to_str().ok().and_then(elements) else {
            return Said { cleartext: true, host: None, ..said };
        };
        for element in elements.into_iter().rev() {
            said.cleartext |= element.proto.is_some_and(|proto| !is_encrypted(&proto));
            said.host = element.host.as_deref().and_then(authority);
            let node = element.node.as_deref().and_then(address);
            said.client = node.or(said.client);
            if !node.is_some_and(|node| proxies.contains(node)) {
                return said;
            }
        }
    }
    said
}

/// The first address from the right that is not a trusted proxy's; else the
/// last of theirs before one that is not known.
fn nearest<'a>(
    nodes: impl DoubleEndedIterator<Item = Option<IpAddr>> + 'a,
    proxies: &TrustedProxies,
) -> Option<IpAddr> {
    let mut nearest = None;
    for address in nodes.rev().map_while(|node| node) {
        nearest = Some(address);
        if !proxies.contains(address) {
            break;
        }
    }
    nearest
}

/// The elements of a list, over all its lines. What is no text is there all the
/// same, so that nobody takes what stands before it for the nearest.
fn listed<'a>(lines: GetAll<'a, HeaderValue>) -> impl DoubleEndedIterator<Item = &'a str> {
    let lines = lines.into_iter().map(|line| line.to_str().unwrap_or("unknown"));
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|element| !element.is_empty())
}

/// `wss` is TLS too; what is not known is not.
fn is_encrypted(proto: &str) -> bool {
    proto.eq_ignore_ascii_case("https") || proto.eq_ignore_ascii_case("wss")
}

/// The value of a list whose elements are all the same.
fn only<'a>(mut values: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

/// RFC 7239 section 5.3: in the form of `Host`, so without a user.
fn authority(host: &str) -> Option<Authority> {
    host.parse().ok().filter(|_| !host.contains('@'))
}

/// A proxy writes one of two headers and may pass the other on as the client
/// wrote it: where they differ, neither counts.
fn agreed<T: PartialEq>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => (one == other).then_some(one),
        (one, other) => one.or(other),
    }
}
