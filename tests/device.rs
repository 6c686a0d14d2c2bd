//! Devices without a browser: `POST /device_authorization`, the page `/device`, and how the device hears of it (RFC
//! 8628).

mod guesses;
mod page;
mod poll;
mod race;
mod start;

use oauth_core::{
    client::{Client, ClientSecret, GrantType},
    engine::device::{DeviceDecision, DeviceLookup, DeviceRequest, Guesser},
    engine::interaction::Approval,
    server::AuthorizationServerBuilder,
};

use crate::support::*;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A television: a public client with refresh tokens.
const TV: Caller = Caller::Public("tv");
/// Another one, without.
const RADIO: Caller = Caller::Public("radio");
/// A confidential client.
const KIOSK: Caller = Caller::Basic("kiosk", "kiosk-secret-3Hn6");

/// What a device was told.
#[derive(Clone)]
struct Codes {
    device: String,
    user: String,
}

fn devices(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    let client = |caller: Caller| Client::builder(caller.id()).scope("read write").grant_type(GrantType::DEVICE_CODE);
    let kiosk = client(KIOSK).secret(ClientSecret::new(&"kiosk-secret-3Hn6".into()));
    [client(TV).grant_type(GrantType::REFRESH_TOKEN).name("The <TV>"), client(RADIO), kiosk]
        .into_iter()
        .fold(builder.devices(|_| ()), |builder, client| builder.client(client.build().unwrap()))
}

async fn begin(w: &World, caller: Caller) -> Codes {
    let answer = w.post("/device_authorization", caller, &[("scope", "read")]).await;
    assert_eq!(answer.status, 200, "{answer}");
    let text = |name| answer.member(name).as_str().unwrap().to_owned();
    Codes { device: text("device_code"), user: text("user_code") }
}

async fn poll(w: &World, caller: Caller, codes: &Codes) -> Answer {
    w.token(caller, &[("grant_type", GRANT), ("device_code", &codes.device)]).await
}

/// What the host's page finds.
async fn found(w: &World, codes: &Codes) -> Option<DeviceRequest> {
    match w.server.device(&codes.user, Guesser::default()).await.unwrap() {
        DeviceLookup::Found(request) => Some(*request),
        _ => None,
    }
}

async fn approve(w: &World, codes: &Codes) -> DeviceDecision {
    found(w, codes).await.unwrap().approve(Approval::new("alice")).await.unwrap()
}
