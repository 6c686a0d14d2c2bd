//! Flaws in what is remembered of uses.

use super::{Flaw as F, Flawed};
use crate::{
    clock::UnixTime,
    secret::Digest,
    store::{StoreFuture, Uses},
};

impl Uses for Flawed {
    fn first_use(&self, digest: Digest, until: UnixTime, now: UnixTime) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let digest = if self.has(F::SharesUses) { Digest::of(&[]) } else { digest };
            let open = |end: UnixTime| now < end || self.has(F::RemembersUsesForever);
            if self.has(F::LosesWhatIsGivenUp) {
                let before = self.used.lock().unwrap().remove(&digest);
                tokio::task::yield_now().await;
                self.used.lock().unwrap().extend(before.map(|before| (digest, before)));
            }
            let used = || self.used.lock().unwrap().get(&digest).is_some_and(|(_, end)| open(*end));
            if until <= now && !self.has(F::TakesLateUses) || used() {
                return Ok(false);
            }
            if self.has(F::FirstUsesInTwoSteps) {
                tokio::task::yield_now().await;
            }
            let before = self.used.lock().unwrap().insert(digest, (1, until));
            Ok(self.has(F::FirstUsesInTwoSteps) || !before.is_some_and(|(_, end)| open(end)))
        })
    }

    fn count_use(&self, digest: Digest, until: UnixTime, now: UnixTime) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let digest = if self.has(F::SharesUses) { Digest::of(&[]) } else { digest };
            if self.has(F::CountsInTwoSteps) {
                let count = self.uses(digest, now).await? + 1;
                tokio::task::yield_now().await;
                self.used.lock().unwrap().insert(digest, (count, until));
                return Ok(count);
            }
            let mut used = self.used.lock().unwrap();
            let (count, end) = used.entry(digest).or_insert((0, until));
            if *end <= now && !self.has(F::CountsForever) {
                (*count, *end) = (0, until);
            }
            if self.has(F::ProlongsCounts) {
                *end = until;
            }
            *count += 1;
            Ok(*count)
        })
    }

    fn uses(&self, digest: Digest, now: UnixTime) -> StoreFuture<'_, u64> {
        let found = self.used.lock().unwrap().get(&digest).copied();
        let counts = |(_, end): &(u64, UnixTime)| now < *end || self.has(F::CountsForever);
        let count = found.filter(counts).map_or(0, |(count, _)| count);
        Box::pin(std::future::ready(Ok(count)))
    }
}
