//! The pages that say how a trip ended.

use axum::{body::Body, http::StatusCode, response::Response};
use oauth_axum_rs::oauth_tower::{
    client::{DiscoveryError, TokenError},
    outgoing::HttpError,
};
use oauth_core::endpoint::page::{document, escape, html};

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// B has taken the code.
    Connected,
    /// B did not take it.
    NotTaken,
    /// B does not answer.
    Unreachable,
    /// B has answered something that is of no use.
    Amiss,
    /// The person said no here.
    Denied,
    /// The person, or B, said no there.
    DeniedThere,
    /// The answer belongs to nothing that this browser began.
    Unasked,
    /// The answer is not of whoever was asked.
    Foreign,
    /// No party has this name.
    Nobody,
    /// Something is wrong here.
    Ours,
}

impl Said {
    const fn words(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Connected => {
                (StatusCode::OK, "The two are connected", "Each can use your account with the other now.")
            }
            Self::NotTaken => {
                (StatusCode::BAD_GATEWAY, "It did not work", "The other service did not take what it asked for.")
            }
            Self::Unreachable => {
                (StatusCode::BAD_GATEWAY, "It did not work", "The other service does not answer. Try again later.")
            }
            Self::Amiss => {
                (StatusCode::BAD_GATEWAY, "It did not work", "The other service did not answer as it should.")
            }
            Self::Denied => (StatusCode::OK, "Nothing was shared", "The other service gets nothing from here."),
            Self::DeniedThere => (StatusCode::OK, "Nothing was shared", "The other service did not let this one in."),
            Self::Unasked => (
                StatusCode::BAD_REQUEST,
                "Begin anew",
                "It took too long, was done already, or was begun in another browser.",
            ),
            Self::Foreign => {
                (StatusCode::BAD_REQUEST, "Begin anew", "The answer came from somebody who was not asked.")
            }
            Self::Nobody => (StatusCode::NOT_FOUND, "Nothing is here", "No service of this name can be connected."),
            Self::Ours => {
                (StatusCode::SERVICE_UNAVAILABLE, "It did not work", "Something is wrong here. Try again later.")
            }
        }
    }

    pub(super) fn page(self) -> Response {
        let (status, title, text) = self.words();
        let main = format!("<h1 id=\"{self:?}\">{}</h1><p>{}</p>", escape(title), escape(text));
        html(status, document(title, &main), None).map(Body::from)
    }
}

/// Asking for the metadata of B.
impl From<&DiscoveryError> for Said {
    fn from(error: &DiscoveryError) -> Self {
        match error {
            DiscoveryError::Http(HttpError::Timeout | HttpError::Transport(_)) | DiscoveryError::Status(_) => {
                Self::Unreachable
            }
            _ => Self::Amiss,
        }
    }
}

/// Asking at B's token endpoint.
impl From<&TokenError> for Said {
    fn from(error: &TokenError) -> Self {
        match error {
            error if error.is_temporary() => Self::Unreachable,
            // Nothing was sent.
            TokenError::UnsendableSecret
            | TokenError::Assertion
            | TokenError::Proof(_)
            | TokenError::Foreign
            | TokenError::NoEndpoint(_) => Self::Ours,
            _ => Self::Amiss,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_no_use_is_not_taken_for_silence() {
        let busy = StatusCode::SERVICE_UNAVAILABLE;
        let asked = [DiscoveryError::Http(HttpError::Timeout), DiscoveryError::Status(busy), DiscoveryError::NotFound];
        assert_eq!(asked.each_ref().map(Said::from), [Said::Unreachable, Said::Unreachable, Said::Amiss]);
        let redeemed = [
            TokenError::Http(HttpError::Timeout),
            TokenError::Unavailable { status: busy, retry_after: None },
            TokenError::Unexpected(StatusCode::FOUND),
            TokenError::NotBound,
            TokenError::UnsendableSecret,
        ];
        let said = [Said::Unreachable, Said::Unreachable, Said::Amiss, Said::Amiss, Said::Ours];
        assert_eq!(redeemed.each_ref().map(Said::from), said);
    }
}
