//! What the rest of a file must not say where the profile is Matrix's ("OAuth 2.0 API"): the server would
//! not be one that its clients can use. Everything else may differ from the profile, and in development
//! nearly everything: clients that cannot use it are what one may want to see there.

use oauth_core::engine::{
    authorization::ResponseMode,
    policy::{Rotation, TokenFormat},
    revocation::RevocationMode,
};

use crate::config::{Config, report::Report};

/// The longest life of an access token that is "short-lived" ("Refresh token grant"), in seconds.
const SHORT: u64 = 3600;

/// Names each such key, unless something else is wrong with it.
pub(in crate::config) fn check(config: &Config, resources_are_written: bool, report: &Report) {
    // "servers MUST support" registration.
    if !config.registration.open && !report.blames("registration.open") {
        report.wrong("registration.open", "is off, and in Matrix every client registers itself: leave it out");
    }
    check_formats(config, resources_are_written, report);
    if !config.listen.development {
        check_clients_needs(config, report);
    }
}

fn check_clients_needs(config: &Config, report: &Report) {
    let (tokens, policy, asked) = (&config.tokens, &config.revocation.policy, &config.authorization);
    let wrong = [
        // "Refresh token grant": "MUST allow" to ask again when the response was lost.
        (
            "tokens.rotation",
            tokens.rotation == Rotation::Strict,
            "strict does not let a client ask again whose response was lost: leave it out",
        ),
        ("tokens.access_lifetime", tokens.access > SHORT, "is more than an hour, and access tokens are short-lived"),
        // "Authorization code grant": clients with https redirect URIs ask for it.
        (
            "authorization.response_modes",
            !asked.response_modes.contains(&ResponseMode::Fragment),
            "lacks fragment: leave it out, or put that in",
        ),
        // "Token revocation": clients sign out by nothing else, send a token and perhaps not even their name, and
        // both tokens of the session end. The mode sees to all of that.
        (
            "revocation.mode",
            policy.mode() != RevocationMode::Matrix,
            "asks clients who they are, and Matrix's sign out by a token alone: leave it out",
        ),
        ("revocation.access_tokens", !policy.access_tokens, "is off, and clients sign out by their access tokens"),
        ("revocation.advertise", !policy.advertise, "is off, and clients sign out at what is advertised"),
        // Matrix's clients know none of these, and are to get their tokens without ("Authorization code grant").
        ("par.required", asked.pushed.required, "cannot be: Matrix's clients push no requests"),
        ("jar.required", asked.request_objects.required, "cannot be: Matrix's clients sign no requests"),
        // "Using access tokens": as `Authorization: Bearer`.
        ("dpop.required", config.dpop.required, "cannot be: Matrix's clients send bearer tokens"),
    ];
    for (key, is_so, what) in wrong {
        if is_so && !report.blames(key) {
            report.wrong(key, what);
        }
    }
}

/// Who takes JWTs judges them by itself, and their first use is not seen here.
fn check_formats(config: &Config, resources_are_written: bool, report: &Report) {
    const WHAT: &str = "jwt needs another `tokens.rotation` than until_first_use, which is what Matrix has";
    if config.tokens.rotation != Rotation::UntilFirstUse {
        return;
    }
    let jwts = config.resources.iter().enumerate().filter(|(_, resource)| resource.format == TokenFormat::Jwt);
    for (at, _) in jwts {
        match resources_are_written {
            true => report.wrong(format_args!("resources[{at}].format"), WHAT),
            false => report.wrong("tokens.format", WHAT),
        }
    }
}
