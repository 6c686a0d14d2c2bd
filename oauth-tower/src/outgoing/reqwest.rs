//! The default client: reqwest over rustls.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use reqwest::{Certificate, Client, redirect};

use super::{HttpClient, HttpError};

/// How long a connection is kept for the next request. Many servers close one
/// after 5 seconds, Node.js by default; what is sent just then is lost.
const IDLE: Duration = Duration::from_secs(4);

/// Makes an [`HttpClient`] of `reqwest`.
///
/// ```
/// use oauth_tower::outgoing::HttpClient;
/// use std::time::Duration;
/// let client = HttpClient::builder().timeout(Duration::from_secs(3)).build()?;
/// # drop(client);
/// # Ok::<_, oauth_tower::outgoing::HttpError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct HttpClientBuilder {
    timeout: Duration,
    response_limit: usize,
    roots: Vec<Vec<u8>>,
    proxy_from_environment: bool,
}

impl HttpClient {
    /// A client by `reqwest`: TLS by rustls, checked against the platform's
    /// roots; no redirects, no cookies, and no proxy unless asked for.
    pub const fn builder() -> HttpClientBuilder {
        HttpClientBuilder {
            timeout: Self::DEFAULT_TIMEOUT,
            response_limit: Self::DEFAULT_RESPONSE_LIMIT,
            roots: Vec::new(),
            proxy_from_environment: false,
        }
    }
}

impl HttpClientBuilder {
    /// How long a whole exchange may take; 5 seconds by default.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many bytes a response may have; 1 MiB by default.
    pub const fn response_limit(mut self, bytes: usize) -> Self {
        self.response_limit = bytes;
        self
    }

    /// Trusts these certificates too: PEM, one or more.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Uses the proxy that the environment names (`HTTPS_PROXY` and so on).
    pub const fn proxy_from_environment(mut self) -> Self {
        self.proxy_from_environment = true;
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`HttpError::Setup`] if a certificate cannot be read, or TLS cannot be
    /// set up.
    pub fn build(self) -> Result<HttpClient, HttpError> {
        let mut roots = Vec::new();
        for pem in &self.roots {
            roots.extend(Certificate::from_pem_bundle(pem).map_err(setup)?);
        }
        let mut builder = Client::builder()
            .user_agent(concat!("oauth-tower/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .pool_idle_timeout(IDLE)
            .referer(false)
            .tls_certs_merge(roots);
        if !self.proxy_from_environment {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(setup)?;
        let service = tower::service_fn(move |request| exchange(client.clone(), request));
        Ok(HttpClient::new(service).with_timeout(self.timeout).with_response_limit(self.response_limit))
    }
}

async fn exchange(client: Client, request: Request<Bytes>) -> Result<Response<reqwest::Body>, reqwest::Error> {
    Ok(client.execute(request.try_into()?).await?.into())
}

fn setup(error: reqwest::Error) -> HttpError {
    HttpError::Setup(error.into())
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpListener,
    };

    use super::*;

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_is_not_followed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let read = stream.read(&mut request).unwrap();
            let response = "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 2\r\n\r\nno";
            stream.write_all(response.as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..read]).into_owned()
        });
        let client = HttpClient::builder().build().unwrap();
        let request = Request::post(format!("http://{address}/token")).body(Bytes::from("a=b")).unwrap();
        let response = client.send(request).await.unwrap();
        assert_eq!((response.status().as_u16(), &response.body()[..]), (302, &b"no"[..]));
        let request = server.join().unwrap();
        assert!(request.starts_with("POST /token HTTP/1.1\r\n"), "{request}");
        assert!(request.ends_with("a=b"), "{request}");
    }

    #[test]
    fn a_certificate_that_is_none_is_found_when_building() {
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let built = HttpClient::builder().root_certificates(broken).build();
        assert!(matches!(built, Err(HttpError::Setup(_))));
    }
}
