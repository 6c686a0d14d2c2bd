//! The suite, tested: a store with one planted flaw at a time must fail the
//! check that is about it, and the same store without a flaw must pass.

use super::{
    Suite,
    flawed::{Flaw as F, Flawed},
};
use crate::store::memory::MemoryStore;

fn suite(flaw: F) -> Suite<impl Fn() -> std::future::Ready<Flawed>, fn(super::Task)> {
    Suite::new(move || std::future::ready(Flawed::new(flaw)), |task| drop(tokio::spawn(task)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_store_passes() {
    Suite::new(|| async { MemoryStore::default() }, |task| drop(tokio::spawn(task))).run().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_without_a_flaw_passes() {
    suite(F::None).run().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_without_sweeps_passes_if_it_says_so() {
    let (idle, busy) = (suite(F::SweepsNothing), suite(F::None));
    assert!(!idle.failures_among(|name| name.contains("sweep")).await.is_empty());
    assert_eq!(idle.without_sweeps().failures_among(|name| name.contains("sweep")).await, []);
    assert_eq!(busy.without_sweeps().failures_among(|name| name.contains("left_alone_by_sweeps")).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_planted_flaw_fails_the_check_that_is_about_it() {
    for (flaw, check) in [
        (F::RedeemsInTwoSteps, "parallel_redemptions_of_one_code_succeed_once"),
        (F::RedeemsInTwoSteps, "a_revocation_wins_over_a_redemption_that_races_it"),
        (F::RotatesInTwoSteps, "parallel_strict_refreshes_leave_no_family"),
        (F::RotatesInTwoSteps, "parallel_refreshes_in_the_retry_window_leave_one_family"),
        (F::RotatesInTwoSteps, "a_revocation_wins_over_a_refresh_that_races_it"),
        (F::InsertsGrantsInTwoSteps, "parallel_insertions_of_one_grant_succeed_once"),
        (F::RevokesInTwoSteps, "parallel_revocations_revoke_once"),
        (F::RevokesInTwoSteps, "a_revocation_wins_over_an_insertion_that_races_it"),
        (F::FinishesInTwoSteps, "an_interaction_is_finished_once_by_many"),
        (F::InsertsKeysInTwoSteps, "a_signing_key_is_inserted_once_by_many"),
        (F::ForgetsTheFence, "an_ended_grant_takes_no_access_token"),
        (F::ForgetsRevocations, "a_grant_is_revoked_once_and_for_all"),
        (F::RevokesAgain, "a_grant_is_revoked_once_and_for_all"),
        (F::IgnoresTheClient, "a_code_bound_otherwise_is_refused_and_stays_good"),
        (F::IgnoresTheClient, "a_foreign_or_wrong_token_changes_nothing"),
        (F::IgnoresTheClient, "a_retry_is_for_the_same_client_alone"),
        (F::IgnoresTheChallenge, "a_code_bound_otherwise_is_refused_and_stays_good"),
        (F::IgnoresTheRedirectUri, "a_redirect_uri_may_be_omitted_only_where_it_was"),
        (F::IgnoresCodeExpiry, "an_expired_code_is_refused"),
        (F::BurnsTheCodeOnAWrongGuess, "a_code_bound_otherwise_is_refused_and_stays_good"),
        (F::BurnsTheCodeOnAWrongGuess, "wrong_redemptions_do_not_disturb_the_right_one"),
        (F::ForgetsReplays, "a_replayed_code_revokes_its_grant"),
        (F::LetsAnybodyReplay, "a_replay_with_another_binding_revokes_nothing"),
        (F::LosesTheTokenOfARedemption, "a_code_is_redeemed_by_whom_it_is_bound_to"),
        (F::ForgetsReuse, "reuse_revokes_the_grant"),
        (F::RevokesOnAWrongToken, "a_foreign_or_wrong_token_changes_nothing"),
        (F::RetriesWithoutWindow, "a_retry_ends_with_its_window"),
        (F::RetriesAfterUse, "a_retry_ends_when_the_successor_is_used"),
        (F::KeepsTheTokenOfARetry, "a_retry_gets_the_same_successor"),
        (F::KeepsTheTokenOfARetry, "parallel_refreshes_in_the_retry_window_leave_one_family"),
        (F::IgnoresIdleness, "an_idle_refresh_token_is_void"),
        (F::FindsTokensUnderAnyGrant, "an_access_token_belongs_to_its_own_grant_alone"),
        (F::RevokesTheGrantOfAToken, "revoking_an_access_token_leaves_its_grant_alive"),
        (F::ReplacesGrants, "a_grant_id_is_taken_once"),
        (F::SweepsTooMuch, "a_sweep_goes_in_small_batches"),
        (F::SweepsRevoked, "a_sweep_removes_what_has_ended_and_nothing_else"),
        (F::SweepsRedeemed, "a_sweep_removes_what_has_ended_and_nothing_else"),
        (F::SweepsNothing, "a_sweep_removes_what_has_ended_and_nothing_else"),
        (F::ShowsAnyBrowser, "an_interaction_belongs_to_one_browser_until_it_expires"),
        (F::FinishesExpired, "an_interaction_ends_once_and_leads_to_its_grant"),
        (F::ConsumesBeforeInserting, "an_interaction_outlives_a_grant_that_could_not_be_inserted"),
        (F::KeepsOldClients, "a_client_is_kept_replaced_and_removed"),
        (F::DropsClientsSilently, "a_client_is_kept_replaced_and_removed"),
        (F::IgnoresNewerKeys, "a_signing_key_is_inserted_unless_a_newer_one_exists"),
        (F::SharesKeysOfAlgorithms, "a_signing_key_is_inserted_unless_a_newer_one_exists"),
    ] {
        let failures = suite(flaw).failures_among(|name| name == check).await;
        assert_eq!(failures.len(), 1, "{flaw:?} passes {check:?}");
    }
}
