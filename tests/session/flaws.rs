//! Servers with one thing wrong, each as it might well be wrong. Whoever looks for faults must find these.

use std::fmt;

use oauth_core::{
    engine::policy::Rotation,
    server::AuthorizationServerBuilder,
    store::{
        Grants, NextRefresh, RedeemCode, Redemption, RefreshOutcome, Revocation, RotateRefresh, StoreError,
        StoreFuture, memory::MemoryStore,
    },
};

use super::*;

/// What a store does wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    /// Access tokens live on when their grant is revoked.
    LeavesAccessAlive,
    /// Nothing comes of the second use of a code.
    ForgetsThatACodeWasUsed,
    /// Nothing comes of a refresh token that was used before.
    ForgetsThatATokenWasUsed,
    /// One of two that redeem a code at once looks, then the other; then both take.
    LooksAndThenTakesACode,
    /// The same with a refresh token.
    LooksAndThenTakesAToken,
    /// Whoever revokes one access token revokes all.
    RevokesTooMuch,
    /// The window for retries is a second longer.
    ClosesTheWindowLate,
    /// A code is good for a second more.
    TakesOldCodes,
    /// A refresh token that nobody uses stays good.
    KnowsNoIdleness,
    /// Its access tokens can do all that the grant can.
    ForgetsToNarrow,
    /// Its access tokens are no longer bound to a key.
    ForgetsTheKey,
    /// A code is good with any key.
    ForgetsWhoseCodeItIs,
    /// A sweep removes grants whose codes have ended, used or not.
    SweepsTooMuch,
    /// What may be used once may be used again.
    ForgetsWhatWasUsed,
    /// An exchanged token, which must end with the one that was shown, ends later.
    ExchangesForLonger,
    /// The way back stays open for whoever has shown that it needs none.
    KeepsTheWayBack,
}

#[derive(Clone)]
struct Flawed {
    inner: MemoryStore,
    flaw: Flaw,
    gate: Gate,
}

impl fmt::Debug for Flawed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flawed({:?})", self.flaw)
    }
}

impl Flawed {
    async fn redeem_wrongly(&self, mut redeem: RedeemCode) -> Result<Redemption, StoreError> {
        let grant = self.inner.grant(redeem.grant).await?;
        let used = grant.and_then(|grant| grant.code).is_some_and(|code| code.redeemed_at.is_some());
        match self.flaw {
            Flaw::ForgetsThatACodeWasUsed if used => return Ok(Redemption::Refused),
            Flaw::LooksAndThenTakesACode if !used => {
                self.gate.pass().await;
                let (id, access, now) = (redeem.grant, redeem.access.clone(), redeem.now);
                let now_used = self.inner.grant(id).await?.and_then(|grant| grant.code);
                if now_used.is_some_and(|code| code.redeemed_at.is_some()) {
                    self.inner.insert_access(id, access, now).await?;
                    return Ok(Redemption::Redeemed);
                }
            }
            Flaw::TakesOldCodes => redeem.now = redeem.now.saturating_sub(1),
            _ => {}
        }
        self.inner.redeem_code(redeem).await
    }

    async fn rotate_wrongly(&self, mut rotate: RotateRefresh) -> Result<RefreshOutcome, StoreError> {
        let Some(grant) = self.inner.grant(rotate.grant).await? else { return Ok(RefreshOutcome::Refused) };
        let is_live = |generation| generation == Some(rotate.generation);
        let live = is_live(grant.refresh.as_ref().map(|refresh| refresh.generation));
        match self.flaw {
            Flaw::ForgetsThatATokenWasUsed if !live => {
                let back = grant.refresh.and_then(|refresh| refresh.retry);
                if back.is_none_or(|back| back.digest != rotate.digest || rotate.now >= back.until) {
                    return Ok(RefreshOutcome::Refused);
                }
            }
            Flaw::LooksAndThenTakesAToken if live => {
                self.gate.pass().await;
                let found = self.inner.grant(rotate.grant).await?.and_then(|grant| grant.refresh);
                if !is_live(found.map(|refresh| refresh.generation)) {
                    self.inner.insert_access(rotate.grant, rotate.access, rotate.now).await?;
                    return Ok(RefreshOutcome::Rotated);
                }
            }
            Flaw::ClosesTheWindowLate => {
                if let NextRefresh::Successor { retry: Some((_, until)), .. } = &mut rotate.next {
                    *until = until.saturating_add(1);
                }
            }
            Flaw::KnowsNoIdleness => rotate.idle_lifetime = u64::MAX,
            Flaw::ForgetsToNarrow => rotate.access.scope = grant.facts.scope,
            Flaw::ForgetsTheKey => rotate.access.confirmation = None,
            _ => {}
        }
        self.inner.rotate_refresh(rotate).await
    }
}

macro_rules! flawed {
    ($($trait:path { $($verb:ident($($argument:ident: $type:ty),*) -> $out:ty;)* })*) => { $(
        impl $trait for Flawed { $(
            fn $verb(&self, $($argument: $type),*) -> StoreFuture<'_, $out> {
                Box::pin(async move { flawed!(self $verb $($argument)*) })
            }
        )* }
    )* };
    ($self:ident redeem_code $redeem:ident) => { $self.redeem_wrongly($redeem).await };
    ($self:ident rotate_refresh $rotate:ident) => { $self.rotate_wrongly($rotate).await };
    ($self:ident access $id:ident $digest:ident) => {{
        let mut found = $self.inner.access($id, $digest).await?;
        if let Some((grant, _)) = found.as_mut().filter(|_| $self.flaw == Flaw::LeavesAccessAlive) {
            grant.revoked_at = None;
        }
        Ok(found)
    }};
    ($self:ident grant $id:ident) => {{
        let mut grant = $self.inner.grant($id).await?;
        if let Some(grant) = grant.as_mut().filter(|_| $self.flaw == Flaw::ForgetsWhoseCodeItIs) {
            grant.facts.dpop_jkt = None;
        }
        Ok(grant)
    }};
    ($self:ident revoke_access $id:ident $digest:ident) => {{
        if $self.flaw == Flaw::RevokesTooMuch {
            return Ok($self.inner.revoke_grant($id, UnixTime(0)).await? == Revocation::Revoked);
        }
        $self.inner.revoke_access($id, $digest).await
    }};
    ($self:ident first_use $digest:ident $until:ident $now:ident) => {{
        Ok($self.inner.first_use($digest, $until, $now).await? || $self.flaw == Flaw::ForgetsWhatWasUsed)
    }};
    ($self:ident insert_access $id:ident $access:ident $now:ident) => {{
        let mut access = $access;
        if $self.flaw == Flaw::ExchangesForLonger {
            access.expires_at = access.expires_at.saturating_add(1);
        }
        $self.inner.insert_access($id, access, $now).await
    }};
    ($self:ident confirm_refresh $id:ident $access:ident $now:ident) => {{
        if $self.flaw == Flaw::KeepsTheWayBack {
            return Ok(false);
        }
        $self.inner.confirm_refresh($id, $access, $now).await
    }};
    ($self:ident sweep $now:ident $limit:ident) => {{
        let now = if $self.flaw == Flaw::SweepsTooMuch { $now.saturating_add(REFRESH) } else { $now };
        $self.inner.sweep(now, $limit).await
    }};
    ($self:ident $verb:ident $($argument:ident)*) => { $self.inner.$verb($($argument),*).await };
}

oauth_core::every_verb!(flawed);

/// The lines of the shortest script that shows what is wrong on `stage`.
fn found(runtime: &tokio::runtime::Runtime, stage: &Stage) -> usize {
    let config = Config { failure_persistence: None, cases: 4_000, max_shrink_iters: 300, ..config(1) };
    let script = play(runtime, stage, config).expect_err(&stage.name);
    println!("{script}\n");
    script.lines().filter(|line| line.starts_with("  ")).count()
}

const GRACE: Policy = POLICIES[1];
const UNTIL_FIRST_USE: Policy = POLICIES[4];

#[test]
fn a_store_that_does_something_wrong_is_found_by_a_short_script() {
    let flaws = [
        (Flaw::LeavesAccessAlive, GRACE, 4),
        (Flaw::ForgetsThatACodeWasUsed, GRACE, 4),
        (Flaw::ForgetsThatATokenWasUsed, GRACE, 6),
        (Flaw::LooksAndThenTakesACode, GRACE, 6),
        (Flaw::LooksAndThenTakesAToken, GRACE, 6),
        (Flaw::RevokesTooMuch, GRACE, 5),
        (Flaw::ClosesTheWindowLate, GRACE, 6),
        (Flaw::TakesOldCodes, GRACE, 4),
        (Flaw::KnowsNoIdleness, GRACE, 5),
        (Flaw::ForgetsToNarrow, GRACE, 4),
        (Flaw::ForgetsTheKey, GRACE, 4),
        (Flaw::ForgetsWhoseCodeItIs, GRACE, 3),
        (Flaw::SweepsTooMuch, GRACE, 5),
        (Flaw::ForgetsWhatWasUsed, GRACE, 5),
        (Flaw::ExchangesForLonger, GRACE, 6),
        (Flaw::KeepsTheWayBack, UNTIL_FIRST_USE, 6),
    ];
    let runtime = runtime();
    for (flaw, policy, most) in flaws {
        let gate = Gate::default();
        let store = Flawed { inner: MemoryStore::default(), flaw, gate: gate.clone() };
        let stage = runtime.block_on(Stage::new(&format!("{flaw:?}"), policy, store, &gate));
        let lines = found(&runtime, &stage);
        assert!(lines <= most, "{flaw:?}: {lines}");
    }
}

type Change = fn(AuthorizationServerBuilder) -> AuthorizationServerBuilder;

#[test]
fn a_server_that_was_told_something_else_is_found_by_a_short_script() {
    let changes: [(&str, Change, usize); 9] = [
        ("no rotation", |builder| builder.rotation(Rotation::None), 4),
        ("no window", |builder| builder.rotation(Rotation::Strict), 6),
        ("a longer window", |builder| builder.rotation(Rotation::Grace { seconds: 21 }), 6),
        ("access tokens a second longer", |builder| builder.lifetimes(|set| set.access += 1), 3),
        ("grants a second longer", |builder| builder.lifetimes(|set| set.refresh += 1), 6),
        ("a shorter wait for devices", |builder| builder.devices(|set| set.interval -= 1), 5),
        ("device codes a second longer", |builder| builder.devices(|set| set.lifetime += 1), 5),
        ("proofs from everyone", |builder| builder.dpop(|dpop| dpop.required = true), 3),
        ("one for all", |builder| builder.revocation(|revocation| revocation.access_revokes_grant = true), 4),
    ];
    let runtime = runtime();
    for (name, change, most) in changes {
        let gate = Gate::default();
        let stage = runtime.block_on(Stage::with(name, GRACE, MemoryStore::default(), &gate, change));
        let lines = found(&runtime, &stage);
        assert!(lines <= most, "{name}: {lines}");
    }
}
