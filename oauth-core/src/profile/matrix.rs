//! Matrix: the authorization server beside a homeserver ([client-server API], "OAuth
//! 2.0 API").
//!
//! [client-server API]: https://spec.matrix.org/latest/client-server-api/#oauth-20-api

use std::sync::Arc;

use super::Profile;
use crate::{
    client::GrantType,
    engine::{
        authorization::ResponseMode,
        matrix::{Homeserver, MatrixSettings},
        policy::Rotation,
        revocation::{RevocationMode, RevocationPolicy},
    },
    secret::Secret,
    server::AuthorizationServerBuilder,
    token::Prefixes,
};

/// The profile of Matrix.
///
/// | Setting | Value |
/// |---|---|
/// | prefixes of tokens | `mat`, `mar` |
/// | rotation | [`Rotation::UntilFirstUse`]: who lost a response can ask again |
/// | access tokens | 300 seconds |
/// | response modes | `query`, `fragment` |
/// | `prompt=create` where it is not offered | passed over |
/// | revocation | [`RevocationMode::Matrix`] |
/// | registration | open, without management; `http://localhost` and the device grant allowed |
///
/// Beyond these, the server goes by Matrix's rules for what clients register
/// ("Client metadata") and for scopes ("Scope"): a request names exactly one device, and a
/// new grant for a device ends the older ones of that user and device. Every client
/// that may get a code gets refresh tokens. At the token endpoint, limits are 503 and not
/// 429, since clients take any 4xx for the end of their session.
///
/// A client that was configured needs no `client_uri`, and may ask for all of Matrix's
/// scopes if it has no scope of its own.
///
/// ```
/// use oauth_core::{endpoint::metadata, profile::Matrix, server::AuthorizationServer};
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let server = AuthorizationServer::builder("https://account.example.org")
///     .profile(Matrix::new("example.org"))
///     .build()
///     .await?;
/// let metadata = metadata::describe(&server);
/// assert_eq!(metadata.response_modes_supported, ["query", "fragment"]);
/// assert!(metadata.registration_endpoint.is_some());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// `prompt=create` ("User registration") is not advertised, since there is no built-in page where
/// people make accounts: who asks for it signs in. A host that has such a page adds
/// [`Prompt::Create`] to [`AuthorizationSettings::prompts`], and says where it is by
/// `Pages::registration_at` of `oauth-axum-rs`.
///
/// [`Prompt::Create`]: crate::engine::authorization::Prompt::Create
/// [`AuthorizationSettings::prompts`]: crate::engine::authorization::AuthorizationSettings::prompts
#[derive(Clone, Debug)]
#[must_use]
pub struct Matrix(MatrixSettings);

impl Matrix {
    /// For the users of this homeserver: its name as in their ids, `example.org`.
    pub fn new(server_name: impl Into<String>) -> Self {
        Self(MatrixSettings {
            server_name: server_name.into(),
            api: true,
            account_path: None,
            introspection_secret: None,
            homeserver: None,
        })
    }

    /// Says that the homeserver does not support the OAuth 2.0 API: `auth_metadata` is 404
    /// `M_UNRECOGNIZED`.
    pub const fn without_api(mut self) -> Self {
        self.0.api = false;
        self
    }

    /// Advertises a page where people manage their devices, at `path` below the issuer
    /// ("Account management"). `Pages` of `oauth-axum-rs` have one.
    pub fn account_page(mut self, path: impl Into<String>) -> Self {
        self.0.account_path = Some(path.into());
        self
    }

    /// Lets a homeserver in another process ask about tokens, at `/oauth2/introspect`, with
    /// this secret as a bearer token: at least 128 bits of entropy.
    pub fn introspection_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.0.introspection_secret = Some(secret.into());
        self
    }

    /// Sets who is told of devices before their tokens are answered.
    pub fn homeserver(mut self, homeserver: impl Homeserver) -> Self {
        self.0.homeserver = Some(Arc::new(homeserver));
        self
    }
}

impl Profile for Matrix {
    fn apply(self, builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
        let builder = match Prefixes::new("mat", "mar", "oac") {
            Ok(prefixes) => builder.prefixes(prefixes),
            Err(_) => builder,
        };
        builder
            .rotation(Rotation::UntilFirstUse)
            // "Refresh token grant": short-lived.
            .lifetimes(|lifetimes| lifetimes.access = 300)
            .authorization(|settings| {
                settings.response_modes = vec![ResponseMode::Query, ResponseMode::Fragment];
                // Better a person who signs in than one who meets an error on the way to an account.
                settings.passes_over_create = true;
            })
            .revocation(|policy| *policy = RevocationPolicy::new(RevocationMode::Matrix))
            .registration(|settings| settings.open().allow_localhost().allow_grant_type(GrantType::DEVICE_CODE))
            .matrix(self.0)
    }
}
