//! Registered clients (OAuth 2.1 section 2).

mod assertion_algorithm;
mod auth_method;
mod builder;
mod developer;
mod distinguished_name;
mod grant_type;
mod host_name;
mod id;
mod invalid;
mod jwks;
pub mod metadata;
mod profile;
mod record;
mod redirect_uri;
mod registration;
mod requests;
mod secret;
#[cfg(test)]
mod tests;
mod tls_subject;
mod tokens;

use serde::{Deserialize, Serialize, Serializer, ser};

#[cfg(feature = "server")]
pub(crate) use self::distinguished_name::{AttributeValue, Part};
use self::record::Record;
pub(crate) use self::redirect_uri::RedirectRules;
#[cfg(feature = "server")]
pub(crate) use self::secret::sealer;
pub use self::{
    assertion_algorithm::AssertionAlgorithm,
    auth_method::AuthMethod,
    builder::ClientBuilder,
    developer::Developer,
    distinguished_name::{DistinguishedName, InvalidDistinguishedName},
    grant_type::GrantType,
    id::{ClientId, InvalidClientId},
    invalid::InvalidClient,
    jwks::{ClientJwks, ClientKeys, InvalidClientJwks},
    profile::{ApplicationType, ClientProfile},
    redirect_uri::{InvalidRedirectUri, RedirectUri},
    registration::Registration,
    requests::ClientRequests,
    secret::ClientSecret,
    tls_subject::{InvalidTlsSubject, TlsSubject},
    tokens::ClientTokens,
};
use crate::{clock::UnixTime, jwt::Algorithm, scope::Scope, secret::Secret};

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
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Record")]
#[non_exhaustive]
pub struct Client {
    /// Its identifier.
    pub id: ClientId,
    /// How it proves itself; [`AuthMethod::None`] makes it public.
    pub auth_method: AuthMethod,
    /// Its live secrets: one, or two while they are being changed.
    pub secrets: Vec<ClientSecret>,
    /// Where its public keys and certificates are.
    pub keys: Option<ClientKeys>,
    /// `token_endpoint_auth_signing_alg`: all that its assertions may be signed
    /// with. Without it, whatever the method and the keys allow.
    pub signing_algorithm: Option<AssertionAlgorithm>,
    /// What its certificate says, for [`AuthMethod::TlsClientAuth`].
    pub tls_subject: Option<TlsSubject>,
    /// Where codes may be sent.
    pub redirect_uris: Vec<RedirectUri>,
    /// What it may do at the token endpoint.
    pub grant_types: Vec<GrantType>,
    /// What it may ask for from now on. A grant that it has been given keeps its
    /// own scope, also where this becomes narrower: revoke those that should end.
    pub scope: Scope,
    /// What people know it as.
    pub name: Option<String>,
    /// How it sends its authorization requests.
    pub requests: ClientRequests,
    /// What kind of tokens it is given.
    pub tokens: ClientTokens,
    /// What else it says about itself.
    pub profile: ClientProfile,
    /// How it was registered; `None` unless it has registered itself.
    pub registration: Option<Box<Registration>>,
    /// Since when it has been given what still counts: every grant to it that is
    /// older is dead. See [`ClientBuilder::grants_since`].
    pub grants_since: UnixTime,
    /// How often its record has been replaced: see
    /// `Clients::replace_client`.
    pub revision: u64,
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

    /// Whether the operator vouches for it: it was configured or stored by them. One
    /// that has registered itself, and one that its own document describes, may be
    /// anybody, whatever they call themselves (OAuth 2.1 section 9.18.2).
    #[must_use]
    pub const fn is_vouched_for(&self) -> bool {
        self.registration.is_none()
    }

    /// The host of its metadata document, if that describes it and nobody has
    /// registered it: show it to people, since it is all that is known for certain
    /// (Client ID Metadata Document draft section 7.1). In lower case, and names in
    /// other scripts in their ASCII form.
    #[must_use]
    pub fn document_host(&self) -> Option<String> {
        let id = Some(self.id.as_str()).filter(|id| id.starts_with("https://") || id.starts_with("http://"))?;
        // No other client of the web has registered itself under its own URL.
        let url = url::Url::parse(id).ok().filter(|_| !self.is_vouched_for())?;
        url.host_str().map(str::to_owned)
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

    /// Whether its assertions may be signed with `algorithm`.
    pub(crate) fn may_sign_with(&self, algorithm: Algorithm) -> bool {
        self.signing_algorithm.is_none_or(|only| only == AssertionAlgorithm::Signature(algorithm))
    }
}

/// A secret that is not fit to be at rest is an error: see
/// [`ClientSecret::in_memory`].
impl Serialize for Client {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Record::try_from(self).map_err(ser::Error::custom)?.serialize(serializer)
    }
}
