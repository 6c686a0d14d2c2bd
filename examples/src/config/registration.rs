//! `[registration]`: who may register clients.

use oauth_core::{engine::registration::RegistrationSettings, secret::Secret};

use super::reader::Reader;

/// `[registration]`.
#[derive(Clone, Debug, Default)]
pub struct Registration {
    /// `open`.
    pub open: bool,
    /// `management`.
    pub management: bool,
    /// `localhost`.
    pub localhost: bool,
    /// `initial_access_tokens`.
    pub initial_access_tokens: Vec<Secret>,
}

impl Registration {
    pub(super) fn read(top: &mut Reader<'_>) -> Self {
        let mut registration = top.section("registration");
        registration.not_built("client_id_metadata_documents", &[false]);
        let tokens: Vec<(String, Secret)> = registration.list("initial_access_tokens");
        for (key, token) in &tokens {
            // RFC 6750 section 2.1: what a client can send.
            if !token.expose().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)) {
                registration.wrong(key, "must be letters, digits and -._~+/= only");
            }
        }
        Self {
            open: registration.or("open", false),
            management: registration.or("management", false),
            localhost: registration.or("localhost", false),
            initial_access_tokens: tokens.into_iter().map(|(_, token)| token).collect(),
        }
    }

    /// Whether anybody may register, or could before and now manages what came
    /// of it.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.open || self.management || !self.initial_access_tokens.is_empty()
    }

    /// The same for the library.
    pub fn settings(&self, settings: RegistrationSettings, per_minute: u32) -> RegistrationSettings {
        let mut settings = settings.per_minute(per_minute);
        if self.open {
            settings = settings.open();
        }
        if self.management {
            settings = settings.manageable();
        }
        if self.localhost {
            settings = settings.allow_localhost();
        }
        self.initial_access_tokens.iter().fold(settings, RegistrationSettings::initial_access_token)
    }
}
