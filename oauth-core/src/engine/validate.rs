//! From the text of a token to what this server knows of it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{fault::Fault, issue::jwt_digest};
use crate::{
    claims::{ACCESS_TOKEN_TYPE, AccessTokenClaims},
    jwt::Jws,
    secret::Digest,
    server::AuthorizationServer,
    store::{AccessToken, Grant},
    token::{GrantId, TokenKind},
};

/// A live access token of this server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ValidAccess {
    /// What it says, in the terms of RFC 9068 whatever its format.
    pub claims: AccessTokenClaims,
    /// The grant it belongs to.
    pub grant: GrantId,
    /// What the store knows it by.
    pub digest: Digest,
}

/// A token that this server made, whatever its state.
pub(crate) struct Located {
    pub(crate) kind: TokenKind,
    pub(crate) digest: Digest,
    /// How many rotations led to it; of an opaque token alone.
    pub(crate) generation: Option<u64>,
    /// `jti` of a JWT.
    pub(crate) jti: Option<String>,
    /// The grants it may belong to: one, or one per root secret for a JWT.
    pub(crate) grants: Vec<GrantId>,
}

impl AuthorizationServer {
    /// Judges an access token by the store: the full claims if it lives, `None`
    /// if it is anything else. Junk is refused before the store is asked.
    ///
    /// The audience is the caller's to check.
    ///
    /// # Errors
    /// [`Fault`] if the store fails, which says nothing about the token.
    pub async fn validate_access(&self, token: &str) -> Result<Option<ValidAccess>, Fault> {
        let Some(located) = self.locate(token).filter(|one| one.kind == TokenKind::Access) else {
            return Ok(None);
        };
        let Some((grant, access)) = self.live_access(&located).await? else { return Ok(None) };
        let claims = self.claims_of(&grant, &access, located.name());
        Ok(Some(ValidAccess { claims, grant: grant.id, digest: located.digest }))
    }

    /// Whether `token`, which is good no more, is an access token whose grant lives and
    /// has a refresh token: its client need not send the user to sign in again.
    ///
    /// # Errors
    /// [`Fault`] if the store fails, which says nothing about the token.
    pub async fn is_refreshable(&self, token: &str) -> Result<bool, Fault> {
        let Some(located) = self.locate(token).filter(|one| one.kind == TokenKind::Access) else {
            return Ok(false);
        };
        let Some(grant) = self.grant_of(&located).await? else { return Ok(false) };
        let (now, idle) = (self.now(), self.lifetimes().refresh_idle);
        let refresh = grant.refresh.as_ref().filter(|refresh| now < refresh.used_at.saturating_add(idle));
        Ok(refresh.is_some() && self.lives(&grant).await?)
    }

    /// Finds out whether this server made `token`, by its keyed tag or its
    /// signature alone. Expired tokens are found too.
    pub(crate) fn locate(&self, token: &str) -> Option<Located> {
        if let Some(kind) = self.codec().kind_of(token) {
            let read = self.codec().read(kind, token)?;
            let (digest, generation) = (read.digest, Some(read.generation));
            return Some(Located { kind, digest, generation, jti: None, grants: vec![read.grant] });
        }
        let claims = self.own_jwt(token)?;
        let grants = self.grant_refs().candidates(claims.grant_ref.as_deref()?, &claims.aud);
        let digest = jwt_digest(&claims.jti);
        Some(Located { kind: TokenKind::Access, digest, generation: None, jti: Some(claims.jti), grants })
    }

    /// The access token that is being used and its grant, if both live and their
    /// client exists.
    pub(crate) async fn live_access(&self, located: &Located) -> Result<Option<(Grant, AccessToken)>, Fault> {
        let found = self.unused_access(located).await?;
        if let Some((grant, _)) = &found {
            self.confirm(grant, located).await?;
        }
        Ok(found)
    }

    /// The same of one that nobody uses: its client may never have received it.
    pub(crate) async fn unused_access(&self, located: &Located) -> Result<Option<(Grant, AccessToken)>, Fault> {
        let now = self.now();
        for id in &located.grants {
            if let Some((grant, access)) = self.store().access(*id, located.digest).await? {
                let live = access.is_live(now) && self.lives(&grant).await?;
                let live = live && (access.exchanged.is_none() || self.knows_client(access.client(&grant)).await?);
                return Ok(live.then_some((grant, access)));
            }
        }
        Ok(None)
    }

    /// The grant that a located token belongs to.
    pub(crate) async fn grant_of(&self, located: &Located) -> Result<Option<Grant>, Fault> {
        for id in &located.grants {
            if let Some(grant) = self.store().grant(*id).await? {
                return Ok(Some(grant));
            }
        }
        Ok(None)
    }

    fn own_jwt(&self, token: &str) -> Option<AccessTokenClaims> {
        let jws = Jws::parse(token).ok().filter(|jws| jws.typ_is(ACCESS_TOKEN_TYPE))?;
        let claims = self.keys().verify(&jws, |verified| AccessTokenClaims::from_json(verified.payload()).ok())?;
        (claims.iss == self.issuer()).then_some(claims)
    }
}

impl Located {
    /// A name for the token that gives nothing away: its `jti`, or half of its
    /// digest.
    pub(crate) fn name(&self) -> String {
        let half = self.digest.as_bytes().first_chunk::<16>();
        self.jti.clone().unwrap_or_else(|| URL_SAFE_NO_PAD.encode(half.map_or(&[][..], |half| half)))
    }
}
