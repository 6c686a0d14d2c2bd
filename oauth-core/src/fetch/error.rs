//! Why there is no document.

use std::{error::Error, fmt, net::IpAddr, sync::Arc};

use http::StatusCode;

use super::url::InvalidFetchUrl;

/// Why a document was not fetched. Every word of it is for the operator: what a
/// client hears is up to the endpoint. To tell strangers what a name resolves to
/// on the inside, or which port answers how, would make a scanner of the server.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// Policy forbids it. Nothing was sent.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// It was asked for, or too much was, a moment ago. Nothing was sent.
    #[error("asked too often; again in {retry_after} seconds")]
    Limited {
        /// In how many seconds to try again.
        retry_after: u64,
    },
    /// It is longer than the limit, or takes more to send than any document should.
    /// The rest was not read.
    #[error("the document is too large")]
    TooLarge,
    /// It did not come in time.
    #[error("the request timed out")]
    TimedOut,
    /// The status is not 200. A redirect is among these, and is not followed.
    #[error("the status is {0}")]
    Status(StatusCode),
    /// The media type is missing, or is another than the purpose allows.
    #[error("the media type is not what was asked for")]
    MediaType,
    /// It is compressed, although that was not asked for: what it unpacks to has
    /// no limit.
    #[error("the document has a content encoding")]
    Encoded,
    /// It is not what it should be. It is not kept.
    #[error("the document is not what was asked for{}", why.as_deref().map(|why| format!(": {why}")).unwrap_or_default())]
    Invalid {
        /// What is wrong with it, in the words of whoever has looked. Nothing of
        /// the document is in it, so that the developer of the client can be told.
        why: Option<Arc<str>>,
    },
    /// The other side cannot be reached, or breaks off, or speaks something else.
    #[error("unavailable: {stage}")]
    Unavailable {
        /// How far it came.
        stage: Stage,
        /// What went wrong there. Parts of it the other side may have written.
        #[source]
        source: Option<Arc<dyn Error + Send + Sync>>,
    },
}

/// What policy forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Nothing is fetched at all: [`NoFetch`](super::NoFetch).
    #[error("fetching is not set up")]
    Disabled,
    /// The URL is not one that is asked.
    #[error("the URL: {0}")]
    Url(#[from] InvalidFetchUrl),
    /// The port is not among those that are allowed.
    #[error("port {0} is not allowed")]
    Port(u16),
    /// The host has an address that is not for the public, among others perhaps.
    #[error("{0} is not a public address")]
    Address(IpAddr),
}

/// How far a fetch came before it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// The name has no address, or could not be resolved.
    Resolve,
    /// No address took a connection.
    Connect,
    /// No secure connection: a certificate of somebody else's, perhaps.
    Tls,
    /// No complete response.
    Http,
}

impl FetchError {
    /// A [`FetchError::Unavailable`] for `cause`.
    pub fn unavailable(stage: Stage, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable { stage, source: Some(Arc::from(cause.into())) }
    }

    /// A [`FetchError::Invalid`] that says what is wrong.
    pub fn invalid(why: impl fmt::Display) -> Self {
        Self::Invalid { why: Some(why.to_string().into()) }
    }

    /// Whether another attempt, later, may end otherwise without anybody changing
    /// anything: then this says nothing of the client, and is an outage.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Limited { .. } | Self::TimedOut | Self::Unavailable { .. } => true,
            Self::Status(status) => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Self::Refused(_) | Self::TooLarge | Self::MediaType | Self::Encoded | Self::Invalid { .. } => false,
        }
    }

    /// In how many seconds to try again, where that is known.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Limited { retry_after } => Some(*retry_after),
            _ => None,
        }
    }

    /// The error's stable name, for metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Limited { .. } => "limited",
            Self::TooLarge => "too_large",
            Self::TimedOut => "timed_out",
            Self::Status(_) => "status",
            Self::MediaType => "media_type",
            Self::Encoded => "encoded",
            Self::Invalid { .. } => "invalid",
            Self::Unavailable { .. } => "unavailable",
        }
    }
}

impl From<InvalidFetchUrl> for FetchError {
    fn from(invalid: InvalidFetchUrl) -> Self {
        Refusal::from(invalid).into()
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "the name has no address",
            Self::Connect => "no connection",
            Self::Tls => "no secure connection",
            Self::Http => "no complete response",
        })
    }
}
