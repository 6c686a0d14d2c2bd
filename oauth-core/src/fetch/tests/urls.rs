//! URLs as hostile clients write them.

use super::*;

/// What is refused, and why.
const REFUSED: &[(&str, InvalidFetchUrl)] = &[
    // Not a URL, or a relative one.
    ("", InvalidFetchUrl::Malformed),
    ("app.example", InvalidFetchUrl::Malformed),
    ("/client.json", InvalidFetchUrl::Malformed),
    ("//app.example/", InvalidFetchUrl::Malformed),
    ("https:app.example/", InvalidFetchUrl::Malformed),
    ("https:/app.example/", InvalidFetchUrl::Malformed),
    ("https:///app.example/", InvalidFetchUrl::Malformed),
    ("https://", InvalidFetchUrl::Malformed),
    ("https:///", InvalidFetchUrl::Malformed),
    ("https://?x", InvalidFetchUrl::Malformed),
    ("https://:443/", InvalidFetchUrl::Malformed),
    // Other schemes.
    ("http://app.example/", InvalidFetchUrl::NotHttps),
    ("http://127.0.0.1/", InvalidFetchUrl::NotHttps),
    ("http://localhost/", InvalidFetchUrl::NotHttps),
    ("ftp://app.example/", InvalidFetchUrl::NotHttps),
    ("gopher://app.example/", InvalidFetchUrl::Malformed),
    ("wss://app.example/", InvalidFetchUrl::NotHttps),
    ("file:///etc/passwd", InvalidFetchUrl::Malformed),
    ("file://app.example/etc/passwd", InvalidFetchUrl::Malformed),
    ("data://text/plain,x", InvalidFetchUrl::Malformed),
    ("javascript://app.example/%0aalert(1)", InvalidFetchUrl::Malformed),
    ("blob:https://app.example/x", InvalidFetchUrl::Malformed),
    ("view-source:https://app.example/", InvalidFetchUrl::Malformed),
    // Something before the host.
    ("https://ada@app.example/", InvalidFetchUrl::HasCredentials),
    ("https://ada:secret@app.example/", InvalidFetchUrl::HasCredentials),
    ("https://@app.example/", InvalidFetchUrl::HasCredentials),
    ("https://:@app.example/", InvalidFetchUrl::HasCredentials),
    ("https://app.example@evil.example/", InvalidFetchUrl::HasCredentials),
    ("https://app.example%40evil.example/", InvalidFetchUrl::Malformed),
    ("https://app.example&@evil.example/", InvalidFetchUrl::HasCredentials),
    // Fragments.
    ("https://app.example/#", InvalidFetchUrl::HasFragment),
    ("https://app.example/#x", InvalidFetchUrl::HasFragment),
    ("https://app.example#@evil.example/", InvalidFetchUrl::HasFragment),
    // Characters that a lenient reader drops or turns over.
    ("https://app.example\\@evil.example/", InvalidFetchUrl::Malformed),
    ("https:\\\\app.example\\", InvalidFetchUrl::Malformed),
    ("https://app.example/\\..\\x", InvalidFetchUrl::Malformed),
    ("https://app.exa\tmple/", InvalidFetchUrl::Malformed),
    ("https://app.exa\nmple/", InvalidFetchUrl::Malformed),
    ("https://app.example/\r\nhost: evil.example", InvalidFetchUrl::Malformed),
    (" https://app.example/", InvalidFetchUrl::Malformed),
    ("https://app.example/ ", InvalidFetchUrl::Malformed),
    ("https://app.example/a b", InvalidFetchUrl::Malformed),
    ("https://app.example/\0", InvalidFetchUrl::Malformed),
    ("https://app.example/\u{7f}", InvalidFetchUrl::Malformed),
    ("\u{feff}https://app.example/", InvalidFetchUrl::Malformed),
    ("https://app.example/<script>", InvalidFetchUrl::Malformed),
    ("https://app.example/\"", InvalidFetchUrl::Malformed),
    ("https://app.example/{x}", InvalidFetchUrl::Malformed),
    // Hosts in other letters, or encoded.
    ("https://bücher.example/", InvalidFetchUrl::Malformed),
    ("https://app。example/", InvalidFetchUrl::Malformed),
    ("https://ａpp.example/", InvalidFetchUrl::Malformed),
    ("https://①②⑦.⓪.⓪.①/", InvalidFetchUrl::Malformed),
    ("https://app%2eexample/", InvalidFetchUrl::Malformed),
    ("https://%61pp.example/", InvalidFetchUrl::Malformed),
    ("https://app.example%00.evil.example/", InvalidFetchUrl::Malformed),
    ("https://app.example%2f@evil.example/", InvalidFetchUrl::HasCredentials),
    ("https://xn--/", InvalidFetchUrl::Malformed),
    ("https://xn--a.example/", InvalidFetchUrl::Malformed),
    ("https://a..example/", InvalidFetchUrl::Host),
    ("https://.example/", InvalidFetchUrl::Host),
    ("https://app.example./", InvalidFetchUrl::Host),
    ("https://app*.example/", InvalidFetchUrl::Host),
    ("https://app!.example/", InvalidFetchUrl::Host),
    ("https://app,evil.example/", InvalidFetchUrl::Host),
    ("https://a$b.example/", InvalidFetchUrl::Host),
    // Names that are not public.
    ("https://localhost/", InvalidFetchUrl::Host),
    ("https://LOCALHOST/", InvalidFetchUrl::Host),
    ("https://localhost./", InvalidFetchUrl::Host),
    ("https://x.localhost/", InvalidFetchUrl::Host),
    ("https://intranet/", InvalidFetchUrl::Host),
    ("https://metadata/", InvalidFetchUrl::Host),
    // IPv4 in every form that somebody reads.
    ("https://127.0.0.1/", InvalidFetchUrl::Host),
    ("https://127.0.0.1./", InvalidFetchUrl::Host),
    ("https://127.1/", InvalidFetchUrl::Host),
    ("https://127.0.1/", InvalidFetchUrl::Host),
    ("https://2130706433/", InvalidFetchUrl::Host),
    ("https://017700000001/", InvalidFetchUrl::Host),
    ("https://0177.0.0.1/", InvalidFetchUrl::Host),
    ("https://0x7f000001/", InvalidFetchUrl::Host),
    ("https://0x7f.0.0.1/", InvalidFetchUrl::Host),
    ("https://0X7F.0.0.0x1/", InvalidFetchUrl::Host),
    ("https://0x7f.1/", InvalidFetchUrl::Host),
    ("https://0/", InvalidFetchUrl::Host),
    ("https://0x/", InvalidFetchUrl::Host),
    ("https://%31%32%37.0.0.1/", InvalidFetchUrl::Host),
    ("https://169.254.169.254/latest/meta-data/", InvalidFetchUrl::Host),
    ("https://2852039166/", InvalidFetchUrl::Host),
    ("https://93.184.216.34/", InvalidFetchUrl::Host),
    ("https://256.256.256.256/", InvalidFetchUrl::Malformed),
    ("https://1.2.3.4.5/", InvalidFetchUrl::Malformed),
    ("https://4294967296/", InvalidFetchUrl::Malformed),
    ("https://app.0x7f/", InvalidFetchUrl::Malformed),
    // IPv6, with and without IPv4 inside.
    ("https://[::1]/", InvalidFetchUrl::Host),
    ("https://[::]/", InvalidFetchUrl::Host),
    ("https://[0:0:0:0:0:0:0:1]/", InvalidFetchUrl::Host),
    ("https://[::ffff:127.0.0.1]/", InvalidFetchUrl::Host),
    ("https://[::ffff:7f00:1]/", InvalidFetchUrl::Host),
    ("https://[::127.0.0.1]/", InvalidFetchUrl::Host),
    ("https://[64:ff9b::7f00:1]/", InvalidFetchUrl::Host),
    ("https://[2606:2800:220:1:248:1893:25c8:1946]/", InvalidFetchUrl::Host),
    ("https://[fe80::1%25eth0]/", InvalidFetchUrl::Malformed),
    ("https://[fe80::1%eth0]/", InvalidFetchUrl::Malformed),
    ("https://[::1/", InvalidFetchUrl::Malformed),
    ("https://::1/", InvalidFetchUrl::Malformed),
    ("https://[v1.x]/", InvalidFetchUrl::Malformed),
    // Ports.
    ("https://app.example:0/", InvalidFetchUrl::Malformed),
    ("https://app.example:/", InvalidFetchUrl::Malformed),
    ("https://app.example:0443/", InvalidFetchUrl::Malformed),
    ("https://app.example:65536/", InvalidFetchUrl::Malformed),
    ("https://app.example:+443/", InvalidFetchUrl::Malformed),
    ("https://app.example:443:443/", InvalidFetchUrl::Malformed),
    ("https://app.example:x/", InvalidFetchUrl::Malformed),
    ("https://app.example:443@evil.example/", InvalidFetchUrl::HasCredentials),
    // Paths that would be sent as others.
    ("https://app.example/.", InvalidFetchUrl::Malformed),
    ("https://app.example/..", InvalidFetchUrl::Malformed),
    ("https://app.example/a/../b", InvalidFetchUrl::Malformed),
    ("https://app.example/a/./b", InvalidFetchUrl::Malformed),
    ("https://app.example/a/%2e%2e/b", InvalidFetchUrl::Malformed),
    ("https://app.example/a/%2E./b", InvalidFetchUrl::Malformed),
    ("https://app.example/%2e", InvalidFetchUrl::Malformed),
];

/// What is accepted: host, port, `Host` and what is asked for there.
const ACCEPTED: &[(&str, &str, u16, &str, &str)] = &[
    ("https://app.example", "app.example", 443, "app.example", "/"),
    ("https://app.example/", "app.example", 443, "app.example", "/"),
    ("https://app.example:443/", "app.example", 443, "app.example", "/"),
    ("https://app.example:80/", "app.example", 80, "app.example:80", "/"),
    ("https://app.example:65535/", "app.example", 65535, "app.example:65535", "/"),
    ("HTTPS://App.EXAMPLE/Client", "app.example", 443, "app.example", "/Client"),
    ("https://app.example?x", "app.example", 443, "app.example", "/?x"),
    ("https://app.example/?", "app.example", 443, "app.example", "/?"),
    ("https://app.example/a//b?c=/../d&e=@f:g", "app.example", 443, "app.example", "/a//b?c=/../d&e=@f:g"),
    ("https://app.example/%2Fa%20b/...", "app.example", 443, "app.example", "/%2Fa%20b/..."),
    ("https://app.example/@evil.example:80", "app.example", 443, "app.example", "/@evil.example:80"),
    ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "xn--bcher-kva.example", "/"),
    ("https://a_b.c-d.example:8443/x", "a_b.c-d.example", 8443, "a_b.c-d.example:8443", "/x"),
    ("https://127.0.0.1.nip.example/", "127.0.0.1.nip.example", 443, "127.0.0.1.nip.example", "/"),
];

// spec: SEC-14, AUZ-45
#[test]
fn only_https_to_a_name_that_every_reader_takes_alike_is_asked() {
    for (url, reason) in REFUSED {
        assert_eq!(FetchUrl::parse(url), Err(*reason), "{url:?}");
    }
    for (url, host, port, authority, target) in ACCEPTED {
        let read = FetchUrl::parse(url).unwrap();
        assert_eq!((read.host(), read.port()), (*host, *port), "{url}");
        assert_eq!((read.authority().as_str(), read.target()), (*authority, *target), "{url}");
        assert!(read.is_https() && read.address().is_none() && !read.is_localhost());
        assert_eq!(FetchUrl::parse(&read.to_string()), Ok(read), "{url}: its own spelling is read alike");
    }
}

#[test]
fn a_url_and_its_host_have_a_length() {
    let of = |length: usize| format!("https://app.example/{}", "a".repeat(length - 20));
    assert!(FetchUrl::parse(&of(FetchUrl::MAX_BYTES)).is_ok());
    assert_eq!(FetchUrl::parse(&of(FetchUrl::MAX_BYTES + 1)), Err(InvalidFetchUrl::Malformed));
    let host =
        |label: usize, labels: usize| format!("https://{}example/", format!("{}.", "a".repeat(label)).repeat(labels));
    assert!(FetchUrl::parse(&host(63, 3)).is_ok());
    assert!(FetchUrl::parse(&host(64, 1)).is_err());
    assert!(FetchUrl::parse(&host(63, 4)).is_err());
}

// spec: REG-32
#[test]
fn loopback_is_asked_only_where_a_development_flag_says_so() {
    let addresses = [
        ("http://127.0.0.1:8080/jwks", 8080),
        ("https://127.0.0.1/", 443),
        ("http://127.9.9.9/", 80),
        ("http://[::1]:8080/", 8080),
        ("http://localhost:3000/client.json", 3000),
        ("http://app.localhost/", 80),
        ("https://localhost:8443/", 8443),
    ];
    for (url, port) in addresses {
        assert!(FetchUrl::parse(url).is_err(), "{url}");
        let read = FetchUrl::insecure_parse_loopback(url).unwrap();
        assert_eq!((read.port(), read.is_https()), (port, url.starts_with("https")), "{url}");
        assert!(read.is_localhost() || read.address().is_some_and(|address| address.is_loopback()), "{url}");
        assert_eq!(FetchUrl::insecure_parse_loopback(&read.to_string()), Ok(read), "{url}");
    }
    let own_spellings =
        ["http://[::1]:0/", "http://127.1/", "http://0x7f.1/", "http://2130706433/", "http://[0:0::1]/"];
    let elsewhere =
        ["http://app.example/", "http://10.0.0.1/", "https://10.0.0.1/", "http://0.0.0.0/", "https://[::]/"];
    let mapped = ["http://[::ffff:127.0.0.1]/", "ftp://localhost/", "http://ada@localhost/", "https://localhost./"];
    for url in [&own_spellings[..], &elsewhere, &mapped].concat() {
        assert!(FetchUrl::insecure_parse_loopback(url).is_err(), "{url}");
    }
}

#[test]
fn what_is_printed_for_a_log_leaves_the_query_out() {
    let url = "https://app.example/request?secret=1";
    let printed = format!("{:?} {:?}", FetchUrl::parse(url).unwrap(), FetchRequest::new(url, Purpose::RequestObject));
    assert!(printed.contains("app.example/request") && !printed.contains("secret"), "{printed}");
}
