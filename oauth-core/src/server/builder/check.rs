//! What can be wrong with a server.

use url::{Host, Url};

use super::AuthorizationServerBuilder;
use crate::{
    engine::{
        authorization::PushedRequests,
        client_documents::can_fetch,
        device::DeviceSettings,
        policy::{Resource, Rotation, TokenFormat},
        reciprocal::ReciprocalSettings,
        registration::RegistrationSettings,
        status_list::LONGEST,
    },
    server::BuildError,
};

impl AuthorizationServerBuilder {
    /// RFC 8414 section 2. Returns the issuer's path.
    pub(super) fn check_issuer(&self) -> Result<String, BuildError> {
        let url = Url::parse(&self.issuer).map_err(|_| BuildError::Issuer)?;
        let plain = self.issuer.bytes().all(|b| b.is_ascii_graphic()) && !self.issuer.contains(['?', '#', '@', '\\']);
        let host = url.host().ok_or(BuildError::Issuer)?;
        // A spelling that parsing would change could not be compared byte for
        // byte with what clients make of it.
        let path = url.path().trim_end_matches('/');
        let as_written = url.as_str().strip_suffix('/').unwrap_or(url.as_str()) == self.issuer;
        if !plain || !as_written {
            return Err(BuildError::Issuer);
        }
        match url.scheme() {
            "https" => Ok(path.to_owned()),
            "http" if self.development && is_loopback(&host) => Ok(path.to_owned()),
            "http" => Err(BuildError::Cleartext),
            _ => Err(BuildError::Issuer),
        }
    }

    pub(super) fn check_settings(&mut self) -> Result<(), BuildError> {
        if self.resources.is_empty() {
            self.resources.push(Resource::new(self.issuer.clone()));
        }
        for (at, resource) in self.resources.iter().enumerate() {
            let twice = self.resources.iter().skip(at + 1).any(|other| other.identifier == resource.identifier);
            if twice || !Resource::is_legal(&resource.identifier) {
                return Err(BuildError::Resource(resource.identifier.clone()));
            }
        }
        let (lifetimes, devices) = (self.lifetimes, self.devices.as_ref());
        let (reciprocal, code) = (self.reciprocal.as_ref(), ReciprocalSettings::CODE_LIFETIMES);
        let (retries, pauses) = (ReciprocalSettings::RETRIES, ReciprocalSettings::RETRY_SECONDS);
        let out_of_bounds = [
            ("access_lifetime", lifetimes.access == 0),
            // A list is kept no longer than that when it is moved.
            ("access_lifetime", self.status_lists.is_some() && lifetimes.access > LONGEST),
            ("refresh_lifetime", lifetimes.refresh == 0),
            ("refresh_idle_lifetime", lifetimes.refresh_idle == 0),
            // OAuth 2.1 section 4.1.2: at most ten minutes.
            ("code_lifetime", !(1..=600).contains(&lifetimes.code)),
            ("interaction_lifetime", lifetimes.interaction == 0),
            ("par.lifetime", !PushedRequests::LIFETIMES.contains(&self.authorization.pushed.lifetime)),
            ("device.lifetime", devices.is_some_and(|one| !DeviceSettings::LIFETIMES.contains(&one.lifetime))),
            ("device.interval", devices.is_some_and(|one| !DeviceSettings::INTERVALS.contains(&one.interval))),
            ("reciprocal.code_lifetime", reciprocal.is_some_and(|one| !code.contains(&one.code_lifetime))),
            ("reciprocal.retries", reciprocal.is_some_and(|one| !retries.contains(&one.retries))),
            ("reciprocal.retry_seconds", reciprocal.is_some_and(|one| !pauses.contains(&one.retry_seconds))),
            ("reciprocal.tokens_kept", reciprocal.is_some_and(|one| one.tokens_kept == 0)),
            ("grace_seconds", matches!(self.rotation, Rotation::Grace { seconds } if seconds == 0 || seconds > 3600)),
        ];
        if let Some((name, _)) = out_of_bounds.into_iter().find(|(_, bad)| *bad) {
            return Err(BuildError::Lifetime(name));
        }
        if let Some(twice) = reciprocal.and_then(ReciprocalSettings::named_twice) {
            return Err(BuildError::ReciprocalPeer(twice.clone()));
        }
        let documents = self.registration.as_ref().is_some_and(RegistrationSettings::takes_documents);
        if documents && !can_fetch(&*self.fetch) {
            return Err(BuildError::NothingFetched);
        }
        if let Some((setting, why)) = self.revocation.contradictions().first() {
            return Err(BuildError::Revocation { setting, why });
        }
        let jwt = self.resources.iter().find(|resource| resource.format == TokenFormat::Jwt);
        if let Some(jwt) = jwt.filter(|_| self.rotation == Rotation::UntilFirstUse) {
            return Err(BuildError::Rotation(jwt.identifier.clone()));
        }
        if let Some((setting, why)) = self.against_matrix() {
            return Err(BuildError::Profile { setting, why });
        }
        if self.dpop.required && !self.dpop.is_on() {
            return Err(BuildError::NoProofs);
        }
        if !is_path(&self.interaction_path) {
            return Err(BuildError::InteractionPath);
        }
        if devices.is_some_and(|one| !is_path(&one.verification_path)) {
            return Err(BuildError::VerificationPath);
        }
        Ok(())
    }
}

fn is_path(path: &str) -> bool {
    path.starts_with('/') && !path.contains(['?', '#'])
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}
