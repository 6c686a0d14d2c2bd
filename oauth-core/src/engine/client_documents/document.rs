//! What a document must be (Client ID Metadata Document draft section 4).

use serde_json::{Map, Value};

use crate::{
    client::{
        AuthMethod, ClientId, GrantType, Registration,
        metadata::{ClientMetadata, RegistrationError, object},
    },
    clock::UnixTime,
    scope::Scope,
};

/// That `document`, from `url`, describes a client, whatever this server lets it
/// be. What fails here is not kept (section 5.2).
pub(super) fn check(url: &str, document: &[u8]) -> Result<(), String> {
    read(url, document).map(drop).map_err(|error| error.to_string())
}

/// What `document`, from `url`, says.
pub(super) fn read(url: &str, document: &[u8]) -> Result<ClientMetadata, RegistrationError> {
    let mut members = object(document)?;
    // Section 4: it "MUST match the URL of the document using simple string comparison".
    if members.get("client_id").and_then(Value::as_str) != Some(url) {
        return Err(RegistrationError::member("client_id", "must be the URL of the document, byte for byte"));
    }
    check_no_secrets(&members)?;
    // Who writes a document chooses no `http://localhost` for this server alone:
    // where it is not allowed, it is left out later.
    default_method(&mut members);
    let metadata = ClientMetadata::read(&members, true)?;
    if metadata.auth_method.uses_secret() {
        let what = "must not need a secret that client and server share";
        return Err(RegistrationError::member("token_endpoint_auth_method", what));
    }
    check_members_fit(url, &metadata)?;
    Ok(metadata)
}

/// Without a method the client is public: the default of RFC 7591 section 2 is one
/// that section 4.1 forbids.
fn default_method(members: &mut Map<String, Value>) {
    const NAME: &str = "token_endpoint_auth_method";
    if members.get(NAME).is_none_or(Value::is_null) {
        members.insert(NAME.to_owned(), AuthMethod::None.as_str().into());
    }
}

/// Section 4.1: everybody can read it.
fn check_no_secrets(members: &Map<String, Value>) -> Result<(), RegistrationError> {
    for name in ["client_secret", "client_secret_expires_at"] {
        if members.contains_key(name) {
            return Err(RegistrationError::member(name, "must not be in a document that everybody can read"));
        }
    }
    if members.values().any(holds_private_key) {
        let text = "a private or symmetric key is in it, which is no secret any more";
        return Err(RegistrationError::ClientMetadata(text.to_owned()));
    }
    Ok(())
}

/// Whether a private or symmetric JWK is anywhere in it (RFC 7518 section 6). How
/// deep it goes was bounded when it was read.
fn holds_private_key(value: &Value) -> bool {
    const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "k", "priv"];
    match value {
        Value::Object(members) => {
            let is_key = members.contains_key("kty");
            (is_key && PRIVATE.iter().any(|name| members.contains_key(*name)))
                || members.values().any(holds_private_key)
        }
        Value::Array(values) => values.iter().any(holds_private_key),
        _ => false,
    }
}

/// That it is a client. What the server does not let it be does not matter here:
/// a document is written for many servers.
fn check_members_fit(url: &str, metadata: &ClientMetadata) -> Result<(), RegistrationError> {
    let id = ClientId::new(url).map_err(|_| RegistrationError::member("client_id", "is not a client identifier"))?;
    let mut metadata = metadata.clone();
    metadata.grant_types.retain(|grant| *grant != GrantType::CLIENT_CREDENTIALS);
    let nothing = Registration::new(UnixTime(0), Scope::empty());
    metadata.into_client(id, Vec::new(), Scope::empty(), nothing).map(drop)?;
    Ok(())
}
