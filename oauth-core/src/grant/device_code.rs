//! `urn:ietf:params:oauth:grant-type:device_code`: a device asks whether its
//! person has decided ([RFC 8628 section 3.4]).
//!
//! [RFC 8628 section 3.4]: https://www.rfc-editor.org/rfc/rfc8628#section-3.4

use super::{GrantAnswer, GrantFuture, TokenGrant, subject_may_act};
use crate::{
    client::{Client, GrantType},
    clock::UnixTime,
    engine::{
        device::{DeviceSettings, Devices},
        fault::{Failure, Fault},
        issue::{NewAccess, Target, TokenRequest},
        revocations::Revoked,
    },
    error::{ErrorCode, OAuthError},
    event::Event,
    secret::Digest,
    server::AuthorizationServer,
    store::{Grant, RedeemCode, Redemption},
    token::{MintedToken, ReadToken, TokenKind, TokenResponse},
};

const NAME: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// `urn:ietf:params:oauth:grant-type:device_code`.
#[derive(Debug)]
pub(crate) struct DeviceCode;

impl TokenGrant for DeviceCode {
    fn grant_type(&self) -> GrantType {
        GrantType::DEVICE_CODE
    }

    fn issue<'a>(&'a self, server: &'a AuthorizationServer, request: TokenRequest<'a>) -> GrantFuture<'a> {
        GrantAnswer::tokens(issue(server, request))
    }
}

async fn issue(server: &AuthorizationServer, request: TokenRequest<'_>) -> Result<TokenResponse, Failure> {
    let devices = server.devices().ok_or_else(|| OAuthError::unsupported_grant_type("no device may ask here"))?;
    let read = server.codec().read(TokenKind::Device, request.params.require("device_code")?);
    // It says itself whose it is, whatever has become of the request.
    let mine = |read: &ReadToken| server.codec().is_good_with(read, Some(request.client.id.as_str()));
    let read = read.filter(mine).ok_or_else(refused)?;
    // In this order: a yes ends the one in the step that makes the other.
    if server.device_waits(devices, read.grant).await? {
        return Err(wait(server, devices, &read).await?.into());
    }
    let grant = server.store().grant(read.grant).await?.filter(|grant| grant.facts.client == request.client.id);
    match grant {
        Some(grant) => redeem(server, &request, &read, &grant).await,
        None if has_expired(server, &read) => Err(expired().into()),
        None => Err(OAuthError::new(ErrorCode::AccessDenied, "the request was denied").into()),
    }
}

/// RFC 8628 section 3.5: `authorization_pending`, or `slow_down`, by which "the
/// interval MUST be increased by 5 seconds for this and all subsequent requests".
///
/// Each interval has a mark of its own, so that what was asked under a shorter one
/// does not count.
async fn wait(server: &AuthorizationServer, devices: &Devices, read: &ReadToken) -> Result<OAuthError, Fault> {
    let (store, now, digest) = (server.store(), server.now(), read.digest);
    let faults = Digest::of(&[b"device asked too soon ", digest.as_bytes()]);
    let mark = |faults: u64| {
        let longer = DeviceSettings::SLOWER.saturating_mul(faults);
        let until = now.saturating_add(devices.settings.interval.saturating_add(longer));
        store.first_use(Digest::of(&[b"device asked ", digest.as_bytes(), &faults.to_be_bytes()]), until, now)
    };
    // Of many that ask at once the shortest interval lets one pass, however far the others
    // have come with their count.
    let longer = store.uses(faults, now).await?;
    if mark(0).await? && (longer == 0 || mark(longer).await?) {
        let code = ErrorCode::Other("authorization_pending".into());
        return Ok(OAuthError::new(code, "the user has yet to decide"));
    }
    let count = store.count_use(faults, ends_at(read), now).await?;
    let _first = mark(count).await?;
    Ok(OAuthError::new(ErrorCode::Other("slow_down".into()), "wait five seconds more between two requests"))
}

/// The same as for an authorization code.
async fn redeem(
    server: &AuthorizationServer,
    request: &TokenRequest<'_>,
    read: &ReadToken,
    grant: &Grant,
) -> Result<TokenResponse, Failure> {
    if !server.stands(grant).await? || !subject_may_act(server, grant).await? {
        return Err(refused().into());
    }
    let target = Target::read(server, request, &grant.facts, false)?;
    let turn = server.take_turn(request.client, grant, |code| code.is_answered_by(read.digest, None, None)).await?;
    let access = server.mint_access(grant, 0, target).await?;
    let lives_on = request.client.may_use(&GrantType::REFRESH_TOKEN);
    let refresh = lives_on.then(|| server.mint_refresh(grant, 0, request.sender)).transpose()?;
    let step = step(server, request.client, read, &access, refresh.as_ref());
    let announcement = server.announce(Revoked::Grant(grant.id)).at(&grant.facts.resources);
    match server.store().redeem_code(step).await? {
        Redemption::Redeemed => {
            announcement.withdraw();
            if let Some(turn) = turn
                && !server.end_older(&turn, grant.id).await?
            {
                return Err(refused().into());
            }
            server.tell(&Event::TokensIssued { grant: grant.id, client: &request.client.id, grant_type: NAME });
            Ok(server.response(access.text, &access.record, refresh.map(|minted| minted.text)))
        }
        Redemption::Replayed => {
            server.tell(&Event::CodeReplayed { grant: grant.id, client: &request.client.id });
            server.ended_by_replay(grant.id, announcement).await?;
            Err(OAuthError::invalid_grant("the device_code was used before; its tokens have been revoked").into())
        }
        Redemption::Refused => {
            announcement.withdraw();
            Err(if has_expired(server, read) { expired() } else { refused() }.into())
        }
    }
}

fn step(
    server: &AuthorizationServer,
    client: &Client,
    read: &ReadToken,
    access: &NewAccess,
    refresh: Option<&MintedToken>,
) -> RedeemCode {
    RedeemCode {
        grant: read.grant,
        digest: read.digest,
        client: client.id.clone(),
        redirect_uri: None,
        challenge: None,
        now: server.now(),
        refresh: refresh.map(|minted| minted.digest),
        access: access.record.clone(),
    }
}

/// The code says it in the place of a generation.
const fn ends_at(read: &ReadToken) -> UnixTime {
    UnixTime(read.generation)
}

fn has_expired(server: &AuthorizationServer, read: &ReadToken) -> bool {
    server.now() >= ends_at(read)
}

fn refused() -> OAuthError {
    OAuthError::invalid_grant("the device_code is unknown, was revoked, or is not the one of this client")
}

fn expired() -> OAuthError {
    OAuthError::new(ErrorCode::Other("expired_token".into()), "the device_code has expired")
}
