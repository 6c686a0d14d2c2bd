//! A token that is offered, and whose it is.

use super::{ACCESS_TOKEN, Assertion, JWT, TokenExchange, refused};
use crate::{
    claims::{Actor, Confirmation},
    engine::validate::Located,
    grant::{Failure, TokenRequest, trusted_issuer::Untrusted},
    server::AuthorizationServer,
    store::{AccessToken, Grant},
    token::TokenKind,
};

/// What a JWT may say that it is; an access token of another server (`at+jwt`) is
/// for that server's resources.
const TYPES: [&str; 1] = ["JWT"];

/// Whose a token is that is good.
pub(super) enum Party<'x> {
    /// A token of this server.
    Own(Box<Grant>, Box<AccessToken>),
    /// One of an issuer that is trusted.
    Foreign(Box<Assertion<'x>>),
}

impl<'x> Party<'x> {
    /// Reads the parameter `which`.
    pub(super) async fn read(
        exchange: &'x TokenExchange,
        server: &AuthorizationServer,
        request: &TokenRequest<'_>,
        which: &'static str,
        (token, kind): (&str, &str),
    ) -> Result<Self, Failure> {
        let own = server.locate(token).filter(|located| located.kind == TokenKind::Access);
        let party = match (kind, own) {
            (ACCESS_TOKEN, Some(located)) => Self::own(server, &located).await?,
            // One of this server that is a JWT is both.
            (JWT, Some(located)) if located.jti.is_some() => Self::own(server, &located).await?,
            (JWT, None) => Some(Self::foreign(exchange, server, which, token).await?),
            (ACCESS_TOKEN | JWT, _) => None,
            // A refresh token among them: that is for its client alone.
            _ => return Err(refused(which, "its type is not one that is taken").into()),
        };
        let party = party.ok_or_else(|| refused(which, "it is not a live access token of this server"))?;
        if !request.sender.holds_all(party.confirmation()) {
            return Err(refused(which, "it is bound to a key that the request does not prove").into());
        }
        Ok(party)
    }

    async fn own(server: &AuthorizationServer, located: &Located) -> Result<Option<Self>, Failure> {
        let live = server.live_access(located).await?;
        Ok(live.map(|(grant, access)| Self::Own(Box::new(grant), Box::new(access))))
    }

    async fn foreign(
        exchange: &'x TokenExchange,
        server: &AuthorizationServer,
        which: &'static str,
        token: &str,
    ) -> Result<Self, Failure> {
        match Assertion::verify(server, &exchange.issuers, token, &TYPES).await {
            Ok(assertion) => Ok(Self::Foreign(Box::new(assertion))),
            Err(Untrusted::Refused(why)) => Err(refused(which, why).into()),
            Err(Untrusted::Fault(fault)) => Err(fault.into()),
        }
    }

    fn confirmation(&self) -> Option<&Confirmation> {
        match self {
            Self::Own(_, access) => access.confirmation.as_ref(),
            Self::Foreign(assertion) => assertion.confirmation.as_ref(),
        }
    }

    /// Who it is.
    pub(super) fn sub(&self) -> &str {
        match self {
            Self::Own(grant, _) => grant.facts.subject.as_deref().unwrap_or_else(|| grant.facts.client.as_str()),
            Self::Foreign(assertion) => &assertion.sub,
        }
    }

    /// Who says so, if it is not this server.
    pub(super) fn iss(&self) -> Option<&str> {
        match self {
            Self::Own(..) => None,
            Self::Foreign(assertion) => Some(assertion.issuer.issuer()),
        }
    }

    /// Who acts for them already.
    pub(super) fn actor(&self) -> Result<Option<Actor>, &'static str> {
        match self {
            Self::Own(_, access) => Ok(access.exchanged.as_ref().and_then(|exchanged| exchanged.actor.clone())),
            Self::Foreign(assertion) => {
                let read = |act| Actor::parse(act).ok_or("the claim act is malformed");
                assertion.claims.get("act").map(read).transpose()
            }
        }
    }
}
