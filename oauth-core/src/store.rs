//! What an authorization server remembers, and the atomic steps that change it.
//!
//! A store's verbs are the protocol's steps: [`Grants::redeem_code`] compares
//! and consumes, [`Grants::rotate_refresh`] compares and replaces. There is no
//! "find" followed by "mark", so there is no race to lose. Each call is one
//! statement, one transaction or one script, and when it returns `Ok` its
//! effect is as durable as the store makes anything.
//!
//! What a step does to a grant is written once, as plain functions on
//! [`Grant`] (`grant.rs`): a store loads the grant, applies the step and
//! saves the result, atomically. Write your own store by implementing the six
//! traits and passing the suite in `conformance` (feature `testing`).

pub mod composite;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod conformance;
mod consent;
mod epoch;
mod grant;
pub mod memory;
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
pub mod postgres;
mod reciprocal;
mod record;
#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
pub mod redis;
mod replay;
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub mod sqlite;
mod status;
mod transfer;

use std::{fmt, future::Future, pin::Pin, sync::Arc};

pub(crate) use self::epoch::disown;
pub use self::{
    epoch::Epoch,
    grant::{NextRefresh, RedeemCode, Redemption, RefreshOutcome, Revocation, RotateRefresh},
    reciprocal::{Finished, LinkState, PeerTokens, Queued, QueuedCode, ReciprocalLink, Reciprocals},
    record::{
        AccessToken, Code, Consent, Exchanged, FinishInteraction, Grant, GrantFacts, ParkedInteraction, Refresh, Retry,
        SealedKey,
    },
    replay::SharedReplayCache,
    status::{StatusPlace, Statuses},
    transfer::{Cursor, Page, Transfer},
};
use crate::{
    client::{Client, ClientId},
    clock::UnixTime,
    secret::Digest,
    token::GrantId,
};

/// The future of a store's answer, boxed so that stores can be swapped at run
/// time.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Why a store could not do its work. It never means "no": a client hears 503,
/// and the operator reads the rest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store cannot be reached, refused the work or could not say that it
    /// is durable. Nothing of the call was acknowledged: hand nothing out. As
    /// with any database that is lost at the wrong moment, the whole of the
    /// step may have taken effect all the same; never a part of it.
    #[error("the store is unavailable: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What was to be inserted is there already.
    #[error("the store already holds {0}")]
    Conflict(&'static str),
    /// Something read back is not what was written.
    #[error("the store holds a damaged {0}")]
    Corrupt(&'static str),
    /// A later version of this software has changed the store beyond what
    /// this one understands.
    #[error("the store has schema version {found}; this program knows versions up to {known}")]
    Schema {
        /// The version of the store.
        found: u32,
        /// The latest version this program knows.
        known: u32,
    },
}

impl StoreError {
    /// An [`StoreError::Unavailable`] for `cause`.
    pub fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(cause.into())
    }
}

/// Grants and everything that belongs to them.
pub trait Grants: Send + Sync {
    /// Inserts `grant`, with its first access token if it has one already
    /// (the client-credentials grant).
    ///
    /// Fails with [`StoreError::Conflict`] if a grant of that id exists.
    fn insert_grant(&self, grant: Grant, access: Option<AccessToken>) -> StoreFuture<'_, ()>;

    /// The grant `id`, whatever its state; `None` if unknown or swept.
    fn grant(&self, id: GrantId) -> StoreFuture<'_, Option<Grant>>;

    /// An access token and the grant it belongs to, whatever their state:
    /// [`Grant::is_live`] and [`AccessToken::is_live`] judge. An expired token
    /// may be gone already.
    fn access(&self, id: GrantId, digest: Digest) -> StoreFuture<'_, Option<(Grant, AccessToken)>>;

    /// Redeems an authorization code: compares all that the code is bound to,
    /// consumes it and stores the tokens, or changes nothing. The second
    /// otherwise valid use revokes the grant (OAuth 2.1 section 4.1.2).
    fn redeem_code(&self, redeem: RedeemCode) -> StoreFuture<'_, Redemption>;

    /// Exchanges a refresh token for its successor, answers a retry with the
    /// same successor, or recognizes reuse and revokes the grant
    /// (OAuth 2.1 section 6.1).
    fn rotate_refresh(&self, rotate: RotateRefresh) -> StoreFuture<'_, RefreshOutcome>;

    /// Says that the access token `access` has been used, which came with the
    /// grant's refresh token: if there is a [way back](Retry::access) that ends
    /// with it, that goes, and the answer is `true`. From then on the refresh
    /// token before is one that was replaced, and its use is reuse.
    fn confirm_refresh(&self, id: GrantId, access: Digest, now: UnixTime) -> StoreFuture<'_, bool>;

    /// The grants of `subject` behind the grant `after`, in the order of their
    /// ids, whatever their state: `limit` of them (at least one), and fewer only
    /// where there are no more. Ids are random, so what is inserted meanwhile may
    /// stand before `after`: of those that were there before the first call, and
    /// stay, none is left out.
    ///
    /// ```
    /// use oauth_core::{store::{Grant, Grants, StoreError}};
    /// /// Every grant of a user, a few at a time.
    /// async fn of(store: &dyn Grants, subject: &str) -> Result<Vec<Grant>, StoreError> {
    ///     let mut all: Vec<Grant> = Vec::new();
    ///     loop {
    ///         let some = store.grants_of(subject.to_owned(), all.last().map(|last| last.id), 50).await?;
    ///         if some.is_empty() {
    ///             return Ok(all);
    ///         }
    ///         all.extend(some);
    ///     }
    /// }
    /// # let store = oauth_core::store::memory::MemoryStore::default();
    /// # assert!(futures_util::FutureExt::now_or_never(of(&store, "alice")).unwrap()?.is_empty());
    /// # Ok::<_, StoreError>(())
    /// ```
    fn grants_of(&self, subject: String, after: Option<GrantId>, limit: usize) -> StoreFuture<'_, Vec<Grant>>;

    /// Adds an access token to a grant that lives at `now`; `false`, and no
    /// token, if it does not. The check and the insertion are one step, so a
    /// revocation that races it wins.
    fn insert_access(&self, id: GrantId, access: AccessToken, now: UnixTime) -> StoreFuture<'_, bool>;

    /// Revokes a grant and with it every token under it.
    fn revoke_grant(&self, id: GrantId, now: UnixTime) -> StoreFuture<'_, Revocation>;

    /// Revokes one access token and leaves its grant alive; `false` if it was
    /// not there.
    fn revoke_access(&self, id: GrantId, digest: Digest) -> StoreFuture<'_, bool>;

    /// Removes at most `limit` rows that can no longer matter at `now`: ended
    /// grants, expired access tokens, expired interactions, retry pairs, uses and
    /// consents.
    /// Returns how many went; call again while it returns `limit`.
    fn sweep(&self, now: UnixTime, limit: usize) -> StoreFuture<'_, usize>;
}

/// Registered clients.
pub trait Clients: Send + Sync {
    /// The client `id`.
    fn client(&self, id: ClientId) -> StoreFuture<'_, Option<Arc<Client>>>;

    /// Inserts or replaces a client, as it is: one that takes the identifier of
    /// another that was removed has what that was given and has not ended, unless
    /// its [`grants_since`](Client::grants_since) says otherwise. A store cannot
    /// tell it from one that is restored with its grants;
    /// [`create_client`](crate::server::AuthorizationServer::create_client) is for
    /// new ones.
    ///
    /// So whoever writes a record of their own over one that is there takes its
    /// `grants_since` along. An earlier one takes back what a revocation of
    /// [all that the client was given](crate::server::Selection::Client) has said
    /// in this one number: grants whose own end it had not come to live again.
    /// [`Clients::replace_client`] is for changes of what was read.
    fn put_client(&self, client: Client) -> StoreFuture<'_, ()>;

    /// Replaces a client, if there is one of its identifier whose
    /// [`revision`](Client::revision) is this one; `false`, and nothing done,
    /// otherwise. So of many that rest on what they have read, one succeeds, and
    /// none brings a client back that was removed meanwhile.
    fn replace_client(&self, client: Client, revision: u64) -> StoreFuture<'_, bool>;

    /// Removes a client; `false` if it was not there. What it was given is dead
    /// while there is none of its identifier: see [`Self::put_client`].
    fn delete_client(&self, id: ClientId) -> StoreFuture<'_, bool>;
}

/// Authorization requests that wait for a person.
pub trait Interactions: Send + Sync {
    /// Keeps a validated request until its person has decided.
    ///
    /// Fails with [`StoreError::Conflict`] if an interaction of that id
    /// exists.
    fn park_interaction(&self, parked: ParkedInteraction) -> StoreFuture<'_, ()>;

    /// The interaction `id`, if it belongs to `browser` and has not expired.
    fn interaction(&self, id: Digest, browser: Digest, now: UnixTime) -> StoreFuture<'_, Option<ParkedInteraction>>;

    /// Ends an interaction, and in the same step inserts the grant that it
    /// led to, if it led to one. `false`, and no grant that lives, if the
    /// interaction is gone, expired or another browser's: it happens once.
    ///
    /// Fails with [`StoreError::Conflict`], and the interaction stays, if a
    /// grant of that id exists.
    fn finish_interaction(&self, finish: FinishInteraction) -> StoreFuture<'_, bool>;
}

/// The signing keys all nodes share, sealed under the root secret.
pub trait SigningKeys: Send + Sync {
    /// Every key, in no particular order.
    fn signing_keys(&self) -> StoreFuture<'_, Vec<SealedKey>>;

    /// Inserts `key`, unless there is one of its algorithm that becomes active
    /// after `newest` (any at all, where `newest` is `None`) or one of its
    /// `kid`: of many nodes that try at once, one succeeds.
    fn insert_signing_key(&self, key: SealedKey, newest: Option<UnixTime>) -> StoreFuture<'_, bool>;

    /// Removes the key `kid`; `false` if it was not there.
    fn delete_signing_key(&self, kid: String) -> StoreFuture<'_, bool>;
}

/// What has been used, and how often: marks of a short life that all nodes
/// share.
///
/// A digest stands for a client's assertion (RFC 7523 section 3, `jti`), for a
/// proof (RFC 9449 section 11.1) or for whoever is to be slowed down. One space
/// holds them all, so begin what you digest with its purpose, as in
/// `Digest::of(&[b"assertion jti ", …])`.
///
/// Each mark has an end, set by the call that made it and never moved. From
/// then on it counts for nothing, and [`Grants::sweep`] removes it a minute
/// later: some other node's clock may be behind.
pub trait Uses: Send + Sync {
    /// Whether this is the first use of `digest`: `true` for one caller,
    /// however many ask at once, and `false` for all others until `until` has
    /// come. Where `until` is not after `now`, the answer is `false`: that use
    /// may have been forgotten.
    ///
    /// ```
    /// # use oauth_core::{clock::UnixTime, secret::Digest, store::{StoreError, Uses}};
    /// /// A client's assertion is good once.
    /// async fn accept(store: &dyn Uses, jti: &str, exp: UnixTime, now: UnixTime) -> Result<bool, StoreError> {
    ///     store.first_use(Digest::of(&[b"assertion jti ", jti.as_bytes()]), exp, now).await
    /// }
    /// # let store = oauth_core::store::memory::MemoryStore::default();
    /// # let mut ask = || futures_util::FutureExt::now_or_never(accept(&store, "1", UnixTime(60), UnixTime(0))).unwrap();
    /// # assert!(ask()? && !ask()?);
    /// # Ok::<_, StoreError>(())
    /// ```
    fn first_use(&self, digest: Digest, until: UnixTime, now: UnixTime) -> StoreFuture<'_, bool>;

    /// Counts a use of `digest`, and says how many there have been, this one
    /// included. The first sets the end for all that follow; the count begins
    /// anew once it has come. So "at most ten a minute" is `until: now + 60`
    /// and an answer of at most ten.
    ///
    /// To limit attempts, count first and look afterwards: no two callers hear
    /// the same number.
    ///
    /// ```
    /// # use oauth_core::{clock::UnixTime, secret::Digest, store::{StoreError, Uses}};
    /// /// At most five attempts of a client in a minute, on all nodes together.
    /// async fn may_try(store: &dyn Uses, client: &str, now: UnixTime) -> Result<bool, StoreError> {
    ///     let digest = Digest::of(&[b"attempts ", client.as_bytes()]);
    ///     Ok(store.count_use(digest, now.saturating_add(60), now).await? <= 5)
    /// }
    /// # let store = oauth_core::store::memory::MemoryStore::default();
    /// # let mut ask = |now| futures_util::FutureExt::now_or_never(may_try(&store, "app", UnixTime(now))).unwrap();
    /// # for _ in 0..5 { assert!(ask(1)?) }
    /// # assert!(!ask(60)? && ask(61)?);
    /// # Ok::<_, StoreError>(())
    /// ```
    fn count_use(&self, digest: Digest, until: UnixTime, now: UnixTime) -> StoreFuture<'_, u64>;

    /// How many uses of `digest` have been counted, and changes nothing: 0 if
    /// none, or none that still counts at `now`.
    ///
    /// To limit failures, look before the attempt and count afterwards: what
    /// runs at the same moment may go beyond the limit, by as much as that is.
    fn uses(&self, digest: Digest, now: UnixTime) -> StoreFuture<'_, u64>;
}

/// What people have agreed to, so that they need not be asked again.
///
/// A [`Consent`] is about one person and one client, and there is one at most.
/// Once it has expired by the caller's clock, it is as if there were none, and
/// [`Grants::sweep`] removes it.
///
/// It is no grant: no token rests on it, and forgetting it revokes none. Nor
/// does it go with its client, who may have a great many: it ends by itself,
/// and [`Consent::is_for`] sees to it that nobody inherits it.
pub trait Consents: Send + Sync {
    /// What `subject` has agreed to for `client`, unless it has expired at
    /// `now`.
    fn consent(&self, subject: String, client: ClientId, now: UnixTime) -> StoreFuture<'_, Option<Consent>>;

    /// Puts `consent` in the place of the one of this
    /// [`revision`](Consent::revision) (or, where that is `None`, of none);
    /// `false`, and nothing done, if another is there at `now`, or none. So of
    /// many that rest on what they have read, one succeeds, and none brings
    /// back what was forgotten meanwhile.
    ///
    /// ```
    /// # use oauth_core::{client::ClientId, clock::UnixTime, scope::Scope, store::{Consent, Consents, StoreError}};
    /// /// Keeps what Alice has just agreed to, beside what she had agreed to before.
    /// async fn keep(store: &dyn Consents, client: ClientId, scope: Scope, now: UnixTime) -> Result<(), StoreError> {
    ///     let until = now.saturating_add(90 * 86_400);
    ///     loop {
    ///         let before = store.consent("alice".to_owned(), client.clone(), now).await?;
    ///         let revision = before.as_ref().map(|before| before.revision);
    ///         let before = before.unwrap_or_else(|| Consent::new("alice", client.clone(), now));
    ///         // What is beyond all measure is not remembered.
    ///         let Some(consent) = before.with(&[], &scope, now, until) else { return Ok(()) };
    ///         if store.replace_consent(consent, revision, now).await? {
    ///             return Ok(());
    ///         }
    ///     }
    /// }
    /// # let store = oauth_core::store::memory::MemoryStore::default();
    /// # futures_util::FutureExt::now_or_never(async {
    /// # let app = ClientId::new("app").unwrap();
    /// # for scope in ["a", "b"] { keep(&store, app.clone(), scope.parse().unwrap(), UnixTime(1)).await?; }
    /// # let kept = store.consent("alice".to_owned(), app, UnixTime(2)).await?.unwrap();
    /// # assert!(kept.covers(&[], &"a b".parse().unwrap()));
    /// # Ok::<_, StoreError>(()) }).unwrap()?;
    /// # Ok::<_, StoreError>(())
    /// ```
    fn replace_consent(&self, consent: Consent, revision: Option<u64>, now: UnixTime) -> StoreFuture<'_, bool>;

    /// Forgets it; `false` if there was none. One that has expired may still
    /// be there, or not.
    fn forget_consent(&self, subject: String, client: ClientId) -> StoreFuture<'_, bool>;
}

/// All that an authorization server needs to remember.
pub trait Store:
    Grants
    + Clients
    + Interactions
    + SigningKeys
    + Uses
    + Consents
    + Reciprocals
    + Transfer
    + Epoch
    + Statuses
    + fmt::Debug
    + 'static
{
    /// Whether the store can be reached and written to, for readiness probes.
    fn check(&self) -> StoreFuture<'_, ()>;
}
