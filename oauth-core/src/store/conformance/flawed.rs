//! A store with one planted flaw at a time.

mod clients;
mod consents;
mod grants;
mod halves;
mod interactions;
mod reciprocals;
mod statuses;
mod uses;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, atomic::AtomicUsize},
};

use crate::{
    clock::{Clock, SystemClock, UnixTime},
    secret::Digest,
    store::{
        AccessToken, Consent, Grant, LinkState, ParkedInteraction, RedeemCode, Redemption, RefreshOutcome,
        RotateRefresh, memory::MemoryStore,
    },
    token::GrantId,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    RedeemsInTwoSteps,
    RotatesInTwoSteps,
    InsertsGrantsInTwoSteps,
    RevokesInTwoSteps,
    FinishesInTwoSteps,
    InsertsKeysInTwoSteps,
    ForgetsTheFence,
    ForgetsRevocations,
    RevokesAgain,
    IgnoresTheClient,
    IgnoresTheChallenge,
    IgnoresTheRedirectUri,
    IgnoresCodeExpiry,
    BurnsTheCodeOnAWrongGuess,
    ForgetsReplays,
    LetsAnybodyReplay,
    LosesTheTokenOfARedemption,
    ForgetsReuse,
    RevokesOnAWrongToken,
    RetriesWithoutWindow,
    RetriesAfterUse,
    KeepsTheTokenOfARetry,
    IgnoresIdleness,
    ConfirmsNothing,
    ConfirmsByAnyToken,
    ConfirmsEveryRetry,
    ConfirmsInTwoSteps,
    ConfirmsByItsOwnClock,
    ConfirmsInOrder,
    ListsLater,
    ListsTheLiving,
    ListsByTheBeginning,
    ListsInNoOrder,
    ListsTwice,
    ListsTooFew,
    LowersTheEpoch,
    ForgetsTheEpoch,
    RaisesTheEpochInTwoSteps,
    FindsTokensUnderAnyGrant,
    RevokesTheGrantOfAToken,
    ReplacesGrants,
    SweepsTooMuch,
    SweepsRevoked,
    SweepsRedeemed,
    SweepsNothing,
    ShowsAnyBrowser,
    FinishesExpired,
    ConsumesBeforeInserting,
    KeepsOldClients,
    ReplacesClientsLater,
    IgnoresRevisions,
    DropsClientsSilently,
    IgnoresNewerKeys,
    SharesKeysOfAlgorithms,
    FirstUsesInTwoSteps,
    TakesLateUses,
    RemembersUsesForever,
    SharesUses,
    CountsInTwoSteps,
    ProlongsCounts,
    CountsForever,
    KeepsUses,
    SweepsUses,
    KeepsInteractions,
    ReplacesConsentsLater,
    IgnoresRevisionsOfConsents,
    RoundsRevisionsOfConsents,
    BringsBackForgottenConsents,
    KeepsOldConsents,
    ForgetsConsentsSilently,
    KeepsForgottenConsents,
    ShowsExpiredConsents,
    ReplacesExpiredConsents,
    MindsExpiredConsents,
    EndsConsentsByItsOwnClock,
    SharesConsentsOfClients,
    SharesConsentsOfPeople,
    JoinsTheNamesOfConsents,
    KeepsConsents,
    SweepsConsents,
    QueuesAgain,
    KnowsWaitingCodesAlone,
    KnowsCodesOfEndedTokens,
    KeepsTheFirstCode,
    DropsTokensForACode,
    QueuesInTwoSteps,
    TakesEarly,
    TakesNoExpiredCodes,
    TakesTheLatest,
    TakesInTwoSteps,
    TakesForGood,
    ForgetsAttempts,
    DefersAnyCode,
    FinishesAnyCode,
    FinishesCodesInTwoSteps,
    FinishesPiecemeal,
    KeepsFinishedCodes,
    ClearsTokensOfAGivenUpCode,
    ForgetsReplacedTokens,
    SupersedesARepeatedFinish,
    BelievesTheNamesOfTokens,
    ReplacesTokensLater,
    IgnoresRevisionsOfTokens,
    IgnoresTheCodeOfTokens,
    BringsBackForgottenTokens,
    RoundsRevisionsOfTokens,
    ReplacesEndedTokens,
    ShowsEndedTokens,
    EndsTokensByItsOwnClock,
    KeepsForgottenCodes,
    KeepsForgottenTokens,
    ForgetsLinksSilently,
    SharesLinksOfNobody,
    SharesLinksOfPeople,
    SharesLinksOfClients,
    JoinsTheNamesOfLinks,
    CutsTheNamesOfLinks,
    ListsEndedTokens,
    ListsAllTokens,
    CountsExpiredCodes,
    KeepsLinks,
    SweepsLinks,
    SweepsExpiredCodes,
    SweepsWholeLinks,
    UsesItsOwnClock,
    ForgetsRedemptionsToCome,
    ForgetsRevocationsToCome,
    RefusesClocksThatAreBehind,
    HasNoEndOfTime,
    WritesTokensLater,
    WritesNewTokensLater,
    RevokesPiecemeal,
    EndsInteractionsFirst,
    ReplacesClientsInTwoSteps,
    ReplacesConsentsInTwoSteps,
    HidesPlacesOfRevokedGrants,
    ShowsPlacesForever,
    LosesTheFirstPlace,
    SharesStatusLists,
    ReplacesStatusLists,
    RevokesStatusesInTwoSteps,
    ClaimsBlocksInTwoSteps,
    KeepsStatuses,
    SweepsStatuses,
    LosesWhatIsGivenUp,
    KeepsConnectionsThatAreGivenUp,
    NeverReady,
}
use Flaw as F;

type Held = (Grant, Vec<AccessToken>);

/// A store that reads, decides and writes back, all correctly, under a lock;
/// a flaw takes the lock away or changes the decision.
#[derive(Debug)]
pub(super) struct Flawed {
    flaw: Flaw,
    grants: Mutex<HashMap<GrantId, Held>>,
    parked: Mutex<HashMap<Digest, ParkedInteraction>>,
    /// How often, and until when.
    used: Mutex<HashMap<Digest, (u64, UnixTime)>>,
    /// Under both names, one after the other.
    given: Mutex<HashMap<(String, String), Consent>>,
    epoch: Mutex<UnixTime>,
    /// The grant that was inserted last.
    newest: Mutex<Option<GrantId>>,
    /// By list and place: the end of the list.
    revoked: Mutex<HashMap<u64, BTreeMap<u32, UnixTime>>>,
    /// By both names.
    links: Mutex<HashMap<String, LinkState>>,
    rest: MemoryStore,
    /// How many connections are in use, or lost.
    connections: AtomicUsize,
}

impl Flawed {
    pub(super) fn new(flaw: Flaw) -> Self {
        let (grants, parked, used, given, links, epoch, revoked) = Default::default();
        let (rest, connections, newest) = (MemoryStore::default(), AtomicUsize::new(0), Mutex::default());
        Self { flaw, grants, parked, used, given, links, epoch, newest, revoked, rest, connections }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    /// Load, change, save; in two steps where the flaw says so.
    async fn step<T>(&self, id: GrantId, split: Flaw, unknown: T, change: impl FnOnce(&mut Held) -> T) -> T {
        if self.shows_halves() {
            return self.half_step(id, unknown, change).await;
        }
        if !self.has(split) {
            return self.grants.lock().unwrap().get_mut(&id).map_or(unknown, change);
        }
        let Some(mut held) = self.grants.lock().unwrap().get(&id).cloned() else { return unknown };
        let outcome = change(&mut held);
        tokio::task::yield_now().await;
        self.grants.lock().unwrap().insert(id, held);
        outcome
    }

    fn redeem(&self, held: &mut Held, mut redeem: RedeemCode) -> Redemption {
        let (grant, tokens) = held;
        let Some(code) = &grant.code else { return Redemption::Refused };
        match self.flaw {
            F::IgnoresTheClient => redeem.client = grant.facts.client.clone(),
            F::IgnoresTheChallenge => redeem.challenge = code.challenge,
            F::IgnoresTheRedirectUri => redeem.redirect_uri = Some(code.redirect_uri.clone()),
            F::IgnoresCodeExpiry => redeem.now = grant.created_at,
            F::UsesItsOwnClock => redeem.now = SystemClock.now(),
            F::ForgetsRedemptionsToCome if code.redeemed_at > Some(redeem.now) => {
                grant.code.iter_mut().for_each(|code| code.redeemed_at = None);
            }
            F::ForgetsReplays if code.redeemed_at.is_some() => return Redemption::Refused,
            F::LetsAnybodyReplay if code.redeemed_at.is_some() => {
                grant.revoke(redeem.now);
                return Redemption::Replayed;
            }
            _ => {}
        }
        let outcome = grant.redeem_code(&redeem);
        if outcome == Redemption::Redeemed && !self.has(F::LosesTheTokenOfARedemption) {
            tokens.push(redeem.access);
        }
        if outcome == Redemption::Refused && self.has(F::BurnsTheCodeOnAWrongGuess) {
            grant.code.as_mut().unwrap().redeemed_at = Some(redeem.now);
        }
        outcome
    }

    fn rotate(&self, held: &mut Held, mut rotate: RotateRefresh) -> RefreshOutcome {
        let (grant, tokens) = held;
        let before = grant.clone();
        let Some(refresh) = &mut grant.refresh else { return RefreshOutcome::Refused };
        let old_retry = refresh.retry.clone();
        match self.flaw {
            F::IgnoresTheClient => rotate.client = grant.facts.client.clone(),
            F::IgnoresIdleness => rotate.idle_lifetime = u64::MAX,
            F::RetriesWithoutWindow => refresh.retry.iter_mut().for_each(|retry| retry.until = UnixTime::MAX),
            F::RefusesClocksThatAreBehind if rotate.now < refresh.used_at => return RefreshOutcome::Refused,
            F::ForgetsReuse if rotate.generation < refresh.generation => return RefreshOutcome::Refused,
            _ => {}
        }
        let outcome = grant.rotate_refresh(&rotate);
        let retry = matches!(outcome, RefreshOutcome::Retry { .. }) && self.has(F::KeepsTheTokenOfARetry);
        if outcome == RefreshOutcome::Rotated || retry {
            tokens.push(rotate.access);
        }
        if outcome == RefreshOutcome::Refused && self.has(F::RevokesOnAWrongToken) {
            grant.revoke(rotate.now);
        }
        if self.has(F::RetriesAfterUse) && outcome == RefreshOutcome::Reused {
            *grant = before;
            return RefreshOutcome::Retry { sealed: old_retry.map_or(Vec::new(), |retry| retry.sealed) };
        }
        outcome
    }
}
