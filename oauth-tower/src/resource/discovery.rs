//! The metadata of an issuer, fetched when first needed ([RFC 8414]).
//!
//! [RFC 8414]: https://www.rfc-editor.org/rfc/rfc8414

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{
    Response, StatusCode,
    header::{AGE, CACHE_CONTROL},
};
use oauth_core::{clock::Clock, metadata::AuthorizationServerMetadata};

use super::{
    fetched::{Down, Fetched, Lifetimes, Loaded},
    observe::{Upstream, What},
};
use crate::outgoing::{Endpoint, HttpClient, well_known};

pub(super) type Metadata = Fetched<AuthorizationServerMetadata>;

/// The metadata of `issuer`, to be found at one of `locations`.
pub(super) fn metadata(
    issuer: &str,
    locations: Vec<Endpoint>,
    http: HttpClient,
    clock: Arc<dyn Clock>,
    lifetimes: Lifetimes,
) -> Arc<Metadata> {
    let shared: Arc<str> = issuer.into();
    let locations: Arc<[Endpoint]> = locations.into();
    let upstream = Upstream::new(issuer, What::Metadata);
    let load = move || {
        let (issuer, locations) = (Arc::clone(&shared), Arc::clone(&locations));
        let (http, upstream) = (http.clone(), upstream.clone());
        async move { upstream.watch(load(&issuer, &locations, &http), Down::outcome).await }.boxed()
    };
    Fetched::new(issuer, clock, lifetimes, load, |_, _| {})
}

async fn load(
    issuer: &str,
    locations: &[Endpoint],
    http: &HttpClient,
) -> Result<Loaded<AuthorizationServerMetadata>, Down> {
    for location in locations {
        let response = get(http, location).await?;
        if well_known::has_nothing(&response) {
            continue;
        }
        if response.status() != StatusCode::OK {
            return Err(Down::status("metadata", response.status()));
        }
        // RFC 8414 section 3.3: an issuer that is not identical "MUST NOT be
        // used"; so another location is not tried either.
        let value = AuthorizationServerMetadata::parse(response.body(), issuer).map_err(Down::of)?;
        return Ok(Loaded { value, max_age: max_age(&response) });
    }
    Err(Down::because("there are no metadata"))
}

pub(super) async fn get(http: &HttpClient, endpoint: &Endpoint) -> Result<Response<Bytes>, Down> {
    Ok(http.send(well_known::request(endpoint)).await?)
}

/// For how many seconds a response is fresh, by its `Cache-Control` and `Age`
/// (RFC 9111 section 4.2), if it says so.
pub(super) fn max_age<B>(response: &Response<B>) -> Option<u64> {
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let mut lifetime = None;
    for directive in text(CACHE_CONTROL)?.split(',').map(str::trim) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match () {
            () if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") => return Some(0),
            () if name.eq_ignore_ascii_case("max-age") => lifetime = value.trim_matches('"').parse::<u64>().ok(),
            () => {}
        }
    }
    let age = text(AGE).and_then(|age| age.parse().ok()).unwrap_or(0);
    Some(lifetime?.saturating_sub(age))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn age_of(headers: &[(&str, &str)]) -> Option<u64> {
        let mut response = Response::builder();
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        max_age(&response.body(()).unwrap())
    }

    #[test]
    fn the_lifetime_of_a_response_is_its_max_age_less_its_age() {
        assert_eq!(age_of(&[]), None);
        assert_eq!(age_of(&[("cache-control", "public, max-age=600")]), Some(600));
        assert_eq!(age_of(&[("cache-control", "MAX-AGE=\"600\", must-revalidate"), ("age", "100")]), Some(500));
        assert_eq!(age_of(&[("cache-control", "max-age=10"), ("age", "100")]), Some(0));
        assert_eq!(age_of(&[("cache-control", "no-store, max-age=600")]), Some(0));
        assert_eq!(age_of(&[("cache-control", "public")]), None);
        assert_eq!(age_of(&[("cache-control", "max-age=-5")]), None);
    }
}
