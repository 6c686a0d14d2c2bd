//! Who acts for whom, and who may (RFC 8693 sections 4.1 and 4.4).

use serde_json::Value;

use super::{Acting, MayAct, Party, refused};
use crate::{claims::Actor, client::ClientId, error::OAuthError, grant::Failure, server::AuthorizationServer};

/// The two parties of an exchange, and the client that asks for it.
pub(super) struct Chain<'a, 'x> {
    pub(super) subject: &'a Party<'x>,
    pub(super) actor: Option<&'a Party<'x>>,
    pub(super) client: &'a ClientId,
}

impl Chain<'_, '_> {
    /// Section 4.4: where the subject's token says who may act, it is they and nobody
    /// else. Without an actor, it is the client that comes to act.
    pub(super) fn check_may_act(&self, server: &AuthorizationServer) -> Result<(), OAuthError> {
        let Party::Foreign(assertion) = self.subject else { return Ok(()) };
        let Some(may_act) = assertion.claims.get("may_act") else { return Ok(()) };
        let fits = |(name, value): (&String, &Value)| match name.as_str() {
            "sub" => value == self.actor.map_or(self.client.as_str(), Party::sub),
            "iss" => value == self.actor.and_then(Party::iss).unwrap_or_else(|| server.issuer()),
            "client_id" => value == self.client.as_str(),
            // What is not known here may be what tells them apart.
            _ => false,
        };
        let named = may_act.as_object().filter(|who| who.contains_key("sub") || who.contains_key("client_id"));
        if !named.is_some_and(|who| who.iter().all(fits)) {
            return Err(refused("subject_token", "somebody else may act for its subject"));
        }
        Ok(())
    }

    /// The same as the host sees it, whosever token it is.
    pub(super) async fn check_host(&self, host: Option<&dyn MayAct>) -> Result<(), Failure> {
        let Some(host) = host else { return Ok(()) };
        let acting = Acting {
            subject: self.subject.sub(),
            subject_issuer: self.subject.iss(),
            actor: self.actor.map_or(self.client.as_str(), Party::sub),
            actor_issuer: self.actor.and_then(Party::iss),
            client: self.client,
        };
        // A host that cannot tell is an outage, and no answer.
        if host.may_act(acting).await? {
            return Ok(());
        }
        Err(refused("subject_token", "somebody else may act for its subject").into())
    }

    /// The `act` of the new token. Whoever acted before stays in it, even where
    /// nobody is added.
    pub(super) fn actor(&self, most: usize) -> Result<Option<Actor>, OAuthError> {
        let before = self.subject.actor().map_err(|why| refused("subject_token", why))?;
        let actor = match self.actor {
            None => before,
            Some(party) => {
                // Who would it be: the one who acts, or the one for whom they act?
                if party.actor().map_err(|why| refused("actor_token", why))?.is_some() {
                    return Err(refused("actor_token", "its subject does not act at first hand"));
                }
                let mut actor = Actor::new(party.sub());
                actor.iss = party.iss().map(str::to_owned);
                actor.act = before.map(Box::new);
                Some(actor)
            }
        };
        if actor.as_ref().is_some_and(|actor| actor.depth() > most) {
            return Err(refused("subject_token", "too many have acted for its subject"));
        }
        Ok(actor)
    }
}
