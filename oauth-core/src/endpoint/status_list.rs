//! `GET /status/{list}`: which tokens were revoked (Token Status List,
//! [draft-ietf-oauth-status-list-18 section 8]); `GET /status`: all such lists
//! (section 9).
//!
//! [draft-ietf-oauth-status-list-18 section 8]: https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list-18#section-8

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode,
    header::{
        ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG,
        IF_NONE_MATCH, VARY,
    },
};
use serde_json::json as value;

use super::{is_read, metadata::public_json, method_not_allowed, not_found, unavailable};
use crate::{engine::status_list::Publication, server::AuthorizationServer};

/// Answers with one list, signed; 404 where there is no such list, or none any
/// more.
pub async fn handle(server: &AuthorizationServer, request: &Request<Bytes>) -> Response<Bytes> {
    if !is_read(request) {
        return method_not_allowed("GET, HEAD");
    }
    let Some(lists) = server.status_lists() else { return not_found() };
    // Section 8.4: a server that does not answer for the past "SHOULD return a
    // status code of 501".
    let pairs = request.uri().query().unwrap_or_default().split('&');
    if pairs.map(|pair| pair.split('=').next()).any(|name| name == Some("time")) {
        return of_the_past();
    }
    let Some(list) = number(request.uri().path()) else { return not_found() };
    match lists.publication(server, list).await {
        Ok(Some(list)) => publish(&list, request.headers()),
        Ok(None) => not_found(),
        Err(fault) => unavailable(server, &fault),
    }
}

/// Answers with where all lists are.
pub async fn handle_all(server: &AuthorizationServer, request: &Request<Bytes>) -> Response<Bytes> {
    if !is_read(request) {
        return method_not_allowed("GET, HEAD");
    }
    let Some(lists) = server.status_lists() else { return not_found() };
    match lists.aggregation(server).await {
        Ok(lists) => {
            let uris: Vec<_> = lists.into_iter().map(|list| server.status_list_uri(list)).collect();
            let mut response = public_json(&value!({ "status_lists": uris }));
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            response
        }
        Err(fault) => unavailable(server, &fault),
    }
}

/// The last segment, if it is a number as this server writes it.
fn number(path: &str) -> Option<u64> {
    let segment = path.rsplit('/').next()?;
    let number: u64 = segment.parse().ok()?;
    (number.to_string() == segment).then_some(number)
}

fn publish(list: &Publication, asked: &HeaderMap) -> Response<Bytes> {
    // Section 8.2: the response "SHOULD use gzip Content-Encoding".
    let is_gzip = takes_gzip(asked);
    let chosen = if is_gzip { &list.gzip } else { &list.plain };
    let mut response = Response::new(Bytes::new());
    if is_known(&chosen.etag, asked) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        *response.body_mut() = chosen.body.clone();
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/statuslist+jwt"));
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if is_gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let cache = HeaderValue::from_str(&format!("public, max-age={}", list.max_age));
    headers.extend(
        [(CACHE_CONTROL, cache), (ETAG, HeaderValue::from_str(&chosen.etag))]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.ok()?))),
    );
    response
}

/// Whether what is asked for is in the caller's hands already (RFC 9110 section 13.1.2).
fn is_known(etag: &str, asked: &HeaderMap) -> bool {
    elements(asked, &IF_NONE_MATCH).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

/// RFC 9110 section 12.5.3: what is named decides, and `*` for what is not; a
/// weight of 0 is no. Whoever says nothing gets the list as it is.
fn takes_gzip(asked: &HeaderMap) -> bool {
    let weight_of = |names: &[&str]| {
        elements(asked, &ACCEPT_ENCODING).find_map(|coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
            let weight = weight.trim().strip_prefix(['q', 'Q']).and_then(|rest| rest.strip_prefix('='));
            let is_named = names.iter().any(|wanted| name.trim().eq_ignore_ascii_case(wanted));
            is_named.then(|| weight.and_then(|weight| weight.parse::<f32>().ok()).unwrap_or(0.0))
        })
    };
    weight_of(&["gzip", "x-gzip"]).or_else(|| weight_of(&["*"])).is_some_and(|weight| weight > 0.0)
}

/// The elements of a list, on one line or on many.
fn elements<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    let lines = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

fn of_the_past() -> Response<Bytes> {
    let mut response = not_found();
    *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
    response
}
