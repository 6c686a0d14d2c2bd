//! Registered clients (OAuth 2.1 section 2).

mod redirect_uri;

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use subtle::ConstantTimeEq;

pub use self::redirect_uri::{InvalidRedirectUri, RedirectUri};
use crate::{
    clock::{Random, RandomError, UnixTime, random_bytes},
    scope::Scope,
    secret::{Digest, Secret},
};

/// A client identifier: 1 to 512 characters of %x20-7E (OAuth 2.1 appendix A.1).
/// Public, compared byte for byte, cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(Arc<str>);

/// Not a client identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a client_id is 1 to 512 printable ASCII characters")]
pub struct InvalidClientId;

impl ClientId {
    /// Takes `id` as a client identifier.
    ///
    /// # Errors
    /// [`InvalidClientId`] if it is empty, too long or not printable ASCII.
    pub fn new(id: &str) -> Result<Self, InvalidClientId> {
        let legal = (1..=512).contains(&id.len()) && id.bytes().all(|b| (0x20..=0x7E).contains(&b));
        legal.then(|| Self(id.into())).ok_or(InvalidClientId)
    }

    /// The identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientId {
    type Err = InvalidClientId;

    fn from_str(id: &str) -> Result<Self, InvalidClientId> {
        Self::new(id)
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientId({self})")
    }
}

impl Serialize for ClientId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ClientId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

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

/// What is kept of a client secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSecret {
    digest: Digest,
    expires_at: Option<UnixTime>,
}

impl ClientSecret {
    /// Keeps the SHA-256 of `secret`: right for secrets with at least 128 bits
    /// of entropy, such as [`ClientSecret::generate`] makes. One that a person
    /// chose can be guessed from its digest; keep such clients out of stores.
    #[must_use]
    pub fn new(secret: &Secret) -> Self {
        Self { digest: digest_of(secret), expires_at: None }
    }

    /// A fresh secret of 256 bits (43 base64url characters), to be shown once.
    ///
    /// # Errors
    /// [`RandomError`] if the source of randomness fails.
    pub fn generate(random: &dyn Random) -> Result<(Secret, Self), RandomError> {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let secret = Secret::new(URL_SAFE_NO_PAD.encode(random_bytes::<32>(random)?));
        let kept = Self::new(&secret);
        Ok((secret, kept))
    }

    /// Sets `client_secret_expires_at`: from then on the secret is refused.
    #[must_use]
    pub const fn expires_at(mut self, time: UnixTime) -> Self {
        self.expires_at = Some(time);
        self
    }

    fn is(&self, digest: &Digest, now: UnixTime) -> subtle::Choice {
        let live = self.expires_at.is_none_or(|end| now < end);
        self.digest.as_bytes().ct_eq(digest.as_bytes()) & u8::from(live).into()
    }
}

fn digest_of(secret: &Secret) -> Digest {
    Digest::of(&[b"client secret", secret.expose().as_bytes()])
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
        ClientBuilder { id: id.into(), ..ClientBuilder::default() }
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
        let digest = digest_of(secret);
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

/// Builds a [`Client`]; made by [`Client::builder`].
#[derive(Debug, Default)]
pub struct ClientBuilder {
    id: String,
    auth_method: Option<AuthMethod>,
    secrets: Vec<ClientSecret>,
    redirect_uris: Vec<String>,
    grant_types: Vec<GrantType>,
    scope: String,
    name: Option<String>,
}

impl ClientBuilder {
    /// Sets how the client proves itself. The default is
    /// `client_secret_basic` for a client with a secret, else `none`.
    #[must_use]
    pub const fn auth_method(mut self, method: AuthMethod) -> Self {
        self.auth_method = Some(method);
        self
    }

    /// Adds a secret: at most two.
    #[must_use]
    pub fn secret(mut self, secret: ClientSecret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Adds a redirect URI, kept and compared as it stands.
    #[must_use]
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uris.push(uri.into());
        self
    }

    /// Adds a grant type. Without any, a client with redirect URIs may use
    /// `authorization_code`.
    #[must_use]
    pub fn grant_type(mut self, grant_type: GrantType) -> Self {
        self.grant_types.push(grant_type);
        self
    }

    /// Sets the scope the client may ask for: tokens separated by spaces.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = scope.into();
        self
    }

    /// Sets the name that people see on the consent page.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`InvalidClient`] names the member at fault.
    pub fn build(self) -> Result<Client, InvalidClient> {
        let default = if self.secrets.is_empty() { AuthMethod::None } else { AuthMethod::ClientSecretBasic };
        let mut grant_types = self.grant_types;
        let code = GrantType::AUTHORIZATION_CODE;
        let refresh_only = grant_types.iter().all(|grant| *grant == GrantType::REFRESH_TOKEN);
        if refresh_only && !self.redirect_uris.is_empty() {
            grant_types.insert(0, code);
        }
        let redirect_uris = self.redirect_uris.iter().map(|uri| RedirectUri::parse(uri));
        Client {
            id: ClientId::new(&self.id)?,
            auth_method: self.auth_method.unwrap_or(default),
            secrets: self.secrets,
            redirect_uris: redirect_uris.collect::<Result<_, _>>()?,
            grant_types,
            scope: self.scope.parse()?,
            name: self.name,
        }
        .check()
    }
}

/// The record at rest. Every member that decides about security must be there:
/// one that lacks `auth_method` or `grant_types` does not load.
#[derive(Clone, Serialize, Deserialize)]
struct Record {
    client_id: ClientId,
    auth_method: AuthMethod,
    secrets: Vec<SecretRecord>,
    redirect_uris: Vec<String>,
    grant_types: Vec<GrantType>,
    scope: Scope,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
struct SecretRecord {
    sha256: [u8; 32],
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<UnixTime>,
}

impl TryFrom<Record> for Client {
    type Error = InvalidClient;

    fn try_from(record: Record) -> Result<Self, InvalidClient> {
        let secret =
            |one: SecretRecord| ClientSecret { digest: Digest::from_bytes(one.sha256), expires_at: one.expires_at };
        Self {
            id: record.client_id,
            auth_method: record.auth_method,
            secrets: record.secrets.into_iter().map(secret).collect(),
            redirect_uris: record.redirect_uris.iter().map(|uri| RedirectUri::parse(uri)).collect::<Result<_, _>>()?,
            grant_types: record.grant_types,
            scope: record.scope,
            name: record.name,
        }
        .check()
    }
}

impl From<Client> for Record {
    fn from(client: Client) -> Self {
        let secret = |one: ClientSecret| SecretRecord { sha256: *one.digest.as_bytes(), expires_at: one.expires_at };
        Self {
            client_id: client.id,
            auth_method: client.auth_method,
            secrets: client.secrets.into_iter().map(secret).collect(),
            redirect_uris: client.redirect_uris.iter().map(|uri| uri.as_str().to_owned()).collect(),
            grant_types: client.grant_types,
            scope: client.scope,
            name: client.name,
        }
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
