//! The homeserver of the reference server: in one process with the authorization server, so that
//! what is revoked there is refused here at once.

use std::{fmt, sync::Arc, time::Duration};

use axum::{Router, routing::any};
use oauth_axum_rs::{
    AuthorizationServer, ResourceServer,
    matrix::{AccountFuture, Accounts, Cors, DeviceId, Matrix, MatrixBuilder, UserId, unrecognized_path},
    oauth_tower::resource::Issuer,
};
use oauth_core::{engine::fault::Fault, server::Selection};

use super::{Ending, Homeserver, SignOut, Unavailable, Users};
use crate::config::{self, Config, Mistakes};

/// Everything under `/_matrix/client`; nothing where the profile is another one, or where the homeserver is
/// elsewhere: it would not hear of who is locked here.
///
/// # Errors
/// A mistake under `resources` or `matrix`.
pub fn router(config: &Config, server: &AuthorizationServer) -> Result<Router, Mistakes> {
    let Some(settings) = &config.matrix else { return Ok(Router::new()) };
    let others = Router::new().route("/_matrix/{*rest}", any(unrecognized_path)).layer(Cors);
    if settings.homeserver.is_some() {
        return Ok(others);
    }
    // What tokens are for if nobody asks for anything else.
    let audience = config.resources.first().map_or("", |resource| &resource.identifier);
    let api = ResourceServer::builder(audience).issuer(Issuer::local(server.clone()));
    let api = api.build().map_err(|error| Mistakes::one("resources", error))?;
    let matrix = matrix(settings, api, server)?;
    let home = Homeserver::new(matrix, settings.users.clone()).metadata_elsewhere().sign_out(sign_out(server));
    Ok(home.router().merge(others))
}

fn matrix(settings: &config::Matrix, api: ResourceServer, server: &AuthorizationServer) -> Result<Matrix, Mistakes> {
    let accounts = Local { users: settings.users.clone(), server: server.clone() };
    let builder = Matrix::builder(api, &settings.server_name).accounts(accounts);
    let builder = settings.appservices.iter().cloned().fold(builder, MatrixBuilder::appservice);
    let builder = if settings.legacy_query_token { builder.insecure_query_tokens() } else { builder };
    let builder = match settings.per_second {
        0 => builder,
        most => builder.limit_users(most, Duration::from_secs(1)),
    };
    builder.build().map_err(|error| Mistakes::one("matrix", error))
}

/// The accounts: the devices of a user are those that have a session at the authorization server.
struct Local {
    users: Users,
    server: AuthorizationServer,
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").finish_non_exhaustive()
    }
}

impl Accounts for Local {
    fn account<'a>(&'a self, user: &'a UserId, device: Option<&'a DeviceId>) -> AccountFuture<'a> {
        Box::pin(async move {
            // The server knows which devices there are: one that was deleted may be back.
            let found = self.users.account(user, None).await?;
            let (Some(account), Some(device)) = (&found, device) else { return Ok(found) };
            let devices = self.server.devices_of(user.localpart()).await?;
            let has = devices.iter().any(|known| known.id == *device);
            Ok(Some(if has { account.clone() } else { account.clone().without_device() }))
        })
    }
}

/// Ends a session as a revocation would.
#[must_use]
pub fn sign_out(server: &AuthorizationServer) -> SignOut {
    let server = server.clone();
    Arc::new(move |ending| {
        let server = server.clone();
        Box::pin(async move {
            end(&server, ending).await.map_err(|error| {
                tracing::error!(%error, "a session was not ended");
                Unavailable
            })
        })
    })
}

async fn end(server: &AuthorizationServer, ending: Ending) -> Result<(), Fault> {
    let token = server.validate_access(ending.token.expose()).await?;
    if let Some(token) = &token {
        server.revoke_grant(token.grant).await?;
    }
    let subject = ending.user.localpart().to_owned();
    let selection = match ending.device {
        _ if ending.all => Selection::Subject(subject),
        // An application service has a token of its own, and signs a device of its users out.
        Some(device) if token.is_none() => Selection::Device { subject, device: device.to_string() },
        _ => return Ok(()),
    };
    // What can be wrong with it is a time in the future, and there is none in it.
    let Ok(mut all) = server.revoke_all(selection) else { return Ok(()) };
    while let Some(step) = all.next().await {
        step?;
    }
    Ok(())
}
