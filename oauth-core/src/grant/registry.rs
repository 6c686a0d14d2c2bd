//! The grants of one server, by their type.

use std::sync::Arc;

use url::Url;

use super::{
    TokenGrant, authorization_code::AuthorizationCode, client_credentials::ClientCredentials,
    refresh_token::RefreshToken,
};
use crate::{client::GrantType, server::BuildError};

/// The grants of one server: what the token endpoint takes, and the metadata name.
#[derive(Debug)]
pub(crate) struct Grants(Vec<(GrantType, Arc<dyn TokenGrant>)>);

impl Grants {
    /// Those that every server has, and `more`.
    pub(crate) fn with(more: Vec<Arc<dyn TokenGrant>>) -> Result<Self, BuildError> {
        let built_in: [Arc<dyn TokenGrant>; 3] =
            [Arc::new(AuthorizationCode), Arc::new(ClientCredentials), Arc::new(RefreshToken)];
        let mut grants = Self(built_in.into_iter().map(|grant| (grant.grant_type(), grant)).collect());
        for grant in more {
            let name = grant.grant_type();
            // OAuth 2.1 section 4.3: an absolute URI. So nobody brings back
            // `password`, nor takes the place of what is built in.
            if !is_uri(name.as_str()) || grants.get(name.as_str()).is_some() {
                return Err(BuildError::GrantType(name));
            }
            grants.0.push((name, grant));
        }
        Ok(grants)
    }

    /// The one that answers `grant_type`.
    pub(crate) fn get(&self, grant_type: &str) -> Option<&Arc<dyn TokenGrant>> {
        self.named(grant_type).map(|(_, grant)| grant)
    }

    /// The one that answers `grant_type`, and its type.
    pub(crate) fn named(&self, grant_type: &str) -> Option<&(GrantType, Arc<dyn TokenGrant>)> {
        self.iter().find(|(name, _)| name.as_str() == grant_type)
    }

    /// Whether there is one of this type.
    pub(crate) fn contains(&self, grant_type: &GrantType) -> bool {
        self.get(grant_type.as_str()).is_some()
    }

    /// All of them, the built-in ones first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(GrantType, Arc<dyn TokenGrant>)> {
        self.0.iter()
    }
}

fn is_uri(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_graphic()) && !name.contains('#') && Url::parse(name).is_ok()
}
