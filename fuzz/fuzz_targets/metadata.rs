//! Metadata documents and where they lie.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oauth_core::metadata::{
    AuthorizationServerMetadata, OAUTH_AUTHORIZATION_SERVER, ProtectedResourceMetadata, appended_well_known_url,
    protected_resource_url, well_known_url,
};
use oauth_core_fuzz::object;
use url::Url;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        urls(text);
    }
    assert!(AuthorizationServerMetadata::parse(data, "https://another.example").is_err() || contains(data));
    let Some(members) = object(data) else { return };
    if let Some(issuer) = members.get("issuer").and_then(|issuer| issuer.as_str())
        && let Ok(mut metadata) = AuthorizationServerMetadata::parse(data, issuer)
    {
        assert!(AuthorizationServerMetadata::parse(data, &format!("{issuer}/")).is_err());
        // JSON numbers are not kept to the letter.
        metadata.extra.clear();
        if let Some(aliases) = &mut metadata.mtls_endpoint_aliases {
            aliases.extra.clear();
        }
        let written = serde_json::to_vec(&metadata).expect("metadata are JSON");
        assert_eq!(AuthorizationServerMetadata::parse(&written, issuer), Ok(metadata));
    }
    if let Some(resource) = members.get("resource").and_then(|resource| resource.as_str())
        && let Ok(mut metadata) = ProtectedResourceMetadata::parse(data, resource)
    {
        assert!(ProtectedResourceMetadata::parse(data, &format!("{resource}/")).is_err());
        metadata.extra.clear();
        let written = serde_json::to_vec(&metadata).expect("metadata are JSON");
        assert_eq!(ProtectedResourceMetadata::parse(&written, resource), Ok(metadata));
    }
});

fn contains(data: &[u8]) -> bool {
    object(data).is_some_and(|members| members.get("issuer").is_some_and(|issuer| issuer == "https://another.example"))
}

/// The document of an identifier lies on the identifier's own origin.
fn urls(identifier: &str) {
    let built = [
        well_known_url(identifier, OAUTH_AUTHORIZATION_SERVER),
        appended_well_known_url(identifier, OAUTH_AUTHORIZATION_SERVER),
        protected_resource_url(identifier),
    ];
    for url in built.into_iter().flatten() {
        let (url, own) = (Url::parse(&url).expect("a URL"), Url::parse(identifier).expect("a URL"));
        assert_eq!(url.origin(), own.origin());
        assert!(matches!(url.scheme(), "https" | "http") && url.username().is_empty() && url.fragment().is_none());
        assert!(url.path().contains("/.well-known/oauth-"));
    }
}
