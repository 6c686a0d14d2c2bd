//! `POST /par`: requests that the client pushes ahead of the browser (RFC 9126).

mod limits;
mod once;
mod push;
mod required;
mod start;

use bytes::Bytes;
use http::Request;

use crate::support::*;

pub(crate) const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// What the endpoint says when `caller` pushes `ask`.
pub(crate) async fn push(w: &World, caller: Caller, ask: &Ask) -> Answer {
    w.send(pushing(caller, ask)).await
}

/// The request that pushes `ask`.
pub(crate) fn pushing(caller: Caller, ask: &Ask) -> Request<Bytes> {
    // Where it is part of the credentials, it is there already.
    let ask = if matches!(caller, Caller::Basic(..)) { ask.clone() } else { ask.clone().without("client_id") };
    let form = ask.form();
    let pairs: Vec<(String, String)> = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    post("/par", caller, &pairs)
}

/// The `request_uri` of `ask`, which is good.
pub(crate) async fn pushed(w: &World, caller: Caller, ask: &Ask) -> String {
    let answer = push(w, caller, ask).await;
    assert_eq!(answer.status, 201, "{answer}");
    answer.member("request_uri").as_str().unwrap().to_owned()
}

/// What the browser of `caller`'s user brings: the two parameters, and no others.
pub(crate) fn bring(caller: Caller, request_uri: &str) -> Ask {
    let names = ["response_type", "redirect_uri", "code_challenge", "code_challenge_method"];
    let nothing = names.into_iter().fold(Ask::of(caller), Ask::without);
    nothing.with("request_uri", request_uri)
}

/// The page for a reference that leads nowhere: nobody is redirected.
#[track_caller]
fn leads_nowhere(answer: &Answer) {
    answer.is_error_page();
    assert!(answer.body.contains("invalid_request_uri"), "{answer}");
}
