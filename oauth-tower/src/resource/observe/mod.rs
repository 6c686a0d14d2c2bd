//! What whoever runs the program can see of the resource server: counters of
//! the `metrics` facade, spans and events of `tracing`. Without these features
//! nothing of it is there.
//!
//! No token, claim, proof, nonce or secret comes in here: labels and fields are
//! words of the program's and names of its configuration.

mod bus;
#[cfg(feature = "metrics")]
mod gauges;
mod refusals;
mod requests;
#[cfg(feature = "metrics")]
mod times;
mod upstream;

pub(super) use self::{
    bus::{BusEvent, Buses},
    refusals::Refusals,
    requests::{Requests, Source},
    upstream::{Outcome, Upstream, Watch, What},
};
