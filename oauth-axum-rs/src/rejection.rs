//! Why an extractor did not get its token.

use std::fmt;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use oauth_tower::resource::{Refusal, RefusalKind};

/// No token for the handler: the refusal of the layer, as an axum rejection.
///
/// The response has the status, the challenge and, for the program's own
/// mistake, a body that says what to mend.
#[derive(Clone, Debug)]
pub struct TokenRejection(Refusal);

impl TokenRejection {
    /// 401, 403, or 500 where no layer has seen the request.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.0.status()
    }

    /// Why.
    #[must_use]
    pub const fn refusal(&self) -> &Refusal {
        &self.0
    }
}

impl From<Refusal> for TokenRejection {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl IntoResponse for TokenRejection {
    fn into_response(self) -> Response {
        let body = match self.0.kind() {
            RefusalKind::NotValidated => "this route takes a token, and no ResourceServer layer is around it\n",
            _ => "",
        };
        self.0.response(axum::body::Body::from(body))
    }
}

impl fmt::Display for TokenRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for TokenRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
