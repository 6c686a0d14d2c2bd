//! From names to addresses.

use std::{
    fmt,
    future::Future,
    io,
    net::{IpAddr, ToSocketAddrs},
    pin::Pin,
    sync::Arc,
};

use tokio::{sync::Semaphore, task::spawn_blocking};

/// The future of a [`Resolve`].
pub type ResolveFuture<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Looks names up. What it answers is compared with the registries by whoever
/// asks, so it may answer anything.
///
/// ```
/// use oauth_tower::outgoing::{GuardedFetch, Resolve, ResolveFuture};
/// use std::{collections::HashMap, io, net::IpAddr};
///
/// #[derive(Debug)]
/// struct Table(HashMap<String, Vec<IpAddr>>);
///
/// impl Resolve for Table {
///     fn resolve<'a>(&'a self, host: &'a str) -> ResolveFuture<'a> {
///         let found = self.0.get(host).cloned().ok_or_else(|| io::ErrorKind::NotFound.into());
///         Box::pin(std::future::ready(found))
///     }
/// }
/// let fetch = GuardedFetch::builder().resolver(Table(HashMap::new())).build()?;
/// # drop(fetch);
/// # Ok::<_, oauth_tower::outgoing::HttpError>(())
/// ```
pub trait Resolve: fmt::Debug + Send + Sync + 'static {
    /// Every address of `host`: a name of two labels or more in lower case,
    /// without a dot at the end, to be taken as complete.
    fn resolve<'a>(&'a self, host: &'a str) -> ResolveFuture<'a>;
}

/// The operating system's resolver, on threads of tokio's for blocking work: at
/// most 16 of them, also when those who asked have gone and it still waits. It
/// completes no name from a search list.
#[derive(Clone, Debug)]
pub struct SystemResolver {
    pub(super) places: Arc<Semaphore>,
}

const AT_ONCE: usize = 16;

impl Default for SystemResolver {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> ResolveFuture<'a> {
        Box::pin(self.look_up(host, |name| Ok((name, 0).to_socket_addrs()?.map(|address| address.ip()).collect())))
    }
}

impl SystemResolver {
    pub(super) async fn look_up(
        &self,
        host: &str,
        ask: impl FnOnce(&str) -> io::Result<Vec<IpAddr>> + Send + 'static,
    ) -> io::Result<Vec<IpAddr>> {
        // Nobody can end the call: whoever waits here gives up by themselves.
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(io::Error::other)?;
        let name = absolute(host);
        let call = move || {
            let found = ask(&name);
            drop(place);
            found
        };
        spawn_blocking(call).await.map_err(io::Error::other)?
    }
}

/// With a dot at the end, a name is complete: `app.example` is never looked for
/// below the domains of one's own network (RFC 1034 section 3.1).
fn absolute(host: &str) -> String {
    format!("{host}.")
}
