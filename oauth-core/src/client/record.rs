//! A client at rest.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    AssertionAlgorithm, AuthMethod, Client, ClientId, ClientJwks, ClientKeys, ClientProfile, ClientRequests,
    ClientSecret, ClientTokens, GrantType, InvalidClient, RedirectRules, RedirectUri, Registration, TlsSubject,
    secret::Kept,
};
use crate::{clock::UnixTime, scope::Scope, secret::Digest};

/// The record at rest. Every member that decides about security must be there:
/// one that lacks `auth_method` or `grant_types` does not load.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Record {
    client_id: ClientId,
    auth_method: AuthMethod,
    secrets: Vec<SecretRecord>,
    redirect_uris: Vec<String>,
    grant_types: Vec<GrantType>,
    scope: Scope,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jwks: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_endpoint_auth_signing_alg: Option<AssertionAlgorithm>,
    /// The name of its member, and its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tls_subject: Option<(String, String)>,
    #[serde(default, skip_serializing_if = "ClientRequests::is_empty")]
    requests: ClientRequests,
    #[serde(default, skip_serializing_if = "ClientTokens::is_empty")]
    tokens: ClientTokens,
    #[serde(default, skip_serializing_if = "ClientProfile::is_empty")]
    profile: ClientProfile,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    registration: Option<Box<Registration>>,
    /// Seconds since 1970.
    #[serde(default, skip_serializing_if = "is_zero")]
    grants_since: u64,
    /// Stores look at this one too.
    #[serde(default, skip_serializing_if = "is_zero")]
    revision: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_zero(revision: &u64) -> bool {
    *revision == 0
}

/// It has one of the first two.
#[derive(Clone, Serialize, Deserialize)]
struct SecretRecord {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<[u8; 32]>,
    /// In base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<UnixTime>,
}

/// Why a record cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordError {
    #[error(transparent)]
    Invalid(#[from] InvalidClient),
    #[error("client_secret: is damaged")]
    DamagedSecret,
    #[error("client_secret: must be sealed before it is stored")]
    UnsealedSecret,
    #[error("tls_subject: is not known")]
    UnknownSubject,
}

impl TryFrom<Record> for Client {
    type Error = RecordError;

    fn try_from(record: Record) -> Result<Self, RecordError> {
        // What is allowed was decided when it was registered.
        let redirect_uris = record.redirect_uris.iter().map(|uri| RedirectUri::check(uri, RedirectRules::Kept));
        let client = Self {
            id: record.client_id,
            auth_method: record.auth_method,
            secrets: record.secrets.into_iter().map(ClientSecret::try_from).collect::<Result<_, _>>()?,
            keys: keys(record.jwks, record.jwks_uri)?,
            signing_algorithm: record.token_endpoint_auth_signing_alg,
            tls_subject: record.tls_subject.map(|(member, value)| subject(&member, &value)).transpose()?,
            redirect_uris: redirect_uris.collect::<Result<_, _>>().map_err(InvalidClient::from)?,
            grant_types: record.grant_types,
            scope: record.scope,
            name: record.name,
            requests: record.requests,
            tokens: record.tokens,
            profile: record.profile,
            registration: record.registration,
            grants_since: UnixTime(record.grants_since),
            revision: record.revision,
        };
        Ok(client.check()?)
    }
}

fn keys(jwks: Option<Value>, jwks_uri: Option<String>) -> Result<Option<ClientKeys>, InvalidClient> {
    match (jwks, jwks_uri) {
        (Some(_), Some(_)) => Err(InvalidClient::TwoKeySources),
        (Some(jwks), None) => Ok(Some(ClientKeys::Inline(ClientJwks::parse(jwks.to_string().as_bytes())?))),
        (None, uri) => Ok(uri.map(ClientKeys::Uri)),
    }
}

fn subject(member: &str, value: &str) -> Result<TlsSubject, RecordError> {
    TlsSubject::parse(member, value).map_err(InvalidClient::from)?.ok_or(RecordError::UnknownSubject)
}

impl TryFrom<SecretRecord> for ClientSecret {
    type Error = RecordError;

    fn try_from(record: SecretRecord) -> Result<Self, RecordError> {
        let kept = match (record.sha256, record.sealed) {
            (Some(digest), None) => Kept::Digest(Digest::from_bytes(digest)),
            (None, Some(sealed)) => {
                let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| RecordError::DamagedSecret)?;
                Kept::Sealed(sealed.into())
            }
            _ => return Err(RecordError::DamagedSecret),
        };
        Ok(Self { kept, expires_at: record.expires_at })
    }
}

impl TryFrom<&Client> for Record {
    type Error = RecordError;

    fn try_from(client: &Client) -> Result<Self, RecordError> {
        let (jwks, jwks_uri) = match &client.keys {
            Some(ClientKeys::Inline(jwks)) => (Some(jwks.document().clone()), None),
            Some(ClientKeys::Uri(uri)) => (None, Some(uri.clone())),
            None => (None, None),
        };
        let subject = client.tls_subject.as_ref().map(TlsSubject::member);
        Ok(Self {
            client_id: client.id.clone(),
            auth_method: client.auth_method,
            secrets: client.secrets.iter().map(SecretRecord::try_from).collect::<Result<_, _>>()?,
            redirect_uris: client.redirect_uris.iter().map(|uri| uri.as_str().to_owned()).collect(),
            grant_types: client.grant_types.clone(),
            scope: client.scope.clone(),
            name: client.name.clone(),
            jwks,
            jwks_uri,
            token_endpoint_auth_signing_alg: client.signing_algorithm,
            tls_subject: subject.map(|(member, value)| (member.to_owned(), value)),
            requests: client.requests.clone(),
            tokens: client.tokens.clone(),
            profile: client.profile.clone(),
            registration: client.registration.clone(),
            grants_since: client.grants_since.0,
            revision: client.revision,
        })
    }
}

impl TryFrom<&ClientSecret> for SecretRecord {
    type Error = RecordError;

    fn try_from(secret: &ClientSecret) -> Result<Self, RecordError> {
        let (sha256, sealed) = match &secret.kept {
            Kept::Digest(digest) => (Some(*digest.as_bytes()), None),
            Kept::Sealed(sealed) => (None, Some(URL_SAFE_NO_PAD.encode(sealed))),
            Kept::Plain(_) => return Err(RecordError::UnsealedSecret),
        };
        Ok(Self { sha256, sealed, expires_at: secret.expires_at })
    }
}
