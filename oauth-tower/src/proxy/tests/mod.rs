use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    task::{Context, Poll},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Extensions, HeaderMap, HeaderName, Request, Response, StatusCode, header::FORWARDED, uri::Scheme};
use oauth_core::mtls::ClientCertificate;
use tower::{Layer, Service, ServiceExt, service_fn};

use super::*;

const PROXY: &str = "10.0.0.1";
const STRANGER: &str = "9.9.9.9";

/// Not looked into, so any sequence does.
fn certificate(content: u8) -> ClientCertificate {
    ClientCertificate::from_der(vec![0x30, 1, content]).unwrap()
}

fn client_cert(content: u8) -> String {
    format!(":{}:", STANDARD.encode(certificate(content).as_der()))
}

fn proxies() -> TrustedProxies {
    ["10.0.0.0/8", "fd00::/8"].iter().map(|range| range.parse::<Cidr>().unwrap()).collect()
}

fn all() -> ProxyLayer {
    let layer = ProxyLayer::new(proxies()).forwarded().x_forwarded_for().x_forwarded_proto().x_forwarded_host();
    layer.certificate_header(CLIENT_CERT)
}

fn peer(address: &str) -> PeerAddress {
    PeerAddress(SocketAddr::new(address.parse().unwrap(), 50_000))
}

/// A request over TLS.
fn request(from: &str, headers: &[(&str, &str)]) -> Request<()> {
    let request = Request::get("/").extension(peer(from)).extension(ClientScheme(Scheme::HTTPS));
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).body(()).unwrap()
}

/// What the service inside sees.
async fn pass(layer: ProxyLayer, request: Request<()>) -> (HeaderMap, Extensions) {
    let inside = service_fn(async |request: Request<()>| Ok::<_, Infallible>(request.into_parts().0));
    let parts = layer.layer(inside).oneshot(request).await.unwrap();
    (parts.headers, parts.extensions)
}

async fn seen(layer: ProxyLayer, from: &str, headers: &[(&str, &str)]) -> Extensions {
    pass(layer, request(from, headers)).await.1
}

async fn client(from: &str, headers: &[(&str, &str)]) -> String {
    ClientAddress::of(&seen(all(), from, headers).await).unwrap().to_string()
}

async fn host(headers: &[(&str, &str)]) -> Option<String> {
    seen(all(), PROXY, headers).await.get::<RequestedHost>().map(|host| host.0.to_string())
}

#[tokio::test]
async fn a_trusted_proxy_names_the_client_and_nobody_further_away_does() {
    for (header, value, is) in [
        ("x-forwarded-for", "1.1.1.1, 2.2.2.2", "2.2.2.2"),
        ("x-forwarded-for", "1.1.1.1, 2.2.2.2, 10.9.9.9", "2.2.2.2"),
        ("x-forwarded-for", "1.1.1.1,[2001:db8::1]:80 , fd00::7", "2001:db8::1"),
        ("x-forwarded-for", "1.1.1.1, ::ffff:10.0.0.9", "1.1.1.1"),
        ("x-forwarded-for", "1.1.1.1, unknown", PROXY),
        ("x-forwarded-for", "1.1.1.1, unknown, 10.9.9.9", "10.9.9.9"),
        ("x-forwarded-for", "1.1.1.1, \u{e9}", PROXY),
        ("x-forwarded-for", "10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("x-forwarded-for", "", PROXY),
        ("forwarded", "for=1.1.1.1, for=\"[2001:db8::1]:80\";proto=https", "2001:db8::1"),
        ("forwarded", "for=1.1.1.1, for=2.2.2.2, for=10.9.9.9", "2.2.2.2"),
        ("forwarded", "for=1.1.1.1, for=_hidden", PROXY),
        ("forwarded", "for=1.1.1.1, by=10.9.9.9", PROXY),
        ("forwarded", "for=1.1.1.1, for=\"2.2.2.2", PROXY),
    ] {
        assert_eq!(client(PROXY, &[(header, value)]).await, is, "{header}: {value}");
    }
}

#[tokio::test]
async fn several_lines_of_a_header_are_one_list() {
    let lines =
        [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "2.2.2.2, 10.9.9.9"), ("x-forwarded-for", "fd00::1")];
    assert_eq!(client(PROXY, &lines).await, "2.2.2.2");
    let lines =
        [("forwarded", "for=1.1.1.1"), ("forwarded", "for=2.2.2.2, for=10.9.9.9"), ("forwarded", "for=10.8.8.8")];
    assert_eq!(client(PROXY, &lines).await, "2.2.2.2");
    // What a client has broken does not spoil what a proxy has added below.
    let lines = [("forwarded", "for=\"1.1.1.1"), ("forwarded", "for=2.2.2.2")];
    assert_eq!(client(PROXY, &lines).await, "2.2.2.2");
}

#[tokio::test]
async fn two_headers_that_contradict_each_other_say_nothing() {
    let headers = |one, other| [("forwarded", one), ("x-forwarded-for", other)];
    assert_eq!(client(PROXY, &headers("for=1.1.1.1", "2.2.2.2")).await, PROXY);
    assert_eq!(client(PROXY, &headers("for=2.2.2.2", "2.2.2.2")).await, "2.2.2.2");
    let hosts = |one, other| [("forwarded", one), ("x-forwarded-host", other)];
    assert_eq!(host(&hosts("for=1.1.1.1;host=a.example", "b.example")).await, None);
    assert_eq!(host(&hosts("for=1.1.1.1;host=a.example", "a.example")).await.as_deref(), Some("a.example"));
}

#[tokio::test]
async fn the_host_is_what_the_outermost_proxy_was_asked_for() {
    let hops = "for=1.1.1.1;host=evil.example, for=2.2.2.2;host=\"api.example:8443\", for=10.9.9.9;host=internal";
    assert_eq!(host(&[("forwarded", hops)]).await.as_deref(), Some("api.example:8443"));
    assert_eq!(host(&[("x-forwarded-host", "api.example")]).await.as_deref(), Some("api.example"));
    assert_eq!(host(&[("x-forwarded-host", "api.example, api.example")]).await.as_deref(), Some("api.example"));
    for none in ["evil.example, api.example", "user@api.example", "api.example/path", "a b", ""] {
        assert_eq!(host(&[("x-forwarded-host", none)]).await, None, "{none}");
    }
    assert_eq!(host(&[("forwarded", "host=api.example;for=2.2.2.2, x")]).await, None);
}

#[tokio::test]
async fn one_hop_in_the_clear_is_enough() {
    let https = async |headers: &[(&str, &str)]| ClientScheme::is_https(&seen(all(), PROXY, headers).await);
    for protocols in ["https", "HTTPS", "https, https", "wss"] {
        assert!(https(&[("x-forwarded-proto", protocols)]).await, "{protocols}");
    }
    // A proxy that is trusted ends TLS, unless it says otherwise.
    assert!(https(&[]).await);
    for protocols in ["http", "https, http", "http, https", "HTTP", "ws", "junk", "https;"] {
        assert!(!https(&[("x-forwarded-proto", protocols)]).await, "{protocols}");
    }
    assert!(https(&[("forwarded", "for=1.1.1.1;proto=https")]).await);
    assert!(https(&[("forwarded", "for=1.1.1.1;proto=http, for=2.2.2.2;proto=https")]).await);
    for hops in ["proto=HTTP", "for=2.2.2.2;proto=http, for=10.9.9.9;proto=https", "proto=https, x", "proto=\"https"] {
        assert!(!https(&[("forwarded", hops)]).await, "{hops}");
    }
    assert!(!https(&[("forwarded", "proto=https"), ("x-forwarded-proto", "http")]).await);
}

// spec: SEC-03
#[tokio::test]
async fn a_stranger_changes_neither_address_nor_scheme_nor_host_nor_certificate() {
    let evil = client_cert(1);
    let lies = [
        ("forwarded", "for=1.1.1.1;proto=http;host=evil.example"),
        ("x-forwarded-for", "1.1.1.1"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-port", "1"),
        ("x-forwarded-prefix", "/evil"),
        ("client-cert", &evil),
        ("client-cert-chain", &evil),
    ];
    for stranger in [STRANGER, "2001:db8::1", "127.0.0.1", "::ffff:9.9.9.9", "11.0.0.0"] {
        let address: IpAddr = stranger.parse().unwrap();
        for connection in [None, Some(certificate(2))] {
            let mut request = request(stranger, &lies);
            request.headers_mut().insert("x-other", "stays".parse().unwrap());
            connection.clone().map(|certificate| request.extensions_mut().insert(certificate));
            let (headers, extensions) = pass(all(), request).await;
            assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-other"]);
            assert_eq!(ClientAddress::of(&extensions), Some(address.to_canonical()));
            assert!(ClientScheme::is_https(&extensions));
            assert_eq!(extensions.get::<RequestedHost>(), None);
            assert_eq!(extensions.get::<ClientCertificate>(), connection.as_ref());
        }
    }
}

#[tokio::test]
async fn without_an_address_of_the_connection_nobody_is_believed() {
    let mut request = request(PROXY, &[("client-cert", &client_cert(1)), ("x-forwarded-for", "1.1.1.1")]);
    request.extensions_mut().remove::<PeerAddress>();
    let (headers, extensions) = pass(all(), request).await;
    assert!(headers.is_empty());
    assert_eq!(ClientAddress::of(&extensions), None);
    assert_eq!(extensions.get::<ClientCertificate>(), None);
}

// spec: SEC-03
#[tokio::test]
async fn a_header_that_the_operator_has_not_named_is_dropped_even_from_a_proxy() {
    let lies = [
        ("forwarded", "for=1.1.1.1;proto=http;host=evil.example"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", "evil.example"),
        ("client-cert", &client_cert(1)),
        ("x-forwarded-for", "2.2.2.2"),
    ];
    let (headers, extensions) = pass(ProxyLayer::new(proxies()).x_forwarded_for(), request(PROXY, &lies)).await;
    assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-forwarded-for"]);
    assert_eq!(ClientAddress::of(&extensions).unwrap().to_string(), "2.2.2.2");
    assert!(ClientScheme::is_https(&extensions));
    assert!(extensions.get::<RequestedHost>().is_none() && extensions.get::<ClientCertificate>().is_none());
}

// spec: RS-34
#[tokio::test]
async fn a_proxy_passes_on_one_certificate_or_none() {
    let (one, other) = (client_cert(1), client_cert(2));
    let told = async |headers: &[(&str, &str)]| {
        let mut request = request(PROXY, headers);
        // The proxy shows one of its own to us.
        request.extensions_mut().insert(certificate(9));
        let (headers, extensions) = pass(all(), request).await;
        let told = extensions.get::<ClientCertificate>().cloned();
        assert_eq!(headers.contains_key(CLIENT_CERT), told.is_some());
        told
    };
    assert_eq!(told(&[("client-cert", &one)]).await, Some(certificate(1)));
    assert_eq!(told(&[]).await, None);
    assert_eq!(told(&[("client-cert", &one), ("client-cert", &other)]).await, None);
    assert_eq!(told(&[("client-cert", &one), ("client-cert", &one)]).await, None);
    assert_eq!(told(&[("client-cert", &format!("{one}, {other}"))]).await, None);
    for junk in ["", "x", "::", &one[1..], ":\u{e9}:"] {
        assert_eq!(told(&[("client-cert", junk)]).await, None, "{junk}");
    }
}

#[tokio::test]
async fn the_header_of_the_certificate_may_have_another_name() {
    let layer = || ProxyLayer::new(proxies()).certificate_header("x-tls-client".parse().unwrap());
    let headers = [("X-TLS-Client", client_cert(1)), ("Client-Cert", client_cert(2))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let (left, extensions) = pass(layer(), request(PROXY, &headers)).await;
    assert_eq!(extensions.get::<ClientCertificate>(), Some(&certificate(1)));
    assert!(!left.contains_key(CLIENT_CERT));
    let (left, extensions) = pass(layer(), request(STRANGER, &headers)).await;
    assert!(left.is_empty() && extensions.get::<ClientCertificate>().is_none());
}

#[tokio::test]
async fn what_a_proxy_says_of_one_request_is_forgotten_at_the_next_layer() {
    let headers = [("forwarded", "for=1.1.1.1;host=api.example")];
    let inner = ProxyLayer::new(proxies())
        .layer(service_fn(async |request: Request<()>| Ok::<_, Infallible>(request.into_parts().0.extensions)));
    let extensions = all().layer(inner).oneshot(request(PROXY, &headers)).await.unwrap();
    assert!(extensions.get::<RequestedHost>().is_none());
    assert_eq!(ClientAddress::of(&extensions).unwrap().to_string(), PROXY);
}

#[tokio::test]
async fn text_that_is_none_and_lists_without_end_are_survived() {
    let many = "for=10.0.0.2,".repeat(500);
    assert_eq!(client(PROXY, &[("forwarded", &many)]).await, "10.0.0.2");
    assert_eq!(client(PROXY, &[("forwarded", &many.repeat(10))]).await, PROXY);
    assert_eq!(client(PROXY, &[("x-forwarded-for", &"10.0.0.2,".repeat(5000))]).await, "10.0.0.2");
    let mut request = request(PROXY, &[]);
    request.headers_mut().insert(FORWARDED, http::HeaderValue::from_bytes(b"for=1.1.1.1;x=\xff").unwrap());
    let (_, extensions) = pass(all(), request).await;
    assert_eq!(ClientAddress::of(&extensions).unwrap().to_string(), PROXY);
    assert!(!ClientScheme::is_https(&extensions));
}

/// The status of a request with these extensions and a token, and whether it got in.
async fn ask(rule: RequireHttps, extensions: Extensions) -> StatusCode {
    let inside = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::from("inside"))));
    let mut request = Request::get("/").header("authorization", "Bearer token").body(()).unwrap();
    *request.extensions_mut() = extensions;
    let response = rule.layer(inside).oneshot(request).await.unwrap();
    assert_eq!(response.body() == "inside", response.status() == StatusCode::OK);
    response.status()
}

fn known(address: &str, scheme: Option<Scheme>) -> Extensions {
    let mut extensions = Extensions::new();
    extensions.insert(peer(address));
    scheme.map(|scheme| extensions.insert(ClientScheme(scheme)));
    extensions
}

// spec: SEC-02
#[tokio::test]
async fn a_token_in_the_clear_is_refused_whoever_sends_it() {
    for address in [STRANGER, PROXY, "127.0.0.1", "::1"] {
        for (scheme, status) in [
            (None, StatusCode::FORBIDDEN),
            (Some(Scheme::HTTP), StatusCode::FORBIDDEN),
            (Some(Scheme::HTTPS), StatusCode::OK),
        ] {
            assert_eq!(ask(RequireHttps::new(), known(address, scheme.clone())).await, status, "{address} {scheme:?}");
        }
    }
    assert_eq!(ask(RequireHttps::new(), Extensions::new()).await, StatusCode::FORBIDDEN);
}

// spec: SEC-02
#[tokio::test]
async fn a_hop_in_the_clear_is_taken_from_a_proxy_that_ends_tls_and_from_nobody_else() {
    let (deny, pass) = (StatusCode::FORBIDDEN, StatusCode::OK);
    for (from, says, status) in [
        (PROXY, &[][..], pass),
        (PROXY, &[("x-forwarded-proto", "https")], pass),
        (PROXY, &[("x-forwarded-proto", "http")], deny),
        (PROXY, &[("forwarded", "proto=http")], deny),
        (STRANGER, &[], deny),
        (STRANGER, &[("x-forwarded-proto", "https")], deny),
        (STRANGER, &[("forwarded", "for=10.0.0.1;proto=https")], deny),
        ("127.0.0.1", &[("x-forwarded-proto", "https")], deny),
    ] {
        let inside = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(())));
        let service = all().layer(RequireHttps::new().layer(inside));
        let mut request = request(from, says);
        request.extensions_mut().insert(ClientScheme(Scheme::HTTP));
        assert_eq!(service.oneshot(request).await.unwrap().status(), status, "{from} {says:?}");
    }
}

#[tokio::test]
async fn in_development_this_machine_is_taken_in_the_clear() {
    let rule = RequireHttps::new().insecure_loopback();
    for own in ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"] {
        assert_eq!(ask(rule, known(own, Some(Scheme::HTTP))).await, StatusCode::OK, "{own}");
    }
    for other in [STRANGER, PROXY, "::ffff:10.0.0.1"] {
        assert_eq!(ask(rule, known(other, Some(Scheme::HTTP))).await, StatusCode::FORBIDDEN, "{other}");
    }
    assert_eq!(ask(rule, Extensions::new()).await, StatusCode::FORBIDDEN);
}

/// Holds on to something from when it is polled ready to when it is called.
#[derive(Debug, Default)]
struct Holding {
    all: Arc<()>,
    held: Option<Arc<()>>,
}

impl Clone for Holding {
    fn clone(&self) -> Self {
        Self { all: Arc::clone(&self.all), held: None }
    }
}

impl Service<Request<()>> for Holding {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.held = Some(Arc::clone(&self.all));
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        drop(self.held.take().expect("it was not polled ready"));
        std::future::ready(Ok(Response::new(())))
    }
}

#[tokio::test]
async fn a_refusal_gives_back_what_the_service_held_ready() {
    let all = Arc::new(());
    let mut service = RequireHttps::new().layer(Holding { all: Arc::clone(&all), held: None });
    let mut send = async |scheme| {
        let request = Request::get("/").extension(ClientScheme(scheme)).body(()).unwrap();
        service.ready().await.unwrap().call(request).await.unwrap().status()
    };
    assert_eq!(send(Scheme::HTTP).await, StatusCode::FORBIDDEN);
    assert_eq!(Arc::strong_count(&all), 2);
    assert_eq!(send(Scheme::HTTPS).await, StatusCode::OK);
    assert_eq!(Arc::strong_count(&all), 2);
}
