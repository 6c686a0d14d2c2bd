//! What is asked for, and what of it can be had for a token.

use super::ExchangeRule;
use crate::{
    authorization_details::AuthorizationDetail,
    engine::issue::{Target, narrow},
    error::OAuthError,
    grant::TokenRequest,
    params::Params,
    scope::Scope,
    server::AuthorizationServer,
    store::AccessToken,
};

/// What `access` is exchanged for: the same, where the request does not ask for
/// less, or for another resource.
pub(super) fn of(
    server: &AuthorizationServer,
    request: &TokenRequest<'_>,
    rule: &ExchangeRule,
    access: &AccessToken,
) -> Result<Target, OAuthError> {
    let asked = resources(server, request.params, rule)?;
    let same = || access.audience.iter().filter(|one| rule.allows(one)).cloned().collect();
    let audience: Vec<String> = if asked.is_empty() { same() } else { asked };
    if audience.is_empty() {
        return Err(OAuthError::invalid_target("the client may not exchange tokens for this resource"));
    }
    let scope = narrow(server, &audience, &scope(request.params, rule, &access.scope)?)?;
    let details = server.authorization().detail_types.narrowed(request.params, &access.authorization_details)?;
    let within = audience.iter().all(|one| access.audience.contains(one));
    // One that does not say where was given for where the token was good.
    let stays = |detail: &AuthorizationDetail| {
        detail.is_for(&audience) && (within || detail.members().contains_key("locations"))
    };
    let authorization_details = details.filtered(stays);
    let confirmation = request.sender.bound_like(access.confirmation.as_ref());
    Ok(Target { scope, audience, authorization_details, confirmation, exchanged: None })
}

/// RFC 8693 section 2.1: `resource` is a URI and `audience` a name. A resource of
/// this server has one name, which is its URI.
pub(super) fn resources(
    server: &AuthorizationServer,
    params: &Params,
    rule: &ExchangeRule,
) -> Result<Vec<String>, OAuthError> {
    let mut resources: Vec<String> = Vec::new();
    for asked in params.all("resource").chain(params.all("audience")) {
        if server.resource(asked).is_none() || !rule.allows(asked) {
            return Err(OAuthError::invalid_target("the target is not served here, or not one for this client"));
        }
        if !resources.iter().any(|seen| seen == asked) {
            resources.push(asked.to_owned());
        }
    }
    Ok(resources)
}

fn scope(params: &Params, rule: &ExchangeRule, given: &Scope) -> Result<Scope, OAuthError> {
    let most = rule.most().map_or_else(|| given.clone(), |most| given.intersection(most));
    let Some(asked) = params.get("scope") else { return Ok(most) };
    let asked: Scope = asked.parse().map_err(|_| OAuthError::invalid_scope("the scope is malformed"))?;
    if !asked.is_subset_of(&most) {
        return Err(OAuthError::invalid_scope("the scope exceeds that of the subject_token, or of the client's rule"));
    }
    Ok(asked)
}
