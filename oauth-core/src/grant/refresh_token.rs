//! `refresh_token`: the next access token, and the next refresh token
//! (OAuth 2.1 section 6).

use serde::{Deserialize, Serialize};

use super::{GrantAnswer, GrantFuture, TokenGrant, subject_may_act};
use crate::{
    authorization_details::AuthorizationDetails,
    claims::Confirmation,
    client::{Client, GrantType},
    clock::UnixTime,
    engine::{
        fault::{Failure, Fault},
        issue::{NewAccess, Target, TokenRequest},
        policy::Rotation,
        revocations::Revoked,
    },
    error::OAuthError,
    event::Event,
    scope::Scope,
    secret::{Digest, Secret},
    server::AuthorizationServer,
    store::{AccessToken, Grant, NextRefresh, RefreshOutcome, RotateRefresh},
    token::{ReadToken, TokenKind, TokenResponse},
};

const NAME: &str = "refresh_token";

/// `refresh_token`.
#[derive(Debug)]
pub(super) struct RefreshToken;

impl TokenGrant for RefreshToken {
    fn grant_type(&self) -> GrantType {
        GrantType::REFRESH_TOKEN
    }

    fn issue<'a>(&'a self, server: &'a AuthorizationServer, request: TokenRequest<'a>) -> GrantFuture<'a> {
        GrantAnswer::tokens(issue(server, request))
    }
}

async fn issue(server: &AuthorizationServer, request: TokenRequest<'_>) -> Result<TokenResponse, Failure> {
    let TokenRequest { client, params, sender, .. } = request;
    let read = server.codec().read(TokenKind::Refresh, params.require("refresh_token")?).ok_or_else(refused)?;
    // RFC 9449 section 5: whoever has not the key has not the token. No store is
    // asked, so this is no retry, and no reuse that would end the grant.
    if !server.codec().is_good_with(&read, sender.refresh_binding().as_deref()) {
        return Err(refused().into());
    }
    let grant = server.store().grant(read.grant).await?.filter(|grant| grant.facts.client == client.id);
    let grant = grant.ok_or_else(refused)?;
    if !server.lives(&grant).await? {
        // Whoever found a reuse may have broken off, and this is who asks again.
        server.finish_marking(&grant).await?;
        return Err(refused().into());
    }
    if !subject_may_act(server, &grant).await? {
        return Err(refused().into());
    }
    let target = Target::read(server, &request, &grant.facts, true)?;

    let new = Successor::mint(server, &request, &grant, &read, target.clone()).await?;
    let rotate = rotate(server, client, &read, &new);
    let announcement = server.announce(Revoked::Grant(grant.id)).at(&grant.facts.resources);
    match server.store().rotate_refresh(rotate).await? {
        RefreshOutcome::Rotated => {
            announcement.withdraw();
            server.tell(&Event::TokensIssued { grant: grant.id, client: &client.id, grant_type: NAME });
            Ok(server.response(new.access.text, &new.access.record, new.refresh))
        }
        RefreshOutcome::Retry { sealed } => {
            announcement.withdraw();
            retry(server, client, &grant, &read, &sealed, new.access, &target).await
        }
        RefreshOutcome::Reused => {
            server.tell(&Event::RefreshReused { grant: grant.id, client: &client.id });
            server.ended_by_replay(grant.id, announcement).await?;
            Err(OAuthError::invalid_grant("the refresh token was used before; the grant has been revoked").into())
        }
        RefreshOutcome::Refused => {
            announcement.withdraw();
            Err(refused().into())
        }
    }
}

fn refused() -> OAuthError {
    OAuthError::invalid_grant("the refresh token is unknown, expired, revoked, or another client's")
}

/// What is to take the place of a presented refresh token.
struct Successor {
    access: NewAccess,
    refresh: Option<Secret>,
    next: NextRefresh,
}

impl Successor {
    async fn mint(
        server: &AuthorizationServer,
        request: &TokenRequest<'_>,
        grant: &Grant,
        read: &ReadToken,
        target: Target,
    ) -> Result<Self, Fault> {
        let generation = read.generation.saturating_add(1);
        let access = server.mint_access(grant, generation, target).await?;
        let (now, lifetimes) = (server.now(), server.lifetimes());
        let window = match server.rotation().for_client(request.client.is_public() && !read.is_bound()) {
            // The client keeps the one it has.
            Rotation::None => return Ok(Self { access, refresh: None, next: NextRefresh::Same }),
            Rotation::Strict => None,
            Rotation::Grace { seconds } => Some((now.saturating_add(seconds), false)),
            // For as long as the successor is good that nobody may have received.
            Rotation::UntilFirstUse => Some((now.saturating_add(lifetimes.refresh_idle).min(grant.expires_at), true)),
        };
        let minted = server.mint_refresh(grant, generation, request.sender)?;
        let digest = minted.digest;
        let next = match window {
            None => NextRefresh::Successor { digest, retry: None },
            Some((until, until_used)) => {
                let sealed = Pair::seal(server, read, &access, &minted.text)?;
                match until_used {
                    true => NextRefresh::UntilFirstUse { digest, sealed, until },
                    false => NextRefresh::Successor { digest, retry: Some((sealed, until)) },
                }
            }
        };
        Ok(Self { access, refresh: Some(minted.text), next })
    }
}

/// The response of a rotation, kept for a client that lost it: sealed under a
/// key that only the bearer of the replaced token can derive.
#[derive(Serialize, Deserialize)]
struct Pair {
    access_token: String,
    refresh_token: String,
    scope: Scope,
    audience: Vec<String>,
    issued_at: UnixTime,
    expires_at: UnixTime,
    #[serde(default)]
    authorization_details: AuthorizationDetails,
    #[serde(default)]
    confirmation: Option<Confirmation>,
}

impl Pair {
    fn seal(
        server: &AuthorizationServer,
        read: &ReadToken,
        access: &NewAccess,
        refresh: &Secret,
    ) -> Result<Vec<u8>, Fault> {
        let pair = Self {
            access_token: access.text.expose().to_owned(),
            refresh_token: refresh.expose().to_owned(),
            scope: access.record.scope.clone(),
            audience: access.record.audience.clone(),
            issued_at: access.record.issued_at,
            expires_at: access.record.expires_at,
            authorization_details: access.record.authorization_details.clone(),
            confirmation: access.record.confirmation.clone(),
        };
        let plaintext = serde_json::to_vec(&pair).map_err(|_| Fault::Internal("a pair cannot be serialized"))?;
        let plaintext = zeroize::Zeroizing::new(plaintext);
        Ok(read.retry_sealer().seal(read.grant.as_bytes(), &plaintext, server.random())?)
    }

    fn is_for(&self, target: &Target) -> bool {
        self.scope == target.scope
            && self.audience == target.audience
            && self.authorization_details == target.authorization_details
            && self.confirmation == target.confirmation
    }

    fn open(read: &ReadToken, sealed: &[u8]) -> Result<Self, Fault> {
        let plaintext = read.retry_sealer().open(read.grant.as_bytes(), sealed);
        let pair = plaintext.and_then(|plaintext| serde_json::from_slice(&plaintext).ok());
        pair.ok_or(Fault::Internal("a retry pair cannot be opened"))
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.access_token);
        zeroize::Zeroize::zeroize(&mut self.refresh_token);
    }
}

/// Answers a retry with the same successor. If it asks for another scope or
/// resource, or with another key, than the request whose response was lost, or if that access token
/// has ended, it gets a fresh one beside the same refresh token: one live
/// family all the same.
async fn retry(
    server: &AuthorizationServer,
    client: &Client,
    grant: &Grant,
    read: &ReadToken,
    sealed: &[u8],
    fresh: NewAccess,
    target: &Target,
) -> Result<TokenResponse, Failure> {
    let pair = Pair::open(read, sealed)?;
    let refresh = Secret::new(pair.refresh_token.as_str());
    let tell = || server.tell(&Event::RefreshRetried { grant: grant.id, client: &client.id });
    // Also where a confidential client has changed its key meanwhile.
    let wanted = pair.is_for(target);
    if wanted && is_live(server, &pair.access_token).await? {
        let record = AccessToken {
            digest: Digest::of(&[]),
            scope: pair.scope.clone(),
            audience: pair.audience.clone(),
            issued_at: pair.issued_at,
            expires_at: pair.expires_at,
            authorization_details: pair.authorization_details.clone(),
            confirmation: pair.confirmation.clone(),
            exchanged: None,
            status: None,
        };
        let same = NewAccess { text: Secret::new(pair.access_token.as_str()), record };
        tell();
        return Ok(server.response(same.text, &same.record, Some(refresh)));
    }
    if !server.store().insert_access(grant.id, fresh.record.clone(), server.now()).await? {
        return Err(refused().into());
    }
    tell();
    Ok(server.response(fresh.text, &fresh.record, Some(refresh)))
}

async fn is_live(server: &AuthorizationServer, access_token: &str) -> Result<bool, Fault> {
    match server.locate(access_token) {
        Some(located) => Ok(server.unused_access(&located).await?.is_some()),
        None => Ok(false),
    }
}

fn rotate(server: &AuthorizationServer, client: &Client, read: &ReadToken, new: &Successor) -> RotateRefresh {
    RotateRefresh {
        grant: read.grant,
        digest: read.digest,
        generation: read.generation,
        client: client.id.clone(),
        now: server.now(),
        idle_lifetime: server.lifetimes().refresh_idle,
        next: new.next.clone(),
        access: new.access.record.clone(),
    }
}
