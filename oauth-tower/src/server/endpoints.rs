//! The endpoints and their paths: the only list of routes.

use std::pin::Pin;

use bytes::Bytes;
use http::{Request, Response};
use oauth_core::{endpoint, server::AuthorizationServer};

/// An endpoint of the authorization server. Which methods it takes, and what
/// it says to others, is the endpoint's own business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// `/authorize` (OAuth 2.1 section 3.1).
    Authorize,
    /// `/par` (RFC 9126); 404 where the server takes no pushed requests.
    PushedAuthorizationRequest,
    /// `/device_authorization` (RFC 8628); 404 where no device may ask.
    DeviceAuthorization,
    /// `/token` (OAuth 2.1 section 3.2).
    Token,
    /// `/revoke` (RFC 7009); GET too, where scripts may call by JSONP.
    Revoke,
    /// `/introspect` (RFC 7662).
    Introspect,
    /// `/jwks`: the public signing keys (RFC 7517).
    Jwks,
    /// `/register` (RFC 7591); 404 where the server takes no registrations.
    Register,
    /// `/register/{client_id}` (RFC 7592), likewise.
    ClientConfiguration,
    /// `/status/{list}`: which JWTs were revoked (draft-ietf-oauth-status-list-18);
    /// 404 where they have no status.
    StatusList,
    /// `/status`: where all such lists are, likewise.
    StatusListAggregation,
    /// The well-known paths (RFC 8414).
    Metadata,
    /// `/_matrix/client/v1/auth_metadata`, and the same under the name of the proposal, where the
    /// server has the profile of Matrix.
    MatrixMetadata,
    /// `/oauth2/introspect`: for a homeserver in another process, likewise.
    MatrixIntrospect,
}

/// Where a path stands in relation to the issuer's own path.
#[derive(Clone, Copy)]
enum Place {
    /// Below it: `/tenant/token`.
    Below,
    /// Below it, with one more segment, which is anything.
    BelowEach,
    /// Before it: `/.well-known/…/tenant` (RFC 8414 section 3.1).
    Before,
    /// At the root of the host, whatever the issuer's path is.
    Root,
}

const ROUTES: &[(&str, Place, Endpoint)] = &[
    ("/authorize", Place::Below, Endpoint::Authorize),
    ("/par", Place::Below, Endpoint::PushedAuthorizationRequest),
    ("/device_authorization", Place::Below, Endpoint::DeviceAuthorization),
    ("/token", Place::Below, Endpoint::Token),
    ("/revoke", Place::Below, Endpoint::Revoke),
    ("/introspect", Place::Below, Endpoint::Introspect),
    ("/jwks", Place::Below, Endpoint::Jwks),
    ("/register", Place::Below, Endpoint::Register),
    ("/register/", Place::BelowEach, Endpoint::ClientConfiguration),
    ("/status", Place::Below, Endpoint::StatusListAggregation),
    ("/status/", Place::BelowEach, Endpoint::StatusList),
    ("/.well-known/oauth-authorization-server", Place::Before, Endpoint::Metadata),
    ("/.well-known/openid-configuration", Place::Before, Endpoint::Metadata),
    // Where OpenID Connect Discovery section 4 looks (RFC 8414 section 5).
    ("/.well-known/openid-configuration", Place::Below, Endpoint::Metadata),
    ("/_matrix/client/v1/auth_metadata", Place::Root, Endpoint::MatrixMetadata),
    ("/_matrix/client/unstable/org.matrix.msc2965/auth_metadata", Place::Root, Endpoint::MatrixMetadata),
    ("/oauth2/introspect", Place::Below, Endpoint::MatrixIntrospect),
];

impl Endpoint {
    /// The endpoint at `path`, if there is one. `issuer_path` is the path of
    /// the issuer: empty, or like `/tenant`.
    ///
    /// ```
    /// use oauth_tower::server::Endpoint;
    /// assert_eq!(Endpoint::at("/tenant/token", "/tenant"), Some(Endpoint::Token));
    /// assert_eq!(Endpoint::at("/token", "/tenant"), None);
    /// ```
    #[must_use]
    pub fn at(path: &str, issuer_path: &str) -> Option<Self> {
        let is_at = |route: &str, place| match place {
            Place::Below => path.strip_prefix(issuer_path) == Some(route),
            Place::BelowEach => {
                let segment = path.strip_prefix(issuer_path).and_then(|path| path.strip_prefix(route));
                segment.is_some_and(|segment| !segment.is_empty() && !segment.contains('/'))
            }
            Place::Before => path.strip_prefix(route) == Some(issuer_path),
            Place::Root => path == route,
        };
        ROUTES.iter().find(|(route, place, _)| is_at(route, *place)).map(|(_, _, endpoint)| *endpoint)
    }

    /// Every path that is served for an issuer with this path, for a router: a
    /// `{segment}` in it stands for any one segment, as axum's routers have it.
    ///
    /// ```
    /// use oauth_tower::server::Endpoint;
    /// let paths: Vec<String> = Endpoint::routes("/tenant").map(|(path, _)| path).collect();
    /// assert!(paths.contains(&"/tenant/revoke".to_owned()));
    /// assert!(paths.contains(&"/.well-known/oauth-authorization-server/tenant".to_owned()));
    /// ```
    pub fn routes(issuer_path: &str) -> impl Iterator<Item = (String, Self)> {
        let whole = move |route: &str, place| match place {
            Place::Below => format!("{issuer_path}{route}"),
            Place::BelowEach => format!("{issuer_path}{route}{{segment}}"),
            Place::Before => format!("{route}{issuer_path}"),
            Place::Root => route.to_owned(),
        };
        // For an issuer without a path, both places are one.
        let once = |place| !(issuer_path.is_empty() && matches!(place, Place::Below));
        let distinct = move |endpoint, place| endpoint != Self::Metadata || once(place);
        let routes = ROUTES.iter().filter(move |(_, place, endpoint)| distinct(*endpoint, *place));
        routes.map(move |(route, place, endpoint)| (whole(route, *place), *endpoint))
    }

    /// Whether `server` has it: the others answer 404, if they have a use in it at all.
    pub(super) fn is_of(self, server: &AuthorizationServer) -> bool {
        server.is_matrix() || !matches!(self, Self::MatrixMetadata | Self::MatrixIntrospect)
    }

    /// Answers `request`, wherever it was sent. Boxed, each for itself: the futures differ much
    /// in size.
    pub(super) fn handle<'a>(
        self,
        server: &'a AuthorizationServer,
        request: &'a Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Response<Bytes>> + Send + 'a>> {
        match self {
            Self::Authorize => Box::pin(endpoint::authorize::handle(server, request)),
            Self::PushedAuthorizationRequest => Box::pin(endpoint::par::handle(server, request)),
            Self::DeviceAuthorization => Box::pin(endpoint::device_authorization::handle(server, request)),
            Self::Token => Box::pin(endpoint::token::handle(server, request)),
            Self::Revoke => Box::pin(endpoint::revoke::handle(server, request)),
            Self::Introspect => Box::pin(endpoint::introspect::handle(server, request)),
            Self::Jwks => Box::pin(endpoint::jwks::handle(server, request)),
            Self::Register => Box::pin(endpoint::register::handle(server, request)),
            Self::ClientConfiguration => Box::pin(endpoint::client_configuration::handle(server, request)),
            Self::StatusList => Box::pin(endpoint::status_list::handle(server, request)),
            Self::StatusListAggregation => Box::pin(endpoint::status_list::handle_all(server, request)),
            Self::Metadata => Box::pin(endpoint::metadata::handle(server, request)),
            Self::MatrixMetadata => Box::pin(endpoint::matrix::auth_metadata(server, request)),
            Self::MatrixIntrospect => Box::pin(endpoint::matrix::introspect(server, request)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn what_is_routed_is_found_and_no_path_is_routed_twice() {
        for issuer_path in ["", "/tenant", "/a/b"] {
            let routes: Vec<_> = Endpoint::routes(issuer_path).collect();
            assert!(routes.iter().all(|(path, endpoint)| Endpoint::at(path, issuer_path) == Some(*endpoint)));
            let paths: HashSet<_> = routes.iter().map(|(path, _)| path).collect();
            assert_eq!(paths.len(), routes.len());
            assert_eq!(routes.len(), ROUTES.len() - usize::from(issuer_path.is_empty()));
        }
    }

    // spec: MET-01
    #[test]
    fn the_well_known_path_stands_before_the_issuers_own() {
        let at = |path| Endpoint::at(path, "/tenant");
        assert_eq!(at("/.well-known/oauth-authorization-server/tenant"), Some(Endpoint::Metadata));
        assert_eq!(at("/.well-known/openid-configuration/tenant"), Some(Endpoint::Metadata));
        assert_eq!(at("/tenant/.well-known/openid-configuration"), Some(Endpoint::Metadata));
        assert_eq!(at("/.well-known/oauth-authorization-server"), None);
    }

    #[test]
    fn only_the_exact_path_is_an_endpoint() {
        for other in [
            "",
            "/",
            "/token/",
            "//token",
            "/Token",
            "/token/x",
            "/tokens",
            "/%74oken",
            "token",
            "/register/",
            "/register/x/",
        ] {
            assert_eq!(Endpoint::at(other, ""), None, "{other}");
        }
    }
}
