//! What a presented token leads to: a grant, an owner, and how much would end.

use super::{caller::Caller, mode::Said};
use crate::{
    client::{ClientId, GrantType},
    engine::{fault::Fault, revocations::Revoked, validate::Located},
    event::Event,
    server::AuthorizationServer,
    store::{AccessToken, Grant, Revocation, StatusPlace},
    token::TokenKind,
};

/// What would be revoked.
pub(super) struct Target {
    pub(super) grant: Grant,
    /// Whose it is: the client of the grant, or the one that the token was exchanged
    /// for.
    pub(super) owner: ClientId,
    located: Located,
    /// Where others look up whether it was revoked.
    status: Option<StatusPlace>,
    reach: Reach,
}

/// How much ends with it.
#[derive(Clone, Copy, PartialEq)]
enum Reach {
    Grant,
    Token,
    /// It is gone, and may have been one that was exchanged.
    Nothing,
}

impl Target {
    /// The token that says of itself what it is, so no hint is read (RFC 7009
    /// section 2.1). Also one that expired long ago: it names its grant.
    pub(super) async fn find(
        server: &AuthorizationServer,
        caller: &Caller,
        token: &str,
    ) -> Result<Option<Self>, Fault> {
        let revocable = |located: &Located| matches!(located.kind, TokenKind::Access | TokenKind::Refresh);
        let Some(located) = server.locate(token).filter(revocable) else { return Ok(None) };
        let Some(grant) = server.grant_of(&located).await? else { return Ok(None) };
        let matters = server.revocation_policy().mode().rules().unknown != Said::Done;
        if matters && !lives(server, &grant, &located).await? {
            // Whoever asks again hears of an error, but not before the first attempt is complete.
            server.finish_marking(&grant).await?;
            return Ok(None);
        }
        if located.kind == TokenKind::Refresh {
            // Also one that was rotated out.
            return Ok(Some(Self {
                owner: grant.facts.client.clone(),
                grant,
                located,
                status: None,
                reach: Reach::Grant,
            }));
        }
        Self::of_access(server, caller, grant, located).await
    }

    async fn of_access(
        server: &AuthorizationServer,
        caller: &Caller,
        grant: Grant,
        located: Located,
    ) -> Result<Option<Self>, Fault> {
        let access = server.store().access(grant.id, located.digest).await?.map(|(_, access)| access);
        let of_grant = caller.is(&grant.facts.client);
        let exchanges = server.grants().contains(&GrantType::TOKEN_EXCHANGE);
        let reach = match &access {
            // Never the grant: it was given to somebody else.
            Some(AccessToken { exchanged: Some(_), .. }) => Reach::Token,
            None if exchanges && !of_grant => Reach::Nothing,
            _ if server.revocation_policy().access_ends_grant() => Reach::Grant,
            _ => Reach::Token,
        };
        // What was exchanged and has gone is not another client's for that.
        let may_exchange = caller.client().is_some_and(|client| client.may_use(&GrantType::TOKEN_EXCHANGE));
        if reach == Reach::Nothing && may_exchange {
            return Ok(None);
        }
        let status = access.as_ref().and_then(|access| access.status);
        let owner = access.map_or_else(|| grant.facts.client.clone(), |access| access.client(&grant).clone());
        Ok(Some(Self { grant, owner, located, status, reach }))
    }

    pub(super) fn is_access(&self) -> bool {
        self.located.kind == TokenKind::Access
    }

    /// Whether anything has ended by this.
    pub(super) async fn end(&self, server: &AuthorizationServer) -> Result<bool, Fault> {
        match self.reach {
            Reach::Grant => Ok(server.end_grant(&self.grant).await? == Revocation::Revoked),
            Reach::Token => self.end_token(server).await,
            Reach::Nothing => Ok(false),
        }
    }

    async fn end_token(&self, server: &AuthorizationServer) -> Result<bool, Fault> {
        let (grant, digest) = (&self.grant, self.located.digest);
        let jti = self.located.name();
        let announcement = server.announce(Revoked::Access { grant: grant.id, digest });
        let announcement = announcement.at(&grant.facts.resources).named(&jti).intended();
        // First: once the token is gone, nobody knows its place any more.
        server.mark_revoked(self.status).await?;
        let removed = server.store().revoke_access(grant.id, digest).await?;
        drop(announcement);
        if removed {
            server.tell(&Event::AccessRevoked { grant: grant.id });
        }
        Ok(removed)
    }
}

/// Whether the token could still be used.
async fn lives(server: &AuthorizationServer, grant: &Grant, located: &Located) -> Result<bool, Fault> {
    if located.kind == TokenKind::Access {
        return Ok(server.live_access(located).await?.is_some());
    }
    // The idle time of a rotated-out token is that of the live one.
    let idle = server.lifetimes().refresh_idle;
    let used = grant.refresh.as_ref().is_some_and(|live| server.now() < live.used_at.saturating_add(idle));
    Ok(used && server.lives(grant).await?)
}
