//! URLs that a stranger names for this server to ask: what is accepted has one reading, and no reading is a place inside.
#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use oauth_core::fetch::FetchUrl;
use url::{Host, Url};

fuzz_target!(|text: &str| {
    let strict = FetchUrl::parse(text);
    let lenient = FetchUrl::insecure_parse_loopback(text);
    assert!(strict.is_err() || strict == lenient, "the development flag only adds");
    let Ok(url) = lenient else { return };
    // Its own spelling is read alike, and the other parser reads the same out of both.
    assert_eq!(FetchUrl::insecure_parse_loopback(&url.to_string()).as_ref(), Ok(&url));
    let other = Url::parse(text).expect("a URL");
    assert_eq!(Url::parse(&url.to_string()).as_ref(), Ok(&other));
    assert_eq!((other.scheme() == "https", other.port_or_known_default()), (url.is_https(), Some(url.port())));
    assert!(other.username().is_empty() && other.password().is_none() && other.fragment().is_none() && url.port() != 0);
    // What is sent is a request line and a `Host` that hold nothing else.
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_graphic() && !b"\\\"<>^`{|}#".contains(&b));
    assert!(url.target().starts_with('/') && plain(url.target()) && plain(&url.authority()));
    let path = url.target().split('?').next().unwrap_or_default();
    let is_dots = |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    assert!(!path.split('/').any(is_dots));
    // The host is a name; what an address may look like is none.
    if strict.is_ok() {
        assert!(url.is_https() && !url.is_localhost() && url.address().is_none());
        assert!(url.host().contains('.') && !url.host().ends_with('.') && url.host().parse::<IpAddr>().is_err());
        assert_eq!(other.host(), Some(Host::Domain(url.host())));
    } else {
        assert!(url.is_localhost() || url.address().is_some_and(|address| address.is_loopback()));
    }
});
