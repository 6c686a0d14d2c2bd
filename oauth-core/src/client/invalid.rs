//! What can be wrong with a client.

use super::{
    AssertionAlgorithm, AuthMethod, Client, ClientKeys, GrantType, InvalidClientId, InvalidClientJwks,
    InvalidRedirectUri, InvalidTlsSubject, TlsSubject,
};

/// Why a client record is not one. Each message begins with the member at
/// fault.
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
    /// A public client cannot keep a secret, and one that proves itself by a key
    /// needs none.
    #[error("token_endpoint_auth_method: a client with a client_secret must use it")]
    SecretUnused,
    /// More than two secrets.
    #[error("client_secret: at most two may live at once")]
    TooManySecrets,
    /// `client_secret_jwt` needs the secret itself, and the other methods must
    /// not: see [`ClientSecret`](super::ClientSecret).
    #[error("client_secret: is not kept in the form that {0} needs")]
    SecretForm(&'static str),
    /// RFC 7518 section 3.2.
    #[error("client_secret: is shorter than the hash of {0}")]
    SecretTooShort(&'static str),
    /// The keys are not legal.
    #[error("jwks: {0}")]
    Jwks(#[from] InvalidClientJwks),
    /// `jwks_uri` is not an https URL.
    #[error("jwks_uri: must be an https URL without user name and fragment")]
    JwksUri,
    /// RFC 7591 section 2: "The 'jwks_uri' and 'jwks' parameters MUST NOT both
    /// be present".
    #[error("jwks_uri: must not be there beside jwks")]
    TwoKeySources,
    /// The authentication method needs keys, and there are none.
    #[error("jwks: {0} needs jwks or jwks_uri")]
    KeysMissing(&'static str),
    /// None of the keys can be used for the authentication method.
    #[error("jwks: has no key that {0} can use here")]
    NoUsableKey(&'static str),
    /// The algorithm is not one of the authentication method.
    #[error("token_endpoint_auth_signing_alg: is not for {0}")]
    SigningAlgorithm(&'static str),
    /// What the certificate must say is not legal.
    #[error(transparent)]
    TlsSubject(#[from] InvalidTlsSubject),
    /// RFC 8705 section 2.1.2: "exactly one of the below metadata parameters".
    #[error("tls_client_auth_subject_dn: tls_client_auth needs exactly one of the tls_client_auth members")]
    TlsSubjectMissing,
    /// RFC 8705 section 2.1.2, the other way round.
    #[error("{0}: must be the only one of the tls_client_auth members")]
    TooManyTlsSubjects(&'static str),
    /// The authentication method does not look at the subject.
    #[error("{0}: is for tls_client_auth only")]
    TlsSubjectUnused(&'static str),
    /// There are no keys to verify a signed request with.
    #[error("require_signed_request_object: needs jwks or jwks_uri")]
    RequestKeysMissing,
    /// A request object is fetched from https URLs alone (RFC 9101 section 5.2), and
    /// a client has only so many.
    #[error("request_uris: must be a short list of https URLs without user name and fragment")]
    RequestUri,
    /// The code flow needs somewhere to go.
    #[error("redirect_uris: the grant type authorization_code needs at least one")]
    RedirectUriMissing,
    /// A client that cannot authenticate may not act for itself.
    #[error("grant_types: client_credentials needs a client that authenticates")]
    PublicClientCredentials,
}

impl Client {
    /// That the members fit each other.
    pub(super) fn check(self) -> Result<Self, InvalidClient> {
        self.check_secrets()?;
        self.check_keys()?;
        self.check_tls_subject()?;
        self.check_requests()?;
        if self.may_use(&GrantType::AUTHORIZATION_CODE) && self.redirect_uris.is_empty() {
            return Err(InvalidClient::RedirectUriMissing);
        }
        if self.may_use(&GrantType::CLIENT_CREDENTIALS) && self.is_public() {
            return Err(InvalidClient::PublicClientCredentials);
        }
        Ok(self)
    }

    fn check_secrets(&self) -> Result<(), InvalidClient> {
        let (method, name) = (self.auth_method, self.auth_method.as_str());
        match (method.uses_secret(), self.secrets.len()) {
            (false, 0) => return Ok(()),
            (false, _) => return Err(InvalidClient::SecretUnused),
            (true, 0) => return Err(InvalidClient::SecretMissing(name)),
            (true, 1 | 2) => {}
            (true, _) => return Err(InvalidClient::TooManySecrets),
        }
        if self.secrets.iter().any(|secret| secret.is_hashed() == (method == AuthMethod::ClientSecretJwt)) {
            return Err(InvalidClient::SecretForm(name));
        }
        let least = self.least_secret_bytes();
        let short = |bytes: usize| bytes < least;
        match self.secrets.iter().filter_map(super::ClientSecret::bytes).any(short) {
            true => {
                Err(InvalidClient::SecretTooShort(self.signing_algorithm.map_or("HS256", AssertionAlgorithm::as_str)))
            }
            false => Ok(()),
        }
    }

    /// Of a secret that is not hashed; without a registered algorithm, enough
    /// for one of them.
    fn least_secret_bytes(&self) -> usize {
        match self.signing_algorithm {
            Some(AssertionAlgorithm::Hmac(algorithm)) => algorithm.least_secret_bytes(),
            _ => crate::jwt::HmacAlgorithm::HS256.least_secret_bytes(),
        }
    }

    fn check_keys(&self) -> Result<(), InvalidClient> {
        let (method, name) = (self.auth_method, self.auth_method.as_str());
        if let Some(algorithm) = self.signing_algorithm
            && method.uses_assertion()
            && !algorithm.is_for(method)
        {
            return Err(InvalidClient::SigningAlgorithm(name));
        }
        match (&self.keys, method) {
            (Some(ClientKeys::Uri(uri)), _) if !is_jwks_uri(uri) => Err(InvalidClient::JwksUri),
            (None, AuthMethod::PrivateKeyJwt | AuthMethod::SelfSignedTlsClientAuth) => {
                Err(InvalidClient::KeysMissing(name))
            }
            (Some(ClientKeys::Inline(jwks)), AuthMethod::PrivateKeyJwt)
                if !jwks.keys().keys().iter().any(|key| key.algorithms().any(|own| self.may_sign_with(own))) =>
            {
                Err(InvalidClient::NoUsableKey(name))
            }
            (Some(ClientKeys::Inline(jwks)), AuthMethod::SelfSignedTlsClientAuth) if jwks.certificates().is_empty() => {
                Err(InvalidClient::NoUsableKey(name))
            }
            _ => Ok(()),
        }
    }

    fn check_requests(&self) -> Result<(), InvalidClient> {
        let requests = &self.requests;
        if requests.require_signed_request_object && self.keys.is_none() {
            return Err(InvalidClient::RequestKeysMissing);
        }
        let few = requests.request_uris.len() <= super::ClientRequests::MAX_URIS;
        match few && requests.request_uris.iter().all(|uri| is_jwks_uri(uri)) {
            true => Ok(()),
            false => Err(InvalidClient::RequestUri),
        }
    }

    fn check_tls_subject(&self) -> Result<(), InvalidClient> {
        match (self.auth_method, &self.tls_subject) {
            (AuthMethod::TlsClientAuth, None) => Err(InvalidClient::TlsSubjectMissing),
            (AuthMethod::TlsClientAuth, Some(_)) | (_, None) => Ok(()),
            (_, Some(subject)) => Err(InvalidClient::TlsSubjectUnused(subject.member().0)),
        }
    }
}

/// The one of `subjects`, if there is one.
pub(super) fn only(subjects: Vec<TlsSubject>) -> Result<Option<TlsSubject>, InvalidClient> {
    let mut subjects = subjects.into_iter();
    match (subjects.next(), subjects.next()) {
        (first, None) => Ok(first),
        (_, Some(second)) => Err(InvalidClient::TooManyTlsSubjects(second.member().0)),
    }
}

/// Whether it is a URL that may be fetched at all; where it leads to is for the
/// fetcher to judge.
fn is_jwks_uri(uri: &str) -> bool {
    let plain = uri.bytes().all(|b| b.is_ascii_graphic()) && !uri.contains(['#', '\\']);
    let url = url::Url::parse(uri).ok().filter(|_| plain && uri.len() <= 2048);
    url.is_some_and(|url| {
        url.scheme() == "https" && url.host().is_some() && url.username().is_empty() && url.password().is_none()
    })
}
