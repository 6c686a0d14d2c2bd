//! `[tokens]`.

use oauth_core::{
    engine::policy::{Rotation, TokenFormat},
    jwt::Algorithm,
    token::Prefixes,
};

use super::{matrix::Profile, reader::Reader};

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
    pub(super) fn read(top: &mut Reader<'_>, profile: Profile) -> Self {
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
            rotation: rotation(&mut tokens, profile),
            prefixes: prefixes(&mut tokens, profile),
        }
    }
}

fn rotation(tokens: &mut Reader<'_>, profile: Profile) -> Rotation {
    let seconds = tokens.number("grace_seconds", Rotation::DEFAULT_GRACE, 1..=3600);
    let choices = [
        ("grace", Some(Rotation::Grace { seconds })),
        ("strict", Some(Rotation::Strict)),
        ("none", Some(Rotation::None)),
        ("until_first_use", Some(Rotation::UntilFirstUse)),
    ];
    tokens.choice("rotation", &choices).unwrap_or(match profile {
        Profile::Oauth21 => Rotation::Grace { seconds },
        Profile::Matrix => Rotation::UntilFirstUse,
    })
}

fn prefixes(tokens: &mut Reader<'_>, profile: Profile) -> Prefixes {
    let mut table = tokens.section("prefixes");
    let mut prefix = |key, default: &str| table.or(key, default.to_owned());
    let (access, refresh) = match profile {
        Profile::Oauth21 => (prefix("access", "oat"), prefix("refresh", "ort")),
        Profile::Matrix => (prefix("access", "mat"), prefix("refresh", "mar")),
    };
    drop(table);
    if tokens.blames("prefixes") {
        return Prefixes::default();
    }
    Prefixes::new(&access, &refresh, "oac").unwrap_or_else(|error| {
        tokens.wrong("prefixes", format_args!("{error}; `oac` and `odc` are those of codes"));
        Prefixes::default()
    })
}
