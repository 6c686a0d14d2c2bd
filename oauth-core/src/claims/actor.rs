//! `act`: who acts for the subject of a token.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::AccessTokenClaims;

/// Who acts for the subject of a token, and for whom that one acts in turn: the
/// `act` claim (RFC 8693 section 4.1).
///
/// For decisions only the outermost one counts. Those further in are history
/// (section 4.1: "not to be considered in access control decisions").
///
/// ```
/// use oauth_core::claims::Actor;
/// let act = serde_json::json!({ "sub": "billing", "act": { "sub": "gateway" } });
/// let actor = Actor::parse(&act).unwrap();
/// assert_eq!((actor.sub.as_str(), actor.depth()), ("billing", 2));
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Actor {
    /// `sub`: who it is.
    pub sub: String,
    /// `iss`: who says so, unless it is the issuer of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// `act`: who acted before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Self>>,
}

impl Actor {
    /// One who acts at first hand.
    pub fn new(sub: impl Into<String>) -> Self {
        Self { sub: sub.into(), iss: None, act: None }
    }

    /// Reads an `act` claim; `None` for what is none. Members that say nothing of
    /// who it is are ignored (section 4.1).
    #[must_use]
    pub fn parse(act: &Value) -> Option<Self> {
        // A derived reader would take an array of these values too.
        Self::deserialize(act).ok().filter(|_| act.is_object())
    }

    /// How many there are, this one included.
    #[must_use]
    pub fn depth(&self) -> usize {
        std::iter::successors(Some(self), |actor| actor.act.as_deref()).count()
    }
}

impl AccessTokenClaims {
    /// Who acts for the subject: `None`, if the token says nothing of it.
    ///
    /// # Errors
    /// The claim `act` is malformed.
    pub fn actor(&self) -> Result<Option<Actor>, super::ClaimsError> {
        let read = |act| Actor::parse(act).ok_or(super::ClaimsError::Malformed("act"));
        self.extra.get("act").map(read).transpose()
    }
}

/// Names of people stay out of logs.
impl std::fmt::Debug for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Actor").field("depth", &self.depth()).finish_non_exhaustive()
    }
}
