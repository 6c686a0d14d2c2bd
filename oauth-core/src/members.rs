//! JSON objects of other parties, read so that nobody can read them otherwise.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};
use serde_json::{Map, Value};

/// An object, no member of which is repeated: of two `active`, or two `issuer`,
/// who knows which one the server means?
pub(crate) struct Members(pub(crate) Map<String, Value>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Map::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if members.insert(name, value).is_some() {
                return Err(de::Error::custom("repeated member"));
            }
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_comes_once_however_it_is_written() {
        let read = |text: &str| serde_json::from_str(text).map(|Members(members)| members.len()).ok();
        assert_eq!(read(r#"{"a":1,"b":{"a":2}}"#), Some(2));
        for text in [r#"{"a":1,"a":1}"#, r#"{"a":null,"a":1}"#, r#"{"a":1,"\u0061":1}"#, "[]", "null", r#""a""#, ""] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
