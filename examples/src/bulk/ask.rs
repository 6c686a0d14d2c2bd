//! What an administrator asks for.

use oauth_core::{client::ClientId, clock::UnixTime, server::Selection};
use serde::Deserialize;
use toml::value::{Datetime, Offset};

/// `{"subject": ".."}`, `{"subject": "..", "device": ".."}`, `{"client": ".."}` or
/// `{"issued_before": ..}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ask {
    subject: Option<String>,
    device: Option<String>,
    client: Option<ClientId>,
    issued_before: Option<Time>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Time {
    Seconds(u64),
    Text(String),
}

impl Ask {
    pub(super) fn selection(self) -> Result<Selection, &'static str> {
        match (self.subject, self.device, self.client, self.issued_before) {
            (Some(subject), None, None, None) => Ok(Selection::Subject(subject)),
            (Some(subject), Some(device), None, None) => Ok(Selection::Device { subject, device }),
            (None, None, Some(client), None) => Ok(Selection::Client(client)),
            (None, None, None, Some(Time::Seconds(seconds))) => Ok(Selection::IssuedBefore(UnixTime(seconds))),
            (None, None, None, Some(Time::Text(text))) => Ok(Selection::IssuedBefore(time(&text)?)),
            _ => Err("give one of subject, subject and device, client, issued_before"),
        }
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
    fn what_is_asked_for_is_one_thing() {
        let ask = |text| serde_json::from_str::<Ask>(text).map(Ask::selection);
        let device = Selection::Device { subject: "alice".to_owned(), device: "D".to_owned() };
        assert_eq!(ask(r#"{"subject":"alice","device":"D"}"#).unwrap(), Ok(device));
        assert_eq!(
            ask(r#"{"issued_before":"1970-01-01T00:00:07Z"}"#).unwrap(),
            Ok(Selection::IssuedBefore(UnixTime(7)))
        );
        assert_eq!(ask(r#"{"issued_before":7}"#).unwrap(), Ok(Selection::IssuedBefore(UnixTime(7))));
        for wrong in
            ["{}", r#"{"device":"D"}"#, r#"{"subject":"a","client":"b"}"#, r#"{"client":"b","issued_before":1}"#]
        {
            assert!(ask(wrong).unwrap().is_err(), "{wrong}");
        }
        assert!(ask(r#"{"subjct":"alice"}"#).is_err() && ask(r#"{"issued_before":-1}"#).is_err());
    }
}
