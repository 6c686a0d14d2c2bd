//! Distinguished names: from their text ([RFC 4514]), and compared part by
//! part.
//!
//! [RFC 4514]: https://www.rfc-editor.org/rfc/rfc4514

mod parse;
mod value;

use std::{collections::BTreeSet, fmt, str::FromStr};

pub(crate) use self::value::AttributeValue;

/// A distinguished name, as `tls_client_auth_subject_dn` has it: `CN=app,O=Example`
/// (RFC 8705 section 2.1.2).
///
/// Two names are equal if their parts are, one after the other: however
/// attribute types are named, characters are escaped or strings are encoded, and
/// whatever the case of letters and the number of spaces is where that does not
/// matter (RFC 4517 section 4.2.15, RFC 5280 section 7.1).
///
/// ```
/// use oauth_core::client::DistinguishedName;
/// let name: DistinguishedName = "CN=app,O=Example\\, Inc.,C=US".parse()?;
/// assert_eq!(name, "2.5.4.3=App, o=Example\\2C  Inc., c=us".parse()?);
/// assert_ne!(name, "O=Example\\, Inc.,CN=app,C=US".parse()?);
/// # Ok::<_, oauth_core::client::InvalidDistinguishedName>(())
/// ```
#[derive(Clone)]
pub struct DistinguishedName {
    text: String,
    /// The last part of the text first, as in a certificate (RFC 4514 section
    /// 2.1).
    parts: Vec<Part>,
}

/// A relative distinguished name: a set of attributes, each with the OID of its
/// type in dotted form.
pub(crate) type Part = BTreeSet<(String, AttributeValue)>;

/// Not a distinguished name that can be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDistinguishedName {
    /// It has no part, or more text than [`DistinguishedName::MAX_BYTES`].
    #[error("is empty or too long")]
    Length,
    /// The text is not as RFC 4514 section 3 has it.
    #[error("is not a distinguished name (RFC 4514)")]
    Malformed,
    /// The name of an attribute type is not known. Its OID in dotted form is.
    #[error("names an attribute type that is not known: write its OID")]
    UnknownType,
}

impl DistinguishedName {
    /// The longest text that is read.
    pub const MAX_BYTES: usize = 2048;

    /// The name as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether these are the parts of this name, in the order of a certificate.
    #[cfg_attr(not(feature = "server"), expect(dead_code, reason = "only a server sees certificates"))]
    pub(crate) fn has_parts(&self, parts: &[Part]) -> bool {
        self.parts == parts
    }
}

impl FromStr for DistinguishedName {
    type Err = InvalidDistinguishedName;

    fn from_str(text: &str) -> Result<Self, InvalidDistinguishedName> {
        if text.is_empty() || text.len() > Self::MAX_BYTES {
            return Err(InvalidDistinguishedName::Length);
        }
        Ok(Self { text: text.to_owned(), parts: parse::parts(text)? })
    }
}

impl PartialEq for DistinguishedName {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl Eq for DistinguishedName {}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DistinguishedName({:?})", self.text)
    }
}

#[cfg(test)]
mod tests;
