//! One member of a document at a time, of the right type and no longer than it
//! may be.

use serde_json::{Map, Value};
use url::Url;

use super::{ClientMetadata, RegistrationError};
use crate::client::host_name::has_host;

/// The most elements of a list.
const MAX_LIST: usize = 32;

/// The longest URL or signed text: a software statement is the longest.
const MAX_LONG_TEXT: usize = 16 * 1024;

/// The longest URL.
const MAX_URL: usize = 2048;

/// The member; one that is `null` is not there (RFC 7592 section 2.2).
pub(super) fn present<'m>(members: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    members.get(name).filter(|value| !value.is_null())
}

fn string<'m>(
    members: &'m Map<String, Value>,
    name: &str,
    longest: usize,
) -> Result<Option<&'m str>, RegistrationError> {
    let Some(value) = present(members, name) else { return Ok(None) };
    let text = value.as_str().ok_or_else(|| RegistrationError::member(name, "must be a string"))?;
    if text.len() > longest {
        return Err(RegistrationError::member(name, "is too long"));
    }
    Ok(Some(text))
}

/// Something that nobody reads as it stands.
pub(super) fn long_text<'m>(members: &'m Map<String, Value>, name: &str) -> Result<Option<&'m str>, RegistrationError> {
    string(members, name, MAX_LONG_TEXT)
}

/// Something that people are shown, so nothing in it moves what stands around
/// it.
pub(super) fn text(members: &Map<String, Value>, name: &str) -> Result<Option<String>, RegistrationError> {
    let Some(text) = string(members, name, ClientMetadata::MAX_TEXT)? else { return Ok(None) };
    check_shown(name, text)?;
    Ok(Some(text.to_owned()))
}

/// What people know something by, which they can see; none if it is empty.
pub(super) fn name(members: &Map<String, Value>, name: &str) -> Result<Option<String>, RegistrationError> {
    let Some(text) = text(members, name)?.filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.chars().all(|c| c.is_whitespace() || is_invisible(c)) {
        return Err(RegistrationError::member(name, "has nothing in it that can be seen"));
    }
    Ok(Some(text))
}

fn check_shown(name: &str, text: &str) -> Result<(), RegistrationError> {
    if text.chars().any(|c| c.is_control() || turns_text_around(c)) {
        return Err(RegistrationError::member(name, "has control characters in it"));
    }
    Ok(())
}

/// Lines of text, of at most `longest` bytes together.
pub(in crate::client) fn check_lines(name: &str, text: &str, longest: usize) -> Result<(), RegistrationError> {
    if text.len() > longest {
        return Err(RegistrationError::member(name, "is too long"));
    }
    text.split('\n').try_for_each(|line| check_shown(name, line))
}

/// The explicit directional characters (UAX 9 section 2), and line and
/// paragraph separators.
const fn turns_text_around(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{061C}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Unicode's Default_Ignorable_Code_Point, and the blank of Braille.
const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Yes or no; no if it is not there.
pub(super) fn switch(members: &Map<String, Value>, name: &str) -> Result<bool, RegistrationError> {
    let Some(value) = present(members, name) else { return Ok(false) };
    value.as_bool().ok_or_else(|| RegistrationError::member(name, "must be true or false"))
}

/// A list of short texts.
pub(super) fn texts(members: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, RegistrationError> {
    let wrong = |what| RegistrationError::member(name, what);
    let Some(value) = present(members, name) else { return Ok(None) };
    let values = value.as_array().ok_or_else(|| wrong("must be a list of strings"))?;
    if values.len() > MAX_LIST {
        return Err(wrong("has too many elements"));
    }
    let text = |value: &Value| {
        let text = value.as_str().ok_or_else(|| wrong("must be a list of strings"))?;
        if text.len() > ClientMetadata::MAX_TEXT {
            return Err(wrong("has an element that is too long"));
        }
        check_shown(name, text)?;
        Ok(text.to_owned())
    };
    values.iter().map(text).collect::<Result<_, _>>().map(Some)
}

/// A value that is one of a few, or has a grammar of its own.
pub(super) fn parsed<T>(
    members: &Map<String, Value>,
    name: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, RegistrationError> {
    let Some(text) = string(members, name, MAX_LONG_TEXT)? else { return Ok(None) };
    let unknown = || RegistrationError::member(name, "is not a value that is known here");
    parse(text).ok_or_else(unknown).map(Some)
}

/// RFC 7591 section 2: "a URL string that references a" page or picture. What
/// people may be led to is http or https, and not under a false name.
pub(super) fn web_page(members: &Map<String, Value>, name: &str) -> Result<Option<String>, RegistrationError> {
    let Some(text) = string(members, name, MAX_URL)? else { return Ok(None) };
    let wrong = |what| Err(RegistrationError::member(name, what));
    // RFC 3986 section 2: a URI has no other characters; section 3.2.2 on names of other letters.
    if !text.is_ascii() {
        return wrong("must be ASCII: a host of other letters as xn--..., and what else is not ASCII as %..");
    }
    let plain = text.bytes().all(|b| b.is_ascii_graphic() && !b"\\\"<>`".contains(&b));
    let url = Url::parse(text).ok().filter(|_| plain);
    let Some(url) = url.filter(|url| matches!(url.scheme(), "http" | "https") && !has_user(url)) else {
        return wrong("must be an http or https URL without a user name");
    };
    // As everybody reads it, so that nobody is shown another one.
    let spelled = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
    if !text.to_ascii_lowercase().starts_with(&spelled) {
        return wrong("must be an http or https URL whose host is spelled out");
    }
    if !has_host(&url) {
        return wrong("has a host that is none: its labels are of letters, digits and inner hyphens");
    }
    Ok(Some(text.to_owned()))
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}
