//! From a request to its answer, wherever its slot is led.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use redis::{Pipeline, RedisError, ServerErrorKind, Value, cmd};

use super::{
    connection::Node,
    error::{Cause, Failure},
    request::{Manner, Request},
    topology::Topology,
};

/// How many replicas must have what was written before a call returns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replicas {
    pub(super) count: u32,
    pub(super) timeout: Duration,
}

pub(super) struct Servers {
    pub(super) topology: Topology,
    pub(super) replicas: Replicas,
    /// The longest that a call may take, everything included.
    pub(super) patience: Duration,
    pub(super) closed: AtomicBool,
}

/// Enough for a slot that moves while we look: with the pauses in between,
/// some 4 seconds.
const ATTEMPTS: u32 = 64;

/// How many of them follow each other without a pause.
const AT_ONCE: u32 = 4;

/// How often a server that cannot be reached, or has lost a question that may
/// be asked again, is looked for elsewhere.
const DETOURS: u32 = 1;

impl Servers {
    /// Asks, and asks again where it is certain that nothing was done.
    pub(super) async fn call(&self, request: &Request) -> Result<Value, Failure> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Failure::Closed);
        }
        let outcome = tokio::time::timeout(self.patience, self.attempts(request)).await;
        outcome.unwrap_or_else(|_| {
            self.topology.doubt();
            Err(Failure::Lost(Cause::new("the call took too long")))
        })
    }

    async fn attempts(&self, request: &Request) -> Result<Value, Failure> {
        let (mut manner, mut elsewhere, mut detours) = (Manner::default(), None, 0);
        for attempt in 1..ATTEMPTS {
            let node = match elsewhere.take() {
                Some(node) => node,
                None => self.topology.leader(request.slot).await?,
            };
            let failure = match self.send(&node, request, manner).await {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            manner.asking = false;
            if attempt > AT_ONCE {
                pause(attempt - AT_ONCE).await;
            }
            if failure.is_of_another_server() {
                self.topology.doubt();
            }
            match (failure.server_error(), &failure) {
                (Some(ServerErrorKind::NoScript), _) if !manner.whole_script => manner.whole_script = true,
                (Some(ServerErrorKind::Moved), Failure::Refused(error)) => elsewhere = self.redirect(error, &node),
                (Some(ServerErrorKind::Ask), Failure::Refused(error)) => {
                    manner.asking = true;
                    elsewhere = self.redirect(error, &node);
                }
                // Some keys of the slot are here, some there, for a moment.
                (Some(ServerErrorKind::TryAgain), _) => pause(attempt).await,
                (Some(ServerErrorKind::ReadOnly), _) if detours < DETOURS => {
                    detours += 1;
                    node.forget().await;
                }
                (None, Failure::Unreachable(_)) if detours < DETOURS => detours += 1,
                (None, Failure::Lost(_)) if detours < DETOURS && !request.changes() => detours += 1,
                _ => return Err(failure),
            }
        }
        Err(Failure::Unreachable(Cause::new("the slot moves on and on")))
    }

    fn redirect(&self, error: &RedisError, by: &Node) -> Option<Arc<Node>> {
        self.topology.named(error.redirect_node()?.0, by)
    }

    /// Sends it to `node`. Where replicas must have it, `WAIT` follows on the
    /// same connection: it waits for what that connection has written, and
    /// inside a script it could not wait at all.
    async fn send(&self, node: &Node, request: &Request, manner: Manner) -> Result<Value, Failure> {
        let mut pipeline = Pipeline::new();
        let place = request.put(&mut pipeline, manner);
        let waits = self.replicas.count > 0 && request.changes();
        if waits {
            let mut wait = cmd("WAIT");
            let timeout = u64::try_from(self.replicas.timeout.as_millis()).unwrap_or(u64::MAX).max(1);
            wait.arg(self.replicas.count).arg(timeout);
            pipeline.add_command(wait);
        }
        let answers = node.send(&pipeline, place + 1 + usize::from(waits)).await?;
        let mut answers = answers.into_iter().skip(place);
        let answer = answers.next().unwrap_or_default().extract_error().map_err(Failure::of)?;
        if waits {
            match answers.next().unwrap_or_default().extract_error().map_err(Failure::of)? {
                Value::Int(found) if found >= i64::from(self.replicas.count) => {}
                Value::Int(found) => return Err(Failure::Replicas { wanted: self.replicas.count, found }),
                _ => return Err(Failure::Replicas { wanted: self.replicas.count, found: 0 }),
            }
        }
        Ok(answer)
    }
}

async fn pause(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(1 << attempt.min(6))).await;
}
