//! Where the status of a token stands: its claim `status` (section 6.2).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The claim `status` of a token whose status stands in a list (section 6.2).
///
/// ```
/// use oauth_core::status_list::StatusReference;
/// let claims = serde_json::json!({ "status": { "status_list": { "idx": 7, "uri": "https://as.example/status/1" } } });
/// let reference = StatusReference::of(claims.as_object().unwrap()).unwrap()?;
/// assert_eq!((reference.index, &*reference.uri), (7, "https://as.example/status/1"));
/// # Ok::<_, oauth_core::claims::ClaimsError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StatusReference {
    /// `idx`: its place in the list, from 0.
    #[serde(rename = "idx")]
    pub index: u64,
    /// `uri`: the list. A stranger may have written it: fetch it only where its
    /// issuer is trusted to name it.
    pub uri: String,
}

/// The name of the claim.
const STATUS: &str = "status";
/// The one mechanism that is known here.
const STATUS_LIST: &str = "status_list";

impl StatusReference {
    /// The place `index` in the list at `uri`.
    pub fn new(index: u64, uri: impl Into<String>) -> Self {
        Self { index, uri: uri.into() }
    }

    /// What `claims` say, if they say anything of a list: other mechanisms that
    /// `status` may name (section 6.1) are nobody's business here.
    ///
    /// # Errors
    /// In the result: [`ClaimsError::Malformed`](crate::claims::ClaimsError::Malformed) if there is a claim that
    /// cannot be read. A token like that must not pass for one without.
    #[must_use]
    pub fn of(claims: &Map<String, Value>) -> Option<Result<Self, crate::claims::ClaimsError>> {
        let malformed = || crate::claims::ClaimsError::Malformed(STATUS);
        let Value::Object(status) = claims.get(STATUS)? else { return Some(Err(malformed())) };
        let list = status.get(STATUS_LIST)?;
        Some(if list.is_object() { Self::deserialize(list).map_err(|_| malformed()) } else { Err(malformed()) })
    }

    /// Adds it to `claims`.
    pub fn insert_into(&self, claims: &mut Map<String, Value>) {
        let list = json!({ "idx": self.index, "uri": self.uri });
        claims.insert(STATUS.to_owned(), json!({ STATUS_LIST: list }));
    }
}
