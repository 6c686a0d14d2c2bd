//! `[revocation]`.

use std::net::SocketAddr;

use oauth_core::{
    client::ClientId,
    engine::revocation::{RevocationMode, RevocationPolicy},
};

use super::{clients::Clients, limits::Limits, matrix::Profile, reader::Reader, value::Parsed};

/// `[revocation]`.
#[derive(Debug)]
pub struct Revocation {
    /// What it covers, and by whose rules.
    pub policy: RevocationPolicy,
    /// `privileged`: clients that may revoke any token.
    pub privileged: Vec<ClientId>,
    /// `http_listen`.
    pub http_listen: Option<SocketAddr>,
    /// Whether the `bus` is that of the store, if it has one.
    pub bus: bool,
}

impl Revocation {
    pub(super) fn read(top: &mut Reader<'_>, limits: &Limits, clients: &Clients, profile: Profile) -> Self {
        let mut revocation = top.section("revocation");
        let modes = RevocationMode::ALL.map(|mode| (mode.as_str(), Some(mode)));
        let mode = revocation.choice("mode", &modes).unwrap_or(match profile {
            Profile::Oauth21 => RevocationMode::Rfc7009,
            Profile::Matrix => RevocationMode::Matrix,
        });
        let bus = revocation.choice("bus", &[("auto", Some(true)), ("off", Some(false))]).unwrap_or(true);
        let policy = read_policy(&mut revocation, RevocationPolicy::new(mode), limits);
        let http_listen = revocation.address("http_listen");
        if http_listen.is_some() && !mode.rules().cleartext_twin {
            revocation.wrong("http_listen", "contradicts the mode, which asks for TLS");
        }
        let privileged: Vec<(String, Parsed<ClientId>)> = revocation.list("privileged");
        for (key, Parsed(client)) in &privileged {
            clients.check_caller(&revocation, key, client);
        }
        Self {
            policy,
            privileged: privileged.into_iter().map(|(_, Parsed(client))| client).collect(),
            http_listen,
            bus,
        }
    }
}

fn read_policy(revocation: &mut Reader<'_>, mut policy: RevocationPolicy, limits: &Limits) -> RevocationPolicy {
    policy.jsonp = revocation.or("jsonp", policy.jsonp);
    policy.advertise = revocation.or("advertise", policy.advertise);
    policy.access_tokens = revocation.or("access_tokens", policy.access_tokens);
    policy.access_revokes_grant = revocation.or("access_revokes_grant", policy.access_revokes_grant);
    policy.misses_per_minute = limits.revocation_misses_per_minute;
    for (setting, why) in policy.contradictions() {
        revocation.wrong(setting, why);
    }
    policy
}
