//! What is asked for, and what comes of it.

use std::{fmt, sync::Arc};

use super::{FetchError, Purpose};
use crate::clock::UnixTime;

/// A document to fetch.
///
/// ```
/// use oauth_core::fetch::{FetchRequest, Purpose};
///
/// // A document that does not name its own URL is none, and is not kept.
/// fn names_itself(url: &str, document: &[u8]) -> Result<(), String> {
///     let document: serde_json::Value = serde_json::from_slice(document).map_err(|_| "not JSON")?;
///     if document["client_id"] == url { Ok(()) } else { Err("client_id: is not its URL".into()) }
/// }
/// let request = FetchRequest::new("https://app.example/client", Purpose::ClientMetadata).valid_if(names_itself);
/// assert_eq!(request.limit(), 5 * 1024);
/// ```
#[derive(Clone)]
#[must_use]
pub struct FetchRequest {
    url: String,
    purpose: Purpose,
    limit: usize,
    since: UnixTime,
    check: Option<Check>,
}

/// What is wrong with a document at a URL, in words that quote nothing of it.
type Check = fn(&str, &[u8]) -> Result<(), String>;

/// A document.
#[derive(Clone)]
#[non_exhaustive]
pub struct Fetched {
    /// The document itself.
    pub body: Arc<[u8]>,
    /// When its source was asked: what has changed since may be missing.
    pub asked: UnixTime,
    /// Until when it may be used, by its source and by the policy of whoever
    /// fetched it.
    pub fresh_until: UnixTime,
}

impl FetchRequest {
    /// Asks for `url`, as a stranger wrote it, within the limits of `purpose`.
    pub fn new(url: impl Into<String>, purpose: Purpose) -> Self {
        Self { url: url.into(), purpose, limit: purpose.limit(), since: UnixTime(0), check: None }
    }

    /// Reads at most so many bytes; as many as the purpose allows if not called.
    pub const fn with_limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// Wants a document that its source was asked for at `time` or later: not one
    /// from before that was kept.
    pub const fn asked_since(mut self, time: UnixTime) -> Self {
        self.since = time;
        self
    }

    /// Takes the document if `check` finds nothing wrong with it, by the URL and the
    /// bytes; the text is for the developer of the client, and quotes nothing of the
    /// document. What it refuses is not kept (Client ID Metadata Document draft
    /// section 5.2); so it should be the same for all who ask for one URL and
    /// purpose. Where it is not called, [`Purpose::is_plausible`] decides.
    pub const fn valid_if(mut self, check: fn(&str, &[u8]) -> Result<(), String>) -> Self {
        self.check = Some(check);
        self
    }

    /// The URL, unchecked.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it is for.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// How many bytes are read at most.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// The time that [`FetchRequest::asked_since`] set, or the epoch.
    #[must_use]
    pub const fn since(&self) -> UnixTime {
        self.since
    }

    /// That `document` is what was asked for.
    ///
    /// # Errors
    /// [`FetchError::Invalid`].
    pub fn check(&self, document: &[u8]) -> Result<(), FetchError> {
        match self.check {
            Some(check) => check(&self.url, document).map_err(FetchError::invalid),
            None if self.purpose.is_plausible(document) => Ok(()),
            None => Err(FetchError::Invalid { why: None }),
        }
    }
}

impl Fetched {
    /// A document whose source was asked at `asked`, and that is not to be used
    /// again.
    #[must_use]
    pub fn new(body: impl Into<Arc<[u8]>>, asked: UnixTime) -> Self {
        Self { body: body.into(), asked, fresh_until: asked }
    }

    /// That it may be used until `time`.
    #[must_use]
    pub const fn fresh_until(mut self, time: UnixTime) -> Self {
        self.fresh_until = time;
        self
    }
}

impl fmt::Debug for FetchRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No query: a `request_uri` can be a secret of its client (RFC 9101 section 5.2).
        let url = self.url.split(['?', '#']).next().unwrap_or_default();
        f.debug_struct("FetchRequest")
            .field("url", &url)
            .field("purpose", &self.purpose)
            .field("limit", &self.limit)
            .field("since", &self.since)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetched")
            .field("bytes", &self.body.len())
            .field("asked", &self.asked)
            .field("fresh_until", &self.fresh_until)
            .finish()
    }
}
