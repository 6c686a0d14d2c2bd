//! From a TOML value to a Rust one, or to a mistake.

use std::{fmt::Display, str::FromStr};

use oauth_core::secret::Secret;
use toml::{Table, Value};

use super::report::Report;

/// What a key can be read as.
pub(super) trait FromValue: Sized {
    /// Reads `value`, or notes under `key` what is wrong with it.
    fn read(value: Value, key: &str, report: &Report) -> Option<Self>;
}

macro_rules! plain {
    ($type:ty, $variant:ident, $what:literal) => {
        impl FromValue for $type {
            fn read(value: Value, key: &str, report: &Report) -> Option<Self> {
                match value {
                    Value::$variant(value) => Some(value),
                    other => {
                        report.wrong(key, format_args!("must be {}, not {}", $what, kind(&other)));
                        None
                    }
                }
            }
        }
    };
}

plain!(String, String, "a string");
plain!(bool, Boolean, "true or false");
plain!(i64, Integer, "a whole number");
plain!(Table, Table, "a table");

impl FromValue for Value {
    fn read(value: Value, _key: &str, _report: &Report) -> Option<Self> {
        Some(value)
    }
}

impl FromValue for Secret {
    fn read(value: Value, key: &str, report: &Report) -> Option<Self> {
        let text = String::read(value, key, report)?;
        if text.is_empty() {
            report.wrong(key, "must not be empty");
            return None;
        }
        Some(text.into())
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    fn read(value: Value, key: &str, report: &Report) -> Option<Self> {
        let Value::Array(values) = value else {
            report.wrong(key, format_args!("must be a list, not {}", kind(&value)));
            return None;
        };
        let read = |(at, value)| T::read(value, &format!("{key}[{at}]"), report);
        // Every element is read before one that is wrong spoils the list.
        let all: Vec<Option<T>> = values.into_iter().enumerate().map(read).collect();
        all.into_iter().collect()
    }
}

/// A string that is parsed further.
#[derive(Clone, Debug)]
pub(super) struct Parsed<T>(pub(super) T);

impl<T: FromStr<Err: Display>> FromValue for Parsed<T> {
    fn read(value: Value, key: &str, report: &Report) -> Option<Self> {
        match String::read(value, key, report)?.parse() {
            Ok(parsed) => Some(Self(parsed)),
            Err(error) => {
                report.wrong(key, error);
                None
            }
        }
    }
}

/// What a value is, in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a string",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a fraction",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}
