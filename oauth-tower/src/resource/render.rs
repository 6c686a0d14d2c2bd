//! From a refusal to a response.

use http::Response;

use super::Refusal;

/// Turns a refusal into the response that the client gets.
///
/// The default, [`EmptyBody`], answers with status, headers and an empty body.
/// [`GrpcStatus`](super::GrpcStatus) answers as gRPC does.
/// A closure does for a body of your own:
///
/// ```
/// use oauth_tower::resource::{Refusal, Render};
///
/// let json = |refusal: &Refusal| {
///     let code = refusal.error_code().map(|code| code.to_string());
///     refusal.response(format!(r#"{{"error":{code:?}}}"#))
/// };
/// # fn check(_: impl Render<String>) {}
/// # check(json);
/// ```
///
/// Keep [`Refusal::headers`]: a 401 without a challenge is not HTTP (RFC 9110
/// section 15.5.2).
pub trait Render<B> {
    /// The response to a request that was refused.
    fn render(&self, refusal: &Refusal) -> Response<B>;
}

/// Status, headers, and an empty body.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmptyBody;

impl<B: Default> Render<B> for EmptyBody {
    fn render(&self, refusal: &Refusal) -> Response<B> {
        refusal.response(B::default())
    }
}

impl<B, F: Fn(&Refusal) -> Response<B>> Render<B> for F {
    fn render(&self, refusal: &Refusal) -> Response<B> {
        self(refusal)
    }
}
