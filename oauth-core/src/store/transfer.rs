//! Going through a whole store, a page at a time.

#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(super) mod rows;

use std::sync::Arc;

use super::{
    AccessToken, Consent, Epoch, Grant, LinkState, ReciprocalLink, SigningKeys, Statuses, StoreError, StoreFuture,
};
use crate::{
    client::{Client, ClientId},
    secret::Digest,
    token::GrantId,
};

/// A store whose records can be listed, so that they can be moved elsewhere:
/// see [`transfer`](crate::transfer).
///
/// To write them elsewhere no trait is needed: the steps that every
/// [`Store`](super::Store) has insert whole records.
///
/// Each verb returns a page, and where the next begins. A page is of one
/// moment, and taking it keeps nobody waiting for longer than the page takes.
/// Pages are not of the same moment: what stays in the store from the first
/// page to the last is on one of them, unchanged or as it was at some moment
/// in between; what comes or goes meanwhile may be on one or on none. A record
/// may be listed twice.
///
/// `limit` is how many records a page should have, more or less: it bounds the
/// memory. A page may be empty although others follow.
///
/// ```
/// use oauth_core::{client::Client, store::{Clients, Transfer, memory::MemoryStore}};
/// # futures_util::FutureExt::now_or_never(async {
/// let store = MemoryStore::default();
/// for name in ["one", "two", "three"] {
///     store.put_client(Client::builder(name).redirect_uri("https://app.example/cb").build()?).await?;
/// }
/// let (mut found, mut after) = (Vec::new(), None);
/// loop {
///     let page = store.list_clients(after, 2).await?;
///     found.extend(page.items);
///     after = page.next;
///     if after.is_none() {
///         break;
///     }
/// }
/// assert_eq!(found.len(), 3);
/// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap().unwrap();
/// ```
pub trait Transfer: SigningKeys + Epoch + Statuses {
    /// Every client; from the beginning, or after a page.
    ///
    /// Fails with [`StoreError::Corrupt`](super::StoreError::Corrupt) if
    /// `after` is not from a page of clients of this store.
    fn list_clients(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<Arc<Client>>>;

    /// Every grant, whatever its state.
    ///
    /// Fails as [`Transfer::list_clients`] does.
    fn list_grants(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<Grant>>;

    /// Every access token with the grant it belongs to, whatever their state.
    ///
    /// Fails as [`Transfer::list_clients`] does.
    fn list_access(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<(GrantId, AccessToken)>>;

    /// Everything that people have agreed to, whether or not it has expired.
    ///
    /// Fails as [`Transfer::list_clients`] does.
    fn list_consents(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<Consent>>;

    /// All that is kept of every link to another server, whether or not it has
    /// ended. None is empty.
    ///
    /// Fails as [`Transfer::list_clients`] does.
    fn list_links(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<LinkState>>;
}

/// Behind this consent, in the order of people and then of clients.
pub(crate) fn after_consent(consent: &Consent) -> Cursor {
    let (subject, client) = (consent.subject.as_bytes(), consent.client.as_str().as_bytes());
    Cursor::new([&subject.len().to_be_bytes()[..], subject, client].concat())
}

/// Reads [`after_consent`].
pub(crate) fn consent_of(cursor: &Cursor) -> Result<(String, ClientId), StoreError> {
    let read = || {
        let (length, names) = cursor.as_bytes().split_first_chunk()?;
        let (subject, client) = names.split_at_checked(usize::from_be_bytes(*length))?;
        let text = |bytes| std::str::from_utf8(bytes).ok();
        Some((text(subject)?.to_owned(), ClientId::new(text(client)?).ok()?))
    };
    read().ok_or(StoreError::Corrupt("cursor"))
}

/// Behind this link, in the order of their keys.
pub(crate) fn after_link(link: &ReciprocalLink) -> Cursor {
    Cursor::new(*link.key().as_bytes())
}

/// Behind the link of this state.
pub(crate) fn after_state(state: &LinkState) -> Cursor {
    state.link().map_or_else(|| Cursor::new([]), after_link)
}

/// Reads [`after_link`].
pub(crate) fn link_of(cursor: &Cursor) -> Result<Digest, StoreError> {
    cursor.as_bytes().try_into().map(Digest::from_bytes).map_err(|_| StoreError::Corrupt("cursor"))
}

/// Some records, and where the others are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The records.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<Cursor>,
}

/// Where a page begins: what it says, only its store knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(Vec<u8>);

impl Cursor {
    /// A cursor that says this.
    #[must_use]
    pub fn new(place: impl Into<Vec<u8>>) -> Self {
        Self(place.into())
    }

    /// What it says.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<T> Page<T> {
    /// The page of a store that looks for `limit` rows behind a key: it is the
    /// last if there are fewer, and else the next begins behind the last row,
    /// at its `key`.
    pub fn of_rows(items: Vec<T>, limit: usize, key: impl FnOnce(&T) -> Cursor) -> Self {
        let next = items.last().filter(|_| items.len() >= limit).map(key);
        Self { items, next }
    }

    /// The same page, of what `change` makes of each record.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}
