//! What a consent page says of an application, beside its name.

use oauth_core::client::ClientProfile;

/// Who made an application, as it says itself: links that lead to https, and
/// nothing that is not written plainly.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct About<'a> {
    /// The host of its website.
    pub(super) website: Option<&'a str>,
    pub(super) terms: Option<&'a str>,
    pub(super) policy: Option<&'a str>,
}

impl<'a> About<'a> {
    pub(super) fn of(profile: &'a ClientProfile) -> Self {
        let safe = |uri: &'a Option<String>| uri.as_deref().filter(|uri| https_host(uri).is_some());
        Self {
            website: profile.client_uri.as_deref().and_then(https_host),
            terms: safe(&profile.tos_uri),
            policy: safe(&profile.policy_uri),
        }
    }
}

/// The host, and the port if there is one, of an https URL that is spelled out:
/// whatever a browser would read in another way has none.
fn https_host(uri: &str) -> Option<&str> {
    let rest = uri.strip_prefix("https://").filter(|_| uri.bytes().all(|b| b.is_ascii_graphic() && b != b'\\'))?;
    let host = rest.split(['/', '?', '#']).next()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".-:[]".contains(&b);
    (!host.is_empty() && host.bytes().all(plain)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_shown_only_where_every_reader_reads_the_same() {
        assert_eq!(https_host("https://app.example:8443/x?y#z"), Some("app.example:8443"));
        assert_eq!(https_host("https://[::1]"), Some("[::1]"));
        for uri in [
            "http://app.example/",
            "https:///app.example/",
            "https:app.example",
            "https://@app.example/",
            "https://bank.example@app.example/",
            "https://b%61nk.example/",
            "https://app.example\\@bank.example/",
            "https://b\u{e4}nk.example/",
            "https://app.example/ x",
            "javascript:alert(1)//https://app.example",
            "",
        ] {
            assert_eq!(https_host(uri), None, "{uri}");
        }
    }
}
