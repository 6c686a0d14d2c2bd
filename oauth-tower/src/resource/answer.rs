//! An introspection response, read as strictly as a JWT (RFC 7662 section 2.2).

use std::sync::Arc;

use oauth_core::{
    claims::{ClaimsError, ClockSkew, Confirmation},
    clock::UnixTime,
    scope::Scope,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{refusal::InvalidToken, scheme::TokenScheme, token::TokenClaims};

/// What an answer must fit.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) issuer: &'a str,
    pub(super) resource: &'a str,
    pub(super) now: UnixTime,
    pub(super) skew: ClockSkew,
    /// The server gives answers to this resource server's own tokens only.
    pub(super) server_checks_audience: bool,
    /// Where there is no `sub`, the client is the subject.
    pub(super) client_as_subject: bool,
    /// As homeservers read it: `expires_in` counts from here, and nobody needs a `sub`.
    pub(super) homeserver: Option<UnixTime>,
    /// Types of tokens that are served beside the usual ones.
    pub(super) schemes: &'a [Arc<dyn TokenScheme>],
}

/// The claims of the token that `answer` is about, if it is good.
pub(super) fn judge(mut answer: Map<String, Value>, rules: &Rules<'_>) -> Result<TokenClaims, InvalidToken> {
    // RFC 7662 section 2.2: `active` is "REQUIRED. Boolean". "true" is not.
    match answer.remove("active") {
        Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => return Err(InvalidToken::Inactive),
        // To a homeserver this is no answer: a "no" would sign the client out.
        _ if rules.homeserver.is_some() => return Err(ClaimsError::Malformed("active").into()),
        _ => return Err(InvalidToken::Inactive),
    }
    if is_refresh_token(&answer) {
        return Err(InvalidToken::RefreshToken);
    }
    if !is_served(&answer, rules.schemes) {
        return Err(InvalidToken::UnservedType);
    }
    let claims = read(answer, rules)?;
    check(&claims, rules)?;
    Ok(claims)
}

fn read(mut answer: Map<String, Value>, rules: &Rules<'_>) -> Result<TokenClaims, ClaimsError> {
    let iss: Option<String> = take(&mut answer, "iss")?;
    if iss.is_some_and(|iss| iss != rules.issuer) {
        return Err(ClaimsError::WrongIssuer);
    }
    let client_id: Option<String> = take(&mut answer, "client_id")?;
    let stand_in = if rules.client_as_subject { client_id.clone() } else { None };
    let sub: Option<String> = take(&mut answer, "sub")?;
    Ok(TokenClaims {
        iss: rules.issuer.into(),
        sub: subject(sub.or(stand_in), rules)?,
        client_id,
        aud: take::<Audience>(&mut answer, "aud")?.map_or_else(Vec::new, Into::into),
        exp: expiry(&mut answer, rules)?,
        iat: time(&mut answer, "iat")?,
        nbf: time(&mut answer, "nbf")?,
        jti: take(&mut answer, "jti")?,
        token_type: take(&mut answer, "token_type")?,
        scope: take::<Scope>(&mut answer, "scope")?.unwrap_or_default(),
        auth_time: time(&mut answer, "auth_time")?,
        acr: take(&mut answer, "acr")?,
        amr: take(&mut answer, "amr")?.unwrap_or_default(),
        cnf: take::<Confirmation>(&mut answer, "cnf")?,
        authorization_details: take(&mut answer, "authorization_details")?.unwrap_or_default(),
        extra: answer,
    })
}

fn subject(said: Option<String>, rules: &Rules<'_>) -> Result<String, ClaimsError> {
    let said = if rules.homeserver.is_some() { said.or_else(|| Some(String::new())) } else { said };
    said.ok_or(ClaimsError::Missing("sub"))
}

/// `exp`, or what comes sooner: authentication services of Matrix say `expires_in`, a whole number.
fn expiry(answer: &mut Map<String, Value>, rules: &Rules<'_>) -> Result<Option<UnixTime>, ClaimsError> {
    let exp = time(answer, "exp")?;
    let Some(asked) = rules.homeserver else { return Ok(exp) };
    let lifetime: Option<u64> = take(answer, "expires_in")?;
    // It was counted by the issuer, just now: there is no clock to differ from.
    if lifetime == Some(0) {
        return Err(ClaimsError::Expired);
    }
    Ok([exp, lifetime.map(|seconds| asked.saturating_add(seconds))].into_iter().flatten().min())
}

fn check(claims: &TokenClaims, rules: &Rules<'_>) -> Result<(), ClaimsError> {
    let named = claims.aud.iter().any(|aud| aud == rules.resource);
    let implied = claims.aud.is_empty() && rules.server_checks_audience;
    if !(named || implied) {
        return Err(ClaimsError::WrongAudience);
    }
    let skew = rules.skew.as_secs();
    if claims.exp.is_some_and(|exp| rules.now >= exp.saturating_add(skew)) {
        return Err(ClaimsError::Expired);
    }
    let latest = rules.now.saturating_add(skew);
    if [claims.nbf, claims.iat].into_iter().flatten().any(|time| time > latest) {
        return Err(ClaimsError::NotYetValid);
    }
    Ok(())
}

/// Many servers introspect refresh tokens too, and say so each in its own way.
/// A refresh token lives far longer than it should be accepted here.
fn is_refresh_token(answer: &Map<String, Value>) -> bool {
    ["token_type", "token_use", "typ"].into_iter().any(|name| {
        let text = answer.get(name).and_then(Value::as_str).unwrap_or_default();
        text.eq_ignore_ascii_case("refresh_token") || text.eq_ignore_ascii_case("refresh")
    })
}

/// Whether the token's type is one that this layer knows how to check. A bound
/// type says in `cnf` what it is bound to; without that, nothing could be
/// checked. `access_token` is what some servers write for any access token.
fn is_served(answer: &Map<String, Value>, schemes: &[Arc<dyn TokenScheme>]) -> bool {
    let bound = answer.get("cnf").is_some_and(Value::is_object);
    match answer.get("token_type") {
        None | Some(Value::Null) => true,
        Some(Value::String(name)) => {
            let is = |other: &str| name.eq_ignore_ascii_case(other);
            let is_scheme = || schemes.iter().any(|scheme| is(scheme.name()));
            is("bearer") || is("access_token") || (bound && is("dpop")) || is_scheme()
        }
        Some(_) => false,
    }
}

/// A member, which `null` leaves out. Of the wrong type, it is no member that
/// can be ignored.
fn take<T: DeserializeOwned>(answer: &mut Map<String, Value>, name: &'static str) -> Result<Option<T>, ClaimsError> {
    match answer.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => serde_json::from_value(value).map(Some).map_err(|_| ClaimsError::Malformed(name)),
    }
}

/// RFC 7662 section 2.2: an integer; some servers write a fraction.
fn time(answer: &mut Map<String, Value>, name: &'static str) -> Result<Option<UnixTime>, ClaimsError> {
    // 9999-12-31: what lies beyond is a mistake of units.
    const LATEST: f64 = 253_402_300_799.0;
    let Some(seconds) = take::<f64>(answer, name)? else { return Ok(None) };
    if !(0.0..=LATEST).contains(&seconds) {
        return Err(ClaimsError::Malformed(name));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
    let seconds = seconds as u64;
    Ok(Some(UnixTime(seconds)))
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl From<Audience> for Vec<String> {
    fn from(audience: Audience) -> Self {
        match audience {
            Audience::One(one) => vec![one],
            Audience::Many(many) => many,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::needless_pass_by_value, reason = "`json!` reads better without a borrow")]
    use serde_json::json;

    use super::*;

    const RULES: Rules<'static> = Rules {
        issuer: "https://as.example",
        resource: "https://api.example",
        now: UnixTime(1_000),
        skew: ClockSkew::ZERO,
        server_checks_audience: false,
        client_as_subject: false,
        homeserver: None,
        schemes: &[],
    };

    fn judged(changes: Value, rules: &Rules<'_>) -> Result<TokenClaims, InvalidToken> {
        let mut answer = json!({
            "active": true, "sub": "ada", "aud": "https://api.example", "exp": 1300, "scope": "a b",
        });
        for (name, value) in changes.as_object().unwrap() {
            answer[name] = value.clone();
        }
        judge(answer.as_object().unwrap().clone(), rules)
    }

    fn refused(changes: Value) -> InvalidToken {
        judged(changes, &RULES).unwrap_err()
    }

    // spec: INT-12
    #[test]
    fn only_the_boolean_true_is_active() {
        assert!(judged(json!({}), &RULES).is_ok());
        for other in [json!(false), json!("true"), json!(1), json!(null), json!([true])] {
            assert_eq!(refused(json!({ "active": other })), InvalidToken::Inactive);
        }
        assert_eq!(judge(Map::new(), &RULES), Err(InvalidToken::Inactive));
    }

    #[test]
    fn what_lives_for_no_second_more_is_over() {
        let skew = ClockSkew::MAX;
        let rules = Rules { homeserver: Some(RULES.now), skew, ..RULES };
        assert_eq!(judged(json!({ "expires_in": 0 }), &rules), Err(ClaimsError::Expired.into()));
        assert!(judged(json!({ "expires_in": 1 }), &rules).is_ok());
        // Nobody else reads it.
        assert!(judged(json!({ "expires_in": 0 }), &RULES).is_ok());
    }

    #[test]
    fn to_a_homeserver_what_is_no_boolean_is_no_answer() {
        let rules = Rules { homeserver: Some(RULES.now), ..RULES };
        assert_eq!(judged(json!({ "active": false }), &rules), Err(InvalidToken::Inactive));
        for other in [json!("true"), json!("false"), json!(1), json!(null)] {
            assert_eq!(judged(json!({ "active": other }), &rules), Err(ClaimsError::Malformed("active").into()));
        }
        assert_eq!(judge(Map::new(), &rules), Err(ClaimsError::Malformed("active").into()));
    }

    // spec: INT-12
    #[test]
    fn an_active_answer_is_checked_like_the_claims_of_a_jwt() {
        assert_eq!(refused(json!({ "exp": 1000 })), ClaimsError::Expired.into());
        assert_eq!(refused(json!({ "exp": "1300" })), ClaimsError::Malformed("exp").into());
        assert_eq!(refused(json!({ "exp": -1 })), ClaimsError::Malformed("exp").into());
        assert_eq!(refused(json!({ "nbf": 1001 })), ClaimsError::NotYetValid.into());
        assert_eq!(refused(json!({ "iat": 1001 })), ClaimsError::NotYetValid.into());
        assert_eq!(refused(json!({ "iss": "https://as.example/" })), ClaimsError::WrongIssuer.into());
        assert_eq!(refused(json!({ "iss": ["https://as.example"] })), ClaimsError::Malformed("iss").into());
        assert_eq!(refused(json!({ "aud": "https://other.example" })), ClaimsError::WrongAudience.into());
        assert_eq!(refused(json!({ "aud": 42 })), ClaimsError::Malformed("aud").into());
        assert_eq!(refused(json!({ "scope": ["a"] })), ClaimsError::Malformed("scope").into());
        assert_eq!(refused(json!({ "cnf": "x" })), ClaimsError::Malformed("cnf").into());
        let bound = judged(json!({ "cnf": { "jkt": "x" } }), &RULES).unwrap();
        assert!(bound.cnf.is_some());
    }

    #[test]
    fn an_absent_audience_is_refused_unless_the_server_is_trusted_to_check_it() {
        assert_eq!(refused(json!({ "aud": null })), ClaimsError::WrongAudience.into());
        let trusting = Rules { server_checks_audience: true, ..RULES };
        assert!(judged(json!({ "aud": null }), &trusting).is_ok());
        // An audience that is there counts all the same.
        assert!(judged(json!({ "aud": "https://other.example" }), &trusting).is_err());
    }

    #[test]
    fn the_client_is_the_subject_only_where_that_was_asked_for() {
        let changes = json!({ "sub": null, "client_id": "robot" });
        assert_eq!(refused(changes.clone()), ClaimsError::Missing("sub").into());
        let lenient = Rules { client_as_subject: true, ..RULES };
        assert_eq!(judged(changes, &lenient).unwrap().sub, "robot");
    }

    #[test]
    fn a_refresh_token_is_no_access_token() {
        for mark in
            [json!({"token_type":"refresh_token"}), json!({"token_use":"refresh_token"}), json!({"typ":"Refresh"})]
        {
            assert_eq!(refused(mark), InvalidToken::RefreshToken);
        }
        assert!(judged(json!({ "token_type": "bearer", "token_use": "access_token" }), &RULES).is_ok());
    }

    #[test]
    fn a_token_of_a_type_that_cannot_be_checked_is_not_taken_as_a_bearer_token() {
        for other in [json!("mac"), json!("DPoP"), json!("N_A"), json!(["Bearer"])] {
            assert_eq!(refused(json!({ "token_type": other })), InvalidToken::UnservedType);
        }
        assert!(
            judged(json!({ "token_type": "dpop", "cnf": { "jkt": "x" } }), &RULES).is_ok(),
            "the sender is checked next"
        );
    }

    #[test]
    fn members_nobody_knows_are_kept() {
        let claims = judged(json!({ "username": "Ada", "org": { "id": 7 } }), &RULES).unwrap();
        assert_eq!(claims.extra["username"], "Ada");
        assert_eq!(claims.extra["org"]["id"], 7);
        assert!(!claims.extra.contains_key("active"));
    }
}
