//! Pages of what the servers hold: each is one step of a `SCAN`, which keeps
//! nobody waiting and finds what stays, perhaps twice.
//!
//! A scan goes on only where it began: a place in it means nothing to another
//! server, nor to the same one after a restart.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
};

use futures_util::future::try_join_all;
use redis::{Pipeline, Value, cmd};

use super::{
    RedisStore,
    connection::Node,
    error::{Cause, Failure},
    keyspace::decoded,
    request::{Reply, Request},
    row,
};
use crate::{
    client::{Client, ClientId},
    secret::Digest,
    store::{AccessToken, Clients, Consent, Cursor, Grant, Grants, LinkState, Page, StoreError, StoreFuture, Transfer},
    token::GrantId,
};

impl Transfer for RedisStore {
    fn list_clients(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<Arc<Client>>> {
        Box::pin(async move {
            let start = self.keys().clients();
            let (names, next) = self.scan(&format!("{start}*"), after, limit).await?;
            let ids = names.iter().filter_map(|name| ClientId::new(name.strip_prefix(&start)?).ok());
            let found = try_join_all(ids.map(|id| self.client(id))).await?;
            Ok(Page { items: found.into_iter().flatten().collect(), next })
        })
    }

    fn list_grants(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<Grant>> {
        Box::pin(async move {
            let (names, next) = self.scan(&self.keys().all_of_grants("grant"), after, limit).await?;
            let ids = names.iter().filter_map(|name| match self.keys().part_of_grant(name)? {
                (id, "grant") => Some(id),
                _ => None,
            });
            let found = try_join_all(ids.map(|id| self.grant(id))).await?;
            Ok(Page { items: found.into_iter().flatten().collect(), next })
        })
    }

    fn list_access(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<(GrantId, AccessToken)>> {
        Box::pin(async move {
            let (names, next) = self.scan(&self.keys().all_of_grants("access:*"), after, limit).await?;
            let tokens = names.iter().filter_map(|name| {
                let (id, what) = self.keys().part_of_grant(name)?;
                Some((id, decoded(what.strip_prefix("access:")?)?))
            });
            let found = try_join_all(tokens.map(|(id, digest)| self.token(id, Digest::from_bytes(digest)))).await?;
            Ok(Page { items: found.into_iter().flatten().collect(), next })
        })
    }

    fn list_consents(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<Consent>> {
        Box::pin(async move {
            let (names, next) = self.scan(&format!("{}*", self.keys().consents()), after, limit).await?;
            let found = try_join_all(names.into_iter().map(|name| self.consent_at(name))).await?;
            Ok(Page { items: found.into_iter().flatten().collect(), next })
        })
    }

    fn list_links(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<LinkState>> {
        Box::pin(self.links(after, limit))
    }
}

impl RedisStore {
    /// What is kept of every link.
    pub(super) async fn links(&self, after: Option<Cursor>, limit: usize) -> Result<Page<LinkState>, StoreError> {
        let start = self.keys().links();
        let (names, next) = self.scan(&format!("{start}*"), after, limit).await?;
        let keys = names.iter().filter_map(|name| decoded(name.strip_prefix(&start)?));
        let found = try_join_all(keys.map(|key| self.link_at(Digest::from_bytes(key)))).await?;
        // One may have gone since the scan.
        Ok(Page { items: found.into_iter().filter(|state| !state.is_empty()).collect(), next })
    }

    async fn token(&self, id: GrantId, digest: Digest) -> Result<Option<(GrantId, AccessToken)>, StoreError> {
        let get = Request::reads("GET", self.keys().access(id, digest));
        let record = Reply::new(self.ask(&get).await?, "access token").optional_bytes()?;
        record.map(|record| Ok((id, row::access(digest, &record)?))).transpose()
    }

    /// The names that one step of a scan finds, and where the next begins.
    async fn scan(
        &self,
        pattern: &str,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<(Vec<String>, Option<Cursor>), StoreError> {
        if self.0.servers.closed.load(Ordering::Acquire) {
            return Err(Failure::Closed.into());
        }
        if after.is_none() {
            self.0.servers.topology.doubt();
        }
        let mut leaders = self.0.servers.topology.leaders().await?;
        leaders.sort_by_key(|(_, node)| node.address.to_string());
        let servers =
            leaders.iter().map(|(slot, node)| format!("{slot} {}", node.address)).collect::<Vec<_>>().join(",");
        let place = match &after {
            Some(cursor) => Place::read(cursor).ok_or(StoreError::Corrupt("cursor"))?,
            None => Place { server: 0, scan: "0".to_owned(), run: String::new(), servers: servers.clone() },
        };
        let (_, node) = leaders.get(place.server).filter(|_| place.servers == servers).ok_or_else(changed)?;
        let step = step(node, &place, pattern, limit).await?;
        let next = match step.scan.as_str() {
            "0" if place.server + 1 == leaders.len() => None,
            "0" => Some(Place { server: place.server + 1, run: String::new(), scan: step.scan, servers }),
            _ => Some(Place { scan: step.scan, run: step.run, ..place }),
        };
        Ok((step.names, next.map(|place| Cursor::new(place.to_string()))))
    }
}

/// Where a scan is.
struct Place {
    /// Which of the servers.
    server: usize,
    /// What the server calls the place.
    scan: String,
    /// What the server calls its own life; empty before the first step there.
    run: String,
    /// Who leads what.
    servers: String,
}

impl Place {
    fn read(cursor: &Cursor) -> Option<Self> {
        let text = std::str::from_utf8(cursor.as_bytes()).ok()?;
        let mut parts = text.splitn(4, '|').map(str::to_owned);
        let server = parts.next()?.parse().ok()?;
        let scan = parts.next().filter(|scan| scan.parse::<u64>().is_ok())?;
        Some(Self { server, scan, run: parts.next()?, servers: parts.next()? })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}|{}|{}|{}", self.server, self.scan, self.run, self.servers)
    }
}

struct Step {
    names: Vec<String>,
    scan: String,
    run: String,
}

async fn step(node: &Node, place: &Place, pattern: &str, limit: usize) -> Result<Step, StoreError> {
    let mut pipeline = Pipeline::new();
    pipeline.add_command({
        let mut info = cmd("INFO");
        info.arg("server").arg("replication");
        info
    });
    pipeline.add_command({
        let mut scan = cmd("SCAN");
        scan.arg(&place.scan).arg("MATCH").arg(pattern).arg("COUNT").arg(limit.max(1));
        scan
    });
    // It only reads, so it may be asked again.
    let answers = match node.send(&pipeline, 2).await {
        Err(Failure::Lost(_) | Failure::Unreachable(_)) => node.send(&pipeline, 2).await?,
        answers => answers?,
    };
    let mut answers = answers.into_iter().map(|answer| answer.extract_error().map_err(Failure::of));
    let info = text_of(answers.next().transpose()?.unwrap_or_default());
    let field = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap_or("");
    let run = field("run_id").trim().to_owned();
    if field("role").trim() != "master" || (!place.run.is_empty() && place.run != run) {
        return Err(changed());
    }
    let mut reply = Reply::new(answers.next().transpose()?.unwrap_or_default(), "answer");
    let scan = reply.text()?;
    let names = reply.list()?.into_iter().filter_map(|name| String::from_utf8(name).ok()).collect();
    Ok(Step { names, scan, run })
}

fn text_of(info: Value) -> String {
    match info {
        Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Value::VerbatimString { text, .. } => text,
        _ => String::new(),
    }
}

fn changed() -> StoreError {
    StoreError::unavailable(Cause::new("a server has restarted, or another leads, since the first page: begin again"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_as_it_was_written() {
        let place = || Place { server: 2, scan: "17".into(), run: "ab".into(), servers: "0 a:1,9 [::1]:2".into() };
        let read = Place::read(&Cursor::new(place().to_string())).unwrap();
        assert_eq!(read.to_string(), place().to_string());
        for wrong in ["", "2", "2|17|ab", "x|17|ab|", "2|x|ab|", "2|-1|ab|", "\u{fffd}"] {
            assert!(Place::read(&Cursor::new(wrong)).is_none(), "{wrong}");
        }
    }
}
