//! `[tokens]` and `[revocation]`.

use std::net::SocketAddr;

use oauth_core::{
    engine::policy::{RevocationPolicy, Rotation, TokenFormat},
    jwt::Algorithm,
    token::Prefixes,
};

use super::reader::Reader;

/// Ten years, in seconds: longer is a mistake in the unit.
const LONGEST: u64 = 315_360_000;

/// `[tokens]`.
#[derive(Debug)]
pub struct Tokens {
    /// `format`, for resources that do not say.
    pub format: TokenFormat,
    /// `signing_algorithm`.
    pub algorithm: Algorithm,
    /// `access_lifetime`.
    pub access: u64,
    /// `refresh_lifetime`.
    pub refresh: u64,
    /// `refresh_idle_lifetime`.
    pub refresh_idle: u64,
    /// `code_lifetime`.
    pub code: u64,
    /// `rotation` and `grace_seconds`.
    pub rotation: Rotation,
    /// `prefixes`.
    pub prefixes: Prefixes,
}

/// `[revocation]`.
#[derive(Debug)]
pub struct Revocation {
    /// What it covers.
    pub policy: RevocationPolicy,
    /// `http_listen`.
    pub http_listen: Option<SocketAddr>,
    /// Whether the `bus` is that of the store, if it has one.
    pub bus: bool,
}

/// The value names of a token format.
pub(super) const FORMATS: [(&str, Option<TokenFormat>); 2] =
    [("opaque", Some(TokenFormat::Opaque)), ("jwt", Some(TokenFormat::Jwt))];

const ALGORITHMS: [(&str, Option<Algorithm>); 5] = [
    ("ES256", Some(Algorithm::ES256)),
    ("ES384", Some(Algorithm::ES384)),
    ("EdDSA", Some(Algorithm::EdDSA)),
    ("RS256", Some(Algorithm::RS256)),
    ("PS256", Some(Algorithm::PS256)),
];

impl Tokens {
    pub(super) fn read(top: &mut Reader<'_>) -> Self {
        let mut tokens = top.section("tokens");
        let refresh = tokens.number("refresh_lifetime", 2_592_000, 1..=LONGEST);
        let refresh_idle = tokens.number("refresh_idle_lifetime", refresh.min(604_800), 1..=LONGEST);
        if refresh_idle > refresh && !tokens.blames("refresh_lifetime") {
            tokens.wrong("refresh_idle_lifetime", format_args!("is longer than `refresh_lifetime`, {refresh}"));
        }
        Self {
            format: tokens.choice("format", &FORMATS).unwrap_or_default(),
            algorithm: tokens.choice("signing_algorithm", &ALGORITHMS).unwrap_or(Algorithm::ES256),
            access: tokens.number("access_lifetime", 300, 1..=LONGEST),
            refresh,
            refresh_idle,
            // OAuth 2.1 section 4.1.2: at most ten minutes.
            code: tokens.number("code_lifetime", 60, 1..=600),
            rotation: rotation(&mut tokens),
            prefixes: prefixes(&mut tokens),
        }
    }
}

fn rotation(tokens: &mut Reader<'_>) -> Rotation {
    let seconds = tokens.number("grace_seconds", Rotation::DEFAULT_GRACE, 1..=3600);
    let choices = [
        ("grace", Some(Rotation::Grace { seconds })),
        ("strict", Some(Rotation::Strict)),
        ("none", Some(Rotation::None)),
        ("until_first_use", None),
    ];
    tokens.choice("rotation", &choices).unwrap_or(Rotation::Grace { seconds })
}

fn prefixes(tokens: &mut Reader<'_>) -> Prefixes {
    let Some(mut table) = tokens.table("prefixes") else { return Prefixes::default() };
    let mut prefix = |key, default: &str| table.or(key, default.to_owned());
    let (access, refresh) = (prefix("access", "oat"), prefix("refresh", "ort"));
    if tokens.blames("prefixes") {
        return Prefixes::default();
    }
    Prefixes::new(&access, &refresh, "oac").unwrap_or_else(|error| {
        tokens.wrong("prefixes", format_args!("{error}; `oac` and `odc` are those of codes"));
        Prefixes::default()
    })
}

impl Revocation {
    pub(super) fn read(top: &mut Reader<'_>) -> Self {
        let mut revocation = top.section("revocation");
        revocation.choice("mode", &[("rfc7009", Some(())), ("draft2011", None), ("matrix", None)]);
        revocation.not_built("jsonp", &[false]);
        let bus = revocation.choice("bus", &[("auto", Some(true)), ("off", Some(false))]).unwrap_or(true);
        let mut policy = RevocationPolicy::default();
        policy.advertise = revocation.or("advertise", policy.advertise);
        policy.access_tokens = revocation.or("access_tokens", policy.access_tokens);
        policy.access_revokes_grant = revocation.or("access_revokes_grant", policy.access_revokes_grant);
        if policy.access_revokes_grant && !policy.access_tokens {
            revocation.wrong("access_revokes_grant", "contradicts `access_tokens = false`");
        }
        Self { policy, http_listen: revocation.address("http_listen"), bus }
    }
}
