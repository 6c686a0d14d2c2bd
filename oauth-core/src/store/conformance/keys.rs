//! Sharing signing keys.

use super::{
    context::{Broken, Context, Verdict, same},
    sample,
};
use crate::{clock::UnixTime, store::SealedKey};

pub(super) fn key(algorithm: &str, active_from: UnixTime) -> Result<SealedKey, Broken> {
    let kid = format!("kid-{}", sample::id()?);
    Ok(SealedKey { kid, algorithm: algorithm.to_owned(), sealed: vec![0, 255, 39], active_from })
}

/// An `alg` that nobody else uses, for stores that are not new.
pub(super) fn algorithm() -> Result<String, Broken> {
    Ok(format!("alg-{}", sample::id()?))
}

pub(super) async fn a_signing_key_is_inserted_unless_a_newer_one_exists(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    let (algorithm, now) = (algorithm()?, context.now);
    let first = key(&algorithm, now)?;
    same("the first", &store.insert_signing_key(first.clone(), None).await?, &true)?;
    same("a first one again", &store.insert_signing_key(key(&algorithm, now)?, None).await?, &false)?;
    let next = || key(&algorithm, context.after(60));
    let earlier = now.saturating_sub(1);
    same("a rotation that missed the last", &store.insert_signing_key(next()?, Some(earlier)).await?, &false)?;
    same("a rotation", &store.insert_signing_key(next()?, Some(now)).await?, &true)?;
    same("the same rotation", &store.insert_signing_key(next()?, Some(now)).await?, &false)?;
    let other = key(&self::algorithm()?, now)?;
    same("another algorithm", &store.insert_signing_key(other, None).await?, &true)?;
    let twin = SealedKey { algorithm: self::algorithm()?, sealed: vec![1], ..first.clone() };
    same("a key id that is taken", &store.insert_signing_key(twin, None).await?, &false)?;
    let found = store.signing_keys().await?.into_iter().find(|key| key.kid == first.kid);
    same("the first key", &found, &Some(first))
}

pub(super) async fn signing_keys_are_listed_and_removed(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    let algorithm = algorithm()?;
    let (first, second) = (key(&algorithm, context.now)?, key(&algorithm, context.after(60))?);
    same("the first", &store.insert_signing_key(first.clone(), None).await?, &true)?;
    same("the second", &store.insert_signing_key(second.clone(), Some(context.now)).await?, &true)?;
    let listed = async || {
        let mut keys = store.signing_keys().await?;
        keys.retain(|key| key.algorithm == algorithm);
        keys.sort_by_key(|key| key.active_from);
        Ok::<_, Broken>(keys)
    };
    same("all keys", &listed().await?, &vec![first.clone(), second.clone()])?;
    same("delete_signing_key", &store.delete_signing_key(first.kid.clone()).await?, &true)?;
    same("delete_signing_key again", &store.delete_signing_key(first.kid).await?, &false)?;
    same("what is left", &listed().await?, &vec![second])
}
