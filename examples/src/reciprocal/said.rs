//! The pages that say how a trip ended.

use axum::{body::Body, http::StatusCode, response::Response};
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
