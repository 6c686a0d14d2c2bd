//! The code that a person types ([RFC 8628 section 6.1]).
//!
//! [RFC 8628 section 6.1]: https://www.rfc-editor.org/rfc/rfc8628#section-6.1

use std::fmt;

use aws_lc_rs::hmac;

use crate::{secret::Digest, token::GrantId};

/// Without vowels, so that no code is a word: "a base-20 character set".
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

const LENGTH: usize = 8;

/// The most bytes that are read of what somebody typed.
const LONGEST: usize = 64;

/// Eight letters: 34 bits, which a limit on guesses makes enough (section 5.1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct UserCode([u8; LENGTH]);

impl UserCode {
    /// Reads what somebody typed: "not case-sensitive", and without whatever is
    /// neither a letter nor a digit.
    pub(crate) fn parse(typed: &str) -> Option<Self> {
        if typed.len() > LONGEST {
            return None;
        }
        let mut typed = typed.chars().filter(|c| c.is_alphanumeric());
        let mut code = [0; LENGTH];
        for letter in &mut code {
            let typed = u8::try_from(typed.next()?).ok()?.to_ascii_uppercase();
            *letter = LETTERS.contains(&typed).then_some(typed)?;
        }
        typed.next().is_none().then_some(Self(code))
    }

    /// The code of the device that waits for `grant`.
    pub(super) fn of(key: &hmac::Key, grant: GrantId) -> Self {
        let tag = tag_of(key, b"letters ", grant.as_bytes());
        let mut number = tag.first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes));
        Self([0; LENGTH].map(|_: u8| {
            let (rest, at) = (number / 20, number % 20);
            number = rest;
            usize::try_from(at).ok().and_then(|at| LETTERS.get(at)).copied().unwrap_or(b'B')
        }))
    }

    /// The row that the code leads to. Under a key: a dump of the store tells no
    /// code, of which there are few enough to try them all.
    pub(super) fn row(self, key: &hmac::Key) -> Digest {
        Digest::from_bytes(tag_of(key, b"row ", &self.0))
    }

    /// As it is shown: `WDJB-MJHT`.
    pub(crate) fn text(self) -> String {
        let (first, second) = self.0.split_at(LENGTH / 2);
        [first, b"-", second].concat().into_iter().map(char::from).collect()
    }

    /// The letters alone.
    pub(super) const fn letters(&self) -> &[u8; LENGTH] {
        &self.0
    }
}

impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserCode(..)")
    }
}

fn tag_of(key: &hmac::Key, purpose: &[u8], what: &[u8]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(key);
    context.update(purpose);
    context.update(what);
    let mut tag = [0; 32];
    for (to, from) in tag.iter_mut().zip(context.sign().as_ref()) {
        *to = *from;
    }
    tag
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn key(byte: u8) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &[byte; 32])
    }

    fn code_of(byte: u8) -> UserCode {
        UserCode::of(&key(1), GrantId::from_bytes([byte; 16]))
    }

    // spec: TOK-39
    #[test]
    fn a_code_is_read_however_it_is_written() {
        let code = UserCode::parse("WDJB-MJHT").unwrap();
        for written in
            ["wdjbmjht", " wDjB mJhT\n", "w.d.j.b.m.j.h.t", "\u{201c}WDJB\u{2013}MJHT\u{201d}", "-WDJB-MJHT-"]
        {
            assert_eq!(UserCode::parse(written), Some(code), "{written}");
        }
        assert_eq!(code.text(), "WDJB-MJHT");
        for other in ["", "WDJB-MJH", "WDJB-MJHTX", "WDJB-MJHA", "WDJB-MJH1", "WDJB-MJH\u{df}", "WDJB-MJH\u{ff34}"] {
            assert_eq!(UserCode::parse(other), None, "{other}");
        }
        assert_eq!(UserCode::parse(&format!("{}WDJB-MJHT", "-".repeat(60))), None);
    }

    // spec: TOK-39
    #[test]
    fn a_code_has_eight_letters_that_spell_no_word_and_reads_back() {
        let codes: Vec<UserCode> = (0..=255).map(code_of).collect();
        let mut used = HashSet::new();
        for code in &codes {
            let text = code.text();
            assert_eq!(UserCode::parse(&text).as_ref(), Some(code));
            assert_eq!((text.len(), text.find('-')), (9, Some(4)));
            used.extend(text.bytes().filter(|byte| *byte != b'-'));
        }
        assert_eq!(used, LETTERS.iter().copied().collect());
        assert_eq!(codes.iter().map(|code| code.text()).collect::<HashSet<_>>().len(), 256);
    }

    // spec: SEC-06
    #[test]
    fn neither_a_code_nor_its_row_can_be_found_without_the_key() {
        let code = code_of(7);
        assert_ne!(code, UserCode::of(&key(2), GrantId::from_bytes([7; 16])));
        assert_ne!(code.row(&key(1)), code.row(&key(2)));
        assert_eq!(format!("{code:?}"), "UserCode(..)");
    }

    proptest! {
        #[test]
        fn reading_never_panics(typed in "\\PC{0,80}") {
            let _code = UserCode::parse(&typed);
        }
    }
}
