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

#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode, header::RETRY_AFTER};
use oauth_core::{
    clock::{Clock, SystemClock},
    secret::Secret,
    token::{InvalidTokenResponse, TokenResponse},
};
use serde::Deserialize;

use crate::outgoing::{AuthError, ClientAuth, Endpoint, HttpClient, HttpError, Transport, UrlError};

/// A client of one authorization server. Clones share the HTTP client.
#[derive(Clone, Debug)]
pub struct TokenClient {
    http: HttpClient,
    auth: ClientAuth,
    token_endpoint: Endpoint,
    revocation_endpoint: Option<Endpoint>,
    clock: Arc<dyn Clock>,
}

/// Collects what a [`TokenClient`] needs.
#[derive(Debug)]
#[must_use]
pub struct TokenClientBuilder {
    auth: ClientAuth,
    token_endpoint: String,
    revocation_endpoint: Option<String>,
    transport: Transport,
    clock: Arc<dyn Clock>,
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
    /// The client's own assertion could not be made: signing or randomness
    /// failed.
    #[error("no client assertion could be made")]
    Assertion,
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
            clock: Arc::new(SystemClock),
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
        let request = match self.auth.post(endpoint.uri(), &[("token", token.expose())], self.clock.now()) {
            Ok(request) => request,
            Err(AuthError::UnsendableSecret) => return Err(RevokeError::Refused { token, error: String::new() }),
            Err(_) => return Err(RevokeError::StillLive { token, retry_after: None }),
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
        let request = self.auth.post(self.token_endpoint.uri(), &fields, self.clock.now())?;
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

    /// Reads the time of assertions here ([`ClientAuth::PrivateKeyJwt`]).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
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
            clock: self.clock,
        })
    }
}

impl From<AuthError> for TokenError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::UnsendableSecret => Self::UnsendableSecret,
            AuthError::Random | AuthError::Signature => Self::Assertion,
        }
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
