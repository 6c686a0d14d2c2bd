//! `Cookie` fields, a line each: a value that is read stands there once, under exactly that name.
#![no_main]

use http::{HeaderMap, HeaderValue, header::COOKIE};
use libfuzzer_sys::fuzz_target;
use oauth_core::cookie;

const NAME: &str = "__Host-oauth-session";

fuzz_target!(|text: &str| {
    let mut headers = HeaderMap::new();
    for line in text.lines() {
        let Ok(value) = HeaderValue::from_str(line) else { return };
        headers.append(COOKIE, value);
    }
    let Some(value) = cookie::read(&headers, NAME) else { return };
    assert!(value.bytes().all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)));
    let pairs =
        text.lines().flat_map(|line| line.split(';')).take(256).filter_map(|pair| pair.trim_ascii().split_once('='));
    let values: Vec<_> = pairs.filter(|(name, _)| *name == NAME).map(|(_, value)| value).collect();
    assert_eq!(values, [value], "one that is there twice was planted");
    // What is read can be written, and reads the same again.
    let written = cookie::write("oauth-session", value, None, false);
    let pair = written.to_str().expect("ASCII").split(';').next().unwrap_or_default();
    assert_eq!(pair, format!("{NAME}={value}"));
});
