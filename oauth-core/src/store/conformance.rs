//! The suite that every store passes.
//!
//! A store that passes it keeps what the engine relies on: each verb is one
//! atomic step, on one connection or on many. The suite calls every verb for
//! each of its outcomes and then lets a hundred tasks at a time race for the
//! same code, token, key or interaction.
//!
//! ```
//! use oauth_core::store::{conformance::Suite, memory::MemoryStore};
//!
//! # tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?.block_on(async {
//! Suite::new(|| async { MemoryStore::default() }, |task| drop(tokio::spawn(task))).run().await;
//! # });
//! # Ok::<_, std::io::Error>(())
//! ```
//!
//! Run it on a multi-threaded runtime: on one thread the races find little. A
//! store for many nodes should also pass as several handles that take turns:
//! [`Nodes`].
//!
//! The checks use random names and the present time, so they may run on a
//! store that holds other data; but they sweep as if days had passed, so it
//! must be data nobody needs.

mod clients;
mod codes;
mod context;
#[cfg(test)]
mod flawed;
mod grants;
mod interactions;
mod keys;
mod nodes;
mod races;
mod refresh;
mod sample;
mod sweep;
#[cfg(test)]
mod tests;

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use self::context::{Context, Verdict};
pub use self::nodes::Nodes;
use super::Store;

/// A task for the runtime of the store under test.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The suite, for the stores that `M` makes, with tasks that `P` spawns.
pub struct Suite<M, P> {
    make: M,
    spawn: P,
    sweeps: bool,
}

impl<M, P> fmt::Debug for Suite<M, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite").finish_non_exhaustive()
    }
}

/// A check that a store did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// What the store should do: the name of the check, a sentence.
    pub check: String,
    /// What it did.
    pub found: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.check, self.found)
    }
}

type Check = for<'a> fn(&'a Context<'a>) -> Pin<Box<dyn Future<Output = Verdict> + 'a>>;

/// A list of checks, each under its name.
macro_rules! checks {
    ($($module:ident: $($check:ident)+;)+) => {
        &[$($((stringify!($check), |context| Box::pin($module::$check(context)))),+),+]
    };
}

/// How often each race is run: whether its bad end comes about is luck.
const ROUNDS: usize = 10;

const CHECKS: &[(&str, Check)] = checks! {
    grants: a_grant_is_read_back_as_it_was_written an_unknown_grant_answers_as_such a_grant_id_is_taken_once
        an_access_token_belongs_to_its_own_grant_alone an_ended_grant_takes_no_access_token
        a_grant_is_revoked_once_and_for_all revoking_a_grant_leaves_the_others_alone
        revoking_an_access_token_leaves_its_grant_alive;
    // spec: TOK-18
    codes: a_code_is_redeemed_by_whom_it_is_bound_to a_code_bound_otherwise_is_refused_and_stays_good
        a_redirect_uri_may_be_omitted_only_where_it_was an_expired_code_is_refused
        a_code_of_an_ended_grant_is_refused a_replayed_code_revokes_its_grant
        a_replay_with_another_binding_revokes_nothing;
    // spec: TOK-27, TOK-28, TOK-30, TOK-31
    refresh: a_refresh_token_is_replaced_by_its_successor a_foreign_or_wrong_token_changes_nothing
        reuse_revokes_the_grant a_retry_gets_the_same_successor a_retry_ends_with_its_window
        a_retry_ends_when_the_successor_is_used a_retry_is_for_the_same_client_alone
        an_idle_refresh_token_is_void a_refresh_token_ends_with_its_grant without_rotation_the_token_stays;
    interactions: an_interaction_belongs_to_one_browser_until_it_expires an_interaction_id_is_taken_once
        an_interaction_ends_once_and_leads_to_its_grant an_interaction_outlives_a_grant_that_could_not_be_inserted;
    clients: a_client_is_kept_replaced_and_removed;
    keys: a_signing_key_is_inserted_unless_a_newer_one_exists signing_keys_are_listed_and_removed;
    sweep: a_sweep_removes_what_has_ended_and_nothing_else a_sweep_goes_in_small_batches;
};

/// The checks that a store without sweeps need not pass.
const SWEPT: [&str; 2] = ["a_sweep_removes_what_has_ended_and_nothing_else", "a_sweep_goes_in_small_batches"];

/// Instead of those, for such a store.
const UNSWEPT: &[(&str, Check)] = checks! {
    sweep: a_store_that_cleans_up_by_itself_is_left_alone_by_sweeps;
};

const RACES: &[(&str, Check)] = checks! {
    // spec: TOK-17, TOK-28, TOK-29, SEC-20
    races: parallel_redemptions_of_one_code_succeed_once wrong_redemptions_do_not_disturb_the_right_one
        parallel_strict_refreshes_leave_no_family parallel_refreshes_in_the_retry_window_leave_one_family
        parallel_refreshes_without_rotation_all_succeed parallel_insertions_of_one_grant_succeed_once
        parallel_revocations_revoke_once a_revocation_wins_over_an_insertion_that_races_it
        a_revocation_wins_over_a_refresh_that_races_it a_revocation_wins_over_a_redemption_that_races_it
        parallel_steps_on_different_grants_do_not_meet an_interaction_is_finished_once_by_many
        a_signing_key_is_inserted_once_by_many a_sweep_takes_nothing_that_is_being_used;
};

impl<S, F, M, P> Suite<M, P>
where
    S: Store,
    F: Future<Output = S>,
    M: Fn() -> F,
    P: Fn(Task),
{
    /// The suite for the stores that `make` makes: one for each check, or
    /// handles of a single one. `spawn` must run the tasks it is given, in
    /// parallel, where the store's futures can run.
    pub fn new(make: M, spawn: P) -> Self {
        Self { make, spawn, sweeps: true }
    }

    /// For a store that removes what has ended by itself, at times of its own,
    /// as a server does whose keys can expire: its sweeps have nothing to do.
    #[must_use]
    pub fn without_sweeps(self) -> Self {
        Self { sweeps: false, ..self }
    }

    /// Runs every check.
    ///
    /// # Panics
    /// If the store fails a check; the message names all that failed.
    #[expect(clippy::panic, reason = "a failed suite should fail its test")]
    pub async fn run(&self) {
        let failures = self.failures().await;
        if !failures.is_empty() {
            let lines: Vec<_> = failures.iter().map(|failure| format!("\n  {failure}")).collect();
            panic!("the store fails {} of {} checks:{}", failures.len(), CHECKS.len() + RACES.len(), lines.concat());
        }
    }

    /// Runs every check and returns those that the store fails.
    pub async fn failures(&self) -> Vec<Failure> {
        self.failures_among(|_| true).await
    }

    async fn failures_among(&self, chosen: impl Fn(&str) -> bool) -> Vec<Failure> {
        let of_sweeps = |name: &str| SWEPT.contains(&name);
        let swept = CHECKS.iter().filter(|(name, _)| self.sweeps || !of_sweeps(name));
        let unswept = UNSWEPT.iter().filter(|_| !self.sweeps);
        let once = swept.chain(unswept).map(|check| (check, 1));
        let races = RACES.iter().map(|race| (race, ROUNDS));
        let mut failures = Vec::new();
        for ((name, check), rounds) in once.chain(races).filter(|((name, _), _)| chosen(name)) {
            let store: Arc<dyn Store> = Arc::new((self.make)().await);
            let context = Context::new(store, &self.spawn);
            for _ in 0..rounds {
                if let Err(broken) = check(&context).await {
                    failures.push(Failure { check: name.replace('_', " "), found: broken.to_string() });
                    break;
                }
            }
        }
        failures
    }
}
