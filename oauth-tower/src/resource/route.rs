//! Which issuer a token goes to.

use std::borrow::Cow;

use oauth_core::jwt::Jws;

use super::{
    credentials::token68,
    refusal::InvalidToken,
    validate::{Configured, Judge, Mechanism},
};

/// Who can judge a token.
pub(super) enum Route<'t> {
    /// A verifier of JWTs.
    Jwt(usize, Jws<'t>),
    /// The first is asked, and if that does not know it, the second.
    Ask(usize, Option<usize>),
    /// It is nobody's.
    Nobody(InvalidToken),
}

impl Judge {
    /// Chooses by form and by the issuer that a JWT names; `None` if this is no
    /// token at all. Nothing is verified yet: whoever is chosen holds the token
    /// to its own rules.
    pub(super) fn route<'t>(&self, token: &'t [u8]) -> Option<Route<'t>> {
        // A JWT is of the characters of a token68, and has been looked through.
        match Jws::parse(str::from_utf8(token).ok()?) {
            Ok(jws) => Some(self.route_jwt(token, jws)),
            Err(error) => Some(self.route_opaque(token68(token)?, error.into())),
        }
    }

    fn route_jwt<'t>(&self, token: &'t [u8], jws: Jws<'t>) -> Route<'t> {
        // The only one there is will see for itself.
        if let [Configured { mechanism: Mechanism::Jwt(_), .. }] = &*self.issuers {
            return Route::Jwt(0, jws);
        }
        let Some(issuer) = jws.unverified_issuer().map(Cow::into_owned) else {
            let text = str::from_utf8(token).unwrap_or_default();
            return self.route_opaque(text, InvalidToken::UnknownIssuer);
        };
        let rank = |configured: &Configured| match configured.mechanism {
            // Whoever hears of revocations first.
            #[cfg(feature = "server")]
            Mechanism::Local(_) => 0,
            Mechanism::Jwt(_) => 1,
            Mechanism::Introspection { .. } => 2,
        };
        let named = self.issuers.iter().enumerate().filter(|(_, configured)| *configured.issuer == *issuer);
        match named.min_by_key(|(_, configured)| rank(configured)) {
            Some((index, Configured { mechanism: Mechanism::Jwt(_), .. })) => Route::Jwt(index, jws),
            Some((index, _)) => Route::Ask(index, None),
            None => Route::Nobody(InvalidToken::UnknownIssuer),
        }
    }

    /// A token that says nothing of where it is from: by its prefix, else the
    /// local server, which knows its own, else the one introspection endpoint
    /// that takes any (the builder permits no two).
    fn route_opaque<'t>(&self, token: &str, otherwise: InvalidToken) -> Route<'t> {
        let find = |wanted: &dyn Fn(&Mechanism) -> bool| {
            self.issuers.iter().position(|configured| wanted(&configured.mechanism))
        };
        let prefixed = |mechanism: &Mechanism| matches!(mechanism, Mechanism::Introspection { prefix: Some(prefix), .. } if token.starts_with(&**prefix));
        if let Some(index) = find(&prefixed) {
            return Route::Ask(index, None);
        }
        let remote = find(&|mechanism| matches!(mechanism, Mechanism::Introspection { prefix: None, .. }));
        #[cfg(feature = "server")]
        if let Some(local) = find(&|mechanism| matches!(mechanism, Mechanism::Local(_))) {
            return Route::Ask(local, remote);
        }
        remote.map_or(Route::Nobody(otherwise), |index| Route::Ask(index, None))
    }
}
