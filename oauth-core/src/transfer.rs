//! Moving what a store holds to another store, as JSON lines.
//!
//! [`Export`] writes clients, signing keys, grants, access tokens, what people
//! have agreed to, links to other servers and status lists, of any store that can be listed ([`Transfer`](crate::store::Transfer)); [`Import`]
//! reads them into any [`Store`](crate::store::Store). What was issued before
//! is good after: codes, refresh tokens and their families, opaque access
//! tokens, JWTs, revocations.
//!
//! ```
//! use oauth_core::{
//!     client::Client, clock::UnixTime, secret::RootSecret, store::{Clients, memory::MemoryStore},
//!     transfer::{Export, Import},
//! };
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let (old, new) = (MemoryStore::default(), MemoryStore::default());
//! let app = Client::builder("app").redirect_uri("https://app.example/cb").build()?;
//! old.put_client(app.clone()).await?;
//!
//! let (issuer, root) = ("https://auth.example", RootSecret::new([7; 32]));
//! let mut file = Vec::new();
//! Export::new(issuer, &root, UnixTime(1_800_000_000)).run(&old, &mut file, |_| {}).await?;
//! let done = Import::new(issuer, &root).run(&new, file.as_slice(), |_| {}).await?;
//! assert_eq!(done.inserted.clients, 1);
//! assert_eq!(new.client(app.id.clone()).await?.as_deref(), Some(&app));
//! # Ok::<_, Box<dyn std::error::Error>>(()) })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # To move a service
//!
//! 1. Stop every node, so that nothing is issued, rotated or revoked.
//! 2. Export the old store.
//! 3. Import into the new one, which should be empty.
//! 4. Start the nodes on the new store, with the same issuer and the same root
//!    secret, the previous ones included.
//!
//! An export of a store in use is a backup at best. It has every record that
//! was there when it began and has stayed, each as it was at some moment
//! meanwhile. But what a client is told after its grant was written is not in
//! the file: a refresh token that was replaced since is unknown to the new
//! store, and **a revocation since is lost**. So it is no way to move a
//! service that goes on.
//!
//! An import leaves what it finds: a client, a key or a grant that is there
//! stays as it is, but a revocation in the file ends the grant there too. So do
//! the lines in time: of two [epochs](crate::store::Epoch) the later stays, and
//! so it does of two [`grants_since`](crate::client::Client::grants_since) of a
//! client (not where [clients alone](Import::clients_only) are read, which may
//! come from another issuer). An
//! access token goes only into a grant that an import has put there, and once,
//! so that one which was revoked by itself in the meantime does not come back.
//! Nor does a consent that was forgotten since the first import of it, nor what
//! a link had that was redeemed, refreshed or forgotten since. So an
//! import that broke off is simply run again. Do not run it once the new
//! store is in use: a client that was deleted there would come back, and on a
//! server that keeps no uses ([`Uses`](crate::store::Uses) that were lost, as
//! with the short-lived half of a composite store), so would such a token or
//! consent. What is revoked in a status list is revoked after, and no place is
//! given twice; where an import ends a grant, its tokens are marked.
//!
//! A line that was changed and still reads well is found out at the very end,
//! by the digest. [`Import::check`] reads a file without storing anything.
//!
//! # The format
//!
//! One JSON object to a line, each at most 1 MiB long. Bytes are base64url
//! without padding, times are seconds since 1970. What may be absent is marked
//! with `?`.
//!
//! | Line | Members |
//! |---|---|
//! | the first | `oauth_store`: 3, the version; `issuer`; `root_secrets`: a fingerprint of each, the current one first; `exported_at`; `epoch`?: no grant that is older lives |
//! | `signing_key` | `kid`, `algorithm`, `sealed`, `active_from` |
//! | `client` | as the stores keep it |
//! | `grant` | `id`, `facts`, `created_at`, `expires_at`, `revoked_at`?; `code`?: `digest`, `redirect_uri`, `redirect_uri_required`, `challenge`?, `expires_at`, `redeemed_at`?; `refresh`?: `digest`, `generation`, `used_at`, and `retry`?: `digest`, `sealed`, `until`, `access`? |
//! | `access` | `grant`, `digest`, and its `record` |
//! | `consent` | `subject`, `client`, `granted`: the scope by its resource; `given_at`, `expires_at`, `revision` |
//! | `link` | `client`, `subject`?; `code`?: `id`, `sealed`, `attempts`, `queued_at`, `due_at`, `expires_at`; `tokens`?: `id`, `sealed`, `scope`, `obtained_at`, `expires_at`?, `ends_at`, `revision` |
//! | `statuses` | `list`: its number; `claimed`?: `group` and how many `blocks` of it were given; `revoked`?: places in the list |
//! | `end` | how many `signing_keys`, `clients`, `grants`, `access_tokens`, `consents`, `links` and `statuses` there are; `sha256` of all lines before |
//!
//! They come in this order, so that a token follows its grant. A record may
//! come twice. A member that a reader does not know is an error, and so is a
//! file without its last line: nothing is lost in silence. Whatever changes
//! gets a new version, and files of those before are read: version 1 has no
//! consents, version 2 no epoch, and no `access` in a `retry`,
//! no links, and no statuses.
//!
//! What has ended is left out, and what lives for minutes: authorization
//! requests that wait for their person, proofs that were used, counts. So
//! whoever was signing in begins again, and a DPoP proof or a client's
//! assertion may be used once more within its short life, unless the nodes
//! stay stopped for longer than that.
//!
//! # What is in it
//!
//! No secret that could be presented: digests, and what is sealed under the
//! root secret. But who granted what to whom, so guard it as you guard the
//! store. The SHA-256 finds damage, not malice: whoever can write the file can
//! write the store that it goes to.
//!
//! Without the root secret grants and keys are worth nothing, and keys that
//! cannot be opened keep a server from starting. So an import under another
//! one is refused. [`Import::clients_only`] needs none.

mod base64url;
mod export;
mod format;
mod import;
mod lines;
mod link;
mod statuses;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    future::poll_fn,
    ops::AddAssign,
    task::{Context, Poll},
};

pub use self::{
    export::{Export, ExportError},
    import::{Import, ImportError, ImportFault, Imported},
};

/// The longest line of a file, in bytes, its end included.
pub const MAX_LINE: usize = 1 << 20;

/// How many records of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Sealed signing keys.
    pub signing_keys: u64,
    /// Clients.
    pub clients: u64,
    /// Grants.
    pub grants: u64,
    /// Access tokens.
    pub access_tokens: u64,
    /// What people have agreed to.
    pub consents: u64,
    /// Links to other servers, each with its code that waits, its tokens, or both.
    pub links: u64,
    /// Pieces of status lists.
    pub statuses: u64,
}

impl Counts {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        let Self { signing_keys, clients, grants, access_tokens, consents, links, statuses } = *self;
        signing_keys + clients + grants + access_tokens + consents + links + statuses
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.signing_keys += other.signing_keys;
        self.clients += other.clients;
        self.grants += other.grants;
        self.access_tokens += other.access_tokens;
        self.consents += other.consents;
        self.links += other.links;
        self.statuses += other.statuses;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { signing_keys, clients, grants, access_tokens, consents, links, statuses } = self;
        write!(f, "{clients} clients, {signing_keys} signing keys, {grants} grants, {access_tokens} access tokens, ")?;
        write!(f, "{consents} consents, {links} links, {statuses} pieces of status lists")
    }
}

/// Lets others run, where a store answers at once.
async fn pause() {
    let mut paused = false;
    let once = |context: &mut Context<'_>| {
        if paused {
            return Poll::Ready(());
        }
        paused = true;
        context.waker().wake_by_ref();
        Poll::Pending
    };
    poll_fn(once).await;
}
