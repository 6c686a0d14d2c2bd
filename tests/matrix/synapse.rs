//! A real Synapse, as it comes from PyPI, that leaves its users to the reference server
//! (`matrix_authentication_service`).

mod homeserver;
mod js_sdk;
mod process;

use std::time::Duration;

use oauth_core::{
    engine::matrix::{Homeserver, NewDevice},
    matrix::UserId,
    secret::Secret,
};
use oauth_tower::{matrix::RemoteHomeserver, outgoing::HttpClient};
use serde_json::{Value, json};

use self::{
    homeserver::Synapse,
    process::{Both, Service},
};
use super::{NAME, SECRET, WHOAMI, device, is_refused, is_unknown, is_user};
use crate::support::*;

const ADMIN: &str = "s3cret";
const ELEMENT: Caller = Caller::Public("element");

/// What Synapse says of a token that it was good for until now: its user's session is over.
#[track_caller]
fn is_over(answer: &Answer) {
    is_unknown(answer, false);
}

#[tokio::test]
async fn cases_1_and_60_clients_find_the_authorization_server_through_synapse() {
    let both = Both::shared().await;
    let own = both.service.remote.get("/.well-known/openid-configuration").await.json();
    assert_eq!(own["issuer"], both.service.url());
    for path in ["/_matrix/client/v1/auth_metadata", "/_matrix/client/unstable/org.matrix.msc2965/auth_metadata"] {
        let answer = both.synapse.remote.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, own.clone()), "{path}");
    }
    let known = both.synapse.remote.get("/.well-known/matrix/client").await.json();
    let account = json!({ "issuer": both.service.url(), "account": format!("{}/account", both.service.url()) });
    assert_eq!(known["org.matrix.msc2965.authentication"], account);
    // There is one homeserver, and it is not here.
    is_refused(&both.service.remote.call(WHOAMI, "x").await, 404, "M_UNRECOGNIZED");
}

#[tokio::test]
async fn cases_17_46_52_and_60_a_session_at_synapse_begins_and_ends() {
    let both = Both::shared().await;
    let (synapse, service) = (&both.synapse, &both.service);
    let other = service.sign_in("alice", "KLMNOPQRST").await;
    // Characters that need care in a path, which ids from a QR code have.
    let first = service.sign_in("alice", "AB/+CD=EFG").await;
    let answer = synapse.whoami(&first.access).await;
    is_user(&answer, "@alice:example.org");
    assert_eq!(answer.member("device_id"), "AB/+CD=EFG");
    let names: Vec<(String, Value)> = ["AB/+CD=EFG", "KLMNOPQRST"].map(|id| (id.to_owned(), "Element".into())).into();
    assert_eq!(synapse.devices(&first.access).await, names);
    let second = service.remote.refresh(ELEMENT, first.refresh.as_ref().unwrap()).await.tokens();
    let answer = synapse.whoami(&second.access).await;
    is_user(&answer, "@alice:example.org");
    assert_eq!(answer.member("device_id"), "AB/+CD=EFG");
    // Synapse remembers for two minutes that both were good: what it looks at is the device.
    assert_eq!(service.remote.revoke(ELEMENT, &second.access).await.status, 200);
    is_over(&synapse.whoami(&second.access).await);
    is_over(&synapse.whoami(&first.access).await);
    let refresh = second.refresh.as_ref().unwrap();
    service.remote.refresh(ELEMENT, refresh).await.is_refused(400, "invalid_grant");
    assert_eq!(synapse.devices(&other.access).await, names[1..]);
    // And by the refresh token.
    assert_eq!(service.remote.revoke(ELEMENT, other.refresh.as_ref().unwrap()).await.status, 200);
    is_over(&synapse.whoami(&other.access).await);
}

#[tokio::test]
async fn case_58_both_tokens_of_a_session_at_synapse_are_revoked_by_requests_that_meet() {
    let both = Both::shared().await;
    let (synapse, service) = (&both.synapse, &both.service);
    for _ in 0..5 {
        let tokens = service.sign_in("dora", "DORASDEVICE").await;
        is_user(&synapse.whoami(&tokens.access).await, "@dora:example.org");
        let refresh = service.remote.revoke(ELEMENT, tokens.refresh.as_ref().unwrap());
        let after = async {
            let revoked = service.remote.revoke(ELEMENT, &tokens.access).await;
            (revoked.status.as_u16(), synapse.whoami(&tokens.access).await)
        };
        let (refresh, (access, answer)) = tokio::join!(refresh, after);
        assert_eq!((refresh.status.as_u16(), access), (200, 200));
        is_over(&answer);
    }
}

#[tokio::test]
async fn case_21_a_device_that_its_user_ends_on_the_page_is_refused_by_synapse_at_once() {
    let both = Both::shared().await;
    let (synapse, service) = (&both.synapse, &both.service);
    let (first, other) = (service.sign_in("bob", "FIRSTDEVICE").await, service.sign_in("bob", "OTHERDEVICE").await);
    is_user(&synapse.whoami(&first.access).await, "@bob:example.org");
    is_user(&synapse.whoami(&other.access).await, "@bob:example.org");
    let mut browser = Visitor::new(plain_client());
    let first_device = "/account?action=org.matrix.device_view&device_id=FIRSTDEVICE";
    let page = browser.go(&format!("{}{first_device}", service.url())).await;
    let page = browser.press(&page, "sign-in", &[("username", "bob"), ("password", PASSWORD)]).await;
    let page = browser.press(&page, "end-1", &[]).await;
    assert_eq!(page.answer.status, 200, "{}", page.answer);
    is_over(&synapse.whoami(&first.access).await);
    is_user(&synapse.whoami(&other.access).await, "@bob:example.org");
}

#[tokio::test]
async fn case_25_who_was_deactivated_is_refused_by_synapse_at_once() {
    let both = Both::shared().await;
    let (synapse, service) = (&both.synapse, &both.service);
    let tokens = service.sign_in("carol", "CAROLSDEVICE").await;
    is_user(&synapse.whoami(&tokens.access).await, "@carol:example.org");
    service.change("carol", r#"{"deactivated":true}"#).await;
    is_over(&synapse.whoami(&tokens.access).await);
    service.remote.refresh(ELEMENT, tokens.refresh.as_ref().unwrap()).await.is_refused(400, "invalid_grant");
}

#[tokio::test]
async fn synapse_understands_all_that_a_homeserver_is_told() {
    let both = Both::shared().await;
    let http = || HttpClient::builder().build().unwrap();
    let home = RemoteHomeserver::insecure_loopback(&both.synapse.remote.url, Secret::new(SECRET), http()).unwrap();
    let user = UserId::new("frank", NAME).unwrap();
    let path = "/_synapse/mas/query_user?localpart=frank";
    assert_eq!(both.synapse.remote.call(path, SECRET).await.status, 404);
    // Nobody has nothing to delete.
    home.delete(&user, &device("NOBODYS")).await.unwrap();
    // Of two at once, Synapse refuses one, which tries again.
    let (one, two, long) = (device("D/+1"), device("D2"), "é".repeat(101));
    let (first, second) =
        tokio::join!(home.upsert(NewDevice::new(&user, &one).name(&long)), home.upsert(NewDevice::new(&user, &two)),);
    first.and(second).unwrap();
    assert_eq!(both.synapse.remote.call(path, SECRET).await.member("user_id"), "@frank:example.org");
    home.upsert(NewDevice::new(&user, &one)).await.unwrap();
    home.sync(&user, &[one.clone(), device("D3")]).await.unwrap();
    home.delete(&user, &one).await.unwrap();
    home.delete(&user, &one).await.unwrap();
    home.sync(&user, &[]).await.unwrap();
    let strange = UserId::new("Not/For~Synapse", NAME).unwrap();
    let error = home.upsert(NewDevice::new(&strange, &one)).await.unwrap_err().to_string();
    assert_eq!(error, "the homeserver answered 400 Bad Request M_INVALID_USERNAME to provision_user");
    let stranger = RemoteHomeserver::insecure_loopback(&both.synapse.remote.url, Secret::new("wrong"), http()).unwrap();
    let error = stranger.delete(&user, &one).await.unwrap_err().to_string();
    assert_eq!(error, "the homeserver answered 403 Forbidden M_UNKNOWN to delete_device");
}

/// It was not reached when the session ended, and by nobody since.
#[tokio::test]
async fn a_device_whose_end_synapse_has_missed_is_gone_when_the_service_starts_again() {
    let (port, nobody) = (free_port(), free_port());
    let service = Service::start(port);
    let synapse = Synapse::start(port, service.url(), None).await;
    let (ends, stays) = (service.sign_in("alice", "ENDSDEVICE").await, service.sign_in("alice", "STAYSDEVICE").await);
    assert_eq!(synapse.devices(&stays.access).await.len(), 2);
    service.end();
    service.finds(port, nobody);
    service.begin();
    assert_eq!(service.remote.revoke(ELEMENT, &ends.access).await.status, 200);
    service.end();
    assert_eq!(synapse.devices(&stays.access).await.len(), 2);
    service.finds(nobody, port);
    service.begin();
    for _ in 0..1200 {
        if let [(device, _)] = &synapse.devices(&stays.access).await[..] {
            return assert_eq!(device, "STAYSDEVICE");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("Synapse has never heard of it");
}

/// Neither says to a client that its session is over because the other cannot be asked.
#[tokio::test]
async fn cases_19_and_46_while_either_is_away_nobody_is_signed_out() {
    let port = free_port();
    let service = Service::start(port);
    let code = service.code("alice", "ABCDEFGHIJ").await;
    service.redeem(&code).await.is_unavailable();
    // Nothing has begun, and the same code is good later.
    let synapse = Synapse::start(port, service.url(), None).await;
    let tokens = service.redeem(&code).await.tokens();
    service.end();
    is_refused(&synapse.whoami(&tokens.access).await, 503, "M_UNKNOWN");
    service.begin();
    is_user(&synapse.whoami(&tokens.access).await, "@alice:example.org");
}
