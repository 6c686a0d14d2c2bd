//! How many questions each client address may cause.
//!
//! Whoever sends random tokens makes us ask about each of them. So every address
//! has a budget, that fills up again steadily, and a question takes one from it.
//! A question about a good token gives it back: however many users stand behind
//! one address, they do not notice.

use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use foldhash::quality::RandomState;
use oauth_core::clock::UnixTime;

use super::seconds;

/// The budgets of all addresses.
pub(super) struct Budgets {
    /// In which time a spent question comes back, in microseconds.
    interval: u64,
    /// How far ahead of the time one address may spend, likewise.
    ahead: u64,
    spent: Mutex<Spent>,
}

/// A moment for each address: until then its past questions count. One whose
/// moment has passed has all its budget, and need not be remembered.
#[derive(Default)]
struct Spent {
    until: HashMap<Network, u64, RandomState>,
    /// Of all those for whom there is no room.
    others: u64,
    /// When the last sweep was, in seconds.
    swept: u64,
}

/// What a question took, and from whom: nobody, if there was no room for them.
#[derive(Debug)]
#[must_use]
pub(super) struct Charge(Option<Network>);

/// What counts as one address: a network of IPv6 that one customer gets has 2^64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Network {
    V4([u8; 4]),
    V6([u8; 8]),
}

/// So many addresses are told apart at once, in about 2 MiB. Beyond it, all new
/// ones share one budget.
const MOST: usize = 65_536;

const SECOND: u64 = 1_000_000;

impl Budgets {
    /// `questions` at once, and as many again in each `period`.
    pub(super) fn new(questions: u32, period: Duration) -> Self {
        let ahead = seconds::whole(period).max(1).saturating_mul(SECOND);
        let interval = (ahead / u64::from(questions.max(1))).max(1);
        Self { interval, ahead, spent: Mutex::default() }
    }

    /// Takes one question from the budget of `address`.
    ///
    /// # Errors
    /// In how many seconds there is one again.
    pub(super) fn take(&self, address: IpAddr, now: UnixTime) -> Result<Charge, u64> {
        let start = now.0.saturating_mul(SECOND);
        let limit = start.saturating_add(self.ahead);
        let mut spent = self.lock();
        let charge = spent.account(Network::of(address), now);
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
    pub(super) fn give_back(&self, charge: &Charge) {
        let mut spent = self.lock();
        let until = spent.until(charge);
        *until = until.saturating_sub(self.interval);
    }

    fn lock(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spent {
    /// Whom a question of `network` is charged to.
    fn account(&mut self, network: Network, now: UnixTime) -> Charge {
        if self.until.len() < MOST || self.until.contains_key(&network) {
            return Charge(Some(network));
        }
        self.sweep(now);
        Charge((self.until.len() < MOST).then_some(network))
    }

    fn until(&mut self, charge: &Charge) -> &mut u64 {
        match charge.0 {
            Some(network) => self.until.entry(network).or_default(),
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

impl Network {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                Self::V6([a, b, c, d, e, f, g, h])
            }
        }
    }
}

impl fmt::Debug for Budgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budgets").field("interval", &self.interval).field("ahead", &self.ahead).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    const NOW: UnixTime = UnixTime(1_700_000_000);

    fn budgets(questions: u32, seconds: u64) -> Budgets {
        Budgets::new(questions, Duration::from_secs(seconds))
    }

    fn host(number: u32) -> IpAddr {
        Ipv4Addr::from_bits(number).into()
    }

    fn at(seconds: u64) -> UnixTime {
        NOW.saturating_add(seconds)
    }

    fn taken(budgets: &Budgets, address: IpAddr, now: UnixTime) -> Result<(), u64> {
        budgets.take(address, now).map(drop)
    }

    #[test]
    fn an_address_has_its_budget_at_once_and_gets_it_back_steadily() {
        let budgets = budgets(3, 60);
        let take = |seconds| taken(&budgets, host(1), at(seconds));
        assert_eq!([take(0), take(0), take(0), take(0)], [Ok(()), Ok(()), Ok(()), Err(20)]);
        assert_eq!([take(19), take(20), take(20)], [Err(1), Ok(()), Err(20)]);
        assert_eq!(taken(&budgets, host(2), at(20)), Ok(()), "another address has its own");
        // All of it, and never more.
        assert_eq!([take(500), take(500), take(500), take(500)], [Ok(()), Ok(()), Ok(()), Err(20)]);
    }

    #[test]
    fn whoever_comes_when_told_is_let_in() {
        let budgets = budgets(7, 60);
        (0..7).for_each(|_| assert_eq!(taken(&budgets, host(1), NOW), Ok(())));
        // 8.57 seconds each, and the clock knows whole ones.
        assert_eq!(taken(&budgets, host(1), NOW), Err(9));
        assert_eq!([taken(&budgets, host(1), at(8)), taken(&budgets, host(1), at(9))], [Err(1), Ok(())]);
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let budgets = budgets(1, 60);
        for _ in 0..10 {
            let charge = budgets.take(host(1), NOW).unwrap();
            assert_eq!(taken(&budgets, host(1), NOW), Err(60));
            budgets.give_back(&charge);
        }
        // Nobody gets more than there is.
        let charge = budgets.take(host(1), NOW).unwrap();
        budgets.give_back(&charge);
        budgets.give_back(&charge);
        assert_eq!(taken(&budgets, host(1), NOW), Ok(()));
        assert_eq!(taken(&budgets, host(1), NOW), Err(60));
    }

    #[test]
    fn a_network_of_one_customer_is_one_address() {
        let budgets = budgets(1, 60);
        let address = |text: &str| text.parse::<Ipv6Addr>().unwrap().into();
        assert_eq!(taken(&budgets, address("2001:db8:0:1::1"), NOW), Ok(()));
        assert_eq!(taken(&budgets, address("2001:db8:0:1:ffff::9"), NOW), Err(60));
        assert_eq!(taken(&budgets, address("2001:db8:0:2::1"), NOW), Ok(()));
        // The same host, however the socket writes it.
        assert_eq!(taken(&budgets, host(7), NOW), Ok(()));
        assert_eq!(taken(&budgets, address("::ffff:0.0.0.7"), NOW), Err(60));
    }

    #[test]
    fn a_flood_of_addresses_takes_bounded_room_and_leaves_the_known_ones_alone() {
        let budgets = budgets(2, 60);
        for number in 0..u32::try_from(MOST).unwrap() {
            assert_eq!(taken(&budgets, host(number), NOW), Ok(()));
        }
        // No room: these share what one address has.
        let outcomes = [1, 2, 3, 4].map(|more| taken(&budgets, Ipv6Addr::from_bits(more << 64).into(), NOW));
        assert_eq!(outcomes, [Ok(()), Ok(()), Err(30), Err(30)]);
        assert_eq!(budgets.lock().until.len(), MOST);
        assert_eq!([taken(&budgets, host(9), NOW), taken(&budgets, host(9), NOW)], [Ok(()), Err(30)]);
        // When they have all come back to theirs, there is room.
        for more in 0..1_000 {
            assert_eq!(taken(&budgets, Ipv6Addr::from_bits(more << 64).into(), at(60)), Ok(()));
        }
        assert_eq!(budgets.lock().until.len(), 1_000);
    }

    #[test]
    fn absurd_settings_are_the_nearest_that_make_sense() {
        let budgets = Budgets::new(0, Duration::ZERO);
        assert_eq!([taken(&budgets, host(1), NOW), taken(&budgets, host(1), NOW)], [Ok(()), Err(1)]);
        let between = Budgets::new(1, Duration::from_millis(1500));
        assert_eq!([taken(&between, host(1), NOW), taken(&between, host(1), NOW)], [Ok(()), Err(2)]);
        let endless = Budgets::new(u32::MAX, Duration::MAX);
        assert!((0..100).all(|_| taken(&endless, host(1), UnixTime::MAX).is_ok()));
    }
}
