//! Challenges that are the same for every request, rendered once: a flood of
//! bad tokens must not cost more than it has to.

use std::sync::OnceLock;

use http::HeaderValue;

use super::{credentials::Scheme, refusal::RefusalKind};

type Values = Box<[HeaderValue]>;

/// The values of `WWW-Authenticate`, by what they say.
#[derive(Debug, Default)]
pub(super) struct Rendered {
    /// That there are no credentials.
    missing: OnceLock<Values>,
    /// That the token is not good, for each built-in scheme: which rule it broke
    /// is not said.
    invalid_bearer: OnceLock<Values>,
    invalid_dpop: OnceLock<Values>,
}

impl Rendered {
    /// The values for a refusal of this kind, which `render` makes if they are
    /// needed for the first time or are never the same.
    pub(super) fn values(&self, kind: &RefusalKind, scheme: Scheme, render: impl FnOnce() -> Values) -> Values {
        match self.place(kind, scheme) {
            Some(place) => place.get_or_init(render).clone(),
            None => render(),
        }
    }

    const fn place(&self, kind: &RefusalKind, scheme: Scheme) -> Option<&OnceLock<Values>> {
        match (kind, scheme) {
            (RefusalKind::MissingCredentials, _) => Some(&self.missing),
            (RefusalKind::InvalidToken(_), Scheme::Bearer) => Some(&self.invalid_bearer),
            (RefusalKind::InvalidToken(_), Scheme::Dpop) => Some(&self.invalid_dpop),
            _ => None,
        }
    }
}
