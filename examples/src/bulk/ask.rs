//! What an administrator asks for.

use std::fmt;

use oauth_core::{client::ClientId, clock::UnixTime, server::Selection};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;
use toml::value::{Datetime, Offset};

/// The members of `{"subject": ".."}`, `{"subject": "..", "device": ".."}`,
/// `{"client": ".."}` or `{"issued_before": ..}`, in their order: of two with one
/// name, neither is lost.
pub(super) struct Members(Vec<(String, Value)>);

impl Members {
    /// # Errors
    /// Which member is wrong, and why.
    pub(super) fn selection(self) -> Result<Selection, String> {
        let mut ask = Ask::default();
        for (name, value) in self.0 {
            ask.take(&name, &value).map_err(|why| format!("{name}: {why}"))?;
        }
        ask.selection().map_err(str::to_owned)
    }
}

#[derive(Default)]
struct Ask {
    subject: Option<String>,
    device: Option<String>,
    client: Option<ClientId>,
    issued_before: Option<UnixTime>,
}

impl Ask {
    fn take(&mut self, name: &str, value: &Value) -> Result<(), &'static str> {
        match name {
            "subject" => set(&mut self.subject, text(value)?.to_owned()),
            "device" => set(&mut self.device, text(value)?.to_owned()),
            "client" => set(&mut self.client, text(value)?.parse().map_err(|_| "is no client_id")?),
            "issued_before" => set(&mut self.issued_before, moment(value)?),
            _ => Err("there is no such member"),
        }
    }

    fn selection(self) -> Result<Selection, &'static str> {
        match (self.subject, self.device, self.client, self.issued_before) {
            (Some(subject), None, None, None) => Ok(Selection::Subject(subject)),
            (Some(subject), Some(device), None, None) => Ok(Selection::Device { subject, device }),
            (None, None, Some(client), None) => Ok(Selection::Client(client)),
            (None, None, None, Some(time)) => Ok(Selection::IssuedBefore(time)),
            _ => Err("give one of subject, subject and device, client, issued_before"),
        }
    }
}

fn set<T>(member: &mut Option<T>, value: T) -> Result<(), &'static str> {
    if member.replace(value).is_some() { Err("is given twice") } else { Ok(()) }
}

/// An empty one is what a script sends whose variable is not set.
fn text(value: &Value) -> Result<&str, &'static str> {
    value.as_str().filter(|text| !text.is_empty()).ok_or("must be a text that is not empty")
}

fn moment(value: &Value) -> Result<UnixTime, &'static str> {
    match value.as_u64() {
        Some(seconds) => Ok(UnixTime(seconds)),
        None => time(value.as_str().unwrap_or_default()),
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Each;

        impl<'de> Visitor<'de> for Each {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        from.deserialize_map(Each)
    }
}

/// A time as RFC 3339 writes it, `2026-11-22T21:00:00Z`, or in seconds since 1970.
///
/// # Errors
/// If it is neither, or was before 1970.
pub fn time(text: &str) -> Result<UnixTime, &'static str> {
    const WRONG: &str = "must be a time such as 2026-11-22T21:00:00Z, or seconds since 1970";
    if let Ok(seconds) = text.parse() {
        return Ok(UnixTime(seconds));
    }
    let Ok(Datetime { date: Some(date), time: Some(time), offset: Some(offset) }) = text.parse() else {
        return Err(WRONG);
    };
    let offset = match offset {
        Offset::Z => 0,
        Offset::Custom { minutes } => i64::from(minutes) * 60,
    };
    let days = days_before(i64::from(date.year), i64::from(date.month)) + i64::from(date.day) - 1;
    let second = i64::from(time.hour) * 3_600 + i64::from(time.minute) * 60 + i64::from(time.second.unwrap_or(0));
    u64::try_from(days * 86_400 + second - offset).map(UnixTime).map_err(|_| WRONG)
}

/// How many days of the Gregorian calendar lie between 1970 and that month.
fn days_before(year: i64, month: i64) -> i64 {
    // Years that begin in March end with the day that leap years have more.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap + (month * 153 + 2) / 5 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_it_is_written() {
        for (text, seconds) in [
            ("0", 0),
            ("1800000000", 1_800_000_000),
            ("1970-01-01T00:00:00Z", 0),
            ("2027-01-15T08:00:00Z", 1_800_000_000),
            ("2027-01-15T10:00:00+02:00", 1_800_000_000),
            ("2027-01-15t07:30:00.9-00:30", 1_800_000_000),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
        ] {
            assert_eq!(time(text), Ok(UnixTime(seconds)), "{text}");
        }
        for wrong in
            ["", "yesterday", "-1", "2027-01-15", "2027-01-15T08:00:00", "1969-12-31T23:59:59Z", "2027-13-01T00:00:00Z"]
        {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_asked_for_is_one_thing_and_what_is_wrong_is_named() {
        let ask = |text| serde_json::from_str::<Members>(text).unwrap().selection();
        let device = Selection::Device { subject: "alice".to_owned(), device: "D".to_owned() };
        assert_eq!(ask(r#"{"subject":"alice","device":"D"}"#), Ok(device));
        assert_eq!(ask(r#"{"issued_before":"1970-01-01T00:00:07Z"}"#), Ok(Selection::IssuedBefore(UnixTime(7))));
        assert_eq!(ask(r#"{"issued_before":7}"#), Ok(Selection::IssuedBefore(UnixTime(7))));
        for (wrong, named) in [
            ("{}", "give one of"),
            (r#"{"device":"D"}"#, "give one of"),
            (r#"{"subject":"a","client":"b"}"#, "give one of"),
            (r#"{"client":"b","issued_before":1}"#, "give one of"),
            (r#"{"subjct":"alice"}"#, "subjct: "),
            (r#"{"subject":""}"#, "subject: "),
            (r#"{"subject":7}"#, "subject: "),
            // Else all that is alice's would go with the one device.
            (r#"{"subject":"alice","device":null}"#, "device: "),
            (r#"{"subject":"alice","device":""}"#, "device: "),
            (r#"{"subject":"alice","subject":"bob"}"#, "subject: "),
            (r#"{"client":"\n"}"#, "client: "),
            (r#"{"issued_before":-1}"#, "issued_before: "),
            (r#"{"issued_before":"yesterday"}"#, "issued_before: "),
        ] {
            let error = ask(wrong).unwrap_err();
            assert!(error.starts_with(named), "{wrong} {error}");
        }
    }
}
