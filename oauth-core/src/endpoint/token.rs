//! `POST /token`: the token endpoint ([OAuth 2.1 section 3.2]).
//!
//! [OAuth 2.1 section 3.2]: https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1-01#section-3.2

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::{failure, is_post, json, method_not_allowed, read_form};
use crate::{
    client::GrantType,
    engine::{client_auth::authenticate, fault::Failure, issue::TokenRequest, sender::Shown},
    error::OAuthError,
    grant,
    server::AuthorizationServer,
    token::TokenResponse,
};

/// Answers a token request.
pub async fn handle(server: &AuthorizationServer, request: &Request<Bytes>) -> Response<Bytes> {
    if !is_post(request) {
        return method_not_allowed("POST");
    }
    server.with_dpop_nonce(match issue(server, request).await {
        Ok(response) => json(StatusCode::OK, response.to_json()),
        Err(error) => failure(server, &error),
    })
}

async fn issue(server: &AuthorizationServer, request: &Request<Bytes>) -> Result<TokenResponse, Failure> {
    let params = read_form(request)?;
    let shown = Shown::read(server, request, "/token")?;
    // The client is judged before the grant, so that a code or a token tells
    // nothing to someone who is not its client.
    let client = authenticate(server, request, &params).await?;
    let grant_type = GrantType::from(params.require("grant_type")?);
    if !grant::IMPLEMENTED.contains(&grant_type) {
        return Err(OAuthError::unsupported_grant_type("the grant type is not implemented").into());
    }
    if !client.may_use(&grant_type) {
        return Err(OAuthError::unauthorized_client("the client may not use this grant type").into());
    }
    let sender = shown.sender(server, &client).await?;
    let request = TokenRequest { client: &client, params: &params, sender: &sender };
    grant::issue(server, &grant_type, request).await
}
