//! `WWW-Authenticate`: whatever text goes in, a valid header with these parameters comes out.
#![no_main]

use std::borrow::Cow;

use http::HeaderValue;
use libfuzzer_sys::fuzz_target;
use oauth_core::{challenge::Challenge, error::ErrorCode};

fuzz_target!(|data: (String, String, String, String, String, u64)| {
    let (scheme, name, realm, code, description, age) = data;
    let challenge = Challenge::new(scheme)
        .realm(&realm)
        .error(&ErrorCode::Other(Cow::Owned(code)))
        .error_description(&description)
        .resource_metadata(&realm)
        .acr_values([&*description, &*realm])
        .max_age(age)
        .parameter(name, &description);
    let header = challenge.to_header_value();
    assert!(HeaderValue::from_str(&header).is_ok_and(|value| value.to_str().is_ok()));
    assert!(header.bytes().all(|b| (0x20..=0x7E).contains(&b)));
    let mut rest = header.strip_prefix(challenge.scheme()).expect("the scheme comes first");
    assert!(!challenge.scheme().is_empty() && challenge.scheme().bytes().all(is_token));
    let mut names = Vec::new();
    while !rest.is_empty() {
        let (name, after) =
            parameter(rest.strip_prefix(if names.is_empty() { " " } else { ", " }).expect("a separator"));
        assert!(!names.contains(&name), "each parameter once");
        names.push(name);
        rest = after;
    }
    assert!(names.len() >= 6);
});

/// The name of the next parameter, and what follows it.
fn parameter(text: &str) -> (String, &str) {
    let (name, quoted) = text.split_once("=\"").expect("a quoted value");
    assert!(!name.is_empty() && name.bytes().all(is_token));
    let mut bytes = quoted.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next().expect("an escaped character")),
            b'"' => return (name.to_ascii_lowercase(), &quoted[at + 1..]),
            _ => {}
        }
    }
    panic!("the quote is never closed");
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
