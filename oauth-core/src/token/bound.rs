//! Refresh tokens that are bound to a key of the client's (RFC 9449 section 5,
//! RFC 8705 section 4).
//!
//! Half of such a token's secret is random, the other half a keyed commitment to
//! the name of the key. The token itself says to whom it belongs, so no store has
//! to, and whoever presents it with another key is refused before any store is
//! asked: their attempt is no use of the token, and none that ends its grant.

use aws_lc_rs::hmac;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{GrantId, MintedToken, ReadToken, TokenCodec, TokenKind};
#[cfg(feature = "server")]
use crate::clock::UnixTime;
use crate::clock::{Random, RandomError};

/// What the tag of a bound refresh token is made for: nothing else can be taken
/// for one, or the other way round.
pub(super) const BOUND_REFRESH: &[u8] = b"bound refresh";

const HALF: usize = 16;

impl TokenCodec {
    /// Makes a refresh token of `grant` that is good with the key `name` only.
    ///
    /// # Errors
    /// [`RandomError`] if the source of randomness fails.
    pub fn mint_bound(
        &self,
        grant: GrantId,
        generation: u64,
        name: &str,
        random: &dyn Random,
    ) -> Result<MintedToken, RandomError> {
        let secret = self.committed(grant, generation, name, random)?;
        self.make(TokenKind::Refresh, BOUND_REFRESH, grant, generation, &secret).ok_or(RandomError)
    }

    /// Makes the code of a device that waits for `grant`, as `client` and until
    /// `ends_at`.
    #[cfg(feature = "server")]
    pub(crate) fn mint_device_code(
        &self,
        grant: GrantId,
        ends_at: UnixTime,
        client: &str,
        random: &dyn Random,
    ) -> Result<MintedToken, RandomError> {
        let secret = self.committed(grant, ends_at.0, client, random)?;
        let kind = TokenKind::Device;
        self.make(kind, kind.label(), grant, ends_at.0, &secret).ok_or(RandomError)
    }

    /// A secret of which half is random, and half commits to `name`.
    fn committed(
        &self,
        grant: GrantId,
        generation: u64,
        name: &str,
        random: &dyn Random,
    ) -> Result<Zeroizing<[u8; 2 * HALF]>, RandomError> {
        let key = self.binding_keys.first().ok_or(RandomError)?;
        let mut secret = Zeroizing::new([0; 2 * HALF]);
        let (chosen, commitment) = secret.split_at_mut(HALF);
        random.fill(chosen)?;
        commitment.copy_from_slice(&commitment_to(name, key, grant, generation, chosen));
        Ok(secret)
    }

    /// Whether `token` is good in the hands of someone who holds the key `name`,
    /// or no key. One that is not bound is good with any.
    #[must_use]
    pub fn is_good_with(&self, token: &ReadToken, name: Option<&str>) -> bool {
        if !token.is_bound() {
            return true;
        }
        let Some(name) = name else { return false };
        let (chosen, commitment) = token.secret.split_at(HALF);
        let made = |key| commitment_to(name, key, token.grant, token.generation, chosen);
        self.binding_keys.iter().any(|key| made(key).ct_eq(commitment).into())
    }
}

impl ReadToken {
    /// Whether it is good with one key only.
    #[must_use]
    pub const fn is_bound(&self) -> bool {
        self.bound
    }
}

/// All but the name have a fixed length.
fn commitment_to(name: &str, key: &hmac::Key, grant: GrantId, generation: u64, chosen: &[u8]) -> [u8; HALF] {
    let mut context = hmac::Context::with_key(key);
    let number = generation.to_be_bytes();
    [grant.as_bytes().as_slice(), &number, chosen, name.as_bytes()].iter().for_each(|part| context.update(part));
    let mut commitment = [0; HALF];
    for (to, from) in commitment.iter_mut().zip(context.sign().as_ref()) {
        *to = *from;
    }
    commitment
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::SystemRandom, secret::RootSecret, token::Prefixes};

    const GRANT: GrantId = GrantId::from_bytes([9; 16]);

    fn codec(root: &RootSecret) -> TokenCodec {
        TokenCodec::new(root, "https://as.example", Prefixes::default())
    }

    fn read(codec: &TokenCodec, minted: &MintedToken) -> ReadToken {
        let read = codec.read(TokenKind::Refresh, minted.text.expose()).unwrap();
        assert_eq!((read.grant, read.digest), (GRANT, minted.digest));
        read
    }

    // spec: TOK-33
    #[test]
    fn a_bound_refresh_token_is_good_with_its_key_alone() {
        let codec = codec(&RootSecret::new([1; 32]));
        let token = read(&codec, &codec.mint_bound(GRANT, 3, "one", &SystemRandom).unwrap());
        assert!(token.is_bound() && token.generation == 3);
        assert!(codec.is_good_with(&token, Some("one")));
        for other in [None, Some("two"), Some(""), Some("onee")] {
            assert!(!codec.is_good_with(&token, other), "{other:?}");
        }
    }

    #[test]
    fn one_that_is_not_bound_is_good_with_any() {
        let codec = codec(&RootSecret::new([1; 32]));
        let token = read(&codec, &codec.mint(TokenKind::Refresh, GRANT, 3, &SystemRandom).unwrap());
        assert!(!token.is_bound() && codec.is_good_with(&token, None) && codec.is_good_with(&token, Some("one")));
    }

    #[test]
    fn a_binding_outlives_the_change_of_the_root_secret_and_no_foreign_one_is_taken() {
        let old = codec(&RootSecret::new([1; 32]));
        let minted = old.mint_bound(GRANT, 0, "one", &SystemRandom).unwrap();
        let new = codec(&RootSecret::new([2; 32]).with_previous([1; 32]));
        let token = read(&new, &minted);
        assert!(new.is_good_with(&token, Some("one")) && !new.is_good_with(&token, Some("two")));
        assert!(codec(&RootSecret::new([3; 32])).read(TokenKind::Refresh, minted.text.expose()).is_none());
    }

    #[test]
    fn two_bound_tokens_share_nothing_but_grant_and_generation() {
        let codec = codec(&RootSecret::new([1; 32]));
        let [one, two] = [(); 2].map(|()| codec.mint_bound(GRANT, 0, "one", &SystemRandom).unwrap());
        assert_ne!(one.digest, two.digest);
        assert_ne!(one.text.expose()[37..59], two.text.expose()[37..59]);
        assert_ne!(one.text.expose()[59..80], two.text.expose()[59..80]);
    }
}
