//! The text of a distinguished name (RFC 4514 section 3).

use std::{iter::Peekable, str::Chars};

use super::{AttributeValue, InvalidDistinguishedName, InvalidDistinguishedName::Malformed, Part};

/// Attribute types by their names: those of RFC 4514 section 3, and what
/// authorities put into certificates besides.
const TYPES: [(&str, &str); 19] = [
    ("CN", "2.5.4.3"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("C", "2.5.4.6"),
    ("STREET", "2.5.4.9"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("SN", "2.5.4.4"),
    ("GN", "2.5.4.42"),
    ("givenName", "2.5.4.42"),
    ("title", "2.5.4.12"),
    ("serialNumber", "2.5.4.5"),
    ("businessCategory", "2.5.4.15"),
    ("postalCode", "2.5.4.17"),
    ("organizationIdentifier", "2.5.4.97"),
    ("emailAddress", "1.2.840.113549.1.9.1"),
    ("jurisdictionC", "1.3.6.1.4.1.311.60.2.1.3"),
];

/// Whether values of this type are compared whatever the case of letters is:
/// `caseIgnoreMatch` or `caseIgnoreIA5Match` (RFC 4519 section 2).
pub(super) fn ignores_case(oid: &str) -> bool {
    TYPES.iter().any(|(_, known)| *known == oid)
}

type Text<'a> = Peekable<Chars<'a>>;

/// The parts of `text`, the last one first.
pub(super) fn parts(text: &str) -> Result<Vec<Part>, InvalidDistinguishedName> {
    let mut rest = text.chars().peekable();
    let mut parts = vec![Part::new()];
    loop {
        let (oid, value) = attribute(&mut rest)?;
        if let Some(part) = parts.last_mut()
            && !part.insert((oid, value))
        {
            return Err(Malformed);
        }
        match rest.next() {
            None => break,
            Some('+') => {}
            Some(',') => parts.push(Part::new()),
            Some(_) => return Err(Malformed),
        }
    }
    parts.reverse();
    Ok(parts)
}

fn attribute(rest: &mut Text<'_>) -> Result<(String, AttributeValue), InvalidDistinguishedName> {
    // Most programs write a space after a comma. No type begins with one.
    while rest.next_if_eq(&' ').is_some() {}
    let mut name = String::new();
    while let Some(c) = rest.next_if(|c| *c != '=') {
        name.push(c);
    }
    rest.next().ok_or(Malformed)?;
    let oid = oid(&name)?;
    let value = if rest.next_if_eq(&'#').is_some() { encoded(&oid, rest)? } else { string(&oid, rest)? };
    Ok((oid, value))
}

/// RFC 4512 section 1.4: the name of a type, in any case, or its OID.
fn oid(name: &str) -> Result<String, InvalidDistinguishedName> {
    if let Some((_, oid)) = TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        return Ok((*oid).to_owned());
    }
    let number = |arc: &str| arc == "0" || (!arc.starts_with('0') && arc.bytes().all(|b| b.is_ascii_digit()));
    let arcs = || name.split('.');
    if arcs().count() > 1 && arcs().all(|arc| !arc.is_empty() && number(arc)) {
        return Ok(name.to_owned());
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let legal = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(is_name);
    Err(if legal { InvalidDistinguishedName::UnknownType } else { Malformed })
}

/// RFC 4514 section 2.4: `#` and the BER encoding of the value in hex.
fn encoded(oid: &str, rest: &mut Text<'_>) -> Result<AttributeValue, InvalidDistinguishedName> {
    let mut bytes = Vec::new();
    while let Some(high) = rest.next_if(char::is_ascii_hexdigit) {
        bytes.push(octet(high, rest.next())?);
    }
    AttributeValue::of_der(oid, &bytes).ok_or(Malformed)
}

/// RFC 4514 section 2.4: characters, and escapes of those that would end the
/// value or that are not to be written.
fn string(oid: &str, rest: &mut Text<'_>) -> Result<AttributeValue, InvalidDistinguishedName> {
    let mut bytes = Vec::new();
    let mut ends_in_space = false;
    while let Some(c) = rest.next_if(|c| !matches!(c, ',' | '+')) {
        ends_in_space = c == ' ';
        match c {
            '\\' => bytes.extend(escaped(rest)?.into_bytes()),
            ' ' if bytes.is_empty() => return Err(Malformed),
            '"' | ';' | '<' | '>' | '\0' => return Err(Malformed),
            other => bytes.extend(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| Malformed)?;
    if ends_in_space { Err(Malformed) } else { Ok(AttributeValue::text(oid, &text)) }
}

/// What one backslash stands for: a character, or octets that may be only a
/// part of one.
enum Escaped {
    Character(char),
    Octet(u8),
}

impl Escaped {
    fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Character(c) => c.to_string().into_bytes(),
            Self::Octet(octet) => vec![octet],
        }
    }
}

fn escaped(rest: &mut Text<'_>) -> Result<Escaped, InvalidDistinguishedName> {
    match rest.next().ok_or(Malformed)? {
        c @ ('"' | '+' | ',' | ';' | '<' | '>' | ' ' | '#' | '=' | '\\') => Ok(Escaped::Character(c)),
        high => octet(high, rest.next()).map(Escaped::Octet),
    }
}

fn octet(high: char, low: Option<char>) -> Result<u8, InvalidDistinguishedName> {
    let digit = |c: char| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (high, low) = (digit(high).ok_or(Malformed)?, low.and_then(digit).ok_or(Malformed)?);
    Ok(high << 4 | low)
}
