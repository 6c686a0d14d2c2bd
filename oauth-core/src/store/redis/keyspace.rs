//! The names of keys. What stands in braces decides on the slot.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{client::ClientId, secret::Digest, token::GrantId};

/// What every name begins with.
#[derive(Clone, Debug)]
pub(super) struct Keyspace(pub(super) String);

impl Keyspace {
    /// Everything of a grant is in one slot.
    fn of_grant(&self, id: GrantId, what: &str) -> String {
        format!("{}:{{{}}}:{what}", self.0, encoded(id.as_bytes()))
    }

    pub(super) fn grant(&self, id: GrantId) -> String {
        self.of_grant(id, "grant")
    }

    pub(super) fn retry(&self, id: GrantId) -> String {
        self.of_grant(id, "retry")
    }

    pub(super) fn access(&self, id: GrantId, digest: Digest) -> String {
        self.of_grant(id, &format!("access:{}", encoded(digest.as_bytes())))
    }

    /// The mark that a claim on an interaction leads to no grant any more.
    pub(super) fn void(&self, id: GrantId, nonce: &str) -> String {
        self.of_grant(id, &format!("void:{nonce}"))
    }

    pub(super) fn interaction(&self, id: Digest) -> String {
        format!("{}:interaction:{}", self.0, encoded(id.as_bytes()))
    }

    pub(super) fn client(&self, id: &ClientId) -> String {
        format!("{}:client:{}", self.0, id.as_str())
    }

    /// What the names of all clients begin with.
    pub(super) fn clients(&self) -> String {
        format!("{}:client:", self.0)
    }

    /// A pattern for the keys of all grants that are for `what`.
    pub(super) fn all_of_grants(&self, what: &str) -> String {
        format!("{}:{{*}}:{what}", self.0)
    }

    /// Whose the key is, and what for; `None` if it is no grant's.
    pub(super) fn part_of_grant<'a>(&self, name: &'a str) -> Option<(GrantId, &'a str)> {
        let (id, what) = name.strip_prefix(&self.0)?.strip_prefix(":{")?.split_once("}:")?;
        Some((GrantId::from_bytes(decoded(id)?), what))
    }

    pub(super) fn signing_keys(&self) -> String {
        format!("{}:keys", self.0)
    }

    pub(super) fn uses(&self, digest: Digest) -> String {
        format!("{}:uses:{}", self.0, encoded(digest.as_bytes()))
    }

    /// The revoked ones of a status list.
    pub(super) fn statuses(&self, list: u64) -> String {
        format!("{}:status:{list}", self.0)
    }

    /// Whoever a person is, the name says it to nobody, and nobody's name leads
    /// it into another's slot.
    pub(super) fn consent(&self, subject: &str, client: &ClientId) -> String {
        let subject = Digest::of(&[subject.as_bytes()]);
        let both = Digest::of(&[b"consent ", subject.as_bytes(), client.as_str().as_bytes()]);
        format!("{}:consent:{}", self.0, encoded(both.as_bytes()))
    }

    /// The list of a user's grants. As with [`Self::consent`], it says no name.
    pub(super) fn subject(&self, subject: &str) -> String {
        format!("{}:subject:{}", self.0, encoded(Digest::of(&[b"subject ", subject.as_bytes()]).as_bytes()))
    }

    pub(super) fn epoch(&self) -> String {
        format!("{}:epoch", self.0)
    }

    /// What the names of all consents begin with.
    pub(super) fn consents(&self) -> String {
        format!("{}:consent:", self.0)
    }

    /// Everything of all links is in one slot, so that the lists of codes that
    /// wait change with the links.
    fn of_links(&self, what: &str) -> String {
        format!("{}:{{links}}:{what}", self.0)
    }

    /// What is kept of the link of that name: see [`ReciprocalLink::key`](crate::store::ReciprocalLink::key).
    pub(super) fn link(&self, name: &str) -> String {
        self.of_links(&format!("link:{name}"))
    }

    /// What the names of all links begin with.
    pub(super) fn links(&self) -> String {
        self.of_links("link:")
    }

    /// The codes that wait to be redeemed elsewhere, by when they are due.
    pub(super) fn links_due(&self) -> String {
        self.of_links("due")
    }

    /// The same, by when they end.
    pub(super) fn links_ending(&self) -> String {
        self.of_links("ending")
    }

    pub(super) fn probe(&self, number: u32) -> String {
        format!("{}:probe:{number}", self.0)
    }
}

pub(super) fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes that a part of a name spells.
pub(super) fn decoded<const N: usize>(text: &str) -> Option<[u8; N]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::{super::slot::slot, *};

    #[test]
    fn everything_of_a_grant_is_in_one_slot() {
        let keys = Keyspace("oauth".to_owned());
        let (id, digest) = (GrantId::from_bytes([0xfb; 16]), Digest::from_bytes([7; 32]));
        let all = [keys.retry(id), keys.access(id, digest), keys.void(id, "nonce")];
        assert!(all.iter().all(|key| slot(key) == slot(&keys.grant(id))), "{all:?}");
    }

    #[test]
    fn everything_of_links_is_in_one_slot_and_no_grants() {
        let keys = Keyspace("oauth".to_owned());
        let all = [keys.link("name"), keys.links_due(), keys.links_ending()];
        assert!(all.iter().all(|key| slot(key) == slot(&keys.link("other"))), "{all:?}");
        assert!(all.iter().all(|key| keys.part_of_grant(key).is_none()), "{all:?}");
    }
}
