//! Fetching lists, and for how long they serve.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderValue, Request, Response, StatusCode, header::ACCEPT};
use oauth_core::{
    claims::ClockSkew,
    clock::{Clock, UnixTime},
    jwk::JwkSet,
    jwt::{Algorithm, JwtError},
    status_list::{StatusListExpectations, VerifiedStatusList, verify_status_list},
};

use super::{
    super::{
        discovery::max_age,
        fetched::{Down, Fetched, Lifetimes, Loaded, Newer},
        jwks::Keys,
        observe::{Upstream, What},
    },
    kept::{Kept, Known, Newest},
};
use crate::outgoing::{Endpoint, HttpClient};

/// How the lists of one issuer are fetched.
#[derive(Clone, Debug)]
pub(in crate::resource) struct Source {
    pub(in crate::resource) issuer: Arc<str>,
    pub(in crate::resource) http: HttpClient,
    pub(in crate::resource) keys: Keys,
    pub(in crate::resource) algorithms: Arc<[Algorithm]>,
    pub(in crate::resource) clock: Arc<dyn Clock>,
    pub(in crate::resource) skew: ClockSkew,
    pub(in crate::resource) lifetimes: Lifetimes,
}

impl Source {
    pub(super) fn open(&self, uri: &str, endpoint: Endpoint) -> Arc<Fetched<Known>> {
        let (source, uri): (_, Arc<str>) = (self.clone(), uri.into());
        let (upstream, newest) = (Upstream::new(&self.issuer, What::StatusList), Arc::new(Newest::default()));
        let load = move || {
            let (source, uri, endpoint) = (source.clone(), Arc::clone(&uri), endpoint.clone());
            let (upstream, newest) = (upstream.clone(), Arc::clone(&newest));
            // The time is counted from here: the answer may be read much later.
            let asked = source.clock.now();
            let load = async move { source.load(&uri, &endpoint, asked, &newest).await };
            async move { upstream.watch(load, Down::outcome).await }.boxed()
        };
        Fetched::new(&self.issuer, Arc::clone(&self.clock), self.lifetimes, load, |_, _| {})
    }

    async fn load(
        &self,
        uri: &str,
        endpoint: &Endpoint,
        asked: UnixTime,
        newest: &Newest,
    ) -> Result<Loaded<Known>, Down> {
        let response = self.get(endpoint).await?;
        let token = std::str::from_utf8(response.body()).map_err(Down::of)?.trim_ascii();
        let since = self.clock.now();
        let keys = self.keys.get().await?;
        let verified = match self.verify(token, uri, &keys) {
            Err(JwtError::UnknownKey) => {
                // It may have been signed with a key that is newer than those here.
                if let Newer::Wait(refresh) = self.keys.newer(since, since, &keys) {
                    refresh.await;
                }
                let keys = self.keys.get().await?;
                self.verify(token, uri, &keys).map(Kept::from)
            }
            verified => verified.map(Kept::from),
        };
        let fetched = verified.map_err(Down::of)?;
        let value = newest.take_in(fetched, |held| self.end(held).is_none_or(|end| asked < end));
        let max_age = max_age(&response);
        let max_age = value.lists().filter_map(|kept| self.lifetime(kept, asked, max_age)).min();
        Ok(Loaded { value, max_age })
    }

    async fn get(&self, endpoint: &Endpoint) -> Result<Response<Bytes>, Down> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = endpoint.uri().clone();
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/statuslist+jwt"));
        let response = self.http.send(request).await?;
        match response.status() {
            StatusCode::OK => Ok(response),
            status => Err(Down::status("status list", status)),
        }
    }

    fn verify<'k>(&self, token: &str, uri: &str, keys: &'k JwkSet) -> Result<VerifiedStatusList<'k>, JwtError> {
        let expected = StatusListExpectations::new(&self.issuer, uri, self.clock.now()).with_skew(self.skew);
        verify_status_list(token, keys, &self.algorithms, &expected)
    }

    /// When it says nothing any more. One that was made long before it was fetched
    /// may be what somebody has kept, and serve no longer than one that could not
    /// be fetched anew; but clocks may differ.
    pub(super) fn end(&self, kept: &Kept) -> Option<UnixTime> {
        let tolerance = self.lifetimes.stale.max(self.skew.as_secs());
        let outdated = kept.ttl.map(|ttl| kept.issued_at.saturating_add(ttl).saturating_add(tolerance));
        kept.expires_at.into_iter().chain(outdated).min()
    }

    /// For how many seconds it is good, from when it was asked for. "MUST prioritize
    /// the exp and ttl claims within the Status List Token over the HTTP headers"
    /// (section 8.2).
    fn lifetime(&self, kept: &Kept, asked: UnixTime, max_age: Option<u64>) -> Option<u64> {
        let says = match kept.ttl {
            // One that is on the way for some time, from a cache, is not fresh for
            // as long again.
            Some(ttl) => match asked.until(kept.issued_at.saturating_add(ttl)) {
                0 => Some(self.left(ttl, max_age)),
                left => Some(left.min(ttl)),
            },
            None => kept.expires_at.map(|end| asked.until(end)).or(max_age),
        };
        match self.end(kept).map_or(u64::MAX, |end| asked.until(end)) {
            // Nothing can be concluded from it: as if fetching had failed.
            0 => Some(self.lifetimes.pause),
            until_end => says.map(|says| says.min(until_end)),
        }
    }

    /// Of one that was over when it was asked for. Where clocks differ, what is left
    /// by the issuer's own stands in its answer; 0 is no invitation to ask all the time.
    fn left(&self, ttl: u64, max_age: Option<u64>) -> u64 {
        match max_age {
            Some(0) => self.lifetimes.pause.min(ttl),
            Some(left) => left.min(ttl),
            None => ttl,
        }
    }
}
