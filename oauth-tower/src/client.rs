//! A small OAuth client: gets, refreshes and revokes tokens.
//!
//! ```no_run
//! use oauth_tower::{client::TokenClient, outgoing::{ClientAuth, HttpClient}};
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let auth = ClientAuth::Basic { id: "app".into(), secret: "the client secret".into() };
//! let client = TokenClient::builder("https://as.example/token", auth)
//!     .revocation_endpoint("https://as.example/revoke")
//!     .build(HttpClient::builder().build()?)?;
//! let token = client.client_credentials(Some("albums:read"), None).await?.access_token;
//! // ... and when it has served:
//! client.revoke(token).await?;
//! # Ok(())
//! # }
//! ```

use bytes::Bytes;
use http::{Response, StatusCode, header::RETRY_AFTER};
use oauth_core::{
    secret::Secret,
    token::{InvalidTokenResponse, TokenResponse},
};
use serde::Deserialize;

use crate::outgoing::{ClientAuth, Endpoint, HttpClient, HttpError, Transport, UrlError};

/// A client of one authorization server. Clones share the HTTP client.
#[derive(Clone, Debug)]
pub struct TokenClient {
    http: HttpClient,
    auth: ClientAuth,
    token_endpoint: Endpoint,
    revocation_endpoint: Option<Endpoint>,
}

/// Collects what a [`TokenClient`] needs.
#[derive(Debug)]
#[must_use]
pub struct TokenClientBuilder {
    auth: ClientAuth,
    token_endpoint: String,
    revocation_endpoint: Option<String>,
    transport: Transport,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The server refused (OAuth 2.1 section 5.2).
    #[error("the server refused: {error}")]
    Refused {
        /// The `error` code; empty if the server sent none.
        error: String,
        /// The `error_description`: the server's text, for a log.
        description: Option<String>,
        /// The status.
        status: StatusCode,
    },
    /// The server's answer must not be used.
    #[error(transparent)]
    Invalid(#[from] InvalidTokenResponse),
    /// There is no answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The client's own secret cannot be sent in a header.
    #[error("the credentials cannot be sent in a header")]
    UnsendableSecret,
}

/// Why a token is not known to be revoked. It is handed back, because it may
/// still be good (RFC 7009 section 2.2.1): keep it safe and try again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevokeError {
    /// 503, another 5xx, or no answer: the token must be assumed to live.
    #[error("the server could not revoke the token now")]
    StillLive {
        /// The token.
        token: Secret,
        /// When to try again, in seconds, if the server said.
        retry_after: Option<u64>,
    },
    /// The server will not revoke it, however often it is asked.
    #[error("the server refused to revoke the token: {error}")]
    Refused {
        /// The token.
        token: Secret,
        /// The `error` code, `unsupported_token_type` perhaps; empty if the
        /// server sent none.
        error: String,
    },
    /// No revocation endpoint was given.
    #[error("no revocation endpoint was given")]
    NoEndpoint {
        /// The token.
        token: Secret,
    },
}

impl TokenClient {
    /// A client that gets tokens at `token_endpoint`, authenticated by `auth`.
    pub fn builder(token_endpoint: impl Into<String>, auth: ClientAuth) -> TokenClientBuilder {
        TokenClientBuilder {
            auth,
            token_endpoint: token_endpoint.into(),
            revocation_endpoint: None,
            transport: Transport::Https,
        }
    }

    /// `grant_type=client_credentials` (OAuth 2.1 section 4.2), for `scope`, at
    /// `resource` (RFC 8707).
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn client_credentials(
        &self,
        scope: Option<&str>,
        resource: Option<&str>,
    ) -> Result<TokenResponse, TokenError> {
        let optional = [("scope", scope), ("resource", resource)];
        self.request("client_credentials", optional).await
    }

    /// `grant_type=authorization_code` (OAuth 2.1 section 4.1.3). `verifier`
    /// is PKCE's, `redirect_uri` the one of the authorization request.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn exchange_code(
        &self,
        code: &Secret,
        verifier: &Secret,
        redirect_uri: Option<&str>,
    ) -> Result<TokenResponse, TokenError> {
        let fields =
            [("code", Some(code.expose())), ("code_verifier", Some(verifier.expose())), ("redirect_uri", redirect_uri)];
        self.request("authorization_code", fields).await
    }

    /// `grant_type=refresh_token` (OAuth 2.1 section 4.3). Where the response
    /// has a new refresh token, the old one must be forgotten.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn refresh(&self, refresh_token: &Secret, scope: Option<&str>) -> Result<TokenResponse, TokenError> {
        self.request("refresh_token", [("refresh_token", Some(refresh_token.expose())), ("scope", scope)]).await
    }

    /// Revokes `token` (RFC 7009 section 2), and takes it away: whoever gets
    /// `Ok` has nothing left to use. The server may take a moment to spread
    /// the word.
    ///
    /// # Errors
    /// [`RevokeError`], which hands the token back.
    pub async fn revoke(&self, token: Secret) -> Result<(), RevokeError> {
        let Some(endpoint) = &self.revocation_endpoint else { return Err(RevokeError::NoEndpoint { token }) };
        let Ok(request) = self.auth.post(endpoint.uri(), &[("token", token.expose())]) else {
            return Err(RevokeError::Refused { token, error: String::new() });
        };
        match self.http.send(request).await {
            // RFC 7009 section 2.2: 200 for an unknown token as well.
            Ok(response) if response.status() == StatusCode::OK => Ok(()),
            Ok(response) if response.status().is_client_error() => {
                Err(RevokeError::Refused { token, error: WireError::read(&response).error })
            }
            Ok(response) => Err(RevokeError::StillLive { token, retry_after: retry_after(&response) }),
            Err(_) => Err(RevokeError::StillLive { token, retry_after: None }),
        }
    }

    async fn request<const N: usize>(
        &self,
        grant_type: &str,
        optional: [(&str, Option<&str>); N],
    ) -> Result<TokenResponse, TokenError> {
        let mut fields = vec![("grant_type", grant_type)];
        fields.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value?))));
        let request = self.auth.post(self.token_endpoint.uri(), &fields).map_err(|_| TokenError::UnsendableSecret)?;
        let response = self.http.send(request).await?;
        if response.status() == StatusCode::OK {
            return Ok(TokenResponse::parse(response.body())?);
        }
        let WireError { error, error_description } = WireError::read(&response);
        Err(TokenError::Refused { error, description: error_description, status: response.status() })
    }
}

impl TokenClientBuilder {
    /// Where tokens are revoked.
    pub fn revocation_endpoint(mut self, url: impl Into<String>) -> Self {
        self.revocation_endpoint = Some(url.into());
        self
    }

    /// Permits plain http to loopback addresses, for development.
    pub const fn insecure_http(mut self) -> Self {
        self.transport = Transport::HttpsOrLoopback;
        self
    }

    /// The client, which sends through `http`.
    ///
    /// # Errors
    /// [`UrlError`] if an endpoint is not a URL that credentials may go to.
    pub fn build(self, http: HttpClient) -> Result<TokenClient, UrlError> {
        let parse = |url: &str| Endpoint::parse(url, self.transport);
        Ok(TokenClient {
            token_endpoint: parse(&self.token_endpoint)?,
            revocation_endpoint: self.revocation_endpoint.as_deref().map(parse).transpose()?,
            http,
            auth: self.auth,
        })
    }
}

/// OAuth 2.1 section 5.2.
#[derive(Default, Deserialize)]
struct WireError {
    #[serde(default)]
    error: String,
    error_description: Option<String>,
}

impl WireError {
    fn read(response: &Response<Bytes>) -> Self {
        serde_json::from_slice(response.body()).unwrap_or_default()
    }
}

fn retry_after(response: &Response<Bytes>) -> Option<u64> {
    response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::{Arc, Mutex},
    };

    use http::Request;
    use http_body_util::Full;
    use tower::service_fn;

    use super::*;

    /// A client of a server that always answers like this, and what it was sent.
    fn client(status: u16, headers: &[(&str, &str)], body: &'static str) -> (TokenClient, Arc<Mutex<Vec<Bytes>>>) {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        let response = response.body(body).unwrap();
        let forms = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&forms);
        let http = HttpClient::new(service_fn(move |request: Request<Bytes>| {
            seen.lock().unwrap().push(request.into_body());
            let response = response.clone().map(Full::<Bytes>::from);
            async move { Ok::<_, Infallible>(response) }
        }));
        let auth = ClientAuth::None { id: "app".into() };
        let builder = TokenClient::builder("https://as.example/token", auth);
        (builder.revocation_endpoint("https://as.example/revoke").build(http).unwrap(), forms)
    }

    const TOKEN: &str = r#"{"access_token":"a","token_type":"Bearer","expires_in":300,"refresh_token":"r"}"#;

    fn form(forms: &Mutex<Vec<Bytes>>) -> String {
        String::from_utf8(forms.lock().unwrap().last().unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn each_grant_sends_its_parameters() {
        let (client, forms) = client(200, &[], TOKEN);
        client.client_credentials(Some("a b"), Some("https://api.example")).await.unwrap();
        assert_eq!(
            form(&forms),
            "grant_type=client_credentials&scope=a+b&resource=https%3A%2F%2Fapi.example&client_id=app",
        );
        client.exchange_code(&"c".into(), &"v".into(), Some("https://app.example/cb")).await.unwrap();
        assert_eq!(
            form(&forms),
            "grant_type=authorization_code&code=c&code_verifier=v&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&client_id=app",
        );
        let refreshed = client.refresh(&"old".into(), None).await.unwrap();
        assert_eq!(form(&forms), "grant_type=refresh_token&refresh_token=old&client_id=app");
        assert_eq!(refreshed.refresh_token, Some("r".into()));
    }

    #[tokio::test]
    async fn an_error_response_is_read_and_a_broken_one_too() {
        let (client, _) = client(400, &[], r#"{"error":"invalid_grant","error_description":"no"}"#);
        let error = client.refresh(&"old".into(), None).await.unwrap_err();
        assert!(
            matches!(error, TokenError::Refused { error, status: StatusCode::BAD_REQUEST, .. } if error == "invalid_grant")
        );
        let (client, _) = self::client(500, &[], "<html>");
        let error = client.refresh(&"old".into(), None).await.unwrap_err();
        assert!(matches!(error, TokenError::Refused { error, .. } if error.is_empty()));
        let (client, _) = self::client(200, &[], r#"{"access_token":"a","token_type":"mac"}"#);
        assert!(matches!(client.client_credentials(None, None).await.unwrap_err(), TokenError::Invalid(_)));
    }

    // spec: REV-15
    #[tokio::test]
    async fn a_revoked_token_is_gone_and_one_that_may_still_live_is_handed_back() {
        let (client, forms) = client(200, &[], "");
        client.revoke("t".into()).await.unwrap();
        assert_eq!(form(&forms), "token=t&client_id=app");

        let (client, _) = self::client(503, &[("retry-after", "7")], "");
        let error = client.revoke("t".into()).await.unwrap_err();
        let RevokeError::StillLive { token, retry_after } = error else { panic!("{error:?}") };
        assert_eq!((token.expose(), retry_after), ("t", Some(7)));
        assert!(matches!(client.revoke(token).await.unwrap_err(), RevokeError::StillLive { .. }));

        let (client, _) = self::client(400, &[], r#"{"error":"unsupported_token_type"}"#);
        let error = client.revoke("t".into()).await.unwrap_err();
        assert!(matches!(&error, RevokeError::Refused { error, .. } if error == "unsupported_token_type"));
        let (client, _) = self::client(503, &[], "");
        let error = client.revoke("very-secret".into()).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("very-secret"));
    }

    // spec: REV-15
    #[tokio::test]
    async fn without_an_answer_the_token_must_be_assumed_to_live() {
        let broken = service_fn(|_: Request<Bytes>| async { Err::<Response<Full<Bytes>>, _>("no route to host") });
        let auth = ClientAuth::None { id: "app".into() };
        let builder = TokenClient::builder("https://as.example/token", auth);
        let client = builder.revocation_endpoint("https://as.example/revoke").build(HttpClient::new(broken)).unwrap();
        let error = client.revoke("t".into()).await.unwrap_err();
        assert!(matches!(error, RevokeError::StillLive { retry_after: None, .. }));
    }

    #[test]
    fn credentials_are_sent_over_https_only() {
        let build = |url: &str, insecure: bool| {
            let broken = service_fn(|_: Request<Bytes>| async { Err::<Response<Full<Bytes>>, _>("unused") });
            let builder = TokenClient::builder(url, ClientAuth::None { id: "app".into() });
            let builder = if insecure { builder.insecure_http() } else { builder };
            builder.build(HttpClient::new(broken))
        };
        assert_eq!(build("http://as.example/token", true).unwrap_err(), UrlError::NotHttps);
        assert_eq!(build("http://127.0.0.1/token", false).unwrap_err(), UrlError::NotHttps);
        assert!(build("http://127.0.0.1/token", true).is_ok());
    }
}
