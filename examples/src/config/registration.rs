//! `[registration]`: who may register clients.

use oauth_axum_rs::pages::{DeveloperTerms, Developers};
use oauth_core::{engine::registration::RegistrationSettings, secret::Secret};

use super::{matrix::Profile, reader::Reader};

/// `[registration]`.
#[derive(Clone, Debug, Default)]
pub struct Registration {
    /// `open`.
    pub open: bool,
    /// `management`.
    pub management: bool,
    /// `localhost`.
    pub localhost: bool,
    /// `client_id_metadata_documents`.
    pub documents: bool,
    /// `developers_page`, with `terms_uri` and `terms_version`.
    pub developers: Option<Developers>,
    /// `initial_access_tokens`.
    pub initial_access_tokens: Vec<Secret>,
}

impl Registration {
    pub(super) fn read(top: &mut Reader<'_>, profile: Profile) -> Self {
        let mut registration = top.section("registration");
        let tokens: Vec<(String, Secret)> = registration.list("initial_access_tokens");
        for (key, token) in &tokens {
            // RFC 6750 section 2.1: what a client can send.
            if !token.expose().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)) {
                registration.wrong(key, "must be letters, digits and -._~+/= only");
            }
        }
        Self {
            open: registration.or("open", profile.is_matrix()),
            management: registration.or("management", false),
            localhost: registration.or("localhost", false),
            developers: read_developers(&mut registration),
            documents: registration.or("client_id_metadata_documents", false),
            initial_access_tokens: tokens.into_iter().map(|(_, token)| token).collect(),
        }
    }

    /// Whether anybody may register, or could before and now manages what came
    /// of it, or needs not to.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.open
            || self.management
            || self.documents
            || self.developers.is_some()
            || !self.initial_access_tokens.is_empty()
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
        if self.documents {
            settings = settings.client_id_metadata_documents();
        }
        self.initial_access_tokens.iter().fold(settings, RegistrationSettings::initial_access_token)
    }
}

/// The page on which developers register, if it is on.
fn read_developers(registration: &mut Reader<'_>) -> Option<Developers> {
    let on = registration.or("developers_page", false);
    let (uri, version) = (registration.take::<String>("terms_uri"), registration.take::<String>("terms_version"));
    match (on, &uri) {
        (false, Some(_)) => registration.wrong("terms_uri", "needs `developers_page = true`"),
        (_, None) if version.is_some() => registration.wrong("terms_version", "needs `terms_uri`"),
        _ => {}
    }
    let developers = on.then(Developers::new)?;
    let Some(uri) = uri else { return Some(developers) };
    match DeveloperTerms::at(uri, version.unwrap_or_else(|| "1".to_owned())) {
        Ok(terms) => Some(developers.terms(terms)),
        Err(error) => {
            registration.wrong("terms_uri", error);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::report::Report;

    fn registration(text: &str) -> Result<Registration, String> {
        let report = Report::default();
        let read = Registration::read(&mut Reader::new(text.parse().unwrap(), &report), Profile::Oauth21);
        report.finish(read).map_err(|found| found.to_string())
    }

    #[test]
    fn the_page_for_developers_is_off_unless_it_is_switched_on() {
        for text in ["", "[registration]\ndevelopers_page = false"] {
            let registration = registration(text).unwrap();
            assert!(registration.developers.is_none() && !registration.is_on(), "{text}");
        }
        let on = "[registration]\ndevelopers_page = true\n";
        for more in ["", "terms_uri = \"https://a.example/terms\"\nterms_version = \"2\""] {
            let registration = registration(&format!("{on}{more}")).unwrap();
            assert!(registration.developers.is_some() && registration.is_on(), "{more}");
        }
        for (text, key) in [
            (&*format!("{on}terms_uri = \"http://a.example/\""), "registration.terms_uri: "),
            (&*format!("{on}terms_version = \"2\""), "registration.terms_version: needs `terms_uri`"),
            ("[registration]\nterms_uri = \"https://a.example/\"", "registration.terms_uri: needs `developers_page"),
            ("[registration]\ndevelopers_page = 1", "registration.developers_page: must be true or false"),
        ] {
            let mistakes = registration(text).unwrap_err();
            assert!(mistakes.starts_with(key) && mistakes.lines().count() == 1, "{mistakes}");
        }
    }
}
