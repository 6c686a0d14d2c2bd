//! Authorization details (RFC 9396) as far as a file can say what they are: by the
//! names of their types. What stands in one is between the client and the API; a
//! server of your own says for each type what it may hold.

use std::collections::BTreeSet;

use oauth_core::{
    authorization_details::AuthorizationDetail,
    client::Client,
    engine::{
        authorization::AuthorizationSettings,
        detail_types::{DetailType, InvalidDetail},
    },
};

/// Whatever the client says, to be shown to the person and passed on as it is.
#[derive(Debug)]
struct AsWritten;

impl DetailType for AsWritten {
    fn check(&self, _: &AuthorizationDetail) -> Result<(), InvalidDetail> {
        Ok(())
    }
}

/// Adds every type that one of `clients` may ask for.
pub fn of_clients(settings: &mut AuthorizationSettings, clients: &[Client]) {
    let types: BTreeSet<&String> =
        clients.iter().flat_map(|client| &client.tokens.authorization_details_types).collect();
    types.into_iter().for_each(|name| settings.detail_type(name, AsWritten));
}
