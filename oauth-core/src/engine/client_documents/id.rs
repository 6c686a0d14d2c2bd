//! Which identifiers are URLs of documents (Client ID Metadata Document draft
//! section 3).

use crate::fetch::FetchUrl;

/// Whether `id` begins as such a URL does. Nothing that this server makes up does,
/// nor may a user's identifier. In development, plain http to this machine counts.
pub(super) fn looks_like_one(id: &str, development: bool) -> bool {
    id.starts_with("https://") || development && id.starts_with("http://")
}

/// That `id` is such a URL: the error is the rule that it breaks.
///
/// No user name, no fragment, and no dot segments, which are what [`FetchUrl`]
/// refuses anywhere; and it "MUST contain a path component".
pub(super) fn check(id: &str, development: bool) -> Result<(), String> {
    let parse = if development { FetchUrl::insecure_parse_loopback } else { FetchUrl::parse };
    parse(id).map_err(|rule| rule.to_string())?;
    let authority_ends = id.split_once("://").and_then(|(_, rest)| rest.chars().find(|c| matches!(c, '/' | '?')));
    if authority_ends != Some('/') {
        return Err("a URL without a path".to_owned());
    }
    Ok(())
}

/// Whether it has a query, which it "SHOULD NOT" have.
pub(super) fn has_query(id: &str) -> bool {
    id.contains('?')
}

#[cfg(test)]
mod tests {
    use super::*;

    // spec: REG-27
    #[test]
    fn an_identifier_is_an_https_url_with_a_path_and_without_user_fragment_and_dot_segments() {
        for good in [
            "https://app.example/client.json",
            "https://app.example/",
            "https://app.example:8443/a/b",
            "https://app.example:443/c",
            "https://app.example/c?v=2",
            "https://xn--bcher-kva.example/%C3%A9",
        ] {
            assert_eq!(check(good, false), Ok(()), "{good}");
        }
        for bad in [
            "https://app.example",
            "https://app.example:8443",
            "https://app.example?a=/",
            "https://ada@app.example/c",
            "https://ada:pw@app.example/c",
            "https://@app.example/c",
            "https://app.example/c#f",
            "https://app.example/c#",
            "https://app.example/./c",
            "https://app.example/a/../c",
            "https://app.example/..",
            "https://app.example/%2e%2E/c",
            "https://app.example/.%2e/c",
            "https:///c",
            "https://app.example\\c",
            "https://app.example/a b",
            "https://127.0.0.1/c",
            "https://localhost/c",
            "https://[::1]/c",
            "https://intranet/c",
            "http://app.example/c",
            "http://127.0.0.1/c",
        ] {
            assert!(check(bad, false).is_err(), "{bad}");
        }
    }

    #[test]
    fn in_development_this_machine_counts_and_no_other() {
        for local in ["http://127.0.0.1:8080/c", "http://localhost/c", "https://localhost:8443/c"] {
            assert_eq!((check(local, true), looks_like_one(local, true)), (Ok(()), true), "{local}");
        }
        for other in ["http://app.example/c", "http://10.0.0.1/c", "https://169.254.169.254/c", "http://127.0.0.1"] {
            assert!(check(other, true).is_err(), "{other}");
        }
        assert!(!looks_like_one("http://127.0.0.1/c", false));
    }
}
