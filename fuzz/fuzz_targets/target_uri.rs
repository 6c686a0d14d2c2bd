//! Target URIs: normal form is a fixed point, and has no part that could hide another target.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oauth_core::dpop::TargetUri;

fuzz_target!(|uri: &str| {
    if uri.len() + 8 > TargetUri::MAX_BYTES {
        return;
    }
    let Ok(target) = TargetUri::parse(uri) else { return };
    let text = target.as_str();
    assert_eq!(TargetUri::parse(text).as_ref(), Ok(&target));
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).expect("a known scheme");
    let (authority, path) = rest.split_once('/').expect("a path");
    assert!(!authority.is_empty() && !authority.contains('@'));
    assert_eq!(authority, authority.to_ascii_lowercase());
    assert!(path.split('/').all(|segment| !matches!(segment, "." | "..")));
    assert!(text.bytes().all(|b| b.is_ascii_graphic() && !b"?#\\\"<>^`{|}".contains(&b)));
    for tail in ["?a=/../b", "#a", "?"] {
        let bare = uri.split(['?', '#']).next().unwrap_or_default();
        assert_eq!(TargetUri::parse(&format!("{bare}{tail}")).as_ref(), Ok(&target));
    }
});
