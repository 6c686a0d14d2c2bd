//! Opaque tokens: `<prefix>_<body>_<checksum>` in fixed-width base62.
//!
//! The body holds the grant id (128 bits), the generation (64), a secret
//! (256) and a keyed tag (128) over all of it and the token's kind. Junk and
//! forgeries fail the tag before any store is asked. The checksum is public:
//! it lets secret scanners tell a leaked token from a look-alike.

use std::fmt;

use aws_lc_rs::hmac;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{GrantId, base62, bound::BOUND_REFRESH};
use crate::{
    clock::{Random, RandomError},
    secret::{Digest, RootSecret, Sealer, Secret, hkdf_sha256},
};

const SECRET: std::ops::Range<usize> = 24..56;
const SIGNED: usize = 56;
const BODY: usize = 72;
/// Nine words of eleven digits.
const BODY_DIGITS: usize = BODY / 8 * 11;
const CHECKSUM_DIGITS: usize = 6;
/// Both separators, the body and the checksum: what follows the prefix.
const AFTER_PREFIX: usize = 1 + BODY_DIGITS + 1 + CHECKSUM_DIGITS;

/// The prefix of device codes.
const DEVICE: &str = "odc";

/// What an opaque token is for. A token of one kind is never read as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenKind {
    /// Presented to resource servers.
    Access,
    /// Presented to the token endpoint for the next access token.
    Refresh,
    /// An authorization code.
    Code,
    /// The code that a device asks with (RFC 8628): bound to its client, with its
    /// end in the place of a generation.
    Device,
}

impl TokenKind {
    /// Bound into the tag and the digest, so that kinds never mix.
    pub(super) const fn label(self) -> &'static [u8] {
        match self {
            Self::Access => b"access",
            Self::Refresh => b"refresh",
            Self::Code => b"code",
            Self::Device => b"device",
        }
    }
}

/// The prefix of each kind of token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefixes {
    access: Box<str>,
    refresh: Box<str>,
    code: Box<str>,
}

/// A prefix is empty, longer than 16 characters, not ASCII letters, digits or
/// `_`, or used for two kinds; `odc` is the one of device codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("token prefixes are 1 to 16 ASCII letters, digits or `_`, and differ from each other")]
pub struct InvalidPrefix;

impl Prefixes {
    /// Prefixes for access tokens, refresh tokens and authorization codes.
    ///
    /// # Errors
    /// [`InvalidPrefix`], as said there.
    pub fn new(access: &str, refresh: &str, code: &str) -> Result<Self, InvalidPrefix> {
        let legal = |prefix: &str| {
            (1..=16).contains(&prefix.len()) && prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        let distinct = access != refresh && refresh != code && access != code;
        let distinct = distinct && ![access, refresh, code].contains(&DEVICE);
        if !(distinct && [access, refresh, code].into_iter().all(legal)) {
            return Err(InvalidPrefix);
        }
        Ok(Self { access: access.into(), refresh: refresh.into(), code: code.into() })
    }

    fn of(&self, kind: TokenKind) -> &str {
        match kind {
            TokenKind::Access => &self.access,
            TokenKind::Refresh => &self.refresh,
            TokenKind::Code => &self.code,
            TokenKind::Device => DEVICE,
        }
    }
}

impl Default for Prefixes {
    /// `oat`, `ort` and `oac`.
    fn default() -> Self {
        Self { access: "oat".into(), refresh: "ort".into(), code: "oac".into() }
    }
}

/// Writes and reads opaque tokens under the keys of a [`RootSecret`].
#[derive(Clone)]
pub struct TokenCodec {
    tag_keys: Vec<hmac::Key>,
    pub(super) binding_keys: Vec<hmac::Key>,
    prefixes: Prefixes,
}

/// A token just made: its text, which goes to the client and is then
/// forgotten, and its digest, which goes to the store.
#[derive(Debug)]
pub struct MintedToken {
    /// What the client gets.
    pub text: Secret,
    /// What the store keeps.
    pub digest: Digest,
}

/// A token that this server made: its tag was verified. Whether it still
/// lives, the store knows.
pub struct ReadToken {
    /// The grant it belongs to.
    pub grant: GrantId,
    /// How many refreshes lie between the grant and this token.
    pub generation: u64,
    /// What a store knows it by.
    pub digest: Digest,
    pub(super) secret: Zeroizing<[u8; 32]>,
    pub(super) bound: bool,
}

impl TokenCodec {
    /// A codec under `root` with these prefixes, for the tokens of `issuer`
    /// alone: two issuers may share a root secret and a store, but no token.
    #[must_use]
    pub fn new(root: &RootSecret, issuer: &str, prefixes: Prefixes) -> Self {
        let keys = |purpose: &[u8]| root.hmac_keys(&[purpose, issuer.as_bytes()].concat());
        Self { tag_keys: keys(b"token tag "), binding_keys: keys(b"token binding "), prefixes }
    }

    /// Makes a token of `grant`.
    ///
    /// # Errors
    /// [`RandomError`] if the source of randomness fails.
    pub fn mint(
        &self,
        kind: TokenKind,
        grant: GrantId,
        generation: u64,
        random: &dyn Random,
    ) -> Result<MintedToken, RandomError> {
        let mut secret = Zeroizing::new([0; SECRET.end - SECRET.start]);
        random.fill(secret.as_mut_slice())?;
        self.make(kind, kind.label(), grant, generation, &secret).ok_or(RandomError)
    }

    /// A token of `kind` whose tag is made for `label`; `None` without a key.
    pub(super) fn make(
        &self,
        kind: TokenKind,
        label: &[u8],
        grant: GrantId,
        generation: u64,
        secret: &[u8; 32],
    ) -> Option<MintedToken> {
        let key = self.tag_keys.first()?;
        let mut body = Zeroizing::new([0; BODY]);
        let (signed, tag) = body.split_at_mut(SIGNED);
        let (head, tail) = signed.split_at_mut(SECRET.start);
        let (id, number) = head.split_at_mut(16);
        id.copy_from_slice(grant.as_bytes());
        number.copy_from_slice(&generation.to_be_bytes());
        tail.copy_from_slice(secret);
        tag.copy_from_slice(&tag_of(key, label, signed));
        Some(MintedToken { text: self.write(kind, &body), digest: digest_of(kind, &body) })
    }

    /// Reads a token of `kind`. `None` if it is anything else, or was not made
    /// under this root secret: no store needs to be asked about it.
    #[must_use]
    pub fn read(&self, kind: TokenKind, text: &str) -> Option<ReadToken> {
        let digits = text.strip_prefix(self.prefixes.of(kind))?;
        if digits.len() != AFTER_PREFIX || !digits.is_ascii() {
            return None;
        }
        let (digits, checksum) = digits.strip_prefix('_')?.split_at(BODY_DIGITS);
        let written = text.len() - CHECKSUM_DIGITS - 1;
        if base62::read(checksum.strip_prefix('_')?.as_bytes()) != Some(checksum_of(text.get(..written)?)) {
            return None;
        }
        let body = decode(digits)?;
        self.verify(kind, &body)
    }

    /// The kind whose prefix `text` bears, which says nothing about whether it
    /// is genuine.
    #[must_use]
    pub fn kind_of(&self, text: &str) -> Option<TokenKind> {
        [TokenKind::Access, TokenKind::Refresh, TokenKind::Code].into_iter().find(|&kind| {
            let rest = text.strip_prefix(self.prefixes.of(kind));
            rest.is_some_and(|rest| rest.len() == AFTER_PREFIX && rest.starts_with('_'))
        })
    }

    fn verify(&self, kind: TokenKind, body: &[u8; BODY]) -> Option<ReadToken> {
        let (signed, tag) = body.split_at(SIGNED);
        let genuine = |label| self.tag_keys.iter().any(|key| bool::from(tag_of(key, label, signed).ct_eq(tag)));
        let bound = match kind {
            _ if genuine(kind.label()) => kind == TokenKind::Device,
            TokenKind::Refresh if genuine(BOUND_REFRESH) => true,
            _ => return None,
        };
        let (grant, rest) = signed.split_first_chunk::<16>()?;
        let (generation, secret) = rest.split_first_chunk::<8>()?;
        Some(ReadToken {
            grant: GrantId::from_bytes(*grant),
            generation: u64::from_be_bytes(*generation),
            digest: digest_of(kind, body),
            secret: Zeroizing::new(secret.try_into().ok()?),
            bound,
        })
    }

    fn write(&self, kind: TokenKind, body: &[u8; BODY]) -> Secret {
        let prefix = self.prefixes.of(kind);
        // Reserved in full: growing would leave copies of the secret behind.
        let mut text = String::with_capacity(prefix.len() + AFTER_PREFIX);
        text.push_str(prefix);
        text.push('_');
        for word in body.as_chunks::<8>().0 {
            base62::push(&mut text, u64::from_be_bytes(*word), 11);
        }
        let checksum = checksum_of(&text);
        text.push('_');
        base62::push(&mut text, checksum, CHECKSUM_DIGITS);
        Secret::new(text)
    }
}

impl fmt::Debug for TokenCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCodec").field("prefixes", &self.prefixes).finish_non_exhaustive()
    }
}

impl ReadToken {
    /// A sealer that only the bearer of this very token can make again: what a
    /// lost response is kept under until it is asked for once more.
    #[must_use]
    pub fn retry_sealer(&self) -> Sealer {
        Sealer::new(hkdf_sha256(self.secret.as_slice(), &[b"oauth-core v1 retry"]))
    }
}

impl fmt::Debug for ReadToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadToken")
            .field("grant", &self.grant)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

fn tag_of(key: &hmac::Key, label: &[u8], signed: &[u8]) -> [u8; 16] {
    let mut context = hmac::Context::with_key(key);
    context.update(label);
    context.update(signed);
    let mut tag = [0; 16];
    for (to, from) in tag.iter_mut().zip(context.sign().as_ref()) {
        *to = *from;
    }
    tag
}

fn digest_of(kind: TokenKind, body: &[u8; BODY]) -> Digest {
    Digest::of(&[kind.label(), body])
}

fn checksum_of(text: &str) -> u64 {
    crc32fast::hash(text.as_bytes()).into()
}

fn decode(digits: &str) -> Option<Zeroizing<[u8; BODY]>> {
    let mut body = Zeroizing::new([0; BODY]);
    for (word, digits) in body.chunks_exact_mut(8).zip(digits.as_bytes().chunks_exact(11)) {
        word.copy_from_slice(&base62::read(digits)?.to_be_bytes());
    }
    Some(body)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::SystemRandom;

    fn codec(root: u8) -> TokenCodec {
        TokenCodec::new(&RootSecret::new([root; 32]), "https://as.example", Prefixes::default())
    }

    const GRANT: GrantId = GrantId::from_bytes([9; 16]);

    #[test]
    fn a_token_reads_back_as_what_it_was_minted_as() {
        let minted = codec(1).mint(TokenKind::Refresh, GRANT, 41, &SystemRandom).unwrap();
        let read = codec(1).read(TokenKind::Refresh, minted.text.expose()).unwrap();
        assert_eq!((read.grant, read.generation, read.digest), (GRANT, 41, minted.digest));
        assert!(minted.text.expose().starts_with("ort_"));
        assert_eq!(minted.text.expose().len(), 3 + AFTER_PREFIX);
    }

    // spec: TOK-32
    #[test]
    fn a_token_of_one_kind_is_never_read_as_another_even_with_its_prefix_changed() {
        let minted = codec(1).mint(TokenKind::Access, GRANT, 0, &SystemRandom).unwrap();
        let digits = &minted.text.expose()[3..3 + AFTER_PREFIX - CHECKSUM_DIGITS - 1];
        let mut forged = format!("ort{digits}");
        let checksum = checksum_of(&forged);
        forged.push('_');
        base62::push(&mut forged, checksum, CHECKSUM_DIGITS);
        assert!(codec(1).read(TokenKind::Refresh, &forged).is_none());
        assert!(codec(1).read(TokenKind::Refresh, minted.text.expose()).is_none());
    }

    // spec: SEC-22
    #[test]
    fn a_forgery_with_a_real_grant_id_fails_the_keyed_tag() {
        let foreign = codec(2).mint(TokenKind::Refresh, GRANT, 0, &SystemRandom).unwrap();
        assert!(codec(1).read(TokenKind::Refresh, foreign.text.expose()).is_none());
    }

    #[test]
    fn an_issuer_does_not_take_the_tokens_of_another_with_the_same_root_secret() {
        let minted = codec(1).mint(TokenKind::Access, GRANT, 0, &SystemRandom).unwrap();
        let other = TokenCodec::new(&RootSecret::new([1; 32]), "https://other.example", Prefixes::default());
        assert!(other.read(TokenKind::Access, minted.text.expose()).is_none());
    }

    #[test]
    fn any_changed_character_is_refused() {
        let minted = codec(1).mint(TokenKind::Code, GRANT, 0, &SystemRandom).unwrap();
        let text = minted.text.expose();
        for at in 0..text.len() {
            let other = if text.as_bytes()[at] == b'7' { "8" } else { "7" };
            let bent = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            assert!(codec(1).read(TokenKind::Code, &bent).is_none(), "position {at}");
        }
    }

    // spec: SEC-06
    #[test]
    fn two_tokens_of_one_grant_share_nothing_but_the_grant() {
        let one = codec(1).mint(TokenKind::Access, GRANT, 0, &SystemRandom).unwrap();
        let two = codec(1).mint(TokenKind::Access, GRANT, 0, &SystemRandom).unwrap();
        assert_ne!(one.digest, two.digest);
        // 16 + 8 bytes of grant and generation, then 256 random bits.
        assert_eq!(one.text.expose()[..37], two.text.expose()[..37]);
        assert_ne!(one.text.expose()[37..80], two.text.expose()[37..80]);
    }

    #[test]
    fn prefixes_are_short_legal_and_distinct() {
        assert!(Prefixes::new("mat", "mar", "mac").is_ok());
        for bad in
            [("", "b", "c"), ("odc", "b", "c"), ("a", "a", "c"), ("a-", "b", "c"), ("aaaaaaaaaaaaaaaaa", "b", "c")]
        {
            assert_eq!(Prefixes::new(bad.0, bad.1, bad.2), Err(InvalidPrefix));
        }
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let minted = codec(1).mint(TokenKind::Access, GRANT, 0, &SystemRandom).unwrap();
        let read = codec(1).read(TokenKind::Access, minted.text.expose()).unwrap();
        let shown = format!("{minted:?} {read:?} {:?}", codec(1));
        assert!(!shown.contains(&minted.text.expose()[40..60]), "{shown}");
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "(o[ar][tc]_)?\\PC{0,140}") {
            prop_assert!(codec(1).read(TokenKind::Access, &text).is_none());
            let _kind = codec(1).kind_of(&text);
        }
    }
}
