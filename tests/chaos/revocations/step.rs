//! What may happen, drawn at random: numbers count from the newest.

use proptest::{collection::vec, prelude::*};

use super::{APIS, PARTIES};

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A new token; if `signs_in`, two under one grant.
    Issue {
        signs_in: bool,
    },
    /// Someone takes a token to an API.
    Use {
        api: usize,
        token: usize,
    },
    /// It is taken to all of them.
    UseAll {
        token: usize,
    },
    Revoke {
        node: usize,
        token: usize,
        whole: bool,
    },
    /// Everything that there is.
    RevokeAll {
        node: usize,
    },
    Wait {
        seconds: u64,
    },
    Deliver {
        party: usize,
        which: usize,
    },
    Repeat {
        party: usize,
        which: usize,
    },
    Lose {
        party: usize,
        which: usize,
    },
    DeliverAll {
        party: usize,
    },
    Cut {
        party: usize,
    },
    Mend {
        party: usize,
    },
    /// The store of a node fails, or works again.
    Store {
        node: usize,
        down: bool,
    },
    /// It does what it is told next, and says that it failed.
    LoseAnswer {
        node: usize,
        verb: usize,
    },
    /// Nobody can be asked, or fetched from.
    Upstream {
        down: bool,
    },
    /// Answers of introspection stay on their way, or arrive.
    Answers {
        flow: bool,
    },
    /// The process of an API is killed, and starts again.
    Restart {
        api: usize,
    },
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..60)
}

fn step() -> impl Strategy<Value = Step> {
    let (party, node, which) = (0..PARTIES, 0..2_usize, 0..4_usize);
    prop_oneof![
        3 => prop::bool::weighted(0.3).prop_map(|signs_in| Step::Issue { signs_in }),
        8 => (0..APIS, which.clone()).prop_map(|(api, token)| Step::Use { api, token }),
        6 => which.clone().prop_map(|token| Step::UseAll { token }),
        6 => (node.clone(), which.clone(), any::<bool>())
            .prop_map(|(node, token, whole)| Step::Revoke { node, token, whole }),
        1 => node.clone().prop_map(|node| Step::RevokeAll { node }),
        4 => (1..20_u64).prop_map(|seconds| Step::Wait { seconds }),
        3 => (party.clone(), which.clone()).prop_map(|(party, which)| Step::Deliver { party, which }),
        3 => (party.clone(), which.clone()).prop_map(|(party, which)| Step::Repeat { party, which }),
        2 => (party.clone(), which.clone()).prop_map(|(party, which)| Step::Lose { party, which }),
        3 => party.clone().prop_map(|party| Step::DeliverAll { party }),
        2 => party.clone().prop_map(|party| Step::Cut { party }),
        3 => party.prop_map(|party| Step::Mend { party }),
        1 => (node.clone(), prop::bool::weighted(0.4)).prop_map(|(node, down)| Step::Store { node, down }),
        1 => (node, 0..2_usize).prop_map(|(node, verb)| Step::LoseAnswer { node, verb }),
        1 => prop::bool::weighted(0.4).prop_map(|down| Step::Upstream { down }),
        2 => prop::bool::weighted(0.6).prop_map(|flow| Step::Answers { flow }),
        1 => (0..APIS).prop_map(|api| Step::Restart { api }),
    ]
}
