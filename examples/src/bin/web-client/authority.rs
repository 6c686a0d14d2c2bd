//! An authorization server, as its client sees it.

use std::env;

use oauth_axum_rs::{
    Secret,
    oauth_core::{keys::KeyError, metadata::AuthorizationServerMetadata},
    oauth_tower::{
        client::{ApiClient, Discovery, DiscoveryError, DpopProver, TokenClient},
        outgoing::{ClientAuth, HttpClient, UrlError},
    },
};
use tokio::sync::OnceCell;

/// Each has credentials and, if there is one, a key of its own.
#[derive(Debug)]
pub(crate) struct Authority {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    /// Calls APIs with tokens of this server.
    pub(crate) api: ApiClient,
    pub(crate) prover: Option<DpopProver>,
    auth: ClientAuth,
    development: bool,
    known: OnceCell<Known>,
}

/// What the server says of itself, and the client that follows from it.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) metadata: AuthorizationServerMetadata,
    pub(crate) tokens: TokenClient,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthorityError {
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    #[error("an endpoint in its metadata: {0}")]
    Url(#[from] UrlError),
}

impl Authority {
    /// From `[ISSUER, CLIENT_ID]` and the environment.
    pub(crate) fn configured(
        number: usize,
        pair: &[String],
        http: &HttpClient,
        (development, dpop): (bool, bool),
    ) -> Result<Self, KeyError> {
        let (issuer, id) = match pair {
            [issuer, client_id] => (issuer.clone(), client_id.clone()),
            _ => Default::default(),
        };
        let client_id = id.clone();
        let auth = match env::var(format!("WEB_CLIENT_SECRET_{number}")) {
            Ok(secret) => ClientAuth::Basic { id, secret: Secret::new(secret) },
            Err(_) => ClientAuth::None { id },
        };
        let prover = dpop.then(DpopProver::generate).transpose()?;
        let mut api = ApiClient::new(http.clone());
        if let Some(prover) = &prover {
            api = api.dpop(prover.clone());
        }
        let api = if development { api.insecure_http() } else { api };
        Ok(Self { issuer, client_id, api, prover, auth, development, known: OnceCell::new() })
    }

    /// Asks the server for its metadata until it has answered once.
    pub(crate) async fn known(&self, http: &HttpClient) -> Result<&Known, AuthorityError> {
        let ask = async || {
            let discovery = Discovery::new(&self.issuer);
            let discovery = if self.development { discovery.insecure_http() } else { discovery };
            let metadata = discovery.fetch(http).await?;
            let mut tokens = TokenClient::discovered(&metadata, self.auth.clone());
            if let Some(prover) = &self.prover {
                tokens = tokens.dpop(prover.clone());
            }
            let tokens = if self.development { tokens.insecure_http() } else { tokens };
            Ok(Known { tokens: tokens.build(http.clone())?, metadata })
        };
        self.known.get_or_try_init(ask).await
    }
}
