//! Which scopes are granted ("Scope", "Device ID allocation").

use crate::{
    client::Client,
    error::OAuthError,
    matrix::{API, DEVICE, DeviceId, UNSTABLE_API, UNSTABLE_DEVICE, device_of, has_api},
    params::Params,
    scope::Scope,
    server::AuthorizationServer,
};

/// Whether a token is one of Matrix, whatever it means.
fn is_of_matrix(token: &str) -> bool {
    token.starts_with("urn:matrix:")
}

/// Whether a token is one that is granted.
fn is_known(token: &str) -> bool {
    matches!(token, API | UNSTABLE_API) || names_device(token)
}

fn names_device(token: &str) -> bool {
    token.starts_with(DEVICE) || token.starts_with(UNSTABLE_DEVICE)
}

/// The tokens of `scope` that `keep` takes.
fn filtered(scope: &Scope, keep: impl Fn(&str) -> bool) -> Scope {
    let tokens: Vec<&str> = scope.iter().filter(|token| keep(token)).collect();
    tokens.join(" ").parse().unwrap_or_default()
}

/// What a sign-in of `client` asks for: access to the API, and exactly one device. Tokens
/// of Matrix that are not known, and others that the client may not have, are left out
/// (OAuth 2.1 section 3.3).
pub(crate) fn asked(params: &Params, client: &Client) -> Result<Scope, OAuthError> {
    let text = params.get("scope").ok_or_else(|| OAuthError::invalid_scope("the scope names no device"))?;
    let asked: Scope = text.parse().map_err(|_| OAuthError::invalid_scope("the scope is malformed"))?;
    let may = client.scope.is_empty() || has_api(&client.scope);
    let given = filtered(&asked, |token| match is_of_matrix(token) {
        true => may && is_known(token),
        false => client.scope.contains(token),
    });
    match device_of(&given) {
        Ok(Some(_)) if has_api(&given) => Ok(given),
        Ok(Some(_)) => Err(OAuthError::invalid_scope("the scope has a device, and not the API that it would use")),
        Ok(None) => Err(OAuthError::invalid_scope("the scope names no device, or the client may not have one")),
        Err(_) => Err(OAuthError::invalid_scope(no_one_device(&given))),
    }
}

/// Why `scope` does not name one device, though it names some ("Device ID allocation").
fn no_one_device(scope: &Scope) -> String {
    let id =
        |token: &str| token.strip_prefix(DEVICE).or_else(|| token.strip_prefix(UNSTABLE_DEVICE)).map(DeviceId::new);
    match scope.iter().filter_map(id).find_map(Result::err) {
        Some(error) => format!("the scope names a device by what is no id: {error}"),
        None => "the scope names more than one device".to_owned(),
    }
}

/// What means something at every resource: the homeserver is not among those that declare
/// their scopes.
pub(crate) fn kept(server: &AuthorizationServer, scope: &Scope, narrowed: Scope) -> Scope {
    match server.matrix() {
        Some(_) => narrowed.union(&filtered(scope, is_known)),
        None => narrowed,
    }
}

/// `scope` as part of `granted`: a refresh keeps the device ("Relationship between access
/// tokens and devices").
pub(crate) fn with_device(server: &AuthorizationServer, granted: &Scope, scope: Scope) -> Scope {
    match server.matrix() {
        Some(_) => scope.union(&filtered(granted, names_device)),
        None => scope,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: &str = "urn:matrix:client:device:X";

    fn ask(scope: &str, of_client: &str) -> Option<String> {
        let client = Client::builder("app").redirect_uri("https://app.example/").scope(of_client).build().unwrap();
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("scope", scope).finish();
        asked(&Params::parse(&query).unwrap(), &client).ok().map(|scope| scope.to_string())
    }

    // spec: MTX-11
    #[test]
    fn a_sign_in_is_for_one_device() {
        assert_eq!(ask(&format!("{API} {X}"), ""), Some(format!("{API} {X}")));
        let unstable = format!("{UNSTABLE_API} {UNSTABLE_DEVICE}X");
        assert_eq!(ask(&unstable, ""), Some(unstable.clone()));
        for bad in [API, X, "openid", &format!("{API} {X} {DEVICE}Y"), &format!("{API} {DEVICE}"), ""] {
            assert_eq!(ask(bad, ""), None, "{bad}");
        }
        assert_eq!(ask(&format!("{API} {X}"), "notes"), None, "a client for something else");
    }

    #[test]
    fn what_is_wrong_with_the_device_is_said() {
        let said = |scope: &str| no_one_device(&scope.parse().unwrap());
        assert_eq!(said(&format!("{API} {X} {UNSTABLE_DEVICE}Y")), "the scope names more than one device");
        let ids = "the scope names a device by what is no id: a device id is 1 to 255 printable ASCII characters, ";
        for bad in ["x".repeat(256), String::new()] {
            let text = said(&format!("{API} {DEVICE}{bad}"));
            assert!(text.starts_with(ids) && !text.contains(['"', '\\']), "{text}");
        }
    }

    // spec: MTX-11
    #[test]
    fn what_is_not_known_is_not_granted() {
        let more = format!("{API} {X} urn:matrix:client:admin:* urn:synapse:admin:* openid");
        assert_eq!(ask(&more, ""), Some(format!("{API} {X}")));
        assert_eq!(ask(&more, &format!("{API} openid urn:matrix:client:admin:*")), Some(format!("{API} {X} openid")));
    }
}
