//! `POST /token`: the token endpoint ([OAuth 2.1 section 3.2]).
//!
//! [OAuth 2.1 section 3.2]: https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1-01#section-3.2

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header::RETRY_AFTER};

use super::{error_json, failure, is_post, json_of, method_not_allowed, read_form};
use crate::{
    client::Client,
    engine::{
        client_auth::{authenticate, names_nobody},
        fault::Failure,
        issue::TokenRequest,
        sender::Shown,
    },
    error::{ErrorCode, OAuthError},
    grant::GrantAnswer,
    params::Params,
    server::AuthorizationServer,
};

/// Answers a token request.
pub async fn handle(server: &AuthorizationServer, request: &Request<Bytes>) -> Response<Bytes> {
    if !is_post(request) {
        return method_not_allowed("POST");
    }
    server.with_dpop_nonce(match issue(server, request).await {
        Ok(answer) => {
            let body = answer.body();
            json_of(StatusCode::OK, &body, body.room())
        }
        // For clients of Matrix, any 4xx is the end of their session ("Refresh token grant").
        Err(Failure::TooMany { retry_after }) if server.is_matrix() => busy(retry_after),
        Err(error) => failure(server, &error),
    })
}

/// 503, and when to come back, in seconds.
fn busy(retry_after: u64) -> Response<Bytes> {
    let error = OAuthError::new(ErrorCode::TemporarilyUnavailable, "too many requests; try again");
    let mut response = error_json(StatusCode::SERVICE_UNAVAILABLE, &error);
    response.headers_mut().insert(RETRY_AFTER, retry_after.into());
    response
}

async fn issue(server: &AuthorizationServer, request: &Request<Bytes>) -> Result<GrantAnswer, Failure> {
    let params = read_form(request)?;
    let shown = Shown::read(server, request, "/token")?;
    // The client is judged before the grant, so that a code or a token tells
    // nothing to someone who is not its client.
    let client = client(server, request, &params).await?;
    let Some((grant_type, grant)) = server.grants().named(params.require("grant_type")?) else {
        return Err(OAuthError::unsupported_grant_type("the grant type is not implemented").into());
    };
    if !client.may_use(grant_type) {
        return Err(OAuthError::unauthorized_client("the client may not use this grant type").into());
    }
    let sender = shown.sender(server, &client).await?;
    let request = TokenRequest { client: &client, grant_type, params: &params, sender: &sender };
    grant.issue(server, request).await
}

/// The client that asks; or, where a request names none and its grant needs none,
/// the one that stands for nobody (RFC 7521 section 4.1).
async fn client(
    server: &AuthorizationServer,
    request: &Request<Bytes>,
    params: &Params,
) -> Result<Arc<Client>, Failure> {
    if names_nobody(request, params)
        && let Some(grant) = params.get("grant_type").and_then(|name| server.grants().get(name))
        && let Some(id) = grant.client_of_nobody(params)
        && let Some(client) = server.client(&id).await?
        // Whoever could prove who they are has to.
        && client.is_public()
    {
        return Ok(client);
    }
    authenticate(server, request, params).await
}
