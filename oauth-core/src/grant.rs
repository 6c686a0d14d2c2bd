//! The grants: one file each, named by its `grant_type`.

mod authorization_code;
mod client_credentials;
mod refresh_token;

use crate::{
    client::GrantType,
    engine::{
        fault::{Failure, Fault},
        issue::TokenRequest,
    },
    error::OAuthError,
    server::AuthorizationServer,
    store::Grant,
    token::TokenResponse,
};

/// The grant types this server implements.
pub(crate) const IMPLEMENTED: [GrantType; 3] =
    [GrantType::AUTHORIZATION_CODE, GrantType::CLIENT_CREDENTIALS, GrantType::REFRESH_TOKEN];

/// Issues tokens to a client that may use `grant_type`.
pub(crate) async fn issue(
    server: &AuthorizationServer,
    grant_type: &GrantType,
    request: TokenRequest<'_>,
) -> Result<TokenResponse, Failure> {
    match grant_type.as_str() {
        authorization_code::NAME => authorization_code::issue(server, request).await,
        client_credentials::NAME => client_credentials::issue(server, request).await,
        refresh_token::NAME => refresh_token::issue(server, request).await,
        _ => Err(OAuthError::unsupported_grant_type("the grant type is not implemented").into()),
    }
}

/// Whether the user behind a grant may still act. If not, the grant ends here
/// (draft-16 section 4.3.1).
async fn subject_may_act(server: &AuthorizationServer, grant: &Grant) -> Result<bool, Fault> {
    let Some(subject) = &grant.facts.subject else { return Ok(true) };
    if server.subjects().is_active(subject).await? {
        return Ok(true);
    }
    let _outcome = server.revoke_grant(grant.id).await?;
    Ok(false)
}
