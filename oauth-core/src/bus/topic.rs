//! What messages are about, by name.

use std::fmt;

use crate::secret::Digest;

/// The name of a topic: 40 hexadecimal digits, which any bus can use as the
/// name of a channel.
///
/// ```
/// use oauth_core::bus::Topic;
/// let topic = Topic::audience("https://as.example", "https://api.example");
/// assert_eq!(topic.to_string().len(), 40);
/// assert_ne!(topic, Topic::audience("https://as.example", "https://other.example"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic([u8; 20]);

impl Topic {
    /// What `audience`, a resource identifier (RFC 8707) of `issuer`, is told:
    /// a [`Notice`](super::Notice) at a time.
    #[must_use]
    pub fn audience(issuer: &str, audience: &str) -> Self {
        Self::of(&["audience", issuer, audience])
    }

    /// What the nodes of `issuer` tell each other.
    #[cfg_attr(not(any(feature = "server", test)), expect(dead_code, reason = "only nodes need it"))]
    pub(crate) fn nodes(issuer: &str) -> Self {
        Self::of(&["nodes", issuer])
    }

    /// Identifiers hold no line feed, so that joining by it is unambiguous.
    fn of(parts: &[&str]) -> Self {
        let digest = Digest::of(&[b"oauth bus\n", parts.join("\n").as_bytes()]);
        Self(digest.as_bytes().first_chunk().copied().unwrap_or_default())
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Topic({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_of_one_name_in_different_places_differ() {
        let all = [
            Topic::audience("a", "b"),
            Topic::audience("b", "a"),
            Topic::audience("a", "a"),
            Topic::nodes("a"),
            Topic::nodes("b"),
        ];
        for (at, one) in all.iter().enumerate() {
            assert_eq!(all.iter().position(|other| other == one), Some(at));
        }
        let shown = all[0].to_string();
        assert!(shown.len() == 40 && shown.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
    }
}
