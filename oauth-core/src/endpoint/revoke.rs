//! `POST /revoke`: token revocation ([RFC 7009]).
//!
//! [RFC 7009]: https://www.rfc-editor.org/rfc/rfc7009

use bytes::Bytes;
use http::{Request, Response};

use super::{failure, is_post, method_not_allowed, no_store, read_form};
use crate::{
    client::Client,
    engine::{client_auth::authenticate, fault::Failure, revocations::Revoked, validate::Located},
    error::{ErrorCode, OAuthError},
    event::Event,
    server::AuthorizationServer,
    store::Grant,
    token::TokenKind,
};

/// Answers a revocation request: 200 once the token is dead, whoever killed it.
pub async fn handle(server: &AuthorizationServer, request: &Request<Bytes>) -> Response<Bytes> {
    if !is_post(request) {
        return method_not_allowed("POST");
    }
    match revoke(server, request).await {
        Ok(()) => no_store(Response::new(Bytes::new())),
        Err(error) => failure(server, &error),
    }
}

async fn revoke(server: &AuthorizationServer, request: &Request<Bytes>) -> Result<(), Failure> {
    let params = read_form(request)?;
    let client = authenticate(server, request, &params).await?;
    let token = params.require("token")?;
    // The hint is not read: a token says itself what it is, so a wrong hint
    // cannot change the outcome (RFC 7009 section 2.1).
    let Some(located) = server.locate(token) else { return Ok(()) };
    // Section 2.2: invalid tokens do not cause an error.
    let Some(grant) = server.grant_of(&located).await? else { return Ok(()) };
    check_owner(&grant, &client)?;
    match located.kind {
        // Also a refresh token that was rotated out: it names its grant.
        TokenKind::Refresh => end_grant(server, &grant).await,
        TokenKind::Access => revoke_access(server, &grant, &located).await,
        TokenKind::Code => Ok(()),
    }
}

/// Section 2.1: a token of another client is refused, and stays alive.
fn check_owner(grant: &Grant, client: &Client) -> Result<(), OAuthError> {
    if grant.facts.client == client.id {
        return Ok(());
    }
    Err(OAuthError::invalid_grant("the token was not issued to this client"))
}

async fn revoke_access(server: &AuthorizationServer, grant: &Grant, located: &Located) -> Result<(), Failure> {
    let policy = server.revocation_policy();
    if !policy.access_tokens {
        let error = OAuthError::new(ErrorCode::UnsupportedTokenType, "access tokens cannot be revoked here");
        return Err(error.into());
    }
    if policy.access_revokes_grant {
        return end_grant(server, grant).await;
    }
    let jti = located.name();
    let announcement = server.announce(Revoked::Access { grant: grant.id, digest: located.digest });
    let announcement = announcement.at(&grant.facts.resources).named(&jti).intended();
    let removed = server.store().revoke_access(grant.id, located.digest).await?;
    drop(announcement);
    if removed {
        server.tell(&Event::AccessRevoked { grant: grant.id });
    }
    Ok(())
}

async fn end_grant(server: &AuthorizationServer, grant: &Grant) -> Result<(), Failure> {
    let _outcome = server.end_grant(grant).await?;
    Ok(())
}
