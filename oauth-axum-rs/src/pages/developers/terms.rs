//! What developers have to accept.

/// Terms that a developer has to accept, and their version: it is kept with
/// each registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeveloperTerms {
    pub(super) body: Body,
    pub(super) version: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Uri(String),
    Text(String),
}

/// Not an https URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the terms are at an https URL without spaces and quotation marks")]
pub struct InvalidTermsUri;

impl DeveloperTerms {
    /// Terms that can be read at `uri`, which the page links to.
    ///
    /// # Errors
    /// [`InvalidTermsUri`] if it is not an https URL.
    pub fn at(uri: impl Into<String>, version: impl Into<String>) -> Result<Self, InvalidTermsUri> {
        let uri = uri.into();
        let plain = uri.bytes().all(|b| b.is_ascii_graphic() && !b"\\\"<>`'".contains(&b));
        let host =
            uri.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#']));
        if !plain || !host {
            return Err(InvalidTermsUri);
        }
        Ok(Self { body: Body::Uri(uri), version: version.into() })
    }

    /// Terms that stand on the page itself: text, a paragraph to a line.
    pub fn text(text: impl Into<String>, version: impl Into<String>) -> Self {
        Self { body: Body::Text(text.into()), version: version.into() }
    }

    pub(super) fn uri(&self) -> Option<&str> {
        match &self.body {
            Body::Uri(uri) => Some(uri),
            Body::Text(_) => None,
        }
    }

    pub(super) fn paragraphs(&self) -> Vec<&str> {
        match &self.body {
            Body::Uri(_) => Vec::new(),
            Body::Text(text) => text.lines().filter(|line| !line.trim().is_empty()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_text_or_at_an_https_url() {
        let terms = DeveloperTerms::at("https://example.com/terms?v=2", "2").unwrap();
        assert_eq!((terms.uri(), terms.paragraphs().len()), (Some("https://example.com/terms?v=2"), 0));
        let terms = DeveloperTerms::text("Be kind.\n\nBe brief.", "1");
        assert_eq!((terms.uri(), terms.paragraphs()), (None, vec!["Be kind.", "Be brief."]));
        for uri in ["", "http://example.com/", "javascript:alert(1)", "https://", "https:///x", "https://a b", "/terms"]
        {
            assert_eq!(DeveloperTerms::at(uri, "1"), Err(InvalidTermsUri), "{uri}");
        }
    }
}
