//! Proxies in front: whom to believe about who the client is, and that the
//! way here was encrypted.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use oauth_axum_rs::Peer;

use crate::cidr::Cidr;

/// Which proxies are trusted, and whether there must be one.
#[derive(Clone, Debug)]
pub struct Proxies {
    trusted: Arc<[Cidr]>,
    required: bool,
}

impl Proxies {
    /// Believes the headers of `trusted` alone. With `required`, serves nobody
    /// else, because this hop is plain http and only a proxy makes it safe.
    pub fn new(trusted: &[Cidr], required: bool) -> Self {
        Self { trusted: trusted.into(), required }
    }

    /// Puts the client's own address in the place of the proxy's, and refuses
    /// what came in the clear (OAuth 2.1 section 1.5).
    pub fn guard(self, app: Router) -> Router {
        if self.trusted.is_empty() && !self.required {
            return app;
        }
        app.layer(middleware::from_fn_with_state(self, guard))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|range| range.contains(address))
    }

    /// The nearest address that is not a trusted proxy's: what stands further
    /// left, anybody may have written.
    fn client(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let (standard, usual) = (forwarded(headers, "for"), listed(headers, "x-forwarded-for"));
        match (standard.and_then(|names| self.nearest(&names)), usual.and_then(|names| self.nearest(&names))) {
            // A proxy writes one of the two and may pass the other on as the
            // client wrote it.
            (Some(one), Some(other)) => (one == other).then_some(one),
            (one, other) => one.or(other),
        }
    }

    fn nearest(&self, names: &[String]) -> Option<IpAddr> {
        let mut nearest = None;
        for address in names.iter().rev().map_while(|name| address(name)) {
            nearest = Some(address);
            if !self.trusts(address) {
                break;
            }
        }
        nearest
    }
}

async fn guard(State(proxies): State<Proxies>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<Peer>>().map(|ConnectInfo(peer)| *peer);
    match peer {
        Some(peer) if proxies.trusts(peer.address().ip()) => {
            if came_in_the_clear(request.headers()) {
                return refuse("https is required");
            }
            if let Some(client) = proxies.client(request.headers()) {
                request.extensions_mut().insert(ConnectInfo(Peer::new((client, 0).into())));
            }
        }
        _ if proxies.required => return refuse("https is required, through a trusted proxy"),
        _ => {}
    }
    next.run(request).await
}

fn refuse(why: &'static str) -> Response {
    (StatusCode::FORBIDDEN, why).into_response()
}

/// One hop of them all is enough.
fn came_in_the_clear(headers: &HeaderMap) -> bool {
    let protocols = [forwarded(headers, "proto"), listed(headers, "x-forwarded-proto")];
    protocols.iter().flatten().flatten().any(|protocol| protocol.eq_ignore_ascii_case("http"))
}

/// The values of `parameter` in all elements of `Forwarded` (RFC 7239 section
/// 4); `None` without that header.
fn forwarded(headers: &HeaderMap, parameter: &str) -> Option<Vec<String>> {
    let elements = listed(headers, "forwarded")?;
    let value = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case(parameter).then(|| value.trim().trim_matches('"').to_owned())
    };
    Some(elements.iter().flat_map(|element| element.split(';').filter_map(value).collect::<Vec<_>>()).collect())
}

/// The elements of a list header, over all its lines.
fn listed(headers: &HeaderMap, name: &str) -> Option<Vec<String>> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    let elements: Vec<String> = lines.flat_map(|line| line.split(',')).map(|one| one.trim().to_owned()).collect();
    (!elements.is_empty()).then_some(elements)
}

/// `1.2.3.4`, `1.2.3.4:56`, `[::1]:56`, `::1`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.parse().ok();
    let with_port = || text.parse().ok().map(|address: std::net::SocketAddr| address.ip());
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    bare.or_else(with_port).or_else(bracketed)
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, routing::get};
    use tower::ServiceExt;

    use super::*;

    /// The status, and the address that the app saw.
    async fn ask(required: bool, peer: &str, headers: &[(&str, &str)]) -> (StatusCode, String) {
        let app =
            Router::new().route("/", get(async |ConnectInfo(peer): ConnectInfo<Peer>| peer.address().ip().to_string()));
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let app = Proxies::new(&trusted, required).guard(app);
        let peer = Peer::new(peer.parse().unwrap());
        let mut request = Request::get("/").extension(ConnectInfo(peer));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 100).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn seen(peer: &str, headers: &[(&str, &str)]) -> String {
        ask(true, peer, headers).await.1
    }

    #[tokio::test]
    async fn a_trusted_proxy_names_the_client_and_nobody_further_away_does() {
        assert_eq!(seen("10.0.0.1:1", &[("x-forwarded-for", "1.1.1.1, 2.2.2.2")]).await, "2.2.2.2");
        assert_eq!(seen("10.0.0.1:1", &[("x-forwarded-for", "1.1.1.1, 2.2.2.2, 10.9.9.9")]).await, "2.2.2.2");
        assert_eq!(
            seen("10.0.0.1:1", &[("forwarded", "for=1.1.1.1, for=\"[2001:db8::1]:80\";proto=https")]).await,
            "2001:db8::1"
        );
        assert_eq!(seen("10.0.0.1:1", &[("x-forwarded-for", "1.1.1.1, unknown")]).await, "10.0.0.1");
        let contradiction = [("forwarded", "for=1.1.1.1"), ("x-forwarded-for", "2.2.2.2")];
        assert_eq!(seen("10.0.0.1:1", &contradiction).await, "10.0.0.1");
    }

    #[tokio::test]
    async fn what_came_in_the_clear_is_refused() {
        let status = async |peer, headers: &[(&str, &str)]| ask(true, peer, headers).await.0;
        assert_eq!(status("10.0.0.1:1", &[]).await, StatusCode::OK);
        assert_eq!(status("10.0.0.1:1", &[("x-forwarded-proto", "https")]).await, StatusCode::OK);
        assert_eq!(status("10.0.0.1:1", &[("x-forwarded-proto", "https, http")]).await, StatusCode::FORBIDDEN);
        assert_eq!(status("10.0.0.1:1", &[("forwarded", "proto=HTTP")]).await, StatusCode::FORBIDDEN);
        assert_eq!(status("9.9.9.9:1", &[("x-forwarded-proto", "https")]).await, StatusCode::FORBIDDEN);
    }

    #[tokio::test]
    async fn a_stranger_is_believed_nothing() {
        let lie = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "http")];
        assert_eq!(ask(false, "9.9.9.9:1", &lie).await, (StatusCode::OK, "9.9.9.9".into()));
    }
}
