//! Rich authorization requests ([RFC 9396]): what a client may do, in the terms of
//! the API.
//!
//! A detail is a JSON object with a `type`, which says what its other members mean.
//! This module reads, bounds and compares; what a type demands of its details, the
//! server's operator says with
//! [`AuthorizationSettings::detail_type`](crate::engine::authorization::AuthorizationSettings::detail_type).
//!
//! [RFC 9396]: https://www.rfc-editor.org/rfc/rfc9396

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};

use crate::client::metadata::Unique;

/// One authorization detail (RFC 9396 section 2).
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct AuthorizationDetail(Map<String, Value>);

/// A list of authorization details (RFC 9396 section 2), of bounded size and
/// depth.
///
/// ```
/// use oauth_core::authorization_details::AuthorizationDetails;
/// let text = r#"[{"type": "account", "actions": ["read"], "locations": ["https://bank.example"]}]"#;
/// let details = AuthorizationDetails::parse(text)?;
/// let account = details.iter().next().unwrap();
/// assert_eq!(account.kind(), "account");
/// assert_eq!(account.texts("actions"), ["read"]);
/// assert!(AuthorizationDetails::parse(r#"[{"actions": ["read"]}]"#).is_err());
/// # Ok::<_, oauth_core::authorization_details::InvalidAuthorizationDetails>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct AuthorizationDetails(Vec<AuthorizationDetail>);

/// Why a list of authorization details is not one. Shows no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAuthorizationDetails {
    /// Longer than [`AuthorizationDetails::MAX_BYTES`].
    #[error("authorization_details is too long")]
    TooLong,
    /// Not a JSON array of objects, or a name occurs twice in one of them.
    #[error("authorization_details is not a JSON array of objects without repeated names")]
    Malformed,
    /// More than [`AuthorizationDetails::MAX_DETAILS`].
    #[error("authorization_details has too many elements")]
    TooMany,
    /// Deeper than [`AuthorizationDetails::MAX_DEPTH`].
    #[error("authorization_details is nested too deeply")]
    TooDeep,
    /// `type` is absent, not a string, empty or too long (section 2: "REQUIRED").
    #[error("each element of authorization_details needs a type")]
    Type,
    /// One of the common members (section 2.2) is not what it has to be.
    #[error("a common data field of authorization_details has the wrong JSON type")]
    CommonField,
}

/// Section 2.2: lists of strings.
const LISTS: [&str; 4] = ["locations", "actions", "datatypes", "privileges"];

/// The longest `type`, in bytes.
const MAX_TYPE: usize = 256;

impl AuthorizationDetail {
    /// Its `type`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.0.get("type").and_then(Value::as_str).unwrap_or_default()
    }

    /// All its members, `type` included.
    #[must_use]
    pub const fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The member `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The strings in the list `name`: `actions`, say (section 2.2).
    #[must_use]
    pub fn texts(&self, name: &str) -> Vec<&str> {
        let list = self.0.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Whether it is meant for one of these resource servers: `locations` names
    /// one, or none at all (section 2.2).
    #[must_use]
    pub fn is_for(&self, audience: &[String]) -> bool {
        !self.0.contains_key("locations")
            || self.texts("locations").iter().any(|at| audience.iter().any(|one| one == at))
    }

    /// Its members but `type`, for people to read: JSON in which no character turns
    /// around what stands beside it. For HTML it is to be escaped.
    #[must_use]
    pub fn to_text(&self) -> String {
        let rest: Map<String, Value> = self.0.iter().filter(|(name, _)| *name != "type").map(cloned).collect();
        let text = serde_json::to_string_pretty(&rest).unwrap_or_default();
        text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
            match moves_text(c) {
                true => shown.extend(c.escape_unicode()),
                false => shown.push(c),
            }
            shown
        })
    }

    fn new(value: Value) -> Result<Self, InvalidAuthorizationDetails> {
        let Value::Object(members) = value else { return Err(InvalidAuthorizationDetails::Malformed) };
        let kind = members.get("type").and_then(Value::as_str);
        if kind.is_none_or(|kind| kind.is_empty() || kind.len() > MAX_TYPE) {
            return Err(InvalidAuthorizationDetails::Type);
        }
        let is_list = |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
        let lists_fit = LISTS.iter().filter_map(|name| members.get(*name)).all(is_list);
        if !lists_fit || members.get("identifier").is_some_and(|value| !value.is_string()) {
            return Err(InvalidAuthorizationDetails::CommonField);
        }
        Ok(Self(members))
    }
}

impl AuthorizationDetails {
    /// The longest list that is read, in bytes.
    pub const MAX_BYTES: usize = 8 * 1024;

    /// The most elements of a list.
    pub const MAX_DETAILS: usize = 32;

    /// The deepest nesting of arrays and objects, the list itself included.
    pub const MAX_DEPTH: usize = 16;

    /// Reads the value of the parameter `authorization_details`.
    ///
    /// # Errors
    /// [`InvalidAuthorizationDetails`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidAuthorizationDetails> {
        if text.len() > Self::MAX_BYTES {
            return Err(InvalidAuthorizationDetails::TooLong);
        }
        match serde_json::from_str(text) {
            Ok(Unique(value)) => Self::from_value(value),
            // What the reader says quotes the list.
            Err(_) => Err(InvalidAuthorizationDetails::Malformed),
        }
    }

    /// The list that `value` is.
    ///
    /// # Errors
    /// [`InvalidAuthorizationDetails`] says what is wrong.
    pub fn from_value(value: Value) -> Result<Self, InvalidAuthorizationDetails> {
        // A record holds it at some depth of its own, and must be read again.
        if depth(&value) > Self::MAX_DEPTH {
            return Err(InvalidAuthorizationDetails::TooDeep);
        }
        let Value::Array(list) = value else { return Err(InvalidAuthorizationDetails::Malformed) };
        if list.len() > Self::MAX_DETAILS {
            return Err(InvalidAuthorizationDetails::TooMany);
        }
        list.into_iter().map(AuthorizationDetail::new).collect::<Result<_, _>>().map(Self)
    }

    /// Each in turn.
    pub fn iter(&self) -> impl Iterator<Item = &AuthorizationDetail> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Those that `keep` says yes to.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&AuthorizationDetail) -> bool) -> Self {
        Self(self.0.iter().filter(|detail| keep(detail)).cloned().collect())
    }

    /// The list as JSON values: the claim (section 9.1).
    #[must_use]
    pub fn to_values(&self) -> Vec<Value> {
        self.0.iter().map(|detail| Value::Object(detail.0.clone())).collect()
    }
}

impl<'de> Deserialize<'de> for AuthorizationDetails {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(Value::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// What is allowed is a person's business: the types only.
impl fmt::Debug for AuthorizationDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(AuthorizationDetail::kind)).finish()
    }
}

impl fmt::Debug for AuthorizationDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationDetail").field("type", &self.kind()).finish_non_exhaustive()
    }
}

fn cloned((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

/// The explicit directional characters (UAX 9 section 2), separators of lines, and
/// control characters but for the line breaks of the writer.
const fn moves_text(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{061C}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{7F}'..='\u{9F}')
}

/// How deep arrays and objects are in each other. The reader has bounded it.
fn depth(value: &Value) -> usize {
    let deepest = match value {
        Value::Array(list) => list.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        _ => return 0,
    };
    deepest.unwrap_or_default() + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(text: &str) -> InvalidAuthorizationDetails {
        AuthorizationDetails::parse(text).unwrap_err()
    }

    /// RFC 9396 section 2.
    const EXAMPLE: &str = r#"[{"type":"customer_information","locations":["https://example.com/customers"],
        "actions":["read","write"],"datatypes":["contacts","photos"]}]"#;

    #[test]
    fn the_example_of_the_rfc_is_read_and_written_as_it_is() {
        let details = AuthorizationDetails::parse(EXAMPLE).unwrap();
        assert_eq!(details.len(), 1);
        let value: Value = serde_json::from_str(EXAMPLE).unwrap();
        assert_eq!(serde_json::to_value(&details).unwrap(), value);
        assert_eq!(serde_json::from_value::<AuthorizationDetails>(value).unwrap(), details);
        assert_eq!(format!("{details:?}"), "[\"customer_information\"]");
    }

    // spec: AUZ-46
    #[test]
    fn each_is_an_object_with_a_type_in_an_array() {
        use InvalidAuthorizationDetails as Invalid;
        for bad in ["", "{}", "null", "1", "[1]", "[[]]", r#"{"type":"a"}"#, r#"[{"type":"a"}"#, r#"[{"type":"a"}] x"#]
        {
            assert_eq!(refusal(bad), Invalid::Malformed, "{bad}");
        }
        for twice in [r#"[{"type":"a","type":"b"}]"#, r#"[{"type":"a","x":{"y":1,"y":2}}]"#] {
            assert_eq!(refusal(twice), Invalid::Malformed, "{twice}");
        }
        for bad in ["[{}]", r#"[{"type":1}]"#, r#"[{"type":""}]"#, r#"[{"type":["a"]}]"#, r#"[{"type":"a"},{"x":1}]"#] {
            assert_eq!(refusal(bad), Invalid::Type, "{bad}");
        }
        assert_eq!(refusal(&format!(r#"[{{"type":"{}"}}]"#, "a".repeat(257))), Invalid::Type);
        assert!(AuthorizationDetails::parse("[]").unwrap().is_empty());
    }

    // spec: AUZ-46
    #[test]
    fn the_common_fields_have_their_json_types() {
        for name in ["locations", "actions", "datatypes", "privileges"] {
            for bad in [r#""read""#, "1", "{}", "[1]", r#"["read", null]"#] {
                let text = format!(r#"[{{"type":"a","{name}":{bad}}}]"#);
                assert_eq!(refusal(&text), InvalidAuthorizationDetails::CommonField, "{text}");
            }
        }
        assert_eq!(refusal(r#"[{"type":"a","identifier":7}]"#), InvalidAuthorizationDetails::CommonField);
        assert!(AuthorizationDetails::parse(r#"[{"type":"a","identifier":"7","actions":[]}]"#).is_ok());
    }

    #[test]
    fn length_number_and_depth_are_bounded() {
        let many = |count: usize| format!("[{}]", vec![r#"{"type":"a"}"#; count].join(","));
        assert!(AuthorizationDetails::parse(&many(32)).is_ok());
        assert_eq!(refusal(&many(33)), InvalidAuthorizationDetails::TooMany);
        let deep = |depth: usize| format!(r#"[{{"type":"a","x":{}{}}}]"#, "[".repeat(depth), "]".repeat(depth));
        assert!(AuthorizationDetails::parse(&deep(14)).is_ok());
        assert_eq!(refusal(&deep(15)), InvalidAuthorizationDetails::TooDeep);
        assert!(AuthorizationDetails::parse(&deep(3_000)).is_err());
        let long = |length: usize| format!(r#"[{{"type":"a","x":"{}"}}]"#, "x".repeat(length));
        let frame = long(0).len();
        assert!(AuthorizationDetails::parse(&long(AuthorizationDetails::MAX_BYTES - frame)).is_ok());
        assert_eq!(refusal(&long(AuthorizationDetails::MAX_BYTES - frame + 1)), InvalidAuthorizationDetails::TooLong);
    }

    #[test]
    fn a_detail_is_for_the_locations_it_names_and_for_all_if_it_names_none() {
        let details = AuthorizationDetails::parse(
            r#"[{"type":"a"},{"type":"b","locations":["https://one.example"]},{"type":"c","locations":[]}]"#,
        );
        let details = details.unwrap();
        let at = |place: &str| {
            let kept = details.filtered(|detail| detail.is_for(&[place.to_owned()]));
            kept.iter().map(|detail| detail.kind().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(at("https://one.example"), ["a", "b"]);
        assert_eq!(at("https://two.example"), ["a"]);
    }

    #[test]
    fn what_people_read_has_every_member_and_nothing_that_turns_text_around() {
        let text = "[{\"type\":\"a\",\"to\":\"B\u{202E}ob\",\"amount\":7.5}]";
        let details = AuthorizationDetails::parse(text).unwrap();
        let shown = details.iter().next().unwrap().to_text();
        assert_eq!(shown, "{\n  \"amount\": 7.5,\n  \"to\": \"B\\u{202e}ob\"\n}");
    }

    proptest! {
        #[test]
        fn nothing_that_comes_in_panics(text in "\\PC*", tail in "[\\[\\]{}\",:a-z0-9]*") {
            drop(AuthorizationDetails::parse(&text));
            drop(AuthorizationDetails::parse(&format!("[{{\"type\":\"a\"{tail}")));
        }
    }
}
