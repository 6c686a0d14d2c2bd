//! Registered clients (OAuth 2.1 section 2).

mod builder;
mod id;
mod record;
mod redirect_uri;
mod secret;

use serde::{Deserialize, Serialize};

use self::record::Record;
pub use self::{
    builder::ClientBuilder,
    id::{ClientId, InvalidClientId},
    redirect_uri::{InvalidRedirectUri, RedirectUri},
    secret::ClientSecret,
};
use crate::{clock::UnixTime, scope::Scope, secret::Secret};

/// `token_endpoint_auth_method`: how a client proves itself at every
/// back-channel endpoint (RFC 7591 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AuthMethod {
    /// A public client: it names itself and proves nothing.
    None,
    /// HTTP Basic (OAuth 2.1 section 2.3.1).
    ClientSecretBasic,
    /// `client_id` and `client_secret` in the body (OAuth 2.1 section 2.3.1).
    ClientSecretPost,
}

impl AuthMethod {
    /// Every method this version implements.
    pub const ALL: [Self; 3] = [Self::ClientSecretBasic, Self::ClientSecretPost, Self::None];

    /// The registered name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
        }
    }

    /// Reads a registered name; `None` if it is not implemented.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}

/// A `grant_type` a client may use.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GrantType(std::borrow::Cow<'static, str>);

impl GrantType {
    /// `authorization_code` (OAuth 2.1 section 4.1).
    pub const AUTHORIZATION_CODE: Self = Self::from_static("authorization_code");
    /// `client_credentials` (OAuth 2.1 section 4.2).
    pub const CLIENT_CREDENTIALS: Self = Self::from_static("client_credentials");
    /// `refresh_token` (OAuth 2.1 section 6).
    pub const REFRESH_TOKEN: Self = Self::from_static("refresh_token");

    /// A grant type of your own, an absolute URI (OAuth 2.1 section 4.3).
    #[must_use]
    pub const fn from_static(name: &'static str) -> Self {
        Self(std::borrow::Cow::Borrowed(name))
    }

    /// The name on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for GrantType {
    fn from(name: &str) -> Self {
        Self(name.to_owned().into())
    }
}

/// A registered client.
///
/// ```
/// use oauth_core::client::{AuthMethod, Client, GrantType};
/// let app = Client::builder("app")
///     .redirect_uri("https://app.example/callback")
///     .scope("albums:read albums:write")
///     .grant_type(GrantType::REFRESH_TOKEN)
///     .build()?;
/// assert!(app.is_public());
/// # Ok::<_, oauth_core::client::InvalidClient>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
#[non_exhaustive]
pub struct Client {
    /// Its identifier.
    pub id: ClientId,
    /// How it proves itself; [`AuthMethod::None`] makes it public.
    pub auth_method: AuthMethod,
    /// Its live secrets: one, or two while they are being changed.
    pub secrets: Vec<ClientSecret>,
    /// Where codes may be sent.
    pub redirect_uris: Vec<RedirectUri>,
    /// What it may do at the token endpoint.
    pub grant_types: Vec<GrantType>,
    /// What it may ask for.
    pub scope: Scope,
    /// What people know it as.
    pub name: Option<String>,
}

/// Why a client record is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidClient {
    /// The identifier is not legal.
    #[error("client_id: {0}")]
    Id(#[from] InvalidClientId),
    /// A redirect URI is not legal.
    #[error("redirect_uris: {0}")]
    RedirectUri(#[from] InvalidRedirectUri),
    /// The scope is not legal.
    #[error("scope: {0}")]
    Scope(#[from] crate::scope::InvalidScope),
    /// The authentication method needs a secret, and there is none.
    #[error("token_endpoint_auth_method: {0} needs a client_secret")]
    SecretMissing(&'static str),
    /// A public client cannot keep a secret.
    #[error("token_endpoint_auth_method: a client with a client_secret must use it")]
    SecretUnused,
    /// More than two secrets.
    #[error("client_secret: at most two may live at once")]
    TooManySecrets,
    /// The code flow needs somewhere to go.
    #[error("redirect_uris: the grant type authorization_code needs at least one")]
    RedirectUriMissing,
    /// A client that cannot authenticate may not act for itself.
    #[error("grant_types: client_credentials needs a client that authenticates")]
    PublicClientCredentials,
}

impl Client {
    /// Starts a client record. Without further calls it is public and may
    /// use the code flow.
    #[must_use]
    pub fn builder(id: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(id.into())
    }

    /// Whether it has no credentials (OAuth 2.1 section 2.1).
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.auth_method == AuthMethod::None
    }

    /// Whether it may use `grant_type`.
    #[must_use]
    pub fn may_use(&self, grant_type: &GrantType) -> bool {
        self.grant_types.contains(grant_type)
    }

    /// Whether `secret` is one of its secrets at `now`, in constant time.
    #[must_use]
    pub fn has_secret(&self, secret: &Secret, now: UnixTime) -> bool {
        let digest = secret::digest_of(secret);
        let none = subtle::Choice::from(0);
        self.secrets.iter().fold(none, |found, own| found | own.is(&digest, now)).into()
    }

    /// The registered redirect URI that `requested` matches.
    #[must_use]
    pub fn redirect_uri(&self, requested: &str) -> Option<&RedirectUri> {
        self.redirect_uris.iter().find(|registered| registered.matches(requested))
    }

    fn check(self) -> Result<Self, InvalidClient> {
        match (self.auth_method, self.secrets.len()) {
            (AuthMethod::None, 0) => {}
            (AuthMethod::None, _) => return Err(InvalidClient::SecretUnused),
            (method, 0) => return Err(InvalidClient::SecretMissing(method.as_str())),
            (_, 1 | 2) => {}
            _ => return Err(InvalidClient::TooManySecrets),
        }
        if self.may_use(&GrantType::AUTHORIZATION_CODE) && self.redirect_uris.is_empty() {
            return Err(InvalidClient::RedirectUriMissing);
        }
        if self.may_use(&GrantType::CLIENT_CREDENTIALS) && self.is_public() {
            return Err(InvalidClient::PublicClientCredentials);
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confidential() -> Client {
        Client::builder("rs").secret(ClientSecret::new(&"one".into())).scope("a").build().unwrap()
    }

    // spec: REG-01
    #[test]
    fn a_record_without_a_credential_is_public_and_one_without_a_type_does_not_load() {
        assert!(Client::builder("app").redirect_uri("https://app.example/cb").build().unwrap().is_public());
        let mut record = serde_json::to_value(confidential()).unwrap();
        assert_eq!(serde_json::from_value::<Client>(record.clone()).unwrap(), confidential());
        record.as_object_mut().unwrap().remove("auth_method");
        assert!(serde_json::from_value::<Client>(record).is_err());
    }

    // spec: CAU-12
    #[test]
    fn an_expired_secret_is_refused_and_two_live_ones_both_work() {
        let client = Client::builder("rs")
            .secret(ClientSecret::new(&"old".into()).expires_at(UnixTime(100)))
            .secret(ClientSecret::new(&"new".into()))
            .build()
            .unwrap();
        let has = |secret: &str, now| client.has_secret(&secret.into(), UnixTime(now));
        assert!(has("old", 99) && has("new", 99) && has("new", 100));
        assert!(!has("old", 100) && !has("other", 99));
    }

    #[test]
    fn a_contradictory_record_names_the_member_at_fault() {
        let secret = || ClientSecret::new(&"s".into());
        let build = |builder: ClientBuilder| builder.build().unwrap_err();
        assert_eq!(
            build(Client::builder("a").auth_method(AuthMethod::ClientSecretPost)),
            InvalidClient::SecretMissing("client_secret_post")
        );
        assert_eq!(
            build(Client::builder("a").secret(secret()).auth_method(AuthMethod::None)),
            InvalidClient::SecretUnused
        );
        assert_eq!(
            build(Client::builder("a").grant_type(GrantType::AUTHORIZATION_CODE)),
            InvalidClient::RedirectUriMissing
        );
        assert_eq!(
            build(Client::builder("a").grant_type(GrantType::CLIENT_CREDENTIALS)),
            InvalidClient::PublicClientCredentials
        );
        assert_eq!(build(Client::builder("é")), InvalidClient::Id(InvalidClientId));
    }
}
