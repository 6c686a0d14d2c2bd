//! The client of a token endpoint (OAuth 2.1 section 3.2).

#[cfg(feature = "server")]
use std::time::Duration;

#[cfg(feature = "server")]
use bytes::Bytes;
use http::{Response, StatusCode};
use oauth_core::{
    metadata::AuthorizationServerMetadata,
    secret::Secret,
    token::{InvalidTokenResponse, TokenResponse, TokenType},
};
use serde::Deserialize;

use super::{
    authorization::AuthorizationRequest,
    builder::TokenClientBuilder,
    error::{RevokeError, TokenError, WireError},
    exchange::{Exchange, seconds_to_wait},
    pending::AuthorizationCode,
};
use crate::outgoing::{AuthError, ClientAuth, Endpoint};

/// A client of one authorization server. Clones share the HTTP client and, of
/// DPoP, the key and the nonces.
///
/// ```no_run
/// use oauth_tower::{client::{TokenClient, TokenError}, outgoing::{ClientAuth, HttpClient}};
/// # async fn run(stored: oauth_core::secret::Secret) -> Result<(), Box<dyn std::error::Error>> {
/// let auth = ClientAuth::Basic { id: "app".into(), secret: "the client secret".into() };
/// let client = TokenClient::builder("https://as.example/token", auth)
///     .resource("https://api.example")
///     .build(HttpClient::builder().build()?)?;
/// match client.refresh(&stored, None).await {
///     Ok(tokens) => { /* store `tokens.refresh_token`, if there is one, in the place of `stored` */ }
///     Err(error) if error.is_temporary() => { /* keep `stored`; again in `error.retry_after()` seconds, or soon */ }
///     Err(error) => { /* the session has ended: `error` says why */ }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TokenClient {
    pub(super) issuer: Option<String>,
    pub(super) token_endpoint: Endpoint,
    pub(super) revocation_endpoint: Option<Endpoint>,
    pub(super) pushed_authorization_request_endpoint: Option<Endpoint>,
    pub(super) resource: Option<String>,
    pub(super) exchange: Exchange,
}

impl TokenClient {
    /// A client that gets tokens at `token_endpoint`, authenticated by `auth`.
    pub fn builder(token_endpoint: impl Into<String>, auth: ClientAuth) -> TokenClientBuilder {
        TokenClientBuilder::new(token_endpoint.into(), auth)
    }

    /// A client of the server that these metadata are of, with the endpoints
    /// that they name. It redeems codes of this issuer and no other.
    pub fn discovered(metadata: &AuthorizationServerMetadata, auth: ClientAuth) -> TokenClientBuilder {
        TokenClientBuilder::discovered(metadata, auth)
    }

    /// Any grant, by the name of its `grant_type` and with its parameters; those
    /// of the client's authentication are added. With the token type of RFC 8693,
    /// say, or to ask for a device (RFC 8628 section 3.4):
    ///
    /// ```no_run
    /// # use oauth_tower::client::{TokenClient, TokenError};
    /// # async fn run(client: TokenClient, device_code: &str) -> Result<(), TokenError> {
    /// let grant_type = "urn:ietf:params:oauth:grant-type:device_code";
    /// match client.grant(grant_type, &[("device_code", device_code)]).await {
    ///     Err(error) if error.code() == Some("authorization_pending") => { /* again after the interval */ }
    ///     done => drop(done?),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn grant(&self, grant_type: &str, parameters: &[(&str, &str)]) -> Result<TokenResponse, TokenError> {
        let mut fields = vec![("grant_type", grant_type)];
        fields.extend_from_slice(parameters);
        if let Some(resource) = &self.resource
            && !parameters.iter().any(|(name, _)| *name == "resource")
        {
            fields.push(("resource", resource));
        }
        let body = self.exchange.post_for(&self.token_endpoint, &fields, &[StatusCode::OK]).await?;
        let response = TokenResponse::parse(&body)?;
        // RFC 9449 section 5: a client that relies on the binding "MUST discard
        // the response" if the type is not DPoP.
        let is_bound = response.token_type == TokenType::Dpop || self.exchange.dpop.is_none();
        if is_bound { Ok(response) } else { Err(TokenError::NotBound) }
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
        self.grant("client_credentials", &present([("scope", scope), ("resource", resource)])).await
    }

    /// Redeems the code of an authorization response that was checked
    /// ([`PendingAuthorization::check`](super::PendingAuthorization::check)),
    /// with the verifier and the resources of its request (OAuth 2.1 section
    /// 4.1.3).
    ///
    /// # Errors
    /// [`TokenError`]; [`TokenError::Foreign`] if this is the client of another
    /// issuer. The code is gone in any case: it is good for one use.
    pub async fn redeem(&self, code: AuthorizationCode) -> Result<TokenResponse, TokenError> {
        if self.issuer.as_ref().is_some_and(|issuer| *issuer != code.issuer) {
            return Err(TokenError::Foreign);
        }
        let mut fields = vec![
            ("code", code.code.expose()),
            ("code_verifier", code.verifier.expose()),
            ("redirect_uri", &code.redirect_uri),
        ];
        fields.extend(code.resources.iter().map(|resource| ("resource", resource.as_str())));
        self.grant("authorization_code", &fields).await
    }

    /// `grant_type=authorization_code` (OAuth 2.1 section 4.1.3) for a code whose
    /// response was checked elsewhere. `verifier` is PKCE's, `redirect_uri` the
    /// one of the authorization request.
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
        self.grant("authorization_code", &present(fields)).await
    }

    /// `grant_type=refresh_token` (OAuth 2.1 section 4.3). Where the response
    /// has a new refresh token, the old one must be forgotten.
    ///
    /// # Errors
    /// [`TokenError`]. Where that [is temporary](TokenError::is_temporary), the
    /// refresh token is to be kept and tried again.
    pub async fn refresh(&self, refresh_token: &Secret, scope: Option<&str>) -> Result<TokenResponse, TokenError> {
        let fields = [("refresh_token", Some(refresh_token.expose())), ("scope", scope)];
        self.grant("refresh_token", &present(fields)).await
    }

    /// Pushes `request` (RFC 9126): the URL to send the browser to, which is good
    /// for a minute or so.
    ///
    /// # Errors
    /// [`TokenError`]; [`TokenError::NoEndpoint`] if the server does not take
    /// pushed requests.
    pub async fn push(&self, request: &AuthorizationRequest) -> Result<String, TokenError> {
        let endpoint = self.pushed_authorization_request_endpoint.as_ref();
        let endpoint = endpoint.ok_or(TokenError::NoEndpoint("pushed_authorization_request_endpoint"))?;
        if self.issuer.as_ref().is_some_and(|issuer| issuer != request.pending().issuer()) {
            return Err(TokenError::Foreign);
        }
        let fields: Vec<_> = self.exchange.named().into_iter().chain(request.parameters()).collect();
        let good = [StatusCode::CREATED, StatusCode::OK];
        let body = self.exchange.post_for(endpoint, &fields, &good).await?;
        let pushed: Pushed = serde_json::from_slice(&body).map_err(|_| InvalidTokenResponse::Malformed)?;
        Ok(request.by_reference(&pushed.request_uri))
    }

    /// As [`TokenClient::grant`], with the `client_id` in the form in any case, and
    /// for an answer that need not be a token.
    #[cfg(feature = "server")]
    pub(crate) async fn post_with_id(
        &self,
        grant_type: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Response<Bytes>, TokenError> {
        let mut fields = vec![("grant_type", grant_type)];
        fields.extend_from_slice(parameters);
        fields.extend(self.exchange.named());
        self.exchange.post(&self.token_endpoint, &fields).await
    }

    /// The longest that asking for a token takes: twice, if a nonce was wanted.
    #[cfg(feature = "server")]
    pub(crate) fn longest(&self) -> Duration {
        self.exchange.http.timeout().saturating_mul(2)
    }

    /// Revokes `token` (RFC 7009 section 2), and takes it away: whoever gets
    /// `Ok` has nothing left to use. The server may take a moment to spread
    /// the word.
    ///
    /// # Errors
    /// [`RevokeError`], which hands the token back.
    pub async fn revoke(&self, token: Secret) -> Result<(), RevokeError> {
        let Some(endpoint) = &self.revocation_endpoint else { return Err(RevokeError::NoEndpoint { token }) };
        let Exchange { http, auth, clock, .. } = &self.exchange;
        let request = match auth.post(endpoint.uri(), &[("token", token.expose())], clock.now()) {
            Ok(request) => request,
            Err(AuthError::UnsendableSecret) => return Err(RevokeError::Refused { token, error: String::new() }),
            Err(_) => return Err(RevokeError::StillLive { token, retry_after: None }),
        };
        match http.send(request).await {
            // RFC 7009 section 2.2: 200 for an unknown token as well.
            Ok(response) if response.status() == StatusCode::OK => Ok(()),
            Ok(response) if refuses(&response) => {
                Err(RevokeError::Refused { token, error: WireError::read(&response).code() })
            }
            Ok(response) => Err(RevokeError::StillLive { token, retry_after: seconds_to_wait(response.headers()) }),
            Err(_) => Err(RevokeError::StillLive { token, retry_after: None }),
        }
    }
}

/// RFC 9126 section 2.2.
#[derive(Deserialize)]
struct Pushed {
    request_uri: String,
}

/// A 4xx, but for 429: that is one for later.
fn refuses<B>(response: &Response<B>) -> bool {
    response.status().is_client_error() && response.status() != StatusCode::TOO_MANY_REQUESTS
}

fn present<'a, const N: usize>(fields: [(&'a str, Option<&'a str>); N]) -> Vec<(&'a str, &'a str)> {
    fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
