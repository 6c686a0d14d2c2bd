//! Scopes: sets of case-sensitive tokens (OAuth 2.1 section 3.3).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A set of scope tokens. Order does not matter to comparison; the order of
/// the first mention is kept for display.
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
pub struct Scope(Vec<Box<str>>);

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
        Self(Vec::new())
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
        Self(self.0.iter().filter(|token| other.contains(token)).cloned().collect())
    }

    /// The tokens that are not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self(self.0.iter().filter(|token| !other.contains(token)).cloned().collect())
    }

    /// The tokens of both sets.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut all = self.clone();
        all.0.extend(other.0.iter().filter(|token| !self.contains(token)).cloned());
        all
    }

    /// Whether the set has no token.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many tokens there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// The tokens, each once.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;

    /// Reads a `scope` parameter; the empty string is the empty scope.
    fn from_str(value: &str) -> Result<Self, InvalidScope> {
        let mut scope = Self::default();
        if value.is_empty() {
            return Ok(scope);
        }
        for token in value.split(' ') {
            if token.is_empty() || !token.bytes().all(is_scope_byte) {
                return Err(InvalidScope);
            }
            if scope.contains(token) {
                continue;
            }
            if scope.len() == Self::MAX_TOKENS {
                return Err(InvalidScope);
            }
            scope.0.push(token.into());
        }
        Ok(scope)
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
