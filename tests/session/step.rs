//! What may happen, drawn at random: small numbers that mean something once it is known what there is.

use proptest::{collection::vec, prelude::*, sample::select};

use super::{AGENT, GATEWAY, RADIO, TV};
use super::{
    call::{Call, Presented, Wish, is_public, needs_proof},
    model::{Access, CLIENTS, Model},
};
use crate::support::{APP, AUDITOR, Caller, RESOURCE_SERVER, WEB};

#[derive(Clone, Debug)]
pub(super) enum Step {
    Do(Act, When),
    Seconds(u64),
    /// Until something ends, or to the second before.
    Until {
        which: usize,
        early: bool,
    },
}

/// Whether something else happens at the same moment. Then the first goes on for so many steps, then the other, and so
/// on.
#[derive(Clone, Debug)]
pub(super) enum When {
    Alone,
    /// The very same.
    Twice(Vec<usize>),
    /// What follows.
    WithTheNext(Vec<usize>),
}

/// Each number counts from the newest.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Approve {
        client: Caller,
        home: Option<u8>,
        tied: bool,
    },
    Redeem {
        code: usize,
        by: By,
        presented: Presented,
        key: With,
    },
    Refresh {
        token: usize,
        by: By,
        scope: Wish,
        key: With,
    },
    RevokeRefresh {
        token: usize,
        by: By,
    },
    RevokeAccess {
        token: usize,
        by: By,
    },
    IntrospectAccess {
        token: usize,
        by: Caller,
    },
    IntrospectRefresh {
        token: usize,
        by: Caller,
    },
    Own {
        by: Caller,
        scope: Wish,
        key: Option<u8>,
    },
    Exchange {
        token: usize,
        by: Option<Caller>,
        scope: Wish,
        key: With,
    },
    RevokeExchanged {
        by: By,
    },
    Assert {
        again: bool,
        seconds: u64,
    },
    Bring {
        assertion: usize,
        by: Option<Caller>,
        scope: Wish,
        key: Option<u8>,
    },
    Begin {
        by: Caller,
    },
    Decide {
        device: usize,
        yes: bool,
    },
    Poll {
        device: usize,
        by: By,
        key: Option<u8>,
    },
    Use {
        token: usize,
    },
    End {
        grant: usize,
    },
    /// A token of one kind where another is asked for.
    Mistake {
        token: usize,
        at: usize,
    },
    Sweep,
}

/// Who presents a token.
#[derive(Clone, Copy, Debug)]
pub(super) enum By {
    Owner,
    Other(Caller),
}

/// With which key.
#[derive(Clone, Copy, Debug)]
pub(super) enum With {
    /// The one it should be.
    Right,
    This(Option<u8>),
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..30)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        16 => (act(), when()).prop_map(|(act, when)| Step::Do(act, when)),
        2 => (1..25u64).prop_map(Step::Seconds),
        4 => (few(), any::<bool>()).prop_map(|(which, early)| Step::Until { which, early }),
    ]
}

fn when() -> impl Strategy<Value = When> {
    let turns = || vec(0..7usize, 0..4);
    prop_oneof![
        8 => Just(When::Alone),
        1 => turns().prop_map(When::Twice),
        2 => turns().prop_map(When::WithTheNext),
    ]
}

/// The newest first of all.
fn few() -> impl Strategy<Value = usize> {
    prop_oneof![4 => Just(0), 4 => Just(1), 3 => 2..5usize]
}

fn act() -> impl Strategy<Value = Act> {
    let by = || prop_oneof![8 => Just(By::Owner), 1 => select(CLIENTS.to_vec()).prop_map(By::Other)];
    let some_key = || select(vec![None, Some(0), Some(1)]);
    let key = || prop_oneof![6 => Just(With::Right), 1 => some_key().prop_map(With::This)];
    let presented = || {
        let wrong = select(vec![Presented::WrongVerifier, Presented::NoVerifier, Presented::WrongUri]);
        prop_oneof![8 => Just(Presented::Rightly), 1 => wrong]
    };
    let wish = || select(vec![Wish::Unsaid, Wish::Unsaid, Wish::Read, Wish::ReadWrite, Wish::Beyond]);
    let caller = || select(vec![AUDITOR, RESOURCE_SERVER, WEB, APP, GATEWAY, AGENT]);
    let rarely = |callers: Vec<Caller>| prop_oneof![8 => Just(None), 1 => select(callers).prop_map(Some)];
    let device_by = prop_oneof![8 => Just(By::Owner), 1 => select(vec![TV, RADIO, APP]).prop_map(By::Other)];
    let revoker = prop_oneof![4 => Just(By::Owner), 1 => select(vec![GATEWAY, WEB, APP]).prop_map(By::Other)];
    let own = select(vec![Wish::Unsaid, Wish::Read, Wish::ReadWrite]);
    prop_oneof![
        4 => (select(CLIENTS.to_vec()), some_key(), any::<bool>())
            .prop_map(|(client, home, tied)| Act::Approve { client, home, tied }),
        5 => (few(), by(), presented(), key())
            .prop_map(|(code, by, presented, key)| Act::Redeem { code, by, presented, key }),
        10 => (few(), by(), wish(), key())
            .prop_map(|(token, by, scope, key)| Act::Refresh { token, by, scope, key }),
        2 => (few(), by()).prop_map(|(token, by)| Act::RevokeRefresh { token, by }),
        2 => (few(), by()).prop_map(|(token, by)| Act::RevokeAccess { token, by }),
        2 => (few(), caller()).prop_map(|(token, by)| Act::IntrospectAccess { token, by }),
        2 => (few(), caller()).prop_map(|(token, by)| Act::IntrospectRefresh { token, by }),
        1 => (select(vec![WEB, APP]), own, some_key()).prop_map(|(by, scope, key)| Act::Own { by, scope, key }),
        3 => (few(), rarely(vec![WEB, APP]), wish(), key())
            .prop_map(|(token, by, scope, key)| Act::Exchange { token, by, scope, key }),
        1 => revoker.prop_map(|by| Act::RevokeExchanged { by }),
        1 => (any::<bool>(), 1..90u64).prop_map(|(again, seconds)| Act::Assert { again, seconds }),
        2 => (few(), rarely(vec![WEB, GATEWAY]), wish(), some_key())
            .prop_map(|(assertion, by, scope, key)| Act::Bring { assertion, by, scope, key }),
        1 => select(vec![TV, RADIO]).prop_map(|by| Act::Begin { by }),
        2 => (few(), prop_oneof![3 => Just(true), 1 => Just(false)])
            .prop_map(|(device, yes)| Act::Decide { device, yes }),
        3 => (few(), device_by, some_key()).prop_map(|(device, by, key)| Act::Poll { device, by, key }),
        2 => few().prop_map(|token| Act::Use { token }),
        1 => (0..3usize).prop_map(|grant| Act::End { grant }),
        1 => (0..9usize, 0..4usize).prop_map(|(token, at)| Act::Mistake { token, at }),
        1 => Just(Act::Sweep),
    ]
}

impl Act {
    /// What it comes to, where `model` is what there is; `None` where there is nothing of that kind.
    pub(super) fn call(&self, model: &Model) -> Option<Call> {
        Some(match *self {
            Self::Approve { client, home, tied } => {
                let home = if needs_proof(client) { home.or(Some(0)) } else { home };
                Call::Approve { by: client, home, tied }
            }
            Self::Redeem { code, by, presented, key } => {
                let grants: Vec<_> = model.grants.iter().filter(|grant| !grant.code.is_empty()).collect();
                let grant = newest(&grants, code)?;
                let key = match key {
                    With::Right => grant.home,
                    With::This(key) => key,
                };
                Call::Redeem { code: grant.code.clone(), by: by.of(grant.owner), presented, key }
            }
            Self::Refresh { token, by, scope, key } => {
                let token = newest(&model.refresh, token)?;
                let grant = &model.grants[token.grant];
                let key = match key {
                    With::Right if is_public(grant.owner) => token.bound,
                    With::Right => grant.home,
                    With::This(key) => key,
                };
                Call::Refresh { token: token.text.clone(), by: by.of(grant.owner), scope, key }
            }
            Self::RevokeRefresh { token, by } => {
                let token = newest(&model.refresh, token)?;
                Call::Revoke { token: token.text.clone(), by: by.of(model.grants[token.grant].owner) }
            }
            Self::RevokeAccess { token, by } => {
                let token = newest(&model.access, token)?;
                model.revocation(token, by)?
            }
            Self::IntrospectAccess { token, by } => {
                Call::Introspect { token: newest(&model.access, token)?.text.clone(), by }
            }
            Self::IntrospectRefresh { token, by } => {
                Call::Introspect { token: newest(&model.refresh, token)?.text.clone(), by }
            }
            Self::Own { by, scope, key } => Call::Own { by, scope, key },
            Self::Exchange { token, by, scope, key } => {
                let token = newest(&model.access, token)?;
                let key = match key {
                    With::Right => token.key,
                    With::This(key) => key,
                };
                Call::Exchange { token: token.text.clone(), by: by.unwrap_or(GATEWAY), scope, key }
            }
            Self::RevokeExchanged { by } => {
                let token = model.access.iter().rev().find(|access| model.is_exchanged(access))?;
                model.revocation(token, by)?
            }
            Self::Assert { again, seconds } => {
                let last = model.assertions.last().filter(|_| again);
                Call::Assert { jti: last.map(|last| last.jti.clone()), seconds }
            }
            Self::Bring { assertion, by, scope, key } => {
                let assertion = newest(&model.assertions, assertion)?.text.clone();
                Call::Bring { assertion, by: by.unwrap_or(AGENT), scope, key }
            }
            Self::Begin { by } => Call::Begin { by },
            Self::Decide { device, yes } => {
                Call::Decide { user_code: newest(&model.devices, device)?.user_code.clone(), yes }
            }
            Self::Poll { device, by, key } => {
                let device = newest(&model.devices, device)?;
                Call::Poll { code: device.code.clone(), by: by.of(device.owner), key }
            }
            Self::Use { token } => Call::Use { token: newest(&model.access, token)?.text.clone() },
            Self::End { grant } => Call::End { token: newest(&model.codes(), grant)?.clone() },
            Self::Mistake { token, at } => model.mistake(token, at)?,
            Self::Sweep => Call::Sweep,
        })
    }
}

impl By {
    fn of(self, owner: Caller) -> Caller {
        match self {
            Self::Owner => owner,
            Self::Other(other) => other,
        }
    }
}

impl Model {
    fn revocation(&self, access: &Access, by: By) -> Option<Call> {
        let by = by.of(access.client);
        (!self.may_have_gone(access, by)).then(|| Call::Revoke { token: access.text.clone(), by })
    }

    fn codes(&self) -> Vec<String> {
        self.grants.iter().map(|grant| grant.code.clone()).filter(|code| !code.is_empty()).collect()
    }

    fn mistake(&self, token: usize, at: usize) -> Option<Call> {
        let codes = self.codes();
        let access: Vec<_> = self.access.iter().map(|access| access.text.clone()).collect();
        let refresh = self.refresh.iter().map(|refresh| refresh.text.clone());
        let (scope, key, presented) = (Wish::Unsaid, Some(0), Presented::Rightly);
        let wrong = |good: &[String], more| newest(&[good, more].concat(), token).cloned();
        let by = |token: &str| self.grants[self.grant_of(token).unwrap()].owner;
        match at {
            0 => wrong(&codes, &access).map(|token| Call::Refresh { by: by(&token), token, scope, key }),
            1 => {
                let refresh: Vec<_> = refresh.collect();
                wrong(&access, &refresh).map(|code| Call::Redeem { by: by(&code), code, presented, key })
            }
            2 => wrong(&codes, &[]).map(|token| Call::Revoke { by: by(&token), token }),
            _ => wrong(&codes, &[]).map(|token| Call::Introspect { token, by: AUDITOR }),
        }
    }
}

/// The one that is so many before the last, where there is any.
fn newest<T>(all: &[T], back: usize) -> Option<&T> {
    all.iter().rev().nth(back % all.len().max(1))
}
