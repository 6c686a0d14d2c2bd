//! `client_credentials`: a client acts for itself (OAuth 2.1 section 4.2).

use super::{GrantAnswer, GrantFuture, TokenGrant};
use crate::{
    client::{Client, GrantType},
    engine::{
        fault::Failure,
        issue::{Target, TokenRequest, requested_resources, requested_scope},
    },
    error::OAuthError,
    event::Event,
    params::Params,
    scope::Scope,
    server::AuthorizationServer,
    store::{Grant, GrantFacts},
    token::{GrantId, TokenResponse},
};

const NAME: &str = "client_credentials";

/// `client_credentials`.
#[derive(Debug)]
pub(super) struct ClientCredentials;

impl TokenGrant for ClientCredentials {
    fn grant_type(&self) -> GrantType {
        GrantType::CLIENT_CREDENTIALS
    }

    fn issue<'a>(&'a self, server: &'a AuthorizationServer, request: TokenRequest<'a>) -> GrantFuture<'a> {
        GrantAnswer::tokens(issue(server, request))
    }
}

async fn issue(server: &AuthorizationServer, request: TokenRequest<'_>) -> Result<TokenResponse, Failure> {
    let TokenRequest { client, params, .. } = request;
    if client.is_public() {
        return Err(OAuthError::unauthorized_client("a client that cannot authenticate may not act for itself").into());
    }
    let grant = grant(server, client, params)?;
    let target = Target::read(server, &request, &grant.facts, false)?;
    let access = server.mint_access(&grant, 0, target).await?;
    let id = grant.id;
    // No refresh token: the client can ask again (RFC 6749 section 4.4.3).
    let mut response = server.response(access.text, &access.record, None);
    server.store().insert_grant(grant, Some(access.record)).await?;
    server.tell(&Event::TokensIssued { grant: id, client: &client.id, grant_type: NAME });
    response.reciprocal = server.reciprocal_wish(client).cloned();
    Ok(response)
}

/// Whoever says in other terms what they want, and names no scope, wants none.
fn asked_scope(server: &AuthorizationServer, params: &Params, client: &Client) -> Result<Scope, OAuthError> {
    let details = server.authorization().detail_types.parameter(params);
    if details.is_some() && params.get("scope").is_none() {
        return Ok(Scope::empty());
    }
    requested_scope(params, client)
}

fn grant(server: &AuthorizationServer, client: &Client, params: &Params) -> Result<Grant, Failure> {
    let now = server.now();
    let facts = GrantFacts {
        client: client.id.clone(),
        subject: None,
        scope: asked_scope(server, params, client)?,
        resources: requested_resources(server, params)?,
        auth_time: None,
        acr: None,
        authorization_details: server.authorization().detail_types.requested(params, client)?,
        dpop_jkt: None,
    };
    Ok(Grant {
        id: GrantId::generate(server.random())?,
        facts,
        created_at: now,
        expires_at: now.saturating_add(server.lifetimes().access),
        revoked_at: None,
        code: None,
        refresh: None,
    })
}
