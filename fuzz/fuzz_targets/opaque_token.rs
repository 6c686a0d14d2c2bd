//! Opaque tokens: what was minted reads back; whatever else is no token.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use oauth_core::{
    clock::{Random, RandomError},
    secret::RootSecret,
    token::{GrantId, Prefixes, TokenCodec, TokenKind},
};

static CODEC: LazyLock<TokenCodec> =
    LazyLock::new(|| TokenCodec::new(&RootSecret::new([7; 32]), "https://as.example", Prefixes::default()));
const KINDS: [TokenKind; 3] = [TokenKind::Access, TokenKind::Refresh, TokenKind::Code];

/// One byte, over and over.
#[derive(Debug)]
struct Same(u8);

impl Random for Same {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        bytes.fill(self.0);
        Ok(())
    }
}

fuzz_target!(|data: (u8, [u8; 16], u64, u8, usize, char, &str)| {
    let (kind, grant, generation, secret, at, replacement, junk) = data;
    for kind in KINDS {
        assert!(CODEC.read(kind, junk).is_none(), "a tag that nobody made");
    }
    let _kind = CODEC.kind_of(junk);
    let kind = KINDS[usize::from(kind) % 3];
    let minted = CODEC.mint(kind, GrantId::from_bytes(grant), generation, &Same(secret)).expect("bytes enough");
    let text = minted.text.expose();
    let read = CODEC.read(kind, text).expect("it is genuine");
    assert_eq!((read.grant.as_bytes(), read.generation, read.digest), (&grant, generation, minted.digest));
    assert_eq!(CODEC.kind_of(text), Some(kind));
    assert_eq!(KINDS.iter().filter(|kind| CODEC.read(**kind, text).is_some()).count(), 1);
    let mut bent: Vec<char> = text.chars().collect();
    let at = at % bent.len();
    bent[at] = replacement;
    let bent: String = bent.into_iter().collect();
    assert_eq!(CODEC.read(kind, &bent).is_some(), bent == text);
});
