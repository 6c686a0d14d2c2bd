//! Fixed-width base62 of 64-bit words: eleven digits each, big-endian.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Appends `value` as exactly `width` digits; higher digits are cut off.
pub(super) fn push(out: &mut String, mut value: u64, width: usize) {
    let start = out.len();
    for _ in 0..width {
        let digit = usize::try_from(value % 62).unwrap_or(0);
        out.push(char::from(DIGITS.get(digit).copied().unwrap_or(b'0')));
        value /= 62;
    }
    // The digits came out lowest first.
    let reversed: String = out.drain(start..).rev().collect();
    out.push_str(&reversed);
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
    use super::*;

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
