//! Requests to the back-channel endpoints.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Request, header};

use super::{CALLBACK, Caller, VERIFIER};

/// A form POST to `uri` by `caller`.
pub(crate) fn post(uri: &str, caller: Caller, params: &[(&str, &str)]) -> Request<Bytes> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(params);
    let mut request = Request::post(uri).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    match caller {
        Caller::Public(id) => drop(form.append_pair("client_id", id)),
        Caller::Basic(id, secret) => request = request.header(header::AUTHORIZATION, basic(&format!("{id}:{secret}"))),
        Caller::Post(id, secret) => drop(form.append_pair("client_id", id).append_pair("client_secret", secret)),
        Caller::Nobody => {}
    }
    request.body(form.finish().into()).unwrap()
}

/// The header for `pair`, which is encoded already.
pub(crate) fn basic(pair: &str) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

/// The parameters that redeem a code of the default `Ask`.
pub(crate) fn redemption(code: &str) -> [(&'static str, &str); 4] {
    let grant_type = ("grant_type", "authorization_code");
    [grant_type, ("code", code), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)]
}
