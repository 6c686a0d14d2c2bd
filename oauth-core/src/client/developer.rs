//! Who registered a client, where a person did.

use serde::{Deserialize, Serialize};

use super::metadata::{RegistrationError, check_lines};

/// Who registered a client on a page for developers, and what they said there
/// that is no client metadata. It is kept with the registration, is never shown
/// at the client's configuration endpoint, and stays if the client replaces its
/// metadata.
///
/// ```
/// use oauth_core::client::Developer;
/// let developer = Developer::new("user-1").accepted("2026-11").describing("Shows your notes.\nOn paper, too.")?;
/// assert_eq!(developer.terms.as_deref(), Some("2026-11"));
/// assert!(Developer::new("user-1").describing("\u{202e}backwards").is_err());
/// # Ok::<_, oauth_core::client::metadata::RegistrationError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Developer {
    /// The person: the `sub` of their tokens.
    pub subject: String,
    /// The version of the host's terms that they accepted, when they registered
    /// the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
    /// What they say the client does. Nobody has checked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl Developer {
    /// The longest description, in bytes.
    pub const MAX_DESCRIPTION: usize = 2000;

    /// The person known as `subject`.
    pub fn new(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), terms: None, description: None }
    }

    /// Notes that they accepted `version` of the host's terms.
    #[must_use]
    pub fn accepted(mut self, version: impl Into<String>) -> Self {
        self.terms = Some(version.into());
        self
    }

    /// Sets what they say the client does: lines of text.
    ///
    /// # Errors
    /// [`RegistrationError`], which begins with `description`, if it is longer
    /// than [`Developer::MAX_DESCRIPTION`] or has control characters beside line
    /// feeds in it.
    pub fn describing(mut self, text: impl Into<String>) -> Result<Self, RegistrationError> {
        let text = text.into();
        check_lines("description", &text, Self::MAX_DESCRIPTION)?;
        self.description = Some(text);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_lines_of_plain_text_and_bounded() {
        let describe = |text: &str| Developer::new("a").describing(text);
        assert!(describe("").is_ok() && describe("One.\nTwo <b>.\n").is_ok());
        assert!(describe(&"x".repeat(Developer::MAX_DESCRIPTION)).is_ok());
        let long = "x".repeat(Developer::MAX_DESCRIPTION + 1);
        for wrong in [&*long, "a\rb", "a\0b", "a\u{202e}b", "a\u{2028}b", "a\u{1b}[2J"] {
            assert!(describe(wrong).unwrap_err().to_string().starts_with("description: "), "{wrong:?}");
        }
    }
}
