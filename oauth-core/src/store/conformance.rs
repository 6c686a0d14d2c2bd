//! The suite that every store passes, and how to write one.
//!
//! A store that passes it keeps what the engine relies on: each verb is one
//! atomic step, on one connection or on many. The suite calls every verb for
//! each of its outcomes, gives calls up halfway, moves the callers' clocks,
//! reads while others write, and lets a hundred tasks at a time race for the
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
//! # How to write a store
//!
//! 1. Keep a [`Grant`](super::Grant) with its code, its refresh token and its
//!    access tokens where one transaction reaches them all: one row, or rows
//!    that share the grant's id.
//! 2. Write [`Grants`](super::Grants): load the grant, let the function of
//!    `Grant` that is named like the verb decide, save what it changed, all in
//!    one transaction. Where none of this code can run in a transaction, say
//!    the same in SQL or in a script: the suite compares. Save the grant before
//!    you say so: an answer must be as durable as the store makes anything.
//! 3. Write the other five traits. Each verb touches one record, but for
//!    [`finish_interaction`](super::Interactions::finish_interaction): it ends
//!    the interaction and inserts the grant, and who sees the one must see the
//!    other.
//! 4. Judge time by the caller's `now` alone, never by a clock of the store's.
//!    A server that removes by itself what has ended should wait until long
//!    after: an hour for what is a grant's, a minute for uses.
//! 5. Say [`StoreError::Unavailable`](super::StoreError::Unavailable) whenever
//!    you cannot say what happened. Never repeat a write whose answer was lost,
//!    and never guess at "no".
//! 6. Run the suite, first on one handle, then on several: [`Nodes`]. On a
//!    runtime with several threads, for on one the races find little.
//!
//! The example `own_store` of the repository is a whole store, in a file of
//! JSON lines.
//!
//! **Isolation.** Serializable transactions do, and so does one lock around
//! everything. Less does, if each step locks its grant's row first, or is one
//! statement that writes it: all that a step on a grant compares stands in that
//! grant. READ COMMITTED is enough then, provided that a statement that had to
//! wait judges again by what it finds afterwards. Read, decide and write
//! without a lock is not, whatever the isolation is called.
//!
//! **Calls that are given up.** A caller that goes away drops the future. Then
//! the step happens, at once or a moment later, or it does not; and its
//! connection is either whole or thrown away.
//!
//! **Crashes.** What was acknowledged must be there after the store's machine
//! has stopped. That cannot be shown from inside; kill your server with a
//! signal that it cannot catch, start it, and look. What the engine makes of a
//! store that fails at any step is shown with [`Faulty`].
//!
//! # What each verb does in one step, and the checks that are most about it
//!
//! | Verb | In one step | Checks |
//! |---|---|---|
//! | `insert_grant` | the id is free; the grant and its token are there | `a_grant_id_is_taken_once`, `parallel_insertions_of_one_grant_succeed_once`, `a_new_grant_is_seen_with_its_token`, `an_insertion_that_is_given_up_is_no_half_insertion` |
//! | `grant` | | `a_grant_is_read_back_as_it_was_written`, `an_unknown_grant_answers_as_such` |
//! | `access` | token and grant, of one moment | `an_access_token_belongs_to_its_own_grant_alone`, `a_redemption_is_seen_as_a_whole` |
//! | `redeem_code` | compares digest, client, redirect URI, challenge, the ends of code and grant, and that neither is over; consumes the code, keeps both tokens, or revokes | `a_code_bound_otherwise_is_refused_and_stays_good`, `a_replayed_code_revokes_its_grant`, `parallel_redemptions_of_one_code_succeed_once`, `a_code_is_redeemed_once_whatever_the_clocks_say`, `a_redemption_that_is_given_up_is_no_half_redemption` |
//! | `rotate_refresh` | compares digest, generation, client, idleness and that the grant lives; replaces, or finds the way back, or revokes | `reuse_revokes_the_grant`, `a_retry_gets_the_same_successor`, `parallel_strict_refreshes_leave_no_family`, `parallel_refreshes_in_the_retry_window_leave_one_family`, `a_rotation_is_seen_as_a_whole`, `a_refresh_that_is_given_up_leaves_the_way_to_its_successor` |
//! | `confirm_refresh` | the grant lives and has a way back that waits for this token; that is gone | `a_way_back_until_first_use_ends_with_the_access_token`, `a_way_back_until_first_use_ends_with_the_refresh_token`, `a_confirmation_is_about_one_way_back`, `a_confirmation_holds_whatever_the_clocks_say`, `a_confirmation_that_races_the_old_token_ends_its_way`, `a_confirmation_that_is_given_up_can_be_repeated` |
//! | `grants_of` | | `the_grants_of_a_user_are_listed_by_id_whatever_their_state`, `a_grant_that_is_there_is_listed_while_others_come` |
//! | `insert_access` | the grant lives; the token is there | `an_ended_grant_takes_no_access_token`, `a_revocation_wins_over_an_insertion_that_races_it` |
//! | `revoke_grant` | it was not revoked; it is, and the way back is gone | `a_grant_is_revoked_once_and_for_all`, `parallel_revocations_revoke_once`, `a_revocation_is_not_undone_by_another_clock`, `a_revocation_is_seen_as_a_whole`, `a_revocation_that_is_given_up_can_be_repeated` |
//! | `revoke_access` | it was there; it is gone | `revoking_an_access_token_leaves_its_grant_alive`, `parallel_revocations_revoke_once` |
//! | `sweep` | nothing that may still matter goes, and not more than asked | `a_sweep_removes_what_has_ended_and_nothing_else`, `a_sweep_goes_in_small_batches`, `a_sweep_removes_expired_interactions`, `a_sweep_removes_expired_consents_in_small_batches`, `a_sweep_removes_ended_links_in_small_batches`, `a_sweep_takes_nothing_that_is_being_used` |
//! | `client` | | `a_client_is_kept_replaced_and_removed`, `a_client_is_seen_as_a_whole_while_it_is_replaced` |
//! | `put_client` | the old one is gone, and the new one is there | `a_client_is_seen_as_a_whole_while_it_is_replaced`, `a_client_or_key_that_is_given_up_is_no_half_one` |
//! | `replace_client` | the revision is that one; the new one is there | `a_client_is_replaced_at_its_revision_alone`, `a_client_is_replaced_once_by_many` |
//! | `delete_client` | it was there; it is gone | `a_client_is_kept_replaced_and_removed`, `a_removed_client_is_not_brought_back_by_those_who_replace_it` |
//! | `park_interaction` | the id is free; it is there | `an_interaction_id_is_taken_once` |
//! | `interaction` | compares browser and end | `an_interaction_belongs_to_one_browser_until_it_expires` |
//! | `finish_interaction` | compares browser and end, and the grant's id is free; it is over, and the grant is there | `an_interaction_ends_once_and_leads_to_its_grant`, `an_interaction_outlives_a_grant_that_could_not_be_inserted`, `an_interaction_is_finished_once_by_many`, `the_end_of_an_interaction_is_seen_with_its_grant`, `an_interaction_whose_end_is_given_up_can_end` |
//! | `signing_keys` | | `signing_keys_are_listed_and_removed` |
//! | `insert_signing_key` | its id is free and none of its algorithm is newer; it is there | `a_signing_key_is_inserted_unless_a_newer_one_exists`, `a_signing_key_is_inserted_once_by_many` |
//! | `delete_signing_key` | it was there; it is gone | `signing_keys_are_listed_and_removed` |
//! | `first_use` | not used before, or that is over; it is used | `a_use_is_the_first_once_until_its_end`, `a_use_that_has_ended_is_never_the_first`, `of_parallel_uses_one_is_the_first`, `a_use_that_is_given_up_forgets_none` |
//! | `count_use` | one more | `uses_are_counted_until_the_end_of_the_first`, `parallel_uses_are_all_counted` |
//! | `uses` | | `uses_are_counted_until_the_end_of_the_first` |
//! | `consent` | | `a_consent_is_kept_replaced_and_forgotten`, `a_consent_counts_until_its_end`, `consents_of_different_people_and_clients_do_not_meet`, `a_consent_is_seen_as_a_whole_while_it_is_replaced` |
//! | `replace_consent` | the one that counts has the revision, or none counts; the new one is there | `a_consent_is_replaced_at_its_revision_alone`, `a_consent_is_replaced_once_by_many`, `a_consent_counts_until_its_end`, `a_consent_that_is_given_up_is_no_half_one` |
//! | `forget_consent` | it was there; it is gone | `a_consent_is_kept_replaced_and_forgotten`, `a_forgotten_consent_is_not_brought_back_by_those_who_replace_it` |
//! | `grant_statuses` | every token that was let in is there | `every_step_that_keeps_a_token_keeps_its_place`, `a_place_is_forgotten_with_its_token`, `a_revocation_finds_the_place_of_every_token_that_it_lets_in` |
//! | `revoke_statuses` | they are in the list, and so are all others | `what_was_revoked_stays_in_its_list`, `parallel_revocations_in_one_list_are_all_kept` |
//! | `revoked_statuses` | | `what_was_revoked_stays_in_its_list` |
//! | `claim_statuses` | one more | `blocks_of_places_are_claimed_once_each` |
//! | `claimed_statuses` | | `blocks_of_places_are_claimed_once_each` |
//! | `list_clients` | a page of one moment | those of the list of its own, below |
//! | `list_grants` | | |
//! | `list_access` | | |
//! | `list_consents` | | |
//! | `list_links` | | |
//! | `epoch` | | `the_epoch_is_raised_and_never_lowered`, `of_parallel_epochs_the_latest_stays` |
//! | `raise_epoch` | it is the later of the two | `the_epoch_is_raised_and_never_lowered`, `of_parallel_epochs_the_latest_stays` |
//! | `queue_code` | no such code waits or has led to the tokens; it waits in the place of any other | `a_code_that_comes_again_is_known`, `a_code_takes_the_place_of_the_one_that_waits`, `a_code_that_comes_while_another_is_finished_is_not_lost`, `a_code_that_comes_again_while_it_is_finished_does_not_wait_again`, `links_do_not_meet` |
//! | `take_queued` | it is due; the attempt counts, and it is due later | `a_queued_code_is_taken_again_until_it_is_finished`, `codes_are_taken_when_they_are_due_the_first_first`, `a_queued_code_is_taken_once_by_many`, `many_codes_are_taken_once_each` |
//! | `defer_queued` | that code waits; it is due later | `a_queued_code_is_taken_again_until_it_is_finished`, `a_code_takes_the_place_of_the_one_that_waits` |
//! | `finish_queued` | that code waits; it waits no more, and its tokens are in place | `tokens_stay_until_those_of_the_next_code_come`, `a_code_takes_the_place_of_the_one_that_waits`, `a_queued_code_is_finished_once_by_many`, `a_code_that_comes_while_another_is_finished_is_not_lost`, `the_end_of_a_code_is_seen_as_a_whole`, `the_end_of_a_code_that_is_given_up_is_no_half_end` |
//! | `peer_tokens` | | `tokens_count_until_their_end`, `links_do_not_meet`, `the_end_of_a_code_is_seen_as_a_whole` |
//! | `replace_peer_tokens` | those that count are of that code and that revision, or none count; the new ones are in place | `tokens_are_replaced_at_their_revision_alone`, `tokens_count_until_their_end`, `a_refresh_leaves_a_waiting_code_alone`, `tokens_are_replaced_once_by_many` |
//! | `forget_link` | code and tokens are gone | `a_forgotten_link_is_gone`, `forgotten_tokens_are_not_brought_back_by_those_who_refresh_them` |
//! | `list_peer_tokens` | | `tokens_are_listed_until_their_end` |
//! | `queued_codes` | | `waiting_codes_are_counted` |
//! | `check` | | `a_store_that_works_says_so`, `calls_that_are_given_up_leave_room_for_others` |
//!
//! # Who watches the suite
//!
//! For each check there is a store with one flaw that must fail it, and that is
//! otherwise right: it reads and writes in two steps, forgets the fence,
//! ignores the client, burns a code on a wrong guess, sweeps revocations,
//! shows a token before its grant, goes by its own clock, loses what a caller
//! has given up, and so on, some eighty in all (`conformance/flawed`). If you
//! find a wrong store that passes, it belongs there.
//!
//! # How to run it
//!
//! A store whose server removes what has ended by itself, so that sweeps have
//! nothing to do, says so: [`Suite::without_sweeps`]. A store that can be
//! listed passes one list of checks more: [`transfer()`].
//!
//! The checks use random names and the present time, so they may run on a
//! store that holds other data; but they sweep as if days had passed, so it
//! must be data nobody needs.

mod clients;
mod codes;
mod confirmations;
mod consents;
mod context;
mod faulty;
#[cfg(test)]
mod flawed;
mod given_up;
mod grants;
mod interactions;
mod isolation;
mod keys;
mod nodes;
mod races;
mod reciprocals;
mod refresh;
mod sample;
mod skew;
mod statuses;
mod subjects;
mod suite;
mod sweep;
#[cfg(test)]
mod tests;
mod transfer;
mod uses;
mod verbs;

use std::{future::Future, pin::Pin};

use self::context::{Context, Verdict};
pub use self::{
    faulty::{Faulty, When},
    nodes::Nodes,
    suite::{Failure, Suite},
    transfer::transfer,
};

/// A task for the runtime of the store under test.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

type Check = for<'a> fn(&'a Context<'a>) -> Pin<Box<dyn Future<Output = Verdict> + 'a>>;

/// A list of checks, each under its name.
macro_rules! checks {
    ($($module:ident: $($check:ident)+;)+) => {
        &[$($((stringify!($check), |context| Box::pin($module::$check(context)))),+),+]
    };
}

const CHECKS: Checks = checks! {
    grants: a_grant_is_read_back_as_it_was_written an_unknown_grant_answers_as_such a_grant_id_is_taken_once
        an_access_token_belongs_to_its_own_grant_alone an_ended_grant_takes_no_access_token
        a_grant_is_revoked_once_and_for_all revoking_a_grant_leaves_the_others_alone
        revoking_an_access_token_leaves_its_grant_alive a_store_that_works_says_so;
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
    confirmations: a_way_back_until_first_use_ends_with_the_access_token
        a_way_back_until_first_use_ends_with_the_refresh_token a_confirmation_is_about_one_way_back
        a_confirmation_holds_whatever_the_clocks_say;
    subjects: the_grants_of_a_user_are_listed_by_id_whatever_their_state the_epoch_is_raised_and_never_lowered;
    interactions: an_interaction_belongs_to_one_browser_until_it_expires an_interaction_id_is_taken_once
        an_interaction_ends_once_and_leads_to_its_grant an_interaction_outlives_a_grant_that_could_not_be_inserted;
    clients: a_client_is_kept_replaced_and_removed a_client_is_replaced_at_its_revision_alone;
    keys: a_signing_key_is_inserted_unless_a_newer_one_exists signing_keys_are_listed_and_removed;
    uses: a_use_is_the_first_once_until_its_end a_use_that_has_ended_is_never_the_first
        uses_of_different_digests_do_not_meet uses_are_counted_until_the_end_of_the_first;
    consents: a_consent_is_kept_replaced_and_forgotten a_consent_is_replaced_at_its_revision_alone
        a_consent_counts_until_its_end consents_of_different_people_and_clients_do_not_meet;
    reciprocals: a_queued_code_is_taken_again_until_it_is_finished codes_are_taken_when_they_are_due_the_first_first
        a_code_that_comes_again_is_known a_code_takes_the_place_of_the_one_that_waits links_do_not_meet
        waiting_codes_are_counted a_link_may_be_of_the_ends_of_time tokens_stay_until_those_of_the_next_code_come
        tokens_are_replaced_at_their_revision_alone a_refresh_leaves_a_waiting_code_alone
        tokens_count_until_their_end a_forgotten_link_is_gone tokens_are_listed_until_their_end
        the_end_of_a_code_that_is_given_up_is_no_half_end;
    statuses: every_step_that_keeps_a_token_keeps_its_place a_place_is_forgotten_with_its_token
        what_was_revoked_stays_in_its_list;
    skew: a_code_is_redeemed_once_whatever_the_clocks_say a_revocation_is_not_undone_by_another_clock
        a_family_goes_on_under_another_clock expiry_is_judged_by_the_callers_clock the_ends_of_time_are_times_too;
    given_up: a_redemption_that_is_given_up_is_no_half_redemption
        a_refresh_that_is_given_up_leaves_the_way_to_its_successor
        a_confirmation_that_is_given_up_can_be_repeated
        an_insertion_that_is_given_up_is_no_half_insertion a_revocation_that_is_given_up_can_be_repeated
        an_interaction_whose_end_is_given_up_can_end a_client_or_key_that_is_given_up_is_no_half_one
        a_use_that_is_given_up_forgets_none a_consent_that_is_given_up_is_no_half_one calls_that_are_given_up_leave_room_for_others;
};

/// What a store may leave to sweeps, or remove by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Swept {
    /// Grants, consents and links.
    Grants,
    /// Interactions and uses.
    ShortLived,
}

type Checks = &'static [(&'static str, Check)];

/// The checks of stores that leave something to sweeps, and of those that do not.
const SWEEPS: &[(Swept, Checks, Checks)] = &[
    (
        Swept::Grants,
        checks! {
            sweep: a_sweep_removes_what_has_ended_and_nothing_else a_sweep_goes_in_small_batches;
            consents: a_sweep_removes_expired_consents_in_small_batches;
            reciprocals: a_sweep_removes_ended_links_in_small_batches;
            statuses: a_sweep_removes_ended_statuses_in_small_batches;
        },
        checks! { sweep: a_store_that_cleans_up_by_itself_is_left_alone_by_sweeps; },
    ),
    (
        Swept::ShortLived,
        checks! {
            sweep: a_sweep_removes_expired_interactions;
            uses: a_sweep_removes_ended_uses_in_small_batches;
        },
        checks! { sweep: interactions_that_end_by_themselves_are_left_alone_by_sweeps; },
    ),
];

const RACES: Checks = checks! {
    // spec: TOK-17, TOK-28, TOK-29, SEC-20
    races: parallel_redemptions_of_one_code_succeed_once wrong_redemptions_do_not_disturb_the_right_one
        parallel_strict_refreshes_leave_no_family parallel_refreshes_in_the_retry_window_leave_one_family
        parallel_refreshes_without_rotation_all_succeed parallel_insertions_of_one_grant_succeed_once
        parallel_revocations_revoke_once a_revocation_wins_over_an_insertion_that_races_it
        a_revocation_wins_over_a_refresh_that_races_it a_revocation_wins_over_a_redemption_that_races_it
        parallel_steps_on_different_grants_do_not_meet an_interaction_is_finished_once_by_many
        a_signing_key_is_inserted_once_by_many a_sweep_takes_nothing_that_is_being_used;
    clients: a_client_is_replaced_once_by_many a_removed_client_is_not_brought_back_by_those_who_replace_it;
    consents: a_consent_is_replaced_once_by_many
        a_forgotten_consent_is_not_brought_back_by_those_who_replace_it;
    reciprocals: a_queued_code_is_taken_once_by_many many_codes_are_taken_once_each
        a_queued_code_is_finished_once_by_many a_code_that_comes_while_another_is_finished_is_not_lost
        a_code_that_comes_again_while_it_is_finished_does_not_wait_again tokens_are_replaced_once_by_many
        forgotten_tokens_are_not_brought_back_by_those_who_refresh_them the_end_of_a_code_is_seen_as_a_whole;
    confirmations: a_confirmation_that_races_the_old_token_ends_its_way;
    subjects: a_grant_that_is_there_is_listed_while_others_come of_parallel_epochs_the_latest_stays;
    uses: of_parallel_uses_one_is_the_first parallel_uses_are_all_counted;
    statuses: parallel_revocations_in_one_list_are_all_kept blocks_of_places_are_claimed_once_each
        a_revocation_finds_the_place_of_every_token_that_it_lets_in;
    isolation: a_redemption_is_seen_as_a_whole a_rotation_is_seen_as_a_whole a_revocation_is_seen_as_a_whole
        a_new_grant_is_seen_with_its_token the_end_of_an_interaction_is_seen_with_its_grant
        a_client_is_seen_as_a_whole_while_it_is_replaced a_consent_is_seen_as_a_whole_while_it_is_replaced;
};
