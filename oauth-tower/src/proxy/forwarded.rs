//! The `Forwarded` header ([RFC 7239]).
//!
//! [RFC 7239]: https://www.rfc-editor.org/rfc/rfc7239

use std::{
    borrow::Cow,
    mem,
    net::{IpAddr, SocketAddr},
};

/// The longest line that is read: no chain of proxies is that long.
const MAX_BYTES: usize = 8 * 1024;

/// What one proxy says of the hop before it (RFC 7239 section 4).
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub(super) node: Option<Cow<'a, str>>,
    pub(super) proto: Option<Cow<'a, str>>,
    pub(super) host: Option<Cow<'a, str>>,
}

/// The elements of one line of the header, the last hop last; `None` if any
/// of it is malformed. A quote that a client has opened can end in what a proxy
/// has appended, so that the rest of such a line says nothing.
pub(super) fn elements(line: &str) -> Option<Vec<Element<'_>>> {
    if line.len() > MAX_BYTES {
        return None;
    }
    let (mut elements, mut element, mut empty) = (Vec::new(), Element::default(), true);
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches(SPACE);
        if !rest.is_empty() && !rest.starts_with([',', ';']) {
            rest = element.read(rest)?.trim_start_matches(SPACE);
            empty = false;
        }
        let end = rest.chars().next();
        // RFC 9110 section 5.6.1.2: empty elements of a list are ignored.
        if end != Some(';') && !mem::replace(&mut empty, true) {
            elements.push(mem::take(&mut element));
        }
        match end {
            None => return Some(elements),
            Some(',' | ';') => rest = rest.get(1..)?,
            Some(_) => return None,
        }
    }
}

const SPACE: [char; 2] = [' ', '\t'];

impl<'a> Element<'a> {
    /// Reads one pair, and returns what follows it.
    fn read(&mut self, text: &'a str) -> Option<&'a str> {
        let (name, rest) = text.split_once('=')?;
        if name.is_empty() || !name.bytes().all(is_token) {
            return None;
        }
        let (value, rest) = value(rest)?;
        // RFC 7239 section 4: names are case-insensitive.
        let place = match name.to_ascii_lowercase().as_str() {
            "for" => &mut self.node,
            "proto" => &mut self.proto,
            "host" => &mut self.host,
            _ => return Some(rest),
        };
        // "Each parameter MUST NOT occur more than once per field-value."
        place.replace(value).is_none().then_some(rest)
    }
}

/// A token or a quoted string, and what follows it. Addresses with a port or in
/// brackets have to be quoted, and often are not.
fn value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted_string(quoted);
    }
    let end = text.find([',', ';', ' ', '\t']).unwrap_or(text.len());
    let (value, rest) = text.split_at_checked(end)?;
    let legal = value.bytes().all(|byte| is_token(byte) || b":[]".contains(&byte));
    (legal && !value.is_empty()).then_some((value.into(), rest))
}

/// RFC 9110 section 5.6.4, after the first quote.
fn quoted_string(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value.into(), text.get(at + 1..)?)),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(character),
        }
    }
    None
}

/// RFC 9110 section 5.6.2.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

/// The address of a node (RFC 7239 section 6), as `X-Forwarded-For` has it
/// too: `192.0.2.1`, `[2001:db8::1]`, `2001:db8::1`, and with a port. `None` for
/// `unknown`, for a made-up name and for anything else.
pub(super) fn address(node: &str) -> Option<IpAddr> {
    let bare = node.parse().ok();
    let bracketed = || node.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    let with_port = || node.parse().ok().map(|address: SocketAddr| address.ip());
    // RFC 7239 section 6.3: a port may be made up as well.
    let with_name = || node.split_once(":_").and_then(|(host, _)| address(host));
    bare.or_else(bracketed).or_else(with_port).or_else(with_name).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element<'a>(node: Option<&'a str>, proto: Option<&'a str>, host: Option<&'a str>) -> Element<'a> {
        Element { node: node.map(Into::into), proto: proto.map(Into::into), host: host.map(Into::into) }
    }

    #[test]
    fn the_examples_of_rfc_7239_are_read() {
        let nodes = |line| -> Vec<String> {
            elements(line).unwrap().into_iter().map(|element| element.node.unwrap().into_owned()).collect()
        };
        assert_eq!(nodes("for=\"_gazonk\""), ["_gazonk"]);
        assert_eq!(nodes("For=\"[2001:db8:cafe::17]:4711\""), ["[2001:db8:cafe::17]:4711"]);
        assert_eq!(nodes("for=192.0.2.43, for=198.51.100.17"), ["192.0.2.43", "198.51.100.17"]);
        assert_eq!(nodes("for=192.0.2.43,for=\"[2001:db8:cafe::17]\",for=unknown").len(), 3);
        assert_eq!(
            elements("for=192.0.2.60;proto=http;by=203.0.113.43").unwrap(),
            [element(Some("192.0.2.60"), Some("http"), None)]
        );
        assert_eq!(
            elements("for=192.0.2.43, for=198.51.100.17;by=203.0.113.60;proto=http;host=example.com").unwrap(),
            [
                element(Some("192.0.2.43"), None, None),
                element(Some("198.51.100.17"), Some("http"), Some("example.com"))
            ]
        );
    }

    #[test]
    fn spaces_empty_elements_and_quoted_pairs_are_read_as_http_says() {
        assert_eq!(elements("").unwrap(), []);
        assert_eq!(elements(" , ;; ,\t").unwrap(), []);
        assert_eq!(elements(", for=a ; proto=b ,").unwrap(), [element(Some("a"), Some("b"), None)]);
        assert_eq!(elements("host=\"a\\\"b,c;d=e\"").unwrap(), [element(None, None, Some("a\"b,c;d=e"))]);
        assert_eq!(elements("by=x;secret=\"y\"").unwrap(), [Element::default()]);
        assert_eq!(elements("for=192.0.2.1:80").unwrap(), [element(Some("192.0.2.1:80"), None, None)]);
    }

    #[test]
    fn what_is_malformed_says_nothing() {
        let long = format!("for={}", "a".repeat(9000));
        for line in [
            "for",
            "for=",
            "=a",
            "for =a",
            "for= a",
            "for=\"a",
            "for=\"a\\",
            "for=\"a\"b",
            "for=a\"b\"",
            "for=a b",
            "for=a for=b",
            "for=a;FOR=b",
            "f(r=a",
            "for=é",
            "for=a, proto",
            &long,
        ] {
            assert_eq!(elements(line), None, "{line}");
        }
    }

    #[test]
    fn a_client_that_opens_a_quote_does_not_speak_for_the_proxy() {
        for start in ["for=1.1.1.1, x=\"", "x=\"", "for=1.1.1.1;x=\"\\", "for=\"1.1.1.1"] {
            for own in [", for=2.2.2.2", ", for=\"[2001:db8::1]\"", ", for=\"[2001:db8::1]:80\";host=\"a:80\""] {
                let line = format!("{start}{own}");
                assert_eq!(elements(&line), None, "{line}");
            }
        }
    }

    #[test]
    fn a_node_is_an_address_or_nobody() {
        for (node, is) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1:80", "192.0.2.1"),
            ("192.0.2.1:_x", "192.0.2.1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("[2001:db8::1]:_x", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(address(node), Some(is.parse().unwrap()), "{node}");
        }
        for node in ["", "unknown", "_hidden", "localhost", "192.0.2", "[192.0.2.1]", "[::1", "::1]", "192.0.2.1:99999"]
        {
            assert_eq!(address(node), None, "{node}");
        }
    }
}
