//! Reading a table key by key, without stopping at the first mistake.

use std::{fmt::Display, mem, net::SocketAddr, ops::RangeInclusive};

use toml::{Table, Value};

use super::{report::Report, value::FromValue};

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
    /// That it is no table was reported, so nothing is missing in it.
    unreadable: bool,
    report: &'r Report,
}

impl<'r> Reader<'r> {
    /// Reads the top of a file.
    #[must_use]
    pub(super) const fn new(table: Table, report: &'r Report) -> Self {
        Self { path: String::new(), table, unreadable: false, report }
    }

    /// The full name of `key`.
    #[must_use]
    pub(super) fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Notes that the value of `key` is wrong.
    pub(super) fn wrong(&self, key: &str, what: impl Display) {
        self.report.wrong(self.key(key), what);
    }

    /// Notes that `key` is missing.
    pub(super) fn missing(&self, key: &str) {
        if !self.unreadable {
            self.wrong(key, "is missing");
        }
    }

    /// Whether something was noted about what stands at or below `key`, so
    /// that nothing follows from its value.
    #[must_use]
    pub(super) fn blames(&self, key: &str) -> bool {
        self.unreadable || self.report.blames(&self.key(key))
    }

    /// Whether something was noted about this table or anything in it.
    #[must_use]
    pub(super) fn is_blamed(&self) -> bool {
        self.report.blames(&self.path)
    }

    /// Whether there is something at `key`, right or wrong, not read yet.
    #[must_use]
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
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
        if !self.has(key) {
            self.missing(key);
        }
        self.take(key)
    }

    /// The elements of the list at `key` that can be read, each with its key.
    pub(super) fn list<T: FromValue>(&mut self, key: &str) -> Vec<(String, T)> {
        let values: Vec<Value> = self.take(key).unwrap_or_default();
        let read = |(at, value)| {
            let key = format!("{key}[{at}]");
            T::read(value, &self.key(&key), self.report).map(|read| (key, read))
        };
        values.into_iter().enumerate().filter_map(read).collect()
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

    /// Any number of `choices`.
    pub(super) fn choices<T: Clone>(&mut self, key: &str, choices: &[(&str, Option<T>)]) -> Vec<T> {
        let given: Vec<(String, String)> = self.list(key);
        given.iter().filter_map(|(key, given)| self.choose(key, given, choices)).collect()
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

    /// The table at `key`; `None` if it is absent or wrong.
    pub(super) fn table(&mut self, key: &str) -> Option<Self> {
        let table = self.take::<Table>(key)?;
        Some(self.below(self.key(key), Some(table)))
    }

    /// The table at `key`; an empty one if it is absent or wrong.
    #[must_use]
    pub(super) fn section(&mut self, key: &str) -> Self {
        let table = if self.has(key) { self.take(key) } else { Some(Table::new()) };
        self.below(self.key(key), table)
    }

    /// The list of tables at `key`. An empty one stands for each that is
    /// wrong, and one for a list that is.
    pub(super) fn sections(&mut self, key: &str) -> Vec<Self> {
        let Some(given) = self.take::<Value>(key) else { return Vec::new() };
        let path = self.key(key);
        let Some(values) = Vec::<Value>::read(given, &path, self.report) else { return vec![self.below(path, None)] };
        let reader = |(at, value)| {
            let path = format!("{path}[{at}]");
            let table = Table::read(value, &path, self.report);
            self.below(path, table)
        };
        values.into_iter().enumerate().map(reader).collect()
    }

    /// `table` as the one at `path`; `None` if it could not be read.
    fn below(&self, path: String, table: Option<Table>) -> Self {
        Self { path, unreadable: table.is_none(), table: table.unwrap_or_default(), report: self.report }
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
    fn a_choice_that_is_not_built_is_refused() {
        let read = |reader: &mut Reader<'_>| {
            reader.choice("d", &[("x", Some(1)), ("y", None)]);
        };
        assert!(mistakes("", read).is_empty());
        assert!(mistakes("d = \"x\"", read).is_empty());
        assert_eq!(mistakes("d = \"y\"", read), ["d: not built yet"]);
    }

    #[test]
    fn one_element_that_is_wrong_hides_no_other_and_what_cannot_be_read_lacks_nothing() {
        let found = mistakes("a = [1, \"x\", \"9\"]\nb = [{ c = 1 }, 2, { d = 3 }]\ne = 4\nf = 5", |reader| {
            let numbers: Vec<(String, Parsed<u8>)> = reader.list("a");
            assert_eq!(numbers.len(), 1);
            for key in ["b", "e"] {
                reader
                    .sections(key)
                    .iter_mut()
                    .for_each(|table| assert!(table.require::<i64>("c").is_none_or(|c| c == 1)));
            }
            assert!(reader.section("f").require::<i64>("c").is_none());
        });
        let keys: Vec<&str> = found.iter().filter_map(|line| line.split(": ").next()).collect();
        assert_eq!(keys, ["a[0]", "a[1]", "b[1]", "b[2].c", "b[2].d", "e", "f"]);
    }

    #[test]
    fn each_choice_of_a_list_is_judged_alone() {
        let choices = [("x", Some(1)), ("y", None), ("z", Some(3))];
        let found = mistakes("a = [\"z\", \"y\", \"w\", \"x\"]", |reader| {
            assert_eq!(reader.choices("a", &choices), [3, 1]);
            assert!(reader.choices("b", &choices).is_empty());
        });
        assert_eq!(found, ["a[1]: not built yet", "a[2]: must be one of x, y, z"]);
    }
}
