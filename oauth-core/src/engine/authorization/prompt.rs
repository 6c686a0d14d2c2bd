//! `prompt`: what a client wants its person to see ([OpenID Connect Core]
//! section 3.1.2.1, [OpenID Connect Prompt Create 1.0]).
//!
//! [OpenID Connect Core]: https://openid.net/specs/openid-connect-core-1_0.html
//! [OpenID Connect Prompt Create 1.0]: https://openid.net/specs/openid-connect-prompt-create-1_0.html

use serde::{Deserialize, Serialize};

use super::AuthorizationSettings;
use crate::{error::OAuthError, params::Params};

/// A value of `prompt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Prompt {
    /// No page at all: an answer at once, if only an error.
    None,
    /// The person proves anew who they are.
    Login,
    /// The person is asked, even if they have agreed before.
    Consent,
    /// The person says which account it is to be.
    SelectAccount,
    /// The person wants to make an account.
    Create,
}

impl Prompt {
    /// All there are.
    pub const ALL: [Self; 5] = [Self::None, Self::Login, Self::Consent, Self::SelectAccount, Self::Create];

    /// The value on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::SelectAccount => "select_account",
            Self::Create => "create",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|prompt| prompt.as_str() == text)
    }
}

/// Whether `params` ask that no page be shown, as far as that can be told of a
/// request that may be wrong otherwise.
pub(crate) fn is_silent(params: &Params) -> bool {
    params.get("prompt") == Some(Prompt::None.as_str())
}

/// The values that `params` have, of those that `settings` offer; each once.
pub(super) fn read(params: &Params, settings: &AuthorizationSettings) -> Result<Vec<Prompt>, OAuthError> {
    let mut prompts = Vec::new();
    for text in params.get("prompt").unwrap_or_default().split(' ').filter(|text| !text.is_empty()) {
        // Prompt Create 1.0 section 4.1: a value that is not supported is an invalid_request.
        let prompt = Prompt::parse(text).filter(|prompt| settings.takes(*prompt));
        let prompt = prompt.ok_or_else(|| OAuthError::invalid_request("the prompt is not one of this server"))?;
        if !prompts.contains(&prompt) {
            prompts.push(prompt);
        }
    }
    // Core section 3.1.2.1: "If this parameter contains none with any other value, an error is returned."
    if prompts.contains(&Prompt::None) && prompts.len() > 1 {
        return Err(OAuthError::invalid_request("the prompt none goes with no other"));
    }
    prompts.retain(|prompt| settings.prompts.contains(prompt));
    Ok(prompts)
}
