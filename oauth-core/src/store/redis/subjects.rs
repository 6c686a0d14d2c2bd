//! The lists of grants, one for each user: in a slot of its own, so that it is a
//! step of its own. A grant is listed before it is there, so none is missing.
//! Lines of grants that are not there, or are there no more, are removed by and
//! by.

use futures_util::future::try_join_all;

use super::{
    RedisStore,
    request::{Reply, Request},
    row::{MARGIN, gone_at},
    script::{LIST_GRANT, LISTED},
};
use crate::{
    store::{Grant, Grants, StoreError, Transfer},
    token::GrantId,
};

/// A line: the id, and after it what tells when it was written.
struct Listed {
    id: GrantId,
    written_at: u64,
    line: Vec<u8>,
}

impl Listed {
    fn read(line: Vec<u8>) -> Option<Self> {
        let (id, rest) = line.split_first_chunk()?;
        let written_at = std::str::from_utf8(rest).ok()?.split_once(' ')?.0.parse().ok()?;
        Some(Self { id: GrantId::from_bytes(*id), written_at, line })
    }
}

impl RedisStore {
    /// Lists a grant that is about to be inserted.
    pub(super) async fn list(&self, grant: &Grant) -> Result<(), StoreError> {
        let Some(subject) = &grant.facts.subject else { return Ok(()) };
        let script = Request::script(&LIST_GRANT, [self.keys().subject(subject)]);
        let script = script.arg(*grant.id.as_bytes()).arg(gone_at(grant.expires_at));
        self.ask(&script).await.map(drop)
    }

    /// Lists the grants that an earlier version has written, which knew no
    /// lists: call it once, when every node has been upgraded. Until then
    /// [`Grants::grants_of`] does not find them. It goes through the whole store,
    /// and may be called again. Returns how many grants of users there are.
    ///
    /// # Errors
    /// [`StoreError`]: then begin again.
    pub async fn list_earlier_grants(&self) -> Result<usize, StoreError> {
        let (mut listed, mut after) = (0, None);
        loop {
            let page = self.list_grants(after, 100).await?;
            for grant in page.items.iter().filter(|grant| grant.facts.subject.is_some()) {
                self.list(grant).await?;
                listed += 1;
            }
            after = page.next;
            if after.is_none() {
                return Ok(listed);
            }
        }
    }

    pub(super) async fn of_subject(
        &self,
        subject: &str,
        mut after: Option<GrantId>,
        limit: usize,
    ) -> Result<Vec<Grant>, StoreError> {
        let (limit, key) = (limit.max(1), self.keys().subject(subject));
        let mut found = Vec::new();
        while found.len() < limit {
            let (now, lines) = self.lines(&key, after, limit - found.len()).await?;
            let Some(last) = lines.last() else { break };
            after = Some(last.id);
            // One id may have two lines.
            let mut ids: Vec<_> = lines.iter().map(|line| line.id).collect();
            ids.dedup();
            // One whose insertion found another of its id there has left a line, too.
            let own = async |id: &GrantId| {
                let grant = self.grant(*id).await?;
                Ok::<_, StoreError>(grant.filter(|grant| grant.facts.subject.as_deref() == Some(subject)))
            };
            let grants = try_join_all(ids.iter().map(own)).await?;
            for line in &lines {
                let there = ids.iter().zip(&grants).any(|(id, grant)| *id == line.id && grant.is_some());
                // Whatever was to be inserted then has been, or never will be.
                if !there && line.written_at.saturating_add(MARGIN) < now {
                    self.ask(&Request::writes("ZREM", key.clone()).arg(line.line.clone())).await?;
                }
            }
            found.extend(grants.into_iter().flatten());
        }
        Ok(found)
    }

    /// At most so many lines, and the time.
    async fn lines(&self, key: &str, after: Option<GrantId>, limit: usize) -> Result<(u64, Vec<Listed>), StoreError> {
        // Behind every line that begins with this id.
        let start = after.map_or_else(|| b"-".to_vec(), |after| [b"(", after.as_bytes().as_slice(), b"\xff"].concat());
        let script = Request::script(&LISTED, [key.to_owned()]).arg(start).arg(limit.to_string());
        let mut reply = Reply::new(self.ask(&script).await?, "list of grants");
        let now = reply.text()?.parse().map_err(|_| reply.damaged())?;
        let lines = reply.list()?.into_iter().map(Listed::read).collect::<Option<_>>();
        Ok((now, lines.ok_or_else(|| reply.damaged())?))
    }
}
