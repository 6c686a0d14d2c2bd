//! What a request says of its content (RFC 9110 section 8.3).

use http::{HeaderMap, header::CONTENT_TYPE};

/// Checks that the content is said to be of `media_type`, once, and in no charset
/// that would be read otherwise than as UTF-8 (OAuth 2.1 section 3.2; RFC 8259
/// section 8.1). Fails with what the client is to hear.
pub(super) fn check(headers: &HeaderMap, media_type: &str) -> Result<(), String> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let value = values.next().and_then(|value| value.to_str().ok()).unwrap_or_default();
    // RFC 9110 section 5.3: it is no list. Of two, somebody else may have gone by the other one.
    if values.next().is_some() || value.contains(',') {
        return Err("there must be one Content-Type".to_owned());
    }
    let (given, parameters) = value.split_once(';').unwrap_or((value, ""));
    if !given.trim().eq_ignore_ascii_case(media_type) {
        return Err(format!("the body must be {media_type}"));
    }
    if !parameters.split(';').all(is_read_so) {
        return Err("the body must be in UTF-8, and not in the charset that it names".to_owned());
    }
    Ok(())
}

/// Whether `parameter` leaves it at UTF-8. Others mean nothing here, so that one
/// whose quotes hold a semicolon need not be understood.
fn is_read_so(parameter: &str) -> bool {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    if !name.trim().eq_ignore_ascii_case("charset") {
        return true;
    }
    let value = value.trim();
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    // The second is no name that is registered, and what many write. The others are what some libraries
    // say of every form: of ASCII it is true, and what else there is of them is not well-formed in UTF-8.
    ["utf-8", "utf8", "iso-8859-1", "us-ascii"].iter().any(|name| value.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded";

    fn judge(values: &[&str]) -> Result<(), String> {
        let pair = |value: &&str| (CONTENT_TYPE, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        check(&values.iter().map(pair).collect(), FORM)
    }

    /// What is said of it, which begins with `text`.
    fn is_wrong(values: &[&str], text: &str) {
        assert!(judge(values).unwrap_err().starts_with(text), "{values:?}");
    }

    // spec: TOK-02
    #[test]
    fn utf_8_may_be_named_and_no_charset_that_is_read_otherwise() {
        for good in ["", ";", ";charset=utf-8", "; charset=UTF-8", " ; Charset=\"Utf-8\"", ";a=b; CHARSET=utf8 ;", ";a"]
            .into_iter()
            .chain(["; charset=ISO-8859-1", "; charset=us-ascii; charset=utf-8"])
        {
            assert_eq!(judge(&[&format!("{FORM}{good}")]), Ok(()), "{good}");
        }
        for bad in [
            "utf-16",
            "\"utf-16\"",
            "iso-8859-2",
            "ebcdic-us",
            "utf-7",
            "utf-80",
            "'utf-8'",
            "\"utf-8",
            "\"\"",
            "",
            "utf-8; charset=utf-16",
            "utf-16; charset=utf-8",
            "\"utf-8;\"",
        ] {
            is_wrong(&[&format!("{FORM}; charset={bad}")], "the body must be in UTF-8");
        }
        is_wrong(&[&format!("{FORM};charset")], "the body must be in UTF-8");
    }

    // spec: TOK-02
    #[test]
    fn of_two_types_neither_counts_and_of_others_none() {
        for (first, second) in [(FORM, "text/plain"), ("text/plain", FORM), (FORM, FORM), (FORM, "")] {
            is_wrong(&[first, second], "there must be one");
            // As a proxy may join them.
            is_wrong(&[&format!("{first}, {second}")], "there must be one");
        }
        is_wrong(&[&format!("{FORM}; a=b, text/plain")], "there must be one");
        for other in ["", "application/json", "text/plain; application/x-www-form-urlencoded", "application/x-www-form"]
        {
            is_wrong(&[other], "the body must be application/x-www-form-urlencoded");
        }
        is_wrong(&["application/x-www-form-urlencoded\u{e9}"], "the body must be application/x-www-form-urlencoded");
        is_wrong(&[], "the body must be application/x-www-form-urlencoded");
    }
}
