//! An authorization server, as its client sees it.

use std::{borrow::Cow, env};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{
    Request, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use oauth_axum_rs::{
    Secret,
    oauth_core::{
        metadata::{AuthorizationServerMetadata, MetadataError},
        params,
    },
    oauth_tower::outgoing::{HttpClient, HttpError},
};
use serde::{Deserialize, Deserializer};
use tokio::sync::OnceCell;

#[derive(Debug)]
pub(crate) struct Authority {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    client_secret: Option<Secret>,
    metadata: OnceCell<AuthorizationServerMetadata>,
}

/// What the token endpoint answered (OAuth 2.1 section 5.1).
#[derive(Deserialize)]
pub(crate) struct Tokens {
    #[serde(deserialize_with = "secret")]
    pub(crate) access_token: Secret,
    token_type: String,
    #[serde(default, deserialize_with = "some_secret")]
    pub(crate) refresh_token: Option<Secret>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthorityError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("its metadata: {0}")]
    Metadata(#[from] MetadataError),
    #[error("its metadata has no {0}")]
    Missing(&'static str),
    #[error("it answered {0}")]
    Status(StatusCode),
    #[error("its answer cannot be understood")]
    Answer,
    #[error("its URL makes no request")]
    Url(#[from] http::Error),
}

impl Authority {
    /// From `[ISSUER, CLIENT_ID]` and the environment.
    pub(crate) fn configured(number: usize, pair: &[String]) -> Option<Self> {
        let [issuer, client_id] = pair else { return None };
        let client_secret = env::var(format!("WEB_CLIENT_SECRET_{number}")).ok().map(Secret::new);
        let (issuer, client_id) = (issuer.clone(), client_id.clone());
        Some(Self { issuer, client_id, client_secret, metadata: OnceCell::new() })
    }

    /// What the server says of itself, asked for until it has answered once.
    /// Its `issuer` must be the one that was asked (RFC 8414 section 3.3).
    pub(crate) async fn metadata(&self, http: &HttpClient) -> Result<&AuthorizationServerMetadata, AuthorityError> {
        let ask = async || {
            let (origin, path) = split_origin(&self.issuer);
            let url = format!("{origin}/.well-known/oauth-authorization-server{path}");
            let answer = http.send(Request::get(url).body(Bytes::new())?).await?;
            Ok(AuthorizationServerMetadata::parse(&successful(&answer)?, &self.issuer)?)
        };
        self.metadata.get_or_try_init(ask).await
    }

    /// Redeems a code (OAuth 2.1 section 4.1.3).
    pub(crate) async fn redeem(
        &self,
        http: &HttpClient,
        code: &str,
        redirect_uri: &str,
        verifier: &Secret,
    ) -> Result<Tokens, AuthorityError> {
        let endpoint = self.metadata(http).await?.token_endpoint.as_deref();
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier.expose()),
        ];
        let answer = self.post(http, endpoint.ok_or(AuthorityError::Missing("token_endpoint"))?, &form).await?;
        let tokens: Tokens = serde_json::from_slice(&successful(&answer)?).map_err(|_| AuthorityError::Answer)?;
        // A type one does not know is not to be used (OAuth 2.1 section 7.1).
        if tokens.token_type.eq_ignore_ascii_case("bearer") { Ok(tokens) } else { Err(AuthorityError::Answer) }
    }

    /// Gives a token back (RFC 7009), if the server takes it.
    pub(crate) async fn revoke(&self, http: &HttpClient, token: &Secret) -> Result<(), AuthorityError> {
        let Some(endpoint) = self.metadata(http).await?.revocation_endpoint.as_deref() else { return Ok(()) };
        successful(&self.post(http, endpoint, &[("token", token.expose())]).await?).map(drop)
    }

    async fn post(
        &self,
        http: &HttpClient,
        url: &str,
        form: &[(&str, &str)],
    ) -> Result<Response<Bytes>, AuthorityError> {
        let mut request = Request::post(url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json");
        let named = self.client_secret.is_none().then_some(("client_id", &*self.client_id));
        if let Some(secret) = &self.client_secret {
            request = request.header(AUTHORIZATION, basic(&self.client_id, secret));
        }
        let pairs = form.iter().copied().chain(named).map(|(name, value)| (name, Cow::Borrowed(value)));
        Ok(http.send(request.body(params::encode(pairs).into())?).await?)
    }
}

/// OAuth 2.1 section 2.4.1: both are form-encoded first.
fn basic(id: &str, secret: &Secret) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret.expose()))))
}

fn successful(answer: &Response<Bytes>) -> Result<Bytes, AuthorityError> {
    match answer.status() {
        StatusCode::OK => Ok(answer.body().clone()),
        other => Err(AuthorityError::Status(other)),
    }
}

fn secret<'de, D: Deserializer<'de>>(value: D) -> Result<Secret, D::Error> {
    String::deserialize(value).map(Secret::new)
}

fn some_secret<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Secret>, D::Error> {
    secret(value).map(Some)
}

/// `https://host/path` into `https://host` and `/path`.
fn split_origin(issuer: &str) -> (&str, &str) {
    let host = issuer.find("://").map_or(0, |at| at + 3);
    let path = issuer.get(host..).and_then(|rest| rest.find('/')).map_or(issuer.len(), |at| host + at);
    issuer.split_at_checked(path).unwrap_or((issuer, ""))
}
