//! Devices, and the scope tokens that name them (MSC2967).

use std::fmt;

use crate::scope::Scope;

/// Full access to the client-server API ("Scope").
pub const API: &str = "urn:matrix:client:api:*";

/// The same under the name of the proposal, which clients in the field still send.
pub const UNSTABLE_API: &str = "urn:matrix:org.matrix.msc2967.client:api:*";

/// What the scope token of a device begins with; its id follows.
pub const DEVICE: &str = "urn:matrix:client:device:";

/// The same under the name of the proposal.
pub const UNSTABLE_DEVICE: &str = "urn:matrix:org.matrix.msc2967.client:device:";

/// The id of a device. It is compared byte for byte.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceId(Box<str>);

/// No id of a device: empty, longer than [`DeviceId::MAX_BYTES`], or with a character that
/// no scope token can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a device id is 1 to 255 printable ASCII characters, without spaces, quotes and backslashes")]
pub struct InvalidDeviceId;

/// A scope that names more than one device, or one by an id that is none.
/// "There MUST be exactly one" ("Device ID allocation").
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the scope does not name one device")]
pub struct SeveralDevices;

impl DeviceId {
    /// The longest id.
    pub const MAX_BYTES: usize = 255;

    /// Reads an id. Any characters of a scope token will do ("Device ID allocation"):
    /// clients that sign in by QR code send `/` and `+`.
    ///
    /// # Errors
    /// [`InvalidDeviceId`].
    pub fn new(id: &str) -> Result<Self, InvalidDeviceId> {
        let legal = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        let good = (1..=Self::MAX_BYTES).contains(&id.len()) && id.bytes().all(legal);
        if good { Ok(Self(id.into())) } else { Err(InvalidDeviceId) }
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The device that a scope names, under the stable or the unstable name; `None`
/// if it names none. Both names of one device are one.
///
/// # Errors
/// [`SeveralDevices`] if it names two, or one without an id.
pub fn device_of(scope: &Scope) -> Result<Option<DeviceId>, SeveralDevices> {
    let mut found = None;
    for token in scope.iter() {
        let Some(id) = token.strip_prefix(DEVICE).or_else(|| token.strip_prefix(UNSTABLE_DEVICE)) else { continue };
        let id = DeviceId::new(id).map_err(|_| SeveralDevices)?;
        if found.as_ref().is_some_and(|other| *other != id) {
            return Err(SeveralDevices);
        }
        found = Some(id);
    }
    Ok(found)
}

/// Whether a scope gives access to the client-server API, under the stable or
/// the unstable name.
#[must_use]
pub fn has_api(scope: &Scope) -> bool {
    scope.contains(API) || scope.contains(UNSTABLE_API)
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(scope: &str) -> Result<Option<String>, SeveralDevices> {
        device_of(&scope.parse().unwrap()).map(|device| device.map(|id| id.as_str().to_owned()))
    }

    #[test]
    fn a_scope_names_one_device_under_either_name() {
        assert_eq!(device("urn:matrix:client:device:AB/+C"), Ok(Some("AB/+C".into())));
        assert_eq!(device("a urn:matrix:org.matrix.msc2967.client:device:X b"), Ok(Some("X".into())));
        let twins = "urn:matrix:client:device:X urn:matrix:org.matrix.msc2967.client:device:X";
        assert_eq!(device(twins), Ok(Some("X".into())));
        assert_eq!(device("openid urn:matrix:client:api:*"), Ok(None));
    }

    #[test]
    fn two_devices_and_one_without_an_id_are_refused() {
        for scope in [
            "urn:matrix:client:device:X urn:matrix:client:device:Y",
            "urn:matrix:client:device:X urn:matrix:org.matrix.msc2967.client:device:Y",
            "urn:matrix:client:device:",
        ] {
            assert_eq!(device(scope), Err(SeveralDevices), "{scope}");
        }
        assert_eq!(device(&format!("{DEVICE}{}", "x".repeat(256))), Err(SeveralDevices));
    }

    #[test]
    fn the_api_is_a_whole_token() {
        let has = |scope: &str| has_api(&scope.parse().unwrap());
        assert!(has("urn:matrix:client:api:*") && has("x urn:matrix:org.matrix.msc2967.client:api:*"));
        assert!(!has("urn:matrix:client:api:*x") && !has("urn:matrix:client:api:") && !has("openid"));
    }
}
