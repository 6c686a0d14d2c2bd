//! Reading a table key by key, without stopping at the first mistake.

use std::{fmt::Display, mem, net::SocketAddr, ops::RangeInclusive};

use toml::{Table, Value};

use super::{
    report::Report,
    value::{FromValue, kind},
};

/// What is said of a key whose feature does not exist yet.
pub(super) const NOT_BUILT: &str = "not built yet";

/// One table of a configuration file.
///
/// Whatever is read is taken out of it; what is left when the reader goes is
/// reported as unknown. So no key can be forgotten, and none misspelled.
#[derive(Debug)]
pub(super) struct Reader<'r> {
    path: String,
    table: Table,
    report: &'r Report,
}

impl<'r> Reader<'r> {
    /// Reads the top of a file.
    #[must_use]
    pub(super) const fn new(table: Table, report: &'r Report) -> Self {
        Self { path: String::new(), table, report }
    }

    /// The full name of `key`.
    #[must_use]
    pub(super) fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Where this table stands in the file.
    #[must_use]
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Notes that the value of `key` is wrong.
    pub(super) fn wrong(&self, key: &str, what: impl Display) {
        self.report.wrong(self.key(key), what);
    }

    /// Whether something was noted about what stands at or below `path`, a
    /// full key.
    #[must_use]
    pub(super) fn blames(&self, path: &str) -> bool {
        self.report.blames(path)
    }

    /// The value of `key`; `None` if it is absent or wrong.
    pub(super) fn take<T: FromValue>(&mut self, key: &str) -> Option<T> {
        let value = self.table.remove(key)?;
        T::read(value, &self.key(key), self.report)
    }

    /// The value of `key`, or `default`.
    pub(super) fn or<T: FromValue>(&mut self, key: &str, default: T) -> T {
        self.take(key).unwrap_or(default)
    }

    /// The value of `key`, which must be there.
    pub(super) fn require<T: FromValue>(&mut self, key: &str) -> Option<T> {
        if !self.table.contains_key(key) {
            self.wrong(key, "is missing");
        }
        self.take(key)
    }

    /// An address with a port; `None` if it is absent, empty or wrong.
    pub(super) fn address(&mut self, key: &str) -> Option<SocketAddr> {
        let text = self.take(key).filter(|text: &String| !text.is_empty())?;
        let address = text.parse().ok();
        if address.is_none() {
            self.wrong(key, "must be an address and a port, as in 127.0.0.1:9443");
        }
        address
    }

    /// A whole number within `range`.
    pub(super) fn number(&mut self, key: &str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let Some(given) = self.take::<i64>(key) else { return default };
        match u64::try_from(given).ok().filter(|number| range.contains(number)) {
            Some(number) => number,
            None => {
                self.wrong(key, format_args!("must be from {} to {}, not {given}", range.start(), range.end()));
                default
            }
        }
    }

    /// One of `choices`; `None` if it is absent or wrong. A choice without a
    /// value is one that is not built yet.
    pub(super) fn choice<T: Clone>(&mut self, key: &str, choices: &[(&str, Option<T>)]) -> Option<T> {
        let given: String = self.take(key)?;
        self.choose(key, &given, choices)
    }

    /// Any number of `choices`; `None` if the list is absent.
    pub(super) fn choices<T: Clone>(&mut self, key: &str, choices: &[(&str, Option<T>)]) -> Option<Vec<T>> {
        let given: Vec<String> = self.take(key)?;
        let choose = |(at, given): (usize, &String)| self.choose(&format!("{key}[{at}]"), given, choices);
        Some(given.iter().enumerate().filter_map(choose).collect())
    }

    fn choose<T: Clone>(&self, key: &str, given: &str, choices: &[(&str, Option<T>)]) -> Option<T> {
        let chosen = choices.iter().find(|(name, _)| *name == given);
        match chosen {
            Some((_, Some(value))) => return Some(value.clone()),
            Some((_, None)) => self.wrong(key, NOT_BUILT),
            None => {
                let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
                self.wrong(key, format_args!("must be one of {}", names.join(", ")));
            }
        }
        None
    }

    /// A key whose feature is not built yet: it may be absent or have one of
    /// the values that leave the feature as it is.
    pub(super) fn not_built<V: Into<Value> + Clone>(&mut self, key: &str, harmless: &[V]) {
        let Some(given) = self.table.remove(key) else { return };
        let harmless: Vec<Value> = harmless.iter().cloned().map(Into::into).collect();
        if harmless.contains(&given) {
            return;
        }
        match harmless.first() {
            Some(example) if !example.same_type(&given) => {
                self.wrong(key, format_args!("must be {}, not {}", kind(example), kind(&given)));
            }
            _ => self.wrong(key, NOT_BUILT),
        }
    }

    /// A key that may be absent only, until its feature is built.
    pub(super) fn never(&mut self, key: &str) {
        self.not_built::<Value>(key, &[]);
    }

    /// The table at `key`; `None` if it is absent or wrong.
    pub(super) fn table(&mut self, key: &str) -> Option<Self> {
        let table = self.take::<Table>(key)?;
        Some(Self { path: self.key(key), table, report: self.report })
    }

    /// The table at `key`; an empty one if it is absent or wrong.
    #[must_use]
    pub(super) fn section(&mut self, key: &str) -> Self {
        self.table(key).unwrap_or_else(|| Self { path: self.key(key), table: Table::new(), report: self.report })
    }

    /// The list of tables at `key`.
    pub(super) fn sections(&mut self, key: &str) -> Vec<Self> {
        let tables: Vec<Table> = self.take(key).unwrap_or_default();
        let path = |at| format!("{}[{at}]", self.key(key));
        let reader = |(at, table)| Self { path: path(at), table, report: self.report };
        tables.into_iter().enumerate().map(reader).collect()
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        for key in mem::take(&mut self.table).keys() {
            self.wrong(key, "is not a key that this program knows");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::value::Parsed;

    /// What is reported about `text` when `read` reads it.
    fn mistakes(text: &str, read: impl FnOnce(&mut Reader<'_>)) -> Vec<String> {
        let report = Report::default();
        read(&mut Reader::new(text.parse().unwrap(), &report));
        report.finish(()).err().map_or(Vec::new(), |found| found.0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_nobody_read_is_unknown_at_every_depth() {
        let found = mistakes("a = 1\nb = 2\n[c]\nd = 3\n[[e]]\n[[e]]\nf = 4", |reader| {
            reader.take::<i64>("a");
            drop(reader.section("c"));
            drop(reader.sections("e"));
        });
        let unknown = "is not a key that this program knows";
        assert_eq!(found, ["c.d", "e[1].f", "b"].map(|key| format!("{key}: {unknown}")));
    }

    #[test]
    fn reading_goes_on_after_a_mistake_and_each_has_its_full_key() {
        let found = mistakes("a = 1\nb = [\"x\", 2, true]\nc = 9\nd = \"4x\"\n[t]\ne = \"z\"", |reader| {
            reader.take::<String>("a");
            reader.take::<Vec<String>>("b");
            assert_eq!(reader.number("c", 3, 1..=5), 3);
            assert!(reader.take::<Parsed<u8>>("d").is_none());
            let mut table = reader.section("t");
            assert_eq!(table.choice("e", &[("x", Some(1)), ("y", None)]), None);
            assert_eq!(table.require::<bool>("f"), None);
        });
        assert_eq!(
            found,
            [
                "a: must be a string, not a whole number",
                "b[1]: must be a string, not a whole number",
                "b[2]: must be a string, not true or false",
                "c: must be from 1 to 5, not 9",
                "d: invalid digit found in string",
                "t.e: must be one of x, y",
                "t.f: is missing",
            ]
        );
    }

    #[test]
    fn a_feature_that_is_not_built_may_be_off_and_nothing_else() {
        let read = |reader: &mut Reader<'_>| {
            reader.not_built("a", &[false]);
            reader.not_built("b", &[0, 30]);
            reader.never("c");
            reader.choice("d", &[("x", Some(1)), ("y", None)]);
        };
        assert!(mistakes("", read).is_empty());
        assert!(mistakes("a = false\nb = 30\nd = \"x\"", read).is_empty());
        assert_eq!(
            mistakes("a = true\nb = 7\nc = 1\nd = \"y\"", read),
            ["a: not built yet", "b: not built yet", "c: not built yet", "d: not built yet"]
        );
        assert_eq!(mistakes("a = 1", read), ["a: must be true or false, not a whole number"]);
    }

    #[test]
    fn each_choice_of_a_list_is_judged_alone() {
        let choices = [("x", Some(1)), ("y", None), ("z", Some(3))];
        let found = mistakes("a = [\"z\", \"y\", \"w\", \"x\"]", |reader| {
            assert_eq!(reader.choices("a", &choices), Some(vec![3, 1]));
            assert_eq!(reader.choices("b", &choices), None);
        });
        assert_eq!(found, ["a[1]: not built yet", "a[2]: must be one of x, y, z"]);
    }
}
