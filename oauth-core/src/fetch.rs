//! Documents that strangers name, and whoever gets them.
//!
//! A client says where its keys are (`jwks_uri`), an identifier can be the URL
//! of a document ([Client ID Metadata Document]), and a request can lie
//! elsewhere (`request_uri`, [RFC 9101]). Each makes this server send a request
//! to wherever a stranger likes. So all of it goes through one [`Fetch`], which
//! the host chooses. The default, [`NoFetch`], never asks anybody; the one for
//! the open network is `GuardedFetch` in `oauth-tower`. A logo is never fetched.
//!
//! [Client ID Metadata Document]: https://datatracker.ietf.org/doc/draft-ietf-oauth-client-id-metadata-document/
//! [RFC 9101]: https://www.rfc-editor.org/rfc/rfc9101

mod error;
mod freshness;
mod purpose;
mod request;
#[cfg(test)]
mod tests;
mod url;

use std::{fmt, future::Future, pin::Pin, sync::Arc};

pub use self::{
    error::{FetchError, Refusal, Stage},
    freshness::lifetime,
    purpose::Purpose,
    request::{FetchRequest, Fetched},
    url::{FetchUrl, InvalidFetchUrl},
};

/// The future of a [`Fetch`], boxed so that the host can choose one at run time.
pub type FetchFuture<'a> = Pin<Box<dyn Future<Output = Result<Fetched, FetchError>> + Send + 'a>>;

/// Gets documents from URLs that strangers have written.
///
/// Whoever implements it promises what the one in `oauth-tower` does, since
/// nothing behind it asks again: https alone, no address in the special-use
/// registries, looked at where the connection is made (RFC 6890; Client ID
/// Metadata Document draft section 8.6), no redirects, and limits to size, time
/// and how often (RFC 9101 section 10.4).
///
/// ```
/// use oauth_core::fetch::{Fetch, FetchError, FetchFuture, FetchRequest, FetchUrl, Fetched};
/// use oauth_core::clock::UnixTime;
///
/// /// Knows one document by heart, for a test.
/// #[derive(Debug)]
/// struct Known;
///
/// impl Fetch for Known {
///     fn fetch(&self, request: FetchRequest) -> FetchFuture<'_> {
///         Box::pin(async move {
///             FetchUrl::parse(request.url())?;
///             Ok(Fetched::new(&b"{\"keys\":[]}"[..], UnixTime(1_000)))
///         })
///     }
/// }
/// ```
pub trait Fetch: fmt::Debug + Send + Sync + 'static {
    /// The document that `request` names, from wherever it was kept or from its
    /// source. It has passed the check of the request.
    ///
    /// The future may be dropped at any time.
    fn fetch(&self, request: FetchRequest) -> FetchFuture<'_>;

    /// Whether `url` is one that would be asked at all, as far as its text says.
    /// For registration: what is refused here will never be fetched.
    ///
    /// # Errors
    /// [`FetchError::Refused`]. By default: the rules of [`FetchUrl::parse`].
    fn check(&self, url: &str) -> Result<(), FetchError> {
        Ok(FetchUrl::parse(url).map(drop)?)
    }
}

/// For one that its owner keeps a handle of.
impl<F: Fetch + ?Sized> Fetch for Arc<F> {
    fn fetch(&self, request: FetchRequest) -> FetchFuture<'_> {
        (**self).fetch(request)
    }

    fn check(&self, url: &str) -> Result<(), FetchError> {
        (**self).check(url)
    }
}

/// Asks nobody, and refuses every URL: the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFetch;

impl Fetch for NoFetch {
    fn fetch(&self, _: FetchRequest) -> FetchFuture<'_> {
        Box::pin(std::future::ready(Err(Refusal::Disabled.into())))
    }

    fn check(&self, _: &str) -> Result<(), FetchError> {
        Err(Refusal::Disabled.into())
    }
}
