//! For how long a response is good, by what it says itself ([RFC 9111]).
//!
//! [RFC 9111]: https://www.rfc-editor.org/rfc/rfc9111

use http::{
    HeaderMap, HeaderName,
    header::{AGE, CACHE_CONTROL, DATE, EXPIRES},
};

/// For how many seconds a response with these headers is fresh; `None` if it
/// does not say (RFC 9111 section 4.2.1). Whoever keeps it bounds this on both
/// sides.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header};
/// let mut headers = HeaderMap::new();
/// headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=600"));
/// headers.insert(header::AGE, HeaderValue::from_static("100"));
/// assert_eq!(oauth_core::fetch::lifetime(&headers), Some(500));
/// ```
#[must_use]
pub fn lifetime(headers: &HeaderMap) -> Option<u64> {
    let mut lifetime = None;
    for directive in directives(headers) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        let is = |other| name.trim().eq_ignore_ascii_case(other);
        if is("no-store") || is("no-cache") {
            return Some(0);
        }
        if is("max-age") {
            // RFC 9111 section 4.2.1: of several, the most restrictive one; and
            // what is not a number is stale.
            let seconds = number(value.trim().trim_matches('"'));
            lifetime = Some(lifetime.map_or(seconds, |other: u64| other.min(seconds)));
        }
    }
    let age = texts(headers, &AGE).last().map_or(0, number);
    Some(lifetime.or_else(|| expires(headers))?.saturating_sub(age))
}

/// RFC 9111 section 5.3: from `Date` to `Expires`. An invalid one, "especially
/// the value "0"", lies in the past; without a `Date` that can be read nobody
/// knows how far ahead it is.
fn expires(headers: &HeaderMap) -> Option<u64> {
    let until = texts(headers, &EXPIRES).last()?;
    let from = texts(headers, &DATE).last().and_then(seconds_of);
    Some(seconds_of(until).zip(from).map_or(0, |(until, from)| until.saturating_sub(from)))
}

fn directives(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    texts(headers, &CACHE_CONTROL).flat_map(|text| text.split(',')).map(str::trim)
}

fn texts<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).into_iter().map(|value| value.to_str().unwrap_or_default())
}

/// RFC 9111 section 1.2.2: more than can be held is as much as can be held.
fn number(text: &str) -> u64 {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if is_number { text.parse().unwrap_or(u64::MAX) } else { 0 }
}

/// An IMF-fixdate, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7), in
/// seconds since 1970. The two obsolete forms count as invalid.
fn seconds_of(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once(", ")?;
    let mut parts = rest.split(' ');
    let day: u64 = parts.next()?.parse().ok()?;
    let month = MONTHS.iter().position(|name| Some(*name) == parts.clone().next())?;
    let year: u64 = parts.nth(1)?.parse().ok().filter(|year| (1970..10_000).contains(year))?;
    let mut clock = parts.next()?.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let ends = parts.next() == Some("GMT") && parts.next().is_none() && clock.next().is_none();
    let legal = (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    (ends && legal).then(|| (days_before(year, month) + day - 1) * 86_400 + hour * 3_600 + minute * 60 + second)
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Days from 1970 to the first of a month.
fn days_before(year: u64, month: usize) -> u64 {
    const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    // Leap days up to the end of `year - 1`, and this year's if it is past.
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    let is_leap = leap_days(year) > leap_days(year - 1);
    let years = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969);
    years + BEFORE.get(month).copied().unwrap_or_default() + u64::from(is_leap && month > 1)
}
