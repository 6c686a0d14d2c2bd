//! Redirect URIs: one line registered, one line requested.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oauth_core::client::RedirectUri;
use oauth_core_fuzz::two_lines;
use url::Url;

fuzz_target!(|text: &str| {
    let (registered, requested) = two_lines(text);
    let Ok(uri) = RedirectUri::parse(registered) else { return };
    assert_eq!(uri.as_str(), registered);
    assert!(uri.matches(registered) && !uri.shown_host().is_empty());
    let own = Url::parse(registered).expect("a URL");
    assert!(own.fragment().is_none() && own.username().is_empty() && own.password().is_none());
    assert!(!registered.contains(['\r', '\n', ' ', '#', '*', '\\', '"', '<', '>']));
    assert!(!matches!(own.scheme(), "javascript" | "data" | "file" | "vbscript" | "blob" | "about"));
    if own.scheme() == "http" {
        assert!(matches!(own.host(), Some(url::Host::Ipv4(ip)) if ip.is_loopback()) || own.host_str() == Some("[::1]"));
    }
    if requested != registered && uri.matches(requested) {
        // RFC 8252 section 7.3: nothing but the port of a loopback address differs.
        let mut other = Url::parse(requested).expect("a URL");
        assert_eq!(other.scheme(), "http");
        assert!(matches!(other.host_str(), Some("127.0.0.1" | "[::1]")));
        assert!(other.set_port(own.port()).is_ok());
        assert_eq!(other, own);
    }
});
