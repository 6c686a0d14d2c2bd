//! Codes that wait to be redeemed elsewhere, and what they brought.
//!
//! A link is a hash. Beside all links are two lists of those whose code waits,
//! in the same slot, so that each step changes both: by when it is due, which
//! leads to what is taken, and by when it ends, which is counted.

use redis::Value;

use super::{
    RedisStore,
    keyspace::encoded,
    request::{Reply, Request},
    row::{self, MARGIN, time},
    script::{DEFER_QUEUED, FINISH_QUEUED, FORGET_LINK, QUEUE_CODE, REPLACE_TOKENS, Script, TAKE_QUEUED},
};
use crate::{
    clock::UnixTime,
    secret::Digest,
    store::{
        Cursor, Finished, LinkState, Page, PeerTokens, Queued, QueuedCode, ReciprocalLink, Reciprocals, StoreError,
        StoreFuture,
    },
};

/// How many codes that are due are looked at together: so many takers at once
/// find one each.
const CANDIDATES: u8 = 16;

/// How often, if others have always been faster.
const LOOKS: u8 = 4;

/// What became of an attempt at one code.
enum Attempt {
    Taken(Box<QueuedCode>),
    /// Somebody else has taken it, or it waits no more.
    Passed,
}

impl RedisStore {
    /// What is kept of the link of that key.
    pub(super) async fn link_at(&self, key: Digest) -> Result<LinkState, StoreError> {
        let all = self.ask(&Request::reads("HGETALL", self.keys().link(&encoded(key.as_bytes())))).await?;
        row::link(key, &mut Reply::new(Value::Array(vec![all]), "link"))
    }

    /// A step on the link of that name, and on the lists of those that wait.
    fn step(&self, script: &'static Script, name: &str) -> Request {
        let keys = [self.keys().link(name), self.keys().links_due(), self.keys().links_ending()];
        Request::script(script, keys).arg(name)
    }

    /// Codes that are due, the one that has been for longest first.
    async fn due(&self, now: UnixTime) -> Result<Vec<String>, StoreError> {
        let list = Request::reads("ZRANGE", self.keys().links_due())
            .arg("-inf")
            .arg(time(now))
            .arg("BYSCORE")
            .arg("LIMIT")
            .arg("0")
            .arg(CANDIDATES.to_string());
        let names = self.ask(&list).await?;
        let names = Reply::new(Value::Array(vec![names]), "list of codes").list()?;
        names
            .into_iter()
            .map(|name| String::from_utf8(name).map_err(|_| StoreError::Corrupt("list of codes")))
            .collect()
    }

    async fn take(&self, name: &str, now: UnixTime, until: UnixTime) -> Result<Attempt, StoreError> {
        let take = self.step(&TAKE_QUEUED, name).arg(time(now)).arg(time(until));
        let mut reply = Reply::new(self.ask(&take).await?, "link");
        match reply.text()?.as_str() {
            "taken" => {
                let key = super::keyspace::decoded(name).ok_or_else(|| reply.damaged())?;
                let code = row::link(Digest::from_bytes(key), &mut reply)?.code.ok_or_else(|| reply.damaged())?;
                Ok(Attempt::Taken(Box::new(code)))
            }
            "gone" | "early" => Ok(Attempt::Passed),
            _ => Err(reply.damaged()),
        }
    }

    async fn take_any(&self, now: UnixTime, until: UnixTime) -> Result<Option<QueuedCode>, StoreError> {
        for _ in 0..LOOKS {
            let names = self.due(now).await?;
            if names.is_empty() {
                break;
            }
            for name in names {
                if let Attempt::Taken(code) = self.take(&name, now, until).await? {
                    return Ok(Some(*code));
                }
            }
        }
        Ok(None)
    }
}

impl Reciprocals for RedisStore {
    fn queue_code(&self, code: QueuedCode) -> StoreFuture<'_, Queued> {
        Box::pin(async move {
            // Whatever ended before has no link any more that knows of it.
            let stale = code.queued_at.saturating_sub(QueuedCode::KEPT + 2 * MARGIN);
            let mut script = self
                .step(&QUEUE_CODE, &encoded(code.link.key().as_bytes()))
                .arg(*code.id.as_bytes())
                .arg(time(code.queued_at))
                .arg(time(code.due_at))
                .arg(time(code.expires_at))
                .arg(time(stale));
            for field in row::code_fields(&code)?.0 {
                script = script.arg(field);
            }
            let mut reply = Reply::new(self.ask(&script).await?, "link");
            match reply.text()?.as_str() {
                "added" => Ok(Queued::Added),
                "known" => Ok(Queued::Known),
                _ => Err(reply.damaged()),
            }
        })
    }

    fn take_queued(&self, now: UnixTime, until: UnixTime) -> StoreFuture<'_, Option<QueuedCode>> {
        Box::pin(self.take_any(now, until))
    }

    fn defer_queued(&self, link: ReciprocalLink, id: Digest, due_at: UnixTime) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let script = self.step(&DEFER_QUEUED, &encoded(link.key().as_bytes()));
            let script = script.arg(*id.as_bytes()).arg(time(due_at));
            let mut reply = Reply::new(self.ask(&script).await?, "link");
            match reply.text()?.as_str() {
                "deferred" => Ok(true),
                "other" => Ok(false),
                _ => Err(reply.damaged()),
            }
        })
    }

    fn finish_queued(&self, link: ReciprocalLink, id: Digest, tokens: Option<PeerTokens>) -> StoreFuture<'_, Finished> {
        Box::pin(async move {
            let key = link.key();
            let mut script = self.step(&FINISH_QUEUED, &encoded(key.as_bytes())).arg(*id.as_bytes());
            if let Some(tokens) = tokens {
                for field in row::tokens_fields(&PeerTokens { link, id, ..tokens })?.0 {
                    script = script.arg(field);
                }
            }
            let mut reply = Reply::new(self.ask(&script).await?, "link");
            match reply.text()?.as_str() {
                "replaced" => Ok(Finished::Replaced(row::link(key, &mut reply)?.tokens)),
                "already" => Ok(Finished::Already),
                "superseded" => Ok(Finished::Superseded),
                _ => Err(reply.damaged()),
            }
        })
    }

    fn peer_tokens(&self, link: ReciprocalLink, now: UnixTime) -> StoreFuture<'_, Option<PeerTokens>> {
        Box::pin(async move { Ok(self.link_at(link.key()).await?.live_tokens(now).cloned()) })
    }

    fn replace_peer_tokens(&self, tokens: PeerTokens, revision: Option<u64>, now: UnixTime) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let expected = revision.map(|revision| [tokens.id.as_bytes(), revision.to_string().as_bytes()].concat());
            let key = self.keys().link(&encoded(tokens.link.key().as_bytes()));
            let mut script = Request::script(&REPLACE_TOKENS, [key]).arg(expected.unwrap_or_default()).arg(time(now));
            for field in row::tokens_fields(&tokens)?.0 {
                script = script.arg(field);
            }
            let mut reply = Reply::new(self.ask(&script).await?, "link");
            match reply.text()?.as_str() {
                "replaced" => Ok(true),
                "other" => Ok(false),
                _ => Err(reply.damaged()),
            }
        })
    }

    fn forget_link(&self, link: ReciprocalLink) -> StoreFuture<'_, Option<PeerTokens>> {
        Box::pin(async move {
            let key = link.key();
            let found = self.ask(&self.step(&FORGET_LINK, &encoded(key.as_bytes()))).await?;
            Ok(row::link(key, &mut Reply::new(found, "link"))?.tokens)
        })
    }

    fn list_peer_tokens(
        &self,
        after: Option<Cursor>,
        limit: usize,
        now: UnixTime,
    ) -> StoreFuture<'_, Page<PeerTokens>> {
        Box::pin(async move {
            let page = self.links(after, limit).await?;
            let live = |state: LinkState| state.tokens.filter(|tokens| now < tokens.ends_at);
            Ok(Page { items: page.items.into_iter().filter_map(live).collect(), next: page.next })
        })
    }

    fn queued_codes(&self, now: UnixTime) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let behind = format!("({}", now.0);
            let count = Request::reads("ZCOUNT", self.keys().links_ending()).arg(behind).arg("+inf");
            let mut reply = Reply::new(self.ask(&count).await?, "list of codes");
            reply.integer()?.try_into().map_err(|_| reply.damaged())
        })
    }
}
