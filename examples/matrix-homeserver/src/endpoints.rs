//! What the endpoints answer. Who asks was found out before, by the layer.

use std::time::Duration;

use axum::{extract::State, http::StatusCode};
use oauth_axum_rs::{
    matrix::{DeviceId, MatrixError, MatrixRejection, MatrixSession},
    oauth_core::server::Selection,
};
use ruma::{
    OwnedRoomId, OwnedUserId,
    api::client::{
        account::whoami,
        device::{self, get_devices},
        discovery::{
            get_capabilities::{
                self,
                v3::{Capabilities, ProfileFieldsCapability, RoomVersionStability, RoomVersionsCapability},
            },
            get_supported_versions,
        },
        keys::upload_signing_keys,
        membership::join_room_by_id_or_alias,
        message::send_message_event,
        profile::{get_profile, set_display_name},
        room::create_room,
        session::logout,
        sync::sync_events,
    },
    profile::ProfileFieldName,
};
use tokio::time::timeout;

use crate::{Homeserver, rooms::ROOM_VERSION, typed::Ruma};

type Answer<T> = Result<Ruma<T>, MatrixRejection>;

/// The longest that a client can wait for news.
const LONGEST_POLL: Duration = Duration::from_secs(30);
/// The longest name, in bytes.
const LONGEST_NAME: usize = 256;

/// The first is where the OAuth 2.0 API came in.
pub(crate) async fn versions(
    _session: Option<MatrixSession>,
    _request: Ruma<get_supported_versions::Request>,
) -> Ruma<get_supported_versions::Response> {
    let versions = ["v1.15", "v1.16", "v1.17", "v1.18"].map(str::to_owned);
    Ruma(get_supported_versions::Response::new(versions.to_vec()))
}

pub(crate) async fn whoami(
    session: MatrixSession,
    _request: Ruma<whoami::v3::Request>,
) -> Answer<whoami::v3::Response> {
    let mut answer = whoami::v3::Response::new(user_of(&session)?, session.is_guest());
    answer.device_id = session.device().map(|device| device.as_str().into());
    Ok(Ruma(answer))
}

pub(crate) async fn capabilities(
    _session: MatrixSession,
    _request: Ruma<get_capabilities::v3::Request>,
) -> Ruma<get_capabilities::v3::Response> {
    let mut capabilities = Capabilities::new();
    // The authorization server has the passwords.
    capabilities.change_password.enabled = false;
    let rooms = [(ROOM_VERSION, RoomVersionStability::Stable)];
    capabilities.room_versions = RoomVersionsCapability::new(ROOM_VERSION, rooms.into());
    let mut fields = ProfileFieldsCapability::new(true);
    fields.allowed = Some(vec![ProfileFieldName::DisplayName]);
    capabilities.profile_fields = Some(fields);
    Ruma(capabilities.into())
}

/// Whoever has waited is told to ask again, and not what there is: their session may have ended meanwhile.
pub(crate) async fn sync(
    State(Homeserver(home)): State<Homeserver>,
    session: MatrixSession,
    Ruma(request): Ruma<sync_events::v3::Request>,
) -> Answer<sync_events::v3::Response> {
    // Before looking, so that nothing is missed.
    let mut news = home.rooms.news();
    let answer = home.rooms.since(&user_of(&session)?, request.since.as_deref());
    if request.since.is_some() && answer.rooms.is_empty() {
        timeout(request.timeout.unwrap_or_default().min(LONGEST_POLL), news.changed()).await.ok();
    }
    Ok(Ruma(answer))
}

/// The devices that have a session.
pub(crate) async fn devices(
    State(Homeserver(home)): State<Homeserver>,
    session: MatrixSession,
    _request: Ruma<get_devices::v3::Request>,
) -> Answer<get_devices::v3::Response> {
    let devices = home.server.devices_of(session.user().localpart()).await.map_err(|_| MatrixError::unavailable(2))?;
    let devices = devices.into_iter().map(|known| {
        let mut device = device::Device::new(known.id.as_str().into());
        device.display_name = Some(known.client);
        device
    });
    Ok(Ruma(get_devices::v3::Response::new(devices.collect())))
}

pub(crate) async fn profile(
    State(Homeserver(home)): State<Homeserver>,
    Ruma(request): Ruma<get_profile::v3::Request>,
) -> Answer<get_profile::v3::Response> {
    let name = home.people.with(request.user_id.as_str(), |person| person.display_name.clone());
    let name = name.ok_or_else(|| MatrixError::new(StatusCode::NOT_FOUND, "M_NOT_FOUND", "no such user"))?;
    let fields = name.map(|name| ("displayname".to_owned(), name.into()));
    Ok(Ruma(fields.into_iter().collect()))
}

pub(crate) async fn set_display_name(
    State(Homeserver(home)): State<Homeserver>,
    session: MatrixSession,
    Ruma(request): Ruma<set_display_name::v3::Request>,
) -> Answer<set_display_name::v3::Response> {
    if request.user_id != user_of(&session)? {
        return Err(MatrixError::forbidden("this is somebody else's").into());
    }
    let name = request.displayname.filter(|name| !name.is_empty());
    if name.as_ref().is_some_and(|name| name.len() > LONGEST_NAME) {
        return Err(MatrixError::new(StatusCode::BAD_REQUEST, "M_INVALID_PARAM", "the name is too long").into());
    }
    let done = home.people.with(session.user().as_str(), |person| person.display_name = name);
    done.map(|()| Ruma(set_display_name::v3::Response::new())).ok_or_else(|| MatrixError::internal().into())
}

pub(crate) async fn create_room(
    State(Homeserver(home)): State<Homeserver>,
    session: MatrixSession,
    _request: Ruma<create_room::v3::Request>,
) -> Answer<create_room::v3::Response> {
    let room = home.rooms.create(&user_of(&session)?)?;
    Ok(Ruma(create_room::v3::Response::new(room)))
}

pub(crate) async fn join(
    State(Homeserver(home)): State<Homeserver>,
    session: MatrixSession,
    Ruma(request): Ruma<join_room_by_id_or_alias::v3::Request>,
) -> Answer<join_room_by_id_or_alias::v3::Response> {
    let alias = |_| MatrixError::new(StatusCode::NOT_FOUND, "M_NOT_FOUND", "rooms have no other names here");
    let room = OwnedRoomId::try_from(request.room_id_or_alias).map_err(alias)?;
    home.rooms.join(&user_of(&session)?, &room)?;
    Ok(Ruma(join_room_by_id_or_alias::v3::Response::new(room)))
}

pub(crate) async fn send(
    State(Homeserver(home)): State<Homeserver>,
    session: MatrixSession,
    Ruma(request): Ruma<send_message_event::v3::Request>,
) -> Answer<send_message_event::v3::Response> {
    let device = session.device().map(DeviceId::as_str);
    let event = home.rooms.send(&user_of(&session)?, device, &request)?;
    Ok(Ruma(send_message_event::v3::Response::new(event)))
}

/// The first keys need nothing more. Others take their place once the user has agreed at the page of the stage
/// `m.oauth`, which is all the user-interactive authentication that a token of the OAuth 2.0 API can do.
pub(crate) async fn upload_signing_keys(
    State(Homeserver(home)): State<Homeserver>,
    session: MatrixSession,
    Ruma(request): Ruma<upload_signing_keys::v3::Request>,
) -> Answer<upload_signing_keys::v3::Response> {
    let auth = request.auth.as_ref().map(serde_json::to_value).transpose().map_err(|_| MatrixError::internal())?;
    let upload = home.people.with(session.user().as_str(), |person| {
        if person.has_keys {
            home.stage.check(session.user(), auth.as_ref())?;
        }
        person.has_keys |= request.master_key.is_some();
        Ok(Ruma(upload_signing_keys::v3::Response::new()))
    });
    upload.unwrap_or_else(|| Err(MatrixError::internal().into()))
}

/// Ends the session of the device, and every token of it, at the authorization server.
pub(crate) async fn logout(
    State(Homeserver(home)): State<Homeserver>,
    session: MatrixSession,
    _request: Ruma<logout::v3::Request>,
) -> Answer<logout::v3::Response> {
    // An application service has none.
    let device = session.device().ok_or_else(|| MatrixError::forbidden("there is nothing to sign out"))?;
    let (subject, device) = (session.user().localpart().to_owned(), device.to_string());
    let revocation = home.server.revoke_all(Selection::Device { subject, device });
    let mut revocation = revocation.map_err(|_| MatrixError::internal())?;
    while let Some(step) = revocation.next().await {
        step.map_err(|_| MatrixError::unavailable(2))?;
    }
    Ok(Ruma(logout::v3::Response::new()))
}

/// The user of a session as ruma has them.
fn user_of(session: &MatrixSession) -> Result<OwnedUserId, MatrixError> {
    OwnedUserId::try_from(session.user().as_str()).map_err(|_| MatrixError::internal())
}
