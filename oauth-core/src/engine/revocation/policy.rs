//! What an operator decides of revocation.

use super::mode::RevocationMode;

/// What revocation covers, and by whose rules.
///
/// ```
/// use oauth_core::{engine::revocation::{RevocationMode, RevocationPolicy}, server::AuthorizationServer};
/// let builder = AuthorizationServer::builder("https://auth.example").revocation(|policy| {
///     *policy = RevocationPolicy::new(RevocationMode::Draft2011);
///     policy.jsonp = true;
/// });
/// # drop(builder);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationPolicy {
    /// Set by [`RevocationPolicy::new`] alone, so that its defaults come with it.
    mode: RevocationMode,
    /// Whether access tokens can be revoked; refresh tokens always can.
    pub access_tokens: bool,
    /// Whether revoking an access token ends the whole grant: only in the mode of
    /// Matrix, by default, where it must.
    pub access_revokes_grant: bool,
    /// Whether the metadata name the endpoint: not, by default, in the mode of the
    /// draft.
    pub advertise: bool,
    /// Whether scripts of other origins may call with GET and a `callback` (RFC 7009
    /// section 2.3). The token is in the URL then, which is what logs and histories
    /// keep: CORS is better.
    pub jsonp: bool,
    /// How many requests a client at one address may send in a minute that revoke
    /// nothing, at each node: 300; 0 for no limit. What does revoke something is
    /// never counted (RFC 7009 section 5).
    pub misses_per_minute: u32,
}

impl RevocationPolicy {
    /// The defaults of a mode.
    #[must_use]
    pub fn new(mode: RevocationMode) -> Self {
        Self {
            mode,
            access_tokens: true,
            access_revokes_grant: mode.rules().access_revokes_grant.unwrap_or(false),
            advertise: mode.rules().advertised,
            jsonp: false,
            misses_per_minute: 300,
        }
    }

    /// By whose rules.
    #[must_use]
    pub const fn mode(&self) -> RevocationMode {
        self.mode
    }

    /// The settings that contradict the mode or each other, and why. A server with
    /// one of them is not built.
    #[must_use]
    pub fn contradictions(&self) -> Vec<(&'static str, &'static str)> {
        let rules = self.mode.rules();
        let (ends_grant, settled) = (self.access_revokes_grant, rules.access_revokes_grant);
        let all = [
            ("access_tokens", !self.access_tokens && !rules.access_tokens_may_be_left, "must be true in this mode"),
            (
                "access_revokes_grant",
                ends_grant && !self.access_tokens && settled != Some(true),
                "contradicts `access_tokens = false`",
            ),
            ("access_revokes_grant", ends_grant && settled == Some(false), "contradicts the mode"),
            ("access_revokes_grant", !ends_grant && settled == Some(true), "must be true in this mode"),
            ("advertise", !self.advertise && !rules.may_be_silent, "must be true in this mode"),
            ("jsonp", self.jsonp && !rules.jsonp, "contradicts the mode"),
        ];
        all.into_iter().filter(|(_, wrong, _)| *wrong).map(|(setting, _, why)| (setting, why)).collect()
    }

    pub(super) fn access_ends_grant(&self) -> bool {
        self.mode.rules().access_revokes_grant.unwrap_or(self.access_revokes_grant)
    }
}

/// By RFC 7009.
impl Default for RevocationPolicy {
    fn default() -> Self {
        Self::new(RevocationMode::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with the default of `mode` once it is changed.
    fn wrong(mode: RevocationMode, change: impl Fn(&mut RevocationPolicy)) -> Vec<&'static str> {
        let mut policy = RevocationPolicy::new(mode);
        change(&mut policy);
        policy.contradictions().into_iter().map(|(setting, _)| setting).collect()
    }

    #[test]
    fn the_defaults_of_a_mode_contradict_nothing_and_what_a_mode_cannot_have_is_named() {
        use RevocationMode::{Draft2011, Matrix, Rfc7009};
        for mode in RevocationMode::ALL {
            assert!(wrong(mode, |_| {}).is_empty(), "{mode:?}");
        }
        for (mode, expected) in [(Rfc7009, &[][..]), (Draft2011, &[]), (Matrix, &["access_tokens"])] {
            assert_eq!(wrong(mode, |policy| policy.access_tokens = false), expected, "{mode:?}");
        }
        for (mode, expected) in [(Rfc7009, &[][..]), (Draft2011, &["access_revokes_grant"]), (Matrix, &[])] {
            assert_eq!(wrong(mode, |policy| policy.access_revokes_grant = true), expected, "{mode:?}");
        }
        for (mode, expected) in [(Rfc7009, &[][..]), (Draft2011, &[]), (Matrix, &["access_revokes_grant"])] {
            assert_eq!(wrong(mode, |policy| policy.access_revokes_grant = false), expected, "{mode:?}");
        }
        for (mode, expected) in [(Rfc7009, &[][..]), (Draft2011, &[]), (Matrix, &["advertise"])] {
            assert_eq!(wrong(mode, |policy| policy.advertise = false), expected, "{mode:?}");
        }
        for (mode, expected) in [(Rfc7009, &[][..]), (Draft2011, &[]), (Matrix, &["jsonp"])] {
            assert_eq!(wrong(mode, |policy| policy.jsonp = true), expected, "{mode:?}");
        }
        let both = wrong(Rfc7009, |policy| (policy.access_tokens, policy.access_revokes_grant) = (false, true));
        assert_eq!(both, ["access_revokes_grant"]);
    }
}
