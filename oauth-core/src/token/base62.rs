//! Fixed-width base62 of 64-bit words: eleven digits each, big-endian.

use zeroize::Zeroizing;

/// What any word takes.
const MOST: usize = 11;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Appends `value` as exactly `width` digits, eleven at most; higher digits are cut off.
pub(super) fn push(out: &mut String, mut value: u64, width: usize) {
    // On the stack: digits of a secret leave no copies in the heap.
    let mut digits = Zeroizing::new([b'0'; MOST]);
    for place in digits.iter_mut().rev().take(width) {
        let digit = usize::try_from(value % 62).unwrap_or(0);
        *place = DIGITS.get(digit).copied().unwrap_or(b'0');
        value /= 62;
    }
    // At once: digit by digit takes several times as long.
    let digits = digits.get(MOST.saturating_sub(width)..).and_then(|digits| std::str::from_utf8(digits).ok());
    out.push_str(digits.unwrap_or_default());
}

/// Reads digits written by [`push`]; `None` for another character, or a value
/// that 64 bits cannot hold.
pub(super) fn read(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |value, &digit| value.checked_mul(62)?.checked_add(value_of(digit)?))
}

fn value_of(digit: u8) -> Option<u64> {
    let value = match digit {
        b'0'..=b'9' => digit - b'0',
        b'A'..=b'Z' => digit - b'A' + 10,
        b'a'..=b'z' => digit - b'a' + 36,
        _ => return None,
    };
    Some(value.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As it is done by hand: the lowest digit first, and then turned round.
    fn naively(mut value: u64, width: usize) -> String {
        let mut digits = Vec::new();
        for _ in 0..width {
            digits.push(DIGITS[usize::try_from(value % 62).unwrap()]);
            value /= 62;
        }
        digits.reverse();
        String::from_utf8(digits).unwrap()
    }

    fn pushed(before: &str, value: u64, width: usize) -> String {
        let mut text = before.to_owned();
        push(&mut text, value, width);
        text
    }

    proptest! {
        #[test]
        fn digits_are_those_of_the_plainest_way_behind_what_was_there(
            value: u64, bits in 0..64_u32, width in 0..=MOST, before in "[a-zA-Z0-9_ä]{0,5}",
        ) {
            let value = value >> bits;
            prop_assert_eq!(pushed(&before, value, width), before + &naively(value, width));
        }

        #[test]
        fn what_is_read_is_what_was_written_and_nothing_else_is_read(digits in "[0-9A-Za-z]{0,11}|[!-~]{0,12}") {
            let by_hand = |value: Option<u128>, digit: u8| {
                let place = DIGITS.iter().position(|one| *one == digit)?;
                Some(value? * 62 + u128::try_from(place).unwrap())
            };
            let value = digits.bytes().fold(Some(0), by_hand).and_then(|value| u64::try_from(value).ok());
            prop_assert_eq!(read(digits.as_bytes()), value);
            if let Some(value) = value.filter(|_| digits.len() <= MOST) {
                prop_assert_eq!(pushed("", value, digits.len()), digits);
            }
        }
    }

    #[test]
    fn higher_digits_than_there_is_width_for_are_cut_off() {
        assert_eq!(pushed("x", 62 * 62 * 5 + 62 * 3 + 1, 2), "x31");
        assert_eq!(pushed("x", u64::MAX, 0), "x");
        assert_eq!(pushed("", 61, 6), "00000z");
    }

    #[test]
    fn every_word_has_one_spelling_of_eleven_digits() {
        for value in [0, 1, 61, 62, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut text = String::new();
            push(&mut text, value, 11);
            assert_eq!(text.len(), 11);
            assert_eq!(read(text.as_bytes()), Some(value));
        }
        assert_eq!(read(b"zzzzzzzzzzz"), None); // beyond 64 bits
        assert_eq!(read(b"0000000000_"), None);
    }
}
