//! What rests in the store: of no use to whoever reads it.

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::ReciprocalSettings;
use crate::{
    clock::{Random, UnixTime},
    engine::fault::Fault,
    secret::{Digest, RootSecret, Sealer, Secret},
    store::{PeerTokens, QueuedCode, ReciprocalLink},
    token::TokenResponse,
};

/// What a server needs for Reciprocal OAuth.
#[derive(Debug)]
pub(crate) struct Reciprocity {
    pub(crate) settings: ReciprocalSettings,
    /// By which codes are recognized: of one that is short, a plain digest would say
    /// too much.
    names: Vec<hmac::Key>,
    codes: Sealer,
    tokens: Sealer,
}

impl Reciprocity {
    pub(crate) fn new(settings: ReciprocalSettings, root: &RootSecret) -> Self {
        Self {
            settings,
            names: root.hmac_keys(b"reciprocal code name"),
            codes: root.sealer(b"reciprocal code"),
            tokens: root.sealer(b"reciprocal tokens"),
        }
    }

    /// The entry for `code`, which has just come, due at once.
    pub(crate) fn entry(
        &self,
        link: ReciprocalLink,
        code: &str,
        now: UnixTime,
        random: &dyn Random,
    ) -> Result<QueuedCode, Fault> {
        let id = self.name_of(&link, code)?;
        let sealed = self.codes.seal(&context(&link, id), code.as_bytes(), random)?;
        let expires_at = now.saturating_add(self.settings.code_lifetime);
        Ok(QueuedCode { id, link, sealed, attempts: 0, queued_at: now, due_at: now, expires_at })
    }

    /// The code of `entry`; `None` if it was sealed under another root secret.
    pub(super) fn code_of(&self, entry: &QueuedCode) -> Option<Secret> {
        let text = self.codes.open(&context(&entry.link, entry.id), &entry.sealed)?;
        std::str::from_utf8(&text).ok().map(Secret::new)
    }

    /// `tokens` of `link`, which came of the code `id`.
    pub(super) fn seal_tokens(
        &self,
        link: &ReciprocalLink,
        id: Digest,
        tokens: &TokenResponse,
        random: &dyn Random,
    ) -> Result<Vec<u8>, Fault> {
        let unwritable = |_| Fault::Internal("a token response cannot be written as JSON");
        let text = Zeroizing::new(serde_json::to_vec(&tokens.body()).map_err(unwritable)?);
        Ok(self.tokens.seal(&context(link, id), &text, random)?)
    }

    /// The token response that `row` holds; `None` if it was sealed under another
    /// root secret.
    pub(super) fn tokens_of(&self, row: &PeerTokens) -> Option<TokenResponse> {
        let text = self.tokens.open(&context(&row.link, row.id), &row.sealed)?;
        TokenResponse::parse(&text).ok()
    }

    fn name_of(&self, link: &ReciprocalLink, code: &str) -> Result<Digest, Fault> {
        let key = self.names.first().ok_or(Fault::Internal("no root secret"))?;
        let mut context = hmac::Context::with_key(key);
        [link.key().as_bytes(), code.as_bytes()].iter().for_each(|part| context.update(part));
        let name = <[u8; 32]>::try_from(context.sign().as_ref());
        Ok(Digest::from_bytes(name.map_err(|_| Fault::Internal("a digest of another length"))?))
    }
}

/// What is sealed for one link and code opens for no other.
fn context(link: &ReciprocalLink, id: Digest) -> [u8; 64] {
    let mut context = [0; 64];
    let (left, right) = context.split_at_mut(32);
    left.copy_from_slice(link.key().as_bytes());
    right.copy_from_slice(id.as_bytes());
    context
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{client::ClientId, clock::SystemRandom, token::TokenType};

    const NOW: UnixTime = UnixTime(1_000);

    fn own(root: &RootSecret) -> Reciprocity {
        Reciprocity::new(ReciprocalSettings::default(), root)
    }

    fn link(subject: &str) -> ReciprocalLink {
        ReciprocalLink::new(ClientId::new("a").unwrap(), Some(subject.to_owned()))
    }

    // spec: TOK-54
    #[test]
    fn a_code_at_rest_opens_for_its_entry_alone_and_under_an_earlier_root_secret() {
        let old = own(&RootSecret::new([1; 32]));
        let entry = old.entry(link("alice"), "the-code", NOW, &SystemRandom).unwrap();
        assert_eq!((entry.due_at, entry.expires_at, entry.attempts), (NOW, UnixTime(1_600), 0));
        assert!(!entry.sealed.windows(8).any(|bytes| bytes == b"the-code"));
        let new = own(&RootSecret::new([2; 32]).with_previous([1; 32]));
        assert_eq!(new.code_of(&entry), Some("the-code".into()));
        assert_eq!(own(&RootSecret::new([2; 32])).code_of(&entry), None);
        assert_eq!(old.code_of(&QueuedCode { link: link("mallory"), ..entry.clone() }), None);
        assert_eq!(old.code_of(&QueuedCode { id: Digest::of(&[b"x"]), ..entry }), None);
    }

    #[test]
    fn the_name_of_a_code_is_keyed_and_of_its_link() {
        let one = own(&RootSecret::new([1; 32]));
        let name = |own: &Reciprocity, subject, code| own.entry(link(subject), code, NOW, &SystemRandom).unwrap().id;
        assert_eq!(name(&one, "alice", "c"), name(&one, "alice", "c"));
        assert_ne!(name(&one, "alice", "c"), name(&one, "alice", "d"));
        assert_ne!(name(&one, "alice", "c"), name(&one, "bob", "c"));
        assert_ne!(name(&one, "alice", "c"), name(&own(&RootSecret::new([2; 32])), "alice", "c"));
    }

    #[test]
    fn tokens_at_rest_open_for_their_link_alone_and_under_an_earlier_root_secret() {
        let (old, id) = (own(&RootSecret::new([1; 32])), Digest::of(&[b"id"]));
        let tokens = TokenResponse::new("access".into(), TokenType::Bearer, 300);
        let sealed = old.seal_tokens(&link("alice"), id, &tokens, &SystemRandom).unwrap();
        let row = PeerTokens {
            link: link("alice"),
            id,
            sealed,
            scope: crate::scope::Scope::empty(),
            obtained_at: NOW,
            expires_at: None,
            ends_at: NOW,
            revision: 0,
        };
        let new = own(&RootSecret::new([2; 32]).with_previous([1; 32]));
        assert_eq!(new.tokens_of(&row), Some(tokens));
        assert_eq!(own(&RootSecret::new([2; 32])).tokens_of(&row), None);
        assert_eq!(old.tokens_of(&PeerTokens { link: link("bob"), ..row }), None);
    }
}
