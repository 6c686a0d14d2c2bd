//! The suite, tested: a store with one planted flaw at a time must fail the
//! check that is about it, and the same store without a flaw must pass.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    CHECKS, Faulty, RACES, SWEEPS, Suite,
    flawed::{Flaw as F, Flawed},
};
use crate::{every_verb, store::memory::MemoryStore};

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
    let sweep = |name: &str| name.contains("sweep");
    assert_eq!(suite(F::SweepsNothing).failures_among(sweep).await.len(), 7);
    assert_eq!(suite(F::SweepsNothing).without_sweeps().failures_among(sweep).await, []);
    // Who says so must be idle, as far as that goes.
    let left_alone = |name: &str| name.contains("left_alone_by_sweeps");
    assert_eq!(suite(F::None).without_sweeps().failures_among(left_alone).await.len(), 2);
    let some = suite(F::None).without_sweeps_of_what_is_short_lived().failures_among(sweep).await;
    assert_eq!(some.len(), 1, "{some:?}");
    let some = suite(F::SweepsNothing).without_sweeps_of_what_is_short_lived().failures_among(sweep).await;
    assert_eq!(some.len(), 5, "{some:?}");
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
        (F::ConfirmsNothing, "a_way_back_until_first_use_ends_with_the_access_token"),
        (F::ConfirmsNothing, "a_confirmation_that_is_given_up_can_be_repeated"),
        (F::ConfirmsByAnyToken, "a_way_back_until_first_use_ends_with_the_access_token"),
        (F::ConfirmsByAnyToken, "a_way_back_until_first_use_ends_with_the_refresh_token"),
        (F::ConfirmsEveryRetry, "a_confirmation_is_about_one_way_back"),
        (F::ConfirmsByItsOwnClock, "a_confirmation_is_about_one_way_back"),
        (F::ConfirmsInOrder, "a_confirmation_holds_whatever_the_clocks_say"),
        (F::ConfirmsInTwoSteps, "a_confirmation_that_races_the_old_token_ends_its_way"),
        (F::LosesWhatIsGivenUp, "a_confirmation_that_is_given_up_can_be_repeated"),
        (F::ListsTheLiving, "the_grants_of_a_user_are_listed_by_id_whatever_their_state"),
        (F::ListsByTheBeginning, "the_grants_of_a_user_are_listed_by_id_whatever_their_state"),
        (F::ListsInNoOrder, "the_grants_of_a_user_are_listed_by_id_whatever_their_state"),
        (F::ListsTwice, "the_grants_of_a_user_are_listed_by_id_whatever_their_state"),
        (F::ListsTooFew, "the_grants_of_a_user_are_listed_by_id_whatever_their_state"),
        (F::ListsLater, "a_grant_that_is_there_is_listed_while_others_come"),
        (F::LowersTheEpoch, "the_epoch_is_raised_and_never_lowered"),
        (F::ForgetsTheEpoch, "the_epoch_is_raised_and_never_lowered"),
        (F::RaisesTheEpochInTwoSteps, "of_parallel_epochs_the_latest_stays"),
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
        (F::IgnoresRevisions, "a_client_is_replaced_at_its_revision_alone"),
        (F::ReplacesClientsLater, "a_client_is_replaced_once_by_many"),
        (F::ReplacesClientsLater, "a_removed_client_is_not_brought_back_by_those_who_replace_it"),
        (F::IgnoresNewerKeys, "a_signing_key_is_inserted_unless_a_newer_one_exists"),
        (F::SharesKeysOfAlgorithms, "a_signing_key_is_inserted_unless_a_newer_one_exists"),
        (F::FirstUsesInTwoSteps, "of_parallel_uses_one_is_the_first"),
        (F::TakesLateUses, "a_use_that_has_ended_is_never_the_first"),
        (F::RemembersUsesForever, "a_use_is_the_first_once_until_its_end"),
        (F::SharesUses, "uses_of_different_digests_do_not_meet"),
        (F::CountsInTwoSteps, "parallel_uses_are_all_counted"),
        (F::ProlongsCounts, "uses_are_counted_until_the_end_of_the_first"),
        (F::CountsForever, "uses_are_counted_until_the_end_of_the_first"),
        (F::KeepsUses, "a_sweep_removes_ended_uses_in_small_batches"),
        (F::SweepsUses, "a_sweep_removes_ended_uses_in_small_batches"),
        (F::KeepsInteractions, "a_sweep_removes_expired_interactions"),
        (F::ReplacesConsentsLater, "a_consent_is_replaced_once_by_many"),
        (F::ReplacesConsentsLater, "a_forgotten_consent_is_not_brought_back_by_those_who_replace_it"),
        (F::IgnoresRevisionsOfConsents, "a_consent_is_replaced_at_its_revision_alone"),
        (F::RoundsRevisionsOfConsents, "a_consent_is_replaced_at_its_revision_alone"),
        (F::BringsBackForgottenConsents, "a_consent_is_replaced_at_its_revision_alone"),
        (F::KeepsOldConsents, "a_consent_is_kept_replaced_and_forgotten"),
        (F::ForgetsConsentsSilently, "a_consent_is_kept_replaced_and_forgotten"),
        (F::KeepsForgottenConsents, "a_consent_is_kept_replaced_and_forgotten"),
        (F::ShowsExpiredConsents, "a_consent_counts_until_its_end"),
        (F::ReplacesExpiredConsents, "a_consent_counts_until_its_end"),
        (F::MindsExpiredConsents, "a_consent_counts_until_its_end"),
        (F::EndsConsentsByItsOwnClock, "a_consent_counts_until_its_end"),
        (F::SharesConsentsOfClients, "consents_of_different_people_and_clients_do_not_meet"),
        (F::SharesConsentsOfPeople, "consents_of_different_people_and_clients_do_not_meet"),
        (F::JoinsTheNamesOfConsents, "consents_of_different_people_and_clients_do_not_meet"),
        (F::KeepsConsents, "a_sweep_removes_expired_consents_in_small_batches"),
        (F::SweepsConsents, "a_sweep_removes_expired_consents_in_small_batches"),
        (F::QueuesAgain, "a_code_that_comes_again_is_known"),
        (F::KnowsWaitingCodesAlone, "a_code_that_comes_again_is_known"),
        (F::KnowsCodesOfEndedTokens, "a_code_that_comes_again_is_known"),
        (F::KeepsTheFirstCode, "a_code_takes_the_place_of_the_one_that_waits"),
        (F::DropsTokensForACode, "tokens_stay_until_those_of_the_next_code_come"),
        (F::QueuesInTwoSteps, "a_code_that_comes_again_while_it_is_finished_does_not_wait_again"),
        (F::TakesEarly, "a_queued_code_is_taken_again_until_it_is_finished"),
        (F::TakesNoExpiredCodes, "codes_are_taken_when_they_are_due_the_first_first"),
        (F::TakesTheLatest, "codes_are_taken_when_they_are_due_the_first_first"),
        (F::TakesInTwoSteps, "a_queued_code_is_taken_once_by_many"),
        (F::TakesInTwoSteps, "many_codes_are_taken_once_each"),
        (F::TakesForGood, "a_queued_code_is_taken_again_until_it_is_finished"),
        (F::ForgetsAttempts, "a_queued_code_is_taken_again_until_it_is_finished"),
        (F::DefersAnyCode, "a_code_takes_the_place_of_the_one_that_waits"),
        (F::FinishesAnyCode, "a_code_takes_the_place_of_the_one_that_waits"),
        (F::FinishesCodesInTwoSteps, "a_queued_code_is_finished_once_by_many"),
        (F::FinishesCodesInTwoSteps, "a_code_that_comes_while_another_is_finished_is_not_lost"),
        (F::FinishesPiecemeal, "the_end_of_a_code_is_seen_as_a_whole"),
        (F::FinishesPiecemeal, "the_end_of_a_code_that_is_given_up_is_no_half_end"),
        (F::KeepsFinishedCodes, "a_queued_code_is_taken_again_until_it_is_finished"),
        (F::ClearsTokensOfAGivenUpCode, "tokens_stay_until_those_of_the_next_code_come"),
        (F::ForgetsReplacedTokens, "tokens_stay_until_those_of_the_next_code_come"),
        (F::SupersedesARepeatedFinish, "tokens_stay_until_those_of_the_next_code_come"),
        (F::BelievesTheNamesOfTokens, "tokens_stay_until_those_of_the_next_code_come"),
        (F::ReplacesTokensLater, "tokens_are_replaced_once_by_many"),
        (F::ReplacesTokensLater, "forgotten_tokens_are_not_brought_back_by_those_who_refresh_them"),
        (F::IgnoresRevisionsOfTokens, "tokens_are_replaced_at_their_revision_alone"),
        (F::IgnoresTheCodeOfTokens, "tokens_are_replaced_at_their_revision_alone"),
        (F::BringsBackForgottenTokens, "tokens_are_replaced_at_their_revision_alone"),
        (F::BringsBackForgottenTokens, "a_forgotten_link_is_gone"),
        (F::RoundsRevisionsOfTokens, "tokens_are_replaced_at_their_revision_alone"),
        (F::ReplacesEndedTokens, "tokens_count_until_their_end"),
        (F::ShowsEndedTokens, "tokens_count_until_their_end"),
        (F::EndsTokensByItsOwnClock, "tokens_count_until_their_end"),
        (F::KeepsForgottenCodes, "a_forgotten_link_is_gone"),
        (F::KeepsForgottenTokens, "a_forgotten_link_is_gone"),
        (F::ForgetsLinksSilently, "a_forgotten_link_is_gone"),
        (F::SharesLinksOfNobody, "links_do_not_meet"),
        (F::SharesLinksOfPeople, "links_do_not_meet"),
        (F::SharesLinksOfClients, "links_do_not_meet"),
        (F::JoinsTheNamesOfLinks, "links_do_not_meet"),
        (F::CutsTheNamesOfLinks, "links_do_not_meet"),
        (F::ListsEndedTokens, "tokens_are_listed_until_their_end"),
        (F::ListsAllTokens, "tokens_are_listed_until_their_end"),
        (F::CountsExpiredCodes, "waiting_codes_are_counted"),
        (F::KeepsLinks, "a_sweep_removes_ended_links_in_small_batches"),
        (F::SweepsLinks, "a_sweep_removes_ended_links_in_small_batches"),
        (F::SweepsExpiredCodes, "a_sweep_removes_ended_links_in_small_batches"),
        (F::SweepsWholeLinks, "a_sweep_removes_ended_links_in_small_batches"),
        (F::UsesItsOwnClock, "expiry_is_judged_by_the_callers_clock"),
        (F::ForgetsRedemptionsToCome, "a_code_is_redeemed_once_whatever_the_clocks_say"),
        (F::ForgetsRevocationsToCome, "a_revocation_is_not_undone_by_another_clock"),
        (F::RefusesClocksThatAreBehind, "a_family_goes_on_under_another_clock"),
        (F::HasNoEndOfTime, "the_ends_of_time_are_times_too"),
        (F::WritesTokensLater, "a_redemption_is_seen_as_a_whole"),
        (F::WritesTokensLater, "a_rotation_is_seen_as_a_whole"),
        (F::WritesTokensLater, "a_redemption_that_is_given_up_is_no_half_redemption"),
        (F::WritesNewTokensLater, "a_new_grant_is_seen_with_its_token"),
        (F::WritesNewTokensLater, "an_insertion_that_is_given_up_is_no_half_insertion"),
        (F::RevokesPiecemeal, "a_revocation_is_seen_as_a_whole"),
        (F::EndsInteractionsFirst, "the_end_of_an_interaction_is_seen_with_its_grant"),
        (F::EndsInteractionsFirst, "an_interaction_whose_end_is_given_up_can_end"),
        (F::ReplacesClientsInTwoSteps, "a_client_is_seen_as_a_whole_while_it_is_replaced"),
        (F::ReplacesClientsInTwoSteps, "a_client_or_key_that_is_given_up_is_no_half_one"),
        (F::ReplacesConsentsInTwoSteps, "a_consent_is_seen_as_a_whole_while_it_is_replaced"),
        (F::ReplacesConsentsInTwoSteps, "a_consent_that_is_given_up_is_no_half_one"),
        (F::HidesPlacesOfRevokedGrants, "every_step_that_keeps_a_token_keeps_its_place"),
        (F::LosesTheFirstPlace, "every_step_that_keeps_a_token_keeps_its_place"),
        (F::ShowsPlacesForever, "a_place_is_forgotten_with_its_token"),
        (F::SharesStatusLists, "what_was_revoked_stays_in_its_list"),
        (F::ReplacesStatusLists, "what_was_revoked_stays_in_its_list"),
        (F::SweepsStatuses, "what_was_revoked_stays_in_its_list"),
        (F::KeepsStatuses, "a_sweep_removes_ended_statuses_in_small_batches"),
        (F::RevokesStatusesInTwoSteps, "parallel_revocations_in_one_list_are_all_kept"),
        (F::RevokesInTwoSteps, "a_revocation_finds_the_place_of_every_token_that_it_lets_in"),
        (F::ClaimsBlocksInTwoSteps, "blocks_of_places_are_claimed_once_each"),
        (F::LosesWhatIsGivenUp, "a_refresh_that_is_given_up_leaves_the_way_to_its_successor"),
        (F::LosesWhatIsGivenUp, "a_revocation_that_is_given_up_can_be_repeated"),
        (F::LosesWhatIsGivenUp, "a_use_that_is_given_up_forgets_none"),
        (F::KeepsConnectionsThatAreGivenUp, "calls_that_are_given_up_leave_room_for_others"),
        (F::NeverReady, "a_store_that_works_says_so"),
    ] {
        let failures = suite(flaw).failures_among(|name| name == check).await;
        assert_eq!(failures.len(), 1, "{flaw:?} passes {check:?}");
    }
}

macro_rules! names {
    ($($of:path { $($verb:ident($($argument:ident: $type:ty),*) -> $out:ty;)* })*) => {
        &[$($(stringify!($verb)),*),*]
    };
}

const VERBS: &[&str] = every_verb!(names);

/// The words between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The table in the documentation, as it reads: the checks of each verb.
fn table() -> BTreeMap<&'static str, Vec<&'static str>> {
    let rows = include_str!("../conformance.rs").lines().filter_map(|line| line.strip_prefix("//! | `"));
    rows.map(|row| (row.split('`').next().unwrap(), quoted(row.split('|').nth(2).unwrap()))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_verb_is_in_the_table_with_checks_that_call_it() {
    let table = table();
    assert_eq!(table.keys().copied().collect::<BTreeSet<_>>(), VERBS.iter().copied().collect());
    let sweeps = SWEEPS.iter().flat_map(|(_, swept, _)| swept.iter());
    for (name, _) in CHECKS.iter().chain(sweeps).chain(RACES) {
        let store = Faulty::new(MemoryStore::default());
        let make = || std::future::ready(store.clone());
        let failures = Suite::new(make, |task| drop(tokio::spawn(task))).failures_among(|other| other == *name).await;
        assert_eq!(failures, []);
        let calls: BTreeSet<_> = store.calls().into_iter().collect();
        let claims = table.iter().filter(|(_, checks)| checks.contains(name));
        for (verb, _) in claims {
            assert!(calls.contains(verb), "{name} does not call {verb}");
        }
    }
    let checks = CHECKS.iter().chain(SWEEPS.iter().flat_map(|(_, swept, _)| swept.iter())).chain(RACES);
    let known: BTreeSet<_> = checks.map(|(name, _)| *name).collect();
    let named: BTreeSet<_> = table.values().flatten().copied().collect();
    assert!(named.is_subset(&known), "{:?}", named.difference(&known));
}
