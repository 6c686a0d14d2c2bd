//! `[authorization]` and `[sessions]`: what the authorization endpoint accepts,
//! and how long somebody stays signed in.

use oauth_core::engine::authorization::{
    AuthorizationSettings, DefaultScope, PushedRequests, RequestObjects, ResponseMode,
};

use super::{matrix::Profile, reader::Reader};

/// Ten years, in seconds: longer is a mistake in the unit.
const LONGEST: u64 = 315_360_000;

const MODES: [(&str, Option<ResponseMode>); 3] = [
    ("query", Some(ResponseMode::Query)),
    ("fragment", Some(ResponseMode::Fragment)),
    ("form_post", Some(ResponseMode::FormPost)),
];

/// `[sessions]`, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLifetimes {
    /// `lifetime`.
    pub lifetime: u64,
    /// `idle_lifetime`; 0 for any time.
    pub idle: u64,
}

/// `[authorization]`, with what `[par]` and `[jar]` say.
pub(super) fn read(
    top: &mut Reader<'_>,
    pushed: PushedRequests,
    signed: RequestObjects,
    profile: Profile,
) -> AuthorizationSettings {
    let mut section = top.section("authorization");
    let mut settings = AuthorizationSettings::default();
    (settings.pushed, settings.request_objects) = (pushed, signed);
    if profile.is_matrix() {
        settings.response_modes = vec![ResponseMode::Query, ResponseMode::Fragment];
        settings.passes_over_create = true;
    }
    if section.has("response_modes") {
        settings.response_modes = section.choices("response_modes", &MODES);
    }
    settings.acr_values = read_acr_values(&mut section);
    if section.has("default_max_age") {
        settings.default_max_age = Some(section.number("default_max_age", LONGEST, 0..=LONGEST));
    }
    settings.consent_lifetime = section.number("consent_lifetime", settings.consent_lifetime, 0..=LONGEST);
    if let Some(scope) = section.take::<String>("default_scope") {
        settings.default_scope = match scope.parse() {
            _ if scope.is_empty() => DefaultScope::Refused,
            Ok(scope) => DefaultScope::Only(scope),
            Err(error) => {
                section.wrong("default_scope", error);
                DefaultScope::Refused
            }
        };
    }
    settings
}

/// A client sends them with spaces between (OpenID Connect Core section 3.1.2.1).
fn read_acr_values(section: &mut Reader<'_>) -> Vec<String> {
    let values: Vec<(String, String)> = section.list("acr_values");
    for (key, value) in &values {
        if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            section.wrong(key, "must be visible ASCII characters without spaces");
        }
    }
    values.into_iter().map(|(_, value)| value).collect()
}

impl SessionLifetimes {
    pub(super) fn read(top: &mut Reader<'_>) -> Self {
        let mut section = top.section("sessions");
        let lifetime = section.number("lifetime", 8 * 3600, 1..=LONGEST);
        let idle = section.number("idle_lifetime", 0, 0..=LONGEST);
        if idle > lifetime && !section.blames("lifetime") {
            section.wrong("idle_lifetime", format_args!("is longer than `lifetime`, {lifetime}"));
        }
        Self { lifetime, idle }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::report::Report;

    fn parse(text: &str) -> Result<(AuthorizationSettings, SessionLifetimes), String> {
        let report = Report::default();
        let mut top = Reader::new(text.parse().unwrap(), &report);
        let settings = read(&mut top, PushedRequests::default(), RequestObjects::default(), Profile::Oauth21);
        let sessions = SessionLifetimes::read(&mut top);
        drop(top);
        report.finish((settings, sessions)).map_err(|found| found.to_string())
    }

    #[test]
    fn what_is_absent_is_as_the_library_has_it() {
        let (settings, sessions) = parse("").unwrap();
        assert_eq!(settings.response_modes, ResponseMode::ALL);
        assert!(settings.acr_values.is_empty() && settings.default_max_age.is_none());
        assert_eq!((settings.consent_lifetime, settings.default_scope), (7_776_000, DefaultScope::Registered));
        assert_eq!(sessions, SessionLifetimes { lifetime: 28_800, idle: 0 });
    }

    #[test]
    fn what_is_there_is_taken() {
        let text = "[authorization]\nresponse_modes = [\"form_post\"]\nacr_values = [\"urn:mfa\"]\ndefault_max_age = 0\n\
                    consent_lifetime = 0\ndefault_scope = \"a b\"\n[sessions]\nlifetime = 60\nidle_lifetime = 30";
        let (settings, sessions) = parse(text).unwrap();
        assert_eq!(settings.response_modes, [ResponseMode::FormPost]);
        assert_eq!((settings.acr_values, settings.default_max_age), (vec!["urn:mfa".to_owned()], Some(0)));
        assert_eq!(settings.default_scope, DefaultScope::Only("a b".parse().unwrap()));
        assert_eq!((settings.consent_lifetime, sessions), (0, SessionLifetimes { lifetime: 60, idle: 30 }));
        let (settings, _) = parse("[authorization]\ndefault_scope = \"\"").unwrap();
        assert_eq!(settings.default_scope, DefaultScope::Refused);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, key) in [
            (
                "[authorization]\nresponse_modes = [\"web_message\"]",
                "authorization.response_modes[0]: must be one of query,",
            ),
            ("[authorization]\nacr_values = [\"a b\"]", "authorization.acr_values[0]: "),
            ("[authorization]\ndefault_max_age = -1", "authorization.default_max_age: "),
            ("[authorization]\ndefault_scope = \"a  \\\"b\"", "authorization.default_scope: "),
            ("[sessions]\nlifetime = 0", "sessions.lifetime: must be from 1"),
            ("[sessions]\nlifetime = 60\nidle_lifetime = 61", "sessions.idle_lifetime: is longer than `lifetime`, 60"),
        ] {
            let mistakes = parse(text).unwrap_err();
            assert!(mistakes.starts_with(key) && mistakes.lines().count() == 1, "{mistakes}");
        }
    }
}
