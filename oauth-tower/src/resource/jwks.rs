//! The keys of an issuer: given, or fetched and kept fresh.

use std::sync::Arc;

use futures_util::FutureExt;
use http::StatusCode;
use oauth_core::{clock::UnixTime, jwk::JwkSet};

use super::{
    BuildError,
    configure::Context,
    discovery::{Metadata, get, max_age},
    fetched::{Availability, Down, Fetched, Freshness, Loaded, Newer},
    invalidate::{Ground, Ledger, Slot},
    observe::{Upstream, What},
};
use crate::outgoing::{Endpoint, HttpClient, Transport};

/// The keys of one issuer.
#[derive(Clone, Debug)]
pub(super) enum Keys {
    /// They never change.
    Fixed(Arc<JwkSet>),
    /// They are fetched.
    Fetched(Arc<Fetched<JwkSet>>),
}

/// Where keys are fetched.
#[derive(Clone, Debug)]
pub(super) enum KeyLocation {
    /// A URL.
    At(Endpoint),
    /// The `jwks_uri` of the issuer's metadata.
    Discovered(Arc<Metadata>),
}

impl Keys {
    /// Keys to be fetched for `issuer`, which is the one at `index`.
    pub(super) fn fetched(
        issuer: &str,
        location: KeyLocation,
        index: usize,
        context: &Context,
    ) -> Result<Self, BuildError> {
        let (http, transport) = (context.http()?, context.transport);
        let upstream = Upstream::new(issuer, What::Keys);
        let load = move || {
            let (location, http, upstream) = (location.clone(), http.clone(), upstream.clone());
            async move {
                let endpoint = location.endpoint(transport).await?;
                upstream.watch(load(&endpoint, &http), Down::outcome).await
            }
            .boxed()
        };
        let ledger = Arc::clone(&context.ledger);
        let replaced = move |old: &JwkSet, new: &JwkSet| strike(&ledger, index, old, new);
        Ok(Self::Fetched(Fetched::new(issuer, Arc::clone(&context.clock), context.lifetimes, load, replaced)))
    }

    /// The keys, as [`Fetched::at`].
    pub(super) fn at(&self, now: UnixTime, can_wait: bool) -> Availability<JwkSet> {
        match self {
            Self::Fixed(keys) => Availability::Ready { value: Arc::clone(keys), until: UnixTime::MAX, refresh: None },
            Self::Fetched(keys) => keys.at(now, can_wait),
        }
    }

    /// Whether there may be a key that `searched` lacks.
    pub(super) fn newer(&self, now: UnixTime, since: UnixTime, searched: &Arc<JwkSet>) -> Newer {
        match self {
            Self::Fixed(_) => Newer::No,
            Self::Fetched(keys) => keys.newer(now, since, searched),
        }
    }

    /// How they are.
    pub(super) fn freshness(&self, now: UnixTime) -> Freshness {
        match self {
            Self::Fixed(_) => Freshness::ALWAYS,
            Self::Fetched(keys) => keys.freshness(now),
        }
    }

    /// Uses none of them until they have been fetched again.
    pub(super) fn distrust(&self) {
        match self {
            Self::Fixed(_) => {}
            Self::Fetched(keys) => keys.distrust(),
        }
    }

    /// Waits until there are keys.
    pub(super) async fn ready(&self) -> Result<(), Down> {
        self.get().await.map(drop)
    }

    /// The keys, waiting for them if that is needed.
    pub(super) async fn get(&self) -> Result<Arc<JwkSet>, Down> {
        match self {
            Self::Fixed(keys) => Ok(Arc::clone(keys)),
            Self::Fetched(keys) => keys.get().await,
        }
    }
}

impl KeyLocation {
    async fn endpoint(&self, transport: Transport) -> Result<Endpoint, Down> {
        match self {
            Self::At(endpoint) => Ok(endpoint.clone()),
            Self::Discovered(metadata) => {
                let metadata = metadata.get().await?;
                let url = metadata.jwks_uri.as_deref().ok_or_else(|| Down::because("the metadata name no jwks_uri"))?;
                Endpoint::parse(url, transport).map_err(Down::of)
            }
        }
    }
}

async fn load(endpoint: &Endpoint, http: &HttpClient) -> Result<Loaded<JwkSet>, Down> {
    let response = get(http, endpoint).await?;
    if response.status() != StatusCode::OK {
        return Err(Down::status("keys", response.status()));
    }
    let value = JwkSet::parse(response.body()).map_err(Down::of)?;
    Ok(Loaded { value, max_age: max_age(&response) })
}

/// A key that is gone takes along every verdict that rests on it; a new one
/// may make good what was denied for want of it.
fn strike(ledger: &Ledger, index: usize, old: &JwkSet, new: &JwkSet) {
    let has = |set: &JwkSet, thumbprint: &str| set.keys().iter().any(|key| key.thumbprint() == thumbprint);
    for key in old.keys().iter().filter(|key| !has(new, key.thumbprint())) {
        ledger.strike(ledger.shared(index, Ground::Key(key.thumbprint())));
    }
    if new.keys().iter().any(|key| !has(old, key.thumbprint())) {
        ledger.strike(Slot::denials(index));
    }
}
