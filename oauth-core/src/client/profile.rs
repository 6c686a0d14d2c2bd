//! What a client says about itself.

use serde::{Deserialize, Serialize};

/// What a client says about itself to people (RFC 7591 section 2). Nobody has
/// checked that any of it is true: show the host of its redirect URI beside
/// it, and load nothing from these URLs into a page of your own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ClientProfile {
    /// `client_uri`: its home page; http or https.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// `logo_uri`: http or https. Never fetched here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// `tos_uri`: its terms of service; http or https.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// `policy_uri`: how it uses what it learns; http or https.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// `contacts`: how to reach those who are responsible for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// `software_id`: the same for every instance of one software.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    /// `software_version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
    /// `application_type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_type: Option<ApplicationType>,
}

/// `application_type`: where the client runs (OpenID Connect Dynamic Client
/// Registration section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ApplicationType {
    /// On a server of its own, or in pages of one: https, and not on the
    /// user's machine.
    Web,
    /// On the user's device.
    Native,
}

impl ApplicationType {
    /// The value on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Native => "native",
        }
    }

    /// Reads a value; `None` for any other.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        [Self::Web, Self::Native].into_iter().find(|one| one.as_str() == value)
    }
}

impl ClientProfile {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
