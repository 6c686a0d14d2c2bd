//! In front of everything: proxies that are believed, and nothing in the clear.

use axum::{Router, http::HeaderName};
use oauth_tower::proxy::{ProxyLayer, RequireHttps, TrustedProxies};

/// Whom to believe about who the client is, and that the way here was
/// encrypted.
#[derive(Clone, Debug, Default)]
pub struct Front {
    /// These may say who the client is.
    pub proxies: TrustedProxies,
    /// In this header they pass on the client's certificate.
    pub certificate_header: Option<HeaderName>,
    /// They turn away certificates that no authority of clients vouches for.
    pub verified_certificates: bool,
    /// This machine may speak plain http.
    pub development: bool,
}

impl Front {
    /// Tells `app` who the client is, and refuses what came in the clear.
    pub fn guard(&self, app: Router) -> Router {
        let https = RequireHttps::new();
        let https = if self.development { https.insecure_loopback() } else { https };
        self.introduce(app.layer(https))
    }

    /// Tells `app` who the client is, also of one that came in the clear.
    pub fn introduce(&self, app: Router) -> Router {
        let proxies = ProxyLayer::new(self.proxies.clone()).forwarded().x_forwarded_for().x_forwarded_proto();
        let proxies = if self.verified_certificates { proxies.verifies_certificates() } else { proxies };
        let proxies = match &self.certificate_header {
            Some(name) => proxies.certificate_header(name.clone()),
            None => proxies,
        };
        app.layer(proxies)
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        body::Body,
        extract::Request,
        http::{HeaderMap, StatusCode},
        routing::get,
    };
    use oauth_axum_rs::Peer;
    use oauth_tower::proxy::ClientAddress;
    use tower::ServiceExt;

    use super::*;

    /// The status, and what the app knows of the client.
    async fn ask(development: bool, peer: &Peer, headers: &[(&str, &str)]) -> (StatusCode, String) {
        let known = async |request: Request| {
            let address = ClientAddress::of(request.extensions()).unwrap();
            format!("{address} {}", named(request.headers()))
        };
        let proxies = ["10.0.0.0/8".parse().unwrap()].into_iter().collect();
        let front = Front { proxies, development, ..Front::default() };
        let mut request = Request::get("/");
        peer.introduce(request.extensions_mut().unwrap());
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let app = front.guard(Router::new().route("/", get(known)));
        let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 100).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    fn named(headers: &HeaderMap) -> String {
        headers.keys().map(HeaderName::as_str).collect::<Vec<_>>().join(" ")
    }

    fn from(address: &str) -> Peer {
        Peer::new(address.parse().unwrap())
    }

    fn ok(said: &str) -> (StatusCode, String) {
        (StatusCode::OK, said.to_owned())
    }

    const FORBIDDEN: (StatusCode, String) = (StatusCode::FORBIDDEN, String::new());

    #[tokio::test]
    async fn a_proxy_that_ends_tls_is_believed_and_a_stranger_needs_tls() {
        let told = [("x-forwarded-for", "2.2.2.2"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "evil")];
        let proxy = from("10.0.0.1:1");
        assert_eq!(ask(false, &proxy, &told).await, ok("2.2.2.2 x-forwarded-for x-forwarded-proto"));
        assert_eq!(ask(false, &proxy, &[]).await, ok("10.0.0.1 "));
        assert_eq!(ask(false, &proxy, &[("forwarded", "proto=http")]).await, FORBIDDEN);
        assert_eq!(ask(false, &from("9.9.9.9:1"), &told).await, FORBIDDEN);
        assert_eq!(ask(false, &from("127.0.0.1:1"), &told).await, FORBIDDEN);
        assert_eq!(ask(false, &from("9.9.9.9:1").over_tls(None), &told).await, ok("9.9.9.9 "));
    }

    #[tokio::test]
    async fn in_development_this_machine_needs_no_tls() {
        assert_eq!(ask(true, &from("127.0.0.1:1"), &[]).await, ok("127.0.0.1 "));
        assert_eq!(ask(true, &from("9.9.9.9:1"), &[]).await, FORBIDDEN);
    }
}
