//! Cache headers.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;

fn of(headers: &[(&'static str, &str)]) -> Option<u64> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    lifetime(&map)
}

const DATE: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");

#[test]
fn the_lifetime_is_max_age_less_age_and_the_strictest_word_counts() {
    assert_eq!(of(&[]), None);
    assert_eq!(of(&[("cache-control", "public")]), None);
    assert_eq!(of(&[("cache-control", "public, Max-Age=600")]), Some(600));
    assert_eq!(of(&[("cache-control", "max-age=\"600\"")]), Some(600));
    assert_eq!(of(&[("cache-control", "max-age=600"), ("age", "100")]), Some(500));
    assert_eq!(of(&[("cache-control", "max-age=10"), ("age", "100")]), Some(0));
    assert_eq!(of(&[("cache-control", "public"), ("cache-control", "max-age=60")]), Some(60));
    assert_eq!(of(&[("cache-control", "max-age=60, max-age=5")]), Some(5));
    assert_eq!(of(&[("cache-control", "max-age=60"), ("cache-control", "no-store")]), Some(0));
    assert_eq!(of(&[("cache-control", "no-cache, max-age=60")]), Some(0));
    assert_eq!(of(&[("cache-control", "max-age=99999999999999999999999")]), Some(u64::MAX));
    for broken in ["max-age=", "max-age", "max-age=-5", "max-age=+5", "max-age=1.5", "max-age=x"] {
        assert_eq!(of(&[("cache-control", broken)]), Some(0), "{broken}");
    }
}

#[test]
fn without_max_age_it_is_expires_less_date_and_what_is_not_a_date_is_past() {
    let expires = |text| of(&[DATE, ("expires", text)]);
    assert_eq!(expires("Sun, 06 Nov 1994 08:59:37 GMT"), Some(600));
    assert_eq!(expires("Mon, 07 Nov 1994 08:49:37 GMT"), Some(86_400));
    assert_eq!(expires("Mon, 06 Nov 1995 08:49:37 GMT"), Some(365 * 86_400));
    assert_eq!(expires("Sat, 05 Nov 1994 08:49:37 GMT"), Some(0));
    for broken in ["0", "", "-1", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "06 Nov 1994"] {
        assert_eq!(expires(broken), Some(0), "{broken}");
    }
    for broken in ["Sun, 06 Nov 1994 24:59:37 GMT", "Sun, 32 Nov 1994 08:59:37 GMT", "Sun, 06 Xyz 1994 08:59:37 GMT"] {
        assert_eq!(expires(broken), Some(0), "{broken}");
    }
    assert_eq!(of(&[("expires", "Sun, 06 Nov 2094 08:59:37 GMT")]), Some(0), "nobody knows from when");
    let both = [DATE, ("expires", "Sun, 06 Nov 1994 08:59:37 GMT"), ("cache-control", "max-age=5")];
    assert_eq!(of(&both), Some(5), "RFC 9111 section 5.3");
    assert_eq!(of(&[DATE, ("expires", "Sun, 06 Nov 1994 08:59:37 GMT"), ("age", "50")]), Some(550));
}

#[test]
fn leap_years_have_a_day_more() {
    let days = |from: &str, to: &str| {
        let at = |day: &str| format!("Sun, {day} 00:00:00 GMT");
        of(&[("date", &at(from)), ("expires", &at(to))]).unwrap() / 86_400
    };
    assert_eq!(days("01 Jan 1970", "01 Jan 2000"), 10_957);
    assert_eq!(days("28 Feb 2000", "01 Mar 2000"), 2);
    assert_eq!(days("28 Feb 2024", "01 Mar 2024"), 2);
    assert_eq!(days("28 Feb 2026", "01 Mar 2026"), 1);
    assert_eq!(days("28 Feb 2100", "01 Mar 2100"), 1);
    assert_eq!(days("01 Jan 2024", "01 Jan 2025"), 366);
}
