//! The device grant, RFC 8628.

use super::{ACCESS, Caller, DEVICE, Expected, FULL, INTERVAL, INVALID_GRANT, Live, Model, RADIO, REFRESH, TV};

#[derive(Clone, Debug, PartialEq)]
pub(in crate::session) struct Device {
    pub(in crate::session) owner: Caller,
    pub(in crate::session) code: String,
    pub(in crate::session) user_code: String,
    pub(super) ends: u64,
    decision: Decision,
    /// How often it asked too soon; when it may ask next, for each number of times.
    faults: usize,
    pub(super) next: Vec<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Decision {
    Waits,
    No,
    /// It has led to this grant.
    Yes(usize),
}

impl Model {
    pub(super) fn begin(&mut self, owner: Caller) -> Expected {
        let (code, user_code, ends) = (String::new(), String::new(), self.now + DEVICE);
        self.devices.push(Device {
            owner,
            code,
            user_code,
            ends,
            decision: Decision::Waits,
            faults: 0,
            next: Vec::new(),
        });
        Expected::Begun(self.devices.len() - 1)
    }

    pub(super) fn decide(&mut self, user_code: &str, yes: bool) -> Expected {
        let now = self.now;
        let waits = |one: &Device| one.user_code == user_code && one.decision == Decision::Waits && now < one.ends;
        let Some(at) = self.devices.iter().position(waits) else { return Expected::Decided(false) };
        if !yes {
            self.devices[at].decision = Decision::No;
            self.told.push("denied");
            return Expected::Decided(true);
        }
        let (owner, ends) = (self.devices[at].owner, self.devices[at].ends);
        self.approve(owner, None, None);
        let id = self.grants.len() - 1;
        let lasts = if owner == RADIO { self.now } else { self.now + REFRESH };
        (self.grants[id].code_ends, self.grants[id].ends) = (ends, lasts.max(ends + ACCESS));
        self.devices[at].decision = Decision::Yes(id);
        Expected::Decided(true)
    }

    /// Whether it would now get tokens, or a no, and not be told to wait.
    pub(in crate::session) fn has_decided(&self, device: &Device) -> bool {
        match device.decision {
            Decision::Waits => false,
            Decision::No => true,
            Decision::Yes(id) => !self.grants[id].redeemed,
        }
    }

    /// RFC 8628 section 3.5.
    pub(super) fn poll(&mut self, code: &str, by: Caller, key: Option<u8>) -> Expected {
        if by != TV && by != RADIO {
            return Expected::Refused(400, "unauthorized_client");
        }
        let Some(at) = self.devices.iter().position(|one| one.code == code && one.owner == by) else {
            return INVALID_GRANT;
        };
        let device = &self.devices[at];
        let expired = self.now >= device.ends;
        match device.decision {
            Decision::Waits if expired => Expected::Refused(400, "expired_token"),
            Decision::Waits => self.waits(at),
            Decision::No => Expected::Refused(400, if expired { "expired_token" } else { "access_denied" }),
            Decision::Yes(id) => self.connect(id, by, key),
        }
    }

    /// Each question that comes too soon makes the wait five seconds longer.
    fn waits(&mut self, at: usize) -> Expected {
        let (now, device) = (self.now, &mut self.devices[at]);
        let pause = |faults: usize| now + INTERVAL + 5 * u64::try_from(faults).unwrap();
        let error = match device.next.get(device.faults).copied() {
            Some(next) if now < next => {
                device.faults += 1;
                "slow_down"
            }
            _ => "authorization_pending",
        };
        device.next.resize(device.faults + 1, 0);
        device.next[device.faults] = pause(device.faults);
        Expected::Refused(400, error)
    }

    fn connect(&mut self, id: usize, by: Caller, key: Option<u8>) -> Expected {
        let (now, grant) = (self.now, &mut self.grants[id]);
        let expired = now >= grant.code_ends;
        let refused = Expected::Refused(400, if expired { "expired_token" } else { "invalid_grant" });
        if grant.swept {
            return refused;
        }
        if grant.redeemed {
            grant.revoked = true;
            self.told.push("code_replayed");
            return INVALID_GRANT;
        }
        if expired || grant.revoked {
            return refused;
        }
        (grant.redeemed, grant.home) = (true, key);
        let access = self.issue(id, FULL, key);
        let refresh = (by == TV).then(|| self.mint(id, by, key));
        self.grants[id].live = refresh.map(|token| Live { token, used_at: now, back: None });
        Expected::Tokens { access, refresh }
    }
}

impl Device {
    pub(super) fn grant(&self) -> Option<usize> {
        match self.decision {
            Decision::Yes(grant) => Some(grant),
            _ => None,
        }
    }
}
