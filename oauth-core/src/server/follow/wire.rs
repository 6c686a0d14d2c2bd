//! What nodes tell each other, before it is sealed.

use crate::{engine::revocations::Revoked, secret::Digest, token::GrantId};

const VERSION: u8 = 1;

/// The version, then for each its kind, the grant's id and, for a token, its
/// digest.
pub(super) fn write(revoked: &[Revoked]) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    for what in revoked {
        match what {
            Revoked::Anything => bytes.push(0),
            Revoked::Grant(grant) => {
                bytes.push(1);
                bytes.extend(grant.as_bytes());
            }
            Revoked::Access { grant, digest } => {
                bytes.push(2);
                bytes.extend(grant.as_bytes());
                bytes.extend(digest.as_bytes());
            }
        }
    }
    bytes
}

/// `None` for anything else.
pub(super) fn read(bytes: &[u8]) -> Option<Vec<Revoked>> {
    let (version, mut rest) = bytes.split_first()?;
    let mut revoked = Vec::new();
    while let Some((kind, after)) = rest.split_first() {
        let (what, after) = match kind {
            0 => (Revoked::Anything, after),
            1 => {
                let (grant, after) = after.split_first_chunk()?;
                (Revoked::Grant(GrantId::from_bytes(*grant)), after)
            }
            2 => {
                let (grant, after) = after.split_first_chunk()?;
                let (digest, after) = after.split_first_chunk()?;
                let (grant, digest) = (GrantId::from_bytes(*grant), Digest::from_bytes(*digest));
                (Revoked::Access { grant, digest }, after)
            }
            _ => return None,
        };
        revoked.push(what);
        rest = after;
    }
    (*version == VERSION && !revoked.is_empty()).then_some(revoked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::MOST;

    #[test]
    fn what_nodes_tell_each_other_is_read_as_it_was_written_and_nothing_else_is() {
        let (grant, digest) = (GrantId::from_bytes([7; 16]), Digest::of(&[b"x"]));
        let all = [Revoked::Grant(grant), Revoked::Access { grant, digest }, Revoked::Anything];
        let bytes = write(&all);
        assert_eq!(read(&bytes).as_deref(), Some(&all[..]));
        assert_eq!(read(&write(&[Revoked::Access { grant, digest }; MOST])).unwrap().len(), MOST);
        assert!(write(&[Revoked::Access { grant, digest }; MOST]).len() + 28 <= crate::bus::LONGEST_MESSAGE);
        for cut in [0, 1, 2, 17, 19, bytes.len() - 2] {
            assert_eq!(read(&bytes[..cut]), None, "{cut}");
        }
        for (at, value) in [(0, 2), (1, 3)] {
            let mut other = bytes.clone();
            other[at] = value;
            assert_eq!(read(&other), None);
        }
    }
}
