//! What a resource server is told.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::LONGEST_MESSAGE;
use crate::{clock::UnixTime, secret::Digest};

/// What the topic of an audience carries.
///
/// On the wire it is JSON: `{"v":1,"revoked":[{"grant":"..","until":1300}]}`, or
/// `{"v":1,"all":true}`.
///
/// ```
/// use oauth_core::{bus::{Notice, RevokedRef}, clock::UnixTime};
/// let revoked = RevokedRef::new("q83vEjRWeJCrze8SNFZ4kA").until(UnixTime(1_300));
/// let notice = Notice::Revoked(vec![revoked]);
/// assert_eq!(Notice::read(&notice.to_bytes())?, notice);
/// assert!(Notice::read(br#"{"v":2,"all":true}"#).is_err());
/// # Ok::<_, oauth_core::bus::UnreadableNotice>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// These were revoked: 32 at most.
    Revoked(Vec<RevokedRef>),
    /// Anything may have been revoked: drop all that is remembered.
    All,
}

/// What was revoked: a grant, or one token under it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RevokedRef {
    /// What the grant is called at this audience: the claim `grant_ref`.
    pub grant: String,
    /// The one token, where it is not the whole grant: [`token_ref`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// When the last of the tokens in question has ended: until then, whoever
    /// asks nobody about them should remember to refuse them. Where this is
    /// missing, it is not certain that anything was revoked: drop what is
    /// remembered, and judge anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<UnixTime>,
}

/// A message that is none of this version, or is too long: something may have
/// been missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message on the bus cannot be read")]
pub struct UnreadableNotice;

/// How many may be in one message.
pub(crate) const MOST: usize = 32;

/// What a reference may take: those of this server are 22 bytes.
const LONGEST_REFERENCE: usize = 64;

const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    v: u8,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    all: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    revoked: Vec<RevokedRef>,
}

impl RevokedRef {
    /// The grant that is called this.
    pub fn new(grant: impl Into<String>) -> Self {
        Self { grant: grant.into(), token: None, until: None }
    }

    /// Only the token of this [`token_ref`].
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// For certain, and to be remembered until then.
    #[must_use]
    pub const fn until(mut self, until: UnixTime) -> Self {
        self.until = Some(until);
        self
    }

    fn is_sound(&self) -> bool {
        let sound = |name: &String| (1..=LONGEST_REFERENCE).contains(&name.len());
        sound(&self.grant) && self.token.as_ref().is_none_or(sound)
    }
}

impl Notice {
    /// As it is published.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (all, revoked) = match self {
            Self::Revoked(revoked) => (false, revoked.clone()),
            Self::All => (true, Vec::new()),
        };
        // Text, numbers and nothing else: this does not fail.
        serde_json::to_vec(&Wire { v: VERSION, all, revoked }).unwrap_or_default()
    }

    /// Reads a message: this version, no member that is not known, no more than
    /// fits.
    ///
    /// # Errors
    /// [`UnreadableNotice`] for anything else.
    pub fn read(bytes: &[u8]) -> Result<Self, UnreadableNotice> {
        if bytes.len() > LONGEST_MESSAGE {
            return Err(UnreadableNotice);
        }
        let Wire { v, all, revoked } = serde_json::from_slice(bytes).map_err(|_| UnreadableNotice)?;
        match (v, all, &*revoked) {
            (VERSION, true, []) => Ok(Self::All),
            (VERSION, false, [_, ..]) if revoked.len() <= MOST && revoked.iter().all(RevokedRef::is_sound) => {
                Ok(Self::Revoked(revoked))
            }
            _ => Err(UnreadableNotice),
        }
    }
}

/// What the token with this `jti` is called at `audience` alone: in base64url,
/// 22 characters. Of an opaque token, `jti` is what introspection says.
#[must_use]
pub fn token_ref(audience: &str, jti: &str) -> String {
    let digest = Digest::of(&[b"token reference\n", audience.as_bytes(), b"\n", jti.as_bytes()]);
    URL_SAFE_NO_PAD.encode(digest.as_bytes().first_chunk::<16>().copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_read_as_it_was_written() {
        let token = RevokedRef::new("g").token(token_ref("https://a", "1")).until(UnixTime(u64::MAX));
        for notice in [Notice::All, Notice::Revoked(vec![RevokedRef::new("g")]), Notice::Revoked(vec![token; MOST])] {
            let bytes = notice.to_bytes();
            assert!(bytes.len() <= LONGEST_MESSAGE, "{}", bytes.len());
            assert_eq!(Notice::read(&bytes), Ok(notice));
        }
    }

    #[test]
    fn whatever_else_is_said_is_not_understood() {
        for bytes in [
            &br#""#[..],
            br#"{}"#,
            br#"{"v":1}"#,
            br#"{"v":1,"all":false}"#,
            br#"{"v":1,"revoked":[]}"#,
            br#"{"v":0,"all":true}"#,
            br#"{"v":2,"all":true}"#,
            br#"{"v":1,"all":true,"more":1}"#,
            br#"{"v":1,"all":true,"all":true}"#,
            br#"{"v":1,"all":true}{}"#,
            br#"{"v":1,"all":true,"revoked":[{"grant":"g"}]}"#,
            br#"{"v":1,"revoked":[{"grant":""}]}"#,
            br#"{"v":1,"revoked":[{"grant":"g","token":""}]}"#,
            br#"{"v":1,"revoked":[{"grant":"g","until":-1}]}"#,
            br#"{"v":1,"revoked":[{"grant":"g","since":1}]}"#,
            br#"{"v":1,"revoked":[{"token":"t"}]}"#,
        ] {
            assert_eq!(Notice::read(bytes), Err(UnreadableNotice), "{}", String::from_utf8_lossy(bytes));
        }
        let long = format!(r#"{{"v":1,"revoked":[{{"grant":"{}"}}]}}"#, "g".repeat(65));
        assert_eq!(Notice::read(long.as_bytes()), Err(UnreadableNotice));
        let longer = [br#"{"v":1,"all":true}"#.as_slice(), &vec![b' '; LONGEST_MESSAGE]].concat();
        assert_eq!(Notice::read(&longer), Err(UnreadableNotice));
    }

    #[test]
    fn a_token_is_called_something_else_at_each_audience() {
        assert_eq!(token_ref("a", "1").len(), 22);
        assert_ne!(token_ref("a", "1"), token_ref("b", "1"));
        assert_ne!(token_ref("a", "1"), token_ref("a", "2"));
    }
}
