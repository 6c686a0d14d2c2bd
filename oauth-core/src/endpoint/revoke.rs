//! `POST /revoke`: token revocation ([RFC 7009]).
//!
//! [RFC 7009]: https://www.rfc-editor.org/rfc/rfc7009

use bytes::Bytes;
use http::{Request, Response};

use super::{failure, is_post, method_not_allowed, no_store, read_form};
use crate::{
    client::{Client, ClientId, GrantType},
    engine::{client_auth::authenticate, fault::Failure, revocations::Revoked, validate::Located},
    error::{ErrorCode, OAuthError},
    event::Event,
    server::AuthorizationServer,
    store::{Exchanged, Grant},
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
    if let Some(exchanged) = exchanged(server, &located).await? {
        check_owner(&exchanged.client, &client)?;
        // Never the grant: it was given to somebody else.
        return revoke_one(server, &grant, &located).await;
    }
    // What was exchanged and has gone is not another client's for that.
    if located.kind == TokenKind::Access
        && client.may_use(&GrantType::TOKEN_EXCHANGE)
        && grant.facts.client != client.id
    {
        return Ok(());
    }
    check_owner(&grant.facts.client, &client)?;
    match located.kind {
        // Also a refresh token that was rotated out: it names its grant.
        TokenKind::Refresh => end_grant(server, &grant).await,
        TokenKind::Access => revoke_access(server, &grant, &located).await,
        TokenKind::Code | TokenKind::Device => Ok(()),
    }
}

/// Section 2.1: a token of another client is refused, and stays alive.
fn check_owner(owner: &ClientId, client: &Client) -> Result<(), OAuthError> {
    if *owner == client.id {
        return Ok(());
    }
    Err(OAuthError::invalid_grant("the token was not issued to this client"))
}

/// What is known of an access token that came of an exchange, while it is there.
async fn exchanged(server: &AuthorizationServer, located: &Located) -> Result<Option<Box<Exchanged>>, Failure> {
    if located.kind != TokenKind::Access {
        return Ok(None);
    }
    for id in &located.grants {
        if let Some((_, access)) = server.store().access(*id, located.digest).await? {
            return Ok(access.exchanged);
        }
    }
    Ok(None)
}

async fn revoke_access(server: &AuthorizationServer, grant: &Grant, located: &Located) -> Result<(), Failure> {
    let policy = server.revocation_policy();
    if policy.access_tokens && policy.access_revokes_grant {
        return end_grant(server, grant).await;
    }
    revoke_one(server, grant, located).await
}

async fn revoke_one(server: &AuthorizationServer, grant: &Grant, located: &Located) -> Result<(), Failure> {
    if !server.revocation_policy().access_tokens {
        let error = OAuthError::new(ErrorCode::UnsupportedTokenType, "access tokens cannot be revoked here");
        return Err(error.into());
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
