//! What an operation asks of a token, beyond that it is good.

mod authentication;
mod detail;
mod requirement;

use std::sync::Arc;

use oauth_core::scope::Scope;
use serde_json::Value;

use self::requirement::Requirement;
pub use self::{authentication::Authentication, detail::Detail};
use super::{RefusalKind, ValidatedToken, require::literal, terms::Terms};

/// What an operation asks of a token. Every line of it must be met.
///
/// Give it to a layer ([`ResourceLayer::require`](super::ResourceLayer::require)),
/// to a route ([`Require`](super::Require)) or to a token in a handler
/// ([`ValidatedToken::require`]). Clones are cheap enough for start-up; nobody
/// clones one for a request.
///
/// ```
/// use oauth_tower::resource::{Detail, Policy};
///
/// let transfer = Policy::new()
///     .scope("payments")
///     .acr(["urn:example:mfa"])
///     .max_age(300)
///     .claim("tenant", "acme")
///     .detail(Detail::of_type("payment_initiation").action("initiate"));
/// # drop(transfer);
/// ```
///
/// # What the client hears
///
/// | Unmet | Answer |
/// |---|---|
/// | [`Policy::sender_constrained`], [`Policy::audience`] | 401 `invalid_token` |
/// | [`Policy::acr`], [`Policy::max_age`] | 401 `insufficient_user_authentication` with `acr_values`, `max_age` |
/// | the scope | 403 `insufficient_scope` with `scope` |
/// | anything else | 403 `insufficient_scope`, and no word of what it was |
///
/// In this order: a stronger sign-in is asked for before more scope is (RFC 9470
/// section 3), and scope after what no new consent would mend.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Policy(Vec<Requirement>);

impl Policy {
    /// Asks for nothing yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// All of these scope tokens, separated by spaces.
    ///
    /// # Panics
    /// If `scope` is not a scope: it is part of the program, not of a request.
    pub fn scope(self, scope: &str) -> Self {
        self.with(Requirement::Scope(Arc::new(literal(scope))))
    }

    /// One of these; each may be several scope tokens, separated by spaces. The
    /// challenge names the first: let that be the least.
    ///
    /// # Panics
    /// If one is not a scope, or if there is none: they are part of the program,
    /// not of a request.
    pub fn any_scope<'a>(self, alternatives: impl IntoIterator<Item = &'a str>) -> Self {
        let alternatives: Box<[_]> = alternatives.into_iter().map(literal).collect();
        assert!(!alternatives.is_empty(), "there is no scope to choose from");
        self.with(Requirement::AnyScope(alternatives))
    }

    /// Authentication of the user in one of these contexts (`acr`), best liked
    /// first (RFC 9470 section 3). A token without `acr` does not meet it.
    ///
    /// Called again, or joined with another policy: in one that both name.
    ///
    /// # Panics
    /// If there is none, or if one is empty or has a space in it: no challenge
    /// could name it.
    pub fn acr<T: AsRef<str>>(self, values: impl IntoIterator<Item = T>) -> Self {
        self.with(Requirement::Authentication(Arc::new(Authentication::in_context(values))))
    }

    /// Authentication of the user at most so many seconds ago (RFC 9470 section
    /// 3). A token without `auth_time` does not meet it.
    pub fn max_age(self, seconds: u64) -> Self {
        self.with(Requirement::Authentication(Arc::new(Authentication::within(seconds))))
    }

    /// A token that is of no use to a thief: bound to a DPoP key or to a client
    /// certificate. The layer has checked the binding by then.
    pub fn sender_constrained(self) -> Self {
        self.with(Requirement::SenderConstrained)
    }

    /// A token that names this audience too, beside the resource itself.
    pub fn audience(self, audience: impl Into<String>) -> Self {
        self.with(Requirement::Audience(audience.into()))
    }

    /// A token of one of these issuers, where several are accepted; of none, if
    /// there are none.
    pub fn issuers<T: Into<String>>(self, issuers: impl IntoIterator<Item = T>) -> Self {
        self.with(Requirement::Issuer(collect(issuers)))
    }

    /// A token that was issued to one of these clients; to none, if there are
    /// none.
    pub fn clients<T: Into<String>>(self, ids: impl IntoIterator<Item = T>) -> Self {
        self.with(Requirement::Client(collect(ids)))
    }

    /// A claim of this value, or an array that has it. The claims that
    /// [`TokenClaims`](super::TokenClaims) has fields for are not among them:
    /// use [`Policy::rule`] there.
    pub fn claim(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.with(Requirement::Claim(name.into(), value.into()))
    }

    /// `authorization_details` that permit this (RFC 9396 section 9).
    pub fn detail(self, detail: Detail) -> Self {
        self.with(Requirement::Detail(detail))
    }

    /// Whatever you ask of a token. `name` stands in the [`Refusal`](super::Refusal)
    /// as text, and never on the wire.
    ///
    /// ```
    /// use oauth_tower::resource::Policy;
    /// let users_only = Policy::new().rule("a user", |token| token.client_id() != Some(token.subject()));
    /// # drop(users_only);
    /// ```
    pub fn rule(self, name: &'static str, rule: impl Fn(&ValidatedToken) -> bool + Send + Sync + 'static) -> Self {
        self.with(Requirement::Rule(name, Arc::new(rule)))
    }

    /// What `other` asks for as well.
    ///
    /// # Panics
    /// If no authentication context ([`Policy::acr`]) would meet both.
    pub fn and(self, other: Self) -> Self {
        other.0.into_iter().fold(self, Self::with)
    }

    /// Holds `token` to it.
    pub(super) fn check(&self, token: &ValidatedToken, terms: &Terms) -> Result<(), RefusalKind> {
        self.0.iter().try_for_each(|requirement| requirement.check(token, terms)).map_err(|kind| match kind {
            // All of it, or the client would come back for the rest.
            RefusalKind::InsufficientScope(_) => RefusalKind::InsufficientScope(Arc::new(self.whole_scope(token))),
            kind => kind,
        })
    }

    /// What the challenge lists (OAuth 2.1 section 7.2.3): where there is a
    /// choice, what the token has already, else the first.
    fn whole_scope(&self, token: &ValidatedToken) -> Scope {
        let asked = self.0.iter().filter_map(|requirement| requirement.scope_for(token));
        asked.fold(Scope::empty(), |whole, scope| whole.union(scope))
    }

    /// In the order in which they are judged. What stands in one challenge is
    /// asked for in one piece.
    fn with(mut self, requirement: Requirement) -> Self {
        if self.0.iter_mut().any(|one| one.takes_in(&requirement)) {
            return self;
        }
        let place = self.0.partition_point(|other| other.rank() <= requirement.rank());
        self.0.insert(place, requirement);
        self
    }
}

impl From<Scope> for Policy {
    fn from(scope: Scope) -> Self {
        Self::new().with(Requirement::Scope(Arc::new(scope)))
    }
}

impl From<&Scope> for Policy {
    fn from(scope: &Scope) -> Self {
        scope.clone().into()
    }
}

fn collect<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Box<[String]> {
    items.into_iter().map(Into::into).collect()
}
