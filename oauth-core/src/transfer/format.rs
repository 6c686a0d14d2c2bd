//! The lines: what each looks like, and how strictly it is read.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Counts,
    base64url::{Bytes, Sealed},
    import::ImportFault,
    link::LinkLine,
    statuses::StatusesLine,
};
use crate::{
    client::Client,
    clock::UnixTime,
    pkce::CodeChallenge,
    secret::{Digest, RootSecret},
    store::{AccessToken, Code, Consent, Grant, GrantFacts, Refresh, Retry, SealedKey},
    token::GrantId,
};

/// The version of the format that is written. Those before it are read too:
/// each later one only adds.
pub(super) const VERSION: u64 = 3;

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    oauth_store: u64,
    pub(super) issuer: String,
    pub(super) root_secrets: Vec<Bytes<16>>,
    pub(super) exported_at: UnixTime,
    /// Since version 3. Whoever imports it raises theirs before anything else, so
    /// that no grant lives again which is older.
    #[serde(default, skip_serializing_if = "is_start")]
    pub(super) epoch: UnixTime,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_start(epoch: &UnixTime) -> bool {
    epoch.0 == 0
}

/// Every other line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    SigningKey(KeyLine),
    Client(Box<Client>),
    Grant(Box<GrantLine>),
    Access(AccessLine),
    Consent(Box<Consent>),
    Link(Box<LinkLine>),
    Statuses(StatusesLine),
    End(EndLine),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyLine {
    kid: String,
    algorithm: String,
    sealed: Sealed,
    active_from: UnixTime,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantLine {
    id: Bytes<16>,
    facts: GrantFacts,
    created_at: UnixTime,
    expires_at: UnixTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked_at: Option<UnixTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<CodeLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh: Option<RefreshLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeLine {
    digest: Bytes<32>,
    redirect_uri: String,
    redirect_uri_required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    challenge: Option<Bytes<32>>,
    expires_at: UnixTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    redeemed_at: Option<UnixTime>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RefreshLine {
    digest: Bytes<32>,
    generation: u64,
    used_at: UnixTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry: Option<RetryLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetryLine {
    digest: Bytes<32>,
    sealed: Sealed,
    until: UnixTime,
    /// Since version 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    access: Option<Bytes<32>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccessLine {
    grant: Bytes<16>,
    digest: Bytes<32>,
    record: AccessToken,
}

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndLine {
    signing_keys: u64,
    clients: u64,
    grants: u64,
    access_tokens: u64,
    /// Since version 2.
    #[serde(default)]
    consents: u64,
    /// Since version 3.
    #[serde(default)]
    links: u64,
    /// Since version 3.
    #[serde(default)]
    statuses: u64,
    pub(super) sha256: Bytes<32>,
}

impl Header {
    pub(super) fn new(issuer: &str, root: &RootSecret, exported_at: UnixTime, epoch: UnixTime) -> Self {
        Self { oauth_store: VERSION, issuer: issuer.to_owned(), root_secrets: fingerprints(root), exported_at, epoch }
    }

    pub(super) fn read(line: &[u8]) -> Result<Self, ImportFault> {
        let value: Value = serde_json::from_slice(line).map_err(|_| ImportFault::NotAnExport)?;
        match value.get("oauth_store").and_then(Value::as_u64) {
            Some(1..=VERSION) => parse(line),
            Some(other) => Err(ImportFault::Version(other)),
            None => Err(ImportFault::NotAnExport),
        }
    }
}

impl Line {
    pub(super) fn read(line: &[u8]) -> Result<Self, ImportFault> {
        let read = parse(line)?;
        // Records read each their own members and pass over the others. Here
        // that would be a silent loss.
        let (given, kept) = (parse::<Value>(line)?, serde_json::to_value(&read));
        if kept.is_ok_and(|kept| is_kept(&given, &kept)) { Ok(read) } else { Err(ImportFault::Unknown) }
    }
}

/// A fingerprint of each root secret, the current one first. It says nothing
/// but whether two are the same.
pub(super) fn fingerprints(root: &RootSecret) -> Vec<Bytes<16>> {
    let keys = root.derive(b"transfer");
    keys.iter().filter_map(|key| key.first_chunk().copied().map(Bytes)).collect()
}

fn parse<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, ImportFault> {
    serde_json::from_slice(line).map_err(|error| {
        let column = error.column();
        if error.is_data() { ImportFault::Record { column } } else { ImportFault::Syntax { column } }
    })
}

/// Whether everything in `given` is in `kept`.
fn is_kept(given: &Value, kept: &Value) -> bool {
    match (given, kept) {
        (Value::Object(given), Value::Object(kept)) => {
            given.iter().all(|(name, value)| kept.get(name).is_some_and(|kept| is_kept(value, kept)))
        }
        (Value::Array(given), Value::Array(kept)) => {
            given.len() == kept.len() && given.iter().zip(kept).all(|(given, kept)| is_kept(given, kept))
        }
        _ => given == kept,
    }
}

impl From<SealedKey> for Line {
    fn from(key: SealedKey) -> Self {
        let SealedKey { kid, algorithm, sealed, active_from } = key;
        Self::SigningKey(KeyLine { kid, algorithm, sealed: Sealed(sealed), active_from })
    }
}

impl From<KeyLine> for SealedKey {
    fn from(line: KeyLine) -> Self {
        let KeyLine { kid, algorithm, sealed: Sealed(sealed), active_from } = line;
        Self { kid, algorithm, sealed, active_from }
    }
}

impl From<Grant> for Line {
    fn from(grant: Grant) -> Self {
        let Grant { id, facts, created_at, expires_at, revoked_at, code, refresh } = grant;
        let (id, code, refresh) = (Bytes(*id.as_bytes()), code.map(CodeLine::from), refresh.map(RefreshLine::from));
        Self::Grant(Box::new(GrantLine { id, facts, created_at, expires_at, revoked_at, code, refresh }))
    }
}

impl From<GrantLine> for Grant {
    fn from(line: GrantLine) -> Self {
        let GrantLine { id, facts, created_at, expires_at, revoked_at, code, refresh } = line;
        let (code, refresh) = (code.map(Code::from), refresh.map(Refresh::from));
        Self { id: GrantId::from_bytes(id.0), facts, created_at, expires_at, revoked_at, code, refresh }
    }
}

impl From<Code> for CodeLine {
    fn from(code: Code) -> Self {
        let Code { digest, redirect_uri, redirect_uri_required, challenge, expires_at, redeemed_at } = code;
        let challenge = challenge.map(|challenge| Bytes(*challenge.as_bytes()));
        Self { digest: digest.into(), redirect_uri, redirect_uri_required, challenge, expires_at, redeemed_at }
    }
}

impl From<CodeLine> for Code {
    fn from(line: CodeLine) -> Self {
        let CodeLine { digest, redirect_uri, redirect_uri_required, challenge, expires_at, redeemed_at } = line;
        let challenge = challenge.map(|challenge| CodeChallenge::from_bytes(challenge.0));
        Self { digest: digest.into(), redirect_uri, redirect_uri_required, challenge, expires_at, redeemed_at }
    }
}

impl From<Refresh> for RefreshLine {
    fn from(refresh: Refresh) -> Self {
        let Refresh { digest, generation, used_at, retry } = refresh;
        let retry = retry.map(|Retry { digest, sealed, until, access }| RetryLine {
            digest: digest.into(),
            sealed: Sealed(sealed),
            until,
            access: access.map(Bytes::from),
        });
        Self { digest: digest.into(), generation, used_at, retry }
    }
}

impl From<RefreshLine> for Refresh {
    fn from(line: RefreshLine) -> Self {
        let RefreshLine { digest, generation, used_at, retry } = line;
        let retry = retry.map(|RetryLine { digest, sealed, until, access }| Retry {
            digest: digest.into(),
            sealed: sealed.0,
            until,
            access: access.map(Digest::from),
        });
        Self { digest: digest.into(), generation, used_at, retry }
    }
}

impl From<(GrantId, AccessToken)> for Line {
    fn from((grant, record): (GrantId, AccessToken)) -> Self {
        Self::Access(AccessLine { grant: Bytes(*grant.as_bytes()), digest: record.digest.into(), record })
    }
}

impl From<AccessLine> for (GrantId, AccessToken) {
    fn from(line: AccessLine) -> Self {
        let AccessLine { grant, digest, record } = line;
        (GrantId::from_bytes(grant.0), AccessToken { digest: digest.into(), ..record })
    }
}

impl EndLine {
    pub(super) fn new(counts: Counts, sha256: [u8; 32]) -> Self {
        let Counts { signing_keys, clients, grants, access_tokens, consents, links, statuses } = counts;
        Self { signing_keys, clients, grants, access_tokens, consents, links, statuses, sha256: Bytes(sha256) }
    }

    pub(super) fn counts(&self) -> Counts {
        let Self { signing_keys, clients, grants, access_tokens, consents, links, statuses, .. } = *self;
        Counts { signing_keys, clients, grants, access_tokens, consents, links, statuses }
    }
}

impl Counts {
    pub(super) fn add(&mut self, line: &Line) {
        let count = match line {
            Line::SigningKey(_) => &mut self.signing_keys,
            Line::Client(_) => &mut self.clients,
            Line::Grant(_) => &mut self.grants,
            Line::Access(_) => &mut self.access_tokens,
            Line::Consent(_) => &mut self.consents,
            Line::Link(_) => &mut self.links,
            Line::Statuses(_) => &mut self.statuses,
            Line::End(_) => return,
        };
        *count += 1;
    }
}
