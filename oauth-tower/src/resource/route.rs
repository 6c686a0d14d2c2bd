//! Which issuer a token goes to.

use std::borrow::Cow;

use oauth_core::jwt::Jws;

use super::{
    credentials::token68,
    form::{self, Unverified},
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
            Err(error) => {
                let token = token68(token)?;
                Some(match form::of_jwt(token) {
                    Some(jwt) => self.route_unacceptable(token, &jwt, error.into()),
                    None => self.route_opaque(token, error.into()),
                })
            }
        }
    }

    fn route_jwt<'t>(&self, token: &'t [u8], jws: Jws<'t>) -> Route<'t> {
        // The only one there is will see for itself.
        if let [Configured { mechanism: Mechanism::Jwt(_), .. }] = &*self.issuers {
            return Route::Jwt(0, jws);
        }
        let Some(issuer) = jws.unverified_issuer().map(Cow::into_owned) else {
            let text = str::from_utf8(token).unwrap_or_default();
            return self.route_unnamed(text, InvalidToken::UnknownIssuer);
        };
        match self.named(&issuer) {
            Some((index, Mechanism::Jwt(_))) => Route::Jwt(index, jws),
            Some((index, _)) => Route::Ask(index, None),
            None => Route::Nobody(InvalidToken::UnknownIssuer),
        }
    }

    /// A JWT that cannot be verified here: `none`, HMAC, `crit`. The issuer
    /// that it names may take it all the same, if that is one to be asked;
    /// it is shown to nobody else.
    fn route_unacceptable<'t>(&self, token: &str, jwt: &Unverified, reason: InvalidToken) -> Route<'t> {
        let Some(issuer) = jwt.issuer() else { return self.route_unnamed(token, reason) };
        match self.named(issuer) {
            Some((index, Mechanism::Introspection { .. })) => Route::Ask(index, None),
            _ => Route::Nobody(reason),
        }
    }

    /// A JWT that names no issuer. Where an issuer's JWTs are verified here,
    /// and so must name it (RFC 9068 section 2.2), only a prefix saves it; else
    /// it is like any opaque token.
    fn route_unnamed<'t>(&self, token: &str, reason: InvalidToken) -> Route<'t> {
        let is_asked = |one: &Configured| matches!(one.mechanism, Mechanism::Introspection { .. });
        match self.prefixed(token) {
            Some(index) => Route::Ask(index, None),
            None if self.issuers.iter().all(is_asked) => self.route_opaque(token, reason),
            None => Route::Nobody(reason),
        }
    }

    /// The issuer of this name, and how its tokens are judged.
    fn named(&self, issuer: &str) -> Option<(usize, &Mechanism)> {
        let rank = |configured: &Configured| match configured.mechanism {
            // Whoever hears of revocations first.
            #[cfg(feature = "server")]
            Mechanism::Local(_) => 0,
            Mechanism::Jwt(_) => 1,
            Mechanism::Introspection { .. } => 2,
        };
        let named = self.issuers.iter().enumerate().filter(|(_, configured)| *configured.issuer == *issuer);
        named.min_by_key(|(_, configured)| rank(configured)).map(|(index, found)| (index, &found.mechanism))
    }

    /// A token that says nothing of where it is from: by its prefix, else the
    /// local server, which knows its own, else the one introspection endpoint
    /// that takes any (the builder permits no two).
    fn route_opaque<'t>(&self, token: &str, otherwise: InvalidToken) -> Route<'t> {
        let find = |wanted: &dyn Fn(&Mechanism) -> bool| {
            self.issuers.iter().position(|configured| wanted(&configured.mechanism))
        };
        if let Some(index) = self.prefixed(token) {
            return Route::Ask(index, None);
        }
        let remote = find(&|mechanism| matches!(mechanism, Mechanism::Introspection { prefix: None, .. }));
        #[cfg(feature = "server")]
        if let Some(local) = find(&|mechanism| matches!(mechanism, Mechanism::Local(_))) {
            return Route::Ask(local, remote);
        }
        remote.map_or(Route::Nobody(otherwise), |index| Route::Ask(index, None))
    }

    /// The issuer whose tokens begin like this. Where the prefix of one begins like
    /// that of another, the longer one says more (the builder permits no two alike).
    fn prefixed(&self, token: &str) -> Option<usize> {
        let length = |configured: &Configured| match &configured.mechanism {
            Mechanism::Introspection { prefix: Some(prefix), .. } => {
                token.starts_with(&**prefix).then_some(prefix.len())
            }
            _ => None,
        };
        let lengths = self.issuers.iter().enumerate();
        let lengths = lengths.filter_map(|(index, configured)| Some((length(configured)?, index)));
        lengths.max().map(|(_, index)| index)
    }
}
