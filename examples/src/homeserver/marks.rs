//! What is kept of accounts, and how it is written.

use std::{collections::BTreeMap, fmt, ops::Not};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, MapAccess, Visitor},
};

/// The one version there is.
const VERSION: u8 = 1;

/// The marks of one account; without any, it is an active one.
///
/// A member that is not known is refused, and so is a whole file for it: it may say that somebody may
/// not act, and who does not know how takes them for one who may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Marks {
    #[serde(skip_serializing_if = "Not::not")]
    pub(super) locked: bool,
    #[serde(skip_serializing_if = "Not::not")]
    pub(super) suspended: bool,
    #[serde(skip_serializing_if = "Not::not")]
    pub(super) deactivated: bool,
    #[serde(skip_serializing_if = "Not::not")]
    pub(super) guest: bool,
}

/// The marks of all accounts, by localpart: of those who are configured, and of others who were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AllMarks {
    version: u8,
    #[serde(deserialize_with = "each_once")]
    users: BTreeMap<String, Marks>,
}

impl AllMarks {
    /// Reads a file.
    pub(super) fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        let all: Self = serde_json::from_slice(text)?;
        match all.version {
            VERSION => Ok(all),
            other => Err(Error::custom(format_args!("version {other} is not known"))),
        }
    }

    /// As it is written: people may want to read it.
    pub(super) fn to_text(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        Ok(text)
    }

    pub(super) fn of(&self, localpart: &str) -> Marks {
        self.users.get(localpart).copied().unwrap_or_default()
    }

    /// Whether anything is different now. Who has no marks need not be written down.
    pub(super) fn set(&mut self, localpart: &str, marks: Marks) -> bool {
        let before = self.of(localpart);
        match marks == Marks::default() {
            true => drop(self.users.remove(localpart)),
            false => drop(self.users.insert(localpart.to_owned(), marks)),
        }
        before != marks
    }
}

impl Default for AllMarks {
    fn default() -> Self {
        Self { version: VERSION, users: BTreeMap::new() }
    }
}

/// A user who is there twice may be locked the first time, and not the second.
fn each_once<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Marks>, D::Error> {
    struct Users;

    impl<'de> Visitor<'de> for Users {
        type Value = BTreeMap<String, Marks>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the users and their marks")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut users = BTreeMap::new();
            while let Some((name, marks)) = map.next_entry()? {
                if users.insert(name, marks).is_some() {
                    return Err(Error::custom("a user is there twice"));
                }
            }
            Ok(users)
        }
    }

    deserializer.deserialize_map(Users)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<AllMarks, String> {
        AllMarks::parse(text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_written_is_read_again_and_who_has_no_marks_is_not_written() {
        let mut all = AllMarks::default();
        let marks = Marks { deactivated: true, guest: true, ..Marks::default() };
        assert!(all.set("alice", marks) && !all.set("alice", marks));
        assert!(all.set("bob", Marks { locked: true, ..Marks::default() }) && all.set("bob", Marks::default()));
        let text = String::from_utf8(all.to_text().unwrap()).unwrap();
        assert!(text.contains("\"deactivated\": true") && !text.contains("bob") && !text.contains("locked"), "{text}");
        assert_eq!(parse(&text).unwrap(), all);
        assert_eq!((all.of("alice"), all.of("bob")), (marks, Marks::default()));
    }

    #[test]
    fn what_could_mean_anything_is_no_file() {
        assert!(parse(r#"{"version":1,"users":{"a":{"locked":true},"b":{}}}"#).is_ok());
        for bad in [
            "",
            "{}",
            "[]",
            r#"{"version":1}"#,
            r#"{"version":2,"users":{}}"#,
            r#"{"users":{}}"#,
            r#"{"version":1,"users":{},"more":1}"#,
            r#"{"version":1,"users":{"a":{"banned":true}}}"#,
            r#"{"version":1,"users":{"a":{"locked":1}}}"#,
            r#"{"version":1,"users":{"a":{"locked":true,"locked":false}}}"#,
            r#"{"version":1,"users":{"a":{"locked":true},"a":{}}}"#,
            r#"{"version":1,"users":{}}x"#,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
