//! Token Status Lists (draft-ietf-oauth-status-list-18), as the authorization
//! server keeps them: every JWT it issues has a place in a list, and what is
//! revoked is marked there for whoever verifies it.
//!
//! A list is for the tokens of one day, so it ends by itself, with the last of
//! them. Places are claimed from the store in blocks, and a keyed permutation
//! scatters them: they say nothing of how many tokens there are, nor of which
//! came one after the other.

mod claim;
pub(crate) mod moved;
mod number;
mod publish;
mod revoke;
#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;

use std::fmt;

pub(crate) use self::number::LONGEST;
pub(crate) use self::publish::Publication;
use self::{claim::Blocks, number::ListKey, publish::Publications};
use crate::{clock::UnixTime, secret::RootSecret, server::AuthorizationServer};

/// How status lists are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusListSettings {
    /// For how many seconds a list is good before it is made again: 15, at least 1.
    /// So long after a JWT was revoked it may still be accepted, by whoever counts
    /// from when the list was made, as `oauth-tower` does (where its clock is behind the
    /// issuer's, by that much later, and never more than `ttl` again), and HTTP caches, which are
    /// told what is left of it. Others may count it from when they fetched the list
    /// (section 13.7 of the draft permits both), and accept the JWT for up to twice
    /// as long.
    pub ttl: u64,
    /// For how many seconds more whoever cannot fetch a new one may rely on the
    /// old one: 300. It is the end that the list itself says; resource servers
    /// may set themselves a shorter one.
    pub grace: u64,
}

impl Default for StatusListSettings {
    fn default() -> Self {
        Self { ttl: 15, grace: 300 }
    }
}

/// The lists of one server.
pub(crate) struct StatusLists {
    settings: StatusListSettings,
    /// One for each root secret, the current one first.
    keys: Vec<ListKey>,
    blocks: Blocks,
    publications: Publications,
}

impl StatusLists {
    pub(crate) fn new(settings: StatusListSettings, root: &RootSecret, issuer: &str) -> Self {
        let settings = StatusListSettings { ttl: settings.ttl.max(1), ..settings };
        Self { settings, keys: keys_of(root, issuer), blocks: Blocks::default(), publications: Publications::default() }
    }
}

/// One for each root secret, the current one first.
fn keys_of(root: &RootSecret, issuer: &str) -> Vec<ListKey> {
    root.hmac_keys(b"status list").into_iter().map(|key| ListKey::new(key, issuer)).collect()
}

impl AuthorizationServer {
    /// Where the list of that number is.
    pub(crate) fn status_list_uri(&self, list: u64) -> String {
        format!("{}/status/{list}", self.issuer())
    }

    /// When a list ends: no token that is in it lives longer.
    fn end_of(&self, number: number::ListNumber) -> UnixTime {
        number.ends_at(self.lifetimes().access)
    }
}

impl fmt::Debug for StatusLists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusLists").field("settings", &self.settings).finish_non_exhaustive()
    }
}
