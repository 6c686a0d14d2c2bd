//! URLs that this crate sends requests to.

use std::net::IpAddr;

use http::Uri;

/// A URL that is safe to send credentials to.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint(Uri);

/// Which URLs are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// https only.
    Https,
    /// https, and plain http to a loopback address.
    HttpsOrLoopback,
}

/// Why a URL is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// Not an absolute URL, or one with a fragment.
    #[error("not an absolute URL without fragment")]
    Malformed,
    /// It carries a user name or a password.
    #[error("a URL with credentials in it")]
    HasCredentials,
    /// Not https; plain http is accepted to loopback addresses, and only where
    /// insecure http was asked for.
    #[error("not an https URL")]
    NotHttps,
}

impl Endpoint {
    pub(crate) fn parse(url: &str, transport: Transport) -> Result<Self, UrlError> {
        // `Uri` drops a fragment silently.
        if url.contains('#') {
            return Err(UrlError::Malformed);
        }
        let uri: Uri = url.parse().map_err(|_| UrlError::Malformed)?;
        let authority = uri.authority().ok_or(UrlError::Malformed)?;
        if authority.as_str().contains('@') {
            return Err(UrlError::HasCredentials);
        }
        match uri.scheme_str() {
            Some("https") => Ok(Self(uri)),
            Some("http") if transport == Transport::HttpsOrLoopback && is_loopback(authority.host()) => Ok(Self(uri)),
            Some("http") => Err(UrlError::NotHttps),
            _ => Err(UrlError::Malformed),
        }
    }

    pub(crate) const fn uri(&self) -> &Uri {
        &self.0
    }
}

/// RFC 6761 section 6.3 reserves `localhost` for the loopback address.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_is_accepted_and_http_to_loopback_where_asked_for() {
        for good in ["https://as.example/token", "https://as.example:8443/", "https://10.0.0.1/x?y=z"] {
            assert!(Endpoint::parse(good, Transport::Https).is_ok(), "{good}");
        }
        for loopback in ["http://127.0.0.1:9/jwks", "http://[::1]/", "http://localhost:8080", "http://127.9.9.9/"] {
            assert_eq!(Endpoint::parse(loopback, Transport::Https).unwrap_err(), UrlError::NotHttps);
            assert!(Endpoint::parse(loopback, Transport::HttpsOrLoopback).is_ok(), "{loopback}");
        }
        for far in ["http://as.example/", "http://localhost.evil.example/", "http://0.0.0.0/", "http://10.0.0.1/"] {
            assert_eq!(Endpoint::parse(far, Transport::HttpsOrLoopback).unwrap_err(), UrlError::NotHttps, "{far}");
        }
    }

    #[test]
    fn a_url_with_credentials_or_a_fragment_or_without_a_host_is_refused() {
        let parse = |url| Endpoint::parse(url, Transport::HttpsOrLoopback).unwrap_err();
        assert_eq!(parse("https://a:b@as.example/"), UrlError::HasCredentials);
        for bad in
            ["", "/token", "as.example", "https://as.example/#x", "ftp://as.example/", "https://", "https://a b/"]
        {
            assert_eq!(parse(bad), UrlError::Malformed, "{bad}");
        }
    }
}
