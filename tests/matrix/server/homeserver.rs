//! A homeserver in another process hears of devices in time: cases 46, 47 and 52.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use oauth_core::{
    engine::{
        device::{DeviceDecision, DeviceLookup, Guesser},
        fault::Fault,
        matrix::{Homeserver, NewDevice},
        policy::HostFuture,
    },
    matrix::{DeviceId, UserId},
};
use oauth_tower::matrix::forget_devices;

use super::*;

/// One that is well, and remembers what it was told. Clones share it.
#[derive(Clone, Debug, Default)]
struct Told(Arc<(AtomicBool, Mutex<Vec<String>>)>);

impl Told {
    fn is_away(&self, away: bool) {
        self.0.0.store(away, Ordering::SeqCst);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.1.lock().unwrap())
    }

    fn hear(&self, what: String) -> HostFuture<'_, ()> {
        if self.0.0.load(Ordering::SeqCst) {
            return Box::pin(async { Err(Fault::Host("it is away".into())) });
        }
        self.0.1.lock().unwrap().push(what);
        Box::pin(async { Ok(()) })
    }
}

impl Homeserver for Told {
    fn upsert<'a>(&'a self, new: NewDevice<'a>) -> HostFuture<'a, ()> {
        self.hear(format!("{} has {}: {}", new.user, new.device, new.name.unwrap()))
    }

    fn delete<'a>(&'a self, user: &'a UserId, device: &'a DeviceId) -> HostFuture<'a, ()> {
        self.hear(format!("{user} has no {device}"))
    }

    fn sync<'a>(&'a self, user: &'a UserId, _: &'a [DeviceId]) -> HostFuture<'a, ()> {
        self.hear(format!("{user} has these"))
    }
}

/// A server that tells it, of sessions that end too.
async fn telling() -> (World, Told) {
    let told = Told::default();
    let w = world_with(|builder| builder.profile(profile().homeserver(told.clone()))).await;
    tokio::spawn(forget_devices(w.server.clone(), told.clone()));
    // It listens from here on.
    tokio::task::yield_now().await;
    (w, told)
}

const BEGUN: &str = "@alice:example.org has ABCDEFGHIJ: Element <X>";
const ENDED: &str = "@alice:example.org has no ABCDEFGHIJ";

#[tokio::test]
async fn case_46_a_device_is_known_before_its_tokens_and_without_it_there_are_none() {
    let (w, told) = telling().await;
    told.is_away(true);
    let code = w.code_for(&ask(ELEMENT)).await;
    w.redeem(ELEMENT, &code).await.is_unavailable();
    assert_eq!(w.server.devices_of("alice").await.unwrap(), []);
    told.is_away(false);
    let tokens = w.redeem(ELEMENT, &code).await.tokens();
    assert_eq!(told.take(), [BEGUN]);
    assert!(is_live(&w, &tokens.access).await);
    // A refresh is no sign-in, so it does not need the homeserver.
    told.is_away(true);
    assert_eq!(w.refresh(ELEMENT, tokens.refresh.as_ref().unwrap()).await.status, 200);
}

#[tokio::test]
async fn a_code_that_is_spent_makes_no_device() {
    let (w, told) = telling().await;
    let late = w.code_for(&ask(ELEMENT)).await;
    w.clock.advance(601);
    w.redeem(ELEMENT, &late).await.is_refused(400, "invalid_grant");
    assert_eq!(told.take(), [""; 0]);
    let code = w.code_for(&ask(ELEMENT)).await;
    let tokens = w.redeem(ELEMENT, &code).await.tokens();
    assert_eq!(w.revoke(ELEMENT, &tokens.access).await.status, 200);
    assert_eq!(told.take(), [BEGUN, ENDED]);
    w.redeem(ELEMENT, &code).await.is_refused(400, "invalid_grant");
    assert_eq!(told.take(), [""; 0]);
}

#[tokio::test]
async fn who_has_not_all_that_a_code_is_bound_to_makes_no_device_nor_hears_of_the_homeserver() {
    let (w, told) = telling().await;
    let code = w.code_for(&ask(ELEMENT)).await;
    let other = "0".repeat(43);
    for away in [false, true] {
        told.is_away(away);
        for (name, wrong) in [("code_verifier", &*other), ("redirect_uri", "https://b.example/")] {
            let params = redemption(&code).map(|(key, value)| (key, if key == name { wrong } else { value }));
            w.token(ELEMENT, &params).await.is_refused(400, "invalid_grant");
        }
        let params: Vec<_> = redemption(&code).into_iter().filter(|(key, _)| *key != "redirect_uri").collect();
        w.token(ELEMENT, &params).await.is_refused(400, "invalid_grant");
        w.redeem(CINNY, &code).await.is_refused(400, "invalid_grant");
    }
    told.is_away(false);
    assert_eq!(told.take(), [""; 0]);
    // It is as good as before.
    let tokens = w.redeem(ELEMENT, &code).await.tokens();
    assert!(is_live(&w, &tokens.access).await);
    assert_eq!(told.take(), [BEGUN]);
}

#[tokio::test]
async fn who_ends_a_session_by_using_something_again_is_answered_after_the_homeserver() {
    let (w, told) = telling().await;
    let code = w.code_for(&ask(ELEMENT)).await;
    w.redeem(ELEMENT, &code).await.tokens();
    w.redeem(ELEMENT, &code).await.is_refused(400, "invalid_grant");
    assert_eq!(told.take(), [BEGUN, ENDED]);
    let first = sign_in(&w, &ask(ELEMENT)).await.refresh.unwrap();
    let second = w.refresh(ELEMENT, &first).await.tokens().refresh.unwrap();
    w.refresh(ELEMENT, &second).await.tokens();
    w.refresh(ELEMENT, &first).await.is_refused(400, "invalid_grant");
    assert_eq!(told.take(), [BEGUN, ENDED]);
    let code = device_code(&w).await;
    let poll = async || w.token(ELEMENT, &[DEVICE_GRANT, ("device_code", &code)]).await;
    poll().await.tokens();
    w.clock.advance(30);
    poll().await.is_refused(400, "invalid_grant");
    assert_eq!(told.take(), [BEGUN, ENDED]);
}

const DEVICE_GRANT: (&str, &str) = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code");

/// That of a device without a browser, to which alice has said yes.
async fn device_code(w: &World) -> String {
    let answer = w.post("/device_authorization", ELEMENT, &[("scope", SCOPE), ("resource", HOME)]).await.json();
    let lookup = w.server.device(answer["user_code"].as_str().unwrap(), Guesser::default()).await.unwrap();
    let DeviceLookup::Found(request) = lookup else { panic!("{answer}") };
    assert_eq!(request.approve(Approval::new("alice")).await.unwrap(), DeviceDecision::Decided);
    answer["device_code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_device_without_a_browser_is_known_before_its_tokens_too() {
    let (w, told) = telling().await;
    let code = device_code(&w).await;
    let poll = async || w.token(ELEMENT, &[DEVICE_GRANT, ("device_code", &code)]).await;
    told.is_away(true);
    poll().await.is_unavailable();
    assert_eq!(w.server.devices_of("alice").await.unwrap(), []);
    told.is_away(false);
    w.clock.advance(30);
    assert!(is_live(&w, &poll().await.tokens().access).await);
    assert_eq!(told.take(), [BEGUN]);
}

#[tokio::test]
async fn case_52_who_signs_out_is_answered_after_the_homeserver() {
    let (w, told) = telling().await;
    let tokens = sign_in(&w, &ask(ELEMENT)).await;
    assert_eq!(told.take(), [BEGUN]);
    assert_eq!(w.revoke(ELEMENT, &tokens.access).await.status, 200);
    assert_eq!(told.take(), [ENDED]);
    // The other token of the session ends nothing more.
    assert_eq!(w.revoke(ELEMENT, tokens.refresh.as_ref().unwrap()).await.status, 200);
    assert_eq!(told.take(), [""; 0]);
}

#[tokio::test]
async fn signing_out_needs_no_homeserver() {
    let (w, told) = telling().await;
    let tokens = sign_in(&w, &ask(ELEMENT)).await;
    told.is_away(true);
    assert_eq!(w.revoke(ELEMENT, &tokens.access).await.status, 200);
    is_dead(&w, &tokens).await;
}

#[tokio::test]
async fn case_47_a_device_that_has_signed_in_again_is_not_taken_away() {
    let (w, told) = telling().await;
    let older = sign_in(&w, &ask(ELEMENT)).await;
    let newer = sign_in(&w, &ask(ELEMENT)).await;
    w.server.revocations().settled().await;
    assert_eq!(told.take(), [BEGUN, BEGUN]);
    assert_eq!(w.revoke(ELEMENT, &older.access).await.status, 200);
    assert_eq!(told.take(), [""; 0]);
    assert_eq!(w.revoke(ELEMENT, &newer.access).await.status, 200);
    assert_eq!(told.take(), [ENDED]);
}
