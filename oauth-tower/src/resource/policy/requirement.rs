//! One line of a policy, and how a token is held to it.

use std::{fmt, sync::Arc};

use oauth_core::{claims::ClaimsError, scope::Scope};
use serde_json::Value;

use super::{
    super::{
        refusal::{InvalidToken, NotPermitted, RefusalKind},
        terms::Terms,
        token::ValidatedToken,
    },
    authentication::Authentication,
    detail::Detail,
};

#[derive(Clone)]
pub(super) enum Requirement {
    SenderConstrained,
    Audience(String),
    Authentication(Arc<Authentication>),
    Issuer(Box<[String]>),
    Client(Box<[String]>),
    Claim(String, Value),
    Detail(Detail),
    Rule(&'static str, Arc<Rule>),
    Scope(Arc<Scope>),
    AnyScope(Box<[Scope]>),
}

type Rule = dyn Fn(&ValidatedToken) -> bool + Send + Sync;

impl Requirement {
    /// Lower is judged first. RFC 9470 section 3 would have a client that needs
    /// both told of the authentication before the scope.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::SenderConstrained | Self::Audience(_) => 0,
            Self::Authentication(_) => 1,
            Self::Issuer(_) | Self::Client(_) | Self::Claim(..) | Self::Detail(_) | Self::Rule(..) => 2,
            Self::Scope(_) | Self::AnyScope(_) => 3,
        }
    }

    /// The scope that it asks `token` for.
    pub(super) fn scope_for(&self, token: &ValidatedToken) -> Option<&Scope> {
        match self {
            Self::Scope(scope) => Some(scope),
            Self::AnyScope(choice) => choice.iter().find(|scope| token.permits(scope)).or_else(|| choice.first()),
            _ => None,
        }
    }

    /// Makes this ask for what `other` asks for as well, if they go together.
    pub(super) fn takes_in(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::Scope(scope), Self::Scope(more)) => {
                *scope = Arc::new(scope.union(more));
                true
            }
            (Self::Authentication(wanted), Self::Authentication(more)) => {
                *wanted = Arc::new(wanted.and(more));
                true
            }
            _ => false,
        }
    }

    pub(super) fn check(&self, token: &ValidatedToken, terms: &Terms) -> Result<(), RefusalKind> {
        let (met, otherwise): (bool, RefusalKind) = match self {
            Self::Scope(scope) => return scope_of(token, scope),
            Self::AnyScope(alternatives) => return any_scope_of(token, alternatives),
            Self::Authentication(wanted) => (
                wanted.is_met_by(token.claims(), terms.clock.now()),
                RefusalKind::InsufficientAuthentication(Arc::clone(wanted)),
            ),
            Self::SenderConstrained => (is_bound(token), InvalidToken::BearerUnserved.into()),
            Self::Audience(audience) => {
                (token.audience().contains(audience), InvalidToken::from(ClaimsError::WrongAudience).into())
            }
            Self::Issuer(issuers) => (names(issuers, Some(token.issuer())), NotPermitted::Issuer.into()),
            Self::Client(ids) => (names(ids, token.client_id()), NotPermitted::Client.into()),
            Self::Claim(name, value) => (has(token.claim(name), value), NotPermitted::Claim.into()),
            Self::Detail(detail) => {
                (detail.is_among(&token.claims().authorization_details), NotPermitted::Detail.into())
            }
            Self::Rule(name, rule) => (rule(token), NotPermitted::Rule(name).into()),
        };
        if met { Ok(()) } else { Err(otherwise) }
    }
}

fn scope_of(token: &ValidatedToken, scope: &Arc<Scope>) -> Result<(), RefusalKind> {
    if token.permits(scope) { Ok(()) } else { Err(RefusalKind::InsufficientScope(Arc::clone(scope))) }
}

fn any_scope_of(token: &ValidatedToken, alternatives: &[Scope]) -> Result<(), RefusalKind> {
    if alternatives.iter().any(|scope| token.permits(scope)) {
        return Ok(());
    }
    Err(RefusalKind::InsufficientScope(Arc::default()))
}

/// What `cnf` says beyond these two has been refused as not understood.
fn is_bound(token: &ValidatedToken) -> bool {
    token.confirmation().is_some_and(|cnf| cnf.jkt.is_some() || cnf.x5t_s256.is_some())
}

fn names(list: &[String], name: Option<&str>) -> bool {
    name.is_some_and(|name| list.iter().any(|one| one == name))
}

fn has(claim: Option<&Value>, wanted: &Value) -> bool {
    match claim {
        Some(value) if value == wanted => true,
        Some(Value::Array(values)) => values.contains(wanted),
        _ => false,
    }
}

impl fmt::Debug for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SenderConstrained => f.write_str("SenderConstrained"),
            Self::Audience(audience) => f.debug_tuple("Audience").field(audience).finish(),
            Self::Authentication(wanted) => wanted.fmt(f),
            Self::Issuer(issuers) => f.debug_tuple("Issuer").field(issuers).finish(),
            Self::Client(ids) => f.debug_tuple("Client").field(ids).finish(),
            Self::Claim(name, _) => f.debug_tuple("Claim").field(name).finish(),
            Self::Detail(detail) => detail.fmt(f),
            Self::Rule(name, _) => f.debug_tuple("Rule").field(name).finish(),
            Self::Scope(scope) => f.debug_tuple("Scope").field(scope).finish(),
            Self::AnyScope(alternatives) => f.debug_tuple("AnyScope").field(alternatives).finish(),
        }
    }
}
