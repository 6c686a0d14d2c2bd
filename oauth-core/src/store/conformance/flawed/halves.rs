//! Steps that others see half of, or that stay half done when they are given up.

use std::sync::atomic::Ordering;

use super::{Flaw as F, Flawed, Held};
use crate::{store::StoreError, token::GrantId};

/// How many connections there are to lose.
const CONNECTIONS: usize = 30;

impl Flawed {
    pub(super) fn shows_halves(&self) -> bool {
        matches!(self.flaw, F::WritesTokensLater | F::RevokesPiecemeal | F::LosesWhatIsGivenUp)
    }

    /// Decides at once, and writes in two parts.
    pub(super) async fn half_step<T>(&self, id: GrantId, unknown: T, change: impl FnOnce(&mut Held) -> T) -> T {
        let (outcome, after) = {
            let mut grants = self.grants.lock().unwrap();
            let Some(before) = grants.remove(&id) else { return unknown };
            let mut after = before.clone();
            let outcome = change(&mut after);
            grants.extend(self.half(before, &after).map(|half| (id, half)));
            (outcome, after)
        };
        tokio::task::yield_now().await;
        self.grants.lock().unwrap().insert(id, after);
        outcome
    }

    fn half(&self, before: Held, after: &Held) -> Option<Held> {
        match self.flaw {
            F::WritesTokensLater => Some((after.0.clone(), before.1)),
            F::RevokesPiecemeal => {
                let mut half = after.clone();
                half.0.refresh = before.0.refresh;
                Some(half)
            }
            _ => None,
        }
    }

    /// First the grant, then its token.
    pub(super) async fn half_insertion(&self, id: GrantId, held: Held) -> Result<(), StoreError> {
        {
            let mut grants = self.grants.lock().unwrap();
            if grants.contains_key(&id) {
                return Err(StoreError::Conflict("grant"));
            }
            grants.insert(id, (held.0.clone(), Vec::new()));
        }
        tokio::task::yield_now().await;
        self.grants.lock().unwrap().insert(id, held);
        Ok(())
    }

    /// Takes a connection, where there is a shortage of them.
    pub(super) fn connect(&self) -> Result<(), StoreError> {
        let used = self.connections.fetch_add(1, Ordering::Relaxed);
        if self.has(F::KeepsConnectionsThatAreGivenUp) && used >= CONNECTIONS {
            return Err(StoreError::unavailable("no connection is free"));
        }
        Ok(())
    }

    /// Gives it back, unless the caller has gone meanwhile.
    pub(super) async fn disconnect(&self) {
        if self.has(F::KeepsConnectionsThatAreGivenUp) {
            tokio::task::yield_now().await;
        }
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
