//! What a store's steps cost while much or little is alive in it.

use std::{
    collections::VecDeque,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use oauth_core::{
    secret::Digest,
    store::{AccessToken, Grant, RefreshOutcome, Revocation, Store},
};

use super::{following, fresh_access, fresh_grant, now, rotating};

/// A store that holds much or little.
pub(crate) struct Filled {
    pub(crate) live: u64,
    pub(crate) store: Arc<dyn Store>,
    /// Some of what lives in it, from all over: the first is used next.
    pub(crate) some: VecDeque<Known>,
}

/// A grant, with a live access token of its own.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) grant: Grant,
    pub(crate) access: Digest,
}

/// What is measured, in this order.
pub(crate) const STEPS: [&str; 5] = ["insert grant", "look up access", "rotate", "revoke", "sweep, a row"];

/// How many times a step is taken for one figure, and by how many callers at once.
const TIMES: usize = 64;
const CALLERS: usize = 4;

/// How many of `some` one round uses.
pub(crate) const PER_ROUND: usize = 4 * TIMES;

/// Microseconds a step, the median of all rounds: for each store, each of [`STEPS`].
pub(crate) async fn costs(stores: &mut [Filled], rounds: usize, tell: impl Fn(usize)) -> Vec<[f64; STEPS.len()]> {
    // For each step, for each store, a figure for each round.
    let mut figures = [(); STEPS.len()].map(|()| vec![Vec::new(); stores.len()]);
    // It is about the steps, not about disks: what will be asked for is in memory everywhere.
    for one in &*stores {
        for known in &one.some {
            assert!(one.store.access(known.grant.id, known.access).await.unwrap().is_some());
        }
    }
    for round in 0..rounds {
        // Each step at every store before the next, so that what else the machine does befalls all of them.
        for (name, figures) in STEPS.iter().zip(&mut figures) {
            for turn in 0..stores.len() {
                let at = (turn + round) % stores.len();
                figures[at].push(stores[at].cost(name).await);
            }
        }
        tell(round + 1);
    }
    (0..stores.len()).map(|at| figures.each_ref().map(|step| median(step[at].clone()))).collect()
}

pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

impl Filled {
    fn next(&mut self) -> Vec<Known> {
        self.some.drain(..TIMES).collect()
    }

    async fn cost(&mut self, step: &str) -> f64 {
        match step {
            "insert grant" => self.insert().await,
            "look up access" => self.look_up().await,
            "rotate" => self.rotate().await,
            "revoke" => self.revoke().await,
            _ => self.sweep().await,
        }
    }

    /// What is new here takes the place of what is revoked there.
    async fn insert(&mut self) -> f64 {
        let all: Vec<_> = (0..TIMES).map(|_| (Grant { code: None, ..fresh_grant() }, fresh_access())).collect();
        let known = |(grant, access): &(Grant, AccessToken)| Known { grant: grant.clone(), access: access.digest };
        self.some.extend(all.iter().map(known));
        let store = &self.store;
        each(all, |(grant, access)| async move { store.insert_grant(grant, Some(access)).await.unwrap() }).await
    }

    async fn look_up(&mut self) -> f64 {
        let all = self.next();
        self.some.extend(all.clone());
        let store = &self.store;
        let look = |one: Known| async move {
            assert!(store.access(one.grant.id, one.access).await.unwrap().is_some());
        };
        each(all, look).await
    }

    async fn rotate(&mut self) -> f64 {
        let mut known = self.next();
        let all: Vec<_> = known.iter().map(|one| rotating(&one.grant)).collect();
        for (one, rotation) in known.iter_mut().zip(&all) {
            let next = following(rotation);
            let refresh = one.grant.refresh.as_mut().unwrap();
            (refresh.digest, refresh.generation) = (next.digest, next.generation);
        }
        self.some.extend(known);
        let store = &self.store;
        let rotate = |rotate| async move {
            assert_eq!(store.rotate_refresh(rotate).await.unwrap(), RefreshOutcome::Rotated);
        };
        each(all, rotate).await
    }

    async fn revoke(&mut self) -> f64 {
        let all = self.next();
        let store = &self.store;
        let revoke = |one: Known| async move {
            assert_eq!(store.revoke_grant(one.grant.id, now()).await.unwrap(), Revocation::Revoked);
        };
        each(all, revoke).await
    }

    /// Removes tokens that have ended under grants that live; 0 where nothing is swept.
    async fn sweep(&mut self) -> f64 {
        let all = self.next();
        for one in &all {
            let access = AccessToken { expires_at: now().saturating_sub(86_400), ..fresh_access() };
            assert!(self.store.insert_access(one.grant.id, access, now()).await.unwrap());
        }
        self.some.extend(all);
        let began = Instant::now();
        let gone = self.store.sweep(now().saturating_sub(3_600), TIMES).await.unwrap();
        micros(began.elapsed()) / gone.max(1) as f64
    }
}

/// Microseconds for one of `all`.
async fn each<T, F: Future<Output = ()>>(mut all: Vec<T>, step: impl Fn(T) -> F) -> f64 {
    let count = all.len();
    let share = count.div_ceil(CALLERS);
    let shares: Vec<Vec<T>> = (0..CALLERS).map(|_| all.split_off(all.len().saturating_sub(share))).collect();
    let step = &step;
    let began = Instant::now();
    let caller = |share: Vec<T>| async move {
        for one in share {
            step(one).await;
        }
    };
    join_all(shares.into_iter().map(caller)).await;
    micros(began.elapsed()) / count as f64
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
