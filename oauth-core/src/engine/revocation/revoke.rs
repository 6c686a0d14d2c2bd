//! One revocation, from who asks to what ends.

use std::net::IpAddr;

use super::{
    authority::ForeignToken,
    caller::Caller,
    mode::{RevocationRules, Said},
    target::Target,
};
use crate::{
    client::Client,
    engine::{
        fault::{Failure, Fault},
        guess_limit::Asker,
    },
    error::{ErrorCode, OAuthError},
    event::Event,
    server::AuthorizationServer,
};

/// Revokes `token` for `caller` at `address`: what the mode says ends, or nothing
/// does. Fails as the mode says, and if there were too many requests that
/// revoked nothing.
pub(crate) async fn revoke(
    server: &AuthorizationServer,
    caller: &Caller,
    address: Option<IpAddr>,
    token: &str,
) -> Result<(), Failure> {
    let asker = Asker::revoking(caller.name(), address);
    let most = server.revocation_policy().misses_per_minute;
    // Counted before it is looked at, so that many at a time cannot slip through.
    server.guesses().count(asker, most, server.now())?;
    let outcome = attempt(server, caller, token).await;
    if matches!(outcome, Ok(true) | Err(Failure::Fault(_))) {
        server.guesses().take_back(asker, server.now());
    }
    outcome?;
    // Also if it had ended before: whoever ended it may still be telling others.
    server.revocations().settled().await;
    Ok(())
}

/// Whether anything ended.
async fn attempt(server: &AuthorizationServer, caller: &Caller, token: &str) -> Result<bool, Failure> {
    let policy = server.revocation_policy();
    let rules = policy.mode().rules();
    let nothing = || rules.unknown.verdict("the token is unknown, or has ended").map(|()| false);
    let Some(target) = Target::find(server, caller, token).await? else { return nothing() };
    check_caller(server, rules, caller, &target).await?;
    if target.is_access() && !policy.access_tokens {
        return Err(OAuthError::new(ErrorCode::UnsupportedTokenType, "access tokens cannot be revoked here").into());
    }
    if !target.end(server).await? {
        return nothing();
    }
    if !caller.is(&target.owner) {
        let by = caller.client().map(|client| &client.id);
        server.tell(&Event::ForeignRevocation { grant: target.grant.id, owner: &target.owner, by });
    }
    Ok(true)
}

/// That it is the caller's own, or that the mode or the host allows it all the
/// same.
async fn check_caller(
    server: &AuthorizationServer,
    rules: &RevocationRules,
    caller: &Caller,
    target: &Target,
) -> Result<(), Failure> {
    if caller.is(&target.owner) {
        return Ok(());
    }
    let Caller::Client(client) = caller else { return check_nobody(server, rules, caller, target).await };
    if rules.of_another_client != Said::Done && may_revoke_any(server, client, target).await? {
        return Ok(());
    }
    rules.of_another_client.verdict("the token was not issued to this client")
}

/// The same, where nobody says who they are.
async fn check_nobody(
    server: &AuthorizationServer,
    rules: &RevocationRules,
    caller: &Caller,
    target: &Target,
) -> Result<(), Failure> {
    let (confidential, public) = (&rules.of_confidential_client_by_nobody, &rules.of_public_client_by_nobody);
    if (confidential, public) == (&Said::Done, &Said::Done) {
        return Ok(());
    }
    let is_public = server.client(&target.owner).await?.is_some_and(|owner| owner.is_public());
    match caller {
        // Draft section 2.1: a page need not say which client it is.
        Caller::Page if is_public => Ok(()),
        _ if is_public => public.verdict("the client of the token is not named"),
        _ => confidential.verdict("the client of the token must authenticate"),
    }
}

async fn may_revoke_any(server: &AuthorizationServer, client: &Client, target: &Target) -> Result<bool, Fault> {
    match server.revocation_authority() {
        // A name alone is nobody's privilege.
        Some(authority) if !client.is_public() => {
            authority.may_revoke(&ForeignToken { client, grant: &target.grant.facts }).await
        }
        _ => Ok(false),
    }
}
