//! Scopes: sets of case-sensitive tokens (OAuth 2.1 section 3.3).

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A set of scope tokens. Order does not matter to comparison; the order of
/// the first mention is kept for display. Clones share the tokens.
///
/// ```
/// use oauth_core::scope::Scope;
/// let asked: Scope = "albums:write albums:read".parse()?;
/// assert_eq!(asked, "albums:read albums:write".parse()?);
/// assert!(asked.contains("albums:read"));
/// assert!(!asked.contains("albums")); // no hierarchy unless a rule says so
/// # Ok::<_, oauth_core::scope::InvalidScope>(())
/// ```
#[derive(Clone, Default)]
pub struct Scope(
    /// `None` for the empty set.
    Option<Arc<[Box<str>]>>,
);

/// A scope value with a character outside %x21 / %x23-5B / %x5D-7E, or with
/// more than [`Scope::MAX_TOKENS`] tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a scope is a list of printable ASCII tokens, without quotes and backslashes, separated by single spaces")]
pub struct InvalidScope;

impl Scope {
    /// The most tokens one scope may have; a longer list is refused.
    pub const MAX_TOKENS: usize = 256;

    /// The empty scope.
    #[must_use]
    pub const fn empty() -> Self {
        Self(None)
    }

    /// Whether `token` is in the set: an exact, case-sensitive match.
    #[must_use]
    pub fn contains(&self, token: &str) -> bool {
        self.iter().any(|own| own == token)
    }

    /// Whether every token of `self` is in `other`.
    #[must_use]
    pub fn is_subset_of(&self, other: &Self) -> bool {
        self.iter().all(|token| other.contains(token))
    }

    /// The tokens that are in both sets, in the order of `self`.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.filtered(|token| other.contains(token))
    }

    /// The tokens that are not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        self.filtered(|token| !other.contains(token))
    }

    /// The tokens of both sets.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        match (self.is_empty(), other.is_subset_of(self)) {
            (true, _) => other.clone(),
            (_, true) => self.clone(),
            (false, false) => {
                let more = other.tokens().iter().filter(|token| !self.contains(token));
                Self::of(self.tokens().iter().chain(more).cloned().collect())
            }
        }
    }

    /// The tokens that `keep` takes.
    pub(crate) fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        // Mostly all of them, and then there is nothing to copy.
        if self.iter().all(&keep) {
            return self.clone();
        }
        Self::of(self.tokens().iter().filter(|token| keep(token)).cloned().collect())
    }

    /// Whether `value` says these tokens, in this order.
    #[cfg(feature = "server")]
    pub(crate) fn is_written(&self, value: &str) -> bool {
        !self.is_empty() && value.split(' ').eq(self.iter())
    }

    /// Whether the set has no token.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// How many tokens there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tokens().len()
    }

    /// The tokens, each once.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.tokens().iter().map(AsRef::as_ref)
    }

    fn tokens(&self) -> &[Box<str>] {
        self.0.as_deref().unwrap_or_default()
    }

    fn of(tokens: Vec<Box<str>>) -> Self {
        Self((!tokens.is_empty()).then(|| tokens.into()))
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;

    /// Reads a `scope` parameter; the empty string is the empty scope.
    fn from_str(value: &str) -> Result<Self, InvalidScope> {
        let mut tokens: Vec<Box<str>> = Vec::new();
        if value.is_empty() {
            return Ok(Self::empty());
        }
        for token in value.split(' ') {
            if token.is_empty() || !token.bytes().all(is_scope_byte) {
                return Err(InvalidScope);
            }
            if tokens.iter().any(|own| **own == *token) {
                continue;
            }
            if tokens.len() == Self::MAX_TOKENS {
                return Err(InvalidScope);
            }
            tokens.push(token.into());
        }
        Ok(Self::of(tokens))
    }
}

/// OAuth 2.1 section 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ).
const fn is_scope_byte(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E)
}

impl PartialEq for Scope {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.is_subset_of(other)
    }
}

impl Eq for Scope {}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, token) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({self})")
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        value.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_a_set_of_exact_tokens() {
        let scope: Scope = "b a b".parse().unwrap();
        assert_eq!(scope.to_string(), "b a");
        assert!(!scope.contains("A"));
        assert_eq!(scope, "a b".parse().unwrap());
    }

    #[test]
    fn what_two_sets_have_in_common_or_together_keeps_the_order_of_the_first() {
        let scope = |text: &str| text.parse::<Scope>().unwrap();
        let text = |scope: Scope| scope.to_string();
        assert_eq!(text(scope("c b a").intersection(&scope("a c"))), "c a");
        assert_eq!(text(scope("c b a").without(&scope("a c"))), "b");
        assert_eq!(text(scope("b a").union(&scope("d a c"))), "b a d c");
        assert_eq!(text(scope("b a").union(&scope("a"))), "b a");
        assert_eq!(text(Scope::empty().union(&scope("b a"))), "b a");
        assert!(scope("a").without(&scope("a")).is_empty() && scope("a").intersection(&scope("b")).is_empty());
        assert_eq!(scope("a").without(&scope("a")), Scope::empty());
    }

    #[cfg(feature = "server")]
    #[test]
    fn a_value_says_a_scope_if_it_has_the_same_tokens_in_the_same_order() {
        let scope: Scope = "b a".parse().unwrap();
        assert!(scope.is_written("b a"));
        for other in ["", "a b", "b", "b a c", "b a ", "b  a", " b a", "b a a"] {
            assert!(!scope.is_written(other), "{other:?}");
        }
        assert!(!Scope::empty().is_written(""));
    }

    #[test]
    fn illegal_characters_and_spacing_are_refused() {
        for bad in [" a", "a ", "a  b", "a\tb", "a\"", "a\\", "é", "a\u{7f}"] {
            assert_eq!(bad.parse::<Scope>(), Err(InvalidScope), "{bad:?}");
        }
    }

    #[test]
    fn the_number_of_tokens_is_bounded() {
        let many = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<_>>().join(" ");
        assert!(many(Scope::MAX_TOKENS).parse::<Scope>().is_ok());
        assert!(many(Scope::MAX_TOKENS + 1).parse::<Scope>().is_err());
    }
}
