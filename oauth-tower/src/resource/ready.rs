//! Readiness, passed on (see `tower::Service`, "Be careful when cloning inner
//! services").

use std::mem;

/// The service that was polled ready; a fresh one takes its place, since the
/// clone may not be ready. Dropped uncalled, it gives back what it holds for the
/// call: a place under a limit, perhaps.
pub(super) fn take<S: Clone>(service: &mut S) -> S {
    let clone = service.clone();
    mem::replace(service, clone)
}
