//! What the demo prints for people to read, and to paste into a shell.

use crate::app::{CONFIDENTIAL, Credentials, PUBLIC, USER};

/// Where everything is, and who is who.
pub(crate) fn first_lines(url: &str, credentials: &Credentials) -> String {
    format!(
        "listening on {url}\n\
         client: {CONFIDENTIAL} / {}\n\
         public client: {PUBLIC}\n\
         user: {USER} / {}\n",
        credentials.client_secret.expose(),
        credentials.password.expose(),
    )
}

/// A shell can take all of this as it stands.
pub(crate) fn curl_lines(url: &str, credentials: &Credentials) -> String {
    let client = format!("{CONFIDENTIAL}:{}", credentials.client_secret.expose());
    let token = r#"sed 's/.*"access_token":"\([^"]*\)".*/\1/'"#;
    let call = format!("curl -si -H \"Authorization: Bearer $TOKEN\" {url}/api/albums; echo");
    format!(
        "# Get a token:\n\
         TOKEN=$(curl -s -u {client} -d grant_type=client_credentials -d scope=albums:read {url}/token | {token}); \
         echo \"$TOKEN\"\n\
         # Call the API with it:\n\
         {call}\n\
         # Ask the server about it:\n\
         curl -si -u {client} -d \"token=$TOKEN\" {url}/introspect; echo\n\
         # Revoke it:\n\
         curl -si -u {client} -d \"token=$TOKEN\" {url}/revoke; echo\n\
         # Call the API again: 401, at once.\n\
         {call}\n\
         \n\
         # For the flow with sign-in and consent, open this in a browser:\n\
         # {url}/demo\n\
         # Ctrl-C ends the demo."
    )
}
