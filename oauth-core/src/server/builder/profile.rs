//! What a profile forbids.

use super::AuthorizationServerBuilder;
use crate::{
    client::AuthMethod,
    engine::{authorization::ResponseMode, policy::Rotation, registration::RegistrationSettings},
};

/// The longest life of an access token that is "short-lived", in seconds.
const SHORT: u64 = 3600;

impl AuthorizationServerBuilder {
    /// The first setting that is against the specification of Matrix ("OAuth 2.0 API"), and
    /// why.
    pub(super) fn against_matrix(&self) -> Option<(&'static str, &'static str)> {
        let mistake = self.matrix.as_ref()?.mistake();
        let strict = self.rotation == Rotation::Strict;
        let fragment = self.authorization.offers(ResponseMode::Fragment);
        let public = self.client_authentication.methods.contains(&AuthMethod::None);
        let registers = self.registration.as_ref().is_some_and(RegistrationSettings::has_endpoint);
        let wrong = [
            ("tokens.rotation", "strict does not let a client ask again whose response was lost", strict),
            (
                "tokens.access_lifetime",
                "is more than an hour, and access tokens are short-lived",
                self.lifetimes.access > SHORT,
            ),
            ("authorization.response_modes", "lack fragment", !fragment),
            ("client_authentication.methods", "lack none", !public),
            ("registration.open", "is off, and nobody can register", !registers),
            ("revocation.advertise", "is off, and clients sign out by revocation", !self.revocation.advertise),
        ];
        let wrong = wrong.into_iter().find_map(|(setting, why, is_so)| is_so.then_some((setting, why)));
        mistake.or(wrong)
    }
}
