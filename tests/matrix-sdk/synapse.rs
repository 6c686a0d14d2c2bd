//! The SDK at PyPI's Synapse, which leaves its users to the reference server.

#[path = "../matrix/synapse/homeserver.rs"]
mod homeserver;

use matrix_sdk::Client;

use self::homeserver::Synapse;
use crate::{
    house::NAME,
    program::{client_at, configuration, start},
    session::{access_token, decide_at, finish, is_over, refresh_token, verdict},
    support::{Authority, Visitor, free_port},
};

const SECRET: &str = "the-shared-secret";
const WHOAMI: &str = "/_matrix/client/v3/account/whoami";
const DEVICE: &str = "ABCDEFGHIJ";

/// The file of a server that tells the homeserver at this port. That one has plain http, which needs `development`.
fn configuration_beside(homeserver: u16) -> String {
    format!(
        "development = true\n{}introspection_secret = \"{SECRET}\"\nsynapse = true\n\
         homeserver_url = \"http://127.0.0.1:{homeserver}\"\n",
        configuration(free_port())
    )
}

async fn is_alice(client: &Client) {
    let me = client.whoami().await.unwrap();
    assert_eq!((me.user_id.as_str(), me.device_id.unwrap().as_str()), ("@alice:example.org", DEVICE));
}

#[tokio::test]
async fn case_60_matrix_sdk_signs_in_refreshes_and_signs_out_at_synapse() {
    let (authority, port) = (Authority::new(), free_port());
    let (_server, issuer) = start(&authority, &configuration_beside(port));
    let synapse = Synapse::start(port, &issuer, Some(&authority.file("ca.pem"))).await;
    let client = client_at(&synapse.remote.url, &authority).await;
    assert_eq!(client.oauth().server_metadata().await.unwrap().issuer, issuer.parse().unwrap());
    let page = decide_at(Visitor::new(authority.client()), &client, ("alice", Some(DEVICE)), "approve").await;
    finish(&client, &page).await;
    is_alice(&client).await;
    let before = (access_token(&client), refresh_token(&client));
    client.oauth().refresh_access_token().await.unwrap();
    let token = access_token(&client);
    assert!(token != before.0 && refresh_token(&client) != before.1);
    is_alice(&client).await;
    // Under the name that the SDK has registered.
    assert_eq!(synapse.devices(&token).await, [(DEVICE.to_owned(), "Chat".into())]);
    client.logout().await.unwrap();
    // Synapse remembers for two minutes that the token was good: what it looks at is the device.
    assert_eq!(verdict(client.whoami().await), Some(false));
    for token in [token, before.0] {
        let answer = synapse.whoami(&token).await;
        assert_eq!((answer.status.as_u16(), answer.member("errcode")), (401, "M_UNKNOWN_TOKEN".into()), "{answer}");
    }
    is_over(&client).await;
}
