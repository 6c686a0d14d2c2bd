//! Two stores as one: what must last in one of them, what is short-lived in the other.

#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use futures_util::future::join;

use super::{
    AccessToken, Clients, Consent, Consents, Cursor, Epoch, FinishInteraction, Finished, Grant, Grants, Interactions,
    LinkState, Page, ParkedInteraction, PeerTokens, Queued, QueuedCode, ReciprocalLink, Reciprocals, RedeemCode,
    Redemption, RefreshOutcome, Revocation, RotateRefresh, SealedKey, SigningKeys, StatusPlace, Statuses, Store,
    StoreError, StoreFuture, Transfer, Uses,
};
use crate::{
    client::{Client, ClientId},
    clock::UnixTime,
    secret::Digest,
    token::GrantId,
};

/// Two stores as one: PostgreSQL, say, for what must last, and Redis for what
/// lives for minutes and changes with every visitor.
///
/// | Held in | What | If that is lost |
/// |---|---|---|
/// | `durable` | grants with their codes and tokens, the epoch, clients, signing keys | everybody has lost what they were granted |
/// | | what people have agreed to | they are asked again |
/// | | links to other servers, and codes that wait to be redeemed there | people connect the two again |
/// | `short_lived` | interactions | whoever was signing in begins again; nothing that was granted is lost |
/// | | what was used, and how often | a proof or an assertion that was used may be used once more, until it expires; limits count anew |
///
/// An authorization code stays in its grant, in the durable store: redeeming
/// it writes the grant's refresh token and its access token, and that is one
/// step only where all three are. It is one row that is written anyway.
///
/// A server needs both: while either is away, what needs it is 503. What
/// needs the other alone goes on, so tokens are refreshed, validated and
/// revoked without the short-lived store.
///
/// [`Interactions::finish_interaction`] touches both. The grant is written
/// first, then the interaction ends, which decides: whoever finds that another
/// came first revokes the grant that they wrote. If the caller dies between
/// the two, a grant is left whose code nobody was ever given. It ends with
/// that code, in a minute, and is swept; the person can decide again. So the
/// grant of an interaction is never missing, and a code is handed out once.
///
/// ```
/// use oauth_core::store::{Store, composite::Composite, memory::MemoryStore};
/// # futures_util::FutureExt::now_or_never(async {
/// // In earnest a `PostgresStore` and a `RedisStore`.
/// let store = Composite::new(MemoryStore::default(), MemoryStore::default());
/// store.check().await?;
/// # Ok::<_, oauth_core::store::StoreError>(()) }).unwrap().unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Composite {
    durable: Arc<dyn Store>,
    short_lived: Arc<dyn Store>,
}

impl Composite {
    /// Keeps in `durable` what must last and in `short_lived` what need not.
    /// Every node of one issuer needs the same two.
    pub fn new(durable: impl Store, short_lived: impl Store) -> Self {
        Self::shared(Arc::new(durable), Arc::new(short_lived))
    }

    /// The same, of stores that others hold too.
    #[must_use]
    pub fn shared(durable: Arc<dyn Store>, short_lived: Arc<dyn Store>) -> Self {
        Self { durable, short_lived }
    }

    async fn finish(&self, mut finish: FinishInteraction) -> Result<bool, StoreError> {
        let Some(grant) = finish.grant.take() else { return self.short_lived.finish_interaction(finish).await };
        let (id, browser, now) = (finish.id, finish.browser, finish.now);
        if self.short_lived.interaction(id, browser, now).await?.is_none() {
            return Ok(false);
        }
        let written = grant.id;
        // A conflict ends here, and the interaction stays.
        self.durable.insert_grant(grant, None).await?;
        if self.short_lived.finish_interaction(finish).await? {
            return Ok(true);
        }
        // Another decided meanwhile. Nobody has seen this grant's code.
        self.durable.revoke_grant(written, now).await?;
        Ok(false)
    }
}

/// Verbs that one of the two stores has to itself.
macro_rules! by {
    ($store:ident: $($verb:ident($($argument:ident: $type:ty),*) -> $out:ty;)*) => { $(
        fn $verb(&self, $($argument: $type),*) -> StoreFuture<'_, $out> {
            self.$store.$verb($($argument),*)
        }
    )* };
}

impl Grants for Composite {
    by! { durable:
        insert_grant(grant: Grant, access: Option<AccessToken>) -> ();
        grant(id: GrantId) -> Option<Grant>;
        access(id: GrantId, digest: Digest) -> Option<(Grant, AccessToken)>;
        redeem_code(redeem: RedeemCode) -> Redemption;
        rotate_refresh(rotate: RotateRefresh) -> RefreshOutcome;
        confirm_refresh(id: GrantId, access: Digest, now: UnixTime) -> bool;
        grants_of(subject: String, after: Option<GrantId>, limit: usize) -> Vec<Grant>;
        insert_access(id: GrantId, access: AccessToken, now: UnixTime) -> bool;
        revoke_grant(id: GrantId, now: UnixTime) -> Revocation;
        revoke_access(id: GrantId, digest: Digest) -> bool;
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> StoreFuture<'_, usize> {
        Box::pin(async move {
            let removed = self.durable.sweep(now, limit).await?;
            // What is left of the limit: nothing, until the durable store is clean.
            match limit.saturating_sub(removed) {
                0 => Ok(removed),
                rest => Ok(removed + self.short_lived.sweep(now, rest).await?),
            }
        })
    }
}

impl Clients for Composite {
    by! { durable:
        client(id: ClientId) -> Option<Arc<Client>>;
        put_client(client: Client) -> ();
        replace_client(client: Client, revision: u64) -> bool;
        delete_client(id: ClientId) -> bool;
    }
}

impl Interactions for Composite {
    by! { short_lived:
        park_interaction(parked: ParkedInteraction) -> ();
        interaction(id: Digest, browser: Digest, now: UnixTime) -> Option<ParkedInteraction>;
    }

    fn finish_interaction(&self, finish: FinishInteraction) -> StoreFuture<'_, bool> {
        Box::pin(self.finish(finish))
    }
}

impl SigningKeys for Composite {
    by! { durable:
        signing_keys() -> Vec<SealedKey>;
        insert_signing_key(key: SealedKey, newest: Option<UnixTime>) -> bool;
        delete_signing_key(kid: String) -> bool;
    }
}

impl Uses for Composite {
    by! { short_lived:
        first_use(digest: Digest, until: UnixTime, now: UnixTime) -> bool;
        count_use(digest: Digest, until: UnixTime, now: UnixTime) -> u64;
        uses(digest: Digest, now: UnixTime) -> u64;
    }
}

impl Consents for Composite {
    by! { durable:
        consent(subject: String, client: ClientId, now: UnixTime) -> Option<Consent>;
        replace_consent(consent: Consent, revision: Option<u64>, now: UnixTime) -> bool;
        forget_consent(subject: String, client: ClientId) -> bool;
    }
}

impl Statuses for Composite {
    by! { durable:
        grant_statuses(id: GrantId, now: UnixTime) -> Vec<StatusPlace>;
        revoke_statuses(list: u64, indices: Vec<u32>, until: UnixTime) -> ();
        revoked_statuses(list: u64, now: UnixTime) -> Vec<u32>;
        claim_statuses(group: Digest, until: UnixTime, now: UnixTime) -> u64;
        claimed_statuses(group: Digest, now: UnixTime) -> u64;
    }
}

/// What is short-lived is not worth moving.
impl Transfer for Composite {
    by! { durable:
        list_clients(after: Option<Cursor>, limit: usize) -> Page<Arc<Client>>;
        list_grants(after: Option<Cursor>, limit: usize) -> Page<Grant>;
        list_access(after: Option<Cursor>, limit: usize) -> Page<(GrantId, AccessToken)>;
        list_consents(after: Option<Cursor>, limit: usize) -> Page<Consent>;
        list_links(after: Option<Cursor>, limit: usize) -> Page<LinkState>;
    }
}

impl Epoch for Composite {
    by! { durable:
        epoch() -> UnixTime;
        raise_epoch(to: UnixTime) -> UnixTime;
    }
}

impl Reciprocals for Composite {
    by! { durable:
        queue_code(code: QueuedCode) -> Queued;
        take_queued(now: UnixTime, until: UnixTime) -> Option<QueuedCode>;
        defer_queued(link: ReciprocalLink, id: Digest, due_at: UnixTime) -> bool;
        finish_queued(link: ReciprocalLink, id: Digest, tokens: Option<PeerTokens>) -> Finished;
        peer_tokens(link: ReciprocalLink, now: UnixTime) -> Option<PeerTokens>;
        replace_peer_tokens(tokens: PeerTokens, revision: Option<u64>, now: UnixTime) -> bool;
        forget_link(link: ReciprocalLink) -> Option<PeerTokens>;
        list_peer_tokens(after: Option<Cursor>, limit: usize, now: UnixTime) -> Page<PeerTokens>;
        queued_codes(now: UnixTime) -> u64;
    }
}

impl Store for Composite {
    fn check(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            match join(self.durable.check(), self.short_lived.check()).await {
                (Ok(()), Ok(())) => Ok(()),
                (durable, short_lived) => {
                    Err(StoreError::unavailable(Away { durable: durable.err(), short_lived: short_lived.err() }))
                }
            }
        })
    }
}

/// Which of the two did not answer as it should, and what it said.
#[derive(Debug)]
struct Away {
    durable: Option<StoreError>,
    short_lived: Option<StoreError>,
}

impl fmt::Display for Away {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = [("durable", &self.durable), ("short-lived", &self.short_lived)];
        let failed = each.iter().filter_map(|(which, error)| Some((which, error.as_ref()?)));
        failed.enumerate().try_for_each(|(place, (which, error))| {
            let and = if place == 0 { "" } else { "; " };
            write!(f, "{and}the {which} store: {error}")
        })
    }
}

impl std::error::Error for Away {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.durable.as_ref().or(self.short_lived.as_ref()).map(|error| error as _)
    }
}
