//! Every block of the registries, to its edges.

use super::*;

/// The first and the last address of each block, and its neighbors: `None` where
/// the neighbor is special too.
type Block = (&'static str, &'static str, Option<&'static str>, Option<&'static str>);

const BLOCKS: &[Block] = &[
    ("0.0.0.0", "0.255.255.255", None, Some("1.0.0.0")),
    ("10.0.0.0", "10.255.255.255", Some("9.255.255.255"), Some("11.0.0.0")),
    ("100.64.0.0", "100.127.255.255", Some("100.63.255.255"), Some("100.128.0.0")),
    ("127.0.0.0", "127.255.255.255", Some("126.255.255.255"), Some("128.0.0.0")),
    ("168.63.129.16", "168.63.129.16", Some("168.63.129.15"), Some("168.63.129.17")),
    ("169.254.0.0", "169.254.255.255", Some("169.253.255.255"), Some("169.255.0.0")),
    ("172.16.0.0", "172.31.255.255", Some("172.15.255.255"), Some("172.32.0.0")),
    ("192.0.0.0", "192.0.0.255", Some("191.255.255.255"), Some("192.0.1.0")),
    ("192.0.2.0", "192.0.2.255", Some("192.0.1.255"), Some("192.0.3.0")),
    ("192.31.196.0", "192.31.196.255", Some("192.31.195.255"), Some("192.31.197.0")),
    ("192.52.193.0", "192.52.193.255", Some("192.52.192.255"), Some("192.52.194.0")),
    ("192.88.99.0", "192.88.99.255", Some("192.88.98.255"), Some("192.88.100.0")),
    ("192.168.0.0", "192.168.255.255", Some("192.167.255.255"), Some("192.169.0.0")),
    ("192.175.48.0", "192.175.48.255", Some("192.175.47.255"), Some("192.175.49.0")),
    ("198.18.0.0", "198.19.255.255", Some("198.17.255.255"), Some("198.20.0.0")),
    ("198.51.100.0", "198.51.100.255", Some("198.51.99.255"), Some("198.51.101.0")),
    ("203.0.113.0", "203.0.113.255", Some("203.0.112.255"), Some("203.0.114.0")),
    ("224.0.0.0", "239.255.255.255", Some("223.255.255.255"), None),
    ("240.0.0.0", "255.255.255.255", None, None),
    // Unspecified, loopback, compatible, mapped, translated, discard, and all that was never given out.
    ("::", "::", None, None),
    ("::1", "::1", None, None),
    ("::5db8:d822", "::ffff:ffff", None, None),
    ("::ffff:0.0.0.0", "::ffff:255.255.255.255", None, None),
    ("::ffff:93.184.216.34", "::ffff:10.0.0.1", None, None),
    ("64:ff9b::", "64:ff9b::ffff:ffff", None, None),
    ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", None, None),
    ("100::", "100::ffff:ffff:ffff:ffff", None, None),
    ("100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff", None, None),
    ("::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, Some("2000::")),
    ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", Some("2000:ffff::"), Some("2001:200::")),
    ("2001:0:5ef5:79fd::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
    ("2001:1::1", "2001:1::3", None, None),
    ("2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", None, None),
    ("2001:3::", "2001:4:112:ffff:ffff:ffff:ffff:ffff", None, None),
    ("2001:10::", "2001:3f:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", Some("2001:db7:ffff::"), Some("2001:db9::")),
    ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some("2001:ffff::"), Some("2003::")),
    ("2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", Some("2620:4f:7fff:ffff::"), Some("2620:4f:8001::")),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", Some("3ffe:ffff::"), Some("3fff:1000::")),
    ("4000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some("3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), None),
    ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
    ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
    ("fd00:ec2::254", "fd20:ce::254", None, None),
    ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
    ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
    ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
];

/// Well-known places on the public network.
const PUBLIC_ADDRESSES: &[&str] = &["1.1.1.1", "8.8.8.8", PUBLIC, "2001:4860:4860::8888", "2606:4700::1111", "2a00::1"];

// spec: REG-32, SEC-14
#[tokio::test]
async fn no_document_is_fetched_from_an_address_in_the_special_use_registries() {
    for (first, last, before, after) in BLOCKS {
        for address in [ip(first), ip(last)] {
            assert!(is_special_use(address), "{address}");
            // Alone, and wherever it stands among public ones.
            for answer in [&[address][..], &[ip(PUBLIC), address], &[address, ip(PUBLIC)]] {
                let error = Addresses::default().check(answer, 443).unwrap_err();
                assert!(matches!(error, FetchError::Refused(Refusal::Address(bad)) if bad == address), "{error:?}");
            }
        }
        for neighbor in [before, after].into_iter().flatten() {
            assert!(!is_special_use(ip(neighbor)), "{neighbor}");
        }
    }
    for address in PUBLIC_ADDRESSES {
        assert!(Addresses::default().check(&[ip(address)], 443).is_ok(), "{address}");
    }
}

// spec: REG-32
#[tokio::test]
async fn each_of_the_blocks_is_refused_before_anybody_is_connected_to() {
    let world = World::new(|_| Reply::json(KEYS)).await;
    for (number, (first, last, ..)) in BLOCKS.iter().enumerate() {
        *world.names.answers.lock().unwrap() = [vec![ip(PUBLIC), ip(last)], vec![ip(first)]].into();
        for path in ["mixed", "alone"] {
            let outcome = world.fetch.fetch(keys_at(&format!("https://n{number}.example/{path}"))).await;
            assert!(matches!(outcome, Err(FetchError::Refused(Refusal::Address(_)))), "{first}: {outcome:?}");
        }
    }
    assert_eq!(world.names.asked().len(), 2 * BLOCKS.len());
    assert!(world.detour.dialed().is_empty() && world.site.connections() == 0);
}

#[test]
fn the_owner_may_refuse_more_and_at_their_own_risk_allow_more() {
    let own = Addresses {
        allowed: vec!["10.1.0.0/16".parse().unwrap(), "fd00::/8".parse().unwrap()],
        refused: vec!["93.184.216.0/24".parse().unwrap(), "10.1.9.0/24".parse().unwrap()],
        ..Addresses::default()
    };
    let permits = |text: &str| own.check(&[ip(text)], 443).is_ok();
    assert!(permits("10.1.2.3") && permits("fd00::1") && permits("1.1.1.1"));
    assert!(!permits("10.2.0.1") && !permits("10.1.9.1") && !permits(PUBLIC) && !permits("127.0.0.1"));
}

#[test]
fn behind_a_translator_it_is_the_address_inside_that_counts() {
    let refused = vec!["1.1.1.0/24".parse().unwrap()];
    let translated = Addresses { nat64: true, refused, ..Addresses::default() };
    let permits = |text: &str| translated.check(&[ip(text)], 443).is_ok();
    assert!(permits("64:ff9b::93.184.216.34"));
    for inside in ["64:ff9b::10.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b::1.1.1.1"] {
        assert!(!permits(inside), "{inside}");
    }
    // Other prefixes are somebody's own.
    assert!(!permits("64:ff9b:1::93.184.216.34") && !permits("64:ff9b:0:1::93.184.216.34"));
    assert!(Addresses::default().check(&[ip("64:ff9b::93.184.216.34")], 443).is_err());
}
