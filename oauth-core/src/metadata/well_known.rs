//! Where a metadata document lies.

use url::Url;

use super::MetadataError;

/// The suffix of authorization server metadata (RFC 8414 section 7.3.1).
pub const OAUTH_AUTHORIZATION_SERVER: &str = "oauth-authorization-server";

/// The suffix of OpenID provider metadata (OpenID Connect Discovery section 4).
pub const OPENID_CONFIGURATION: &str = "openid-configuration";

/// The suffix of protected resource metadata (RFC 9728 section 8.3.1).
pub const OAUTH_PROTECTED_RESOURCE: &str = "oauth-protected-resource";

/// The metadata URL of `issuer`, with `/.well-known/` and `suffix` inserted
/// between host and path (RFC 8414 section 3.1).
///
/// ```
/// use oauth_core::metadata::{OAUTH_AUTHORIZATION_SERVER, well_known_url};
/// let url = well_known_url("https://as.example/tenant/", OAUTH_AUTHORIZATION_SERVER)?;
/// assert_eq!(url, "https://as.example/.well-known/oauth-authorization-server/tenant");
/// # Ok::<_, oauth_core::metadata::MetadataError>(())
/// ```
///
/// # Errors
/// [`MetadataError::InvalidIdentifier`] if `issuer` is not an http(s) URL
/// without query, fragment and credentials.
pub fn well_known_url(issuer: &str, suffix: &str) -> Result<String, MetadataError> {
    let mut url = issuer_url(issuer)?;
    let path = format!("/.well-known/{suffix}{}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url.into())
}

/// The metadata URL of `issuer` in the older form, with `/.well-known/` and
/// `suffix` appended to the path (RFC 8414 section 5, OpenID Connect Discovery
/// section 4).
///
/// ```
/// use oauth_core::metadata::{OPENID_CONFIGURATION, appended_well_known_url};
/// let url = appended_well_known_url("https://as.example/tenant", OPENID_CONFIGURATION)?;
/// assert_eq!(url, "https://as.example/tenant/.well-known/openid-configuration");
/// # Ok::<_, oauth_core::metadata::MetadataError>(())
/// ```
///
/// # Errors
/// As [`well_known_url`].
pub fn appended_well_known_url(issuer: &str, suffix: &str) -> Result<String, MetadataError> {
    let mut url = issuer_url(issuer)?;
    let path = format!("{}/.well-known/{suffix}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url.into())
}

/// The metadata URL of the protected resource `resource` (RFC 9728 section
/// 3.1): inserted before its path and query, of which only a lone slash after
/// the host is removed.
///
/// ```
/// use oauth_core::metadata::protected_resource_url;
/// let url = protected_resource_url("https://api.example/v1")?;
/// assert_eq!(url, "https://api.example/.well-known/oauth-protected-resource/v1");
/// # Ok::<_, oauth_core::metadata::MetadataError>(())
/// ```
///
/// # Errors
/// [`MetadataError::InvalidIdentifier`] if `resource` is not an http(s) URL
/// without fragment and credentials.
pub fn protected_resource_url(resource: &str) -> Result<String, MetadataError> {
    let mut url = identifier(resource)?;
    let path = if url.path() == "/" { "" } else { url.path() };
    let path = format!("/.well-known/{OAUTH_PROTECTED_RESOURCE}{path}");
    url.set_path(&path);
    Ok(url.into())
}

/// RFC 8414 section 2: an issuer has "no query or fragment components".
fn issuer_url(issuer: &str) -> Result<Url, MetadataError> {
    let url = identifier(issuer)?;
    if url.query().is_some() { Err(MetadataError::InvalidIdentifier) } else { Ok(url) }
}

/// http is let through here for development on loopback; who may use it is the
/// decision of whoever fetches.
fn identifier(text: &str) -> Result<Url, MetadataError> {
    let url = Url::parse(text).map_err(|_| MetadataError::InvalidIdentifier)?;
    let plain = matches!(url.scheme(), "https" | "http")
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if plain { Ok(url) } else { Err(MetadataError::InvalidIdentifier) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffix_stands_between_the_host_and_the_path_of_the_issuer() {
        let cases = [
            ("https://example.com", "https://example.com/.well-known/oauth-authorization-server"),
            ("https://example.com/", "https://example.com/.well-known/oauth-authorization-server"),
            ("https://example.com/issuer1", "https://example.com/.well-known/oauth-authorization-server/issuer1"),
            ("https://example.com:8443/a/b/", "https://example.com:8443/.well-known/oauth-authorization-server/a/b"),
        ];
        for (issuer, url) in cases {
            assert_eq!(well_known_url(issuer, OAUTH_AUTHORIZATION_SERVER).unwrap(), url);
        }
    }

    #[test]
    fn the_older_form_appends_the_suffix() {
        let url = appended_well_known_url("https://example.com/issuer1/", OPENID_CONFIGURATION).unwrap();
        assert_eq!(url, "https://example.com/issuer1/.well-known/openid-configuration");
        let url = appended_well_known_url("https://example.com", OPENID_CONFIGURATION).unwrap();
        assert_eq!(url, "https://example.com/.well-known/openid-configuration");
    }

    #[test]
    fn the_url_of_a_resource_keeps_its_path_and_query() {
        let cases = [
            ("https://r.example", "https://r.example/.well-known/oauth-protected-resource"),
            ("https://r.example/", "https://r.example/.well-known/oauth-protected-resource"),
            ("https://r.example/resource1", "https://r.example/.well-known/oauth-protected-resource/resource1"),
            ("https://r.example/a/", "https://r.example/.well-known/oauth-protected-resource/a/"),
            ("https://r.example?k=v", "https://r.example/.well-known/oauth-protected-resource?k=v"),
        ];
        for (resource, url) in cases {
            assert_eq!(protected_resource_url(resource).unwrap(), url);
        }
    }

    #[test]
    fn what_cannot_identify_an_issuer_has_no_metadata_url() {
        let bad = ["", "as.example", "ftp://as.example", "https://as.example?x", "https://as.example#x"];
        for issuer in bad.into_iter().chain(["https://u:p@as.example", "data:text/plain,x", "https://"]) {
            assert_eq!(
                well_known_url(issuer, OAUTH_AUTHORIZATION_SERVER),
                Err(MetadataError::InvalidIdentifier),
                "{issuer}",
            );
        }
    }
}
