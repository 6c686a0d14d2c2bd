//! Form parameters: `application/x-www-form-urlencoded`, strictly.

use std::{borrow::Cow, ops::Range};

use zeroize::{Zeroize, Zeroizing};

use crate::error::OAuthError;

/// The parameters of one request.
///
/// A parameter with an empty value counts as absent; one that is repeated is
/// an error, save those that may repeat (OAuth 2.1 section 3.2; RFC 8707
/// section 2 for `resource`, RFC 8693 section 2.1 for `audience`).
#[derive(Default)]
pub struct Params {
    /// All names and values, one behind the other: one piece of memory to wipe. It is
    /// allocated in full, since growing would leave copies behind.
    text: String,
    /// In the order in which they came. There are few: looking at each costs less
    /// than an index of them.
    pairs: Vec<Pair>,
}

/// Where they stand in the text.
struct Pair {
    name: Range<usize>,
    value: Range<usize>,
}

/// The most parameters one request may have.
const MAX_PARAMETERS: usize = 100;
const REPEATABLE: [&str; 2] = ["resource", "audience"];

impl Params {
    /// Reads a form body or a query string.
    ///
    /// # Errors
    /// `invalid_request` for a bad percent escape, a character outside UTF-8
    /// or too many parameters. Repetition is judged by
    /// [`Params::refuse_repeated`], because the authorization endpoint must
    /// first find out where to send the error.
    pub fn parse(form: &str) -> Result<Self, OAuthError> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(form.len()));
        let mut pairs = Vec::new();
        for pair in form.split('&').filter(|pair| !pair.is_empty()) {
            if pairs.len() == MAX_PARAMETERS {
                return Err(too_many());
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let start = bytes.len();
            decode_onto(name, &mut bytes)?;
            let middle = bytes.len();
            decode_onto(value, &mut bytes)?;
            pairs.push(Pair { name: start..middle, value: middle..bytes.len() });
        }
        let params = Self { text: utf8(std::mem::take(&mut *bytes))?, pairs };
        // All of it is UTF-8, and where no part begins inside a character, so is each.
        let begins = |place: &Range<usize>| params.text.is_char_boundary(place.start);
        match params.pairs.iter().all(|pair| begins(&pair.name) && begins(&pair.value)) {
            true => Ok(params),
            false => Err(not_utf8()),
        }
    }

    /// The parameters that come in another form than this.
    #[cfg(feature = "server")]
    pub(crate) fn of(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, OAuthError> {
        let given: Vec<_> = pairs.into_iter().take(MAX_PARAMETERS + 1).collect();
        if given.len() > MAX_PARAMETERS {
            return Err(too_many());
        }
        let length = given.iter().map(|(name, value)| name.len() + value.len()).sum();
        let mut params = Self { text: String::with_capacity(length), pairs: Vec::with_capacity(given.len()) };
        for (name, mut value) in given {
            let start = params.text.len();
            params.text.push_str(&name);
            let middle = params.text.len();
            params.text.push_str(&value);
            params.pairs.push(Pair { name: start..middle, value: middle..params.text.len() });
            value.zeroize();
        }
        Ok(params)
    }

    /// The value of `name`, if it is there and not empty. Of a repeated
    /// parameter, none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.values(name);
        match (values.next(), values.next()) {
            (Some(value), None) if !value.is_empty() => Some(value),
            _ => None,
        }
    }

    /// The value of `name`.
    ///
    /// # Errors
    /// `invalid_request` if it is absent, empty or repeated.
    pub fn require(&self, name: &'static str) -> Result<&str, OAuthError> {
        let problem = if self.is_repeated(name) { "occurs more than once" } else { "is missing" };
        self.get(name).ok_or_else(|| OAuthError::invalid_request(format!("the parameter {name} {problem}")))
    }

    /// Every non-empty value of a repeatable parameter.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.values(name).filter(|value| !value.is_empty())
    }

    /// Whether `name` occurs more than once.
    #[must_use]
    pub fn is_repeated(&self, name: &str) -> bool {
        self.values(name).nth(1).is_some()
    }

    /// Refuses parameters that occur more than once and must not.
    ///
    /// # Errors
    /// `invalid_request`, naming one of them if its name is harmless.
    pub fn refuse_repeated(&self) -> Result<(), OAuthError> {
        let repeated = |name: &&str| self.is_repeated(name) && !REPEATABLE.contains(name);
        match self.pairs.iter().map(|pair| self.at(&pair.name)).find(repeated) {
            None => Ok(()),
            Some(name) => {
                let known = name.len() <= 40 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                let name = if known { name } else { "with another name" };
                Err(OAuthError::invalid_request(format!("the parameter {name} occurs more than once")))
            }
        }
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.pairs.iter().filter(move |pair| self.at(&pair.name) == name).map(|pair| self.at(&pair.value))
    }

    fn at(&self, place: &Range<usize>) -> &str {
        self.text.get(place.clone()).unwrap_or_default()
    }
}

impl std::fmt::Debug for Params {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Params").field("count", &self.pairs.len()).finish_non_exhaustive()
    }
}

/// Codes, tokens and secrets arrive as parameters.
impl Drop for Params {
    fn drop(&mut self) {
        self.text.zeroize();
    }
}

/// Decodes one name or value (RFC 6749 appendix B). It is written once, into room
/// enough for all of it: what may be a secret leaves no copies behind.
#[cfg(any(feature = "server", test))]
pub(crate) fn decode(text: &str) -> Result<String, OAuthError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    decode_onto(text, &mut bytes)?;
    utf8(std::mem::take(&mut *bytes))
}

/// Appends what `text` says, which is never longer than it is.
fn decode_onto(text: &str, bytes: &mut Vec<u8>) -> Result<(), OAuthError> {
    if memchr::memchr2(b'%', b'+', text.as_bytes()).is_none() {
        bytes.extend_from_slice(text.as_bytes());
        return Ok(());
    }
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => match (rest.next().and_then(hex_digit), rest.next().and_then(hex_digit)) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Err(OAuthError::invalid_request("a percent escape is malformed")),
            },
            other => other,
        });
    }
    Ok(())
}

fn utf8(bytes: Vec<u8>) -> Result<String, OAuthError> {
    String::from_utf8(bytes).map_err(|error| {
        error.into_bytes().zeroize();
        not_utf8()
    })
}

fn not_utf8() -> OAuthError {
    OAuthError::invalid_request("a parameter is not UTF-8")
}

fn too_many() -> OAuthError {
    OAuthError::invalid_request("too many parameters")
}

const fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Writes `pairs` as a form: the encoding of redirects (RFC 6749 appendix B).
#[must_use]
pub fn encode<'a>(pairs: impl IntoIterator<Item = (&'a str, Cow<'a, str>)>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(pairs);
    form.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // spec: AUZ-02, TOK-04
    #[test]
    fn an_empty_value_is_an_absent_parameter() {
        let params = Params::parse("a=&b&c=1&&").unwrap();
        assert_eq!((params.get("a"), params.get("b"), params.get("c")), (None, None, Some("1")));
    }

    // spec: AUZ-03, TOK-04
    #[test]
    fn only_resource_and_audience_may_repeat() {
        let repeated = |form| Params::parse(form).unwrap().refuse_repeated();
        assert!(repeated("resource=a&resource=b&audience=c&audience=d").is_ok());
        assert!(repeated("scope=a&scope=a").unwrap_err().description().contains("scope"));
        assert!(repeated("scope=&scope=").is_err());
        assert_eq!(Params::parse("code=a&code=b").unwrap().get("code"), None);
    }

    #[test]
    fn a_character_does_not_reach_from_one_parameter_into_the_next() {
        for bad in ["%c3=%a4", "a=%c3&%a4=b", "a=%c3&b=%a4", "%c3&%a4"] {
            assert!(Params::parse(bad).is_err(), "{bad}");
        }
        let params = Params::parse("%c3%a4=%C3%B6&b=c").unwrap();
        assert_eq!((params.get("ä"), params.get("b")), (Some("ö"), Some("c")));
    }

    // spec: TOK-02
    #[test]
    fn bad_escapes_and_bad_utf8_are_refused() {
        assert_eq!(Params::parse("a=%41+b").unwrap().get("a"), Some("A b"));
        for bad in ["a=%", "a=%4", "a=%zz", "a=%3g", "a=%ff", "%c3=1"] {
            assert!(Params::parse(bad).is_err(), "{bad}");
        }
    }

    /// In two steps, each as plain as can be.
    fn naively(text: &str) -> Option<String> {
        let text = text.replace('+', " ");
        let mut parts = text.split('%');
        let mut bytes = parts.next().unwrap().as_bytes().to_vec();
        for part in parts {
            let digits = part.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
            bytes.extend_from_slice(&part.as_bytes()[2..]);
        }
        String::from_utf8(bytes).ok()
    }

    // spec: TOK-02
    #[test]
    fn every_byte_can_be_escaped_in_either_case_and_no_other_digits_do() {
        for byte in 0..=u8::MAX {
            for text in [format!("%{byte:02x}"), format!("%{byte:02X}"), format!("x+%{byte:02x}%C3%a4y")] {
                assert_eq!(decode(&text).ok(), naively(&text), "{text}");
            }
            let other = char::from(byte);
            for text in [format!("%{other}0"), format!("%0{other}"), format!("{other}")] {
                assert_eq!(decode(&text).ok(), naively(&text), "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(value in "\\PC{0,40}") {
            let form = encode([("v", value.clone().into())]);
            let params = Params::parse(&form).unwrap();
            prop_assert_eq!(params.get("v").unwrap_or(""), value);
        }

        #[test]
        fn what_is_decoded_is_what_the_plainest_way_makes_of_it(
            text in "(%[0-9a-fA-F]{2}|%[0-9a-gA-G/:@`+%]{0,2}|%[cC]3%[8-9a-bA-B][0-9a-f]|[+ -~]|[ä€𝄞]){0,12}",
        ) {
            prop_assert_eq!(decode(&text).ok(), naively(&text));
        }

        #[test]
        fn parsing_never_panics(form in "\\PC{0,80}") {
            let _params = Params::parse(&form);
        }
    }
}
