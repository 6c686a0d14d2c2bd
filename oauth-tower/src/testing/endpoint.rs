//! The endpoints of a mock issuer, and where they are.

use http::Uri;
use oauth_core::metadata::{
    MetadataError, OAUTH_AUTHORIZATION_SERVER, OPENID_CONFIGURATION, appended_well_known_url, well_known_url,
};

/// What a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// The metadata (RFC 8414 section 3, OpenID Connect Discovery section 4).
    Metadata,
    /// The keys (RFC 7517 section 5).
    Jwks,
    /// Introspection (RFC 7662 section 2).
    Introspection,
    /// Anything else, on this host or on another: answered with 404.
    Elsewhere,
}

/// Where the endpoints of an issuer are.
pub(super) struct Locations {
    base: String,
    authority: String,
    paths: Vec<(String, Endpoint)>,
}

const JWKS: &str = "/jwks";
const INTROSPECTION: &str = "/introspect";

impl Locations {
    pub(super) fn new(issuer: &str) -> Result<Self, MetadataError> {
        let well_known = [
            well_known_url(issuer, OAUTH_AUTHORIZATION_SERVER)?,
            well_known_url(issuer, OPENID_CONFIGURATION)?,
            appended_well_known_url(issuer, OPENID_CONFIGURATION)?,
        ];
        let base = issuer.trim_end_matches('/');
        let own = [(JWKS, Endpoint::Jwks), (INTROSPECTION, Endpoint::Introspection)];
        let own = own.map(|(path, endpoint)| (format!("{base}{path}"), endpoint));
        let all = well_known.map(|url| (url, Endpoint::Metadata)).into_iter().chain(own);
        let parsed = |url: String| url.parse::<Uri>().map_err(|_| MetadataError::InvalidIdentifier);
        let authority = authority(&parsed(base.into())?).to_owned();
        let paths = all.map(|(url, endpoint)| Ok((parsed(url)?.path().to_owned(), endpoint)));
        Ok(Self { base: base.into(), authority, paths: paths.collect::<Result<_, _>>()? })
    }

    /// Where one of the endpoints is that have one place.
    pub(super) fn url(&self, endpoint: Endpoint) -> String {
        let path = if endpoint == Endpoint::Jwks { JWKS } else { INTROSPECTION };
        format!("{}{path}", self.base)
    }

    /// What a request to `uri` is for. One without a host came over a socket of
    /// this issuer's.
    pub(super) fn endpoint(&self, uri: &Uri) -> Endpoint {
        if uri.host().is_some() && !authority(uri).eq_ignore_ascii_case(&self.authority) {
            return Endpoint::Elsewhere;
        }
        let found = self.paths.iter().find(|(path, _)| path == uri.path());
        found.map_or(Endpoint::Elsewhere, |(_, endpoint)| *endpoint)
    }
}

fn authority(uri: &Uri) -> &str {
    uri.authority().map_or("", |authority| authority.as_str())
}
