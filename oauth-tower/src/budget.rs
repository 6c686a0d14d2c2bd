//! How many questions each of many may cause.
//!
//! Everyone has a budget, that fills up again steadily, and a question takes one
//! from it.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use foldhash::quality::RandomState;
use oauth_core::clock::UnixTime;

use crate::seconds;

/// The budgets of all `K`.
pub(crate) struct Budgets<K> {
    /// In which time a spent question comes back, in microseconds.
    interval: u64,
    /// How far ahead of the time one may spend, likewise.
    ahead: u64,
    spent: Mutex<Spent<K>>,
}

/// A moment for each: until then its past questions count. One whose
/// moment has passed has all its budget, and need not be remembered.
struct Spent<K> {
    until: HashMap<K, u64, RandomState>,
    /// Of all those for whom there is no room.
    others: u64,
    /// When the last sweep was, in seconds.
    swept: u64,
}

/// What a question took, and from whom: nobody, if there was no room for them.
#[derive(Debug)]
#[must_use]
pub(crate) struct Charge<K>(Option<K>);

/// So many are told apart at once, in about 2 MiB where they are small. Beyond it,
/// all new ones share one budget.
const MOST: usize = 65_536;

const SECOND: u64 = 1_000_000;

impl<K: Eq + Hash + Clone> Budgets<K> {
    /// `questions` at once, and as many again in each `period`.
    pub(crate) fn new(questions: u32, period: Duration) -> Self {
        let ahead = seconds::whole(period).max(1).saturating_mul(SECOND);
        let interval = (ahead / u64::from(questions.max(1))).max(1);
        Self { interval, ahead, spent: Mutex::new(Spent { until: HashMap::default(), others: 0, swept: 0 }) }
    }

    /// Takes one question from the budget of `key`.
    ///
    /// # Errors
    /// In how many seconds there is one again.
    pub(crate) fn take(&self, key: K, now: UnixTime) -> Result<Charge<K>, u64> {
        let start = now.0.saturating_mul(SECOND);
        let limit = start.saturating_add(self.ahead);
        let mut spent = self.lock();
        let charge = spent.account(key, now);
        let until = spent.until(&charge);
        let next = (*until).max(start).saturating_add(self.interval);
        if next > limit {
            // However far the clock was ahead once.
            return Err((next - limit).min(self.ahead).div_ceil(SECOND));
        }
        *until = next;
        Ok(charge)
    }

    /// Gives back what a question took.
    pub(crate) fn give_back(&self, charge: &Charge<K>) {
        let mut spent = self.lock();
        let until = spent.until(charge);
        *until = until.saturating_sub(self.interval);
    }

    fn lock(&self) -> MutexGuard<'_, Spent<K>> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash + Clone> Spent<K> {
    /// Whom a question of `key` is charged to.
    fn account(&mut self, key: K, now: UnixTime) -> Charge<K> {
        if self.until.len() < MOST || self.until.contains_key(&key) {
            return Charge(Some(key));
        }
        self.sweep(now);
        Charge((self.until.len() < MOST).then_some(key))
    }

    fn until(&mut self, charge: &Charge<K>) -> &mut u64 {
        match &charge.0 {
            Some(key) => self.until.entry(key.clone()).or_default(),
            None => &mut self.others,
        }
    }

    /// Forgets who has all of the budget; once a second is enough.
    fn sweep(&mut self, now: UnixTime) {
        if self.swept != now.0 {
            self.swept = now.0;
            self.until.retain(|_, until| *until > now.0.saturating_mul(SECOND));
        }
    }
}

impl<K> fmt::Debug for Budgets<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budgets").field("interval", &self.interval).field("ahead", &self.ahead).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_700_000_000);

    fn budgets(questions: u32, seconds: u64) -> Budgets<u64> {
        Budgets::new(questions, Duration::from_secs(seconds))
    }

    fn at(seconds: u64) -> UnixTime {
        NOW.saturating_add(seconds)
    }

    fn taken(budgets: &Budgets<u64>, key: u64, now: UnixTime) -> Result<(), u64> {
        budgets.take(key, now).map(drop)
    }

    #[test]
    fn everyone_has_a_budget_at_once_and_gets_it_back_steadily() {
        let budgets = budgets(3, 60);
        let take = |seconds| taken(&budgets, 1, at(seconds));
        assert_eq!([take(0), take(0), take(0), take(0)], [Ok(()), Ok(()), Ok(()), Err(20)]);
        assert_eq!([take(19), take(20), take(20)], [Err(1), Ok(()), Err(20)]);
        assert_eq!(taken(&budgets, 2, at(20)), Ok(()), "another has its own");
        // All of it, and never more.
        assert_eq!([take(500), take(500), take(500), take(500)], [Ok(()), Ok(()), Ok(()), Err(20)]);
    }

    #[test]
    fn whoever_comes_when_told_is_let_in() {
        let budgets = budgets(7, 60);
        (0..7).for_each(|_| assert_eq!(taken(&budgets, 1, NOW), Ok(())));
        // 8.57 seconds each, and the clock knows whole ones.
        assert_eq!(taken(&budgets, 1, NOW), Err(9));
        assert_eq!([taken(&budgets, 1, at(8)), taken(&budgets, 1, at(9))], [Err(1), Ok(())]);
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let budgets = budgets(1, 60);
        for _ in 0..10 {
            let charge = budgets.take(1, NOW).unwrap();
            assert_eq!(taken(&budgets, 1, NOW), Err(60));
            budgets.give_back(&charge);
        }
        // Nobody gets more than there is.
        let charge = budgets.take(1, NOW).unwrap();
        budgets.give_back(&charge);
        budgets.give_back(&charge);
        assert_eq!(taken(&budgets, 1, NOW), Ok(()));
        assert_eq!(taken(&budgets, 1, NOW), Err(60));
    }

    #[test]
    fn a_flood_of_strangers_takes_bounded_room_and_leaves_the_known_ones_alone() {
        let budgets = budgets(2, 60);
        for number in 0..u64::try_from(MOST).unwrap() {
            assert_eq!(taken(&budgets, number, NOW), Ok(()));
        }
        // No room: these share what one address has.
        let outcomes = [1, 2, 3, 4].map(|more| taken(&budgets, u64::MAX - more, NOW));
        assert_eq!(outcomes, [Ok(()), Ok(()), Err(30), Err(30)]);
        assert_eq!(budgets.lock().until.len(), MOST);
        assert_eq!([taken(&budgets, 9, NOW), taken(&budgets, 9, NOW)], [Ok(()), Err(30)]);
        // When they have all come back to theirs, there is room.
        for more in 0..1_000 {
            assert_eq!(taken(&budgets, u64::MAX - more, at(60)), Ok(()));
        }
        assert_eq!(budgets.lock().until.len(), 1_000);
    }

    #[test]
    fn absurd_settings_are_the_nearest_that_make_sense() {
        let budgets = Budgets::new(0, Duration::ZERO);
        assert_eq!([taken(&budgets, 1, NOW), taken(&budgets, 1, NOW)], [Ok(()), Err(1)]);
        let between = Budgets::new(1, Duration::from_millis(1500));
        assert_eq!([taken(&between, 1, NOW), taken(&between, 1, NOW)], [Ok(()), Err(2)]);
        let endless = Budgets::new(u32::MAX, Duration::MAX);
        assert!((0..100).all(|_| taken(&endless, 1, UnixTime::MAX).is_ok()));
    }
}
