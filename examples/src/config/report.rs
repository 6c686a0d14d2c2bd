//! Mistakes in a configuration file, each under its key.

use std::{cell::RefCell, fmt};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The full key at fault, as in `clients[2].redirect_uris`.
    pub key: String,
    /// What is wrong with it. Never holds the value of a secret.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.what)
    }
}

/// Every mistake of one file, in the order in which they were found.
#[derive(Debug, thiserror::Error)]
pub struct Mistakes(pub Vec<Mistake>);

impl Mistakes {
    /// One mistake alone.
    pub fn one(key: impl fmt::Display, what: impl fmt::Display) -> Self {
        Self(vec![Mistake { key: key.to_string(), what: what.to_string() }])
    }

    /// The mistakes of several searches.
    pub fn all(found: impl IntoIterator<Item = Option<Self>>) -> Self {
        Self(found.into_iter().flatten().flat_map(|one| one.0).collect())
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, mistake) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            mistake.fmt(f)?;
        }
        Ok(())
    }
}

/// Where mistakes are noted while reading goes on.
#[derive(Debug, Default)]
pub(super) struct Report(RefCell<Vec<Mistake>>);

impl Report {
    /// Notes that the value of `key` is wrong.
    pub(super) fn wrong(&self, key: impl fmt::Display, what: impl fmt::Display) {
        let mistake = Mistake { key: key.to_string(), what: what.to_string() };
        self.0.borrow_mut().push(mistake);
    }

    /// Whether anything at or below `key` was noted.
    #[must_use]
    pub(super) fn blames(&self, key: &str) -> bool {
        let below = |rest: &str| rest.is_empty() || rest.starts_with(['.', '[']);
        self.0.borrow().iter().any(|mistake| mistake.key.strip_prefix(key).is_some_and(below))
    }

    /// `value`, if nothing was noted.
    ///
    /// # Errors
    /// Everything that was.
    pub(super) fn finish<T>(self, value: T) -> Result<T, Mistakes> {
        match self.0.into_inner() {
            none if none.is_empty() => Ok(value),
            mistakes => Err(Mistakes(mistakes)),
        }
    }
}
