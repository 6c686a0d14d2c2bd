//! `GET /status/{list}`: which tokens were revoked (Token Status List,
//! [draft-ietf-oauth-status-list-18 section 8]); `GET /status`: all such lists
//! (section 9).
//!
//! [draft-ietf-oauth-status-list-18 section 8]: https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list-18#section-8

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode,
    header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
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
    let known = asked.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut known = known.flat_map(|value| value.split(',')).map(|tag| tag.trim().trim_start_matches("W/"));
    let mut response = Response::new(Bytes::new());
    if known.any(|tag| tag == "*" || tag == list.etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        *response.body_mut() = list.token.clone();
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/statuslist+jwt"));
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let cache = HeaderValue::from_str(&format!("public, max-age={}", list.max_age));
    headers.extend(
        [(CACHE_CONTROL, cache), (ETAG, HeaderValue::from_str(&list.etag))]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.ok()?))),
    );
    response
}

fn of_the_past() -> Response<Bytes> {
    let mut response = not_found();
    *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
    response
}
