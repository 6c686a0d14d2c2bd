//! The value of an attribute, in a form that can be compared.

use super::parse::ignores_case;

/// A value, prepared for comparison (RFC 4518 section 2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum AttributeValue {
    /// A string: its encoding does not matter.
    Text(String),
    /// Anything else: the tag and the content.
    Other(u8, Vec<u8>),
}

impl AttributeValue {
    /// A string that is a value of the type `oid`.
    pub(super) fn text(oid: &str, text: &str) -> Self {
        // RFC 4518 sections 2.2 and 2.6.1: case is folded, and spaces count once,
        // and not at either end. Unicode is not normalized: what differs in that
        // alone is different, which is the safe side.
        let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
        let text = words.join(" ");
        Self::Text(if ignores_case(oid) { text.to_lowercase() } else { text })
    }

    /// The value in `der`: one element and nothing after it.
    pub(super) fn of_der(oid: &str, der: &[u8]) -> Option<Self> {
        let (tag, content) = element(der)?;
        Self::of_parts(oid, tag, content)
    }

    /// The value with this tag and this content; `None` if a string is not one.
    pub(crate) fn of_parts(oid: &str, tag: u8, content: &[u8]) -> Option<Self> {
        let text = match tag {
            // UTF8String, NumericString, PrintableString, IA5String.
            0x0C | 0x12 | 0x13 | 0x16 => std::str::from_utf8(content).ok()?.to_owned(),
            // BMPString.
            0x1E => String::from_utf16(&words(content)?).ok()?,
            _ => return Some(Self::Other(tag, content.to_vec())),
        };
        Some(Self::text(oid, &text))
    }
}

fn words(content: &[u8]) -> Option<Vec<u16>> {
    let (pairs, rest) = content.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect())
}

/// Tag and content of the one element that `der` is (ITU-T X.690 section 8.1):
/// lengths in their shortest form, tags of one octet.
fn element(der: &[u8]) -> Option<(u8, &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (length, content) = match rest {
        [length, content @ ..] if *length < 0x80 => (usize::from(*length), content),
        [0x81, length, content @ ..] if *length >= 0x80 => (usize::from(*length), content),
        [0x82, high, low, content @ ..] if *high > 0 => (usize::from(u16::from_be_bytes([*high, *low])), content),
        _ => return None,
    };
    (tag & 0x1F != 0x1F && content.len() == length).then_some((tag, content))
}
