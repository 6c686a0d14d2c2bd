//! What registered clients may ask for.

use super::{app, app_with, registered, that};
use crate::support::*;

// spec: REG-15
#[tokio::test]
async fn a_client_may_ask_for_whatever_the_policy_allows_it_not_only_what_it_registered() {
    let w = that(|registration| registration.open().allow_scope("read write".parse().unwrap())).await;
    let client = registered(&w, &app_with("scope", "read admin")).await;
    assert_eq!(client.0["scope"], "read");
    let granted = async |ask: Ask| {
        let code = w.code_for(&ask).await;
        w.redeem(client.caller(), &code).await.member("scope")
    };
    let ask = Ask::of(client.caller());
    assert_eq!(granted(ask.clone()).await, "read", "what it registered, where it does not say");
    assert_eq!(granted(ask.clone().with("scope", "read write")).await, "read write", "more than it registered");
    assert_eq!(granted(ask.clone().with("scope", "write")).await, "write");
    assert_eq!(granted(ask.clone().with("scope", "write admin fly")).await, "write", "what there is of it");
    // Without a page in between, which nobody has vouched for this client to be spared.
    let ask = ask.with("prompt", "none");
    for nothing in ["admin", "fly", "admin fly"] {
        w.get(&ask.clone().with("scope", nothing).uri()).await.is_error_redirect("invalid_scope");
    }
    w.get(&ask.with("scope", "a  b").uri()).await.is_error_redirect("invalid_scope");
}

#[tokio::test]
async fn a_client_that_names_no_scope_is_told_what_it_can_have() {
    let w = super::open_world().await;
    let client = registered(&w, &app()).await;
    assert_eq!(client.0["scope"], "read write admin", "what the resources declare");
    // One that nobody serves here is registered all the same, with nothing.
    assert_eq!(registered(&w, &app_with("scope", "openid")).await.0.get("scope"), None);
}

#[tokio::test]
async fn clients_of_the_operator_are_told_when_they_ask_for_too_much() {
    let w = super::open_world().await;
    w.get(&Ask::of(APP).with("scope", "read fly").uri()).await.is_error_redirect("invalid_scope");
}
