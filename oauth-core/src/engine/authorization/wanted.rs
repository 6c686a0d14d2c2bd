//! What a client wants of its person's sign-in: how fresh, how strong, and by
//! whom ([RFC 9470] section 4; OpenID Connect Core section 3.1.2.1).
//!
//! [RFC 9470]: https://www.rfc-editor.org/rfc/rfc9470

use serde::{Deserialize, Serialize};

use super::{
    prompt::{self, Prompt},
    settings::AuthorizationSettings,
};
use crate::{
    clock::UnixTime,
    error::{ErrorCode, OAuthError},
    params::Params,
};

/// The most values of a list that are read.
const MOST: usize = 10;

/// The most bytes of one of them, and of a hint.
const LONGEST: usize = 256;

/// Why a person who is signed in, or not, has to sign in now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignInReason {
    /// It is not known when they last did.
    Unknown,
    /// The client wants it anew: `prompt=login`.
    Again,
    /// It was too long ago: `max_age`.
    TooLongAgo,
    /// It was not done in one of the ways that the client accepts: `acr_values`.
    AnotherWay,
}

/// The wishes of one request.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// When it was asked: a sign-in since then was for this request.
    #[serde(default)]
    pub(crate) asked_at: UnixTime,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) prompts: Vec<Prompt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_age: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) acr_values: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) login_hint: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) ui_locales: Vec<String>,
}

impl Wanted {
    /// Reads the wishes of a request that is made `now`.
    pub(super) fn read(settings: &AuthorizationSettings, params: &Params, now: UnixTime) -> Result<Self, OAuthError> {
        let acr_values = read_acr_values(params)?;
        let reached = |value: &String| settings.acr_values.contains(value);
        // Better an answer now than one after a sign-in that cannot help.
        if settings.acr_values_are_essential && !acr_values.is_empty() && !acr_values.iter().any(reached) {
            return Err(unmet("none of the acr_values is one of this server"));
        }
        Ok(Self {
            asked_at: now,
            prompts: prompt::read(params, settings)?,
            max_age: read_max_age(params)?.or(settings.default_max_age),
            acr_values,
            login_hint: params.get("login_hint").filter(|hint| is_harmless(hint)).map(str::to_owned),
            ui_locales: read_locales(params),
        })
    }

    pub(crate) fn has(&self, prompt: Prompt) -> bool {
        self.prompts.contains(&prompt)
    }

    /// Whether a sign-in at `auth_time` was made for this request. Times are whole
    /// seconds: of one in the very second of the request, the host alone can know.
    pub(crate) fn is_fresh(&self, auth_time: UnixTime) -> bool {
        auth_time >= self.asked_at
    }

    /// Why a sign-in at `auth_time`, in the way `acr`, does not do.
    pub(crate) fn missing(
        &self,
        settings: &AuthorizationSettings,
        auth_time: Option<UnixTime>,
        acr: Option<&str>,
        now: UnixTime,
    ) -> Option<SignInReason> {
        let fresh = auth_time.is_some_and(|time| self.is_fresh(time));
        if self.has(Prompt::Login) && !fresh {
            return Some(SignInReason::Again);
        }
        if let Some(max_age) = self.max_age
            && !fresh
        {
            let Some(auth_time) = auth_time else { return Some(SignInReason::Unknown) };
            // A max_age of 0 is like prompt=login (Core section 3.1.2.1): what is not for this request is older.
            if auth_time.until(now) > max_age {
                return Some(SignInReason::TooLongAgo);
            }
        }
        let accepted = || acr.is_some_and(|acr| self.acr_values.iter().any(|value| value == acr));
        let essential = settings.acr_values_are_essential && !self.acr_values.is_empty();
        (essential && !accepted()).then_some(SignInReason::AnotherWay)
    }
}

/// OpenID Connect Unmet Authentication Requirements 1.0.
pub(crate) fn unmet(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::Other("unmet_authentication_requirements".into()), description)
}

/// In the client's order of preference, each once.
fn read_acr_values(params: &Params) -> Result<Vec<String>, OAuthError> {
    let mut values: Vec<String> = Vec::new();
    for value in params.get("acr_values").unwrap_or_default().split(' ').filter(|value| !value.is_empty()) {
        if values.len() == MOST || !is_harmless(value) {
            return Err(OAuthError::invalid_request("acr_values are too many, too long, or malformed"));
        }
        if !values.iter().any(|seen| seen == value) {
            values.push(value.to_owned());
        }
    }
    Ok(values)
}

fn read_max_age(params: &Params) -> Result<Option<u64>, OAuthError> {
    let Some(text) = params.get("max_age") else { return Ok(None) };
    // `parse` alone would take a plus sign.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse().ok().filter(|_| digits) {
        Some(seconds) => Ok(Some(seconds)),
        None => Err(OAuthError::invalid_request("max_age must be a whole number of seconds, and not negative")),
    }
}

/// Core section 3.1.2.1: locales that are not known are no error.
fn read_locales(params: &Params) -> Vec<String> {
    let is_tag =
        |tag: &&str| (1..=35).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let tags = params.get("ui_locales").unwrap_or_default().split(' ').filter(is_tag);
    tags.take(MOST).map(str::to_owned).collect()
}

fn is_harmless(text: &str) -> bool {
    text.len() <= LONGEST && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Wanted, OAuthError> {
        let settings = AuthorizationSettings { acr_values: vec!["gold".into(), "silver".into()], ..Default::default() };
        Wanted::read(&settings, &Params::parse(query).unwrap(), UnixTime(100))
    }

    #[test]
    fn lists_are_bounded_and_keep_their_order() {
        assert_eq!(read("acr_values=silver+bronze++gold+silver").unwrap().acr_values, ["silver", "bronze", "gold"]);
        let many = |count: u8| (0..count).map(|n| format!("v{n}")).collect::<Vec<_>>().join("+");
        assert!(read(&format!("acr_values=gold+{}", many(9))).is_ok());
        assert!(read(&format!("acr_values=gold+{}", many(10))).is_err());
        assert!(read(&format!("acr_values=gold+{}", "x".repeat(257))).is_err());
        assert!(read("acr_values=gold+a%00b").is_err());
        assert_eq!(read("ui_locales=fr-CA+f%3Cr+de+").unwrap().ui_locales, ["fr-CA", "de"]);
        assert_eq!(read(&format!("ui_locales={}", many(40))).unwrap().ui_locales.len(), 10);
    }

    #[test]
    fn a_hint_that_could_not_be_a_name_is_no_hint() {
        assert_eq!(read("login_hint=al+ice").unwrap().login_hint.as_deref(), Some("al ice"));
        for odd in [format!("login_hint={}", "x".repeat(257)), "login_hint=a%0Ab".to_owned(), "login_hint=".to_owned()]
        {
            assert_eq!(read(&odd).unwrap().login_hint, None);
        }
    }

    // spec: AUZ-34
    #[test]
    fn max_age_is_a_whole_number_of_seconds() {
        for (text, seconds) in [("0", 0), ("60", 60), ("007", 7), ("18446744073709551615", u64::MAX)] {
            assert_eq!(read(&format!("max_age={text}")).unwrap().max_age, Some(seconds));
        }
        for bad in ["-1", "%2B1", "1.5", "1e3", "x", "%201", "18446744073709551616", "0x10", "\u{661}"] {
            assert!(read(&format!("max_age={bad}")).is_err(), "{bad}");
        }
        assert_eq!(read("max_age=").unwrap().max_age, None);
    }
}
