//! A client at rest.

use serde::{Deserialize, Serialize};

use super::{AuthMethod, Client, ClientId, ClientSecret, GrantType, InvalidClient, RedirectUri};
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
