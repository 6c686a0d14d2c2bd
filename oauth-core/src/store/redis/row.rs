//! Between hashes and records. Whatever does not fit is damage, never a panic.

use serde::de::DeserializeOwned;

use super::request::{Hash, Reply};
use crate::{
    clock::UnixTime,
    pkce::CodeChallenge,
    secret::Digest,
    store::{
        AccessToken, Code, Grant, GrantFacts, LinkState, ParkedInteraction, PeerTokens, QueuedCode, ReciprocalLink,
        Refresh, Retry, SealedKey, StoreError, reciprocal::TokensRecord,
    },
    token::GrantId,
};

/// For how long after its end a record stays, by the server's clock: longer
/// than clocks are apart. What has ended by the caller's clock is never taken
/// for alive, so this decides nothing but who tidies up.
pub(super) const MARGIN: u64 = 3_600;

/// When a record that ends at `end` goes; empty where that is never.
pub(super) fn gone_at(end: UnixTime) -> String {
    gone_after(end, MARGIN)
}

/// The same, for another margin.
pub(super) fn gone_after(end: UnixTime, margin: u64) -> String {
    /// Beyond some thousand years the server does not count.
    const FAR: u64 = 100_000_000_000;
    if end.0 < FAR { (end.0 + margin).to_string() } else { String::new() }
}

pub(super) fn time(time: UnixTime) -> String {
    time.0.to_string()
}

/// The time, or nothing.
pub(super) fn optional_time(at: Option<UnixTime>) -> String {
    at.map(time).unwrap_or_default()
}

/// The fields of a grant's hash, without its retry.
pub(super) fn fields(grant: &Grant, gone_at: String) -> Result<Fields, StoreError> {
    let mut fields = Fields(Vec::new());
    let facts = serde_json::to_vec(&grant.facts).map_err(StoreError::unavailable)?;
    fields.put("facts", facts);
    fields.put("client", grant.facts.client.as_str());
    fields.put("created_at", time(grant.created_at));
    fields.put("expires_at", time(grant.expires_at));
    fields.put("gone_at", gone_at);
    if let Some(at) = grant.revoked_at {
        fields.put("revoked_at", time(at));
    }
    if let Some(code) = &grant.code {
        fields.put("code_digest", *code.digest.as_bytes());
        fields.put("code_redirect_uri", code.redirect_uri.as_str());
        fields.put("code_redirect_uri_required", if code.redirect_uri_required { "1" } else { "0" });
        fields.put("code_expires_at", time(code.expires_at));
        if let Some(challenge) = &code.challenge {
            fields.put("code_challenge", *challenge.as_bytes());
        }
        if let Some(at) = code.redeemed_at {
            fields.put("code_redeemed_at", time(at));
        }
    }
    if let Some(refresh) = &grant.refresh {
        fields.put("refresh_digest", *refresh.digest.as_bytes());
        fields.put("refresh_generation", refresh.generation.to_string());
        fields.put("refresh_used_at", time(refresh.used_at));
    }
    Ok(fields)
}

/// Names and values, one after the other.
pub(super) struct Fields(pub(super) Vec<Vec<u8>>);

impl Fields {
    pub(super) fn put(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.0.extend([name.into(), value.into()]);
    }
}

/// The grant `id` of a hash and that of its retry; `None` if there is none.
pub(super) fn grant(id: GrantId, reply: &mut Reply) -> Result<Option<Grant>, StoreError> {
    let mut row = Row::new(reply, "grant")?;
    let mut retry = Row::new(reply, "grant")?;
    if row.fields.is_empty() {
        return Ok(None);
    }
    let facts: GrantFacts = row.json("facts")?;
    // The field is for comparing, the facts for believing.
    if row.take("client")? != facts.client.as_str().as_bytes() {
        return Err(row.damaged());
    }
    Ok(Some(Grant {
        id,
        facts,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        revoked_at: row.optional_time("revoked_at")?,
        code: code(&mut row)?,
        refresh: refresh(&mut row, &mut retry)?,
    }))
}

fn code(row: &mut Row) -> Result<Option<Code>, StoreError> {
    let Some(digest) = row.optional_bytes("code_digest")? else { return Ok(None) };
    Ok(Some(Code {
        digest: Digest::from_bytes(digest),
        redirect_uri: row.text("code_redirect_uri")?,
        redirect_uri_required: row.take("code_redirect_uri_required")? != b"0",
        challenge: row.optional_bytes("code_challenge")?.map(CodeChallenge::from_bytes),
        expires_at: row.time("code_expires_at")?,
        redeemed_at: row.optional_time("code_redeemed_at")?,
    }))
}

fn refresh(row: &mut Row, retry: &mut Row) -> Result<Option<Refresh>, StoreError> {
    let Some(digest) = row.optional_bytes("refresh_digest")? else { return Ok(None) };
    let generation = row.number("refresh_generation")?;
    let retry = match retry.optional_bytes("digest")? {
        None => None,
        Some(digest) => Some(Retry {
            digest: Digest::from_bytes(digest),
            sealed: retry.take("sealed")?,
            until: retry.time("until")?,
            access: retry.optional_bytes("access")?.map(Digest::from_bytes),
        }),
    };
    Ok(Some(Refresh { digest: Digest::from_bytes(digest), generation, used_at: row.time("refresh_used_at")?, retry }))
}

/// An access token, which does not repeat its digest: that is in its key.
pub(super) fn access(digest: Digest, record: &[u8]) -> Result<AccessToken, StoreError> {
    let access = serde_json::from_slice(record).map_err(|_| StoreError::Corrupt("access token"))?;
    Ok(AccessToken { digest, ..access })
}

/// The interaction `id`, and who has claimed it.
pub(super) fn interaction(
    id: Digest,
    reply: &mut Reply,
) -> Result<Option<(ParkedInteraction, Option<String>)>, StoreError> {
    let mut row = Row::new(reply, "interaction")?;
    if row.fields.is_empty() {
        return Ok(None);
    }
    let browser = row.optional_bytes("browser")?.ok_or_else(|| row.damaged())?;
    let parked = ParkedInteraction {
        id,
        browser: Digest::from_bytes(browser),
        request: row.take("request")?,
        expires_at: row.time("expires_at")?,
    };
    let claim = row.optional("claim").map(|claim| row.utf8(claim)).transpose()?;
    Ok(Some((parked, claim)))
}

/// A signing key: its time and its algorithm on a line each, then the rest.
pub(super) fn signing_key(kid: &[u8], key: &[u8]) -> Result<SealedKey, StoreError> {
    let row = Row { fields: Vec::new(), what: "signing key" };
    let mut parts = key.splitn(3, |byte| *byte == b'\n').map(<[u8]>::to_vec);
    let mut part = || parts.next().ok_or_else(|| row.damaged());
    let active_from = UnixTime(row.parse(&part()?)?);
    let algorithm = row.utf8(part()?)?;
    Ok(SealedKey { kid: row.utf8(kid.to_vec())?, algorithm, sealed: part()?, active_from })
}

/// The fields of a code that waits, with those of its link.
pub(super) fn code_fields(code: &QueuedCode) -> Result<Fields, StoreError> {
    let mut fields = link_fields(&code.link)?;
    fields.put("code_id", *code.id.as_bytes());
    fields.put("code_sealed", code.sealed.as_slice());
    fields.put("code_attempts", code.attempts.to_string());
    fields.put("code_queued_at", time(code.queued_at));
    fields.put("code_due_at", time(code.due_at));
    fields.put("code_expires_at", time(code.expires_at));
    fields.put("code_gone_at", gone_at(code.swept_at()));
    Ok(fields)
}

/// The fields of tokens, with those of their link.
pub(super) fn tokens_fields(tokens: &PeerTokens) -> Result<Fields, StoreError> {
    let mut fields = link_fields(&tokens.link)?;
    fields.put("tokens_id", *tokens.id.as_bytes());
    fields.put("tokens_sealed", tokens.sealed.as_slice());
    fields.put("tokens_record", serde_json::to_vec(&TokensRecord::of(tokens)).map_err(StoreError::unavailable)?);
    fields.put("tokens_ends_at", time(tokens.ends_at));
    fields.put("tokens_revision", tokens.revision.to_string());
    fields.put("tokens_gone_at", gone_at(tokens.ends_at));
    Ok(fields)
}

fn link_fields(link: &ReciprocalLink) -> Result<Fields, StoreError> {
    let mut fields = Fields(Vec::new());
    fields.put("link", serde_json::to_vec(link).map_err(StoreError::unavailable)?);
    Ok(fields)
}

/// What is kept of the link of that key, if anything is.
pub(super) fn link(key: Digest, reply: &mut Reply) -> Result<LinkState, StoreError> {
    let mut row = Row::new(reply, "link")?;
    if row.fields.is_empty() {
        return Ok(LinkState::default());
    }
    let link: ReciprocalLink = row.json("link")?;
    // The name is for looking up, the field for believing.
    if link.key() != key {
        return Err(row.damaged());
    }
    Ok(LinkState { code: queued_code(&mut row, &link)?, tokens: peer_tokens(&mut row, link)? })
}

fn queued_code(row: &mut Row, link: &ReciprocalLink) -> Result<Option<QueuedCode>, StoreError> {
    let Some(id) = row.optional_bytes("code_id")? else { return Ok(None) };
    Ok(Some(QueuedCode {
        id: Digest::from_bytes(id),
        link: link.clone(),
        sealed: row.take("code_sealed")?,
        attempts: row.number("code_attempts")?.try_into().map_err(|_| row.damaged())?,
        queued_at: row.time("code_queued_at")?,
        due_at: row.time("code_due_at")?,
        expires_at: row.time("code_expires_at")?,
    }))
}

fn peer_tokens(row: &mut Row, link: ReciprocalLink) -> Result<Option<PeerTokens>, StoreError> {
    let Some(id) = row.optional_bytes("tokens_id")? else { return Ok(None) };
    let record: TokensRecord = row.json("tokens_record")?;
    let (sealed, ends_at) = (row.take("tokens_sealed")?, row.time("tokens_ends_at")?);
    Ok(Some(record.with(link, Digest::from_bytes(id), sealed, ends_at, row.number("tokens_revision")?)))
}

/// The fields of a hash, by name.
struct Row {
    fields: Hash,
    what: &'static str,
}

impl Row {
    fn new(reply: &mut Reply, what: &'static str) -> Result<Self, StoreError> {
        Ok(Self { fields: reply.hash()?, what })
    }

    fn damaged(&self) -> StoreError {
        StoreError::Corrupt(self.what)
    }

    fn optional(&mut self, name: &str) -> Option<Vec<u8>> {
        let at = self.fields.iter().position(|(other, _)| other == name.as_bytes())?;
        Some(self.fields.swap_remove(at).1)
    }

    fn take(&mut self, name: &str) -> Result<Vec<u8>, StoreError> {
        self.optional(name).ok_or_else(|| self.damaged())
    }

    fn utf8(&self, bytes: Vec<u8>) -> Result<String, StoreError> {
        String::from_utf8(bytes).map_err(|_| self.damaged())
    }

    fn text(&mut self, name: &str) -> Result<String, StoreError> {
        let bytes = self.take(name)?;
        self.utf8(bytes)
    }

    fn parse(&self, digits: &[u8]) -> Result<u64, StoreError> {
        std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).ok_or_else(|| self.damaged())
    }

    fn number(&mut self, name: &str) -> Result<u64, StoreError> {
        let digits = self.take(name)?;
        self.parse(&digits)
    }

    fn time(&mut self, name: &str) -> Result<UnixTime, StoreError> {
        self.number(name).map(UnixTime)
    }

    fn optional_time(&mut self, name: &str) -> Result<Option<UnixTime>, StoreError> {
        self.optional(name).map(|digits| self.parse(&digits).map(UnixTime)).transpose()
    }

    fn optional_bytes<const N: usize>(&mut self, name: &str) -> Result<Option<[u8; N]>, StoreError> {
        self.optional(name).map(TryInto::try_into).transpose().map_err(|_| self.damaged())
    }

    fn json<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, StoreError> {
        let bytes = self.take(name)?;
        serde_json::from_slice(&bytes).map_err(|_| self.damaged())
    }
}
