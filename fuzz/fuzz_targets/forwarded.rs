//! `Forwarded` and its kin, from a stranger and from a proxy; ranges of addresses. A line is a header.
#![no_main]

use std::{
    convert::Infallible,
    future::ready,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use http::{HeaderName, HeaderValue, Request, request::Parts, uri::Scheme};
use libfuzzer_sys::fuzz_target;
use oauth_core::mtls::ClientCertificate;
use oauth_core_fuzz::block_on;
use oauth_tower::proxy::{
    CLIENT_CERT, Cidr, ClientAddress, ClientScheme, PeerAddress, ProxyLayer, RequestedHost, TrustedProxies,
};
use tower::{Layer, Service, service_fn};

const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));
const NAMES: [&str; 5] = ["forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "client-cert"];

fuzz_target!(|data: &[u8]| {
    range(data);
    let lines: Vec<(&str, &[u8])> = NAMES.into_iter().cycle().zip(data.split(|byte| *byte == b'\n')).collect();

    let stranger = pass(all(), STRANGER, &lines);
    assert!(stranger.headers.is_empty());
    assert_eq!(ClientAddress::of(&stranger.extensions), Some(STRANGER));
    assert!(ClientScheme::is_https(&stranger.extensions));
    assert!(stranger.extensions.get::<RequestedHost>().is_none());
    assert!(stranger.extensions.get::<ClientCertificate>().is_none());

    let proxied = pass(all(), PROXY, &lines);
    let certificates = lines.iter().filter(|(name, value)| *name == "client-cert" && header(value).is_some()).count();
    let told = proxied.extensions.get::<ClientCertificate>().is_some();
    assert!(!told || certificates == 1);
    assert_eq!(told, proxied.headers.contains_key(CLIENT_CERT));

    // Whatever a client has written, the proxy adds what it knows: on a line of its own, or behind it.
    let first = lines.first().map_or(&[][..], |(_, value)| *value);
    let with = |layer: ProxyLayer, name, own: &str| {
        let behind = [first, b", ", own.as_bytes()].concat();
        let below = [(name, first), (name, own.as_bytes())];
        [pass(layer.clone(), PROXY, &below), pass(layer, PROXY, &[(name, &behind)])]
    };
    let layer = || ProxyLayer::new(proxies());
    let [below, behind] = with(layer().forwarded(), "forwarded", "for=203.0.113.7;proto=http;host=a.example");
    assert_eq!(ClientAddress::of(&below.extensions), Some(CLIENT));
    assert_eq!(below.extensions.get::<RequestedHost>().map(|host| host.0.as_str()), Some("a.example"));
    assert!(!ClientScheme::is_https(&below.extensions));
    if header(first).is_some() {
        // A quote that the client has opened may swallow it: then nobody is believed.
        assert!([CLIENT, PROXY].map(Some).contains(&ClientAddress::of(&behind.extensions)));
        assert!(behind.extensions.get::<RequestedHost>().is_none_or(|host| host.0 == "a.example"));
        assert!(!ClientScheme::is_https(&behind.extensions));
        let [below, behind] = with(layer().x_forwarded_for(), "x-forwarded-for", "203.0.113.7");
        assert_eq!(ClientAddress::of(&below.extensions), Some(CLIENT));
        // What is not text is no address, and hides what stands on its line.
        assert!([CLIENT, PROXY].map(Some).contains(&ClientAddress::of(&behind.extensions)));
    }
});

fn proxies() -> TrustedProxies {
    ["10.0.0.0/8".parse().expect("a range")].into_iter().collect()
}

fn all() -> ProxyLayer {
    let layer = ProxyLayer::new(proxies()).forwarded().x_forwarded_for().x_forwarded_proto().x_forwarded_host();
    layer.certificate_header(CLIENT_CERT)
}

fn header(value: &[u8]) -> Option<HeaderValue> {
    HeaderValue::from_bytes(value).ok()
}

/// What the service inside sees of a request over TLS.
fn pass(layer: ProxyLayer, from: IpAddr, headers: &[(&str, &[u8])]) -> Parts {
    let mut request = Request::new(());
    request.extensions_mut().insert(PeerAddress(SocketAddr::new(from, 50_000)));
    request.extensions_mut().insert(ClientScheme(Scheme::HTTPS));
    for (name, value) in headers {
        let name: HeaderName = name.parse().expect("a name");
        if let Some(value) = header(value) {
            request.headers_mut().append(name, value);
        }
    }
    let mut service =
        layer.layer(service_fn(|request: Request<()>| ready(Ok::<_, Infallible>(request.into_parts().0))));
    let Ok(parts) = block_on(service.call(request));
    parts
}

fn range(data: &[u8]) {
    let Some(range) = str::from_utf8(data).ok().and_then(|text| text.parse::<Cidr>().ok()) else { return };
    let text = range.to_string();
    assert_eq!(text.parse(), Ok(range));
    let base: IpAddr = text.split('/').next().expect("a base").parse().expect("an address");
    assert!(range.contains(base) || base.to_canonical().is_ipv4() && base.is_ipv6());
}
