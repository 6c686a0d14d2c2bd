//! `GET /revoke?token=…&client_id=…&callback=package.function`: for scripts that
//! cannot POST ([RFC 7009 section 2.3]).
//!
//! The answer is a script, which runs only under the status 200: so that is the
//! status of errors too.
//!
//! [RFC 7009 section 2.3]: https://www.rfc-editor.org/rfc/rfc7009#section-2.3

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Request, Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS},
};
use serde_json::json as value;

use super::super::{error_json, no_store};
use crate::{
    engine::{
        fault::Failure,
        remote_address::RemoteAddress,
        revocation::{self, identify_script},
    },
    error::{ErrorCode, OAuthError},
    params::Params,
    server::AuthorizationServer,
};

/// The longest name of a function, in bytes.
const LONGEST: usize = 128;

/// Answers a script element.
pub(super) async fn handle(server: &AuthorizationServer, request: &Request<Bytes>) -> Response<Bytes> {
    let params = Params::parse(request.uri().query().unwrap_or_default());
    let asked = params.and_then(|params| Ok((callback(&params)?.to_owned(), params)));
    let (callback, params) = match asked {
        Ok(asked) => asked,
        // Nobody can be called who is not named.
        Err(error) => return error_json(StatusCode::BAD_REQUEST, &error),
    };
    match revoke(server, request, &params).await {
        Ok(()) => script(&format!("/**/{callback}();")),
        Err(failure) => failed(server, &callback, &failure),
    }
}

async fn revoke(server: &AuthorizationServer, request: &Request<Bytes>, params: &Params) -> Result<(), Failure> {
    params.refuse_repeated()?;
    let caller = identify_script(server, request, params).await?;
    let address = RemoteAddress::of(request.extensions());
    revocation::revoke(server, &caller, address, params.require("token")?).await
}

/// The function to call. Whatever else it may be is never repeated.
fn callback(params: &Params) -> Result<&str, OAuthError> {
    let callback = params.require("callback")?;
    let legal = callback.len() <= LONGEST && callback.split('.').all(is_identifier);
    if !legal {
        return Err(OAuthError::invalid_request("callback must be names of JavaScript, joined by dots"));
    }
    Ok(callback)
}

fn is_identifier(name: &str) -> bool {
    let start = |b: u8| b.is_ascii_alphabetic() || b == b'_' || b == b'$';
    match name.as_bytes() {
        [first, rest @ ..] => start(*first) && rest.iter().all(|b| start(*b) || b.is_ascii_digit()),
        [] => false,
    }
}

fn failed(server: &AuthorizationServer, callback: &str, failure: &Failure) -> Response<Bytes> {
    let (code, retry_after) = match failure {
        Failure::Refused(error) | Failure::Unauthenticated(error) | Failure::Forbidden(error) => (error.code(), None),
        Failure::TooMany { retry_after } => (&ErrorCode::TemporarilyUnavailable, Some(*retry_after)),
        Failure::Fault(fault) => {
            fault.tell_to(server);
            (&ErrorCode::TemporarilyUnavailable, Some(fault.retry_after()))
        }
    };
    let error = escaped(&value!({ "error": code.as_str() }).to_string());
    let mut response = script(&format!("/**/{callback}({error});"));
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// JSON that is a script too, wherever that stands: no end of an element, no end of
/// a line as older JavaScript had it.
fn escaped(json: &str) -> String {
    json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// A comment comes first, so that the name that a stranger has chosen is never the
/// beginning of a file of another type.
fn script(text: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::copy_from_slice(text.as_bytes()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/javascript"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // It is there for pages of other origins, those that are isolated too.
    let policy = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(policy, HeaderValue::from_static("cross-origin"));
    no_store(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    // spec: REV-22
    #[test]
    fn a_callback_is_names_of_javascript_joined_by_dots() {
        let read = |name: &str| callback(&Params::of([("callback".to_owned(), name.to_owned())]).unwrap()).is_ok();
        for good in ["f", "_", "$", "pkg.fn", "a1.$b._c9", "package.myCallback", &"f".repeat(128)] {
            assert!(read(good), "{good}");
        }
        let bad =
            ["", ".", "f.", ".f", "a..b", "1f", "a.1", "f()", "f;g", "f[0]", "f\n", "a b", "a-b", "<f>", "ƒ", "f\u{0}"];
        for bad in bad.into_iter().chain([&*"f".repeat(129), "f\u{2028}", "f//", "f/**/", "'f'", "a.b.c."]) {
            assert!(!read(bad), "{bad:?}");
        }
    }

    // spec: REV-23
    #[test]
    fn json_in_a_script_ends_no_element_and_no_line() {
        assert_eq!(escaped("\"</script>\u{2028}\u{2029}\""), r#""\u003c/script>\u2028\u2029""#);
    }
}
