//! Cookies, strictly: read by exact name, written for this host alone.
//!
//! A cookie is `Secure; HttpOnly; SameSite=Lax; Path=/` and its name begins
//! with `__Host-`, so no other host and no plain connection can set or read it
//! (draft-ietf-httpbis-rfc6265bis section 4.1.3.2). Browsers refuse the prefix
//! and `Secure` over plain http, which development on loopback uses: there the
//! cookie has neither.

use http::{HeaderMap, HeaderValue, header::COOKIE};

/// The most pairs that are looked at, over all `Cookie` fields.
const MAX_PAIRS: usize = 256;

/// The full name of the cookie `base`.
///
/// ```
/// use oauth_core::cookie;
/// assert_eq!(cookie::name("oauth-session", false), "__Host-oauth-session");
/// assert_eq!(cookie::name("oauth-session", true), "oauth-session");
/// ```
#[must_use]
pub fn name(base: &str, development: bool) -> String {
    let prefix = if development { "" } else { "__Host-" };
    format!("{prefix}{base}")
}

/// The value of the cookie `name`, its full name.
///
/// None if it is absent, is not written as a cookie value should be, or is
/// there twice: a browser keeps only one of a `__Host-` name, so the second
/// was planted (RFC 6265 section 8.6).
///
/// ```
/// use http::{HeaderMap, HeaderValue, header::COOKIE};
/// use oauth_core::cookie;
/// let mut headers = HeaderMap::new();
/// headers.insert(COOKIE, HeaderValue::from_static("theme=dark; __Host-oauth-session=abc"));
/// assert_eq!(cookie::read(&headers, "__Host-oauth-session"), Some("abc"));
/// ```
#[must_use]
pub fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    // HTTP/2 may send each pair as a field of its own (RFC 9113 section 8.2.3).
    // Bytes, not text: what another app writes beside it hides nothing.
    let fields = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let pairs = fields.flat_map(|field| field.split(|byte| *byte == b';')).take(MAX_PAIRS);
    let mut values = pairs.filter_map(|pair| value_of(pair.trim_ascii(), name));
    let value = str::from_utf8(values.next()?).ok()?;
    (values.next().is_none() && is_cookie_value(value)).then_some(value)
}

/// What follows `name=`.
fn value_of<'a>(pair: &'a [u8], name: &str) -> Option<&'a [u8]> {
    pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")
}

/// A `Set-Cookie` value for the cookie `base`, whose full name is
/// [`name`]`(base, development)`. It lives until the browser ends its session,
/// or for `max_age` seconds; 0 removes it.
///
/// A `value` that no cookie can have (base64url always can) is written as the
/// removal of the cookie.
///
/// ```
/// use oauth_core::cookie;
/// let cookie = cookie::write("a", "v", Some(60), false);
/// assert_eq!(cookie, "__Host-a=v; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60");
/// assert_eq!(format!("{cookie:?}"), "Sensitive");
/// ```
#[must_use]
pub fn write(base: &str, value: &str, max_age: Option<u64>, development: bool) -> HeaderValue {
    let (value, max_age) = if is_cookie_value(value) { (value, max_age) } else { ("", Some(0)) };
    let (name, secure) = (name(base, development), if development { "" } else { "; Secure" });
    let max_age = max_age.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    // Lax, not Strict: the person arrives from the client's site.
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{max_age}");
    let mut cookie = HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static(""));
    cookie.set_sensitive(true);
    cookie
}

/// RFC 6265 section 4.1.1: *cookie-octet.
fn is_cookie_value(value: &str) -> bool {
    value.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x2B | 0x2D..=0x3A | 0x3C..=0x5B | 0x5D..=0x7E))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[&'static str]) -> HeaderMap {
        fields.iter().map(|field| (COOKIE, HeaderValue::from_static(field))).collect()
    }

    #[test]
    fn a_cookie_is_found_by_its_exact_name_in_any_field() {
        let headers = headers(&["a=1; __Host-a=2;b=3", "c=4=5"]);
        let read = |name| read(&headers, name);
        assert_eq!((read("a"), read("__Host-a"), read("b"), read("c")), (Some("1"), Some("2"), Some("3"), Some("4=5")));
        assert_eq!((read("A"), read("Host-a"), read("__host-a"), read("")), (None, None, None, None));
    }

    #[test]
    fn a_cookie_that_is_there_twice_is_not_believed() {
        assert_eq!(read(&headers(&["a=1; a=2"]), "a"), None);
        assert_eq!(read(&headers(&["a=1", "a=1"]), "a"), None);
    }

    #[test]
    fn a_cookie_of_another_app_hides_neither_a_cookie_nor_that_it_is_there_twice() {
        let odd = |field: &'static [u8]| (COOKIE, HeaderValue::from_bytes(field).unwrap());
        assert_eq!(read(&[odd(b"b=\xe9; a=1")].into_iter().collect(), "a"), Some("1"));
        assert_eq!(read(&[odd(b"a=1"), odd(b"b=\xe9; a=2")].into_iter().collect(), "a"), None);
        assert_eq!(read(&[odd(b"a=\xe9")].into_iter().collect(), "a"), None);
        assert_eq!(read(&headers(&["=1; ab=2"]), "a"), None);
    }

    #[test]
    fn a_value_outside_the_grammar_is_not_a_value() {
        assert_eq!(read(&headers(&["a=\"1\""]), "a"), None);
        assert_eq!(read(&headers(&["a=1 2"]), "a"), None);
        assert_eq!(write("a", "x; Domain=evil", None, false), write("a", "", Some(0), false));
    }

    // spec: AUZ-25
    #[test]
    fn cookies_are_for_this_host_over_tls_and_not_for_scripts() {
        let cookie = write("a", "v", None, false);
        assert_eq!(cookie, "__Host-a=v; Path=/; HttpOnly; SameSite=Lax; Secure");
        let cookie = write("a", "v", None, true);
        assert_eq!(cookie, "a=v; Path=/; HttpOnly; SameSite=Lax");
    }

    // spec: SEC-07
    #[test]
    fn a_cookie_does_not_show_in_debug_output() {
        assert_eq!(format!("{:?}", write("a", "secret", None, false)), "Sensitive");
    }
}
