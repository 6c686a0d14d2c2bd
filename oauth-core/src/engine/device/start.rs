//! A device asks ([RFC 8628 section 3.1]).
//!
//! [RFC 8628 section 3.1]: https://www.rfc-editor.org/rfc/rfc8628#section-3.1

use std::net::IpAddr;

use http::Request;

use super::{Asked, Devices, UserCode, no_browser};
use crate::{
    client::{Client, GrantType},
    engine::{
        authorization::asked_scope,
        client_auth::authenticate,
        fault::{Failure, Fault},
        issue::{narrow, requested_resources},
        minute::Minute,
        remote_address::RemoteAddress,
    },
    error::OAuthError,
    params::Params,
    secret::Secret,
    server::AuthorizationServer,
    store::{ParkedInteraction, StoreError},
    token::GrantId,
};

/// How often to look for a code that nobody has at the moment: of 25 billion, a
/// million may live, and all of them are taken once in 10^36 requests.
const ATTEMPTS: usize = 8;

/// What the device is told.
pub(crate) struct Started {
    pub(crate) device_code: Secret,
    pub(crate) user_code: UserCode,
}

/// Judges what a device asks, and parks it; `params` is the body of `request`.
pub(crate) async fn start<B>(
    server: &AuthorizationServer,
    devices: &Devices,
    request: &Request<B>,
    params: &Params,
) -> Result<Started, Failure> {
    let client = authenticate(server, request, params).await?;
    if !client.may_use(&GrantType::DEVICE_CODE) {
        return Err(OAuthError::unauthorized_client("the client may not use this grant type").into());
    }
    count(server, devices, &client, RemoteAddress::of(request.extensions())).await?;
    let mut asked = read(server, devices, &client, params)?;
    for _ in 0..ATTEMPTS {
        if let Some(started) = park(server, devices, &mut asked).await? {
            return Ok(started);
        }
    }
    Err(Fault::Internal("no user code is free").into())
}

/// The same rules as at the authorization endpoint.
fn read(
    server: &AuthorizationServer,
    devices: &Devices,
    client: &Client,
    params: &Params,
) -> Result<Asked, OAuthError> {
    let scope = asked_scope(server, params, client)?;
    let resources = requested_resources(server, params)?;
    // What cannot become a token is refused before anyone is asked for it.
    let _meaningful = narrow(server, &resources, &scope)?;
    let now = server.now();
    Ok(Asked {
        device_client: client.id.clone(),
        grant: [0; 16],
        device_code: [0; 32],
        asked_at: now,
        ends_at: now.saturating_add(devices.settings.lifetime),
        authorization_details: server.authorization().detail_types.requested(params, client)?,
        scope,
        resources,
    })
}

/// Parks it under the code of a new grant; `None` if another device has that code.
async fn park(server: &AuthorizationServer, devices: &Devices, asked: &mut Asked) -> Result<Option<Started>, Fault> {
    let grant = GrantId::generate(server.random())?;
    let (user_code, row) = devices.codes(grant).next().ok_or(Fault::Internal("there is no root secret"))?;
    let (client, ends_at) = (asked.device_client.as_str(), asked.ends_at);
    let minted = server.codec().mint_device_code(grant, ends_at, client, server.random())?;
    asked.grant = *grant.as_bytes();
    asked.device_code = *minted.digest.as_bytes();
    let parked = ParkedInteraction {
        id: row,
        browser: no_browser(),
        request: serde_json::to_vec(&asked).map_err(|_| Fault::Internal("a request cannot be serialized"))?,
        expires_at: ends_at,
    };
    match server.store().park_interaction(parked).await {
        Ok(()) => Ok(Some(Started { device_code: minted.text, user_code })),
        Err(StoreError::Conflict(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Each request parks a row, so a client cannot make as many as it likes.
async fn count(
    server: &AuthorizationServer,
    devices: &Devices,
    client: &Client,
    address: Option<IpAddr>,
) -> Result<(), Failure> {
    let most = u64::from(devices.settings.requests_per_minute);
    let late = Minute::of(server).count_from("device requests", address, client.id.as_str(), most).await?;
    late.map_or(Ok(()), |retry_after| Err(Failure::TooMany { retry_after }))
}
