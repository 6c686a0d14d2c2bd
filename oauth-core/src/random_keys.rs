//! Maps whose keys are random already.

use std::hash::{BuildHasherDefault, Hasher};

/// For a map whose keys nobody but this server chooses, and by chance: hashing them once
/// more would make them no more even.
pub(crate) type RandomKeys = BuildHasherDefault<AsItIs>;

/// The last eight bytes that are written.
#[derive(Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.last_chunk() {
            self.0 = u64::from_le_bytes(*last);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use super::*;
    use crate::token::GrantId;

    #[test]
    fn of_a_number_or_a_name_of_a_grant_the_hash_is_its_own_last_eight_bytes() {
        assert_eq!(RandomKeys::default().hash_one(0x0123_4567_89ab_cdef_u64), 0x0123_4567_89ab_cdef);
        let id = GrantId::from_bytes(std::array::from_fn(|place| u8::try_from(place).unwrap()));
        assert_eq!(RandomKeys::default().hash_one(id), 0x0f0e_0d0c_0b0a_0908);
    }
}
