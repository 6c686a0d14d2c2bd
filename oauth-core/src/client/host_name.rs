//! Hosts that can be somebody's.

use url::{Host, Url};

/// The longest label, and the longest name (RFC 1035 section 2.3.4: 255 octets, of which the text lacks
/// two).
const LABEL: usize = 63;
const NAME: usize = 253;

/// Whether the host of `url` is an address, or a name that can be one: URL parsers take
/// `.example.com`, `a..example.com` and `-a.example.com` as well, which nobody can have (RFC 1123
/// section 2.1).
///
/// `_` passes, since there are such names in the field; so does a dot at the end.
pub(super) fn has_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_name(name),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        None => false,
    }
}

fn is_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.len() <= NAME && name.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let outside = |end: Option<&u8>| end.is_some_and(|byte| *byte != b'-');
    let bytes = label.as_bytes();
    label.len() <= LABEL && bytes.iter().copied().all(legal) && outside(bytes.first()) && outside(bytes.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(host: &str) -> bool {
        Url::parse(&format!("https://{host}/")).is_ok_and(|url| has_host(&url))
    }

    #[test]
    fn a_host_is_an_address_or_a_name_whose_labels_are_some() {
        let long = "a".repeat(63);
        let longest = format!("{long}.{long}.{long}.{}", "a".repeat(61));
        for good in ["example.com", "a-b.xn--bcher-kva.example", "a_b.example", "3.example", "localhost", "192.0.2.1"] {
            assert!(has(good), "{good}");
        }
        assert!(has("[2001:db8::1]") && has("example.com.") && has(&longest));
        for bad in [".example.com", "a..example.com", "-a.example.com", "a-.example.com", "a.-b.com", "example.com.."] {
            assert!(!has(bad), "{bad}");
        }
        for bad in ["a'b.example", "a,b.example", "a!.example", "~.example", "."] {
            assert!(!has(bad), "{bad}");
        }
        assert!(!has(&format!("a{longest}")) && !has(&format!("a{long}.example")));
    }
}
