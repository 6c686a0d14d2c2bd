//! Ways to get tokens, beyond those that every server has.

use std::sync::Arc;

use super::AuthorizationServerBuilder;
use crate::{
    grant::TokenGrant,
    server::{AuthorizationServer, BuildError},
};

impl AuthorizationServerBuilder {
    /// Adds a way to get tokens: one of those in [`grant`](crate::grant), or
    /// your own. It is then among the `grant_types_supported` of the metadata, for
    /// clients that are registered for it.
    ///
    /// None can take the place of another: see [`BuildError::GrantType`].
    ///
    /// [`BuildError::GrantType`]: crate::server::BuildError::GrantType
    pub fn grant(mut self, grant: impl TokenGrant) -> Self {
        self.grants.push(Arc::new(grant));
        self
    }
}

impl AuthorizationServer {
    /// Lets each grant say what it lacks.
    pub(super) fn check_grants(&self) -> Result<(), BuildError> {
        let mut grants = self.grants().iter();
        grants.try_for_each(|(name, grant)| {
            grant.check(self).map_err(|what| BuildError::Grant { name: name.clone(), what })
        })
    }
}
