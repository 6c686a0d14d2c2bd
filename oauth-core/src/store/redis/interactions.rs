//! Authorization requests that wait for a person.

use super::{
    RedisStore,
    finish::Claim,
    request::{Reply, Request},
    row::{self, Fields, gone_at, time},
    script::PARK,
};
use crate::{
    clock::UnixTime,
    secret::Digest,
    store::{FinishInteraction, Interactions, ParkedInteraction, StoreError, StoreFuture},
};

impl Interactions for RedisStore {
    fn park_interaction(&self, parked: ParkedInteraction) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let mut fields = Fields(Vec::new());
            fields.put("browser", *parked.browser.as_bytes());
            fields.put("request", parked.request);
            fields.put("expires_at", time(parked.expires_at));
            let park = Request::script(&PARK, [self.keys().interaction(parked.id)]).arg(gone_at(parked.expires_at));
            let park = fields.0.into_iter().fold(park, Request::arg);
            let mut reply = Reply::new(self.ask(&park).await?, "interaction");
            match reply.text()?.as_str() {
                "parked" => Ok(()),
                "conflict" => Err(StoreError::Conflict("interaction")),
                _ => Err(reply.damaged()),
            }
        })
    }

    fn interaction(&self, id: Digest, browser: Digest, now: UnixTime) -> StoreFuture<'_, Option<ParkedInteraction>> {
        Box::pin(async move {
            let all = self.ask(&Request::reads("HGETALL", self.keys().interaction(id))).await?;
            let mut reply = Reply::new(redis::Value::Array(vec![all]), "interaction");
            let Some((parked, claim)) = row::interaction(id, &mut reply)? else { return Ok(None) };
            if parked.browser != browser || now >= parked.expires_at {
                return Ok(None);
            }
            if let Some(claim) = claim
                && self.has_led(&Claim::parse(&claim)?).await?
            {
                return Ok(None);
            }
            Ok(Some(parked))
        })
    }

    fn finish_interaction(&self, finish: FinishInteraction) -> StoreFuture<'_, bool> {
        Box::pin(self.finish(finish))
    }
}
