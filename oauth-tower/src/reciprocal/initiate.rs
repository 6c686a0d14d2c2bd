//! Party A's request (draft-ietf-oauth-reciprocal-04 section 2.2.2): its code goes
//! to party B, with A's access token from B.

use http::StatusCode;
use oauth_core::{client::GrantType, secret::Secret};

use crate::client::{TokenClient, TokenError, WireError, seconds_to_wait};

/// What party B answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Initiated {
    /// The status: 200 if B has taken the code.
    pub status: StatusCode,
    /// The `error` code, if there was one.
    pub error: Option<String>,
    /// When B wants to be asked again, in seconds, if it said so.
    pub retry_after: Option<u64>,
}

/// Sends `code` to party B's token endpoint, which `client` has, with the
/// credentials of party A there. `access_token` is the one that B gave A for the
/// user in question; if it is bound to a key, `client` proves that key
/// ([`dpop`](crate::client::TokenClientBuilder::dpop)).
///
/// ```no_run
/// use oauth_core::secret::Secret;
/// use oauth_tower::{client::TokenClient, outgoing::{ClientAuth, HttpClient}, reciprocal::initiate};
/// # async fn run(code: Secret, access_token: Secret) -> Result<(), Box<dyn std::error::Error>> {
/// let auth = ClientAuth::Basic { id: "voice-assistant".into(), secret: "our secret at B".into() };
/// let b = TokenClient::builder("https://music.example/token", auth).build(HttpClient::builder().build()?)?;
/// let answer = initiate(&b, &code, &access_token).await?;
/// if !answer.is_accepted() {
///     println!("B said {} {:?}", answer.status, answer.error);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`TokenError`] if there is no answer. A refusal is an answer.
pub async fn initiate(client: &TokenClient, code: &Secret, access_token: &Secret) -> Result<Initiated, TokenError> {
    let fields = [("code", code.expose()), ("access_token", access_token.expose())];
    let response = client.post_with_id(GrantType::RECIPROCAL.as_str(), &fields).await?;
    let error = Some(WireError::read(&response).code()).filter(|error| !error.is_empty());
    Ok(Initiated { status: response.status(), error, retry_after: seconds_to_wait(response.headers()) })
}

impl Initiated {
    /// Whether B has taken the code.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.status == StatusCode::OK
    }
}
