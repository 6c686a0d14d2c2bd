//! Two authorization servers and two resource servers, each a process of its own.

use super::{Place, on_every_bus, until};
use crate::support::*;

const CREDENTIALS: &[(&str, &str)] = &[("grant_type", "client_credentials")];

/// `resource-server` for tokens of `reference`, which hears on the bus at `place`.
fn api(reference: &Reference, place: &Place, arguments: &[&str]) -> (Program, Remote) {
    let mut command = program("resource-server");
    command.args(["--development", "--listen", "127.0.0.1:0", "--issuer", &reference.issuer]);
    command.args(["--revocations", &place.url()]).args(arguments);
    let program = Program::start(command);
    let address = program.says("listening on ");
    (program, Remote::new(plain_client(), format!("http://{address}")))
}

async fn token(node: &Remote, resource: &str) -> String {
    let answer = node.token(WEB, &[CREDENTIALS, &[("resource", resource)]].concat()).await;
    answer.tokens().access
}

async fn status(api: &Remote, token: &str) -> u16 {
    api.call("/api/whoami", token).await.status.as_u16()
}

/// A token for `api` is revoked at the other node, and refused though `api` would take it for an hour more.
async fn is_heard(from: &Remote, at: &Remote, api: &Remote, resource: &str) {
    let (revoked, other) = (token(from, resource).await, token(from, resource).await);
    for token in [&revoked, &other] {
        assert_eq!(status(api, token).await, 200);
    }
    at.revoke(WEB, &revoked).await.is_revoked();
    until("it is refused", async || status(api, &revoked).await == 401).await;
    assert!(api.call("/api/whoami", &revoked).await.header("www-authenticate").contains("error=\"invalid_token\""));
    assert_eq!(status(api, &other).await, 200);
}

// spec: REV-14
#[tokio::test]
async fn what_is_revoked_at_one_node_is_refused_by_resource_servers_that_ask_and_that_do_not() {
    on_every_bus(async |place: &Place| {
        let (reference, [(_first, one), (_second, two)]) = two_nodes(&place.url());
        let asks = ["--resource", ALBUMS, "--introspect", "--client-id", "api", "--cache-ttl", "3600"];
        let asks = [&asks[..], &["--client-secret", "api-secret-1Lm8"]].concat();
        let (_asking, asking) = api(&reference, place, &asks);
        let (_verifying, verifying) = api(&reference, place, &["--resource", JWT_ALBUMS]);
        for _ in 0..2 {
            place.until_listeners(4).await;
            for (from, at) in [(&one, &two), (&two, &one)] {
                is_heard(from, at, &asking, ALBUMS).await;
                is_heard(from, at, &verifying, JWT_ALBUMS).await;
            }
            // And once more, after all of them have lost their connections.
            place.cut().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_bus_that_is_off_is_not_there() {
    let url = new_database().await;
    let place = Place::Postgres(url.clone());
    let with = |more: &str| nodes(&url, 1, |text| text + more);
    let (reference, nodes) = with("\n[revocation]\nbus = \"off\"\n");
    let (_verifying, verifying) = api(&reference, &place, &["--resource", JWT_ALBUMS]);
    place.until_listeners(1).await;
    let token = token(&nodes[0].remote, JWT_ALBUMS).await;
    assert_eq!(status(&verifying, &token).await, 200);
    nodes[0].remote.revoke(WEB, &token).await.is_revoked();
    assert_eq!(status(&verifying, &token).await, 200);
    assert_eq!(place.listeners().await, 1, "the resource server alone");
}
